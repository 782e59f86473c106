# SPDX-License-Identifier: Apache-2.0
"""What sudo logs: events in JSON, the record of an I/O log, and the lines of old.

::

    @cee:{"sudo":{"accept":{"uuid":"...","submit_time":{...},"submituser":"ada","command":"/bin/ls","runuser":"root",...}}}
    ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/bin/ls -l
    ada : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/bin/ls

Where a line can be read in two ways, because somebody called a folder so, nothing of it is believed but who asked.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ttyscribe_formats import strictjson
from ttyscribe_formats.auditfacts import clean, joined
from ttyscribe_formats.auditrecord import MAX_ID, address
from ttyscribe_formats.errors import MessageError

EVENTS = ("accept", "reject", "alert", "exit")
COOKIE = "@cee:"
_SECOND = 1_000_000_000
_CLASSIC = re.compile(r"\s*(?P<user>\S[^:;]*?) : (?P<rest>.*)", re.DOTALL)
_FIELD = re.compile(r"(HOST|TTY|CHROOT|PWD|USER|GROUP|TSID|ENV)=(.*)", re.DOTALL)
_COMMAND = re.compile(r"(?:^| ; )COMMAND=")
_END = re.compile(r"(?: ; SIGNAL=(?P<signal>[A-Z0-9+-]{1,16}))?(?: ; EXIT=(?P<exit>[0-9]{1,5}))?$")
_NAMED = re.compile(r"(?:^| ; )(?:HOST|TTY|CHROOT|PWD|USER|GROUP|TSID|ENV|COMMAND)=")
_PROGRAM = re.compile(r"/\S+")
_CONTINUED = "(command continued) "


class Entry(NamedTuple):
    """One thing that sudo logged."""

    event: str
    """`accept`, `reject`, `alert`, `exit`; `iolog` for the record of an I/O log, `continued` for more of a command."""
    time_ns: int
    """-1 where the entry has none."""
    host: str
    """Where it happened, if another host than that of the log server wrote it down."""
    parts: dict[str, Any]
    """`process`, `user`, `source` and `event`, each as far as it is known."""
    own: dict[str, Any]
    """What is sudo's own: reason, uuid, signal, where the session's recording is; and, of JSON, the whole of it."""
    sentence: str
    """One line for people; empty where the text itself is that."""
    searched: str


def looks_like(text: str, *, from_sudo: bool) -> bool:
    """Tell at a glance whether a text may be one of these."""
    text = text.removeprefix(COOKIE).lstrip()
    if text[:1] == "{":
        return text.startswith('{"sudo":') or (from_sudo and ('"sudo"' in text or '"submituser"' in text))
    return from_sudo and " : " in text and (_NAMED.search(text.partition(" : ")[2]) is not None or _CONTINUED in text)


def parse(text: str) -> Entry:
    """One entry. Raises MessageError where it is none, or could not be kept exactly."""
    body = text.removeprefix(COOKIE).lstrip()
    return _json(strictjson.loads(body)) if body[:1] == "{" else _classic(body)


# ---- JSON


def _json(value: Any) -> Entry:
    if type(value) is not dict:
        raise MessageError("no entry of sudo: no JSON object")
    event, fields = "iolog", value
    if "sudo" in value:
        inner = value["sudo"]
        if len(value) != 1 or type(inner) is not dict or len(inner) != 1:
            raise MessageError("no entry of sudo: not one event")
        ((event, fields),) = inner.items()
        if event not in EVENTS or type(fields) is not dict:
            raise MessageError(f"no entry of sudo: {event[:64]!r} is no event")
    elif type(value.get("submituser")) is not str:
        raise MessageError("no entry of sudo: it does not say who asked")
    parts = _parts(event, fields)
    own = {name: fields[name] for name in ("reason", "uuid", "iolog_path", "signal") if _text(fields, name)}
    own |= {"event": event, "data": fields}
    peer = address(_text(fields, "peeraddr"))
    if peer:
        parts["source"] = {"ip": peer}
    host = _text(fields, "submithost") if peer or event == "iolog" else ""
    searched = [*parts.get("process", {}).get("args", []), *(value for value in fields.values() if type(value) is str)]
    return Entry(event, _time(fields), host, parts, own, _sentence(event, parts, own), "\n".join(searched))


def _parts(event: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    process: dict[str, Any] = {}
    if command := _text(fields, "command"):
        process["executable"] = command
    arguments = fields.get("runargv")
    if type(arguments) is list and arguments and all(type(item) is str for item in arguments):
        process["args"] = arguments
    for name, keys in (("working_directory", ("runcwd", "submitcwd")), ("tty", ("ttyname",))):
        if found := next((_text(fields, key) for key in keys if _text(fields, key)), ""):
            process[name] = found
    status = fields.get("exit_value")
    if type(status) is int and 0 <= status <= MAX_ID:
        process["exit_code"] = status
    user = _person(fields, "submituser", "submituid")
    if effective := _person(fields, "runuser", "runuid"):
        user["effective"] = effective
    if group := _person(fields, "rungroup", "rungid"):
        user.setdefault("effective", {})["group"] = group
    made = {"process": process, "user": user, "event": _event(event, status, _text(fields, "signal"))}
    return {name: part for name, part in made.items() if part}


def _event(event: str, status: Any, signal: str) -> dict[str, str]:
    if event == "iolog":
        return {"action": event}
    good = event == "accept" or (event == "exit" and status == 0 and not signal)
    return {"action": event, "outcome": "success" if good else "failure"}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if type(value) is str else ""


def _person(fields: Mapping[str, Any], name: str, number: str) -> dict[str, Any]:
    found = {"name": fields[name]} if _text(fields, name) else {}
    value = fields.get(number)
    return {"id": str(value)} | found if type(value) is int and 0 <= value <= MAX_ID else found


def _time(fields: Mapping[str, Any]) -> int:
    """When it happened; -1 where it does not say so in numbers."""
    for name in ("submit_time", "exit_time", "alert_time", "timestamp", "server_time"):
        value = fields.get(name)
        if type(value) is dict:
            seconds, rest = value.get("seconds"), value.get("nanoseconds", 0)
            if type(seconds) is int and type(rest) is int and 0 <= seconds < 2**33 and 0 <= rest < _SECOND:
                return seconds * _SECOND + rest
    return -1


# ---- lines


def _classic(text: str) -> Entry:
    match = _CLASSIC.fullmatch(text)
    if match is None:
        raise MessageError("no entry of sudo: it does not begin with who asked")
    user, rest = {"name": match["user"]}, match["rest"]
    if rest.startswith(_CONTINUED):
        return _entry({"event": "continued"}, {"user": user, "event": {"action": "continued"}})
    commands = list(_COMMAND.finditer(rest))
    head, tail = (rest[: commands[0].start()], rest[commands[0].end() :]) if commands else (rest, "")
    fields, reason, doubtful = _head(head)
    own = {"reason": reason} if reason else {}
    if doubtful or len(commands) > 1:
        own |= {"event": "reject" if reason else "accept", "ambiguous": "yes"}
        return _entry(own, {"user": user, "event": _event(own["event"], 0, "")})
    if "TSID" in fields:
        own["iolog_path"] = fields["TSID"]
    process, signal = _process(fields, tail)
    own |= {"signal": signal} if signal else {}
    ended = signal or "exit_code" in process
    own["event"] = "reject" if reason else "exit" if ended else "accept"
    parts = {"process": process, "user": user | _effective(fields)}
    return _entry(own, parts | {"event": _event(own["event"], process.get("exit_code"), signal)})


def _process(fields: Mapping[str, str], tail: str) -> tuple[dict[str, Any], str]:
    """`process`, and the signal that ended it, out of the fields and of what stands behind `COMMAND=`."""
    end = _END.search(tail)
    command = tail[: end.start()] if end else tail
    process: dict[str, Any] = {"command_line": command} if command else {}
    if program := _PROGRAM.match(command):
        process["executable"] = program[0]
    for name, key in (("working_directory", "PWD"), ("tty", "TTY")):
        if fields.get(key) not in (None, "", "unknown", "none"):
            process[name] = fields[key]
    if end and end["exit"]:
        process["exit_code"] = int(end["exit"])
    return process, (end["signal"] or "") if end else ""


def _effective(fields: Mapping[str, str]) -> dict[str, Any]:
    effective: dict[str, Any] = {"name": fields["USER"]} if fields.get("USER") else {}
    if fields.get("GROUP"):
        effective["group"] = {"name": fields["GROUP"]}
    return {"effective": effective} if effective else {}


def _head(head: str) -> tuple[dict[str, str], str, bool]:
    """The fields before the command, why it was refused, and whether any stands twice."""
    fields: dict[str, str] = {}
    reason: list[str] = []
    doubtful, last = False, ""
    for part in head.split(" ; "):
        match = _FIELD.fullmatch(part)
        if match:
            doubtful = doubtful or match[1] in fields
            last, fields[match[1]] = match[1], match[2]
        elif last:
            fields[last] += f" ; {part}"
        elif part:
            reason.append(part)
    return fields, " ; ".join(reason), doubtful


def _entry(own: dict[str, Any], parts: Mapping[str, Any]) -> Entry:
    kept = {name: part for name, part in parts.items() if part}
    return Entry(own["event"], -1, "", kept, own, "", kept.get("process", {}).get("command_line", ""))


# ---- for people


def _sentence(event: str, parts: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    user, process = parts.get("user", {}), parts.get("process", {})
    who, command = clean(user.get("name", "")), process.get("args") or [process.get("executable", "")]
    if event == "exit":
        end = f"signal {clean(own['signal'])}" if "signal" in own else f"status {process.get('exit_code', 'unknown')}"
        return f"sudo: the command of {clean(own.get('uuid', '')) or 'an earlier entry'} ended: {end}"
    text = f"{who or 'somebody'} {'ran' if event in ('accept', 'iolog') else 'wanted to run'} {joined(command)}"
    effective = user.get("effective", {})
    if name := effective.get("name") or effective.get("id"):
        text += f" as {clean(name)}"
    if group := effective.get("group", {}).get("name"):
        text += f", group {clean(group)},"
    if "working_directory" in process:
        text += f" in {clean(process['working_directory'])}"
    if "tty" in process:
        text += f" on {clean(process['tty'])}"
    if event in ("reject", "alert"):
        return f"{text}: refused, {clean(own.get('reason', '')) or 'no reason given'}"
    return text
