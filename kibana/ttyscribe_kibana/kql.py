# SPDX-License-Identifier: Apache-2.0
"""The part of KQL that panels use, as a query of the engine.

::

    query   = and { "or" and }
    and     = not { "and" not }
    not     = [ "not" ] ( "(" query ")" | field ":" value | field ( ">" | ">=" | "<" | "<=" ) value )
    value   = "*" | word | '"' text '"'

A quoted value is a phrase, a bare one a match, `*` alone asks for existence, as the user interfaces do it. Anything
else is refused: a panel must not mean something else than what was tested.
"""

import re
from typing import Any

Json = dict[str, Any]

_TOKEN = re.compile(r'\s*(?:(?P<text>"(?:\\.|[^"\\])*")|(?P<sign>[():]|[<>]=?)|(?P<word>[^\s():<>"]+))')
_RANGES = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_WORDS = ("and", "or", "not")


def translate(query: str) -> Json:
    """The engine's query for a KQL text; empty matches all. Raises ValueError for what is not in the subset."""
    if not query.strip():
        return {"match_all": {}}
    reader = _Reader(query)
    found = reader.any_of()
    if reader.tokens:
        raise ValueError(f"KQL: unexpected {reader.tokens[0]!r} in {query!r}")
    return found


def fields(query: str) -> set[str]:
    """The fields that a query asks."""
    return _fields(translate(query))


def _fields(node: Any) -> set[str]:
    """Names below match, match_phrase, range and exists, at any depth."""
    if isinstance(node, list):
        return {name for part in node for name in _fields(part)}
    found: set[str] = set()
    for key, value in node.items():
        if key in ("match", "match_phrase", "range"):
            found |= set(value)
        elif key == "exists":
            found.add(value["field"])
        elif isinstance(value, dict | list):
            found |= _fields(value)
    return found


class _Reader:
    """Recursive descent over the tokens that are left."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = self._split(query)

    def _split(self, query: str) -> list[str]:
        tokens: list[str] = []
        place = 0
        while place < len(query.rstrip()):
            match = _TOKEN.match(query, place)
            if match is None:
                raise ValueError(f"KQL: cannot read {query[place:]!r}")
            tokens.append(match.group().strip())
            place = match.end()
        return tokens

    def _next(self) -> str:
        if not self.tokens:
            raise ValueError(f"KQL: {self.query!r} ends too early")
        return self.tokens.pop(0)

    def _take(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False

    def any_of(self) -> Json:
        parts = [self._all_of()]
        while self._take("or"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else {"bool": {"should": parts, "minimum_should_match": 1}}

    def _all_of(self) -> Json:
        parts = [self._negated()]
        while self._take("and"):
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else {"bool": {"filter": parts}}

    def _negated(self) -> Json:
        return {"bool": {"must_not": [self._single()]}} if self._take("not") else self._single()

    def _single(self) -> Json:
        if self._take("("):
            inner = self.any_of()
            if not self._take(")"):
                raise ValueError(f"KQL: a bracket is not closed in {self.query!r}")
            return inner
        field, sign, value = self._name(), self._next(), self._next()
        if sign in _RANGES:
            return {"range": {field: {_RANGES[sign]: _plain(value)}}}
        if sign != ":" or value in "()":
            raise ValueError(f"KQL: expected field : value in {self.query!r}")
        return _equals(field, value)

    def _name(self) -> str:
        name = self._next()
        if name.lower() in _WORDS or '"' in name or "*" in name or name in "():":
            raise ValueError(f"KQL: {name!r} is no field name in {self.query!r}")
        return name


def _equals(field: str, value: str) -> Json:
    if value == "*":
        return {"exists": {"field": field}}
    if value.startswith('"'):
        return {"match_phrase": {field: _plain(value)}}
    if "*" in value or "\\" in value:
        raise ValueError(f"KQL: {value!r} is outside the subset")
    return {"match": {field: value}}


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
