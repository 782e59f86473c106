# SPDX-License-Identifier: Apache-2.0
"""The envelope: what a kind sees of one log message, and its decoder from the line that rsyslog's template writes.

Pure. docs/contracts/envelope.md is the contract; shapes that only NDJSON input has are in `shapes.py`.
"""

from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact

VERSION = 1
KEYS = (
    "id",
    "received",
    "time",
    "host",
    "from",
    "program",
    "tag",
    "procid",
    "facility",
    "severity",
    "input",
    "uid",
    "pid",
    "msg",
)
NOBODY = -1
"""A sender's uid or pid that nobody attested."""

_values = itemgetter(*KEYS)
_new = tuple.__new__
_ALL_TEXT = (str,) * len(KEYS)
_MAX_NUMBER = 2**32 - 1


class Envelope(NamedTuple):
    """One log message and what is known of its way."""

    text: str
    """The message; where it was not UTF-8 the repaired text."""
    raw: bytes
    """The message as it was received, where the text had to be repaired; else empty."""
    host: str
    time_ns: int
    """When it happened; the time of receipt where the message's own can't be read."""
    received_ns: int
    received: str
    """The same as text, UTC, six digits."""
    windowed: bool
    """Whether a shipper stamped the time of receipt: only then times far from it are implausible."""
    program: str
    pid: str
    """The sender's pid as the message claims it."""
    facility: str
    severity: str
    tag: str
    input: str
    peer: str
    """Address of the host that handed the message to the collector."""
    collector: str
    sender_uid: int
    """Attested by the kernel, as `sender_pid`; -1 where it is not."""
    sender_pid: int
    stable_id: str
    """The id that the shipper stamped before its first queue; empty where there is none."""
    journal: dict[str, Any] | None = None
    """The journal's fields."""
    fields: dict[str, Any] | None = None
    """The message's own parsed JSON, where the line was parsed anyway."""
    record: dict[str, Any] | None = None
    """The whole line's object, where it is a record of another collector (profile viaq)."""


def decode(line: bytes, now_ns: int = 0) -> Envelope:
    """The envelope of one line of the template. Raises MessageError where it is none.

    `now_ns` stands in for a time of receipt that can't be read.
    """
    make = from_clean_fields
    try:
        fields = exact.fast_loads(line)
    except ValueError:  # not UTF-8, or it is no JSON
        fields, make = exact.loads(line), from_fields
    if type(fields) is not dict:
        raise MessageError("the line is no JSON object")
    version = fields.get("v")
    if type(version) is not int or version != VERSION:
        raise MessageError(f"the envelope has no version that is understood: v is {str(version)[:32]!r}, wanted 1")
    return make(fields, now_ns)


def from_clean_fields(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The same as `from_fields` for an object without lone surrogates; at speed where it has all of the keys."""
    try:
        values = _values(fields)
    except KeyError:
        return from_fields(fields, now_ns)
    if tuple(map(type, values)) == _ALL_TEXT:
        return from_values(values, b"", now_ns)
    return from_fields(fields, now_ns)


def from_values(values: tuple[str, ...], raw: bytes, now_ns: int) -> Envelope:
    """The envelope of the template's values, in the order of KEYS."""
    stable, received, time, host, peer, program, tag, procid, facility, severity, source, uid, pid, text = values
    windowed, same = True, time == received
    try:
        received_ns, received = timestamp.normalized(received)
    except MessageError:
        received_ns, received, windowed = now_ns, timestamp.to_text(now_ns), False
    time_ns = received_ns if same else _time(time)
    # Positional, and past the named constructor, which takes three times as long. journal, fields and record are none.
    return _new(
        Envelope,
        (
            text[1:] if text[:1] == " " else text,  # rsyslog leaves the blank behind the tag
            raw,
            host,
            received_ns if time_ns is None else time_ns,
            received_ns,
            received,
            windowed,
            program,
            "" if procid == "-" else procid,
            facility,
            severity,
            tag,
            source,
            peer,
            "rsyslog",
            number(uid),
            number(pid),
            stable,
            None,
            None,
            None,
        ),
    )


def number(text: str) -> int:
    """A uid or pid; -1 for what is none. What is beyond 32 bits is none."""
    if len(text) > 10 or not text.isdecimal() or not text.isascii():
        return NOBODY
    found = int(text)
    return found if found <= _MAX_NUMBER else NOBODY


def _time(text: str) -> int | None:
    try:
        return timestamp.parse(text)
    except MessageError:
        return None


def from_fields(fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope of an object with the template's keys; all but `msg` may be absent or of a wrong type."""
    message = fields.get("msg")
    if type(message) is not str:
        raise MessageError("the envelope's msg is no text" if "msg" in fields else "the envelope has no msg")
    texts = [value if type(value := fields.get(key)) is str else "" for key in KEYS[:-1]]
    text, raw = exact.repaired(message[1:] if message[:1] == " " else message)
    return from_values((*(exact.repaired(value)[0] for value in texts), text), raw, now_ns)
