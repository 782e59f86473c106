# SPDX-License-Identifier: Apache-2.0
"""Between recording and writer: what the writer could not take yet, within bounds.

A writer that is only slow (a full socket) holds the session back for a moment: the program waits, nothing is lost. A
rate limit that delays holds it back as long as it says. A writer in trouble (full disk, receiver gone), or one that
stands still for a second, holds nobody back: up to 4 MiB wait in memory and are tried again each latency period. What
does not fit is dropped, which leaves a gap in the ids, and is said.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttyscribe_recorder.writers.base import Writer

_SECOND = 1_000_000_000
LIMIT = 4 << 20
HIGH = 256 << 10
STANDSTILL_NS = _SECOND
_BATCH = 128


class Log:
    """Gives messages to the writer in order, and keeps what it does not take.

    `alarm` is told once when trouble begins. Times are nanoseconds on the monotonic clock.
    """

    def __init__(self, writer: "Writer", retry_ns: int, alarm: "Callable[[str], None]", limit: int = LIMIT) -> None:
        self._writer = writer
        self._retry_ns = retry_ns
        self.alarm = alarm
        self._limit = limit
        self._waiting: list[bytes] = []
        self._size = 0
        self._moved_ns = 0  # when the writer last took something, or began to be full
        self.due_ns: int | None = None
        """When `tick` is to be called; None where nothing waits."""
        self.holding = False
        """Whether the session should read no more from the program until the writer has taken something."""
        self.trouble = ""
        """Why the last try failed."""
        self.lost = 0
        """Messages dropped."""

    @property
    def waiting(self) -> int:
        """Messages that the writer has not taken yet."""
        return len(self._waiting)

    @property
    def wait_fd(self) -> int:
        """The descriptor to watch for room; -1 where there is nothing to wait for that way."""
        return self._writer.wait_fd if self._waiting and not self.trouble else -1

    def put(self, messages: "Sequence[bytes]", now_ns: int) -> None:
        """Write the messages, or keep them."""
        if not messages:
            return
        if self._waiting:
            self._keep(messages)
            return
        taken = self._writer.write(messages)
        if taken < len(messages):
            self._keep(messages[taken:])
            self._moved_ns = now_ns
            self._after_failure(now_ns)

    def room(self, now_ns: int) -> None:
        """The descriptor has room, or a try is due: write what waits."""
        while self._waiting:
            batch = self._waiting[:_BATCH]
            taken = self._writer.write(batch)
            if taken:
                self._moved_ns = now_ns
                self._size -= sum(map(len, batch[:taken]))
                del self._waiting[:taken]
            if taken < len(batch):
                self._after_failure(now_ns)
                return
        self.due_ns = None
        self.holding = False
        self.trouble = ""

    def tick(self, now_ns: int) -> None:
        """To be called at `due_ns`."""
        if self.due_ns is not None and now_ns >= self.due_ns:
            self.room(now_ns)

    def close(self) -> None:
        """Let go of the writer; what still waits is lost."""
        self.lost += len(self._waiting)
        self._waiting.clear()
        self._writer.close()

    def _keep(self, messages: "Sequence[bytes]") -> None:
        for message in messages:
            if self._size + len(message) > self._limit:
                self.lost += 1
                continue
            self._waiting.append(message)
            self._size += len(message)
        # Behind a rate limit that delays, the program is to feel the delay at once.
        self.holding = not self.trouble and (self._size >= HIGH or self._writer.due_ns > 0)

    def _after_failure(self, now_ns: int) -> None:
        if self._writer.due_ns:
            self.trouble, self.holding, self.due_ns = "", True, self._writer.due_ns
            self._moved_ns = now_ns  # it takes more when it is due: no standstill
            return
        trouble = self._writer.trouble
        if not trouble and now_ns - self._moved_ns >= STANDSTILL_NS:
            trouble = "the receiver takes nothing"
        if trouble and not self.trouble:
            self.alarm(f"the log can't be written: {trouble}; up to 4 MiB wait in memory")
        self.trouble = trouble
        self.holding = not trouble and self._size >= HIGH
        self.due_ns = now_ns + (self._retry_ns if trouble else STANDSTILL_NS)
