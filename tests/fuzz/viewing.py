# SPDX-License-Identifier: Apache-2.0
"""Targets: what an auditor does: keys, hostile recordings in a player, the screen, and the filter in front of it."""

import io
import re
from collections.abc import Callable

from tests.fuzz.recordings import is_one_line, must_be_clean
from ttyscribe_formats.errors import ConfigError
from ttyscribe_player.event import Event, Mark, events
from ttyscribe_player.files import Recordings
from ttyscribe_player.filter import Filter
from ttyscribe_player.keys import DOWN, END, HOME, LEFT, RIGHT, UP, Keys
from ttyscribe_player.player import Player
from ttyscribe_player.tape import Tape
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import Timeline
from ttyscribe_player.views import PaintedView, View, WrittenView
from ttyscribe_screen import Screen, paint_screen

_MODES = "(?:6|7|25|47|1047|1048|1049)"
ALLOWED = re.compile(
    "(?:[\x20-\x7e\xa0-\u200d\u2010-\u2029\u202f-\u2065\u206a-\U0010ffff\t\n\x0b\x0c\r\b\x0e\x0f]"
    "|\x1b\\[[0-9;:]*[@A-HJ-MPSTXZ`a-bd-gmrsu]"
    f"|\x1b\\[\\?{_MODES}(?:;{_MODES})*[hl]"
    "|\x1b[78DEMH]|\x1b[()][0AB])*"
)
"""All that may come out of the filter."""
PAINTED = re.compile(
    "(?:[\x20-\x7e\xa0-\U0010ffff]|\r\n"
    "|\x1b\\[[0-9;]*m|\x1b\\[[0-9]+;[0-9]+H|\x1b\\[[0-9]+G|\x1b\\[(?:K|H|2J)|\x1b\\[\\?25[hl])*"
)
"""All that may be painted."""
_KEY_NS = 10_000_000
_LONG_SECONDS = 3000.0
_MOST_KEYS = 60
_MOST_WAITS = 400


def keys(data: bytes) -> None:
    """What a terminal sends: only letters and the six moves come out, however it is cut."""
    item = Keys()
    found = item.feed(data, 1)
    cut = Keys()
    assert "".join(cut.feed(data[place : place + 1], 1) for place in range(len(data))) == found
    assert all(key in _MOVES or key < "\x80" or key.isprintable() for key in found)
    assert "\x1b" not in found
    assert item.feed(b"q", 10**12) == "q"  # whatever was cut off: after a while keys are keys


_MOVES = (UP, DOWN, RIGHT, LEFT, END, HOME)


def guard(data: bytes) -> None:
    """The filter: what comes out is on the list, and how the stream is cut changes nothing."""
    passed = Filter().feed(data).decode()
    assert ALLOWED.fullmatch(passed), passed
    cut = Filter()
    pieces = "".join(cut.feed(data[place : place + 1]).decode() for place in range(len(data)))
    assert ALLOWED.fullmatch(pieces), pieces
    if len(data) < 200:
        assert pieces == passed


def screen(data: bytes) -> None:
    """The emulator: never an exception, always within its bounds, a snapshot goes on as the screen itself."""
    first = Screen(2 + (data[0] if data else 0) % 30, 1 + (data[1] if len(data) > 1 else 0) % 12)
    for number, piece in enumerate(data[2:].split(b"\0")):
        first.feed(piece)
        if number % 3 == 2:
            second = Screen.restored(first.snapshot())
            assert (second.lines(), second.cursor) == (first.lines(), first.cursor)
            first.resize(len(piece) % 40, number % 9)
    cursor = first.cursor
    assert 0 <= cursor.row < first.rows
    assert 0 <= cursor.column < first.columns
    assert [len(first.row(number)) for number in range(first.rows)] == [first.columns] * first.rows
    assert PAINTED.fullmatch(paint_screen(first).decode())
    assert not first.failures


def files(data: bytes) -> None:
    """A file of messages, several recordings in it: each line is one of a recording or complained of, once."""
    complaints: list[str] = []
    recordings = Recordings("log", complaints.append, io.BytesIO(data))
    lines = [line for line in data.split(b"\n") if line.strip()]
    assert len(complaints) + sum(len(one.lines) for one in recordings.found.values()) == len(lines)
    for one in recordings.found.values():
        assert is_one_line(f"{one.key} {recordings.described(one)}")
        now = 0
        for event in events(recordings.messages(one)):
            assert event.time_ns >= now
            now = event.time_ns
            if isinstance(event, Mark):
                assert is_one_line(event.text)
    for complaint in complaints:
        assert is_one_line(complaint), complaint
    try:
        recordings.choose("")
    except ConfigError as error:
        for line in str(error).split("\n"):
            must_be_clean(Exception(line))


class _Paper(Terminal):
    """A terminal that keeps what is written, and whose viewer presses keys."""

    def __init__(self, typed: bytes) -> None:
        super().__init__(-1, -1)
        self.has_keys = True
        self.now = 0
        self.painted: list[bytes] = []
        self.written: list[bytes] = []
        self._typed = [typed[place : place + 3] for place in range(0, min(len(typed), 3 * _MOST_KEYS), 3)]
        self._waits = 0

    def read_keys(self, seconds: float | None) -> str:
        """Three bytes at each second wait; time goes on by itself."""
        self._waits += 1
        self.now += int(min(seconds or 0.0, 1e9) * 1e9) * (10**6 if (seconds or 0.0) > _LONG_SECONDS else 1) + _KEY_NS
        if self._waits > _MOST_WAITS:
            return "q"
        if seconds and self._waits % 2:
            return ""
        if not self._typed:
            self.has_keys = seconds is not None
            return ""
        return self._keys.feed(self._typed.pop(0), self.now)

    def size(self) -> tuple[int, int]:
        return 40, 10

    def own_screen(self) -> None:
        """Nothing is to be set."""

    def clear(self) -> None:
        """Nothing is to be set."""

    def raw_output(self) -> None:
        """Nothing is to be set."""

    def paint(self, data: bytes) -> None:
        self.painted.append(data)

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def say(self, text: str) -> None:
        assert is_one_line(text)

    def title(self, text: str) -> None:
        assert is_one_line(text)


def player(data: bytes) -> None:
    """Keys (the first line) while a file of messages (the rest) plays, painted and through the filter."""
    typed, _, log = data.partition(b"\n")
    _play(typed, log, PaintedView, painted=True)
    _play(typed, log, lambda terminal, tape: WrittenView(terminal, tape, lambda: Filter().feed), painted=False)


def _play(typed: bytes, log: bytes, view: Callable[[Terminal, Tape], View], *, painted: bool) -> None:
    terminal = _Paper(typed)
    tape = Tape(_first(log), Screen(20, 6, newline=True) if painted else None)
    shown = view(terminal, tape)
    timeline = Timeline(tape, 0, paused=len(typed) % 5 == 4)
    Player(tape, timeline, shown, terminal, clock=lambda: terminal.now).run(len(typed) % 7 * 10**9)
    shown.close()
    assert PAINTED.fullmatch(b"".join(terminal.painted).decode())
    assert ALLOWED.fullmatch(b"".join(terminal.written).decode())
    assert PAINTED.fullmatch(terminal.parting.decode())
    tape.close()


def _first(log: bytes) -> list[Event]:
    """The events of a file's first recording."""
    recordings = Recordings("log", lambda _: None, io.BytesIO(log))
    return list(events(recordings.messages(next(iter(recordings.found.values()))))) if recordings.found else []
