# SPDX-License-Identifier: Apache-2.0
"""A journal entry's fields, as journalctl, imjournal and Fluentd's systemd input give them; pure.

A value is text; an array of bytes where it is no UTF-8 or holds control characters; or, where a field came several
times, an array of these. Names that begin with an underscore are journald's own: no sender can write them.
"""

import re
from typing import Any, NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact

NOBODY = -1
"""A sender's uid or pid that nobody attested."""
_MAX_NUMBER = 2**32 - 1
_US = 1000
_LOWER = frozenset(("_boot_id", "_transport", "_machine_id"))
_LOWER_NAME = re.compile(r"[a-z0-9_]{1,64}")
_NAME = re.compile(r"[A-Z0-9_]{1,64}")


class Entry(NamedTuple):
    """What an envelope is made of."""

    text: str
    raw: bytes
    """MESSAGE as bytes where its text had to be repaired; else empty."""
    host: str
    source_ns: int | None
    """When the sender logged it."""
    realtime_ns: int | None
    """When journald took it."""
    program: str
    pid: str
    facility: str
    severity: str
    transport: str
    sender_uid: int
    sender_pid: int
    cursor: str


def is_name(name: str) -> bool:
    """Tell whether journald would take a field of this name."""
    return _NAME.fullmatch(name) is not None


def is_lower(fields: dict[str, Any]) -> bool:
    """Tell whether it is an entry with its names in small letters, as Fluentd writes them when told to.

    No program can log such names, so that those with an underscore before them are journald's here too.
    """
    return not _LOWER.isdisjoint(fields) and "message" in fields and all(map(_LOWER_NAME.fullmatch, fields))


def read(fields: dict[str, Any], message: Any) -> Entry:
    """What the fields say, with this value of MESSAGE. Raises MessageError where that is no text and no bytes."""
    text, raw = message_of(message)
    cursor = fields.get("__CURSOR")
    return Entry(
        text=text,
        raw=raw,
        host=word(fields.get("_HOSTNAME")) or word(fields.get("HOSTNAME")),  # without underscores nothing is attested
        source_ns=_nanoseconds(fields.get("_SOURCE_REALTIME_TIMESTAMP")),
        realtime_ns=_nanoseconds(fields.get("__REALTIME_TIMESTAMP")),
        program=word(fields.get("SYSLOG_IDENTIFIER")) or word(fields.get("_COMM")),
        pid=word(fields.get("SYSLOG_PID")),
        facility=word(fields.get("SYSLOG_FACILITY")),
        severity=word(fields.get("PRIORITY")),
        transport=word(fields.get("_TRANSPORT")),
        sender_uid=number(word(fields.get("_UID"))),
        sender_pid=number(word(fields.get("_PID"))),
        cursor=cursor if type(cursor) is str else "",
    )


def number(text: str) -> int:
    """A uid or pid; -1 for what is none. What is beyond 32 bits is none."""
    if len(text) > 10 or not text.isdecimal() or not text.isascii():
        return NOBODY
    found = int(text)
    return found if found <= _MAX_NUMBER else NOBODY


def word(value: object) -> str:
    """A field as text: of a field that came several times the first; bytes that are no text are repaired.

    Empty for what no journal writes.
    """
    if type(value) is str:
        return value if value.isascii() else exact.repaired(value)[0]
    if type(value) is list:
        try:
            return message_of(value)[0]
        except MessageError:
            return ""
    return ""


def message_of(value: object) -> tuple[str, bytes]:
    """A field as text, and as bytes where that had to be repaired. Raises MessageError for what no journal writes."""
    if type(value) is list and value and type(value[0]) in (str, list):
        value = value[0]
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


def _nanoseconds(value: object) -> int | None:
    """A journal time in nanoseconds; none for what is no time of ours (years 1970 to 2262)."""
    text = value if type(value) is str else str(value) if type(value) is int else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 16:
        return None
    found = int(text) * _US
    return found if found < 2**63 else None
