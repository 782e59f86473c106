# SPDX-License-Identifier: Apache-2.0
"""Which recordings a filter finds by their rows, in which order, and which are behind their facts; pure.

A filter holds if any message fits, or the row does: a forger can add to what a filter finds, and take nothing away.
So a row lists all users and hosts, and from when to when its messages reach. See
docs/decisions/0005-what-names-a-recording.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ttyscribe_store.base import Count, Derived, Executed, Recording, RecordingFilter, Waiting
from ttyscribe_store.executions import Groups, session_during
from ttyscribe_store.views import to_recording


def chosen(rows: Iterable[Mapping[str, Any]], wanted: RecordingFilter) -> Iterator[Recording]:
    """The recordings that fit, by their rows, newest first. Of two rows of one, that of more messages counts."""
    found: dict[str, Recording] = {}
    for document in rows:
        one = to_recording(document)
        if not fits(one, document["recording"], wanted):
            continue
        if one.recording not in found or found[one.recording].messages < one.messages:
            found[one.recording] = one
    yield from sorted(found.values(), key=newest_first)


def fits(one: Recording, row: Mapping[str, Any], wanted: RecordingFilter) -> bool:
    """Tell whether a recording is wanted, by its row's fields."""
    if wanted.recording and one.recording != wanted.recording:
        return False
    names = ((wanted.user, row.get("users", ())), (wanted.host, row.get("hosts", ())))
    if row.get("more_names") != "yes" and any(name and name not in listed for name, listed in names):
        return False
    return (not wanted.since_ns or one.last_ns >= wanted.since_ns) and (
        not wanted.until_ns or one.first_ns < wanted.until_ns
    )


def newest_first(found: Recording) -> tuple[int, str]:
    """The order in which recordings are listed."""
    return (-found.start_ns, found.recording)


def to_derived(document: Mapping[str, Any]) -> Derived:
    """How far a recording was derived, by its row. Of one of older rules, which is derived again, less is known."""
    row, recording = document["recording"], document["ttyscribe"]["recording"]
    if "session_events" not in row:
        return Derived(recording, row["messages"], row["version"])
    executed = Executed(row.get("executions", 0), row["session_events"])
    return Derived(recording, row["messages"], row["version"], session_during(to_recording(document)), executed)


def compared(counts: Iterable[Count], rows: Iterable[Derived], version: int, programs: Groups) -> Iterator[Waiting]:
    """The recordings whose row is not of these rules and of as many facts as there are, or has no messages left."""
    known = {row.recording: row for row in rows}
    for count in counts:
        row = known.pop(count.recording, None)
        wanted = (count.messages, version)
        if row is None or (row.messages, row.version) != wanted or row.executed.days != programs.count(row.session):
            yield Waiting(count.recording, count.messages)
    for recording in known:
        yield Waiting(recording, 0)
