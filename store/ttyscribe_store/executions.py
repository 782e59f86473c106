# SPDX-License-Identifier: Apache-2.0
"""The programs that audit saw start, and which of them belong to a recording; pure.

The same boot and audit session; where one of the two does not know its boot, the same host and session; and at the time
of the recording. A session that is unset joins nothing. See docs/decisions/0018-commands-from-audit.md.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from ttyscribe_formats.auditfacts import quoted
from ttyscribe_formats.timestamp import SECOND
from ttyscribe_formats.tlog import UNSET_SESSION
from ttyscribe_store.base import Execution, Recording, Session
from ttyscribe_store.views import session_of, time_ns

ACTIONS = ("execve", "execveat")
OUTCOME = "success"
LONGEST = 100_000
"""Characters of a command line."""
SLACK_NS = 15 * SECOND
"""How long before a recording's first and after its last message something may belong to it: what a recorder holds
back, and clocks."""
DAY_NS = 86_400 * SECOND
_MICROSECOND = 1000
_MOST_NS = 2**63 - 1
_MS = 1_000_000


class Attended(Protocol):
    """What happened in an audit session of a host."""

    @property
    def session(self) -> int:
        """The kernel's number of it; below 0 where there is none."""

    @property
    def host(self) -> str:
        """Where."""

    @property
    def boot_id(self) -> str:
        """During which boot; empty where it is not known."""


def joins(one: Attended, other: Attended) -> bool:
    """Whether two are of one session of one boot, at whatever time."""
    if one.session < 0 or one.session != other.session:
        return False
    return one.boot_id == other.boot_id if one.boot_id and other.boot_id else one.host == other.host


def belongs(one: Execution, session: Session) -> bool:
    """Whether a program started in this session, at its time."""
    return joins(one, session) and session.since_ns <= one.time_ns < session.until_ns


def session_during(row: Recording) -> Session | None:
    """The audit session of a recording during its time; none where it has none."""
    if not 0 <= row.session < UNSET_SESSION:
        return None
    end = row.start_ns + row.duration_ms * _MS + SLACK_NS + _MICROSECOND
    return Session(row.session, row.host, row.boot_id, max(row.start_ns - SLACK_NS, 0), min(end, _MOST_NS))


def in_days(session: Session) -> Session:
    """The same session during the days (UTC) that it reaches into."""
    first, last = session.since_ns // DAY_NS, -(-session.until_ns // DAY_NS)
    return session._replace(since_ns=first * DAY_NS, until_ns=min(last * DAY_NS, _MOST_NS))


def of_document(document: Mapping[str, Any]) -> Execution | None:
    """The program that started, as a stored document tells; none where it tells of something else."""
    own, event = document["ttyscribe"], document.get("event")
    if own["kind"] != "aushape" or not isinstance(event, Mapping):
        return None
    session = session_of(own.get("audit_session"))
    if session < 0 or event.get("action") not in ACTIONS or event.get("outcome") != OUTCOME:
        return None
    return Execution(
        document_id=document["viaq_msg_id"],
        time_ns=time_ns(document),
        host=document["hostname"],
        boot_id=str(own.get("boot_id", "")),
        session=session,
        text=_text(document),
        trust=own["trust"],
        partition=own.get("partition", ""),
    )


def _text(document: Mapping[str, Any]) -> str:
    process = document.get("process") or {}
    arguments = process.get("args") or ()
    line = " ".join(map(quoted, [arguments] if isinstance(arguments, str) else arguments))
    return (line or process.get("command_line") or process.get("executable") or document["message"])[:LONGEST]


class Group(NamedTuple):
    """How many programs started in one session on one day."""

    session: int
    host: str
    boot_id: str
    day: int
    """Since the epoch."""
    programs: int


def touches(group: Group, session: Session | None) -> bool:
    """Whether a session reaches into the group's day."""
    if session is None or not joins(group, session):
        return False
    days = in_days(session)
    return days.since_ns <= group.day * DAY_NS < days.until_ns


class Groups:
    """All of them, asked session by session."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self._by_host: defaultdict[tuple[int, str], list[Group]] = defaultdict(list)
        self._by_boot: defaultdict[tuple[int, str], list[Group]] = defaultdict(list)
        for group in groups:
            self._by_host[group.session, group.host].append(group)
            if group.boot_id:
                self._by_boot[group.session, group.boot_id].append(group)

    def count(self, session: Session | None) -> int:
        """How many started in it, on the days that it reaches into."""
        if session is None:
            return 0
        found = list(self._by_host.get((session.session, session.host), ()))
        if session.boot_id:  # a host may go by another name there
            others = self._by_boot.get((session.session, session.boot_id), ())
            found += [group for group in others if group.host != session.host]
        return sum(group.programs for group in found if touches(group, session))


def grouped(executions: Iterable[Execution]) -> Groups:
    """Executions by session and day."""
    return Groups(Group(one.session, one.host, one.boot_id, one.time_ns // DAY_NS, 1) for one in executions)
