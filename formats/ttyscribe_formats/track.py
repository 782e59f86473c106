# SPDX-License-Identifier: Apache-2.0
"""One stream (input or output) of the message under way: its escaped text, its numbers, its open run.

Part of the writing half (`chunk.py`), in the login path. All costs are bytes of payload.
"""

from _json import encode_basestring as _quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class _Timing(Protocol):
        def write_run(self, record: str) -> None: ...


_REPLACEMENT = "\ufffd"
_REPLACEMENT_BYTES = 3


def _digits(number: int) -> int:
    return len(str(number)) if number else 0


def _escape(text: str) -> str:
    quoted = _quote(text)[1:-1]
    return quoted.replace("\x7f", "\\u007f") if "\x7f" in quoted else quoted


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


class Track:
    """What one stream puts into one message."""

    __slots__ = ("_bytes", "_chars", "_invalid", "_marker_cut", "_marker_text", "_numbers", "_open", "_texts")

    def __init__(self, marker_text: str, marker_cut: str) -> None:
        self._marker_text = marker_text
        self._marker_cut = marker_cut
        self.reset()

    def reset(self) -> None:
        """Begin a new message."""
        self._texts: list[str] = []
        self._numbers: list[str] = []
        self._open = ""  # the marker of the open run, or nothing
        self._chars = self._invalid = self._bytes = 0

    def fit_text(self, text: str, start: int, room: int, *, fresh: bool) -> tuple[int, str, int]:
        """How many characters from `start` fit into `room`, their escaped form, and what they cost.

        `fresh` says that a delay comes first, so that a new run must start.
        """
        run = 0 if fresh or self._open != self._marker_text else self._chars
        room -= 1 if not run else 0  # the marker; the digits are counted below
        taken = cost = 0
        escaped: list[str] = []
        limit = room
        while limit > 0:
            piece = text[start + taken : start + taken + limit]
            if not piece:
                break
            quoted = _escape(piece)
            size = _size(quoted) + _digits(run + taken + len(piece)) - _digits(run + taken)
            if size <= room - cost:
                escaped.append(quoted)
                taken += len(piece)
                cost += size
                limit = room - cost
            else:
                # In proportion; at least one less, so that it ends.
                limit = min(max(1, len(piece) * (room - cost) // size), len(piece) - 1)
        return taken, "".join(escaped), cost + (0 if run else 1)

    def add_text(self, text: str, escaped: str, timing: "_Timing") -> None:
        """Take what `fit_text` measured."""
        if self._open != self._marker_text:
            self._switch(self._marker_text, timing)
        self._chars += len(text)
        self._bytes += _size(text)
        self._texts.append(escaped)

    def cost_invalid(self, sequence: bytes, *, fresh: bool) -> int:
        """What one invalid sequence costs."""
        cost = _REPLACEMENT_BYTES + len(",".join(map(str, sequence))) + (1 if self._numbers else 0)
        if fresh or self._open != self._marker_cut:
            return cost + 4  # both counts start: "]1/2"
        gained = _digits(self._chars + 1) - _digits(self._chars)
        return cost + gained + _digits(self._invalid + len(sequence)) - _digits(self._invalid)

    def add_invalid(self, sequence: bytes, timing: "_Timing") -> None:
        """Take one invalid sequence."""
        if self._open != self._marker_cut:
            self._switch(self._marker_cut, timing)
        self._chars += 1
        self._invalid += len(sequence)
        self._bytes += len(sequence)
        self._texts.append(_REPLACEMENT)
        self._numbers.extend(map(str, sequence))

    def _switch(self, marker: str, timing: "_Timing") -> None:
        if self._open:
            timing.write_run(self.close())
        self._open = marker

    def close(self) -> str:
        """End the open run; its record, or nothing."""
        marker, self._open = self._open, ""
        if not marker:
            return ""
        record = f"{marker}{self._chars}"
        if marker == self._marker_cut:
            record += f"/{self._invalid}"
        self._chars = self._invalid = 0
        return record

    @property
    def size(self) -> int:
        """Bytes of the stream that this message holds."""
        return self._bytes

    def text(self) -> str:
        """The escaped text, without quotes."""
        return "".join(self._texts)

    def numbers(self) -> str:
        """The inside of the array of bytes."""
        return ",".join(self._numbers)
