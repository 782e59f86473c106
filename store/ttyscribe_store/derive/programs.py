# SPDX-License-Identifier: Apache-2.0
"""The programs that audit saw start in one recording that grows: asks a store for what it does not know yet."""

from collections.abc import Iterable
from itertools import islice

from ttyscribe_formats.timestamp import SECOND
from ttyscribe_store.base import Executed, Execution, Session, Store

MOST = 20_000
"""Programs of one recording that become commands, the first by time; all others stay what they are, events."""
_LATE_NS = 60 * SECOND
"""Events come about in order: what is older by more is looked for only where the numbers say that it is there."""
_MICROSECOND = 1000


class Programs:
    """What is known of one recording's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._session: Session | None = None
        self._known: set[str] = set()
        self._last_ns = 0

    def look(self, session: Session | None) -> tuple[Executed, list[Execution]] | None:
        """How many there are now, and those that are new, ordered by time; none = it can't be told from what is known.

        Raises Unavailable.
        """
        if self._session is not None and (session is None or session[:4] != self._session[:4]):
            return None
        self._session = session
        if session is None:
            return Executed(0, 0), []
        there = self._store.executed(session)
        found = self._found(session, there.within)
        if found is None:
            return None
        self._known.update(one.document_id for one in found)
        self._last_ns = max(self._last_ns, *(one.time_ns for one in found)) if found else self._last_ns
        return there, found

    def _found(self, session: Session, within: int) -> list[Execution] | None:
        if self._is_whole(session, within):
            return []
        if self._known and within <= MOST:
            since_ns = max(session.since_ns, self._last_ns - _LATE_NS)
            late = self._new(self._store.executions(session._replace(since_ns=since_ns)))
            if len(self._known) + len(late) == within:
                return late
        found = list(islice(self._store.executions(session), MOST))
        return None if self._known - {one.document_id for one in found} else self._new(found)

    def _is_whole(self, session: Session, within: int) -> bool:
        if within > MOST == len(self._known):  # none has come that is earlier than the last one
            within = self._store.executed(session._replace(until_ns=self._last_ns // 1000 * 1000 + _MICROSECOND)).within
        return within == len(self._known)

    def _new(self, executions: Iterable[Execution]) -> list[Execution]:
        return [one for one in executions if one.document_id not in self._known]
