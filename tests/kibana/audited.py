# SPDX-License-Identifier: Apache-2.0
"""The part of the corpus that audit tells: events of a week, and what started in recordings."""

from collections.abc import Iterator
from typing import Any

from tests.kibana.facts import BOOT, BUSY, ESCAPES, HOSTS, LONG, MINUTE, UIDS, Fact, by_recording, derived, fact, text
from tests.kibana.samples import DAY, HOSTILE, HOUR, SINCE, STORY, Message

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
    return fact(
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


def events() -> Iterator[Fact]:
    """Audit events of a week, on all hosts."""
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


_WATCHED = (STORY, "rec-a", "rec-c", "rec-05", "rec-11")
"""Recordings on whose hosts audit told what ran in their sessions."""


def ran(row: int, name: str, inside: list[Message]) -> list[Fact]:
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


def executions() -> Iterator[Fact]:
    """What audit saw start in recordings, as events and as commands."""
    for row, (name, inside) in enumerate(by_recording()):
        first = inside[0]
        for event in ran(row, name, inside):
            yield event
            ms = event["time"] - first.start_ms
            yield derived(
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
