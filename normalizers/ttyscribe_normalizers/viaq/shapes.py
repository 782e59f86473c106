# SPDX-License-Identifier: Apache-2.0
"""Lines under the profile `viaq`: as under the other one, and any other JSON object, and raw lines of audit; pure."""

import re
from typing import Any

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact, shapes
from ttyscribe_normalizers.envelope import Envelope, from_clean_fields, from_fields
from ttyscribe_store import jsontext

AUDIT = "audit"
"""Tag of the envelope of a raw line of the audit log."""
_AUDIT_WORDS = (b"type=", b"node=")
_BOM = b"\xef\xbb\xbf"
_ELSE = frozenset(("MESSAGE", "__REALTIME_TIMESTAMP", "timing"))
"""Keys by which an object may be something else than what rsyslog's template writes."""
_LONG = re.compile(rb"[:,\[\s]-?[0-9]{19}")
"""An integer that may be beyond 64 bit; numbers begin nowhere else."""


def decode(line: bytes, now_ns: int) -> Envelope:
    """The envelope of one line. Raises MessageError where it is neither an object nor of the audit log."""
    line = line.strip().removeprefix(_BOM)
    try:
        fields = exact.fast_loads(line)
    except ValueError:
        return _decode_slowly(line, now_ns)
    if type(fields) is not dict:
        raise MessageError("the line is no JSON object")
    if "msg" in fields and "v" in fields and _ELSE.isdisjoint(fields):
        try:
            return from_clean_fields(fields, now_ns)  # whatever numbers it has: only its texts are used
        except MessageError:
            pass
    if "ver" in fields and "timing" in fields:
        return shapes.bare(line, now_ns, fields)
    if not jsontext.is_within_64_bit(line) and _LONG.search(line):
        fields = exact.loads(line)
    return _found(line, fields, b"", now_ns)


def _decode_slowly(line: bytes, now_ns: int) -> Envelope:
    """The same for what is not UTF-8, is beyond the fast parser, or is no JSON at all."""
    try:
        read = exact.loads(line)
    except MessageError:
        if line.startswith(_AUDIT_WORDS):
            return shapes.bare(line, now_ns, None)._replace(tag=AUDIT)
        return shapes.decode(line, now_ns)  # a recorder's message that was cut short, or none at all
    fields = _repaired(read)
    if type(fields) is not dict:
        raise MessageError("the line is no JSON object")
    if "ver" in fields and "timing" in fields:
        return shapes.bare(line, now_ns, read)
    return _found(line, fields, line if fields != read else b"", now_ns)


def _found(line: bytes, fields: dict[str, Any], raw: bytes, now_ns: int) -> Envelope:
    try:
        found = _known(fields, now_ns)
    except MessageError:
        found = None
    return _other(line, fields, raw, now_ns) if found is None else found


def _repaired(value: Any) -> Any:
    """The same value without lone surrogates in its texts."""
    if type(value) is str:
        return exact.repaired(value)[0]
    if type(value) is list:
        return [_repaired(inner) for inner in value]
    if type(value) is dict:
        return {exact.repaired(key)[0]: _repaired(inner) for key, inner in value.items()}
    return value


def _known(fields: dict[str, Any], now_ns: int) -> Envelope | None:
    """The envelope of a journal entry, with or without a message, or of rsyslog's template."""
    if "MESSAGE" in fields or "__REALTIME_TIMESTAMP" in fields:
        try:
            return shapes.journal(fields, now_ns)
        except MessageError:
            return shapes.journal(fields | {"MESSAGE": ""}, now_ns)._replace(journal=fields)
    if "msg" in fields:
        if "v" in fields:
            return from_clean_fields(fields, now_ns)
        return from_clean_fields(shapes.renamed(fields), now_ns)._replace(collector="")
    return None


def _other(line: bytes, fields: dict[str, Any], raw: bytes, now_ns: int) -> Envelope:
    """The envelope of another collector's record, with what it says of its sender and its time."""
    if type(fields.get("message")) is str:
        found = from_fields(shapes.renamed(fields), now_ns)
    else:
        found = shapes.bare(line, now_ns, None)
    host, stamp = fields.get("hostname"), fields.get("viaq_msg_id")
    return found._replace(
        text=line.decode("utf-8", "replace"),
        raw=raw,
        host=found.host or (host if type(host) is str else ""),
        collector="",
        stable_id=stamp if type(stamp) is str else "",
        record=fields,
    )
