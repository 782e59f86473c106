# SPDX-License-Identifier: Apache-2.0
"""Plays events: by the clock on a terminal, at once into anything else."""

import time
from collections.abc import Callable, Iterable

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Output, Window
from ttyscribe_formats.place import format_time, parse_time
from ttyscribe_player.event import Event, Mark
from ttyscribe_player.output import write_all
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import END, Timeline

_MS = 1_000_000
_FLUSH = 1 << 16
_LONGEST_WAIT = 3600.0
Complain = Callable[[str], None]


def copy(events: Iterable[Event], fd: int, complain: Complain) -> bool:
    """Write the bytes and nothing else, at once; marks go to `complain`. Tells whether nothing was missing."""
    complete = True
    waiting = bytearray()
    for event in events:
        if isinstance(event, Output):
            waiting += event.data
            if len(waiting) >= _FLUSH:
                write_all(fd, bytes(waiting))
                waiting.clear()
        elif isinstance(event, Mark):
            complain(f"at {format_time(event.time_ns // _MS)}: {event.text}")
            complete = complete and not event.is_loss
    write_all(fd, bytes(waiting))
    return complete


class Player:
    """One playback on a terminal. Keys: see `ttyscribe-play --help`."""

    def __init__(self, timeline: Timeline, terminal: Terminal, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._timeline = timeline
        self._terminal = terminal
        self._clock = clock
        self._typed = ""
        self._quit = False
        self._size = (0, 0)
        self.complete = True
        """Whether nothing was missing so far."""
        self._actions: dict[str, Callable[[int], None]] = {
            " ": self._pause,
            "p": self._pause,
            "}": lambda now: self._speed(now, 2.0),
            "{": lambda now: self._speed(now, 0.5),
            "\x7f": lambda now: self._speed(now, 0.0),
            ".": self._step,
            "G": self._go,
            "q": self._stop,
        }

    def run(self) -> None:
        """Play to the end, or until the viewer quits."""
        if self._timeline.paused:
            self._status()
        while not self._timeline.finished and not self._quit:
            due = self._timeline.due(self._clock())
            self._show(due)
            wait = self._timeline.wait(self._clock())
            # None = until a key; even while a lot is due at once, a look at the keyboard stays possible.
            seconds = None if wait is None and not self._timeline.finished else min((wait or 0) / 1e9, _LONGEST_WAIT)
            if due and wait == 0 and not self._terminal.has_keys:
                continue
            for key in self._terminal.read_keys(seconds):
                self._press(key)
            if self._timeline.paused and not self._terminal.has_keys:
                return  # nobody is left who could go on

    def _show(self, events: Iterable[Event]) -> None:
        waiting = bytearray()
        for event in events:
            if isinstance(event, Output):
                waiting += event.data
                continue
            if waiting:
                self._terminal.write(bytes(waiting))
                waiting.clear()
            if isinstance(event, Window):
                self._resized(event)
            else:
                self._terminal.say(event.text)
                self.complete = self.complete and not event.is_loss
        if waiting:
            self._terminal.write(bytes(waiting))

    def _resized(self, window: Window) -> None:
        if self._size == (0, 0):
            self._terminal.raw_output()
        self._size = (window.columns, window.rows)

    def _press(self, key: str) -> None:
        now = self._clock()
        if key in "0123456789:":
            self._typed = (self._typed + key)[-16:]
            return
        action = self._actions.get(key)
        if action is not None:
            action(now)
        self._typed = ""

    def _pause(self, now: int) -> None:
        self._timeline.toggle(now)
        self._status()

    def _speed(self, now: int, factor: float) -> None:
        if factor:
            self._timeline.scale(now, factor)
        else:
            self._timeline.set_speed(now, 1.0)
        self._status()

    def _step(self, now: int) -> None:
        event = self._timeline.step(now)
        while isinstance(event, Window):  # nothing to be seen of it
            self._show([event])
            event = self._timeline.step(now)
        if event is not None:
            self._show([event])

    def _go(self, now: int) -> None:
        try:
            target = parse_time(self._typed) * _MS if self._typed else END
        except MessageError:
            return
        if not self._timeline.go_to(now, target):
            self._terminal.title("going back is not possible")

    def _stop(self, _: int) -> None:
        self._quit = True

    def _status(self) -> None:
        timeline = self._timeline
        state = "paused" if timeline.paused else "playing"
        parts = [f"{state} at {format_time(timeline.position(self._clock()) // _MS)}"]
        if timeline.speed != 1.0:
            parts.append(f"speed x{timeline.speed:g}")
        if self._size != (0, 0) and (here := self._terminal.size()) != self._size:
            parts.append("recorded at {}x{}, this terminal has {}x{}".format(*self._size, *here))
        self._terminal.title(", ".join(parts))
