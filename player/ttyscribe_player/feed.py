# SPDX-License-Identifier: Apache-2.0
"""Messages that a reader brings, kept as lines in an unnamed temporary file; played as a file of messages is.

Each line begins with who sent the message, where the source knows: its pid and its trust, of fixed width.
"""

from typing import BinaryIO, Protocol

_TRUSTS = {b"s": "system", b"u": "user", b"n": "none"}
_CODES = {trust: code for code, trust in _TRUSTS.items()}
NOBODY = -1
_PID = 19
PREFIX = _PID + 3
"""Bytes before the message."""


class Feed(Protocol):
    """A reader's messages."""

    name: str
    """What complaints call it."""
    file: BinaryIO
    """What has come so far."""

    def more(self, first: int) -> None:
        """Append what came since, without waiting for anything; messages below this id are known already."""

    def close(self) -> None:
        """End whatever brings more."""


def line(message: bytes, pid: int = NOBODY, trust: str = "none") -> bytes:
    """One line of the file; empty where nothing came that is a message, so that the numbers stay the source's."""
    if not message:
        return b"\n"
    return b"%*d %b " % (_PID, pid, _CODES.get(trust, b"n")) + message.replace(b"\n", b" ") + b"\n"


def attested(prefix: bytes) -> tuple[int, str]:
    """Who sent the message behind this prefix: pid and trust."""
    return int(prefix[:_PID]), _TRUSTS[prefix[_PID + 1 : _PID + 2]]
