# SPDX-License-Identifier: Apache-2.0
"""Lines of NDJSON input: which of four shapes an object has, and its envelope; pure.

1. the recorder's own message (`ver` and `timing`), as in a file that it wrote; 2. a journal entry (`MESSAGE`), as
`journalctl -o json` prints it; 3. rsyslog's template (`msg`); 4. another syslog object (`message`). Asked in this
order. docs/contracts/envelope.md is the contract.
"""

from typing import Any

from ttyscribe_formats import identity, timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.envelope import NOBODY, Envelope, from_clean_fields, from_fields, number

_BROKEN_MESSAGE = b'{"ver":'
_BOM = b"\xef\xbb\xbf"
_US = 1000
_ALIASES = {
    "message": "msg",
    "@timestamp": "time",
    "timestamp": "time",
    "hostname": "host",
    "ident": "program",
    "appname": "program",
    "level": "severity",
}
_SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_SEVERITY = {name: str(number) for number, name in enumerate(_SEVERITIES)}
_SEVERITY |= {"panic": "0", "critical": "2", "error": "3", "warn": "4"}


def decode(line: bytes, now_ns: int) -> Envelope:
    """The envelope of one line of NDJSON input. Raises MessageError where it has none of the shapes."""
    line = line.strip().removeprefix(_BOM)
    make, text = from_clean_fields, ""
    try:
        fields = exact.fast_loads(line)
    except ValueError:
        make = from_fields
        fields, text = _slow(line)
    if type(fields) is not dict:
        raise MessageError("the line is no JSON object")
    if "ver" in fields and "timing" in fields:
        return bare(line, now_ns, fields)
    if "MESSAGE" in fields:
        return journal(fields, now_ns)
    if "msg" in fields:
        found = make(fields, now_ns)
        return found if "v" in fields else found._replace(collector="")
    if type(fields.get("message")) is str:
        return make(renamed(fields), now_ns)._replace(collector="")
    if text:
        return bare(line, now_ns, None)
    raise MessageError("the object is no recording's message, no journal entry, and has no msg or message")


def _slow(line: bytes) -> tuple[Any, str]:
    """The value of a line that is not UTF-8 or is beyond the fast parser; a broken recorder's message is kept."""
    try:
        return exact.loads(line), ""
    except MessageError as error:
        if line.startswith(_BROKEN_MESSAGE):
            return {}, str(error)
        raise


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


def journal(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of a journal entry. Its names that begin with an underscore are journald's own, no sender's."""
    text, raw = _message(fields["MESSAGE"])
    realtime = _microseconds(fields.get("__REALTIME_TIMESTAMP"))
    received_ns = now_ns if realtime is None else realtime
    source = _microseconds(fields.get("_SOURCE_REALTIME_TIMESTAMP"))
    cursor = fields.get("__CURSOR")
    return Envelope(
        text=text,
        raw=raw,
        host=word(fields.get("_HOSTNAME")),
        time_ns=received_ns if source is None else source,
        received_ns=received_ns,
        received=timestamp.to_text(received_ns),
        windowed=realtime is not None,
        program=word(fields.get("SYSLOG_IDENTIFIER")) or word(fields.get("_COMM")),
        pid=word(fields.get("SYSLOG_PID")),
        facility=word(fields.get("SYSLOG_FACILITY")),
        severity=word(fields.get("PRIORITY")),
        tag="",
        input=word(fields.get("_TRANSPORT")),
        peer="",
        collector="journald",
        sender_uid=number(word(fields.get("_UID"))),
        sender_pid=number(word(fields.get("_PID"))),
        stable_id=identity.journal_stamp(cursor) if type(cursor) is str and cursor else "",
        journal=fields,
    )


def word(value: object) -> str:
    """A journal field as text: of a field that came several times the first; bytes that are no text are repaired.

    Empty for what no journal writes.
    """
    if type(value) is list and value and type(value[0]) is str:
        value = value[0]
    if type(value) is list:
        try:
            return _message(value)[0]
        except MessageError:
            return ""
    return exact.repaired(value)[0] if type(value) is str else ""


def _message(value: object) -> tuple[str, bytes]:
    """MESSAGE: text, or, where it is no UTF-8 or has control characters, an array of bytes."""
    if type(value) is str:
        return exact.repaired(value)
    if type(value) is list:
        try:
            raw = bytes(value)
        except (TypeError, ValueError, OverflowError):
            raise MessageError("the journal entry's MESSAGE is neither text nor bytes") from None
        try:
            return raw.decode(), b""
        except UnicodeDecodeError:
            return raw.decode("utf-8", "replace"), raw
    if value is None:
        raise MessageError("the journal entry's MESSAGE was left out for its size: run journalctl with --all")
    raise MessageError("the journal entry's MESSAGE is neither text nor bytes")


def _microseconds(value: object) -> int | None:
    """A journal time in nanoseconds; none for what is no time of ours (years 1970 to 2262)."""
    text = value if type(value) is str else str(value) if type(value) is int else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 16:
        return None
    found = int(text) * _US
    return found if found < 2**63 else None


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
    # of a sender's choice would keep another message out of the store.
    renamed["procid"] = renamed.get("procid") or renamed.pop("pid", "")
    for key in ("pid", "uid", "id", "received"):
        renamed.pop(key, None)
    return renamed
