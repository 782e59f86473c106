# SPDX-License-Identifier: Apache-2.0
"""One record of the kernel's audit log, as one line: its head, and its fields as they stand in it.

::

    node=web7 type=SYSCALL msg=audit(1519456484.771:880): arch=c000003e syscall=59 ... key=(null)<1D>ARCH=x86_64 ...

The kernel's own log has the same without names (`audit: type=1300 audit(1519456484.771:880): ...`), and journald has
head and fields apart. What the values mean is in `auditrecord.py`; joining lines into events is not done here.
"""

import re
from typing import NamedTuple

from ttyscribe_formats import auditnames
from ttyscribe_formats.errors import MessageError

MAX_SERIAL = 2**64 - 1
_MS = 1_000_000
_SECOND = 1_000_000_000
_MAX_SECONDS = 2**40

ENRICHED = "\x1d"
"""Stands before what auditd knew of the fields, by names in capitals."""
_SHIPPED_ENRICHED = "#035"
"""The same as rsyslog writes it."""

_HEAD = re.compile(r"(?:node=(\S*) )?type=(\S*) msg=audit\(([0-9]{1,13})\.([0-9]{1,3}):([0-9]{1,20})\):?")
_KERNEL_HEAD = re.compile(
    r"(?:\[ *[0-9.]+\] )?(?:audit: )?type=([0-9]{1,5}) audit\(([0-9]{1,13})\.([0-9]{1,3}):([0-9]{1,20})\):?"
)
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{1,63}|UNKNOWN\[[0-9]{1,10}\]")
_FIELD = re.compile(r"""([A-Za-z0-9_.\[\]-]+)=("[^"]*"?|'[^']*'?|\{[^}]*\}?|[^\s\x1d]*)|(\x1d)|[^\s\x1d]+""")
"""Each branch takes all that it has looked at, so that no line takes more than linear time."""
_NESTED = "msg='"


class Line(NamedTuple):
    """One record."""

    type: str
    """Name of the record type, in capitals."""
    time_ns: int
    """-1 where the line has none."""
    serial: int
    """-1 where the line has none."""
    node: str
    fields: list[tuple[str, str]]
    """Names and values as they stand there, quotes included, in order; those of a nested `msg='...'` too."""
    enriched: dict[str, str]
    """What auditd knew of them, by their names in capitals, without quotes."""


def looks_like(text: str) -> bool:
    """Tell at a glance whether a text may be one."""
    return text.startswith(("type=", "node=", "audit: type=", "[")) and "audit(" in text[:600]


def parse(text: str, *, shipped: bool = False) -> Line:
    """One record of one line. Raises MessageError where its head is none.

    `shipped`: by rsyslog, which wrote control characters in its own way.
    """
    head = _HEAD.match(text)
    if head is not None:
        node, kind, seconds, fraction, serial = head.groups()
        if not _TYPE.fullmatch(kind):
            raise MessageError(f"no audit record: the type is {kind[:64]!r}")
    else:
        head = _KERNEL_HEAD.match(text)
        if head is None:
            raise MessageError("no audit record: no type and no audit(time:serial)")
        number, seconds, fraction, serial = head.groups()
        node, kind = "", auditnames.record_type(int(number))
    time_ns = int(seconds) * _SECOND + int(fraction) * _MS
    if int(seconds) > _MAX_SECONDS or int(serial) > MAX_SERIAL:
        raise MessageError("no audit record: a time or serial number beyond all bounds")
    return Line(kind, time_ns, int(serial), node or "", *_split(text[head.end() :], shipped=shipped))


def parse_body(text: str, kind: str = "") -> Line:
    """A record as journald writes it, `SYSCALL arch=c000003e ...`; time and serial number are in fields of the entry.

    Raises MessageError where it does not begin with a type.
    """
    first, _, rest = text.partition(" ")
    if not _TYPE.fullmatch(kind or first):
        raise MessageError("no audit record: it does not begin with a type")
    body = rest if first == kind or not kind else text
    return Line(kind or first, -1, -1, "", *_split(body, shipped=False))


def _split(body: str, *, shipped: bool) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """The fields, and what is behind the mark. Nothing that stands in quotes is a mark."""
    if shipped and _SHIPPED_ENRICHED in body:
        body = _marked(body)
    fields: list[tuple[str, str]] = []
    place = body.find(_NESTED)
    while place > 0 and body[place - 1] not in " \t":
        place = body.find(_NESTED, place + 1)
    end = body.rfind("'") if place >= 0 else -1
    if place >= 0 and end > place + len(_NESTED) - 1:
        _read(body[:place], fields)
        _read(body[place + len(_NESTED) : end], fields)
        body = body[end + 1 :]
    elif place >= 0:  # it never ends
        body = f"{body[:place]} {body[place + len(_NESTED) :]}"
    rest = _read(body, fields)
    known: list[tuple[str, str]] = []
    _read(rest, known)
    return fields, {name: value.strip('"') for name, value in reversed(known)}


def _read(text: str, fields: list[tuple[str, str]]) -> str:
    """Add the fields of a text up to the mark; what is behind it. Words that are no field say what people read."""
    for match in _FIELD.finditer(text):
        name, value, mark = match.groups()
        if mark:
            return text[match.end() :]
        if name:
            fields.append((name, value.rstrip(",") if value[:1] not in "\"'{" else value))
    return ""


def _marked(body: str) -> str:
    """The first mark that rsyslog has written anew and that stands in no quotes, as it was."""
    quoted = False
    for part in re.finditer(r"\"|#035(?=[A-Z0-9_]+=)", body):
        if part[0] == '"':
            quoted = not quoted
        elif not quoted:
            return f"{body[: part.start()]}{ENRICHED}{body[part.end() :]}"
    return body
