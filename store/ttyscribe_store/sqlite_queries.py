# SPDX-License-Identifier: Apache-2.0
"""What the store on SQLite asks of one file; pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ttyscribe_store.base import Query
from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.recordings import Part
from ttyscribe_store.sqlite_rows import MICROSECOND, Damaged, match, ordered_back, text

Statement = tuple[str, tuple[Any, ...]]

COUNT = "SELECT count(*) FROM document"
SPAN = "SELECT min(time_us) FROM document"
BODY = "SELECT body FROM document WHERE number = ?"
ANY_OF = "SELECT 1 FROM document WHERE recording = CAST(? AS TEXT) LIMIT 1"
NUMBERS = "SELECT number FROM document WHERE recording = CAST(? AS TEXT)"
REMOVE = "DELETE FROM document WHERE number = ?"
MERGE = "INSERT INTO words (words, rank) VALUES ('merge', ?)"
MERGE_PAGES = 500
"""At once; negative in the first step, which has everything merged into one."""

_OF = "FROM document WHERE recording = CAST(? AS TEXT) AND message_id IS NOT NULL"
IDS = f"SELECT DISTINCT message_id {_OF}"
CHIEF = f"SELECT message_id, id, body {_OF} AND trust = ? ORDER BY message_id, id LIMIT 1"
MESSAGES = (
    f"SELECT message_id, id, body {_OF} AND (message_id, id) > (?, CAST(? AS TEXT)) ORDER BY message_id, id LIMIT ?"
)
_SUMMARY = """SELECT recording, count(*), count(DISTINCT message_id), min(message_id), max(message_id),
    sum(out_bytes), sum(in_bytes), sum(resizes), max(last_ms), min(trust), max(trust)
    FROM document WHERE recording IS NOT NULL AND message_id IS NOT NULL {} GROUP BY recording"""


class Found(NamedTuple):
    """What one file has of one recording."""

    file: str
    recording: str
    numbers: Part
    best_trust: int
    """Rank of the highest trust."""


def summary(recording: str) -> Statement:
    """The numbers of each recording, or of one."""
    if recording:
        return _SUMMARY.format("AND recording = CAST(? AS TEXT)"), (text(recording),)
    return _SUMMARY.format(""), ()


def to_found(file: str, row: Sequence[Any]) -> Found:
    """A row of the summary. Raises Damaged."""
    key, messages, distinct, first, last, out_bytes, in_bytes, resizes, last_ms, trust, best = row
    if {type(value) for value in row[3:5]} - {int, bytes} or {type(value) for value in row[5:]} != {int}:
        raise Damaged("a column holds what was not written there")
    if not 0 <= trust <= best < len(TRUSTS):
        raise Damaged("there is no such trust")
    first_id, last_id = ordered_back(first), ordered_back(last)
    part = Part(messages, distinct, first_id, last_id, out_bytes, in_bytes, resizes, last_ms, trust)
    return Found(file, key, part, best)


def overlap(parts: Sequence[Found]) -> bool:
    """Tell whether two parts may have an id in common."""
    spans = sorted((part.numbers.first_id, part.numbers.last_id) for part in parts)
    return any(here[1] >= there[0] for here, there in pairwise(spans))


def search(query: Query) -> Statement | None:
    """Time, id and number of the first documents that fit, in order; none where nothing can."""
    clauses: list[str] = []
    values: list[Any] = []
    tables = "document"
    if query.terms:
        phrases = match(query.terms)
        if phrases is None:
            return None
        tables = "words CROSS JOIN document ON document.number = words.rowid"
        clauses.append("words MATCH ?")
        values.append(phrases)
    for column in ("kind", "user", "host", "recording"):
        wanted = getattr(query, column)
        if wanted:
            clauses.append(f"{column} = CAST(? AS TEXT)")
            values.append(text(wanted))
    for operator, bound_ns in ((">=", query.since_ns), ("<", query.until_ns)):
        if bound_ns:
            clauses.append(f"time_us {operator} ?")
            values.append(-(-bound_ns // MICROSECOND))
    where = f"WHERE {' AND '.join(clauses)} " if clauses else ""
    values.append(max(query.limit, 0))
    sql = f"SELECT time_us, id, number FROM {tables} {where}ORDER BY time_us, id LIMIT ?"  # noqa: S608 - all parts are our own words
    return sql, tuple(values)
