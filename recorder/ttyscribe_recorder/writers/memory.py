# SPDX-License-Identifier: Apache-2.0
"""Keeps messages in memory; for tests, and for measuring without a disk."""

from ttyscribe_recorder.losses import Losses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class MemoryWriter:
    """Takes `room` messages, then has the given trouble (or is only full); `room` None is endless."""

    def __init__(self, room: int | None = None, trouble: str = "", wait_fd: int = -1) -> None:
        self.messages: list[bytes] = []
        self.room = room
        self.trouble = trouble
        self.wait_fd = wait_fd
        self.losses = Losses()
        self.patience_ns = 0
        self.due_ns = 0
        self.closed = False

    def write(self, messages: "Sequence[bytes]") -> int:
        """Take what fits."""
        count = len(messages) if self.room is None else min(self.room, len(messages))
        self.messages += messages[:count]
        if self.room is not None:
            self.room -= count
        return count

    def lift(self) -> None:
        """There is no limit here."""

    def forget(self) -> None:
        """Nothing is torn here."""

    def close(self) -> None:
        """Remember that it was called."""
        self.closed = True
