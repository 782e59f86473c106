# SPDX-License-Identifier: Apache-2.0
"""The fields that a query can name: what each looks at, and which values it takes. Declared once for all stores."""

from typing import Literal, NamedTuple

Type = Literal["keyword", "number", "address", "text", "time"]


class Field(NamedTuple):
    """One name of the language."""

    name: str
    type: Type
    paths: tuple[str, ...]
    """Fields of a stored document, by their dotted names; a value of any of them counts."""
    about: str
    values: tuple[str, ...] = ()
    """The only values that there are; empty = any."""
    kind: str = ""
    """Of `text`: the kind of derived documents that hold it."""


LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "trace", "unknown")
LONGEST = 8191
"""Characters of a keyword; longer values are stored and not found by their field."""

_USERS = ("tlog.user", "user.name", "user.audit.name", "recording.user", "command.user", "line.user")
_SESSIONS = ("tlog.session", "ttyscribe.audit_session", "recording.session")

FIELDS = {
    field.name: field
    for field in (
        Field("user", "keyword", _USERS, "who was recorded, or acted"),
        Field("host", "keyword", ("hostname",), "where"),
        Field("kind", "keyword", ("ttyscribe.kind",), "kind of document: tlog, syslog, aushape, line, command, …"),
        Field("rec", "keyword", ("ttyscribe.recording",), "id of a recording"),
        Field("session", "number", _SESSIONS, "the kernel's audit session"),
        Field("cmd", "text", ("command.text",), "a command that was run", kind="command"),
        Field("line", "text", ("line.text",), "a line that stood on a screen", kind="line"),
        Field("path", "keyword", ("file.path",), "a file that was touched, from audit"),
        Field("exe", "keyword", ("process.executable",), "a program that ran, from audit"),
        Field("ip", "address", ("source.ip", "destination.ip"), "an address or network, as 10.0.0.0/8"),
        Field("level", "keyword", ("level",), "how urgent", LEVELS),
        Field("trust", "keyword", ("ttyscribe.trust",), "who vouches for it", ("system", "user", "none")),
        Field("since", "time", ("@timestamp",), "at or after a time"),
        Field("until", "time", ("@timestamp",), "before a time"),
    )
}
