# SPDX-License-Identifier: Apache-2.0
"""Checks of rsyslog's configuration; pure. What needs the host's files is in `programs.py`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ttyscribe.health.findings import PROGRAM, Finding, Place
from ttyscribe.health.rainerscript import Assignment, Directive, Item, Object, objects
from ttyscribe.health.rsyslog_rules import RULES

ENOUGH = 64 << 10
"""Bytes of a message that must pass: recorders are told to make payloads of up to 32 KiB, and escaping doubles them."""
LEAST_QUEUE = 1001
_PATIENT_MS = 24 * 3600 * 1000
_FOREVER = "-1"
_SHIPPERS = frozenset(("omrelp", "omfwd", "omelasticsearch"))
_RATE_LIMITS = {
    "imjournal": ("ratelimit.interval", 600),
    "imuxsock": ("syssock.ratelimit.interval", 0),
}
"""Modules: the parameter with seconds, and its default."""
_OLD_LIMITS = frozenset(("systemlogratelimitinterval", "imuxsockratelimitinterval", "imjournalratelimitinterval"))
_SIZE = re.compile(r"(\d+)\s*([kKmMgG]?)")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_JSON_FORMATS = frozenset(("json", "jsonf", "jsonr", "jsonfr"))
_RSYSLOGS_OWN = frozenset(
    ("timegenerated", "timereported", "fromhost-ip", "inputname", "syslogfacility", "syslogseverity", "pri", "uuid")
)
"""Properties that no sender chooses, without a character that JSON escapes."""
_WHOLE = frozenset(("$!all-json", "$!all-json-plain"))
"""Properties that are JSON by themselves."""
_FILLED = re.compile(r"(\$[!.][\w!]+)=exec_template\([\"']([\w.-]+)[\"']\)")
"""A variable that holds what a template makes."""


def runs(items: Iterable[Item]) -> Iterator[Object]:
    """The actions that run our program."""
    return (action for action in objects(items, "action") if PROGRAM in action.get("binary"))


def user(items: Iterable[Item]) -> str:
    """As whom rsyslogd runs; empty for root."""
    found = ""
    for item in items:
        if isinstance(item, Directive) and item.name == "privdroptouser":
            found = item.value
        elif isinstance(item, Object) and item.name == "global":
            found = item.get("privdrop.user.name", found)
    return found


def reads_twice(items: Sequence[Item]) -> bool:
    """Whether it reads the journal and the socket to which journald hands on."""
    modules = {module.get("load"): module for module in objects(items, "module")}
    return "imjournal" in modules and "imuxsock" in modules and modules["imuxsock"].on("syssock.use", default=True)


def check(items: Sequence[Item], path: str) -> Iterator[Finding]:
    """Everything that is wrong in what `path` and its included files say."""
    actions, ours = list(_actions(items)), list(runs(items))
    if not actions:
        yield Finding(RULES["rsyslog-23"], Place(path))
        return
    yield from _sizes(items, path)
    yield from _limits(items)
    yield from _characters(items)
    for action in actions:
        if action.get("type").lower() == "mmexternal":
            yield from _found("rsyslog-21", action.get("interface.input") != "fulljson", action)
            continue
        yield from _queue(action, items)
        retried = action.get("action.resumeretrycount") == _FOREVER
        yield from _found("rsyslog-10", not retried, action, action.get("action.resumeretrycount", "not set"))
    for action in ours:
        if action.get("type").lower() == "omprog":
            yield from _protocol(action)
            yield from _template(action, items)
            yield from _believed(action, items)
    if any(action.get("type").lower() != "omelasticsearch" for action in ours):
        yield from _attested(items)


def size(text: str) -> int:
    """A size as rsyslog writes it (`256k`), in bytes; 0 for what is none."""
    found = _SIZE.fullmatch(text.strip())
    return int(found[1]) * _UNITS[found[2].lower()] if found else 0


def _found(key: str, broken: bool, item: Item, detail: str = "") -> Iterator[Finding]:
    if broken:
        yield Finding(RULES[key], item.place, detail)


def _actions(items: Iterable[Item]) -> Iterator[Object]:
    """What delivers messages to us, or ships them on."""
    for action in objects(items, "action"):
        if PROGRAM in action.get("binary") or action.get("type").lower() in _SHIPPERS:
            yield action


def _sizes(items: Sequence[Item], path: str) -> Iterator[Finding]:
    """The limit is big enough, and told before anything takes the default over."""
    limit, place, early = 8096, Place(path), ""
    for item in items:
        told = ""
        if isinstance(item, Object) and item.name == "global":
            told = item.get("maxmessagesize")
        elif isinstance(item, Directive) and item.name == "maxmessagesize":
            told = item.value
        elif isinstance(item, Object) and item.name in ("module", "input") and not told and limit == 8096:
            early = early or f"after {item.name}({item.get('load') or item.get('type')})"
        if told:
            limit, place = size(told), item.place
            if limit >= ENOUGH and early:
                yield Finding(RULES["rsyslog-2"], place, f"told {early}")
    if limit < ENOUGH:
        yield Finding(RULES["rsyslog-2"], place, f"at {limit} bytes")


def _limits(items: Iterable[Item]) -> Iterator[Finding]:
    for item in items:
        if isinstance(item, Directive):
            yield from _found("rsyslog-3", item.name in _OLD_LIMITS and item.value not in ("0", ""), item, item.value)
        elif isinstance(item, Object) and item.name == "module" and (name := item.get("load")) in _RATE_LIMITS:
            key, default = _RATE_LIMITS[name]
            value = item.get(key, str(default))
            yield from _found("rsyslog-3", value != "0", item, f"{name}: {value} s")
        elif isinstance(item, Object) and item.name == "input":
            value = item.get("ratelimit.interval", "0")
            yield from _found("rsyslog-3", value != "0", item, f"{item.get('type')}: {value} s")


def _characters(items: Iterable[Item]) -> Iterator[Finding]:
    for item in items:
        values = {}
        if isinstance(item, Object) and item.name == "global":
            values = item.params
        elif isinstance(item, Directive):
            values = {f"parser.{item.name}": item.value}
        control = values.get("parser.escapecontrolcharactersonreceive", "on").lower()
        yield from _found("rsyslog-16", control in ("off", "no", "false", "0"), item)
        eight = values.get("parser.escape8bitcharactersonreceive", values.get("parser.escape8bitcharsonreceive", "off"))
        yield from _found("rsyslog-17", eight.lower() in ("on", "yes", "true", "1"), item)


def _queue(action: Object, items: Iterable[Item]) -> Iterator[Finding]:
    """The queue before an action: its own, else its ruleset's, else the main one."""
    queue = _queue_of(action, items)
    kind = queue.get("queue.type", "Direct" if queue is action else "FixedArray").lower()
    on_disk, assisted = kind == "disk", bool(queue.get("queue.filename")) and kind != "direct"
    if queue is action and "--spool" in action.get("binary").split() and _straight(items):
        return  # rsyslogd has nothing to keep
    if not on_disk and not assisted:
        yield Finding(RULES["rsyslog-4"], queue.place, f"queue.type {kind}, no queue.filename")
        return
    interval = queue.get("queue.checkpointinterval", "0")
    yield from _found(
        "rsyslog-5", not (interval.isdecimal() and int(interval) == 1), queue, f"checkpointInterval {interval}"
    )
    yield from _found("rsyslog-6", not on_disk and not queue.on("queue.saveonshutdown"), queue)
    patience, room = queue.get("queue.timeoutenqueue", "2000"), queue.get("queue.size", "1000")
    patient = patience.isdecimal() and int(patience) >= _PATIENT_MS
    roomy = room.isdecimal() and (int(room) >= LEAST_QUEUE or (on_disk and room == "0"))  # 0: as much as the disk holds
    yield from _found("rsyslog-7", not (patient and roomy), queue, f"size {room}, timeoutEnqueue {patience} ms")
    yield from _found("rsyslog-8", not size(queue.get("queue.maxdiskspace", "0")), queue)


def _queue_of(action: Object, items: Iterable[Item]) -> Object:
    if action.get("queue.type", "direct").lower() != "direct":
        return action
    for ruleset in objects(items, "ruleset"):
        inside = action.scope == f"ruleset {ruleset.get('name')}"
        if inside and ruleset.get("queue.type", "direct").lower() != "direct":
            return ruleset
    waiting = (queue for queue in objects(items, "main_queue") if queue.get("queue.type").lower() != "direct")
    return next(waiting, action)


def _straight(items: Iterable[Item]) -> bool:
    """Whether no message waits in the main queue, which is in memory by default."""
    return any(queue.get("queue.type").lower() == "direct" for queue in objects(items, "main_queue"))


def _protocol(action: Object) -> Iterator[Finding]:
    binary = action.get("binary")
    yield from _found("rsyslog-9", not action.on("confirmmessages"), action)
    signals = action.on("signalonclose")
    yield from _found("rsyslog-11", not (signals and action.on("killunresponsive", signals)), action)
    yield from _found("rsyslog-19", '"' in binary or "'" in binary, action, binary)
    yield from _found("rsyslog-20", action.on("usetransactions") and "--spool" not in binary.split(), action)


def _template(action: Object, items: Sequence[Item]) -> Iterator[Finding]:
    """The template's values are escaped, and its id was stamped before the queue."""
    properties = list(_properties(action.get("template"), items))
    if not properties:  # old-style, or text: it is read by nobody here
        return
    for item in properties:
        value = item.get("name").lower()
        safe = item.get("format").lower() in _JSON_FORMATS or value in _RSYSLOGS_OWN or value in _WHOLE
        safe = safe or (value == "rawmsg" and _carries(items))  # a host's line, known by its first bytes
        yield from _found("rsyslog-14", not safe, item, item.get("name"))
    stamped = {
        _target(item.text) for item in items if isinstance(item, Assignment) and "$uuid" in item.text.replace(" ", "")
    }
    for item in properties:
        yield from _found("rsyslog-13", item.get("name").lower() == "uuid", item)
    if not any(item.get("name") in stamped or item.get("name").lower() == "uuid" for item in properties):
        carried = any("id" in item.get("name").lower().split("!") for item in properties)
        yield from _found("rsyslog-12", not (carried and _carries(items)), action)


def _properties(name: str, items: Sequence[Item], depth: int = 3) -> Iterator[Object]:
    """A template's properties; in place of a variable that other templates fill, theirs."""
    for item in objects(items, "property"):
        if item.scope != f"template {name}":
            continue
        set_by = (_FILLED.search(other.text.replace(" ", "")) for other in items if isinstance(other, Assignment))
        filled = [found[2] for found in set_by if found and found[1] == item.get("name")]
        if not filled or not depth:
            yield item
        for inner in dict.fromkeys(filled):
            yield from _properties(inner, items, depth - 1)


def _target(text: str) -> str:
    return text.partition("=")[0].replace(" ", "")


def _carries(items: Iterable[Item]) -> bool:
    """Whether messages come from another rsyslog, which stamps them."""
    return any(found.get("type").lower() in ("imrelp", "imtcp") for found in objects(items, "input"))


def _believed(action: Object, items: Sequence[Item]) -> Iterator[Finding]:
    """Inputs whose messages are handed on as they came, without a check of who sends them."""
    raw = {item.scope for item in _properties(action.get("template"), items) if item.get("name").lower() == "rawmsg"}
    fills = [(item.scope, _FILLED.search(item.text.replace(" ", ""))) for item in items if isinstance(item, Assignment)]
    rulesets = {scope for scope, found in fills if found and f"template {found[2]}" in raw}
    for item in objects(items, "input"):
        if f"ruleset {item.get('ruleset')}" in rulesets:
            proved = item.on("tls") and item.get("tls.authmode") == "name" and bool(item.get("tls.permittedpeer"))
            proved = proved or item.get("streamdriver.authmode").lower() == "x509/name"
            yield from _found("rsyslog-24", not proved, item, f"{item.get('type')}, port {item.get('port')}")


def keys(items: Iterable[Item]) -> Iterator[tuple[str, Place]]:
    """Files with keys of certificates, and where they are named."""
    for item in items:
        if isinstance(item, Object):
            for name in ("tls.myprivkey", "streamdriver.keyfile", "defaultnetstreamdriverkeyfile"):
                if path := item.get(name):
                    yield path, item.place


def _attested(items: Iterable[Item]) -> Iterator[Finding]:
    for item in objects(items, "input"):
        if item.get("type").lower() == "imuxsock":
            yield from _found(
                "rsyslog-15", not (item.on("annotate") and item.on("parsetrusted")), item, item.get("socket")
            )
