# SPDX-License-Identifier: Apache-2.0
"""Where in a recording something happened that is no part of it: an audit event, a line of a daemon.

The rows of recordings tell: the same boot and audit session; where one of the two does not know its boot, the same host
and session at that time. A session that is unset joins nothing.
"""

from collections.abc import Iterable

from ttyscribe_formats.place import Place
from ttyscribe_store.base import Hit, Query, Store
from ttyscribe_store.conflict import rank
from ttyscribe_store.executions import DAY_NS, SLACK_NS, joins
from ttyscribe_store.query import nodes

_MS = 1_000_000
_LONGEST_NS = 92 * DAY_NS
"""Recordings that began earlier are not looked for."""
_MOST_ROWS = 200
_REMEMBERED = 1000


class Places:
    """Finds places by the rows of a store; asks once for what happened in one session at about the same time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[int, str, str, int], list[Hit]] = {}

    def of(self, hit: Hit) -> Place | None:
        """The place of a hit; none where there is no recording of it. Raises Unavailable."""
        if hit.recording:
            return Place(hit.recording, hit.first_ms)
        if hit.session < 0:
            return None
        row = chosen(hit, self._rows(hit))
        if row is None:
            return None
        return Place(row.recording, min(max((hit.time_ns - row.time_ns) // _MS, 0), row.last_ms))

    def _rows(self, hit: Hit) -> list[Hit]:
        day = hit.time_ns // DAY_NS
        key = (hit.session, hit.host, hit.boot_id, day)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            bounds = (max(day * DAY_NS - _LONGEST_NS, 0), (day + 1) * DAY_NS + SLACK_NS)
            self._known[key] = self._asked(hit, *bounds)
        return self._known[key]

    def _asked(self, hit: Hit, since_ns: int, until_ns: int) -> list[Hit]:
        """Those of the highest trust by themselves: no number of forged ones keeps them out."""
        session, trusted = nodes.Number("session", hit.session), nodes.Exact("trust", "system")
        asked = Query(kind="recording", since_ns=since_ns, until_ns=until_ns, limit=_MOST_ROWS)
        for host in (hit.host, "") if hit.boot_id else (hit.host,):  # a host may go by another name there
            for where in (nodes.And((session, trusted)), session):
                rows = list(self._store.search(asked._replace(host=host, where=where)))
                if any(joins(hit, row) for row in rows):
                    return rows
        return []


def chosen(hit: Hit, rows: Iterable[Hit]) -> Hit | None:
    """The recording that shows what was found: of those that ran then, one of the highest trust, the last to begin."""
    found = [row for row in rows if joins(hit, row) and _ran(row, hit.time_ns)]
    return max(found, key=lambda row: (rank(row.trust), row.time_ns, row.recording), default=None)


def _ran(row: Hit, time_ns: int) -> bool:
    return row.time_ns - SLACK_NS <= time_ns <= row.time_ns + row.last_ms * _MS + SLACK_NS
