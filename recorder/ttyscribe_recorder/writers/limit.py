# SPDX-License-Identifier: Apache-2.0
"""A limit on how fast a recording may grow, around any writer.

A leaky bucket over whole lines (with their newline): it holds `rate + burst` bytes, loses `rate` bytes a second and is
empty at the start. A message that is larger than the bucket passes when the bucket is empty: else it never could.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttyscribe_recorder.writers.base import Writer

_SECOND = 1_000_000_000


class LimitedWriter:
    """Above the limit, `delay` takes no more until there is room; else messages are dropped, and counted."""

    def __init__(
        self, writer: "Writer", rate: int, burst: int, *, delay: bool, clock: "Callable[[], int]" = time.monotonic_ns
    ) -> None:
        self._writer = writer
        self._rate = rate
        self._capacity = rate + burst
        self._delay = delay
        self._clock = clock
        self._level = 0.0
        self._level_ns = clock()
        self._admitted = (
            False  # the first message was let through, but not taken by the writer: it is not weighed again
        )
        self.losses = writer.losses
        self.due_ns = 0
        """When a message that must wait fits; 0 where none waits for the limit."""

    @property
    def trouble(self) -> str:
        """The writer's own."""
        return self._writer.trouble

    @property
    def wait_fd(self) -> int:
        """The writer's own; none while the limit is what we wait for."""
        return -1 if self.due_ns else self._writer.wait_fd

    @property
    def patience_ns(self) -> int:
        """The writer's own."""
        return self._writer.patience_ns

    def write(self, messages: "Sequence[bytes]") -> int:
        """Pass on what the limit lets through; a dropped message counts as taken."""
        self.due_ns = 0
        now_ns = self._clock()
        for count, message in enumerate(messages):
            if not self._admitted and not self._admit(len(message) + 1, now_ns):
                if self._delay:
                    return count
                self.losses.add(message, "over the rate limit", meant=True)
                continue
            self._admitted = not self._writer.write([message])
            if self._admitted:
                return count
        return len(messages)

    def _admit(self, size: int, now_ns: int) -> bool:
        self._level = max(0.0, self._level - (now_ns - self._level_ns) * self._rate / _SECOND)
        self._level_ns = now_ns
        excess = min(self._level + size - self._capacity, self._level)
        if excess > 0:
            self.due_ns = now_ns + int(excess * _SECOND / self._rate) + 1 if self._delay else 0
            return False
        self._level += size
        return True

    def lift(self) -> None:
        """The session is over: what still waits for the limit may pass; a limit that drops begins anew for the end."""
        if self._delay:
            self._capacity = 1 << 62
            self.due_ns = 0
        self._level = 0.0

    def forget(self) -> None:
        """The next message is another one, to be weighed."""
        self._admitted = False
        self._writer.forget()

    def close(self) -> None:
        """Close the writer."""
        self._writer.close()
