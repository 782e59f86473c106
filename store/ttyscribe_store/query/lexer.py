# SPDX-License-Identifier: Apache-2.0
"""A query's text as tokens with their columns; pure."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ttyscribe_formats.errors import ConfigError

Kind = Literal["(", ")", "not", "and", "or", "field", "value", "end"]
LONGEST = 10_000
"""Characters of a query."""
_OPERATORS: dict[str, Kind] = {"AND": "and", "OR": "or", "NOT": "not"}


class QueryError(ConfigError):
    """What is wrong with a query, and where: `column` counts characters from 1."""

    def __init__(self, what: str, query: str, column: int) -> None:
        self.what, self.query, self.column = what, query, column
        super().__init__(f"column {column}: {what}")


class Token(NamedTuple):
    """One piece of a query."""

    kind: Kind
    text: str
    """Of a field its name; of a value what stands there, without quotes and their escapes."""
    column: int
    quoted: bool = False
    operator: str = ""
    """Of a field `:` or `~`."""


def tokens(query: str) -> Iterator[Token]:
    """The tokens, `end` last. Raises QueryError."""
    if len(query) > LONGEST:
        raise QueryError(f"a query has at most {LONGEST} characters", query, LONGEST)
    at, size = 0, len(query)
    while at < size:
        character, column = query[at], at + 1
        if character.isspace():
            at += 1
        elif character in "()":
            yield Token("(" if character == "(" else ")", character, column)
            at += 1
        elif character == "!" and at + 1 < size and not query[at + 1].isspace():
            yield Token("not", character, column)
            at += 1
        elif end := _field(query, at):
            yield Token("field", query[at : end - 1].lower(), column, operator=query[end - 1])
            at = end
            yield _value(query, at, needed=True)
            at = _behind(query, at)
        else:
            token = _value(query, at, needed=False)
            operator = _OPERATORS.get(token.text) if not token.quoted else None
            yield Token(operator, token.text, column) if operator else token
            at = _behind(query, at)
    yield Token("end", "", size + 1)


def _field(query: str, at: int) -> int:
    """Behind the `:` or `~` of a field's name that begins here; 0 where none does."""
    end = at
    while end < len(query) and query[end].isascii() and query[end].isalpha():
        end += 1
    return end + 1 if end > at and query[end : end + 1] in (":", "~") and query[end : end + 1] else 0


def _value(query: str, at: int, *, needed: bool) -> Token:
    column = at + 1
    if query[at : at + 1] == '"':
        return Token("value", _unquoted(query, at), column, quoted=True)
    end = _behind(query, at)
    if needed and end == at:
        raise QueryError("a value is missing here", query, column)
    return Token("value", query[at:end], column)


def _behind(query: str, at: int) -> int:
    """Behind the value that begins here."""
    if query[at : at + 1] == '"':
        at += 1
        while at < len(query) and query[at] != '"':
            at += 1 + (query[at] == "\\")
        return at + 1
    while at < len(query) and not query[at].isspace() and query[at] not in '()"':
        at += 1
    return at


def _unquoted(query: str, at: int) -> str:
    """A quoted value; a backslash takes a quote or a backslash, and is itself before all else."""
    column, text = at + 1, []
    at += 1
    while query[at : at + 1] != '"':
        if at >= len(query):
            raise QueryError("this quote is never closed", query, column)
        if query[at] == "\\" and query[at + 1 : at + 2] in ('"', "\\") and query[at + 1 : at + 2]:
            at += 1
        text.append(query[at])
        at += 1
    return "".join(text)
