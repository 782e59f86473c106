# SPDX-License-Identifier: Apache-2.0
"""Plays a tape on a terminal by the clock, and does what the viewer's keys say."""

import time
from collections.abc import Callable, Iterable, Iterator

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Output
from ttyscribe_formats.place import format_time
from ttyscribe_player import keys
from ttyscribe_player.event import Event, Mark
from ttyscribe_player.goto import parse_time
from ttyscribe_player.output import write_all
from ttyscribe_player.search import Search
from ttyscribe_player.tape import Tape
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import END, FEWEST_BYTES, MOST_BYTES, Timeline
from ttyscribe_player.usage import KEYS
from ttyscribe_player.views import View

_MS = 1_000_000
_SECOND = 1_000_000_000
_FLUSH = 1 << 16
_LONGEST_WAIT = 3600.0
_AHEAD_SECONDS = 0.01
_FOLLOW_SECONDS = 0.25
_MOST_SAID = 3
_NOTE_NS = 3 * _SECOND
_STATUS_NS = _SECOND
_SLOW_NS = _SECOND // 20
_DEFAULT_IDLE_NS = 2 * _SECOND
_MOST_TYPED = 200
Complain = Callable[[str], None]


def copy(events: Iterable[Event | None], fd: int, complain: Complain) -> bool:
    """Write the bytes and nothing else, at once; marks go to `complain`. Tells whether nothing was missing."""
    complete = True
    waiting = bytearray()
    for event in events:
        if isinstance(event, Output):
            waiting += event.data
        elif isinstance(event, Mark):
            complain(f"at {format_time(event.time_ns // _MS)}: {event.text}")
            complete = complete and not event.is_loss
        if len(waiting) >= _FLUSH or event is None:
            write_all(fd, bytes(waiting))
            waiting.clear()
        if event is None:
            time.sleep(_FOLLOW_SECONDS)
    write_all(fd, bytes(waiting))
    return complete


class Player:
    """One playback on a terminal. Keys: see `ttyscribe-play --help`."""

    def __init__(
        self,
        tape: Tape,
        timeline: Timeline,
        view: View,
        terminal: Terminal,
        *,
        persist: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._tape, self._timeline, self._view, self._terminal = tape, timeline, view, terminal
        self._persist = persist
        self._clock = clock
        self._typed = ""
        self._is_asking = self._is_helping = False
        self._search: Search | None = None
        self._note = ""
        self._status_until = 0
        self._status_due = 0
        self._marks = 0
        self._was_paused = False
        self._quit = False
        self._actions: dict[str, Callable[[], None]] = {
            " ": self._pause,
            "p": self._pause,
            "}": lambda: self._speed(2.0),
            "{": lambda: self._speed(0.5),
            "\x7f": lambda: self._speed(0.0),
            ".": self._step,
            ",": self._step_back,
            "G": self._go,
            "%": self._go_part,
            keys.RIGHT: lambda: self._move(5),
            keys.LEFT: lambda: self._move(-5),
            keys.UP: lambda: self._move(60),
            keys.DOWN: lambda: self._move(-60),
            keys.HOME: lambda: self._seek(0),
            "r": lambda: self._seek(0),
            keys.END: lambda: self._seek(END),
            "i": self._idle,
            "/": self._ask,
            "n": lambda: self._find(forward=True),
            "N": lambda: self._find(forward=False),
            "?": self._help,
            "q": self._stop,
        }

    @property
    def complete(self) -> bool:
        """Whether nothing is missing in what was read."""
        return not any(mark.is_loss for mark in self._tape.marks)

    def run(self, start: int = 0, part: float = 0.0, note: str = "") -> None:
        """Play from this place (ns, or a part of the whole) to the end, or until the viewer quits."""
        if part:
            start = int(self._tape.duration * part) if self._read_to(END) else 0
        if start:
            self._seek(start)
        if self._timeline.paused or note:
            self._say(note)
        while not self._quit and not self._is_over():
            start = self._clock()
            due = self._timeline.due(start)
            if due:
                self._show(due)
                self._suit(self._clock() - start)
            self._update_status()
            for key in self._terminal.read_keys(self._seconds(busy=bool(due))):
                self._press(key)
            if self._terminal.resized:
                self._terminal.resized = False
                self._say(self._note)
            if self._timeline.paused and not self._terminal.has_keys:
                return  # nobody is left who could go on

    def _suit(self, taken_ns: int) -> None:
        """Show more or less at once, so that keys are heard soon."""
        now = self._timeline.batch_bytes
        if taken_ns > _SLOW_NS:
            self._timeline.batch_bytes = max(FEWEST_BYTES, now // 4)
        elif taken_ns < _SLOW_NS // 4:
            self._timeline.batch_bytes = min(MOST_BYTES, now * 2)

    def _is_over(self) -> bool:
        return self._timeline.finished and not self._timeline.paused

    def _seconds(self, *, busy: bool) -> float | None:
        """How long to wait for a key; None = until there is one. What time is left is used to read ahead."""
        wait = self._timeline.wait(self._clock())
        if busy and wait == 0:
            return 0.0
        seconds = None if wait is None else wait / _SECOND
        if not self._tape.complete and (seconds is None or seconds > 2 * _AHEAD_SECONDS):
            if self._tape.load(_AHEAD_SECONDS):
                return 0.0
            seconds = min(_FOLLOW_SECONDS if seconds is None else seconds, _FOLLOW_SECONDS)
        if self._status_due:
            left = max(0, self._status_due - self._clock()) / _SECOND
            seconds = left if seconds is None else min(seconds, left)
        if seconds is None and self._timeline.finished and not self._timeline.paused:
            return 0.0
        return None if seconds is None else min(seconds, _LONGEST_WAIT)

    def _show(self, events: list[Event]) -> None:
        self._view.show(events)
        marks = [event for event in events if isinstance(event, Mark)]
        if marks and self._view.is_painted:
            more = [f"{len(marks) - _MOST_SAID} more before"] if len(marks) > _MOST_SAID else []
            self._say("; ".join(more + [mark.text for mark in marks[-_MOST_SAID:]]))

    # ---- keys

    def _press(self, key: str) -> None:
        if self._is_helping:
            self._is_helping = False
            self._view.help(())
            self._go_on()
            return
        if self._is_asking:
            self._answer(key)
            return
        if key in "0123456789:":
            self._typed = (self._typed + key)[-16:]
            return
        action = self._actions.get(key)
        if action is not None:
            action()
        self._typed = ""

    def _pause(self) -> None:
        self._timeline.toggle(self._clock())
        self._say()

    def _speed(self, factor: float) -> None:
        now = self._clock()
        if factor:
            self._timeline.scale(now, factor)
        else:
            self._timeline.set_speed(now, 1.0)
        self._say()

    def _idle(self) -> None:
        self._timeline.idle_limit = 0 if self._timeline.idle_limit else _DEFAULT_IDLE_NS
        self._say()

    def _step(self) -> None:
        while (event := self._timeline.step(self._clock())) is not None:
            self._show([event])
            if isinstance(event, Output):  # of anything else there is nothing to be seen
                break
        self._say()

    def _step_back(self) -> None:
        """Stand before the packet that was shown last, in a pause."""
        index = self._timeline.index
        while index > 0:
            index -= 1
            if isinstance(self._tape.event(index), Output):
                break
        self._go_to(self._tape.time(index - 1) if index else 0, index, pause=True)

    def _move(self, seconds: int) -> None:
        self._seek(max(0, self._timeline.position(self._clock()) + seconds * _SECOND))

    def _go(self) -> None:
        try:
            self._seek(parse_time(self._typed) if self._typed else END)
        except MessageError:
            self._say("that is no time: [[H:]M:]SS G")

    def _go_part(self) -> None:
        if not self._typed.isdecimal() or int(self._typed) > 100:
            self._say("that is no part: 0 to 100 %")
        elif self._read_to(END):
            self._seek(self._tape.duration * int(self._typed) // 100)

    def _help(self) -> None:
        """Show the keys, while the recording waits."""
        if not self._view.is_painted:
            self._say("the keys are in --help")
            return
        self._is_helping = True
        self._was_paused = self._timeline.paused
        if not self._was_paused:
            self._timeline.toggle(self._clock())
        self._say("any key goes back")
        self._view.help([f"  {key:14s} {text}" for key, text in KEYS])

    def _go_on(self) -> None:
        if not self._was_paused:
            self._timeline.toggle(self._clock())
        self._say()

    def _stop(self) -> None:
        self._quit = not self._persist

    # ---- places

    def _seek(self, target: int) -> None:
        """Go to this time: what stands there is shown as if it had been played."""
        if not self._read_to(target):
            return
        target = min(target, self._tape.duration)
        self._go_to(target, self._tape.index_at(target))

    def _go_to(self, position: int, index: int, *, pause: bool = False) -> None:
        self._view.jump(index)
        if pause and not self._timeline.paused:
            self._timeline.toggle(self._clock())
        self._timeline.jump(self._clock(), position, index)
        self._say()

    def _read_to(self, target: int) -> bool:
        """Read the tape up to this time; False where the viewer did not want to wait."""
        while not self._tape.complete and self._tape.duration <= target:
            if not self._tape.load(0.1):
                break
            self._say(f"reading, at {format_time(self._tape.duration // _MS)}; any key stops")
            if self._is_stopped():
                return False
        return True

    def _is_stopped(self) -> bool:
        """Whether a key was pressed; q ends everything, as ever."""
        pressed = self._terminal.read_keys(0.0)
        if "q" in pressed:
            self._stop()
        return bool(pressed)

    # ---- search

    def _ask(self) -> None:
        if not self._view.is_painted:
            self._say("searching needs the emulator: pip install 'ttyscribe[screen]', and no --raw")
            return
        self._is_asking, self._typed = True, ""
        self._say()

    def _answer(self, key: str) -> None:
        if key in "\r\n":
            self._is_asking = False
            if self._typed:
                self._search = Search(self._tape, self._typed)
            self._typed = ""
            self._find(forward=True)
            return
        if key in "\x7f\b":
            self._is_asking = bool(self._typed)
            self._typed = self._typed[:-1]
        elif key.isprintable():
            self._typed = (self._typed + key)[-_MOST_TYPED:]
        self._say()

    def _find(self, *, forward: bool) -> None:
        if self._search is None:
            self._say("nothing to search for: / asks for it")
            return
        index = self._timeline.index
        hits = self._search.forward(index) if forward else self._search.backward(index - 1)
        hit = self._next_hit(hits)
        if hit is not None:
            self._go_to(self._tape.time(hit), hit + 1, pause=True)
            self._say(f"found: {self._search.text}")

    def _next_hit(self, hits: Iterator[int | None]) -> int | None:
        told = self._clock()
        for hit in hits:
            if hit is not None:
                return hit
            if self._clock() - told > _STATUS_NS // 4:
                told = self._clock()
                self._say("searching; any key stops")
                if self._is_stopped():
                    self._say("search stopped")
                    return None
        self._say(f"not found: {self._search.text if self._search else ''}")
        return None

    # ---- status

    def _say(self, note: str = "") -> None:
        """Show the status for a while, with a remark."""
        self._note = note
        self._status_until = self._clock() + _NOTE_NS
        self._tell()

    def _update_status(self) -> None:
        if self._status_due and self._clock() >= self._status_due:
            self._tell()

    def _tell(self) -> None:
        now = self._clock()
        wanted = self._timeline.paused or self._is_asking or now < self._status_until
        if now >= self._status_until:
            self._note = ""
        self._view.status(self._text(now), wanted=wanted)
        # It changes by itself while it plays and is seen; in a pause only the remark goes.
        runs = self._view.is_painted and not self._timeline.paused
        self._status_due = now + _STATUS_NS if runs else self._status_until if now < self._status_until else 0

    def _text(self, now: int) -> str:
        if self._is_asking:
            return f"/{self._typed}_"
        timeline, tape = self._timeline, self._tape
        position = min(timeline.position(now), max(tape.duration, 0)) if tape.complete else timeline.position(now)
        parts = [f"{'paused' if timeline.paused else 'playing'} at {format_time(position // _MS)}"]
        if self._view.is_painted:
            more = "" if tape.complete else "+"
            parts[0] += f" of {format_time(tape.duration // _MS)}{more}"
        if timeline.speed != 1.0:
            parts.append(f"speed x{timeline.speed:g}")
        if timeline.idle_limit:
            parts.append(f"pauses cut to {timeline.idle_limit / _SECOND:g} s")
        parts += filter(None, (self._view.size_text(), self._note))
        return ", ".join(parts)
