# SPDX-License-Identifier: Apache-2.0
"""What the fields of an audit record mean: decoded values, however the record came (a raw line, or aushape's JSON)."""

import ipaddress
import re
from typing import NamedTuple

from ttyscribe_formats.auditline import Line

UNSET = frozenset(("4294967295", "-1", "unset", "18446744073709551615"))
"""An id that was never set; it names nobody and joins with nothing."""
ABSENT = frozenset(("", "?", "(null)", "(none)", "none"))
"""How a record says that there is nothing to say."""
MAX_ID = 2**32 - 2

_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_NAMES = (
    "acct apparmor cgroup cmd comm cwd data denied_mask device dir exe file grp info invalid_context key name "
    "new_group new-chardev new-disk new-fs new-net new-rng ocomm old-chardev old-disk old-fs old-net old-rng operation "
    "path proctitle profile requested_mask root_dir sw unit vm watch"
)
_ENCODED = frozenset(_NAMES.split())
"""Fields that are in quotes, or in hexadecimal where they hold a quote, a blank, or what is no ASCII."""
_ARGUMENT = re.compile(r"a([0-9]{1,9})(?:\[([0-9]{1,9})\])?")
_SHOWN_SOCKET = re.compile(r"(?:laddr|host:?)[= ]?([0-9A-Fa-f:.]+)(?: (?:lport|serv:?)[= ]?([0-9]{1,5}))?")
_SHOWN_PATH = re.compile(r"(?:saddr_fam=local|^local) (?:path=)?(.*?)(?: \})?$")
_INET, _INET6, _LOCAL = 2, 10, 1


class Value(NamedTuple):
    """One field."""

    shown: str
    """For people: decoded, a name where one is known."""
    raw: str
    """As the kernel or the sender wrote it."""


class Record(NamedTuple):
    """One record of an event."""

    type: str
    """In small letters."""
    fields: dict[str, Value]
    """By name; of a name that stands twice the first, which is the kernel's own."""
    arguments: list[str]
    """Of an EXECVE record."""


class Socket(NamedTuple):
    """A socket's address."""

    ip: str = ""
    port: int = -1
    path: str = ""
    shown: str = ""
    """As the converter shows it, where it is neither of these."""


def decoded(name: str, raw: str) -> str:
    """A value as text, without quotes and out of hexadecimal."""
    if raw[:1] in ('"', "'"):
        return raw[1:].removesuffix(raw[0])
    if name in _ENCODED and _HEX.fullmatch(raw):
        return text_of(bytes.fromhex(raw))
    return raw


def text_of(data: bytes) -> str:
    """Bytes as text; what is not UTF-8 becomes U+FFFD, and NUL, which parts arguments, a blank."""
    return data.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")


def from_line(line: Line) -> Record:
    """The record of a raw line."""
    fields: dict[str, Value] = {}
    for name, raw in line.fields:
        if name not in fields:
            fields[name] = Value(line.enriched.get(name.upper()) or decoded(name, raw), raw)
    return Record(line.type.lower(), fields, _arguments(line) if line.type == "EXECVE" else [])


def _arguments(line: Line) -> list[str]:
    """The arguments in this line, in the order of their numbers; pieces of one are joined."""
    pieces: dict[int, list[tuple[int, bytes]]] = {}
    for name, raw in line.fields:
        if match := _ARGUMENT.fullmatch(name):
            data = bytes.fromhex(raw) if _HEX.fullmatch(raw) else raw.strip('"').encode("utf-8", "surrogatepass")
            pieces.setdefault(int(match[1]), []).append((int(match[2] or 0), data))
    return [
        b"".join(data for _, data in sorted(found)).decode("utf-8", "replace") for _, found in sorted(pieces.items())
    ]


def said(value: Value | None) -> str:
    """What a field says; empty where it is not there or says that there is nothing."""
    return "" if value is None or value.shown in ABSENT or value.raw in ABSENT else value.shown


def number(value: Value | None) -> int | None:
    """A pid, port or session; none where it is unset, no number, or beyond 32 bit."""
    if (
        value is None
        or value.raw in UNSET
        or not (value.raw.isascii() and value.raw.isdecimal() and len(value.raw) < 11)
    ):
        return None
    found = int(value.raw)
    return found if found <= MAX_ID else None


def identity(value: Value | None) -> dict[str, str]:
    """Id and name of a user or group, as far as each is known."""
    if value is None or value.raw in UNSET or value.raw in ABSENT:
        return {}
    found = {"id": value.raw} if value.raw.isascii() and value.raw.isdecimal() and len(value.raw) < 11 else {}
    shown = value.shown
    if shown and shown not in UNSET and not shown.startswith("unknown(") and shown != found.get("id"):
        found["name"] = shown
    return found


def address(text: str) -> str:
    """An IP address in its usual form; empty for what is none."""
    if len(text) > 64 or "%" in text:
        return ""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def socket(value: Value | None) -> Socket:
    """The address of a SOCKADDR record's `saddr`, out of its bytes, else out of what the converter made of them."""
    if value is None:
        return Socket()
    if _HEX.fullmatch(value.raw):
        found = _socket_of(bytes.fromhex(value.raw))
        return found if found.ip or found.path else Socket(shown=value.shown)
    if match := _SHOWN_SOCKET.search(value.shown):
        port = int(match[2]) if match[2] and int(match[2]) < 65536 else -1
        return Socket(address(match[1]), port) if address(match[1]) else Socket()
    match = _SHOWN_PATH.search(value.shown)
    return Socket(path=match[1]) if match and match[1].startswith("/") else Socket(shown=value.shown)


def _socket_of(data: bytes) -> Socket:
    if len(data) < 3:
        return Socket()
    # The family is in the host's byte order; all that matter here are below 256.
    family = data[0] or data[1]
    port = int.from_bytes(data[2:4], "big")
    if family == _INET and len(data) >= 8:
        return Socket(str(ipaddress.IPv4Address(data[4:8])), port)
    if family == _INET6 and len(data) >= 24:
        return Socket(str(ipaddress.IPv6Address(data[8:24])), port)
    if family == _LOCAL and data[2:3] == b"/":
        return Socket(path=data[2:].partition(b"\0")[0].decode("utf-8", "replace"))
    return Socket()
