# SPDX-License-Identifier: Apache-2.0
"""Documents for the tests of stores, made as the kinds tlog and syslog make them."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from ttyscribe_formats import identity, timestamp, words
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.document import Document
from ttyscribe_formats.packet import Output
from ttyscribe_formats.plain import plain_text
from ttyscribe_formats.reading import measure
from ttyscribe_formats.tlog import Message, decode, to_fields
from ttyscribe_store.base import Recording, RecordingFilter, Store
from ttyscribe_store.derive.indexer import bring_up_to_date

START_NS = timestamp.parse("2026-11-24T12:00:00.123Z")
MS = 1_000_000
HOST = "web7.example.com"
USER = "ada"
PID = 4113
_ANY = RecordingFilter()


def message(number: int = 1, text: str = "hello", *, pos: int = -1, typed: str = "", **fields: Any) -> Message:
    """One message of a recording that writes one line a second; `fields` replace those of the format."""
    position = pos if pos >= 0 else (number - 1) * 1000
    timing = f"=80x24<{len(typed)}>{len(text)}" if typed else f"=80x24>{len(text)}"
    base = Message(
        ver="2.3",
        host=HOST,
        rec="rec-1",
        user=USER,
        term="xterm-256color",
        session=7,
        id=number,
        pos=position,
        time_ms=START_NS // MS + position,
        timing=timing,
        in_txt=typed,
        in_bin=b"",
        out_txt=text,
        out_bin=b"",
    )
    return base._replace(**fields)


def stored(item: Message, *, trust: str = "system", pid: int = PID, partition: str = "", **own: Any) -> Document:
    """The document of one message; `own` goes under `ttyscribe`. A pid of -1 is one that nobody attested."""
    recording = identity.recording_key(item.rec, item.host, item.user, item.session, item.term)
    size = measure(item)
    shown, typed = plain_text(item.out_txt), plain_text(item.in_txt)
    numbers = {"out_bytes": size.out_bytes, "in_bytes": size.in_bytes, "last_ms": size.last_ms, "resizes": size.resizes}
    more: dict[str, Any] = {"kind": "tlog", "trust": trust, "recording": recording, **numbers}
    if typed:
        more["typed"] = typed
    if pid >= 0:
        more |= {"sender_uid": 0, "sender_pid": pid}
    time_ns = (item.time_ms or 0) * MS
    document = _document(identity.tlog_id(recording, item), time_ns, item.host, shown, partition, more | own)
    document["tlog"] = to_fields(item)
    return document


def make_tlog(number: int = 1, text: str = "hello", **fields: Any) -> Document:
    """One recording's message as a document; see `message` and `stored` for what `fields` may name."""
    own = {name: fields.pop(name) for name in ("trust", "pid", "partition") if name in fields}
    return stored(message(number, text, **fields), **own)


def make_syslog(
    number: int = 1, text: str = "a line", *, host: str = HOST, time_ns: int = START_NS, **own: Any
) -> Document:
    """One other log message."""
    partition = own.pop("partition", "")
    more = {"kind": "syslog", "trust": "none", **own}
    return _document(identity.log_id(f"stamp-{number}"), time_ns, host, text, partition, more)


def make_execution(
    number: int = 1,
    arguments: Sequence[str] = ("cat", "/etc/shadow"),
    *,
    ms: int = 0,
    host: str = HOST,
    session: int = 7,
    boot_id: str = "",
    trust: str = "system",
    action: str = "execve",
    outcome: str = "success",
    partition: str = "",
) -> Document:
    """One audit event of a program that started, `ms` after the samples' recordings did."""
    own = {"kind": "aushape", "trust": trust, "audit_session": session} | ({"boot_id": boot_id} if boot_id else {})
    text = f"ada ran {' '.join(arguments)}: {outcome}"
    document = _document(f"audit:{host}:{number}", START_NS + ms * MS, host, text, partition, own)
    more = {
        "aushape": {"serial": number, "data": {"execve": list(arguments)}},
        "process": {"args": list(arguments), "executable": "/usr/bin/env"},
        "event": {"action": action, "outcome": outcome},
        "user": {"name": USER, "audit": {"name": USER}},
    }
    return cast("Document", {**document, **more})


def make_recording(
    rec: str,
    outputs: Sequence[bytes],
    *,
    step_ms: int = 1000,
    user: str = USER,
    host: str = HOST,
    start_ns: int = START_NS,
) -> list[Message]:
    """A whole recording out of the recorder's own chunker: each output `step_ms` after the one before, one message."""
    chunker = Chunker(Header(host, rec, user, "xterm", 7))
    lines: list[bytes] = []
    for place, data in enumerate(outputs):
        now_ns = place * step_ms * MS
        lines += chunker.feed(Output(now_ns, data), start_ns)
        lines += chunker.flush()
    lines += chunker.cut()
    return [decode(line) for line in lines]


def documents(messages: Iterable[Message], **more: Any) -> list[Document]:
    """The documents of messages."""
    return [stored(item, **more) for item in messages]


def _document(document_id: str, time_ns: int, host: str, text: str, partition: str, own: dict[str, Any]) -> Document:
    received = timestamp.to_text(time_ns + MS)
    collector = {"name": "rsyslog", "inputname": "imuxsock", "received_at": received, "ipaddr4": "192.0.2.7"}
    document = {
        "@timestamp": timestamp.to_text(time_ns),
        "hostname": host,
        "level": "info",
        "message": text,
        "systemd": {"t": {"UID": "0", "PID": "4113"}, "u": {"SYSLOG_IDENTIFIER": "ttyscribe"}},
        "pipeline_metadata": {"collector": collector, "normalizer": {"name": "ttyscribe", "version": "0.1.0"}},
        "viaq_msg_id": document_id,
        "ttyscribe": {
            "kind": "",
            "partition": partition or timestamp.partition(time_ns, None),
            "received": received,
            "trust": "",
            "words": words.joined(" ".join((text, own.get("typed", "")))),
            **own,
        },
    }
    return cast("Document", document)


def listed(store: Store, wanted: RecordingFilter = _ANY) -> list[Recording]:
    """The recordings that fit, after whatever waits was derived."""
    bring_up_to_date(store)
    return list(store.recordings(wanted))
