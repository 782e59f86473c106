# SPDX-License-Identifier: Apache-2.0
"""One stream (input or output) of the message under way: its escaped text, its numbers, its open run.

Part of the writing half (`chunk.py`), in the login path. All costs are bytes of payload.
"""

from _json import encode_basestring as _quote

from ttyscribe_formats.dense import bytes_of, records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ttyscribe_formats.dense import Dense

    class _Timing(Protocol):
        def write_run(self, record: str) -> None: ...


_BACKSLASH, _U = b"\\u"
_REPLACEMENT = "\ufffd".encode()
_REPLACEMENT_BYTES = 3


def _digits(number: int) -> int:
    return len(str(number)) if number else 0


# Controls that text rarely has; the others are replaced one after the other, at a third of what the quoting of
# strings costs.
_RARE = bytes([*range(8), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])


def escape(text: str) -> bytes:
    """The text as the inside of a JSON string, in UTF-8."""
    data = text.encode()
    if len(data.translate(None, _RARE)) != len(data):
        return _quote(text)[1:-1].replace("\x7f", "\\u007f").encode()
    data = data.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return data.replace(b"\t", b"\\t").replace(b"\x1b", b"\\u001b").replace(b"\b", b"\\b").replace(b"\f", b"\\f")


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
    if slashes := escaped.count(b"\\"):
        if b"\\u" in escaped:
            plain = escaped.replace(b"\\\\", b"")
            size -= (size - len(plain)) // 2 + plain.count(b"\\") + 4 * plain.count(b"\\u")
        else:
            size -= slashes - escaped.count(b"\\\\")  # an escaped backslash has two
    if escaped.isascii():
        return size, size
    return size - len(escaped) + len(escaped.decode()), size


_SCANT = 60
"""Room that is better filled run by run."""
_BOLD = 98
"""How much of the room to fill by a guess, in percent."""


class Track:
    """What one stream puts into one message."""

    __slots__ = (
        "_bytes",
        "_chars",
        "_invalid",
        "_marker_cut",
        "_marker_text",
        "_numbers",
        "_open",
        "_records",
        "_texts",
    )

    def __init__(self, marker_text: str, marker_cut: str) -> None:
        self._marker_text = marker_text
        self._marker_cut = marker_cut
        self._records = records_of(marker_text, marker_cut)
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
        if room <= 0:
            return start, 0, 0, 0
        # First as if each byte were a character; where its digits come out so, that cut is the longest.
        gain = _digits(run + room) - before
        end = _border(escaped, start, max(start, start + room - gain))
        chars, size = _measure(escaped[start:end])
        found = _digits(run + chars) - before
        if end == len(escaped) or (found == gain and end > start):
            return end, chars, size, end - start + found + begin
        end = _border(escaped, start, start + room)
        chars, size = _measure(escaped[start:end])
        while end > start:
            gain = _digits(run + chars) - before
            if end - start + gain <= room:
                # Perhaps not the longest cut, where its count has a digit less: the caller asks again.
                return end, chars, size, end - start + gain + begin
            end = _border(escaped, start, max(start, min(start + room - gain, end - 1)))
            chars, size = _measure(escaped[start:end])
        return start, 0, 0, 0

    def add_text(self, escaped: bytes, chars: int, size: int, timing: "_Timing") -> None:
        """Take what `fit_text` measured."""
        if self._open != self._marker_text:
            self._switch(self._marker_text, timing)
        self._chars += chars
        self._bytes += size
        self._texts.append(escaped)

    def take_dense(self, dense: "Dense", room: int, timing: "_Timing") -> int:
        """Take as many whole runs as are easily found to fit; the room left. The last run is never among them."""
        if self._open and (self._open == self._marker_text) == dense.starts_with_text:
            return room  # that goes on
        while room >= _SCANT and (end := dense.guess(room * _BOLD // 100)) is not None:
            records, last, text, numbers, size, invalid = dense.measure(end, self._records)
            escaped = escape(text)
            cut = bytes_of(last) if not last.startswith(b"t") else 0
            cost = len(records) + len(escaped) + len(numbers) + (1 if numbers and self._numbers else 0)
            cost += 1 + _digits(len(last)) + (1 + _digits(cut) if cut else 0)
            dense.learn(end, cost)
            if cost > room:
                continue
            dense.take(end, invalid)
            timing.write_run(self.close() + records)
            # The last run stays open: the other stream's may have to be written before it.
            self._open, self._chars, self._invalid = self._marker_cut if cut else self._marker_text, len(last), cut
            self._texts.append(escaped)
            if numbers:
                self._numbers.append(numbers)
            self._bytes += size
            room -= cost
        return room

    def fit_invalid(self, sequences: tuple[bytes, ...], room: int, *, fresh: bool) -> tuple[int, int]:
        """A number of invalid sequences that surely fit, and what they cost; none where one has to look closely."""
        opened = not fresh and self._open == self._marker_cut
        count = min(len(sequences), (room - 10) // 7)
        while count > 1:
            size = sum(map(len, sequences[:count]))
            # An invalid byte is 128 or more: three digits and a comma.
            cost = _REPLACEMENT_BYTES * count + 4 * size - (0 if self._numbers else 1)
            if opened:
                cost += _digits(self._chars + count) - _digits(self._chars)
                cost += _digits(self._invalid + size) - _digits(self._invalid)
            else:
                cost += 2 + _digits(count) + _digits(size)
            if cost <= room:
                return count, cost
            count //= 2
        return 0, 0

    def cost_invalid(self, sequence: bytes, *, fresh: bool) -> int:
        """What one invalid sequence costs."""
        cost = _REPLACEMENT_BYTES + len(",".join(map(str, sequence))) + (1 if self._numbers else 0)
        if fresh or self._open != self._marker_cut:
            return cost + 4  # both counts start: "]1/2"
        gained = _digits(self._chars + 1) - _digits(self._chars)
        return cost + gained + _digits(self._invalid + len(sequence)) - _digits(self._invalid)

    def add_invalid(self, sequences: tuple[bytes, ...], timing: "_Timing") -> None:
        """Take invalid sequences that were measured."""
        if self._open != self._marker_cut:
            self._switch(self._marker_cut, timing)
        data = b"".join(sequences)
        self._chars += len(sequences)
        self._invalid += len(data)
        self._bytes += len(data)
        self._texts.append(_REPLACEMENT * len(sequences))
        self._numbers.extend(map(str, data))

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
        return ",".join(self._numbers) if self._numbers else ""
