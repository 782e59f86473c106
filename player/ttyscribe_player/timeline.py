# SPDX-License-Identifier: Apache-2.0
"""What to show when, given speed, pauses and jumps; it is told the time.

Two times, both in nanoseconds: `now` is the viewer's monotonic clock, a position is time in the recording.
"""

from ttyscribe_player.event import Event
from ttyscribe_player.tape import Tape

SLOWEST = 1 / 16
FASTEST = 16.0
END = 1 << 80
"""A position behind every end."""
FEWEST_BYTES, MOST_BYTES = 1 << 10, 1 << 16
_BATCH_EVENTS = 1024


class Timeline:
    """One playback of a tape."""

    def __init__(self, tape: Tape, now: int, *, speed: float = 1.0, paused: bool = False, start: int = 0) -> None:
        self._tape = tape
        self.index = 0
        """The number of the next event."""
        self._now = now
        self._position = self._base = start
        self.speed = speed
        self.paused = paused
        self.batch_bytes = FEWEST_BYTES
        """How much output is given out at once; more where it is shown quickly."""
        self.idle_limit = 0
        """Nanoseconds of the recording after which a pause in it is cut short; 0 = pauses stay as they are."""

    @property
    def finished(self) -> bool:
        """Whether everything has been given out."""
        return not self._tape.has(self.index) and self._tape.complete

    def position(self, now: int) -> int:
        """Where playing stands; while it runs towards the next event, between two events."""
        if self.paused:
            return self._position
        return self._position + int((now - self._now) * self.speed)

    def due(self, now: int) -> list[Event]:
        """The events that are to be shown now, in order; a batch of bounded size, so ask until it is empty."""
        self._skip_idle(now)
        first, size = self.index, 0
        position = self.position(now)
        found: list[Event] = []
        while len(found) < _BATCH_EVENTS and size < self.batch_bytes and self._tape.has(self.index):
            time_ns = self._tape.time(self.index)
            # What stands at the very place of a pause is yet to come.
            if time_ns >= position if self.paused else time_ns > position:
                break
            event = self._tape.event(self.index)
            found.append(event)
            size += len(getattr(event, "data", b""))
            self.index += 1
        if self.index > first:
            self._base = max(self._base, self._tape.time(self.index - 1))
        return found

    def _skip_idle(self, now: int) -> None:
        if self.paused or not self.idle_limit or not self._tape.has(self.index):
            return
        position, next_ns = self.position(now), self._tape.time(self.index)
        if position >= self._base + self.idle_limit and next_ns > position:
            self._position, self._now = next_ns, now

    def wait(self, now: int) -> int | None:
        """Nanoseconds until something is due; None = nothing will be, before a key or a new event changes that."""
        if not self._tape.has(self.index):
            return None
        position = self.position(now)
        ahead = self._tape.time(self.index) - position
        if self.paused:
            return 0 if ahead < 0 else None
        if self.idle_limit:
            ahead = min(ahead, max(0, self._base + self.idle_limit - position))
        return max(0, int(ahead / self.speed) + 1) if ahead > 0 else 0

    def toggle(self, now: int) -> None:
        """Pause, or go on."""
        self._anchor(now)
        self.paused = not self.paused

    def scale(self, now: int, factor: float) -> None:
        """Change the speed within its bounds; one that was given beyond them is not turned the other way."""
        wanted = min(FASTEST, max(SLOWEST, self.speed * factor))
        self.set_speed(now, max(self.speed, wanted) if factor > 1 else min(self.speed, wanted))

    def set_speed(self, now: int, speed: float) -> None:
        """Play so many times as fast as it was recorded, from here on."""
        self._anchor(now)
        self.speed = speed

    def step(self, now: int) -> Event | None:
        """The next event at once, without waiting for its time; None at the end."""
        if not self._tape.has(self.index):
            return None
        event = self._tape.event(self.index)
        self.index += 1
        self._position, self._now = max(self.position(now), event.time_ns), now
        self._base = self._position
        return event

    def jump(self, now: int, position: int, index: int) -> None:
        """Go on from `position`, with the event of this number: all before it has been shown otherwise."""
        self._position = self._base = position
        self._now, self.index = now, index

    def _anchor(self, now: int) -> None:
        self._position, self._now = self.position(now), now
