# SPDX-License-Identifier: Apache-2.0
"""The envelope: what a kind sees of one log message, and its decoder from the line that rsyslog's template writes.

Pure. docs/contracts/envelope.md is the contract; shapes that only NDJSON input has are in `shapes.py`.
"""

from base64 import b64encode
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers import exact, journal

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
MORE_KEYS = ("protocol-version", "app-name", "msgid", "structured-data")
"""Of a header of RFC 5424; `journal` and `peer` may come too."""
BYTES = ".bytes"
_FEWEST = len(KEYS) + 1
"""Keys of a line that has the version and KEYS alone."""
_HERE = frozenset(("", "127.0.0.1", "::1"))
"""Addresses of those whose uid this host's kernel attests."""

JOURNALD = "journald"
"""The collector of entries that came from journalctl or a program like it."""
NOBODY = journal.NOBODY
number = journal.number

_values = itemgetter(*KEYS)
_new = tuple.__new__
_SHOWN = 128
_ALL_TEXT = (str,) * len(KEYS)


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
    header: dict[str, str] | None = None
    """The rest of a header of RFC 5424, by MORE_KEYS; what is `-` is left out.

    What had to be repaired is there a second time, in base64, with BYTES behind its key."""
    relayed: bool = False
    """Whether another host's shipper made it: its uids are that host's users."""
    doubt: str = ""
    """Why what it says of its sender is not believed; empty where it is, or says nothing."""
    object: dict[str, Any] | None = None
    """What the line's or the message's object says besides the text, where that is a program's own."""
    original: str = ""
    """The JSON text of `object` or `journal`, where they can't hold all of it as it is."""
    held: bool = False
    """Whether the host that made it proved one name, its own: it vouches for `host` alone."""


HOST = Envelope._fields.index("host")
SENDER = slice(Envelope._fields.index("program"), Envelope._fields.index("stable_id"))
REST = slice(SENDER.stop + 1, None)
"""Places of what says nothing of one message alone: short ways remember what they have made of it."""


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
        made = from_values(values, b"", now_ns)
        if len(fields) == _FEWEST and made.peer in _HERE:
            return made
        return with_more(made, fields, now_ns)
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
    # Positional, and past the named constructor, which takes three times as long. The optional ones are none.
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
            None,
            False,
            "",
            None,
            "",
            False,
        ),
    )


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
    return with_more(from_values(*repaired(texts, message), now_ns), fields, now_ns)


def repaired(others: Sequence[str], message: str) -> tuple[tuple[str, ...], bytes]:
    """The template's values without lone surrogates; the message's bytes, where it had some, without the blank."""
    text, raw = exact.repaired(message[1:] if message[:1] == " " else message)
    return (*(exact.repaired(value)[0] for value in others), f" {text}"), raw


def with_more(made: Envelope, fields: dict[str, Any], now_ns: int) -> Envelope:
    """The envelope with what the keys say that not every template writes, and believing no more than it may."""
    if fields.get("protocol-version") == "1":
        host, program = ("" if text == "-" else text for text in (made.host, made.program))
        text = made.text.removeprefix("\ufeff")
        made = made._replace(header=_header(fields), text=text, host=host, program=program)
    is_ours = "v" in fields  # another program's object speaks for nobody
    entry = fields.get("journal") if is_ours else None
    if type(entry) is dict:
        made = _of_entry(made, entry)
    peer = fields.get("peer") if is_ours else None
    if type(peer) is not str:
        why = "" if made.peer in _HERE else f"the line came from {made.peer[:_SHOWN]}, which proved no name"
    else:
        why = _disproved(peer, made.host)
        made = made._replace(relayed=True, held="*" not in peer)
        if why:  # the id too is one of a stranger's choice
            text = timestamp.to_text(now_ns)
            made = made._replace(stable_id="", received_ns=now_ns, received=text, windowed=False)
    if not why or (made.sender_uid < 0 and made.sender_pid < 0 and made.journal is None):
        return made
    what = "the journal's fields" if made.journal else f"uid {made.sender_uid} and pid {made.sender_pid}"
    doubt = f"{what} are not believed: {why}"
    return made._replace(sender_uid=NOBODY, sender_pid=NOBODY, doubt=doubt)


def _header(fields: dict[str, Any]) -> dict[str, str]:
    made: dict[str, str] = {}
    for key in MORE_KEYS:
        value = fields.get(key)
        if type(value) is str and value != "-":
            made[key], raw = exact.repaired(value)
            if raw:
                made[key + BYTES] = b64encode(raw).decode()
    return made


def _of_entry(made: Envelope, fields: dict[str, Any]) -> Envelope:
    """The envelope of a journal entry that came as part of the line, with the line's id and time of receipt."""
    fields = {name: value for name, value in fields.items() if journal.is_name(name)}
    message = fields.get("MESSAGE")
    entry = journal.read(fields, made.text if message is None else message)
    times = (entry.source_ns, entry.realtime_ns, made.time_ns)
    return made._replace(
        text=entry.text,
        raw=made.raw if message is None else entry.raw,
        host=entry.host or made.host,
        time_ns=next(time for time in times if time is not None),
        program=entry.program or made.program,
        pid=entry.pid or made.pid,
        facility=entry.facility or made.facility,
        severity=entry.severity or made.severity,
        sender_uid=entry.sender_uid if entry.sender_uid >= 0 else made.sender_uid,
        sender_pid=entry.sender_pid if entry.sender_pid >= 0 else made.sender_pid,
        journal=fields,
    )


def _disproved(peer: str, host: str) -> str:
    """Why a line of `host` is not vouched for by who handed it over; empty where it is."""
    if not peer:
        return "the host that sent the line proved no name"
    if "*" in peer or host.lower() in (peer.lower(), _label(peer.lower())):
        return ""
    return f"{peer[:_SHOWN]} sent the line, which says it is of {host[:_SHOWN]}"


def speaks_for(envelope: Envelope, host: str) -> bool:
    """Tell whether who vouches for a message can do so for what it says of this host; an empty name says nothing."""
    own, other = envelope.host.lower(), host.lower()
    return not envelope.held or not other or own == other or own == _label(other) or _label(own) == other


def _label(host: str) -> str:
    return host.partition(".")[0]
