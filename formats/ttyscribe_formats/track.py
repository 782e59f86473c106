# SPDX-License-Identifier: Apache-2.0
"""One stream (input or output) of the message under way: its escaped text, its numbers, its open run.

Part of the writing half (`chunk.py`), in the login path. All costs are bytes of payload.
"""

from _json import encode_basestring as _quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ttyscribe_formats.text import Run

    Known = tuple[str, str, bytes, str, int, int]
    """A short run: marker, record, escaped text, numbers, bytes of the stream, cost without the comma before it."""

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


_SHORT = 4
"""Characters of a text, or sequences of a cut, that `take_short` takes."""
_MOST_KNOWN = 4096


class Track:
    """What one stream puts into one message."""

    __slots__ = ("_bytes", "_chars", "_invalid", "_known", "_marker_cut", "_marker_text", "_numbers", "_open", "_texts")

    def __init__(self, marker_text: str, marker_cut: str) -> None:
        self._marker_text = marker_text
        self._marker_cut = marker_cut
        self._known: dict[Run, Known] = {}
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

    def take_short(self, runs: "list[Run]", at: int, room: int, timing: "_Timing") -> tuple[int, int]:
        """Take runs from `at` on while they are short, alternate and fit whole; the next one, and the room left.

        A megabyte of binary data has half a million such runs, so they get a loop that does only what they need.
        """
        texts, numbers, known = self._texts, self._numbers, self._known
        marker, records, last, total = self._open, [], "", 0
        for place in range(at, len(runs)):
            run = known.get(runs[place]) or self._know(runs[place])
            mine, record, text, figures, size, cost = run
            if not mine or mine == marker or (cost := cost + (1 if figures and numbers else 0)) > room:
                break
            records.append(last if total else self.close())
            room -= cost
            total += size
            marker, last = mine, record
            texts.append(text)
            if figures:
                numbers.append(figures)
        else:
            place = len(runs)
        if total:
            timing.write_run("".join(records))
            self._bytes += total
            self._open = marker
            chars, _, invalid = last[1:].partition("/")
            self._chars, self._invalid = int(chars), int(invalid or 0)
        return place, room

    def _know(self, run: "Run") -> "Known":
        """What a run is and costs as a run of its own; remembered if it is short."""
        text, sequences = run
        if len(text) > _SHORT or len(sequences) > _SHORT:
            return "", "", b"", "", 0, 0  # not for us
        data = b"".join(sequences)
        if data:
            figures, count = ",".join(map(str, data)), len(sequences)
            record, escaped = f"{self._marker_cut}{count}/{len(data)}", _REPLACEMENT * count
            found = self._marker_cut, record, escaped, figures, len(data), len(escaped) + len(figures) + len(record)
        else:
            escaped, record = escape(text), f"{self._marker_text}{len(text)}"
            found = self._marker_text, record, escaped, "", len(text.encode()), len(escaped) + len(record)
        if len(self._known) < _MOST_KNOWN:
            self._known[run] = found
        return found

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
        return ",".join(self._numbers) if self._numbers else ""
