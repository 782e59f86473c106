# SPDX-License-Identifier: Apache-2.0
"""Between recording and writer: what the writer could not take yet, within bounds.

A writer that is only slow (a full socket) holds the session back for a moment: the program waits, nothing is lost. A
rate limit that delays holds it back as long as it says. A writer in trouble (full disk, receiver gone), or one that
stands still for a second, holds nobody back: up to 4 MiB wait in memory and are tried again each latency period. What
does not fit is dropped: it leaves a gap in the ids, and is noted for the recording to tell of.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttyscribe_recorder.losses import Losses
    from ttyscribe_recorder.writers.base import Writer

_SECOND = 1_000_000_000
LIMIT = 4 << 20
HIGH = 256 << 10
STANDSTILL_NS = _SECOND
_BATCH = 128
_READ = 1 << 20  # what one turn of the loop may bring, encoded


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
        self.losses: Losses = writer.losses
        """Messages dropped, here or by the writer."""
        self.due_ns: int | None = None
        """When `tick` is to be called; None where nothing waits."""
        self.holding = False
        """Whether the session should read no more from the program until the writer has taken something."""
        self.full = False
        """Whether messages are dropped: from the first that does not fit until there is room for a good many."""
        self.trouble = ""
        """Why the last try failed."""

    @property
    def waiting(self) -> int:
        """Messages that the writer has not taken yet."""
        return len(self._waiting)

    @property
    def nearly_full(self) -> bool:
        """Whether what is read next might not fit any more."""
        return bool(self.trouble) and self._size + _READ > self._limit

    @property
    def wait_fd(self) -> int:
        """The descriptor to watch for room; -1 where there is nothing to wait for that way."""
        return self._writer.wait_fd if self._waiting and not self.trouble else -1

    def put(self, messages: "Sequence[bytes]", now_ns: int, *, last: bool = False) -> None:
        """Write the messages, or keep them. The `last` ones of a recording are kept whatever waits."""
        if not messages:
            return
        if self._waiting:
            self._keep(messages, last=last)
            return
        taken = self._writer.write(messages)
        if taken < len(messages):
            self._keep(messages[taken:], last=last)
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
                self.full = self.full and self._size > self._limit // 2
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

    def give_up(self) -> None:
        """Wait no longer: what the writer has not taken is lost."""
        for message in self._waiting:
            self.losses.add(message, self._why())
        self._waiting.clear()
        self._size, self.full, self.due_ns, self.holding = 0, False, None, False
        self._writer.forget()

    def write_or_not(self, messages: "Sequence[bytes]") -> None:
        """One try for what is not worth keeping."""
        self._writer.write(messages)

    def close(self) -> None:
        """Let go of the writer; what still waits is lost."""
        self.give_up()
        self._writer.close()

    def _why(self) -> str:
        return self.trouble or "the log is too slow"

    def _keep(self, messages: "Sequence[bytes]", *, last: bool) -> None:
        for message in messages:
            if not last and (self.full or self._size + len(message) > self._limit):
                self.full = True
                self.losses.add(message, self.trouble or self._writer.trouble or self._why())
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
