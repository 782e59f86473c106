# SPDX-License-Identifier: Apache-2.0
"""The lines that stood on a screen, each with the time of its first and last sight; pure but for the emulator in it.

A line is a logical one: what the terminal wrapped at its right edge is joined again. The screen is looked at after
each piece of output: at most `SETTLE_MS` of it, and less than would scroll a line past unseen. What a program shows and
wipes out within one piece is on no line; the words of the messages have it.

A line that grows (a command that is typed, a line that is written bit by bit) stays one line. One that disappears and
comes back within `AGAIN_MS` does too, so that a screen that is drawn again and again is not written down each time.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ttyscribe_screen.screen import Screen
from ttyscribe_store.derive.commands import EDITS, MARK, Commands

SETTLE_MS = 50
AGAIN_MS = 60_000
LONGEST = 100_000
"""Characters of a line; the rest of a longer one is cut off: it is found by the words of its messages."""
_MOST_REMEMBERED = 2_000
_FEEDS = re.compile(rb"[\n\x0b\x0c]|\x1b[DEM]|(?:\x1b\[|\xc2\x9b)[0-9;]*[LMST]")
"""What may scroll."""
_LONGEST_MARK = 256
_BEGUN_MARK = re.compile(rb"\x1b(?:\](?:1(?:3(?:3(?:;[^\x07\x1b]*)?)?)?)?|\[(?:\?(?:2(?:0(?:0(?:4)?)?)?)?)?)?")
"""The beginning of what `commands.MARK` finds."""
_ENOUGH = 8192
"""Bytes of output that are looked at without more waiting."""


class Line(NamedTuple):
    """One line of the transcript."""

    number: int
    """From 1, in the order of first sight."""
    text: str
    first_ms: int
    last_ms: int
    """The last time at which it was seen; both from the recording's start."""


class _Open:
    """A line that is on the screen."""

    __slots__ = ("first_ms", "head", "last_ms", "number", "tail")

    def __init__(self, number: int, tail: str, time_ms: int) -> None:
        self.number, self.tail = number, tail
        self.first_ms = self.last_ms = time_ms
        self.head = ""
        """What of it has scrolled off."""

    @property
    def text(self) -> str:
        """All of it."""
        text = self.head + self.tail if self.head else self.tail
        return text if len(text) <= LONGEST else text[:LONGEST]


class Transcript:
    """Takes what happened on one terminal, in order, and gives its lines as they are final.

    `emit` gets each line once; lines that are still open come with `end`. `commands` are told when nothing happens, and
    before the line is left in which a prompt waits.
    """

    def __init__(self, emit: Callable[[Line], None], commands: Commands | None = None) -> None:
        self._emit = emit
        self._commands = commands
        self.screen = Screen(80, 24)
        self._pending = bytearray()
        self._first_ms = self._last_ms = 0
        self._busy = False
        self.count = 0
        """Lines that were seen so far, whether they are final or not."""
        self._main = _Buffer(self)
        self._alternate = _Buffer(self)
        self._gone: OrderedDict[str, _Open] = OrderedDict()

    # ---- what happens

    def output(self, time_ms: int, data: bytes) -> None:
        """The program wrote."""
        idle = time_ms - self._last_ms >= SETTLE_MS
        if self._pending and time_ms - self._first_ms >= SETTLE_MS:
            self._feed()
        if idle:
            self._rest()
        if not self._pending:
            self._first_ms = time_ms
        self._pending += data
        self._last_ms = time_ms
        if len(self._pending) >= _ENOUGH:
            self.pause()
        if EDITS in data:  # what stands there now is a prompt, however soon somebody types behind it
            self.settle()

    def resize(self, time_ms: int, columns: int, rows: int) -> None:
        """The terminal has another size."""
        self.settle()
        self.screen.resize(columns, rows)
        self._main.forget_rows()
        self._alternate.forget_rows()
        self._first_ms = time_ms
        self._look(time_ms, [])

    def settle(self) -> None:
        """Look at the screen as it is now: nothing more comes for a moment."""
        if self._pending:
            self._feed()
        self._rest()

    def pause(self) -> None:
        """Look at the screen as it is now, whenever more comes: a message ends. The beginning of a mark has to wait."""
        start = self._pending.rfind(b"\x1b", -_LONGEST_MARK)
        cut = start if start >= 0 and _BEGUN_MARK.fullmatch(self._pending, start) else len(self._pending)
        if cut:
            rest = self._pending[cut:]
            del self._pending[cut:]
            self._feed()
            self._pending = rest

    def standing(self) -> list[str]:
        """What stands on the screen as it was seen last: the text of each line, blank ones left out, from the top."""
        buffer = self._alternate if self.screen.alternate else self._main
        return buffer.texts()

    def open(self, time_ms: int) -> Iterator[Line]:
        """The lines that are not final yet, as they are if nothing comes after this time; in no order."""
        end_ms = max(time_ms, self._last_ms)
        for buffer in (self._main, self._alternate):
            for line in buffer.lines():
                yield Line(line.number, line.text, line.first_ms, end_ms)
        for line in self._gone.values():
            yield Line(line.number, line.text, line.first_ms, line.last_ms)

    def end(self, time_ms: int) -> None:
        """Nothing comes any more: give the rest."""
        self.settle()
        for line in sorted(self.open(time_ms)):
            self._emit(line)

    # ---- pieces

    def _rest(self) -> None:
        """Nothing came for a moment behind what was fed last."""
        if self._busy and self._commands is not None:
            self._commands.idle(self.screen)
        self._busy = False

    def _feed(self) -> None:
        """Feed what waits."""
        data, self._pending = bytes(self._pending), bytearray()
        self._busy = True
        commands = self._commands
        if commands is not None:
            data = self._entered(commands, self._marked(commands, data))
        self._pieces(data)

    def _marked(self, commands: Commands, data: bytes) -> bytes:
        """Feed up to the last mark that the shell made; what is left."""
        at = 0
        for found in MARK.finditer(data) if b"\x1b]133;" in data or b"\x1b[?2004h" in data else ():
            self._pieces(self._entered(commands, data[at : found.end()]))
            commands.mark((found[1] or b"").decode(), self.screen)
            at = found.end()
        return data[at:]

    def _entered(self, commands: Commands, data: bytes) -> bytes:
        """Feed up to where the line is left in which a prompt waits, if it does; what is left."""
        at = data.find(b"\n") if commands.armed else -1
        if at < 0:
            return data
        self._pieces(data[:at])
        commands.enter(self.screen, self._last_ms)
        return data[at:]

    def _pieces(self, data: bytes) -> None:
        """Feed in pieces that scroll less than the screen is high."""
        start = 0
        for end in self._cuts(data):
            if end > start:
                gone = self.screen.feed(data[start:end])
                self._look(self._last_ms, gone)
                start = end

    def _cuts(self, data: bytes) -> list[int]:
        """Ends of the pieces: what makes as many new rows as the screen has, but one."""
        columns, most = self.screen.columns, max(1, self.screen.rows - 1)
        cuts, rows, before = [], 0, 0
        for end in [found.end() for found in _FEEDS.finditer(data)]:
            while (made := rows + 1 + (end - before) // columns) > most:
                # A long line by itself makes many rows; else the piece ends before this line.
                before = cut = min(end, before + most * columns) if not rows else before
                cuts.append(cut)
                rows = 0
                if cut == end:
                    break
            else:
                rows = made
            before = end
        while len(data) - before > most * columns:
            before += most * columns
            cuts.append(before)
        cuts.append(len(data))
        return cuts

    # ---- lines

    def _look(self, time_ms: int, gone: list[str]) -> None:
        screen, first_ms = self.screen, min(self._first_ms, time_ms)
        if screen.alternate:
            self._alternate.look(first_ms, [(line.rstrip(), 1) for line in screen.lines()])
            return
        self._alternate.close(first_ms)
        self._main.scroll(first_ms, time_ms, gone)
        self._main.look(first_ms, screen.logical())

    def new(self, text: str, first_ms: int) -> _Open:
        """A line that was not there before, or not for long."""
        line = self._gone.pop(text, None) if self._gone else None
        if line is not None and first_ms - line.last_ms <= AGAIN_MS:
            return line
        if line is not None:
            self._give(line)
        self.count += 1
        return _Open(self.count, text, first_ms)

    def left(self, line: _Open, time_ms: int) -> None:
        """A line that is not on the screen any more; it may come back."""
        line.last_ms = time_ms
        if not line.text:
            return
        known = self._gone.pop(line.text, None)
        if known is not None:
            self._give(known)
        self._gone[line.text] = line
        while len(self._gone) > _MOST_REMEMBERED or (
            self._gone and line.last_ms - next(iter(self._gone.values())).last_ms > AGAIN_MS
        ):
            self._give(self._gone.popitem(last=False)[1])

    def scrolled(self, line: _Open, time_ms: int) -> None:
        """A line that left at the top: it is final."""
        line.last_ms = time_ms
        if text := line.text:
            self._emit(Line(line.number, text, line.first_ms, time_ms))

    def _give(self, line: _Open) -> None:
        self._emit(Line(line.number, line.text, line.first_ms, line.last_ms))


class _Buffer:
    """One of a terminal's two screens: which line stands in which row."""

    def __init__(self, owner: Transcript) -> None:
        self._owner = owner
        self._rows: list[_Open | None] = []
        self._seen: list[tuple[str, int]] = []
        self._moved = False

    def forget_rows(self) -> None:
        """Rows are not where they were; lines are known by their text alone."""
        self._seen, self._moved = [], True

    def scroll(self, first_ms: int, time_ms: int, gone: list[str]) -> None:
        """These rows left at the top. What they hold is final, and may be more than was seen of it last."""
        rows, start, count = self._rows, 0, len(self._rows)
        while start < len(gone):
            line, end = rows[start] if start < count else None, start + 1
            while line is not None and end < count and rows[end] is line:
                end += 1
            text = gone[start] if end == start + 1 else "".join(gone[start:end])
            if line is not None and end > len(gone):
                line.head += text  # its other rows are still there
                line.tail = line.tail[len(text) :]
            else:
                self._final(line, text.rstrip(), first_ms, time_ms)
            start = end
        if gone:
            del rows[: len(gone)]
            self._seen = []

    def _final(self, line: _Open | None, text: str, first_ms: int, time_ms: int) -> None:
        """A line has left at the top, with this as its last rows."""
        if line is not None and text.startswith(line.tail):
            line.tail = text
        else:
            if line is not None:
                self._owner.left(line, first_ms)
            if not text:
                return
            line = self._owner.new(text, first_ms)
        self._owner.scrolled(line, time_ms)

    def look(self, first_ms: int, lines: list[tuple[str, int]]) -> None:
        """What stands there now: each line with the number of its rows, from the top."""
        if lines == self._seen:
            return
        self._seen = lines
        before, found, strange = self._rows, [], []
        kept: set[_Open] = set()
        row = 0
        for text, height in lines:
            line = before[row] if row < len(before) and not self._moved else None
            if line is None or line in kept or not text.startswith(line.tail):
                if text:
                    strange.append((row, height, text))
                line = None
            else:
                line.tail = text
                kept.add(line)
            found += [line] * height
            row += height
        left = dict.fromkeys(line for line in before if line is not None and line not in kept)
        by_text: dict[str, list[_Open]] = {}
        for line in left:
            by_text.setdefault(line.tail, []).append(line)
        for row, height, text in strange:
            same = by_text.get(text)
            line = same.pop() if same else self._beheaded(text, left) if self._moved and row == 0 else None
            if line is None:
                line = self._owner.new(text, first_ms)
            left.pop(line, None)
            found[row : row + height] = [line] * height
        self._moved = False
        for line in left:
            self._owner.left(line, first_ms)
        self._rows = found

    @staticmethod
    def _beheaded(text: str, left: Iterable[_Open]) -> _Open | None:
        """The line whose beginning was pushed off the screen when that became smaller."""
        for line in left:
            if line.tail.endswith(text):
                line.head += line.tail[: -len(text)]
                line.tail = text
                return line
        return None

    def texts(self) -> list[str]:
        """The text of the lines that stand there."""
        return [line.tail for line in self.lines()]

    def lines(self) -> list[_Open]:
        """The lines that stand there."""
        return [line for line in dict.fromkeys(self._rows) if line is not None]

    def close(self, time_ms: int) -> None:
        """All lines leave."""
        for line in dict.fromkeys(self._rows):
            if line is not None:
                self._owner.left(line, time_ms)
        self._rows, self._seen = [], []
