# SPDX-License-Identifier: Apache-2.0
"""A query as a condition over one file of the store on SQLite; pure.

The columns of `document` are looked at directly. Values of fields that have no column, or several values, are in the
table `value`; their conditions go the other way: which documents have such a value.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.query import matching, nodes
from ttyscribe_store.query.addresses import bounds, packed
from ttyscribe_store.query.fields import FIELDS, LONGEST
from ttyscribe_store.query.regex import Regex
from ttyscribe_store.sqlite_text import text
from ttyscribe_store.views import phrase

COLUMNS = {"user": "user", "host": "host", "kind": "kind", "rec": "recording", "level": "level", "session": "session"}
"""Fields whose first value is a column of `document`."""
LISTED = ("user", "session", "path", "exe", "ip")
"""Fields whose values (of those with a column: all but the first) are in the table `value`."""
FIRSTS = ("user", "level", "session")
"""Fields whose column holds the first of values that may be several, or none."""
_ONLY_LISTED = tuple(name for name in LISTED if name not in FIRSTS)
TEXTS = ("line", "cmd")
"""Fields whose values are in the table `piece`, with an index of their trigrams."""
_TRIGRAM = 3
_MICROSECOND = 1000
_FALSE = "0"
_WORDS = "number IN (SELECT rowid FROM words WHERE words MATCH ?)"


class Condition(NamedTuple):
    """SQL, and what is bound to it in order."""

    sql: str
    values: tuple[Any, ...] = ()


class Search(NamedTuple):
    """A query over `document`."""

    words: str
    """Full text query of `words` that must hold as well; empty where there is none."""
    condition: Condition


def compiled(node: nodes.Node) -> Search:
    """A tree's query. Phrases that must all hold become one full text query, which is the fastest way in."""
    parts = node.nodes if isinstance(node, nodes.And) else (node,)
    phrases = [part for part in parts if isinstance(part, nodes.Phrase)]
    others = [part for part in parts if not isinstance(part, (nodes.Phrase, nodes.Everything))]
    texts = [_quoted(part) for part in phrases]
    condition = _joined("AND", (_condition(part) for part in others))
    if "" in texts:
        return Search("", Condition(_FALSE))
    return Search(" AND ".join(texts), condition)


def _quoted(node: nodes.Phrase) -> str:
    """A phrase for the full text index; empty where it can't be in any text. Words are never syntax."""
    words = phrase(node.words)
    return "" if not words or "\0" in words else '"{}"'.format(words.replace('"', '""'))


def _joined(operator: str, conditions: Iterable[Condition]) -> Condition:
    found = list(conditions)
    sql = f" {operator} ".join(f"({condition.sql})" for condition in found)
    return Condition(sql, tuple(value for condition in found for value in condition.values))


def _condition(node: nodes.Node) -> Condition:
    match node:
        case nodes.Everything():
            return Condition("1")
        case nodes.And():
            return _joined("AND", map(_condition, node.nodes))
        case nodes.Or():
            return _joined("OR", map(_condition, node.nodes))
        case nodes.Not():
            inner = _condition(node.node)
            return Condition(f"NOT ({inner.sql})", inner.values)
        case nodes.Phrase():
            words = _quoted(node)
            return Condition(_WORDS, (words,)) if words else Condition(_FALSE)
        case nodes.Since():
            return Condition("time_us >= ?", (_up(node.time_ns),))
        case nodes.Until():
            return Condition("time_us < ?", (_up(node.time_ns),))
    return _field(node)


def _up(time_ns: int) -> int:
    return -(-time_ns // _MICROSECOND)


def _field(node: nodes.Exact | nodes.Wild | nodes.Number | nodes.Network | nodes.Pattern) -> Condition:
    if node.field == "trust" and isinstance(node, nodes.Exact):  # the parser lets nothing else through
        return Condition("trust = ?", (TRUSTS.index(node.value),))
    found = []
    if node.field in COLUMNS:
        column = COLUMNS[node.field]
        inner = _comparison(node, column)
        found.append(Condition(f"{column} IS NOT NULL AND {inner.sql}", inner.values))
    if node.field in LISTED:
        inner = _comparison(node, "value")
        sql = f"number IN (SELECT number FROM value WHERE field = ? AND {inner.sql})"  # noqa: S608 - our own words
        found.append(Condition(sql, (node.field, *inner.values)))
    if node.field in TEXTS:
        found.append(_piece(node))
    return _joined("OR", found) if found else Condition(_FALSE)


def _piece(node: nodes.Exact | nodes.Wild | nodes.Number | nodes.Network | nodes.Pattern) -> Condition:
    """The documents with such a text; those that can't have it are left out by trigrams first."""
    inner = _comparison(node, "text", ordered=False)
    needed: tuple[str, ...] = ()
    if isinstance(node, nodes.Wild):
        needed = node.parts
    elif isinstance(node, nodes.Pattern):
        needed = node.regex.needed
    query = _trigrams(needed)
    clause, bound = (" AND id IN (SELECT rowid FROM trigrams WHERE trigrams MATCH ?)", (query,)) if query else ("", ())
    sql = f"number IN (SELECT number FROM piece WHERE field = ?{clause} AND {inner.sql})"  # noqa: S608 - our own words
    return Condition(sql, (node.field, *bound, *inner.values))


def _trigrams(texts: Iterable[str]) -> str:
    """A full text query that every text with all of these holds; empty where they are too short to tell."""
    found = {part[at : at + _TRIGRAM] for part in texts for at in range(len(part) - _TRIGRAM + 1)}
    usable = sorted(trigram for trigram in found if "\0" not in trigram)
    return " AND ".join('"{}"'.format(trigram.replace('"', '""')) for trigram in usable)


def _comparison(node: nodes.Node, column: str, *, ordered: bool = True) -> Condition:
    """What must hold of one value."""
    match node:
        case nodes.Exact():
            return Condition(f"{column} = CAST(? AS TEXT)", (text(node.value),))
        case nodes.Number():
            return Condition(f"{column} = ?", (node.value,))
        case nodes.Wild():
            inner = Condition(f"ttyscribe_wild(?, {column})", (json.dumps(node.parts),))
            return _after(node.parts[0], column, inner) if ordered else inner
        case nodes.Pattern():
            return Condition(f"ttyscribe_regex(?, {column})", (node.regex.source,))
        case nodes.Network():
            return Condition(f"{column} BETWEEN ? AND ?", bounds(node.network))
    raise AssertionError(node)


def _after(prefix: str, column: str, inner: Condition) -> Condition:
    """The same, with the values that begin so looked at alone: they stand together in the index."""
    if not prefix:
        return inner
    first, last = text(prefix), text(prefix) + b"\xff"
    sql = f"{column} >= CAST(? AS TEXT) AND {column} < CAST(? AS TEXT) AND {inner.sql}"
    return Condition(sql, (first, last, *inner.values))


class Indexed(NamedTuple):
    """What a document is found by besides its words."""

    columns: dict[str, Any]
    """The first value of each field of `FIRSTS`; none where it has none that can be compared."""
    listed: set[tuple[str, str | int | bytes]]
    """Its rows of `value`: field and value, as it is compared."""


def indexed(document: Mapping[str, Any]) -> Indexed:
    """The values of all fields, each looked up once."""
    found = Indexed({}, set())
    for name in (*FIRSTS, *_ONLY_LISTED):
        values = [_comparable(name, value) for value in matching.values(document, name)]
        values = [value for value in values if value is not None]
        first = None
        if name in FIRSTS:
            first = found.columns[name] = values[0] if values else None
        if name in LISTED:
            found.listed.update((name, value) for value in values if value is not None and value != first)
    return found


def pieces(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of `piece` that a document has: field and text."""
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
    return isinstance(value, str) and len(value) <= LONGEST and matching.wild(_parts(parts), value)


def _matches(source: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST and bool(_regex(source).pattern.search(value))


FUNCTIONS: dict[str, Callable[[str, Any], bool]] = {"ttyscribe_wild": _wild, "ttyscribe_regex": _matches}
"""What every connection that reads has to know, each of two arguments."""
