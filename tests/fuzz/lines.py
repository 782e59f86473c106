# SPDX-License-Identifier: Apache-2.0
"""Targets: log lines of any shape on their way into a store, and text on its way to people."""

import io
import json
from typing import Any

from tests.fuzz.recordings import is_one_line, must_be_clean
from tests.normalizers import samples
from ttyscribe_formats import identity, journalfile, own, tlog, words
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.plain import hidden_text, plain_text
from ttyscribe_normalizers import envelope, shapes
from ttyscribe_normalizers.pipeline import Decode
from ttyscribe_player import feed, index, journal, told
from ttyscribe_store import jsontext

_MAX_MS = 2**63 // 1_000_000


def omprog(data: bytes) -> None:
    """A line of rsyslog's template."""
    must_become_documents(data, envelope.decode)


def ndjson(data: bytes) -> None:
    """A line of any of the four shapes."""
    must_become_documents(data, shapes.decode)


def must_become_documents(data: bytes, decode: Decode) -> list[Any]:
    """It becomes documents that a store can keep, or it has a reason; never is it our fault, never is it random."""
    line = data.replace(b"\n", b" ")
    pipeline = samples.pipeline(decode)
    processed = pipeline.process(line, samples.NOW_NS)
    assert not pipeline.counters["failed"], processed
    assert pipeline.counters["lines"] == 1
    assert bool(processed.documents) + (processed.dead is not None) + pipeline.counters["empty"] == 1
    again = samples.pipeline(decode).process(line, samples.NOW_NS)
    assert repr(again) == repr(processed)
    for document in processed.documents:
        text = jsontext.dumps(document)
        json.loads(text)
        assert document["ttyscribe"]["kind"] in ("tlog", "aushape", "audit-line", "sudo", "journal", "syslog")
        assert words.joined(document["ttyscribe"]["words"]) == document["ttyscribe"]["words"]
        text.decode()
        if document["ttyscribe"]["kind"] == "tlog":
            message = tlog.from_fields(document["tlog"])
            assert document["viaq_msg_id"] == identity.tlog_id(document["ttyscribe"]["recording"], message)
    return list(processed.documents)


def entry(data: bytes) -> None:
    """An entry of a journal or a document of an index, as the player's readers take them."""
    found = journal.entry(data)
    assert feed.attested(feed.line(*found)) == found[1:] if found[0] else found == (b"", feed.NOBODY, "none")
    try:
        hit = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(hit, dict):
        message, pid, trust = index._message(hit)
        line = feed.line(message, pid, trust)
        assert line.count(b"\n") == 1
        assert not message or isinstance(json.loads(line[feed.PREFIX :]), dict)


def export(data: bytes) -> None:
    """Entries as `journalctl --output=export` writes them: what is read is written and read again as the same."""
    stream = io.BytesIO(data)
    entries: list[dict[str, Any]] = []
    try:
        entries.extend(journalfile.decode(stream.read, stream.readline))
    except MessageError as error:
        must_be_clean(error)
    again = io.BytesIO(b"".join(_exported(fields) for fields in entries))
    assert list(journalfile.decode(again.read, again.readline)) == entries
    for fields in entries:
        must_become_documents(json.dumps(fields).encode(), shapes.decode)


def _exported(fields: dict[str, Any]) -> bytes:
    made: list[bytes] = []
    for name, value in fields.items():
        several = isinstance(value, list) and not (value and isinstance(value[0], int))
        for one in value if several else [value]:
            raw = bytes(one) if isinstance(one, list) else one.encode()
            made.append(name.encode() + b"\n" + len(raw).to_bytes(8, "little") + raw + b"\n")
    return b"".join(made) + b"\n"


def own_key(data: bytes) -> None:
    """Our own key of a message, whatever stands in it: what is taken is within its bounds, and may be printed."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    found = own.read_object(value)
    for loss in found.losses:
        assert not loss.why or is_one_line(loss.why)
        assert 1 <= loss.first <= loss.last
    for _, remark in told.marks(found):
        must_be_clean(Exception(remark))
    assert len(repr(found)) < 64 * 1024


def text(data: bytes) -> None:
    """Output as clean text, what was hidden in it, and the words of both."""
    shown = data.decode("utf-8", "replace")
    clean = plain_text(shown)
    assert all(sign in "\n\t" or sign not in _CONTROLS for sign in clean)
    assert all(sign in "\n\t" or sign not in _CONTROLS for sign in hidden_text(shown))
    joined = words.joined(clean)
    assert words.words(joined) == joined.split(" ") if joined else not words.words(clean)
    assert len(hidden_text(shown)) <= 200 * len(shown)
    for term in words.query_terms(shown):
        assert term == [word for word in term if word]


_CONTROLS = frozenset(map(chr, (*range(32), *range(0x7F, 0xA0))))
