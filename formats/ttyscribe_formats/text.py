# SPDX-License-Identifier: Apache-2.0
"""The incremental split of a byte stream into UTF-8 text and what is not UTF-8.

Valid is what Unicode's table 3-7 allows. What does not fit is cut by maximal prefix: the bytes that could still have
begun a character become one invalid sequence of one to three bytes, and the offending byte is looked at anew.
An incomplete character at the end of the data waits for the next piece.

Loaded in the login path: no imports beyond what the interpreter has loaded anyway.
"""

import codecs

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


class Utf8Splitter:
    """Splits one stream; feed it any pieces."""

    __slots__ = ("pending",)

    def __init__(self) -> None:
        self.pending = b""
        """The incomplete character at the end of what was fed (0 to 3 bytes)."""

    def feed(self, data: bytes) -> "list[Run]":
        """Runs of text and of invalid sequences, in order; consecutive ones of a sort are one run."""
        if self.pending:
            data = self.pending + data
        try:
            text, used = codecs.utf_8_decode(data, "strict", False)
        except UnicodeDecodeError:
            return self._feed_invalid(data)
        self.pending = data[used:]
        runs: list[Run] = [(text, ())] if text else []
        return self._without_surrogate(runs) if self.pending else runs

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
