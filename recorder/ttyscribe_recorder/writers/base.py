# SPDX-License-Identifier: Apache-2.0
"""What every writer is."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from ttyscribe_recorder.losses import Losses

    class Writer(Protocol):
        """Takes whole messages, never blocks."""

        @property
        def trouble(self) -> str:
            """Why the last call took less than it was given; empty where it was only full."""
            ...

        @property
        def wait_fd(self) -> int:
            """The descriptor that becomes writable when a full writer takes more; -1 where there is none."""
            ...

        losses: Losses
        """Where messages are noted that can never be taken: they count as taken, and are gone."""

        due_ns: int
        """When a writer that takes nothing now will take more (monotonic clock); 0 where it can't tell."""

        @property
        def patience_ns(self) -> int:
            """How long it is worth to wait at the end of a session for trouble to pass."""
            ...

        def write(self, messages: Sequence[bytes]) -> int:
            """Take messages (without newline) in order; how many were taken, less where there is trouble."""
            ...

        def lift(self) -> None:
            """The session is over: no longer hold anything back for the sake of a limit."""
            ...

        def forget(self) -> None:
            """What was not taken is not coming again: whatever is written next begins a new line."""
            ...

        def close(self) -> None:
            """Let go; nothing of a message may stay half written."""
            ...


def reason(error: OSError) -> str:
    """The system's words for an error, without Python's number in front."""
    return error.strerror or str(error)
