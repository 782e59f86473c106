# SPDX-License-Identifier: Apache-2.0
"""A recording's events, read once from their source and kept, so that a player can go anywhere in them.

Output lies in memory up to a bound, then in an unnamed temporary file. With the emulator, keyframes are made while
reading: screens to go on from, so close to each other that any place is reached in a few hundredths of a second.
"""

import time
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from ttyscribe_formats.packet import Output, Window
from ttyscribe_player.event import Event, Mark
from ttyscribe_screen import Screen, Snapshot

PIECE = 1024
"""Bytes that a screen is fed at once: nobody waits long for what is between two of them, whatever they are."""
_IN_MEMORY = 64 << 20
_FRAME_BYTES = 128 << 10
_FRAME_EVENTS = 1500
_FRAME_SECONDS = 0.015
"""Of work, not of the recording: what took longer to feed takes longer to go over again."""
_FRAMES_CHARACTERS = 64 << 20
_LOOK = 16


class Frame(NamedTuple):
    """The screen before the event with this number."""

    number: int
    snapshot: Snapshot


class Tape:
    """One recording. `source` may give None where nothing more is there at the moment; then ask again later.

    With a `screen`, which is fed everything from then on, there are keyframes.
    """

    def __init__(self, source: Iterable[Event | None], screen: Screen | None = None) -> None:
        self._source = (piece for event in source for piece in _pieces(event))
        self._data: BinaryIO = BytesIO()
        self._times = array("q")
        self._ends = array("q")
        self._others: dict[int, Window | Mark] = {}
        self.marks: list[Mark] = []
        self.complete = False
        """Whether the source has ended."""
        self._maker = _Frames(screen) if screen is not None else None

    def __len__(self) -> int:
        return len(self._times)

    @property
    def duration(self) -> int:
        """The last event's time in nanoseconds, as far as the tape was read."""
        return self._times[-1] if self._times else 0

    def load(self, seconds: float = 0.0) -> bool:
        """Read ahead for about this long (at least one event); whether anything came."""
        end = time.monotonic() + seconds
        before = len(self)
        while not self.complete:
            event = next(self._source, self)
            if event is self:
                self.complete = True
            elif event is None:
                break
            else:
                self._take(event)  # type: ignore[arg-type]
                if len(self) % _LOOK == 0 or self._maker is not None:
                    if time.monotonic() >= end:
                        break
                elif not seconds:
                    break
        return len(self) > before

    def has(self, index: int) -> bool:
        """Whether there is such an event; reads up to it."""
        while len(self) <= index and self.load():
            pass
        return index < len(self)

    def _take(self, event: Event) -> None:
        if self._maker is not None:
            self._maker.take(len(self), event)
        self._times.append(min(event.time_ns, (1 << 63) - 1))
        if isinstance(event, Output):
            self._data.seek(0, 2)
            self._data.write(event.data)
            if isinstance(self._data, BytesIO) and self._data.tell() > _IN_MEMORY:
                self._to_disk(self._data)
        else:
            self._others[len(self) - 1] = event
            if isinstance(event, Mark):
                self.marks.append(event)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(getattr(event, "data", b"")))

    def _to_disk(self, data: BytesIO) -> None:
        self._data = TemporaryFile()  # noqa: SIM115
        self._data.write(data.getbuffer())

    def time(self, index: int) -> int:
        """When the event with this number is, in nanoseconds."""
        return self._times[index]

    def event(self, index: int) -> Event:
        """The event with this number, which has been read."""
        return next(self.events(index, index + 1))

    def events(self, first: int, last: int) -> Iterator[Event]:
        """Those from `first` up to `last`, which is not given out."""
        for index in range(first, last):
            other = self._others.get(index)
            if other is not None:
                yield other
                continue
            start = self._ends[index - 1] if index else 0
            self._data.seek(start)
            yield Output(self._times[index], self._data.read(self._ends[index] - start))

    def index_at(self, position: int) -> int:
        """The number of the first event behind this time, among those that have been read."""
        return bisect_right(self._times, position)

    def frame(self, index: int) -> Frame:
        """The last keyframe at or before this event; only with a screen."""
        frames = self._maker.frames if self._maker is not None else []
        return frames[bisect_right(frames, index, key=lambda frame: frame.number) - 1]

    def screen(self, index: int) -> Screen:
        """The screen before the event with this number."""
        frame = self.frame(index)
        screen = Screen.restored(frame.snapshot)
        for event in self.events(frame.number, index):
            feed(screen, event)
        return screen

    def close(self) -> None:
        """Forget everything."""
        self._data.close()


def _pieces(event: Event | None) -> Iterable[Event | None]:
    """Long output in pieces, so that a look at the keyboard is possible between two."""
    if not isinstance(event, Output) or len(event.data) <= PIECE:
        return (event,)
    return [event._replace(data=event.data[start : start + PIECE]) for start in range(0, len(event.data), PIECE)]


def feed(screen: Screen, event: Event) -> list[str]:
    """Show one event on a screen; the lines that left it at its top."""
    if isinstance(event, Window):
        screen.newline = False  # a terminal was recorded, whose driver has made the carriage returns already
        return screen.resize(event.columns, event.rows)
    if isinstance(event, Mark):
        return []
    return screen.feed(event.data)


class _Frames:
    """Makes keyframes from events in their order."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.frames = [Frame(0, self._screen.snapshot())]
        self._scale = 1
        self._characters = 0
        self._restart()

    def _restart(self) -> None:
        self._bytes = self._events = 0
        self._seconds = 0.0

    def take(self, index: int, event: Event) -> None:
        scale = self._scale
        if (
            self._bytes >= _FRAME_BYTES * scale
            or self._events >= _FRAME_EVENTS * scale
            or self._seconds >= _FRAME_SECONDS * scale
        ):
            self._frame(index)
        start = time.perf_counter()
        feed(self._screen, event)
        self._seconds += time.perf_counter() - start
        self._events += 1
        self._bytes += len(getattr(event, "data", b""))

    def _frame(self, index: int) -> None:
        frame = Frame(index, self._screen.snapshot())
        self.frames.append(frame)
        self._characters += len(frame.snapshot.init)
        self._restart()
        if self._characters > _FRAMES_CHARACTERS:  # a long recording, or one that was made to fill the memory
            del self.frames[1::2]
            self._characters = sum(len(kept.snapshot.init) for kept in self.frames)
            self._scale *= 2
