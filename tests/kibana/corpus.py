# SPDX-License-Identifier: Apache-2.0
"""A week of documents of all kinds, as plain facts: dotted names and values, with `time` and `received` in ms.

The numbers are made by arithmetic on a counter, so that each run has the same.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.kibana.samples import DAY, HOSTILE, HOUR, MESSAGES, SINCE, STORY, STORY_START, UNTIL, Message
from ttyscribe_formats.document import Document

Fact = dict[str, Any]

MINUTE = 60_000
ESCAPES = "mallory\x1b[2J\x07\r\nroot"
LONG = "svc-" + "deploy-" * 60
HOSTS = ("web1", "web2", "db1", "jump")
PEOPLE = ("ada", "bob", "cyd", "dora", "emil")
BUSY = ("ada", "ada", "ada", "bob", "bob", "bob", "bob", "cyd", "cyd", "dora", "emil")
UIDS = {name: str(1000 + n) for n, name in enumerate((*PEOPLE, HOSTILE, ESCAPES, LONG))} | {
    "root": "0",
    "postgres": "26",
}
BOOT = "2f1c9c0a7d1b4a9f8f2b3f6a1c0d9e77"

_ARRIVES = {"jump": ("fluentd", "forward", "fluentd-json", "0.0.9"), "db1": ("rsyslog", "imjournal", "omprog", "0.1.0")}
_USUAL = ("rsyslog", "imuxsock", "omprog", "0.1.0")


def text(ms: int) -> str:
    """A time as documents have it."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}000+00:00"


def _lag(host: str, time: int, n: int) -> int:
    """Milliseconds until a message is received: a relay is slow, and was stuck for some hours."""
    if host == "jump":
        stuck = 5 * DAY <= time - SINCE < 5 * DAY + 6 * HOUR
        return 2_000 + n * 331 % 1500 + (8 * MINUTE if stuck else 0)
    return 40 + n * 37 % 400


def _fact(kind: str, name: str, time: int, host: str, message: str, n: int, **more: Any) -> Fact:
    collector, way, protocol, version = _ARRIVES.get(host, _USUAL)
    received = time + _lag(host, time, n)
    return {
        "time": time,
        "received": received,
        "hostname": host,
        "level": "info",
        "message": message,
        "viaq_msg_id": name,
        "pipeline_metadata.collector.name": collector,
        "pipeline_metadata.collector.inputname": way,
        "pipeline_metadata.collector.received_at": text(received),
        "pipeline_metadata.normalizer.name": "ttyscribe",
        "pipeline_metadata.normalizer.inputname": protocol,
        "pipeline_metadata.normalizer.version": version,
        "ttyscribe.kind": kind,
        "ttyscribe.partition": text(time)[:7].replace("-", "."),
        "ttyscribe.trust": "system",
        "ttyscribe.words": "words",
        **more,
    }


def _derived(kind: str, name: str, time: int, host: str, message: str, **more: Any) -> Fact:
    """What the indexer writes: it came by no collector, and its receipt is its time."""
    made = _fact(kind, name, time, host, message, 0, **more)
    return {key: value for key, value in made.items() if "pipeline" not in key} | {"received": time}


def _tlog(n: int, message: Message) -> Fact:
    return _fact(
        "tlog",
        f"tlog:{message.recording}:{message.id}:{message.variant:016x}",
        message.time_ms,
        message.host,
        f"screen {message.id}",
        n,
        **{
            "tlog.ver": "2.3",
            "tlog.host": message.host,
            "tlog.rec": message.recording,
            "tlog.user": message.user,
            "tlog.term": "xterm",
            "tlog.session": 3,
            "tlog.id": message.id,
            "tlog.pos": message.pos_ms,
            "tlog.time": message.time_ms / 1000,
            "tlog.timing": f">{message.shown}",
            "tlog.in_txt": "",
            "tlog.in_bin": [],
            "tlog.out_txt": "x" * 16,
            "tlog.out_bin": [],
            "ttyscribe.trust": message.trust,
            "ttyscribe.recording": message.recording,
            "ttyscribe.out_bytes": message.shown,
            "ttyscribe.in_bytes": message.typed,
            "ttyscribe.last_ms": message.last_ms,
            "ttyscribe.resizes": message.resizes,
        },
    )


GIVEN = (
    "ls -la",
    "sudo systemctl restart nginx",
    "tail -f /var/log/nginx/error.log",
    "vim /etc/nginx/nginx.conf",
    "git pull",
    "psql -c 'select count(*) from orders'",
    "htop",
    "cat /etc/shadow",
    "cd /srv/app",
    "df -h",
    "ssh db1",
    'echo "<script>alert(1)</script>" | tee /tmp/x',
    "printf '%s' " + "0123456789abcdef" * 40,
    "exit",
)
SHOWN = (
    "Last login: Thu Oct 29 08:12:44 2026 from 192.0.2.9",
    "total 48",
    "-rw-r----- 1 root shadow 1042 Oct 12 09:00 /etc/shadow",
    "drwxr-xr-x 6 ada ada 4096 Oct 28 17:31 app",
    "nginx.service - A high performance web server",
    "     Active: active (running) since Sat 2026-10-31 09:02:11 UTC",
    "2026/10/31 09:04:31 [error] 1201#1201: *17 connect() failed (111: Connection refused)",
    "Already up to date.",
    " count ",
    " 48211 ",
    "<b>not markup</b> \u202eevil\u202c",
    "cat: /etc/shadow: Permission denied",
    "Filesystem      Size  Used Avail Use% Mounted on",
    "/dev/vda1        40G   31G  7.2G  82% /",
    "logout",
)


def _by_recording() -> list[tuple[str, list[Message]]]:
    by_name: dict[str, list[Message]] = {}
    for message in MESSAGES:
        by_name.setdefault(message.recording, []).append(message)
    return list(by_name.items())


def _recordings() -> Iterator[Fact]:
    """The row of each recording, as its messages say."""
    for n, (name, inside) in enumerate(_by_recording()):
        first = inside[0]
        ids = {message.id for message in inside}
        missing, conflicts = max(ids) - len(ids), len(inside) - len(ids)
        users, hosts = (list(dict.fromkeys(names)) for names in zip(*((m.user, m.host) for m in inside), strict=True))
        gone = [number for number in range(1, max(ids)) if number not in ids]
        ended = "no" if n % 4 == 1 else "yes"
        whole = ended == "yes" and not missing and not conflicts and len(users) == len(hosts) == 1
        yield _derived(
            "recording",
            name,
            first.start_ms,
            first.host,
            f"recording of {first.user} on {first.host}, {len(inside)} messages",
            **{
                "ttyscribe.recording": name,
                "ttyscribe.trust": first.trust,
                "recording.user": first.user,
                "recording.users": users,
                "recording.user_count": len(users),
                "recording.hosts": hosts,
                "recording.host_count": len(hosts),
                "recording.more_names": "no",
                "recording.first": text(min(message.time_ms for message in inside)),
                "recording.last": text(max(message.time_ms for message in inside)),
                "recording.first_id": min(ids),
                "recording.last_id": max(ids),
                "recording.ids": len(ids),
                "recording.below_first": 0,
                "recording.gaps": [f"{gone[0]}-{gone[-1]}: queue full"] if gone else [],
                "recording.term": "xterm-256color",
                "recording.session": 3 + n,
                "recording.duration_ms": max(message.last_ms for message in inside),
                "recording.messages": len(inside),
                "recording.missing": missing,
                "recording.conflicts": conflicts,
                "recording.out_bytes": sum(message.shown for message in inside),
                "recording.in_bytes": sum(message.typed for message in inside),
                "recording.resizes": sum(message.resizes for message in inside),
                "recording.ended": ended,
                "recording.complete": "yes" if whole else "no",
                "recording.lines": 15 * 12 if name == STORY else 3 * len(inside),
                "recording.commands": 18 if name == STORY else len(inside) // 2,
                "recording.executions": len(_ran(n, name, inside)),
                "recording.session_events": len(_ran(n, name, inside)),
                "recording.version": 1,
                **({"recording.status": n % 3} if ended == "yes" else {}),
                **({"recording.boot_id": BOOT} if n % 4 else {}),
            },
        )


def _commands() -> Iterator[Fact]:
    seen = set()
    for n, message in enumerate(MESSAGES):
        if message.recording == STORY or message.id % 2 or (message.recording, message.id) in seen:
            continue
        seen.add((message.recording, message.id))
        number = message.id // 2
        given = GIVEN[(n * 5 + number) % len(GIVEN)]
        yield _command(message, message.pos_ms, number, given)
    story = next(message for message in MESSAGES if message.recording == STORY)
    for number in range(1, 19):
        yield _command(story, 4_000 + number * 41_077, number, GIVEN[number * 3 % 14])


def _command(of: Message, ms: int, number: int, given: str) -> Fact:
    return _derived(
        "command",
        f"cmd:{of.recording}:{number}",
        of.start_ms + ms,
        of.host,
        given,
        **{
            "ttyscribe.recording": of.recording,
            "ttyscribe.trust": of.trust,
            "ttyscribe.last_ms": ms,
            "command.number": number,
            "command.text": [given],
            "command.ms": ms,
            "command.prompt": f"{of.user[:8]}@{of.host}:~$",
            "command.source": "marks" if number % 3 == 0 else "screen",
            "command.user": of.user,
        },
    )


_WATCHED = (STORY, "rec-a", "rec-c", "rec-05", "rec-11")
"""Recordings on whose hosts audit told what ran in their sessions."""


def _ran(row: int, name: str, inside: list[Message]) -> list[Fact]:
    """The audit events of a recording's session: what was given, and what a script started."""
    first, ended = inside[0], max(message.last_ms for message in inside)
    if name not in _WATCHED:
        return []
    return [
        _event(
            n,
            first.start_ms + ms,
            first.user,
            "execve",
            _RUN[(n * 5 + row) % len(_RUN)],
            host=first.host,
            **{"ttyscribe.audit_session": 3 + row, "ttyscribe.trust": "user" if n % 8 == 7 else "system"},
        )
        for n in range(10_000 + row * 100, 10_024 + row * 100)
        if (ms := 2_000 + n % 100 * 31_013) <= ended and n % 9  # single lines belong to no recording
    ]


def _executions() -> Iterator[Fact]:
    """What audit saw start in recordings, as events and as commands."""
    for row, (name, inside) in enumerate(_by_recording()):
        first = inside[0]
        for event in _ran(row, name, inside):
            yield event
            ms = event["time"] - first.start_ms
            yield _derived(
                "command",
                f"cmd:{name}:audit:{event['viaq_msg_id'].encode().hex()[:32]}{ms:x}",
                event["time"],
                first.host,
                event["process.title"],
                **{
                    "ttyscribe.recording": name,
                    "ttyscribe.trust": "user" if "user" in (first.trust, event["ttyscribe.trust"]) else first.trust,
                    "ttyscribe.last_ms": ms,
                    "command.text": [event["process.title"]],
                    "command.ms": ms,
                    "command.source": "audit",
                    "command.event": event["viaq_msg_id"],
                    "command.user": first.user,
                },
            )


def _lines() -> Iterator[Fact]:
    for n in range(15 * 12):
        first = 500 + n * 4_391
        shown = SHOWN[n * 7 % 15]
        yield _derived(
            "line",
            f"line:{STORY}:{n + 1}",
            STORY_START + first,
            "web1",
            shown,
            **{
                "ttyscribe.recording": STORY,
                "ttyscribe.last_ms": first + 9_000,
                "line.number": n + 1,
                "line.text": [shown],
                "line.first_ms": first,
                "line.last_ms": first + 9_000,
                "line.user": "ada",
            },
        )


_RUN = (
    ("/usr/bin/ls", "ls --color=auto -la"),
    ("/usr/bin/git", "git pull --ff-only"),
    ("/usr/bin/vim.basic", "vim /etc/nginx/nginx.conf"),
    ("/usr/bin/bash", "-bash"),
    ("/usr/bin/grep", "grep -rn TODO ."),
    ("/usr/bin/python3.11", "python3 manage.py migrate"),
    ("/usr/bin/systemctl", "systemctl restart nginx"),
    ("/usr/bin/ssh", "ssh db1"),
    ("/usr/bin/curl", "curl -s http://192.0.2.40:9200/_cat/health"),
    ("/usr/lib/postgresql/15/bin/psql", "psql orders"),
    ("/usr/bin/tail", "tail -f /var/log/syslog"),
    ("/tmp/.x/[kworker]", "[kworker/0:1]"),
)
_CHANGERS = (("/usr/bin/sudo", "sudo -i"), ("/usr/bin/su", "su -"), ("/usr/bin/pkexec", "pkexec id"))
_REFUSED = (
    ("openat", "/usr/bin/cat", "cat /etc/shadow", "/etc/shadow"),
    ("unlinkat", "/usr/bin/rm", "rm -rf /var/log/audit", "/var/log/audit/audit.log"),
    ("connect", "/usr/bin/nc.openbsd", "nc 192.0.2.66 4444", ""),
    ("chmod", "/usr/bin/chmod", "chmod u+s /tmp/sh", "/tmp/sh"),
    ("execve", "/usr/bin/bash", "./exploit", "/home/cyd/exploit"),
)


def _event(n: int, time: int, person: str, action: str, run: tuple[str, str], **more: Any) -> Fact:
    """An audit event of somebody who logged in."""
    executable, title = run
    effective = str(more.pop("effective", person))
    host = str(more.pop("host", HOSTS[n * 7 % 4]))
    raw = n % 9 == 0  # some come as single lines
    return _fact(
        "audit-line" if raw else "aushape",
        f"audit:{host}:{time}:{n}:0",
        time,
        host,
        f"{person} ran {title}",
        n,
        **({"audit.type": "SYSCALL", "audit.serial": n} if raw else {"aushape.serial": n, "aushape.time": text(time)}),
        **{
            "ttyscribe.boot_id": BOOT,
            "ttyscribe.audit_session": 3 + n % 6,
            "process.pid": 1200 + n,
            "process.executable": executable,
            "process.name": executable.rpartition("/")[2][:15],
            "process.title": title,
            "process.tty": "pts0",
            "user.id": UIDS[person],
            "user.name": person,
            "user.effective.id": UIDS[effective],
            "user.effective.name": effective,
            "user.audit.id": UIDS[person],
            "user.audit.name": person,
            "event.action": action,
            "event.outcome": "success",
            **more,
        },
    )


def _events() -> Iterator[Fact]:
    for n in range(260):
        hour = 8 + n * 13 % 11
        time = SINCE + n * 7 // 260 * DAY + hour * HOUR + n * 37 % 60 * MINUTE + n
        person = BUSY[(n * 7 + n // 11) % 11] if n % 40 else (HOSTILE, ESCAPES, LONG)[n // 40 % 3]
        if n % 13 == 5:
            action, executable, title, path = _REFUSED[n % 5]
            more = {"file.path": [path]} if path else {"destination.ip": "192.0.2.66", "destination.port": 4444}
            yield _event(n, time, person, action, (executable, title), **{"event.outcome": "failure"}, **more)
        elif n % 11 == 3:
            run = _CHANGERS[n % 3]
            yield _event(n, time, person, "execve", run, effective="root", **{"file.path": [run[0]]})
        else:
            run = _RUN[n * 5 % (12 if n % 7 == 0 else 11)]
            effective = "root" if n % 17 == 2 else "postgres" if n % 31 == 7 else person
            paths = [run[0], "/lib64/ld-linux-x86-64.so.2"]
            yield _event(n, time, person, "execve", run, effective=effective, **{"file.path": paths})
    for n in range(300, 312):  # daemons: nobody is logged in
        time = SINCE + n % 7 * DAY + n % 24 * HOUR
        made = _event(n, time, "root", "execve", ("/usr/sbin/cron", "/usr/sbin/CRON -f"), host="db1")
        yield {key: value for key, value in made.items() if not key.startswith(("user.audit", "ttyscribe.audit"))}
    for n in range(400, 410):  # somebody guesses passwords
        time = SINCE + 5 * DAY + 3 * HOUR + n * 11_000
        made = _event(n, time, "root", "user_auth", ("/usr/bin/su", ""), host="jump", **{"event.outcome": "failure"})
        gone = ("user.audit.id", "user.audit.name", "user.effective.id", "user.effective.name", "process.title")
        yield {key: value for key, value in made.items() if key not in gone} | {"user.target.name": "root"}


_ASKED = (
    ("/usr/bin/systemctl", "/usr/bin/systemctl restart nginx", "root"),
    ("/usr/bin/apt-get", "/usr/bin/apt-get upgrade", "root"),
    ("/usr/bin/psql", "/usr/bin/psql -c 'vacuum'", "postgres"),
    ("/usr/bin/bash", "/usr/bin/bash", "root"),
    ("/usr/bin/tail", "/usr/bin/tail /var/log/auth.log", "root"),
    ("/usr/sbin/visudo", "/usr/sbin/visudo", "root"),
)
_REASONS = ("3 incorrect password attempts", "user NOT in sudoers", "command not allowed")


def _sudo() -> Iterator[Fact]:
    for n in range(70):
        time = SINCE + n * 7 // 70 * DAY + (7 + n * 5 % 13) * HOUR + n * 17 % 60 * MINUTE + n
        person = PEOPLE[n * 3 % 5] if n % 23 else (HOSTILE, ESCAPES, LONG)[n // 23 % 3]
        executable, line, target = _ASKED[(n * 5 + n // 6) % 6]
        refused = n % 8 == 5
        host = HOSTS[n * 3 % 4]
        event = ("alert" if n % 16 == 13 else "reject") if refused else "accept"
        yield _fact(
            "sudo",
            f"log:sudo{n}",
            time,
            host,
            f"{person} {event} {line}",
            n,
            level="alert" if refused else "notice",
            **{
                "user.name": person,
                "user.effective.name": target,
                "user.effective.id": UIDS[target],
                "process.executable": executable,
                "process.command_line": line,
                "process.working_directory": f"/home/{person[:8]}",
                "process.tty": f"pts/{n % 4}",
                "event.action": event,
                "event.outcome": "failure" if refused else "success",
                "sudo.event": event,
            },
            **({"sudo.reason": _REASONS[n % 3]} if refused else {}),
        )
        if not refused and n % 2 == 0:
            status = n % 6 // 2
            yield _fact(
                "sudo",
                f"log:exit{n}",
                time + 3_000,
                host,
                f"ended: status {status}",
                n,
                **{
                    "process.exit_code": status,
                    "event.action": "exit",
                    "event.outcome": "failure" if status else "success",
                    "sudo.event": "exit",
                },
            )


_ERRORS = (
    'Message has invalid "timing" field value',
    "not JSON: Expecting ',' delimiter: line 1 column 2048",
    "<img src=x onerror=alert(1)> is no recording",
)
_DOUBTS = (
    "uid 0 and pid 4113 are not believed: the host that sent the line proved no name",
    "the host in the message is not the one that sent it",
)


_REPAIRED = (("bytes",), ("characters",), ("bytes", "values"), ("values",))


def _others() -> Iterator[Fact]:
    """Everything else that a log holds; some of it could not be understood, some is not believed."""
    for n in range(160):
        time = SINCE + n * 7 * DAY // 160 + n * 7919 % (30 * MINUTE)
        kind = ("syslog", "journal")[n % 4 == 1]
        made = _fact(kind, f"log:{n}", time, HOSTS[n * 5 % 4], f"an ordinary line {n}", n)
        made["ttyscribe.trust"] = "none" if n % 3 == 0 else "system"
        if n % 19 == 4:
            made |= {"ttyscribe.kind": "syslog", "ttyscribe.error": _ERRORS[n % 3]}
        if n % 17 == 9:
            made |= {"ttyscribe.doubt": _DOUBTS[n % 2], "ttyscribe.trust": "none"}
        if n % 50 == 7:  # its clock is ahead of ours
            made["received"] = time - 1_500
        if n % 29 == 3:  # it says no time of its own
            made["received"] = time
        if n % 13 == 5:
            made["ttyscribe.repaired"] = list(_REPAIRED[n // 13 % 4])
        yield made
    for n in range(6):  # a board without a battery for its clock, and one who lies about the time
        received = SINCE + 2 * DAY + n * 5 * HOUR
        claimed = int(datetime(1999 + 40 * (n % 2), 12, 31, tzinfo=UTC).timestamp() * 1000) + n
        made = _fact(
            "syslog", f"log:clock{n}", claimed, "web2", "hello", n, **{"ttyscribe.partition": "implausible-time"}
        )
        yield made | {"received": received, "ttyscribe.trust": "none"}


FACTS: tuple[Fact, ...] = (
    *(_tlog(n, message) for n, message in enumerate(MESSAGES)),
    *_recordings(),
    *_commands(),
    *_executions(),
    *_lines(),
    *_events(),
    *_sudo(),
    *_others(),
)
"""All kinds, also what lies outside of the week."""


def document(fact: Fact) -> Document:
    """The stored document of a fact."""
    flat = {**fact, "@timestamp": text(fact["time"]), "ttyscribe.received": text(fact["received"])}
    if fact["received"] != fact["time"] and fact["ttyscribe.partition"] != "implausible-time":
        flat["ttyscribe.lag_ms"] = fact["received"] - fact["time"]
    found: Any = {}
    for name, value in flat.items():
        if name in ("time", "received"):
            continue
        *above, last = name.split(".")
        inside = found
        for part in above:
            inside = inside.setdefault(part, {})
        inside[last] = value
    made: Document = found
    return made


def seen(kind: str = "") -> list[Fact]:
    """What happened in the week, by the time that documents say."""
    return [f for f in FACTS if SINCE <= f["time"] <= UNTIL and kind in ("", f["ttyscribe.kind"])]


def arrived() -> list[Fact]:
    """What came in the week."""
    return [f for f in FACTS if SINCE <= f["received"] <= UNTIL]
