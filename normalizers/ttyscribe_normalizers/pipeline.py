# SPDX-License-Identifier: Apache-2.0
"""From a raw line to its documents, or to the reason why it has none; pure, never raises on data."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import repairs
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.kinds import Kind
from ttyscribe_normalizers.swift import Swift

MAX_LINE = 2 * 1024 * 1024
MAX_TEXT = 256 * 1024
"""Bytes of a message's text, as UTF-8; the line around it may be larger, as escaping inflates."""

Decode = Callable[[bytes, int], Envelope]
"""Of a line and the time now in nanoseconds."""


class Dead(NamedTuple):
    """Why a line goes to the dead letter."""

    status: str
    """`unparsable`, `too-long`, `rejected` (by the store, for itself), or `failed` (a fault of this program)."""
    reason: str
    received: str = ""
    """When the shipper received it; empty where it is not known."""


class Processed(NamedTuple):
    """What became of a line: documents, or a reason; neither: there is nothing to store."""

    documents: Sequence[Document]
    dead: Dead | None = None
    received: str = ""


EMPTY = Processed(())
_new = tuple.__new__


class Fallback(Protocol):
    """Takes what no kind takes, and what a kind could not understand."""

    def normalize(self, envelope: Envelope, error: str = "") -> Sequence[Document]:
        """One document; `error` says why a message of another kind could not be understood."""


class Parts(NamedTuple):
    """What a pipeline is made of."""

    decode: Decode
    kinds: Sequence[Kind]
    fallback: Fallback
    max_text: int = MAX_TEXT
    keep_empty: bool = False
    swift: Swift | None = None
    """A short way in front of all that; the documents are the same."""


class Pipeline:
    """Decoder and kinds in a row.

    `counters` counts `bytes`, and lines by what became of them: `lines`, `empty`, `unparsable`, `too-long`, `broken`
    (kept as kind syslog with the error), and lines by kind.
    """

    def __init__(
        self,
        decode: Decode,
        kinds: Sequence[Kind],
        fallback: Fallback,
        max_text: int = MAX_TEXT,
        *,
        keep_empty: bool = False,
        swift: Swift | None = None,
    ) -> None:
        self.parts = Parts(decode, kinds, fallback, max_text, keep_empty, swift)
        """Taken once for each line, so that another thread can change them: all of them, and none of them in a line."""
        self.counters: Counter[str] = Counter()

    def process(self, line: bytes, now_ns: int) -> Processed:
        """What becomes of one line (without its LF) that is read at `now_ns`."""
        decode, kinds, fallback, max_text, keep_empty, swift = self.parts
        counters = self.counters
        counters["lines"] += 1
        counters["bytes"] += len(line)
        if swift is not None and len(line) <= max_text and (document := swift.document(line, now_ns)) is not None:
            counters["tlog"] += 1
            return _new(Processed, ((document,), None, document["ttyscribe"]["received"]))
        try:
            envelope = decode(line, now_ns)
        except MessageError as error:
            if not line or line.isspace():
                counters["empty"] += 1
                return EMPTY
            return self._dead("unparsable", str(error))
        except Exception as error:  # noqa: BLE001 - our fault; the line must neither be lost nor stop the others
            return self._dead("failed", f"{type(error).__name__}: {error}"[:1000])
        text = envelope.text
        if (not text or text.isspace()) and not keep_empty and not _says_more(envelope):
            counters["empty"] += 1
            return EMPTY
        if len(line) > max_text and (size := _size(text)) > max_text:
            reason = f"the message has {size} bytes, more than {max_text}"
            return self._dead("too-long", reason, envelope.received)
        try:
            documents = self._normalized(envelope, kinds, fallback)
            repairs.tell(documents, envelope)
            if swift is not None and text[:1] == "{" and len(documents) == 1:
                swift.learn(line, now_ns, documents[0])
            return _new(Processed, (documents, None, envelope.received))
        except Exception as error:  # noqa: BLE001 - our fault; the line must neither be lost nor stop the others
            return self._dead("failed", f"{type(error).__name__}: {error}"[:1000], envelope.received)

    def too_long(self, size: int, limit: int) -> Processed:
        """What becomes of a line of which only the first `limit` bytes were kept."""
        self.counters["lines"] += 1
        self.counters["bytes"] += size
        return self._dead("too-long", f"the line has {size} bytes, more than {limit}; only its head is kept")

    def _normalized(self, envelope: Envelope, kinds: Sequence[Kind], fallback: Fallback) -> Sequence[Document]:
        for kind in kinds:
            if kind.accepts(envelope):
                try:
                    documents = kind.normalize(envelope)
                except MessageError as error:
                    self.counters["broken"] += 1
                    return fallback.normalize(envelope, str(error))
                self.counters[kind.name if documents else "empty"] += 1
                return documents
        return fallback.normalize(envelope)

    def _dead(self, status: str, reason: str, received: str = "") -> Processed:
        self.counters[status] += 1
        return Processed((), Dead(status, reason, received), received)


def _says_more(envelope: Envelope) -> bool:
    """Whether something is to be kept beside a blank text."""
    if envelope.journal is not None or envelope.object:
        return True
    return envelope.header is not None and "structured-data" in envelope.header


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
