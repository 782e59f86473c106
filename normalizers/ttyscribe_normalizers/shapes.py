# SPDX-License-Identifier: Apache-2.0
"""Lines of NDJSON input: which of the shapes an object has, and its envelope; pure.

1. the recorder's own message (`ver` and `timing`), as in a file that it wrote; 2. a journal entry (`MESSAGE`), as
`journalctl -o json` prints it; 3. rsyslog's template (`v` and `msg`); 4. a cluster's event, a container's record;
5. another program's object (`msg` or `message`). Asked in this order. docs/contracts/envelope.md is the contract.
"""

import re
from collections.abc import Callable
from typing import Any

from ttyscribe_formats import identity, timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import barelines, containers, exact, syslogline
from ttyscribe_normalizers.envelope import JOURNALD, NOBODY, Envelope, from_clean_fields, from_fields
from ttyscribe_normalizers.journal import is_lower
from ttyscribe_normalizers.journal import read as read_entry

_BROKEN_MESSAGE = b'{"ver":'
_NUMBERLESS = re.compile(rb"NaN|Infinity")
"""Numbers that are none, and which only some programs write."""
_OF_SHIPPERS = ("pid", "uid", "id", "received", "journal", "peer", "protocol-version")
"""Keys of the template that only a shipper may write: in an object of another program nobody vouches for them."""
_OF_CONTAINERS = frozenset(("time", "timestamp", "@timestamp", "level", "severity"))
_EVENT_TIMES = ("lastTimestamp", "firstTimestamp", "eventTime")
_EVENT_LEVELS = {"Normal": "6", "Warning": "4"}
Make = Callable[[dict[str, Any], int], Envelope]
_BOM = b"\xef\xbb\xbf"
_ALIASES = {
    "message": "msg",
    "@timestamp": "time",
    "timestamp": "time",
    "hostname": "host",
    "ident": "program",
    "appname": "program",
    "level": "severity",
    "priority": "severity",
}
_SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_SEVERITY = {name: str(number) for number, name in enumerate(_SEVERITIES)}
_SEVERITY |= {"panic": "0", "critical": "2", "error": "3", "warn": "4"}


def decode(line: bytes, now_ns: int) -> Envelope:
    """The envelope of one line of NDJSON input. Raises MessageError where it has none of the shapes."""
    given, line = line, line.strip().removeprefix(_BOM)
    make, text = from_clean_fields, ""
    try:
        fields = exact.fast_loads(line)
    except ValueError:
        if (found := _of_text(given, now_ns)) is not None:
            return found
        make = from_fields
        fields, text = _slow(line)
    if type(fields) is not dict:
        if barelines.is_message(fields):
            return bare(line, now_ns, None)
        raise MessageError("the line is no JSON object")
    if "ver" in fields and "timing" in fields:
        return bare(line, now_ns, fields)
    if "MESSAGE" in fields or "__REALTIME_TIMESTAMP" in fields:
        fields, more = exact.whole(line, fields)
        return journal(fields, now_ns, more)
    if "v" in fields and "msg" in fields:
        return make(fields, now_ns)
    if is_lower(fields):
        fields, more = exact.whole(line, fields)
        return journal({name.upper(): value for name, value in fields.items()}, now_ns, more)
    if (maker := _maker(fields)) is not None:
        fields, more = exact.whole(line, fields)
        clean = exact.without_surrogates(fields)
        return _kept(maker(clean, now_ns), more if clean is fields else line)
    if text:
        return bare(line, now_ns, None)
    if barelines.is_message(fields):
        return bare(line, now_ns, fields)
    raise MessageError("the object is no recording's message, no journal entry, and has no msg or message")


def _of_text(line: bytes, now_ns: int) -> Envelope | None:
    """The envelope of a line that is no JSON but has a known form; blanks at its end are its text's."""
    if (record := containers.of_cri(line)) is not None:
        return cri(record, now_ns)
    if (fields := syslogline.fields_of(line)) is not None:
        return from_fields(fields, now_ns)._replace(collector="")
    return None


def _maker(fields: dict[str, Any]) -> Make | None:
    """What makes an envelope of an object that is kept whole: of a container, a cluster, or another program."""
    if containers.event_of(fields) is not None:
        return event
    if containers.is_record(fields):
        return container
    return program_object if "msg" in fields or type(fields.get("message")) is str else None


def _slow(line: bytes) -> tuple[Any, str]:
    """The value of a line that is not UTF-8 or is beyond the fast parser; a broken recorder's message is kept."""
    try:
        return exact.read_whole(line)[0] if _NUMBERLESS.search(line) else exact.loads(line), ""
    except MessageError as error:
        if line.startswith(_BROKEN_MESSAGE) or barelines.begins_one(line):
            return {}, str(error)
        raise


def _kept(made: Envelope, line: bytes) -> Envelope:
    """The envelope with the line that says more than its object holds; none where it does not."""
    if not line:
        return made
    try:
        return made._replace(original=line.decode())
    except UnicodeDecodeError:
        return made._replace(raw=line)


def bare(line: bytes, now_ns: int, fields: dict[str, Any] | None) -> Envelope:
    """The envelope of a message that stands in its line without one: nobody attests anything."""
    try:
        text, raw = line.decode(), b""
    except UnicodeDecodeError:
        text, raw, fields = line.decode("utf-8", "replace"), line, None
    host = fields.get("host") if fields else None
    return Envelope(
        text=text,
        raw=raw,
        host=host if type(host) is str else "",
        time_ns=now_ns,
        received_ns=now_ns,
        received=timestamp.to_text(now_ns),
        windowed=False,
        program="",
        pid="",
        facility="",
        severity="",
        tag="",
        input="",
        peer="",
        collector="",
        sender_uid=NOBODY,
        sender_pid=NOBODY,
        stable_id="",
        fields=fields,
    )


def journal(fields: dict[str, Any], now_ns: int, line: bytes = b"") -> Envelope:
    """The envelope of a journal entry. Its names that begin with an underscore are journald's own, no sender's.

    `line` is its line where that says more than its fields hold; else empty.
    """
    entry = read_entry(fields, fields.get("MESSAGE", ""))
    received_ns = now_ns if entry.realtime_ns is None else entry.realtime_ns
    made = Envelope(
        text=entry.text,
        raw=entry.raw,
        host=entry.host,
        time_ns=received_ns if entry.source_ns is None else entry.source_ns,
        received_ns=received_ns,
        received=timestamp.to_text(received_ns),
        windowed=entry.realtime_ns is not None,
        program=entry.program,
        pid=entry.pid,
        facility=entry.facility,
        severity=entry.severity,
        tag="",
        input=entry.transport,
        peer="",
        collector=JOURNALD,
        sender_uid=entry.sender_uid,
        sender_pid=entry.sender_pid,
        stable_id=identity.journal_stamp(entry.cursor) if entry.cursor else "",
        journal=fields,
    )
    return _kept(made, line)


def container(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of a record of a container's output; nothing is attested. `program` is the text's key."""
    key, text = containers.text_of(fields)
    kubernetes = fields.get("kubernetes")
    host = kubernetes.get("host") if type(kubernetes) is dict else None
    named = {name: value for name, value in fields.items() if name in _OF_CONTAINERS}
    made = from_fields(renamed(named | {"msg": text, "host": host or fields.get("hostname")}), now_ns)
    rest = {name: value for name, value in fields.items() if name != key}
    return made._replace(text=text, object=rest, collector="", tag=containers.TAG, program=key)


def cri(record: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of a line of the CRI."""
    text, raw = exact.repaired(record["log"])
    return container(record | {"log": text}, now_ns)._replace(raw=raw)


def event(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of an event of the cluster; nothing is attested."""
    found = containers.event_of(fields) or {}
    source, metadata = found.get("source"), found.get("metadata")
    created = metadata.get("creationTimestamp") if type(metadata) is dict else None
    times = [found.get(name) for name in _EVENT_TIMES] + [created]
    made = from_fields(
        {
            "msg": text if type(text := found.get("message")) is str else "",
            "time": next((time for time in times if type(time) is str and time), ""),
            "host": source.get("host") if type(source) is dict else None,
            "severity": _EVENT_LEVELS.get(str(found.get("type")), ""),
        },
        now_ns,
    )
    return made._replace(
        text=made.text or str(found.get("reason", ""))[:1000], object=fields, collector="", tag=containers.EVENT_TAG
    )


def program_object(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of another program's log object, whose text is its `msg`, or its `message`."""
    key = "msg" if "msg" in fields else "message"
    rest = {name: value for name, value in fields.items() if name != key}
    return from_fields(renamed(fields), now_ns)._replace(collector="", tag="", object=rest)


def renamed(fields: dict[str, Any]) -> dict[str, Any]:
    """A syslog object of another program with the template's keys; keys that are the template's own come first."""
    renamed = {_ALIASES[key]: value for key, value in fields.items() if key in _ALIASES} | fields
    severity = renamed.get("severity")
    if type(severity) is str:
        renamed["severity"] = _SEVERITY.get(severity.lower(), severity)
    for key in ("pid", "severity", "facility"):
        if type(renamed.get(key)) is int:
            renamed[key] = str(renamed[key])
    # Nobody attested this object's pid and uid, and no shipper stamped its id and receipt: its sender says them. An id
    # of a sender's choice would keep another message out of the store, and many programs have an `id` that is none.
    renamed["procid"] = renamed.get("procid") or renamed.pop("pid", "")
    for key in _OF_SHIPPERS:
        renamed.pop(key, None)
    return renamed
