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


_BACKSLASH, _U = b"\\u"
_REPLACEMENT = "\ufffd".encode()
_REPLACEMENT_BYTES = 3


def _digits(number: int) -> int:
    return len(str(number)) if number else 0


def escape(text: str) -> bytes:
    """The text as the inside of a JSON string, in UTF-8."""
    quoted = _quote(text)[1:-1]
    return (quoted.replace("\x7f", "\\u007f") if "\x7f" in quoted else quoted).encode()


def _border(escaped: bytes, start: int, end: int) -> int:
    """The last border of characters at or before `end`; `start` is one."""
    if end >= len(escaped):
        return len(escaped)
    while escaped[end] & 0xC0 == 0x80:
        end -= 1
    # An escape is at most six bytes: one that `end` splits begins less than six bytes before it.
    slash = escaped.rfind(b"\\", max(start, end - 5), end)
    if slash < 0:
        return end
    first = slash
    while first > start and escaped[first - 1] == _BACKSLASH:
        first -= 1
    if (slash - first) % 2:
        return end  # the second half of an escaped backslash
    return slash if end < slash + (6 if escaped[slash + 1] == _U else 2) else end


def _measure(escaped: bytes) -> tuple[int, int]:
    """How many characters, and how many bytes of UTF-8, an escaped text stands for."""
    size = len(escaped)
    if b"\\" in escaped:
        plain = escaped.replace(b"\\\\", b"")
        size -= (size - len(plain)) // 2 + plain.count(b"\\") + 4 * plain.count(b"\\u")
    if escaped.isascii():
        return size, size
    return size - len(escaped) + len(escaped.decode()), size


class Track:
    """What one stream puts into one message."""

    __slots__ = ("_bytes", "_chars", "_invalid", "_marker_cut", "_marker_text", "_numbers", "_open", "_texts")

    def __init__(self, marker_text: str, marker_cut: str) -> None:
        self._marker_text = marker_text
        self._marker_cut = marker_cut
        self.reset()

    def reset(self) -> None:
        """Begin a new message."""
        self._texts: list[bytes] = []
        self._numbers: list[str] = []
        self._open = ""  # the marker of the open run, or nothing
        self._chars = self._invalid = self._bytes = 0

    def fit_text(self, escaped: bytes, start: int, room: int, *, fresh: bool) -> tuple[int, int, int, int]:
        """How far from `start` the text fits into `room`: its end, its characters, their bytes, and what they cost.

        `fresh` says that a delay comes first, so that a new run must start. Nothing fits where the end is `start`.
        """
        run = 0 if fresh or self._open != self._marker_text else self._chars
        begin, before = (0, _digits(run)) if run else (1, 0)  # the marker of a new run
        room -= begin
        end = _border(escaped, start, start + room) if room > 0 else start
        chars, size = _measure(escaped[start:end])
        while end > start:
            gain = _digits(run + chars) - before
            if end - start + gain <= room:
                # The first cut that fits is the longest that does: one more character would bring the digit back.
                return end, chars, size, end - start + gain + begin
            shorter = _border(escaped, start, max(start, min(start + room - gain, end - 1)))
            less_chars, less_size = _measure(escaped[shorter:end])
            end, chars, size = shorter, chars - less_chars, size - less_size
        return start, 0, 0, 0

    def add_text(self, escaped: bytes, chars: int, size: int, timing: "_Timing") -> None:
        """Take what `fit_text` measured."""
        if self._open != self._marker_text:
            self._switch(self._marker_text, timing)
        self._chars += chars
        self._bytes += size
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

    def text(self) -> bytes:
        """The escaped text, without quotes."""
        return b"".join(self._texts)

    def numbers(self) -> str:
        """The inside of the array of bytes."""
        return ",".join(self._numbers)
