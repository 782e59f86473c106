# SPDX-License-Identifier: Apache-2.0
"""Searching one file of the store on SQLite, hit after hit, in order of time.

Where an index knows few candidates, these are taken and sorted. Where all know many, the documents are walked through
from the oldest on, slice after slice: then hits come soon. Each slice walked without an end allows for more
candidates, so that neither way is held on to for long where the other one is better. No statement runs for long, and
none gives more rows than a slice: a search that is not read on does nothing and holds nothing open.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ttyscribe_store.query.matching import holds
from ttyscribe_store.query.nodes import Node
from ttyscribe_store.query.sqlite import Driver, Search, compiled
from ttyscribe_store.sqlite_text import text

Read = Callable[[str, Sequence[Any]], list[Any]]
"""Takes a statement and what is bound to it; gives its rows."""
Load = Callable[[Sequence[int]], dict[int, dict[str, Any]]]
"""Takes documents' numbers; gives the documents with their words, without those that have gone."""

_FEW = 256
_SLICE, _LONGEST_SLICE = 256, 1 << 15
_COUNT = "SELECT count(*) FROM (SELECT 1 FROM ({}) LIMIT ?)"
_NUMBERS = "SELECT number FROM ({}) LIMIT ?"
_ROWS = "SELECT time_us, id, number FROM"
_AFTER = "(time_us, id) > (?, CAST(? AS TEXT))"
_UP_TO = "(time_us, id) <= (?, CAST(? AS TEXT))"
_ORDER = "ORDER BY time_us, id"
_AT_ONCE, _MOST_AT_ONCE = 4, 64
"""Documents that are read at once: few at first, so that the first hit comes soon."""
_BOUND = f"SELECT time_us, id FROM document INDEXED BY document_by_time WHERE {_AFTER} {_ORDER} LIMIT 1 OFFSET ?"  # noqa: S608
# All parts of statements are our own words; what somebody chose is bound.


class Found(NamedTuple):
    """One document."""

    time_us: int
    document_id: str
    document: dict[str, Any]
    """With its words."""


def found(node: Node, read: Read, load: Load) -> Iterator[Found]:
    """The documents that fit, ordered by time, then by id."""
    search = compiled(node)
    after: tuple[Any, ...] = (search.since_us, b"")
    few, size = _FEW, _SLICE
    while True:
        chosen = _chosen(search.drivers, few, read)
        if chosen:
            yield from _candidates(node, search, chosen, after, read, load)
            return
        bounds = read(_BOUND, (*after, size))
        upper = (bounds[0][0], text(bounds[0][1])) if bounds else None
        yield from _slice(node, search, after, upper, read, load)
        if upper is None:
            return
        after, few, size = upper, few * 4, min(size * 2, _LONGEST_SLICE)


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
    node: Node, search: Search, chosen: Sequence[Driver], after: tuple[Any, ...], read: Read, load: Load
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
        yield from _fitting(node, rows, load, exact=clause.exact)
        if len(rows) < size:
            return
        after, size = (rows[-1][0], text(rows[-1][1])), _LONGEST_SLICE * 8  # each page asks for all candidates again


def _slice(
    node: Node, search: Search, after: tuple[Any, ...], upper: tuple[Any, ...] | None, read: Read, load: Load
) -> Iterator[Found]:
    """What fits of the documents between two places in the order."""
    clause = search.clause()
    bounds = _AFTER + (f" AND {_UP_TO}" if upper else "")
    sql = f"{_ROWS} document INDEXED BY document_by_time WHERE {bounds} AND {clause.sql} {_ORDER}"
    yield from _fitting(node, read(sql, (*after, *(upper or ()), *clause.values)), load, exact=clause.exact)


def _fitting(node: Node, rows: Sequence[Any], load: Load, *, exact: bool) -> Iterator[Found]:
    at, size = 0, _AT_ONCE
    while at < len(rows):
        some = rows[at : at + size]
        documents = load([number for _, _, number in some])
        for time_us, document_id, number in some:
            document = documents.get(number)
            if document is not None and (exact or holds(node, document)):
                yield Found(time_us, document_id, document)
        at, size = at + size, min(size * 2, _MOST_AT_ONCE)
