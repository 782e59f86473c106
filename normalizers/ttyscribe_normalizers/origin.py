# SPDX-License-Identifier: Apache-2.0
"""What came with a message besides its text, as a document keeps it: all of it, in fields that templates have; pure.

`systemd` has the journal's fields that ViaQ's model names, `journal` the others, and again those that came several
times; `structured` another program's object; `rsyslog` a header of RFC 5424. Engines hold each of these as one field of
the mapping, whose values are found by their paths. What they can't hold as it is (`formats/flat.py`) is cut there, and
`ttyscribe.original` keeps the object's JSON text. `ttyscribe.bytes` keeps what was no text, beside its repaired text.
"""

from base64 import b64encode
from typing import Any

from ttyscribe_formats import structured_data
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.flat import flat
from ttyscribe_formats.viaq.systemd import KERNEL, TRUSTED, USER
from ttyscribe_normalizers import journal, parts
from ttyscribe_normalizers.envelope import BYTES, Envelope
from ttyscribe_store import jsontext

_FUNCTION = "CODE_FUNCTION"
"""The model's name of CODE_FUNC; a field of this very name is kept as one of the others too."""
_CLAIMED = {**{name: (1, name) for name in USER if name != _FUNCTION}, "CODE_FUNC": (1, _FUNCTION)}
_NAMES = {
    **{f"_{name}": (0, name) for name in (*TRUSTED, "HOSTNAME", "SOURCE_REALTIME_TIMESTAMP")},
    **_CLAIMED,
    **{f"_{name}": (2, name) for name in KERNEL},
}
"""A journal field's place: `systemd.t`, `.u` or `.k` and its name there; two of `t` ViaQ's filters put elsewhere."""
_UNSET = 2**32 - 1
"""An audit session that was never set."""
_BOOT_ID = 32
_HEX = frozenset("0123456789abcdef")
_SENDERS = frozenset(("host", "hostname", "ident", "appname", "program", "pid", "uid", "level", "severity", "facility"))
_SENDERS |= {"stream", "logtag", "time", "timestamp", "@timestamp"}
"""Names in a program's object that tell who logs and when: no search means them."""
_LONGEST_NAME = 64
"""Characters of a value that may be a name or a time; what is longer, or an object, is text that a sender put there."""
_USUAL = frozenset((*USER, "CODE_FUNC", "PRIORITY", "SYSLOG_TIMESTAMP", "SYSLOG_RAW", "INVOCATION_ID"))
"""The same of a journal entry."""


def add(document: dict[str, Any], own: dict[str, Any], envelope: Envelope) -> None:
    """Add all of it to a document, and to its part under `ttyscribe`."""
    if envelope.journal is None:
        if systemd := parts.systemd(envelope):
            document["systemd"] = systemd
    else:
        _add_journal(document, own, envelope, envelope.journal)
    if envelope.header:
        document["rsyslog"] = _header(envelope.header, own)
    if envelope.object:
        _add_flat(document, own, "structured", envelope.object)
    if envelope.original:
        own["original"] = envelope.original
    elif "original" in own:
        own["original"] = jsontext.dumps(envelope.object if envelope.journal is None else envelope.journal).decode()


def searched(envelope: Envelope) -> str:
    """The texts beside the message, one a line: of a program's object, and of the fields that it gave a journal entry.

    What names the sender and its time is none of them: no search means it.
    """
    found: list[Any] = []
    if envelope.object:
        found = [value for name, value in envelope.object.items() if name not in _SENDERS or not _may_name(value)]
    if envelope.journal is not None:
        # A list of numbers, bytes that are no text, has no texts.
        found += [value for name, value in envelope.journal.items() if name[:1] != "_" and not _is_usual(name, value)]
    return texts(found) if found else ""


def _is_usual(name: str, value: Any) -> bool:
    return name == "MESSAGE" or (name in _USUAL and _may_name(value))


def _may_name(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_NAME


def texts(value: Any) -> str:
    """All texts of a value, one a line."""
    if type(value) is str:
        return value
    if type(value) is dict:
        return "\n".join(filter(None, map(texts, value.values())))
    if type(value) is list:
        return "\n".join(filter(None, map(texts, value)))
    return ""


def _add_flat(document: dict[str, Any], own: dict[str, Any], name: str, fields: dict[str, Any]) -> None:
    kept, whole = flat(fields)
    if kept:
        document[name] = kept
    if not whole:
        own["original"] = ""


def _add_journal(document: dict[str, Any], own: dict[str, Any], envelope: Envelope, fields: dict[str, Any]) -> None:
    known = _CLAIMED if envelope.doubt else _NAMES  # what nobody attests is no trusted field
    made: tuple[dict[str, str], dict[str, str], dict[str, str]] = ({}, {}, {})
    rest: dict[str, Any] = {}
    odd: dict[str, Any] = {}
    for name, value in fields.items():
        place = known.get(name)
        if type(value) is str and value and value.isascii():
            if place is not None:
                made[place[0]][place[1]] = value
            elif name != "MESSAGE":
                rest[name] = value
            continue
        if name != "MESSAGE" or _is_repeated(value):  # else its text and bytes are in the document
            _add_odd(name, value, made[place[0]] if place else None, place[1] if place else "", rest, odd)
    if _FUNCTION in rest:
        made[1].setdefault(_FUNCTION, journal.word(rest[_FUNCTION]))
    if any(made):
        document["systemd"] = {group: texts for group, texts in zip("tuk", made, strict=True) if texts}
    if rest:
        _add_flat(document, own, "journal", rest)
    if odd:
        own["bytes"] = odd


def _add_odd(
    name: str, value: Any, named: dict[str, str] | None, known: str, rest: dict[str, Any], odd: dict[str, Any]
) -> None:
    """Add a field that is no plain text: to the model's own, `named`, as `known`, or to the rest, or to both."""
    text, data = _readable(value)
    if data:
        odd[name] = data
    if named is not None and (first := journal.word(value)):
        named[known] = first
        if text == first:
            return
    rest[name] = text


def session(envelope: Envelope) -> dict[str, Any]:
    """Of a journal entry: in which boot and audit session its sender was, as far as that is attested."""
    fields = envelope.journal
    made: dict[str, Any] = {}
    if fields is None or envelope.doubt:
        return made
    boot = fields.get("_BOOT_ID")
    if type(boot) is str and len(boot) == _BOOT_ID and _HEX.issuperset(boot):
        made["boot_id"] = boot
    number = journal.number(journal.word(fields.get("_AUDIT_SESSION")))
    if 0 <= number < _UNSET:
        made["audit_session"] = number
    return made


def _is_repeated(value: Any) -> bool:
    return type(value) is list and bool(value) and type(value[0]) is not int


def _readable(value: Any) -> tuple[Any, Any]:
    """A journal field's value as text, or several; and in base64 the bytes of those whose text had to be repaired."""
    if _is_repeated(value):
        texts, data = zip(*map(_one, value), strict=True)
        return list(texts), list(data) if any(data) else None
    return _one(value)


def _one(value: Any) -> tuple[Any, str | None]:
    if type(value) is str or (type(value) is list and value):
        try:
            text, raw = journal.message_of(value)
        except MessageError:
            return value, None
        return text, b64encode(raw).decode() if raw else None
    return value, None


def _header(header: dict[str, str], own: dict[str, Any]) -> dict[str, Any]:
    """`rsyslog`: a header of RFC 5424; its structured data as text, and taken apart where that can be done."""
    made: dict[str, Any] = {}
    for key, text in header.items():
        if key.endswith(BYTES):
            own.setdefault("bytes", {})[key.removesuffix(BYTES)] = text
        else:
            made["appname" if key == "app-name" else key] = text
    if (data := header.get("structured-data")) and (elements := structured_data.parse(data)):
        made["elements"] = flat(elements)[0]
    return made
