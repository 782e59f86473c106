# SPDX-License-Identifier: Apache-2.0
"""The incremental split of a byte stream into UTF-8 text and what is not UTF-8.

Valid is what Unicode's table 3-7 allows. What does not fit is cut by maximal prefix: the bytes that could still have
begun a character become one invalid sequence of one to three bytes, and the offending byte is looked at anew.
An incomplete character at the end of the data waits for the next piece.

Loaded in the login path. Long data with much that is invalid goes to `dense.py`.
"""

import codecs

from ttyscribe_formats.dense import Dense

TYPE_CHECKING = False
if TYPE_CHECKING:
    Run = tuple[str, tuple[bytes, ...]]
    """Either (text, ()) or ("", invalid sequences)."""

# An invalid sequence of n bytes is marked by the lone surrogate U+DC00+n while we decode: valid UTF-8 never
# gives a surrogate, so the marks can't be confused with text, and the handler needs no state.
_MARK = "\udc01"
_MARK_BASE = 0xDC00
_HANDLER = "ttyscribe-mark-invalid"


def _mark_invalid(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(_MARK_BASE + error.end - error.start), error.end


codecs.register_error(_HANDLER, _mark_invalid)


_MUCH = 256
_SPARSE = 24
"""Where fewer than one in so many bytes are invalid, runs are long."""


def incomplete(data: bytes) -> bytes:
    """The character that the data ends within, as far as it has come."""
    for size in (1, 2, 3):
        lead = data[-size] if size <= len(data) else 0
        if lead >= 0xC0:
            try:
                whole = codecs.utf_8_decode(data[-size:], "strict", False)[1]
            except UnicodeDecodeError:
                return b""
            tail = b"" if whole else data[-size:]
            return b"" if len(tail) == 2 and b"\xed\xa0" <= tail <= b"\xed\xbf" else tail
        if lead < 0x80:
            return b""
    return b""


class Utf8Splitter:
    """Splits one stream; feed it any pieces."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending = b""
        """The incomplete character at the end of what was fed (0 to 3 bytes)."""

    def feed(self, data: bytes) -> "list[Run]":
        """Runs of text and of invalid sequences, in order; consecutive ones of a sort are one run."""
        runs, rest = self.split(data)
        while rest is not None and rest.left:
            runs.append(rest.run())
        return runs

    def split(self, data: bytes) -> "tuple[list[Run], Dense | None]":
        """The same, or only the first run and the rest, where the data is long and much of it is invalid."""
        if self.pending:
            data = self.pending + data
        try:
            text, used = codecs.utf_8_decode(data, "strict", False)
        except UnicodeDecodeError:
            dense = self._dense(data) if len(data) >= _MUCH else None
            return (self._feed_invalid(data), None) if dense is None else ([dense.run()], dense)
        self.pending = data[used:]
        runs: list[Run] = [(text, ())] if text else []
        return (self._without_surrogate(runs) if self.pending else runs), None

    def _dense(self, data: bytes) -> "Dense | None":
        pending = incomplete(data)
        whole = data[: len(data) - len(pending)]
        text = whole.decode("utf-8", "replace")
        if text.count("\ufffd") * _SPARSE < len(whole):
            return None
        dense = Dense(whole, text)
        if not dense.sound:
            return None
        self.pending = pending
        return dense

    def _without_surrogate(self, runs: "list[Run]") -> "list[Run]":
        """CPython's decoder takes two bytes of a surrogate for the beginning of a character; they are none."""
        if len(self.pending) != 2 or not b"\xed\xa0" <= self.pending <= b"\xed\xbf":
            return runs
        sequences = (self.pending[:1], self.pending[1:])
        self.pending = b""
        if runs and runs[-1][1]:
            return [*runs[:-1], ("", runs[-1][1] + sequences)]
        return [*runs, ("", sequences)]

    def _feed_invalid(self, data: bytes) -> "list[Run]":
        marked, used = codecs.utf_8_decode(data, _HANDLER, False)
        self.pending = data[used:]
        runs: list[Run] = []
        sequences: list[bytes] = []
        byte = place = 0
        for part in marked.replace("\udc02", _MARK).replace("\udc03", _MARK).split(_MARK):
            if part:
                if sequences:
                    runs.append(("", tuple(sequences)))
                    sequences = []
                runs.append((part, ()))
                byte += len(part.encode())
                place += len(part)
            if place < len(marked):
                size = ord(marked[place]) - _MARK_BASE
                sequences.append(data[byte : byte + size])
                byte += size
                place += 1
        if sequences:
            runs.append(("", tuple(sequences)))
        return self._without_surrogate(runs) if self.pending else runs

    def cut(self) -> "list[Run]":
        """End of the stream: what is pending becomes one invalid sequence."""
        pending, self.pending = self.pending, b""
        return [("", (pending,))] if pending else []
