# SPDX-License-Identifier: Apache-2.0
"""Searching one file of the store on SQLite, hit after hit, in order of time.

Where an index knows few candidates, these are taken and sorted. Where all know many, the documents are walked through
from the oldest on, slice after slice: then hits come soon. Each slice walked without an end allows for more
candidates, so that neither way is held on to for long where the other one is better. On this way too the word index
tells which documents have the words, so that hardly any others are read. No statement runs for long, and
none gives more rows than a slice: a search that is not read on does nothing and holds nothing open.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ttyscribe_store.query.matching import holds
from ttyscribe_store.query.nodes import Node
from ttyscribe_store.query.sqlite import Driver, Search, compiled
from ttyscribe_store.sqlite_text import text

Read = Callable[[str, Sequence[Any]], list[Any]]
"""Takes a statement and what is bound to it; gives its rows."""

_FEW = 256
_SLICE, _LONGEST_SLICE = 256, 1 << 15
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM ({}) LIMIT ?)"
_NUMBERS = "SELECT number FROM ({}) LIMIT ?"
_ROWS = "SELECT time_us, id, number FROM"
_AFTER = "(time_us, id) > (?, CAST(? AS TEXT))"
_UP_TO = "(time_us, id) <= (?, CAST(? AS TEXT))"
_ORDER = "ORDER BY time_us, id"
_AT_ONCE, _MOST_AT_ONCE = 4, 64
"""Documents that are read at once."""
_TOLD_AT_ONCE, _GAP, _WORTH = 64, 64, 8
"""Documents that the word index is asked for at first. It is asked for each stretch of them without a wider gap that
has so many; the others are read."""
_BOUND = f"SELECT time_us, id FROM document INDEXED BY document_by_time WHERE {_AFTER} {_ORDER} LIMIT 1 OFFSET ?"  # noqa: S608
# All parts of statements are our own words; what somebody chose is bound.


class Found(NamedTuple):
    """One document."""

    time_us: int
    document_id: str
    document: dict[str, Any]
    """With its words."""


Load = Callable[[Sequence[int]], dict[int, Found]]
"""Takes documents' numbers; gives the documents, without those that have gone."""


def found(node: Node, read: Read, load: Load, wanted: int = sys.maxsize) -> Iterator[Found]:
    """The documents that fit, ordered by time, then by id. More than are wanted may be asked for, and cost more."""
    search, pages = compiled(node), _Pages(load, wanted)
    after: tuple[Any, ...] = (search.since_us, b"")
    few, size, growth = _FEW, _SLICE, 4 if search.words else 2  # what the word index tells is cheap
    while True:
        chosen = _chosen(search.drivers, few, read)
        if chosen:
            yield from _candidates(node, search, chosen, after, read, pages)
            return
        bounds = read(_BOUND, (*after, size))
        upper = (bounds[0][0], text(bounds[0][1])) if bounds else None
        yield from _slice(node, search, after, upper, read, pages)
        if upper is None:
            return
        after, few, size = upper, few * 4, min(size * growth, _LONGEST_SLICE)


def _chosen(drivers: Sequence[Driver], few: int, read: Read) -> list[Driver]:
    """Those with no more than a few candidates, the fewest first."""
    known: list[tuple[int, Driver]] = []
    for driver in drivers:
        if few <= _FEW:
            numbers = [row[0] for row in read(_NUMBERS.format(driver.sql), (*driver.values, few + 1))]
            count, driver = len(numbers), _named(driver, numbers)  # noqa: PLW2901 # need not be asked for again
        else:
            ((count,),) = read(_COUNT.format(driver.sql), (*driver.values, few + 1))
        if count <= few:
            known.append((count, driver))
        if not count:
            break
    return [driver for _, driver in sorted(known, key=lambda entry: entry[0])]


def _named(driver: Driver, numbers: Sequence[int]) -> Driver:
    """The same candidates by their numbers."""
    rows = ", ".join(f"({number:d})" for number in numbers)
    sql = f"SELECT column1 AS number FROM (VALUES {rows})" if rows else "SELECT 0 AS number WHERE 0"  # noqa: S608
    return driver._replace(sql=sql, values=())


def _candidates(
    node: Node, search: Search, chosen: Sequence[Driver], after: tuple[Any, ...], read: Read, pages: "_Pages"
) -> Iterator[Found]:
    """What fits of the documents that the drivers know."""
    first, *others = chosen
    clause = search.clause(chosen)
    also = "".join(f" AND number IN (SELECT number FROM ({other.sql}))" for other in others)  # noqa: S608
    sql = f"""{_ROWS} (SELECT number AS candidate FROM ({first.sql})) CROSS JOIN document ON number = candidate
        WHERE {_AFTER}{also} AND {clause.sql} {_ORDER} LIMIT ?"""  # noqa: S608
    bound, size = [value for other in others for value in other.values], _LONGEST_SLICE
    while True:
        rows = read(sql, (*first.values, *after, *bound, *clause.values, size))
        yield from pages.fitting(node, ((row[2], clause.exact) for row in rows))
        if len(rows) < size:
            return
        after, size = (rows[-1][0], text(rows[-1][1])), _LONGEST_SLICE * 8  # each page asks for all candidates again


def _slice(
    node: Node, search: Search, after: tuple[Any, ...], upper: tuple[Any, ...] | None, read: Read, pages: "_Pages"
) -> Iterator[Found]:
    """What fits of the documents between two places in the order."""
    clause = search.clause()
    bounds = _AFTER + (f" AND {_UP_TO}" if upper else "")
    sql = f"SELECT number FROM document INDEXED BY document_by_time WHERE {bounds} AND {clause.sql} {_ORDER}"  # noqa: S608
    numbers = [row[0] for row in read(sql, (*after, *(upper or ()), *clause.values))]
    yield from pages.fitting(node, _told(search, numbers, read))


def _told(search: Search, numbers: Sequence[int], read: Read) -> Iterator[tuple[int, bool]]:
    """These documents without those that lack the words, and whether more need not be asked of each.

    The word index is in order of numbers, and documents that were written together are near each other in time too.
    """
    exact = search.clause().exact
    if search.words is None:
        yield from ((number, exact) for number in numbers)
        return
    sure = search.clause([search.words]).exact
    at, size = 0, _TOLD_AT_ONCE
    while some := numbers[at : at + size]:
        known, unknown = _with_words(search.words, sorted(some), read)
        yield from ((number, number in known and sure) for number in some if number in known or number in unknown)
        at, size = at + size, size * 4


def _with_words(words: Driver, numbers: Sequence[int], read: Read) -> tuple[set[int], set[int]]:
    """Which of these ascending documents have the words, and of which this was not asked."""
    known, unknown, begin = set[int](), set[int](), 0
    for at in range(1, len(numbers) + 1):
        if at < len(numbers) and numbers[at] - numbers[at - 1] <= _GAP:
            continue
        if at - begin < _WORTH:
            unknown.update(numbers[begin:at])
        else:
            known.update(row[0] for row in read(words.sql, (*words.values, numbers[begin], numbers[at - 1])))
        begin = at
    return known, unknown


class _Pages:
    """Reads documents some at once: few at first, so that the first hit comes soon, and no more than are wanted."""

    def __init__(self, load: Load, wanted: int) -> None:
        self._load, self._wanted, self._size = load, wanted, _AT_ONCE

    def fitting(self, node: Node, candidates: Iterator[tuple[int, bool]]) -> Iterator[Found]:
        """What fits of these documents; for some that is known."""
        while some := dict(islice(candidates, self._next())):
            documents = self._load(list(some))
            for one, known in ((documents.get(number), known) for number, known in some.items()):
                if one is not None and (known or holds(node, one.document)):
                    self._wanted -= 1
                    yield one

    def _next(self) -> int:
        size, self._size = self._size, min(self._size * 2, _MOST_AT_ONCE)
        return min(size, self._wanted) if self._wanted > 0 else size
