# SPDX-License-Identifier: Apache-2.0
"""The normalizer under Fluentd: as the child of exec_filter, and as the command of out_exec."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ttyscribe_fluentd import CodecError, Record, read_chunk, run
from ttyscribe_fluentd.codec import Bad
from ttyscribe_formats import identity, timestamp
from ttyscribe_formats.errors import Unavailable
from ttyscribe_normalizers import journal
from ttyscribe_normalizers.deadletter import Entry, fields_of
from ttyscribe_normalizers.delivery import Batch, Delivery
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.pipeline import MAX_LINE, Dead, Decode, Pipeline, Processed

TAG_KEY = "fluentd_tag"
TIME_KEY = "fluentd_time"
"""Keys that Fluentd's <inject> adds to a record: they are not normalised, and handed back for its <extract>."""
_TIMES = frozenset(("time", "timestamp", "@timestamp"))
_MAX_SECONDS = 2**63 // 10**9


def line_of(record: object) -> bytes:
    """The record as the line that a pipe would bring; what was no JSON, as it came."""
    if isinstance(record, Bad):
        return bytes(record)
    try:
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=_text)
    except RecursionError:
        return repr(record).encode("utf-8", "backslashreplace")[:MAX_LINE]
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # surrogates that stood in the JSON as escapes
        return json.dumps(record, separators=(",", ":"), default=_text).encode()


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


class Normalizer:
    """Records in, documents out; a record that has none comes back as an entry of a dead letter (FLU-6)."""

    def __init__(self, pipeline: Pipeline, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._pipeline = pipeline
        self._now_ns = now_ns

    def __call__(self, records: Sequence[Any]) -> list[Record]:
        """The documents of some records, in order, with the keys that Fluentd wants back."""
        made: list[Record] = []
        for record in records:
            kept = {}
            if type(record) is dict:
                kept = _without_keys(record)
            made += [{**document, **kept} for document in self._documents(line_of(record))]
        return made

    def _documents(self, line: bytes) -> Sequence[Any]:
        processed = process(self._pipeline, line, self._now_ns())
        if processed.dead is not None:
            return [fields_of(Entry(line, processed.dead), timestamp.to_text(self._now_ns()))]
        return processed.documents


def process(pipeline: Pipeline, line: bytes, now_ns: int) -> Processed:
    """What becomes of a line of any length."""
    return pipeline.process(line, now_ns) if len(line) <= MAX_LINE else pipeline.too_long(len(line), MAX_LINE)


def serve(pipeline: Pipeline, form: str, report: Report) -> int:
    """Be exec_filter's child; `form` is json or msgpack."""
    return run(Normalizer(pipeline), form, report)


class Stamped:
    """Gives records without an id of their own the name that they have in their chunk."""

    def __init__(self) -> None:
        self.name = ""

    def around(self, decode: Decode) -> Decode:
        """The decoder that does so."""

        def stamped(line: bytes, now_ns: int) -> Envelope:
            found = decode(line, now_ns)
            if found.stable_id:
                return found
            return found._replace(stable_id=self.name if found.journal is None else identity.journal_stamp(self.name))

        return stamped


def _without_keys(record: Record) -> Record:
    """Take Fluentd's own keys out of a record; those. Fluentd's time stands in where the record has none."""
    kept = {key: record.pop(key) for key in (TAG_KEY, TIME_KEY) if key in record}
    seconds = kept.get(TIME_KEY)
    if isinstance(seconds, int | float) and 0 <= seconds < _MAX_SECONDS:
        if journal.is_lower(record):
            record.setdefault("__realtime_timestamp", str(int(seconds * 1_000_000)))
        elif "MESSAGE" in record:
            record.setdefault("__REALTIME_TIMESTAMP", str(int(seconds * 1_000_000)))
        elif "message" in record and not _TIMES & record.keys():
            record["time"] = timestamp.to_text(int(seconds * 1_000_000) * 1000)
    return kept


def deliver_chunk(path: Path, stamped: Stamped, pipeline: Pipeline, delivery: Delivery, report: Report) -> int:
    """Deliver a chunk of out_exec; 0 once all of it is durable, else 1: Fluentd runs the command again.

    A chunk that can't be read to its end is delivered as far as it can, and its beginning goes to the dead letter: it
    would be no better the next time.
    """
    batch, now_ns = Batch(), time.time_ns()
    try:
        try:
            for stamped.name, record in read_chunk(path):
                if type(record) is dict:
                    _without_keys(record)
                line = line_of(record)
                batch.add(line[:MAX_LINE], process(pipeline, line, now_ns))
                if batch.full:
                    delivery.attempt(batch)
                    batch = Batch()
        except CodecError as error:
            report(f"{path}: {error}; what could be read is delivered, the beginning is in the dead letter")
            with path.open("rb") as file:
                batch.entries.append(Entry(file.read(MAX_LINE), Dead("damaged", str(error))))
        delivery.attempt(batch)
    except Unavailable as error:
        report(f"{path}: {error}; Fluentd sends the chunk again")
        return 1
    except OSError as error:
        report(f"{path}: {error.strerror}")
        return 1
    return 0
