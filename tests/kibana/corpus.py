# SPDX-License-Identifier: Apache-2.0
"""A week of documents of all kinds, as plain facts: dotted names and values, with `time` and `received` in ms.

The numbers are made by arithmetic on a counter, so that each run has the same.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.kibana.audited import events, executions, ran
from tests.kibana.facts import BOOT, ESCAPES, HOSTS, LONG, MINUTE, PEOPLE, UIDS, Fact, by_recording, derived, fact, text
from tests.kibana.samples import DAY, HOSTILE, HOUR, MESSAGES, SINCE, STORY, STORY_START, UNTIL, Message
from ttyscribe_formats.document import Document


def _tlog(n: int, message: Message) -> Fact:
    return fact(
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


def _recordings() -> Iterator[Fact]:
    """The row of each recording, as its messages say."""
    for n, (name, inside) in enumerate(by_recording()):
        first = inside[0]
        ids = {message.id for message in inside}
        missing, conflicts = max(ids) - len(ids), len(inside) - len(ids)
        users, hosts = (list(dict.fromkeys(names)) for names in zip(*((m.user, m.host) for m in inside), strict=True))
        gone = [number for number in range(1, max(ids)) if number not in ids]
        ended = "no" if n % 4 == 1 else "yes"
        whole = ended == "yes" and not missing and not conflicts and len(users) == len(hosts) == 1
        yield derived(
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
                "recording.executions": len(ran(n, name, inside)),
                "recording.session_events": len(ran(n, name, inside)),
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
    return derived(
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


def _lines() -> Iterator[Fact]:
    for n in range(15 * 12):
        first = 500 + n * 4_391
        shown = SHOWN[n * 7 % 15]
        yield derived(
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
        yield fact(
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
            yield fact(
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
        made = fact(kind, f"log:{n}", time, HOSTS[n * 5 % 4], f"an ordinary line {n}", n)
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
        made = fact(
            "syslog", f"log:clock{n}", claimed, "web2", "hello", n, **{"ttyscribe.partition": "implausible-time"}
        )
        yield made | {"received": received, "ttyscribe.trust": "none"}


FACTS: tuple[Fact, ...] = (
    *(_tlog(n, message) for n, message in enumerate(MESSAGES)),
    *_recordings(),
    *_commands(),
    *executions(),
    *_lines(),
    *events(),
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
