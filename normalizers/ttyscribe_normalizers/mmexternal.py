# SPDX-License-Identifier: Apache-2.0
"""The normalizer under rsyslog's mmexternal: each message gets its document, or the reason why it has none.

Nothing is stored here, nothing put aside, and nothing held back: that is the ruleset's part, which looks for the mark
(docs/contracts/mmexternal-documents.md).
"""

from collections.abc import Callable
from typing import Any

from pyrsyslog_omprog.mmexternal import Changes, Filter, Program
from pyrsyslog_omprog.streams import Streams
from ttyscribe_formats.document import Document
from ttyscribe_normalizers import fulljson, summary
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.pipeline import MAX_LINE, Decode, Pipeline, Processed
from ttyscribe_store import bulk, jsontext

PLACE = "normalized"
"""Name of the variables under `$!`."""
_DEEPEST = 30
"""rsyslog's JSON gives up at 32."""
_REASON = 500


class Stamped:
    """Remembers the id that the ruleset has stamped on the message in work."""

    def __init__(self) -> None:
        self.id = ""

    def around(self, decode: Decode) -> Decode:  # noqa: ARG002 - mmexternal's lines have one form
        """The decoder that does so."""
        return self._read

    def _read(self, line: bytes, now_ns: int) -> Envelope:
        self.id = ""
        self.id, found = fulljson.read(line, now_ns)
        return found


class Normalizer(Filter):
    """Sets `$!normalized`: `passed` (the message's id) with the document, or `status` and `reason`."""

    def __init__(self, pipeline: Pipeline, stamped: Stamped, now_ns: Callable[[], int], report: Report) -> None:
        self._pipeline = pipeline
        self._stamped = stamped
        self._now_ns = now_ns
        self._report = report

    def line(self, data: bytes) -> Changes:
        """The document of one message, or why it does not pass."""
        processed = self._pipeline.process(data, self._now_ns())
        if len(processed.documents) == 1:
            return _changes(passed(self._stamped.id, processed.documents[0]))
        return _changes(self._not_passed(processed))

    def _not_passed(self, processed: Processed) -> dict[str, Any]:
        dead, count = processed.dead, len(processed.documents)
        if dead is not None:
            return {"status": dead.status, "reason": dead.reason[:_REASON]}
        if count:
            return {"status": "several", "reason": f"the message has {count} documents, a filter can give one only"}
        return {"empty": self._stamped.id} if self._stamped.id else {"status": "empty"}

    def broken(self, data: bytes, size: int, error: Exception) -> Changes:
        """Say why a line does not pass that is too long, or over which this program failed."""
        if size > len(data):
            self._pipeline.too_long(size, MAX_LINE)
            return _changes({"status": "too-long", "reason": f"the line has {size} bytes, more than {MAX_LINE}"})
        return _changes({"status": "failed", "reason": f"{type(error).__name__}: {error}"[:_REASON]})

    def stop(self) -> None:
        """Say what was done."""
        self._report(f"ended after {summary.text(self._pipeline.counters)}")


def _changes(own: dict[str, Any]) -> Changes:
    return {"$!": {PLACE: own}}


def passed(stamp: str, document: Document) -> dict[str, Any]:
    """What the ruleset needs to index a document; or why rsyslog can't be trusted with it."""
    try:
        index, text = bulk.index_of(document), jsontext.dumps(document)
    except (TypeError, ValueError, RecursionError, KeyError) as error:
        return {"status": "failed", "reason": f"the document can't be sent: {error}"[:_REASON]}
    if not survives(document):
        return {"status": "inexact", "reason": "rsyslog would change the document when an engine refuses it for a time"}
    return {
        "passed": stamp,
        "index": index,
        "id": document["viaq_msg_id"],
        "kind": document["ttyscribe"]["kind"],
        "document": text.decode(),
    }


def survives(value: Any, deepest: int = _DEEPEST) -> bool:
    """Tell whether rsyslog parses and writes a value without a change, as it does before its retry ruleset.

    It cuts texts at NUL, clamps integers to 64 bits, repairs lone surrogates, knows no case in keys, and goes 32 deep.
    """
    kind = type(value)
    if kind is str:
        return _text_survives(value)
    if kind is int:
        return bool(-(2**63) <= value < 2**63)
    if deepest <= 0 and kind in (dict, list):
        return False
    if kind is dict:
        if len({key.lower() for key in value}) < len(value):
            return False
        return all(survives(key) and survives(inner, deepest - 1) for key, inner in value.items())
    if kind is list:
        return all(survives(inner, deepest - 1) for inner in value)
    return True


def _text_survives(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def serve(served: Normalizer, private: Streams, report: Report) -> int:
    """Serve rsyslog over the claimed streams until the end of the input; the exit status."""
    return Program(served, lines=private.lines, replies=private.answers, max_line=MAX_LINE, report=report).serve()
