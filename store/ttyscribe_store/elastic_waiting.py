# SPDX-License-Identifier: Apache-2.0
"""Which recordings on Elasticsearch or OpenSearch are behind their facts, without looking at all of them each time.

A few sums tell whether anything changed. What did is looked for among the recordings that got facts since a while
before the last look, by when these were received; only where that does not account for the sums (facts that came late,
recordings that went) every recording is compared. See docs/decisions/0019-what-waits-on-an-engine.md.
"""

import time
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from ttyscribe_store import elastic_programs as programs
from ttyscribe_store import elastic_queries as queries
from ttyscribe_store.base import Count, Derived, Waiting
from ttyscribe_store.derive.lease import Indexed, Told
from ttyscribe_store.executions import Group, Groups, touches
from ttyscribe_store.recordings import compared, to_derived

SLACK_MS = 600_000
"""How much later than others something may be stored, and count as recent."""
_AT_ONCE = 500
"""Recordings, or sessions, that one request names."""
_FEW = 5000
_TRIES = 3
_Body = Callable[[Any], dict[str, Any]]


class Asks(NamedTuple):
    """Ways to ask an engine; each takes the kinds of documents first."""

    search: Callable[[str, dict[str, Any]], dict[str, Any]]
    hits: Callable[[str, dict[str, Any]], Iterator[dict[str, Any]]]
    buckets: Callable[[str, str, _Body], Iterator[dict[str, Any]]]
    """Of a composite aggregation: its name, and the body of each page by the key that it begins behind."""


class _Sums(NamedTuple):
    """What changes with anything that has to be derived."""

    messages: int
    derived: int
    """Messages, by the rows."""
    executed: int
    """Programs, by the rows."""
    others: int
    """Rows of other rules."""
    started: int
    older: int
    """Of these facts: those received before what is recent."""
    newest_ms: int
    """When the last of these facts was received."""


class _Totals(NamedTuple):
    """Of one kind of facts."""

    facts: int
    older: int
    newest_ms: int


class _Among(NamedTuple):
    """What is known of some recordings."""

    found: list[Waiting]
    messages: int
    """How many more they have than their rows say."""
    others: int


class Comparison:
    """Asks, and remembers what it was told last."""

    def __init__(self, asks: Asks, indexed: Indexed) -> None:
        self._asks, self._indexed = asks, indexed
        self._since_ms = 0
        """Since when something counts as recent."""
        self._seen: _Sums | None = None
        self._found: list[Waiting] = []

    def waiting(self, version: int) -> list[Waiting]:
        """The recordings that are to be derived, for who derives them. Raises Unavailable."""
        sums = self._sums(version, self._since_ms)
        if sums == self._seen:
            return self._found
        since_ms = max(min(sums.newest_ms, time.time_ns() // 1_000_000) - SLACK_MS, 0)
        older = sum(totals.older for totals in self._totals(since_ms))
        found = self._recent(version, sums)
        if found:
            self._indexed.tell(Told(sums.started, self._since_ms, sums.older))  # what came before is derived
        elif found is None:
            whole = self._seen is None and _is_whole(sums, self._indexed.told().started)
            found = [] if whole else self._all(version)
        if not found:
            self._indexed.tell(Told(sums.started, since_ms, older))
        self._since_ms, self._seen, self._found = since_ms, sums._replace(older=older), found
        return found

    def behind(self, version: int) -> list[Waiting]:
        """The same for others: of what came lately alone, where that is all. Raises Unavailable."""
        told = self._indexed.told()
        sums = self._sums(version, told.since_ms)
        if _is_whole(sums, told.started):
            return []
        if told.since_ms and sums.older == told.older:
            others = self._rows(queries.of_other_rules(version)) if sums.others else ()
            names = {row.recording for row in islice(others, _FEW)}  # these may be of any time
            return self._among(version, self._touched(told.since_ms) | names).found
        return self._all(version)

    # ---- sums

    def _sums(self, version: int, recent_ms: int) -> _Sums:
        rows = self._asks.search("recording-*", queries.derived_body(version)).get("aggregations", {})
        messages, started = self._totals(recent_ms)
        return _Sums(
            messages=messages.facts,
            derived=int(rows.get("messages", {}).get("value") or 0),
            executed=int(rows.get("executed", {}).get("value") or 0),
            others=rows.get("others", {}).get("doc_count", 0),
            started=started.facts,
            older=messages.older + started.older,
            newest_ms=max(messages.newest_ms, started.newest_ms),
        )

    def _totals(self, recent_ms: int) -> list[_Totals]:
        asked = (("tlog-*", queries.OF_RECORDINGS), (programs.KINDS, programs.ALL))
        answers = [self._asks.search(kinds, queries.totals_body(query, recent_ms)) for kinds, query in asked]
        return [_totals(answer["hits"]["total"]["value"], answer.get("aggregations", {})) for answer in answers]

    # ---- comparing

    def _recent(self, version: int, sums: _Sums) -> list[Waiting] | None:
        """What is behind of what got facts lately, or was named last time; none = that is not all."""
        if self._seen is None or len(self._found) > _FEW:
            return None
        for _ in range(_TRIES):  # more may come while we ask
            if sums.older != self._seen.older:
                return None
            among = self._among(version, self._touched(self._since_ms) | {one.recording for one in self._found})
            if (among.messages, among.others) == (sums.messages - sums.derived, sums.others):
                return among.found
            sums = self._sums(version, self._since_ms)
        return None

    def _touched(self, since_ms: int) -> set[str]:
        """The recordings that got facts since a time."""
        recent = queries.received_since(since_ms)
        found = {count.recording for count in self.counts(recent)}
        groups = self._groups([recent])
        while some := list(islice(groups, _AT_ONCE)):
            rows = self._rows(programs.rows_query(some))
            found.update(row.recording for row in rows if any(touches(group, row.session) for group in some))
        return found

    def _among(self, version: int, names: Collection[str]) -> _Among:
        found, messages, others, ordered = list[Waiting](), 0, 0, sorted(names)
        for at in range(0, len(ordered), _AT_ONCE):
            named = {"terms": {"ttyscribe.recording": ordered[at : at + _AT_ONCE]}}
            counts, rows = list(self.counts(named)), list(self._rows(named))
            sessions = [row.session for row in rows if row.session is not None]
            groups = Groups(self._groups(programs.sessions_queries(sessions))) if sessions else Groups(())
            found += compared(counts, rows, version, groups)
            messages += sum(count.messages for count in counts) - sum(row.messages for row in rows)
            others += sum(row.version != version for row in rows)
        return _Among(found, messages, others)

    def _all(self, version: int) -> list[Waiting]:
        rows = self._rows(queries.EVERYTHING)
        return list(compared(self.counts(), rows, version, Groups(self._groups([]))))

    def counts(self, query: dict[str, Any] = queries.EVERYTHING) -> Iterator[Count]:
        """The recordings that have such messages, and how many. Raises Unavailable."""
        buckets = self._asks.buckets("tlog-*", "recordings", partial(queries.counts_body, query=query))
        return (Count(bucket["key"]["rec"], bucket["doc_count"]) for bucket in buckets)

    def _rows(self, query: dict[str, Any]) -> Iterator[Derived]:
        return (to_derived(hit["_source"]) for hit in self._asks.hits("recording-*", queries.ROWS | {"query": query}))

    def _groups(self, more: list[dict[str, Any]]) -> Iterator[Group]:
        body = partial(programs.groups_body, more=more)
        return programs.groups(self._asks.buckets(programs.KINDS, "groups", body))


def _is_whole(sums: _Sums, started: int) -> bool:
    """Whether all is derived, where so many programs had started when it was last."""
    return sums.messages == sums.derived and not sums.others and sums.started == started


def _totals(count: int, aggregations: dict[str, Any]) -> _Totals:
    newest, older = aggregations.get("newest", {}).get("value"), aggregations.get("older", {}).get("doc_count", 0)
    return _Totals(count, older, int(newest or 0))
