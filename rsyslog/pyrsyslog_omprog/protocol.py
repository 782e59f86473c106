# SPDX-License-Identifier: Apache-2.0
"""rsyslog's omprog protocol as a state machine: bytes in, lines out, and what may be answered now.

Pure: no file, no clock, no thread. Source of the rules: rsyslog's omprog module with `confirmMessages="on"`, as
measured on 8.2302; docs/contracts/omprog.md numbers them (OMP-n).
"""

import enum
from typing import NamedTuple

OK = b"OK\n"
DEFERRED = b"DEFER_COMMIT\n"
DOT = b"."
MAX_LINE = 2 * 1024 * 1024

# rsyslog 8.2302 counts the dots into the 4,095 bytes an answer may have, and restarts the program beyond (OMP-5).
MAX_DOTS = 4000


class Kind(enum.Enum):
    """What a received line is."""

    MESSAGE = "message"
    LONG = "long"  # longer than the limit: `data` is its head, `size` its whole length
    BEGIN = "begin"
    COMMIT = "commit"


class Line(NamedTuple):
    """One received line, without its LF. `size` is its length as sent, in bytes."""

    kind: Kind
    data: bytes
    size: int


class Marks(NamedTuple):
    """The lines that open and end a transaction: rsyslog's beginTransactionMark and commitTransactionMark."""

    begin: bytes = b"BEGIN TRANSACTION"
    commit: bytes = b"COMMIT TRANSACTION"


class ProtocolError(Exception):
    """The program's side broke the protocol: an answer that nobody waits for would confirm a later line unread."""


class Protocol:
    """Cuts the stream into lines and counts the answers owed; one answer is owed from the start (OMP-1).

    `max_line` bounds memory: of a longer line only the first `max_line` bytes are kept. `marks` of None takes every
    line as a message, for templates in which a sender could write a mark. `owed` is 0 for mmexternal, which wants no
    first answer.
    """

    def __init__(
        self,
        max_line: int = MAX_LINE,
        marks: Marks | None = Marks(),  # noqa: B008 - immutable
        owed: int = 1,
    ) -> None:
        self._max = max_line
        self._begin = marks.begin if marks else None
        self._commit = marks.commit if marks else None
        self._parts: list[bytes] = []
        self._kept = 0
        self._size = 0
        self._dots = 0
        self.owed = owed
        self.in_transaction = False

    @property
    def partial(self) -> int:
        """Bytes received of a line whose LF has not come."""
        return self._size

    def feed(self, data: bytes) -> list[Line]:
        """The lines that `data` completes, in order; each must be answered once, by `confirm`."""
        pieces = data.split(b"\n")
        rest = pieces.pop()
        if not pieces:
            self._keep(rest)
            return []
        first = self._complete(pieces[0]) if self._size else self._line(pieces[0], len(pieces[0]))
        lines = [first]
        lines += [self._line(piece, len(piece)) for piece in pieces[1:]]
        self.owed += len(lines)
        if rest:
            self._keep(rest)
        return lines

    def confirm(self, *, deferred: bool = False) -> bytes:
        """The answer to the oldest unanswered line (or the first answer of all: ready).

        `deferred` is for a message inside a transaction that is not durable before its COMMIT (OMP-14).
        """
        if self.owed <= 0:
            raise ProtocolError("no line is waiting for an answer")
        self.owed -= 1
        self._dots = 0
        return DEFERRED if deferred else OK

    def keep_alive(self) -> bytes:
        """A dot, which restarts rsyslog's confirmTimeout, while an answer is owed; else nothing (OMP-6)."""
        if self.owed <= 0 or self.exhausted:
            return b""
        self._dots += 1
        return DOT

    @property
    def exhausted(self) -> bool:
        """Tell whether the answer has had all its dots: rsyslog will give the program up soon."""
        return self._dots >= MAX_DOTS

    def _line(self, data: bytes, size: int) -> Line:
        if size > self._max:
            return Line(Kind.LONG, data[: self._max], size)
        if data == self._begin:
            self.in_transaction = True
            return Line(Kind.BEGIN, data, size)
        if data == self._commit and self.in_transaction:
            self.in_transaction = False
            return Line(Kind.COMMIT, data, size)
        return Line(Kind.MESSAGE, data, size)

    def _keep(self, part: bytes) -> None:
        """Hold a piece of an unfinished line, as far as the limit lets it matter."""
        room = self._max - self._kept
        if room > 0:
            self._parts.append(part[:room])
            self._kept += min(len(part), room)
        self._size += len(part)

    def _complete(self, last: bytes) -> Line:
        self._keep(last)
        line = self._line(b"".join(self._parts), self._size)
        self._parts.clear()
        self._kept = self._size = 0
        return line
