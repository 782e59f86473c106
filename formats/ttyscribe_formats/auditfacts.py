# SPDX-License-Identifier: Apache-2.0
"""Who did what, where, with which outcome: the typed fields of the records of one audit event, and a sentence of them.

The names are those of the Elastic Common Schema; `fields/activity.toml` declares them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats import auditnames
from ttyscribe_formats.auditrecord import ABSENT, Record, Socket, Value, address, identity, number, said, socket

_OUTCOMES = {
    "yes": "success",
    "success": "success",
    "1": "success",
    "no": "failure",
    "failed": "failure",
    "0": "failure",
}
_INCOMING = frozenset(("accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "getpeername"))
_PARTS = frozenset(("syscall", "execve", "cwd", "path", "proctitle", "sockaddr", "eoe", "fd_pair", "socketcall"))
"""Records that a system call's sentence tells already."""
_UNTOLD = frozenset(("ses", "subj", "pid", "uid", "auid", "old-auid", "old-ses"))
_PLAIN = re.compile(r"[\w@%+=:,./~^-]+")
_CALL = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
MAX_SHOWN = 4000
"""Characters of one part of a sentence."""


class Facts(NamedTuple):
    """What one event says."""

    parts: dict[str, Any]
    """`process`, `user`, `file`, `source`, `destination` and `event`, each as far as it is known."""
    session: int | None
    """The audit session; none where it was never set."""
    sentence: str
    """One line for people, without control characters."""
    searched: str
    """What else a search should find it by, longer than a sentence may be."""


def facts(records: Sequence[Record]) -> Facts:
    """Everything that the records of one event say in typed fields."""
    if not records:
        return Facts({}, None, "", "")
    main = next((record for record in records if record.type == "syscall"), records[0])
    by_type = {record.type: record for record in reversed(records)}
    cwd = said(by_type["cwd"].fields.get("cwd")) if "cwd" in by_type else said(main.fields.get("cwd"))
    action = _action(main)
    end = socket(by_type["sockaddr"].fields.get("saddr")) if "sockaddr" in by_type else Socket()
    paths = _paths(records, cwd, end)
    parts: dict[str, Any] = {"process": _process(main, by_type, cwd), "user": _user(main)}
    if paths:
        parts["file"] = {"path": paths}
    # A SOCKADDR record by itself does not say which side it is.
    parts |= _ends(main, end if main.type == "syscall" and action else Socket(), incoming=action in _INCOMING)
    parts["event"] = {"action": action}
    outcome = next(
        (
            _OUTCOMES[said(main.fields.get(name))]
            for name in ("success", "res", "result")
            if said(main.fields.get(name)) in _OUTCOMES
        ),
        "",
    )
    if outcome:
        parts["event"]["outcome"] = outcome
    parts = {name: part for name, part in parts.items() if part}
    session = number(main.fields.get("ses"))
    arguments = parts.get("process", {}).get("args", [])
    title = parts.get("process", {}).get("title", "")
    return Facts(
        parts,
        session,
        _sentence(main, records, parts, end),
        "\n".join([*arguments, *paths, title, cwd, *_names(parts), _keys(main), end.ip]),
    )


def _action(main: Record) -> str:
    if main.type != "syscall":
        return main.type
    value = main.fields.get("syscall")
    if value is None:
        return "syscall"
    if _CALL.fullmatch(value.shown):
        return value.shown
    arch = main.fields.get("arch")
    return auditnames.system_call(arch.raw, value.raw) if arch is not None else ""


def _process(main: Record, by_type: Mapping[str, Record], cwd: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if (pid := number(main.fields.get("pid"))) is not None:
        made["pid"] = pid
    if (parent := number(main.fields.get("ppid"))) is not None:
        made["parent"] = {"pid": parent}
    for name, field in (("executable", "exe"), ("name", "comm"), ("command_line", "cmd")):
        if text := said(main.fields.get(field)):
            made[name] = text
    if "execve" in by_type and by_type["execve"].arguments:
        made["args"] = by_type["execve"].arguments
    if "proctitle" in by_type and (title := said(by_type["proctitle"].fields.get("proctitle"))):
        made["title"] = title
    if cwd:
        made["working_directory"] = cwd
    if tty := said(main.fields.get("tty")) or said(main.fields.get("terminal")):
        made["tty"] = tty
    return made


def _user(main: Record) -> dict[str, Any]:
    made: dict[str, Any] = dict(identity(main.fields.get("uid")))
    for name, field in (("effective", "euid"), ("audit", "auid"), ("target", "id")):
        if found := identity(main.fields.get(field)):
            made[name] = found
    if account := said(main.fields.get("acct")):
        made.setdefault("target", {}).setdefault("name", account)
    return made


def _paths(records: Sequence[Record], cwd: str, end: Socket) -> list[str]:
    """The paths, each once; one that is relative is joined with the working folder."""
    said_so = [said(record.fields.get(_path_field(record))) for record in records]
    folder = f"{cwd.rstrip('/')}/" if cwd.startswith("/") else ""
    found = [path if path.startswith("/") else folder + path for path in said_so if path]
    return list(dict.fromkeys([*found, *([end.path] if end.path else [])]))


def _path_field(record: Record) -> str:
    """Where a record names a file; AppArmor does it under `name`."""
    return "name" if record.type == "path" or (record.type == "avc" and "apparmor" in record.fields) else "path"


def _ends(main: Record, end: Socket, *, incoming: bool) -> dict[str, Any]:
    """`source` and `destination`."""
    made: dict[str, dict[str, Any]] = {}
    if end.ip:
        made["source" if incoming else "destination"] = _end(end.ip, end.port)
    if peer := address(said(main.fields.get("addr"))):
        made["source"] = _end(peer, _port(main.fields.get("rport")))
    if own := address(said(main.fields.get("laddr"))):
        made["destination"] = _end(own, _port(main.fields.get("lport")))
    return made


def _end(ip: str, port: int) -> dict[str, Any]:
    return {"ip": ip, "port": port} if 0 <= port < 65536 else {"ip": ip}


def _port(value: Value | None) -> int:
    found = number(value)
    return -1 if found is None else found


def _names(parts: Mapping[str, Any]) -> list[str]:
    user, process = parts.get("user", {}), parts.get("process", {})
    found = [user.get("name", ""), *(user.get(name, {}).get("name", "") for name in ("effective", "audit", "target"))]
    return [*found, process.get("executable", ""), process.get("name", ""), process.get("command_line", "")]


def _keys(main: Record) -> str:
    """The keys of the audit rules that made the record; several are parted by a control character."""
    return said(main.fields.get("key")).replace("\x01", " ")


def _sentence(main: Record, records: Sequence[Record], parts: Mapping[str, Any], end: Socket) -> str:
    """Who did what."""
    told = [_deed(main, parts, end)] if main.type == "syscall" or "cmd" in main.fields else []
    hidden = _PARTS if told else frozenset(("eoe",))
    told += [_listed(record) for record in records if record.type not in hidden and (record is not main or not told)]
    return "; ".join(told)


def _deed(main: Record, parts: Mapping[str, Any], end: Socket) -> str:
    user, process, event = parts.get("user", {}), parts.get("process", {}), parts["event"]
    who = _person(user.get("audit", {})) or _person(user) or "somebody"
    command = joined(process["args"]) if "args" in process else clean(process.get("command_line", ""))
    if command:
        text = f"{who} ran {command}"
    else:
        text = f"{who}: {event['action'] or 'a system call'}"
        what = [*parts.get("file", {}).get("path", []), *([f"{end.ip} port {end.port}"] if end.ip else [])] or [
            end.shown
        ]
        text += f" {clean(', '.join(what))}" if any(what) else ""
        if by := process.get("title") or process.get("executable") or process.get("name"):
            text += f" by {clean(by)}"
    doer = _person(user.get("effective", {})) or _person(user)
    if doer and doer != who:
        text += f" as {doer}"
    if command and "working_directory" in process:
        text += f" in {clean(process['working_directory'])}"
    if "outcome" in event:
        reason = said(main.fields.get("exit")) if event["outcome"] == "failure" else ""
        text += f": {event['outcome']}" + (f", {clean(reason)}" if reason else "")
    return text


def _person(user: Mapping[str, Any]) -> str:
    return clean(user.get("name", "")) or (f"uid {user['id']}" if "id" in user else "")


def _listed(record: Record) -> str:
    """A record as its fields."""
    fields = [
        f"{name}={quoted(value.shown)}"
        for name, value in record.fields.items()
        if name not in _UNTOLD and value.shown not in ABSENT
    ]
    text = " ".join([*fields, *map(quoted, record.arguments)])
    who = [
        f"{name}={clean(value.shown)}"
        for name, value in record.fields.items()
        if name in ("auid", "uid", "pid") and value.shown != "unset"
    ]
    return f"{record.type.upper()}: {_cut(' '.join([text, *who]).strip())}"


def joined(arguments: Sequence[str]) -> str:
    """A command line, quoted as a shell would need it."""
    return _cut(" ".join(map(quoted, arguments)))


def quoted(text: str) -> str:
    """One argument of it."""
    if _PLAIN.fullmatch(text):
        return text
    return "'" + _CONTROL.sub(_escaped, text.replace("'", "'\\''")) + "'"


def clean(text: str) -> str:
    """A text without control characters, which are written out, and not too long."""
    return _cut(_CONTROL.sub(_escaped, text))


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], f"\\x{ord(match[0]):02x}")


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text) - MAX_SHOWN} more characters)"
