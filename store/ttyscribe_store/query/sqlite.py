# SPDX-License-Identifier: Apache-2.0
"""A query over one file of the store on SQLite; pure.

Two ways lead to its documents. *Drivers* are selections of candidates by an index: words, values of fields, trigrams,
a recording. *Clauses* are what a row can tell about itself; they go with either way. Where a clause can't tell all
(`exact` is false), it lets too many through, and whoever asks looks at the documents themselves.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.query import matching, nodes
from ttyscribe_store.query.addresses import bounds, packed
from ttyscribe_store.query.fields import FIELDS, LONGEST
from ttyscribe_store.query.regex import Regex
from ttyscribe_store.sqlite_text import text, text_back
from ttyscribe_store.views import phrase

COLUMNS = {"host": "host", "kind": "kind", "rec": "recording", "level": "level"}
"""Fields whose only value is a column of `document`."""
LISTED = ("user", "session", "path", "exe", "ip")
"""Fields whose values are in the table `value`."""
ROW_SESSION = "recording.session"
"""What the sessions of the rows of recordings are listed by once more."""
FIRSTS = ("user", "level", "session")
"""Fields whose column holds the first of values that may be several, or none."""
_ONLY_LISTED = tuple(name for name in LISTED if name not in FIRSTS)
TEXTS = ("line", "cmd")
"""Fields whose values are in the table `piece`, with an index of their trigrams."""
PARTED = ("path", "exe")
"""Fields of `LISTED` whose values are in the table `distinct_value`, each once, with an index of their trigrams."""
_TRIGRAM = 3
_MICROSECOND = 1000

_Compared = nodes.Exact | nodes.Wild | nodes.Number | nodes.Network | nodes.Pattern


class Clause(NamedTuple):
    """A condition on a row of `document`, and what is bound to it in order."""

    sql: str
    values: tuple[Any, ...] = ()
    exact: bool = True
    """Whether it holds for nothing but what it stands for."""


class Driver(NamedTuple):
    """A statement that gives the numbers of all documents that some parts of a query can hold for, each once."""

    sql: str
    values: tuple[Any, ...]
    covers: frozenset[int] = frozenset()
    """The parts that hold for every one of them."""


class Search(NamedTuple):
    """A query: what must hold, part by part."""

    drivers: tuple[Driver, ...]
    clauses: tuple[Clause, ...]
    """One for each part."""
    words: Driver | None
    """Documents with all words asked for, between two numbers, which come last; none where no part is of words."""
    since_us: int
    """All documents are of that time (µs since the epoch) or later."""

    def clause(self, used: Sequence[Driver] = ()) -> Clause:
        """What candidates of these drivers must fit as well."""
        covered = frozenset[int]().union(*(driver.covers for driver in used))
        return _joined("AND", (clause for number, clause in enumerate(self.clauses) if number not in covered))


_MOST_WORDS = 32
"""More are not looked for stretch by stretch: each would be opened each time."""
_NOTHING = Clause("0")
_ANYTHING = Clause("1", exact=False)
_NO_TIME = -(1 << 63)


def compiled(node: nodes.Node) -> Search:
    """A tree's query. Phrases that must all hold become one full text query, which is the fastest way in."""
    parts = tuple(_parts_of(node))
    numbers = [number for number, part in enumerate(parts) if isinstance(part, nodes.Phrase)]
    phrases = [part for part in parts if isinstance(part, nodes.Phrase)]
    drivers = [_words(phrases)._replace(covers=frozenset(numbers))] if phrases else []
    for number, part in enumerate(parts):
        found = None if isinstance(part, nodes.Phrase) else _driver(part)
        drivers += [found._replace(covers=frozenset((number,) if found.covers else ()))] if found else []
    drivers += _rows(parts)
    since = [_up(part.time_ns) for part in parts if isinstance(part, nodes.Since)]
    return Search(tuple(drivers), tuple(map(_clause, parts)), _between(parts), max(since, default=_NO_TIME))


def _parts_of(node: nodes.Node) -> Iterable[nodes.Node]:
    """What must all hold."""
    if not isinstance(node, nodes.And):
        yield node
        return
    for inner in node.nodes:
        yield from _parts_of(inner)


def _joined(operator: str, clauses: Iterable[Clause]) -> Clause:
    found = list(clauses)
    sql = f" {operator} ".join(f"({clause.sql})" for clause in found) or "1"
    return Clause(
        sql, tuple(value for clause in found for value in clause.values), all(clause.exact for clause in found)
    )


def _up(time_ns: int) -> int:
    return -(-time_ns // _MICROSECOND)


# ---- what a row tells


def _clause(node: nodes.Node) -> Clause:
    match node:
        case nodes.Everything():
            return Clause("1")
        case nodes.And():
            return _joined("AND", map(_clause, node.nodes))
        case nodes.Or():
            return _joined("OR", map(_clause, node.nodes))
        case nodes.Not():
            inner = _clause(node.node)
            return Clause(f"NOT ({inner.sql})", inner.values) if inner.exact else _ANYTHING
        case nodes.Phrase():
            return _ANYTHING if _quoted(node) else _NOTHING
        case nodes.Since():
            return Clause("time_us >= ?", (_up(node.time_ns),))
        case nodes.Until():
            return Clause("time_us < ?", (_up(node.time_ns),))
    return _field(node)


def _field(node: _Compared) -> Clause:
    if node.field == "trust" and isinstance(node, nodes.Exact):  # the parser lets nothing else through
        return Clause("trust = ?", (TRUSTS.index(node.value),))
    if node.field in COLUMNS:
        column = COLUMNS[node.field]
        inner = _comparison(node, column)
        return Clause(f"{column} IS NOT NULL AND {inner.sql}", inner.values)
    if node.field in LISTED and isinstance(node, (nodes.Exact, nodes.Number)):
        inner = _comparison(node, "value")
        where = f"field = ? AND {inner.sql} AND number = document.number"
        return Clause(f"EXISTS (SELECT 1 FROM value WHERE {where})", (node.field, *inner.values))  # noqa: S608 - ours
    if node.field in TEXTS:
        inner = _comparison(node, "text")
        where = f"number = document.number AND field = ? AND {inner.sql}"
        return Clause(f"EXISTS (SELECT 1 FROM piece WHERE {where})", (node.field, *inner.values))  # noqa: S608 - ours
    return _ANYTHING if node.field in LISTED else _NOTHING


def _comparison(node: _Compared, column: str) -> Clause:
    """What must hold of one value."""
    match node:
        case nodes.Exact():
            return Clause(f"{column} = CAST(? AS TEXT)", (text(node.value),))
        case nodes.Number():
            return Clause(f"{column} = ?", (node.value,))
        case nodes.Wild():
            return Clause(f"ttyscribe_wild(?, CAST({column} AS BLOB))", (json.dumps(node.parts),))
        case nodes.Pattern():
            return Clause(f"ttyscribe_regex(?, CAST({column} AS BLOB))", (node.regex.source,))
        case nodes.Network():
            return Clause(f"{column} BETWEEN ? AND ?", bounds(node.network))


# ---- what an index tells


def _driver(node: nodes.Node) -> Driver | None:
    """The way in that one part offers; `covers` is not empty where it holds for all that come."""
    match node:
        case nodes.Phrase():
            return _words([node])
        case nodes.And():
            found = [driver for driver in map(_driver, node.nodes) if driver]
            return found[0]._replace(covers=frozenset()) if found else None
        case nodes.Or():
            query = _matched(node)
            return Driver(_WORDS, (query,), _COVERED) if query else _either([_driver(inner) for inner in node.nodes])
        case nodes.Exact() | nodes.Wild() | nodes.Number() | nodes.Network() | nodes.Pattern():
            return _listed(node) if node.field in LISTED else _piece(node) if node.field in TEXTS else _of(node)
    return None


_COVERED = frozenset((0,))
_WORDS = "SELECT rowid AS number FROM words WHERE words MATCH ?"


def _words(found: Sequence[nodes.Phrase]) -> Driver:
    """The documents with all of these phrases."""
    texts = [_quoted(one) for one in found]
    if "" in texts:
        return Driver("SELECT 0 AS number WHERE 0", (), _COVERED)
    return Driver(_WORDS, (" AND ".join(texts),), _COVERED)


def _between(parts: Sequence[nodes.Node]) -> Driver | None:
    """The documents of a stretch that hold what parts say about words alone."""
    found = {number: query for number, query in enumerate(map(_matched, parts)) if query}
    query = " AND ".join(found.values())
    if not found or query.count(" ") > _MOST_WORDS:
        return None
    return Driver(f"{_WORDS} AND rowid BETWEEN ? AND ?", (query,), frozenset(found))


def _matched(node: nodes.Node) -> str:
    """A full text query; empty where more than words decide."""
    if isinstance(node, nodes.Phrase):
        return _quoted(node)
    if not isinstance(node, (nodes.And, nodes.Or)):
        return ""
    queries = [_matched(inner) for inner in node.nodes]
    return f"({(' AND ' if isinstance(node, nodes.And) else ' OR ').join(queries)})" if all(queries) else ""


def _quoted(node: nodes.Phrase) -> str:
    """A phrase for the full text index; empty where it can't be in any text. Words are never syntax."""
    words = phrase(node.words)
    return "" if not words or "\0" in words else '"{}"'.format(words.replace('"', '""'))


def _either(found: Sequence[Driver | None]) -> Driver | None:
    drivers = [driver for driver in found if driver]
    if len(drivers) < len(found):
        return None
    sql = " UNION ".join(f"SELECT number FROM ({driver.sql})" for driver in drivers)  # noqa: S608 - our own words
    covers = _COVERED if all(driver.covers for driver in drivers) else frozenset[int]()
    return Driver(sql, tuple(value for driver in drivers for value in driver.values), covers)


def _of(node: _Compared) -> Driver | None:
    """The documents of one recording."""
    if node.field != "rec" or not isinstance(node, nodes.Exact):
        return None
    return Driver("SELECT number FROM document WHERE recording = CAST(? AS TEXT)", (text(node.value),), _COVERED)


def _rows(parts: Sequence[nodes.Node]) -> list[Driver]:
    """The rows of recordings of one session, which hits are joined by."""
    asked = nodes.Exact("kind", "recording") in parts
    found = [(number, part) for number, part in enumerate(parts) if isinstance(part, nodes.Number)] if asked else []
    sql = "SELECT number FROM value WHERE field = ? AND value = ?"
    return [Driver(sql, (ROW_SESSION, part.value), frozenset((number,))) for number, part in found]


def _listed(node: _Compared) -> Driver:
    """The documents with such a value: each value that there is is looked at once, however often it is there.

    Where trigrams tell which values may be such, no others are looked at.
    """
    first, last = "", b""
    if isinstance(node, nodes.Wild) and node.parts[0]:
        first, last = node.parts[0], text(node.parts[0]) + b"\xff"
    if not isinstance(node, (nodes.Wild, nodes.Pattern)) or (isinstance(node, nodes.Wild) and not any(node.parts[1:])):
        inner = Clause("value >= CAST(? AS TEXT) AND value < CAST(? AS TEXT)", (text(first), last)) if first else None
        if inner is None:
            inner = Clause("1") if isinstance(node, nodes.Wild) else _comparison(node, "value")
        sql = f"SELECT DISTINCT number FROM value WHERE field = ? AND {inner.sql}"  # noqa: S608 - our own words
        return Driver(sql, (node.field, *inner.values), _COVERED)
    query = _trigrams(_needed(node)) if node.field in PARTED else ""
    if query:
        inner = _comparison(node, "distinct_value.value")
        sql = f"""SELECT DISTINCT number FROM value_trigrams CROSS JOIN distinct_value ON id = value_trigrams.rowid
            CROSS JOIN value ON field = ? AND value.value = distinct_value.value
            WHERE value_trigrams MATCH CAST(? AS TEXT) AND {inner.sql}"""  # noqa: S608 - our own words
        return Driver(sql, (node.field, text(query), *inner.values), _COVERED)
    inner = _comparison(node, "one")
    below, bound = (" AND value < CAST(? AS TEXT)", (last,)) if last else ("", ())
    sql = f"""SELECT DISTINCT number FROM (
        WITH RECURSIVE each(one) AS (
            SELECT min(value) FROM value WHERE field = ? AND value >= CAST(? AS TEXT){below}
            UNION ALL SELECT (SELECT min(value) FROM value WHERE field = ? AND value > one{below}) FROM each
            WHERE one IS NOT NULL)
        SELECT number FROM each CROSS JOIN value ON field = ? AND value = one
        WHERE one IS NOT NULL AND {inner.sql})"""  # noqa: S608 - our own words
    return Driver(sql, (node.field, text(first), *bound, node.field, *bound, node.field, *inner.values), _COVERED)


def _piece(node: _Compared) -> Driver | None:
    """The documents that may have such a text by its trigrams."""
    query = _trigrams(_needed(node))
    if not query:
        return None
    sql = """SELECT DISTINCT number FROM trigrams CROSS JOIN piece ON piece.id = trigrams.rowid
        WHERE trigrams MATCH ? AND field = ?"""
    return Driver(sql, (query, node.field))


def _needed(node: _Compared) -> tuple[str, ...]:
    """What every such text has in it."""
    if isinstance(node, nodes.Wild):
        return node.parts
    return node.regex.needed if isinstance(node, nodes.Pattern) else ()


def _trigrams(texts: Iterable[str]) -> str:
    """A full text query that every text with all of these holds; empty where they are too short to tell."""
    found = {part[at : at + _TRIGRAM] for part in texts for at in range(len(part) - _TRIGRAM + 1)}
    usable = sorted(trigram for trigram in found if "\0" not in trigram)
    return " AND ".join('"{}"'.format(trigram.replace('"', '""')) for trigram in usable)


# ---- what documents are found by


class Indexed(NamedTuple):
    """What a document is found by besides its words."""

    columns: dict[str, Any]
    """The first value of each field of `FIRSTS`; none where it has none that can be compared."""
    listed: set[tuple[str, str | int | bytes]]
    """Its rows of `value`: field and value, as it is compared."""


def _first_keys(*names: str) -> frozenset[str]:
    """The keys of a document under which these fields are."""
    return frozenset(path.partition(".")[0] for name in names for path in FIELDS[name].paths)


_FIRST_KEYS = {name: _first_keys(name) for name in (*FIRSTS, *_ONLY_LISTED)}
_TEXT_KEYS = _first_keys(*TEXTS)


def indexed(document: Mapping[str, Any]) -> Indexed:
    """The values of all fields, each looked up once; most documents have few of them."""
    found = Indexed(dict.fromkeys(FIRSTS), set())
    keys = document.keys()
    for name, firsts in _FIRST_KEYS.items():
        if keys.isdisjoint(firsts):
            continue
        values = [_comparable(name, value) for value in matching.values(document, name)]
        known = [value for value in values if value is not None]
        if name in FIRSTS:
            found.columns[name] = known[0] if known else None
        if name in LISTED:
            found.listed.update((name, value) for value in known)
        if name == "session" and document["ttyscribe"]["kind"] == "recording":
            found.listed.update((ROW_SESSION, value) for value in known)
    return found


def pieces(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of `piece` that a document has: field and text."""
    if document.keys().isdisjoint(_TEXT_KEYS):
        return []
    return [(name, value) for name in TEXTS for value in matching.values(document, name) if isinstance(value, str)]


def _comparable(name: str, value: Any) -> str | int | bytes | None:
    kind = FIELDS[name].type
    if kind == "number":
        return value if type(value) is int and value.bit_length() < 64 else None
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    return packed(value) if kind == "address" else value


@lru_cache(64)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


@lru_cache(64)
def _regex(source: str) -> Regex:
    return Regex(source)


def _wild(parts: str, value: Any) -> bool:
    found = _text_of(value)
    return found is not None and len(found) <= LONGEST and matching.wild(_parts(parts), found)


def _matches(source: str, value: Any) -> bool:
    found = _text_of(value)
    return found is not None and len(found) <= LONGEST and _regex(source).matches(found)


def _text_of(value: Any) -> str | None:
    """A text as functions get it: its bytes, since SQLite's binding refuses lone surrogates."""
    try:
        return text_back(value) if isinstance(value, bytes) else None
    except UnicodeDecodeError:
        return None


FUNCTIONS: dict[str, Callable[[str, Any], bool]] = {"ttyscribe_wild": _wild, "ttyscribe_regex": _matches}
"""What every connection that reads has to know, each of two arguments."""
