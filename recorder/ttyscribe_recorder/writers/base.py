# SPDX-License-Identifier: Apache-2.0
"""What every writer is."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Writer(Protocol):
        """Takes whole messages, never blocks."""

        trouble: str
        """Why the last call took less than it was given; empty where it was only full."""

        wait_fd: int
        """The descriptor that becomes writable when a full writer takes more; -1 where there is none."""

        refused: int
        """Messages that can never be taken (too large), and are gone."""

        patience_ns: int
        """How long it is worth to wait at the end of a session for trouble to pass."""

        def write(self, messages: Sequence[bytes]) -> int:
            """Take messages (without newline) in order; how many were taken, less where there is trouble."""
            ...

        def close(self) -> None:
            """Let go; nothing of a message may stay half written."""
            ...


def reason(error: OSError) -> str:
    """The system's words for an error, without Python's number in front."""
    return error.strerror or str(error)
