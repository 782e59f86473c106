# SPDX-License-Identifier: Apache-2.0
"""What to show when, given speed, pauses and jumps; pure: it is told the time.

Two times, both in nanoseconds: `now` is the viewer's monotonic clock, a position is time in the recording.
"""

from collections.abc import Iterable

from ttyscribe_player.event import Event

SLOWEST = 1 / 16
FASTEST = 16.0
END = 1 << 80
"""A position behind every end."""
_BATCH_BYTES = 1 << 16
_BATCH_EVENTS = 1024


class Timeline:
    """One playback. Events are taken from `source` one ahead of what is shown."""

    def __init__(
        self, source: Iterable[Event], now: int, *, speed: float = 1.0, paused: bool = False, start: int = 0
    ) -> None:
        self._source = iter(source)
        self._next: Event | None = next(self._source, None)
        self._now = now
        self._position = start
        self.speed = speed
        self.paused = paused

    @property
    def finished(self) -> bool:
        """Whether everything has been given out."""
        return self._next is None

    def position(self, now: int) -> int:
        """Where playing stands; while it runs towards the next event, between two events."""
        if self.paused:
            return self._position
        return self._position + int((now - self._now) * self.speed)

    def due(self, now: int) -> list[Event]:
        """The events that are to be shown now, in order; a batch of bounded size, so ask until it is empty."""
        found: list[Event] = []
        size = 0
        position = self.position(now)
        while (event := self._next) is not None and len(found) < _BATCH_EVENTS and size < _BATCH_BYTES:
            # What stands at the very place of a pause is yet to come.
            if event.time_ns >= position if self.paused else event.time_ns > position:
                break
            found.append(event)
            size += len(getattr(event, "data", b""))
            self._next = next(self._source, None)
        return found

    def wait(self, now: int) -> int | None:
        """Nanoseconds until something is due; None = nothing will be, before a key changes that."""
        if self._next is None:
            return None
        ahead = self._next.time_ns - self.position(now)
        if self.paused:
            return 0 if ahead < 0 else None
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
        event = self._next
        if event is None:
            return None
        self._next = next(self._source, None)
        self._position, self._now = max(self.position(now), event.time_ns), now
        return event

    def go_to(self, now: int, position: int) -> bool:
        """Jump forward: all before `position` is due at once. A place that has passed is refused."""
        if position < self.position(now):
            return False
        self._position, self._now = position, now
        return True

    def _anchor(self, now: int) -> None:
        self._position, self._now = self.position(now), now
