# SPDX-License-Identifier: Apache-2.0
"""Reads a query into its tree; pure.

    user:alice "permission denied" !host:web7 (path:/etc/* OR cmd~"^sudo (su|bash)") since:2d

Terms side by side must all hold; `OR` binds less than that; `!` or `NOT` before a term turns it round (a hyphen does
not: people look for `rm -rf`); parentheses group. A free word, or "phrase", is looked for in all that was shown, typed
and logged; `*text*` in the lines of screens. `field:value` compares: exactly, with `*` for any characters, or, where a
field holds text, by words. `field~"…"` takes a regular expression.
"""

from collections.abc import Callable, Iterable
from ipaddress import ip_network

from ttyscribe_formats.words import words
from ttyscribe_store.query.fields import FIELDS, LONGEST, Field
from ttyscribe_store.query.lexer import QueryError, Token, tokens
from ttyscribe_store.query.nodes import (
    And,
    Everything,
    Exact,
    Network,
    Node,
    Not,
    Number,
    Or,
    Pattern,
    Phrase,
    Since,
    Until,
    Wild,
)
from ttyscribe_store.query.regex import BadRegex, Regex

LEAST_SUBSTRING = 3
"""Characters in a row that a search within text needs: what the indices of substrings are made of."""
_MOST_DEEP = 12
"""Parentheses and negations within each other; Elasticsearch takes 30 clauses, of which each may make two."""
_MOST_STARS = 15
"""In one value; the engines refuse what needs too large an automaton."""
_MOST_NODES = 500
_MOST_NUMBER = 2**63 - 1

ReadTime = Callable[[str], int]
"""A time as a person writes it, in ns since the epoch. Raises ValueError, with the reason."""


def parse(query: str, read_time: ReadTime) -> Node:
    """The tree of a query; an empty one holds for everything. Raises QueryError with the column."""
    return _Parser(query, read_time).whole()


class _Parser:
    def __init__(self, query: str, read_time: ReadTime) -> None:
        self._query, self._read_time = query, read_time
        self._tokens = list(tokens(query))
        self._at = self._depth = self._count = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _error(self, what: str, column: int) -> QueryError:
        return QueryError(what, self._query, column)

    def _take(self) -> Token:
        token = self._token
        self._at += 1
        return token

    def whole(self) -> Node:
        """The whole query."""
        if len(self._tokens) == 1:
            return Everything()
        node, rest = self._either(), self._token
        if rest.kind != "end":
            raise self._error("this ) closes nothing", rest.column)
        return node

    def _either(self) -> Node:
        nodes = [self._all()]
        while self._token.kind == "or":
            self._take()
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._one()]
        while self._token.kind not in ("or", ")", "end"):
            if self._token.kind == "and":
                self._take()
            nodes.append(self._one())
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes))

    def _one(self) -> Node:
        token = self._take()
        self._count += 1
        if self._count > _MOST_NODES:
            raise self._error(f"a query has at most {_MOST_NODES} terms", token.column)
        if token.kind in ("not", "("):
            return self._inner(token)
        if token.kind == "field":
            return self._field(token, self._take())
        if token.kind == "value":
            return self._free(token)
        what = "a term is missing here" if token.kind == "end" else f"a term is missing before {token.text}"
        raise self._error(what, token.column)

    def _inner(self, token: Token) -> Node:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            raise self._error(f"a query is at most {_MOST_DEEP} deep", token.column)
        if token.kind == "not":
            node: Node = Not(self._one())
        else:
            node = self._either()
            if self._take().kind != ")":
                raise self._error("this ( is never closed", token.column)
        self._depth -= 1
        return node

    # ---- terms

    def _free(self, token: Token) -> Node:
        """A word or phrase anywhere, or `*text*` in a line."""
        if len(token.text) > 1 and token.text[0] == token.text[-1] == "*":
            return self._within(FIELDS["line"], token)
        if not token.quoted and "*" in token.text:
            raise self._error("a word is whole; to look within lines put * at both ends, as *text*", token.column)
        return self._phrase(token)

    def _phrase(self, token: Token) -> Phrase:
        found = words(token.text)
        if not found:
            raise self._error("there is no word in it: a word is made of letters, digits and _", token.column)
        return Phrase(tuple(found))

    def _field(self, name: Token, value: Token) -> Node:
        field = FIELDS.get(name.text)
        if field is None:
            hint = f"put quotes around it to find its words; fields are {', '.join(FIELDS)}"
            raise self._error(f"there is no field {name.text}: {hint}", name.column)
        if name.operator == "~":
            return self._regex(field, name, value)
        readers = {
            "keyword": self._keyword,
            "number": self._number,
            "address": self._address,
            "text": self._text,
            "time": self._time,
        }
        return readers[field.type](field, value)

    def _keyword(self, field: Field, value: Token) -> Node:
        text = value.text
        if not text:
            raise self._error("a value is missing here", value.column)
        if len(text) > LONGEST:
            raise self._error(f"a value has at most {LONGEST} characters", value.column)
        if field.values:
            if text.lower() not in field.values:
                raise self._error(f"{field.name} is one of {', '.join(field.values)}", value.column)
            return Exact(field.name, text.lower())
        if value.quoted or "*" not in text:
            return Exact(field.name, text)
        return self._wild(field, value)

    def _wild(self, field: Field, value: Token) -> Wild:
        parts = value.text.split("*")
        if len(parts) > _MOST_STARS + 1:
            raise self._error(f"a value has at most {_MOST_STARS} *", value.column)
        return Wild(field.name, (parts[0], *filter(None, parts[1:-1]), parts[-1]))

    def _number(self, field: Field, value: Token) -> Node:
        if not value.text.isascii() or not value.text.isdecimal() or int(value.text[:20]) > _MOST_NUMBER:
            raise self._error(f"{field.name} is a number", value.column)
        return Number(field.name, int(value.text))

    def _address(self, field: Field, value: Token) -> Node:
        try:
            return Network(field.name, ip_network(value.text, strict=False))
        except ValueError:
            raise self._error(f"{field.name} is an address, or a network as 10.0.0.0/8", value.column) from None

    def _text(self, field: Field, value: Token) -> Node:
        if value.text == "*" and not value.quoted:
            return Exact("kind", field.kind)
        if "*" in value.text:
            return self._within(field, value)
        return And((Exact("kind", field.kind), self._phrase(value)))

    def _within(self, field: Field, value: Token) -> Node:
        """Text within a line or command: `*part*part*`."""
        parts = value.text.split("*")
        if max(map(len, parts)) < LEAST_SUBSTRING:
            raise self._error(f"a search within text needs {LEAST_SUBSTRING} characters in a row", value.column)
        return self._wild(field, value)

    def _time(self, field: Field, value: Token) -> Node:
        try:
            time_ns = self._read_time(value.text)
        except ValueError as error:
            raise self._error(str(error), value.column) from None
        return Since(time_ns) if field.name == "since" else Until(time_ns)

    def _regex(self, field: Field, name: Token, value: Token) -> Node:
        if field.type not in ("keyword", "text") or field.values:
            raise self._error(f"{field.name} takes no regular expression", name.column)
        try:
            return Pattern(field.name, Regex(value.text))
        except BadRegex as error:
            raise self._error(str(error), value.column + value.quoted + error.at) from None


def described() -> Iterable[str]:
    """The fields, one line each."""
    width = max(map(len, FIELDS))
    for field in FIELDS.values():
        yield f"{field.name:{width}}  {field.about}" + (f": {', '.join(field.values)}" if field.values else "")
