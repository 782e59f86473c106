# SPDX-License-Identifier: Apache-2.0
"""How files of the store on SQLite find the programs of an audit session, and the rows that these belong to; pure.

Rows of `value` hold keys of fixed length: session, a digest of the boot's id or the host's name, and for programs the
time, so that those of a session during a time are a stretch of the index, in order. Programs have one for their boot,
one for their host, and one for their host again where they know no boot; rows of recordings one for each of the two
that they know.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from ttyscribe_store.base import Execution, Session
from ttyscribe_store.executions import in_days, joins, session_during
from ttyscribe_store.sqlite_text import text
from ttyscribe_store.views import to_recording

BY_BOOT, BY_HOST, BY_HOST_ALONE = "program.boot", "program.host", "program.host alone"
ROW_BOOT, ROW_HOST = "recording.boot", "recording.host"
_MICROSECOND = 1000

TABLE = """CREATE TABLE audited (
    session INTEGER, host TEXT, boot TEXT, first_us INTEGER NOT NULL, last_us INTEGER NOT NULL,
    changes INTEGER NOT NULL, PRIMARY KEY (session, host, boot)) WITHOUT ROWID"""
"""Names the sessions in which programs started since the recordings that these may belong to were last marked."""
MARK = """INSERT INTO audited VALUES (?, CAST(? AS TEXT), CAST(? AS TEXT), ?, ?, 1)
    ON CONFLICT (session, host, boot) DO UPDATE SET changes = changes + 1,
    first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)"""
MARKED = "SELECT session, host, boot, first_us, last_us, changes FROM audited"
UNMARK = """DELETE FROM audited
    WHERE session = ? AND host = CAST(? AS TEXT) AND boot = CAST(? AS TEXT) AND changes = ?"""
COUNT = "SELECT count(*) FROM value WHERE field = ? AND value >= ? AND value < ?"
PAGE = """SELECT time_us, id, body, value.value FROM value CROSS JOIN document USING (number)
    WHERE field = ? AND value >= ? AND value < ? AND (value > ? OR id > CAST(? AS TEXT))
    ORDER BY value, id LIMIT ?"""
"""Values from one on; of those with just that value, the ones with a higher id."""
ROWS = "SELECT body FROM value CROSS JOIN document USING (number) WHERE field = ? AND value = ?"


class Mark(NamedTuple):
    """Programs that started in a session between two times, both µs since the epoch."""

    session: int
    host: str
    boot_id: str
    first_us: int
    last_us: int
    changes: int = 1

    @property
    def bound(self) -> tuple[Any, ...]:
        """What names it, as it is bound."""
        return self.session, text(self.host), text(self.boot_id)


def listed(document: Mapping[str, Any], one: Execution | None) -> set[tuple[str, bytes]]:
    """The rows of `value` that a document has, which tells of this program or of none: field and key."""
    kind = document["ttyscribe"]["kind"]
    if kind == "recording" and (session := session_during(to_recording(document))) is not None:
        found = {(ROW_HOST, _key(session.session, session.host))}
        return found | ({(ROW_BOOT, _key(session.session, session.boot_id))} if session.boot_id else set())
    if one is None:
        return set()
    by_host, at = _key(one.session, one.host), _at(one.time_ns)
    other = (BY_BOOT, _key(one.session, one.boot_id) + at) if one.boot_id else (BY_HOST_ALONE, by_host + at)
    return {(BY_HOST, by_host + at), other}


def stretches(session: Session) -> list[tuple[str, bytes, bytes]]:
    """Where the programs of a session are: field, first key, and the first one behind. No program is in two."""
    since, until = _at(session.since_ns), _at(session.until_ns)
    by_host = _key(session.session, session.host)
    if not session.boot_id:
        return [(BY_HOST, by_host + since, by_host + until)]
    by_boot = _key(session.session, session.boot_id)
    return [(BY_BOOT, by_boot + since, by_boot + until), (BY_HOST_ALONE, by_host + since, by_host + until)]


def rows_of(mark: Mark) -> list[tuple[str, bytes]]:
    """Where the rows are that the programs may belong to: field and key."""
    found = [(ROW_HOST, _key(mark.session, mark.host))]
    return found + ([(ROW_BOOT, _key(mark.session, mark.boot_id))] if mark.boot_id else [])


def is_touched(row: Mapping[str, Any], mark: Mark) -> bool:
    """Whether what a row says of the days that it reaches into may have changed."""
    session = session_during(to_recording(row))
    if session is None or not joins(mark, session):
        return False
    days = in_days(session)
    return days.since_ns // _MICROSECOND <= mark.last_us and mark.first_us < -(-days.until_ns // _MICROSECOND)


def merged(executions: Iterable[Execution]) -> Iterator[Mark]:
    """One mark for each session."""
    found: dict[tuple[int, str, str], tuple[int, int]] = {}
    for one in executions:
        key, at = (one.session, one.host, one.boot_id), one.time_ns // _MICROSECOND
        first, last = found.get(key, (at, at))
        found[key] = (min(first, at), max(last, at))
    return (Mark(*key, *times) for key, times in found.items())


def _key(session: int, name: str) -> bytes:
    return session.to_bytes(4, "big") + blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _at(time_ns: int) -> bytes:
    """A time so that keys are in its order, whatever its sign."""
    return (min(max(time_ns // _MICROSECOND, -(1 << 63)), (1 << 63) - 1) + (1 << 63)).to_bytes(8, "big")
