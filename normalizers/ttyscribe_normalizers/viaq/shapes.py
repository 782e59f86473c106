# SPDX-License-Identifier: Apache-2.0
"""Lines under the profile `viaq`: as under the other one, and any other JSON object, and raw lines of audit; pure."""

from typing import Any

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact, shapes
from ttyscribe_normalizers.envelope import Envelope, from_fields
from ttyscribe_store import jsontext

AUDIT = "audit"
"""Tag of the envelope of a raw line of the audit log."""
_AUDIT_WORDS = (b"type=", b"node=")
_BOM = b"\xef\xbb\xbf"


def decode(line: bytes, now_ns: int) -> Envelope:
    """The envelope of one line. Raises MessageError where it is neither an object nor of the audit log."""
    line = line.strip().removeprefix(_BOM)
    try:
        fields, raw = _parsed(line)
    except MessageError:
        if line.startswith(_AUDIT_WORDS):
            return shapes.bare(line, now_ns, None)._replace(tag=AUDIT)
        return shapes.decode(line, now_ns)  # a recorder's message that was cut short, or none at all
    if type(fields) is not dict:
        raise MessageError("the line is no JSON object")
    if "ver" in fields and "timing" in fields:
        return shapes.bare(line, now_ns, fields)
    try:
        found = _known(fields, now_ns)
    except MessageError:
        found = None
    return _other(line, fields, raw, now_ns) if found is None else found


def _parsed(line: bytes) -> tuple[Any, bytes]:
    """A line's value, numbers of any size exact; and the line itself where it had to be repaired."""
    if jsontext.is_within_64_bit(line):
        try:
            return exact.fast_loads(line), b""
        except ValueError:
            pass
    found = exact.loads(line)
    repaired = _repaired(found)
    return repaired, line if repaired != found else b""


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
            return shapes.journal(fields, now_ns)._replace(record=fields)
        except (MessageError, KeyError):
            return shapes.journal(fields | {"MESSAGE": ""}, now_ns)._replace(record=fields, journal=fields)
    if "msg" in fields:
        found = from_fields(fields, now_ns)
        return found if "v" in fields else found._replace(collector="")
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
