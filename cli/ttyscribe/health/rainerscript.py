# SPDX-License-Identifier: Apache-2.0
"""rsyslog's configuration, as far as a check needs it: its objects, old-style directives and assignments, in order.

Filters, expressions and old-style actions are passed over. Pure: what `include` names is read by the caller.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ttyscribe.health.findings import MOST_DEEP, Include, Place, Unreadable, nothing_included

OBJECTS = frozenset(
    ("global", "module", "input", "action", "template", "ruleset", "main_queue", "include", "property", "constant")
)
"""The others are of no interest here."""
_ASSIGNMENTS = frozenset(("set", "unset", "reset"))

_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*|/\*.*?\*/)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<word>[A-Za-z_][\w.\-]*)
      | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(r"[ \t]*\$([A-Za-z]\w*)[ \t]+(?!==|!=|[<>]|contains|startswith|and\b|or\b|then\b)([^\n]*)")
"""Not the second line of an expression that begins with a message's property."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Object(NamedTuple):
    """`name(key="value" ...)`; names and keys in lower case, as rsyslog does not tell case apart."""

    name: str
    params: dict[str, str]
    """A list's values are joined by blanks."""
    place: Place
    scope: str
    """`ruleset NAME` or `template NAME` that it stands in; else empty."""

    def get(self, key: str, default: str = "") -> str:
        """A parameter's value."""
        return self.params.get(key.lower(), default)

    def on(self, key: str, default: bool = False) -> bool:
        """Whether a switch is on."""
        value = self.params.get(key.lower())
        return default if value is None else value.lower() in ("on", "yes", "true", "1")


class Directive(NamedTuple):
    """`$Name value`, the old style; the name in lower case."""

    name: str
    value: str
    place: Place


class Assignment(NamedTuple):
    """`set $!name = expression;` or `unset $!name;`."""

    verb: str
    text: str
    place: Place
    scope: str


Item = Object | Directive | Assignment


def objects(items: Iterable[Item], *names: str) -> Iterator[Object]:
    """The objects of these names, in order."""
    return (item for item in items if isinstance(item, Object) and item.name in names)


def parse(path: str, text: str, include: Include = nothing_included) -> list[Item]:
    """Everything in a file and in those that it includes, in the order in which rsyslog reads it. Raises Unreadable."""
    return list(_items(path, text, include, 0))


def _items(path: str, text: str, include: Include, depth: int) -> Iterator[Item]:
    for item in _Reader(path, text).items():
        pattern = ""
        if isinstance(item, Object) and item.name == "include":
            pattern = item.get("file")
        elif isinstance(item, Directive) and item.name == "includeconfig":
            pattern = item.value
        if not pattern:
            yield item
            continue
        if depth >= MOST_DEEP:
            raise Unreadable(item.place, "files include each other without end")
        for other, content in include(pattern, item.place):
            yield from _items(other, content, include, depth + 1)


class _Reader:
    """One file's text, token by token."""

    def __init__(self, path: str, text: str) -> None:
        self._path, self._text = path, text
        self._at = 0
        self._scopes: list[str] = []

    def items(self) -> Iterator[Item]:
        """The items of this file alone."""
        opening = ""  # the scope that the next brace opens
        for kind, value, at in self._tokens():
            if kind == "directive":
                name, _, rest = value.partition(" ")
                yield Directive(name.lower(), rest.strip(), self._place(at))
            elif value == "{":
                self._scopes.append(opening or self._scope)
                opening = ""
            elif value == "}":
                if not self._scopes:
                    raise Unreadable(self._place(at), "a } closes nothing")
                self._scopes.pop()
            elif kind == "word" and value.lower() in _ASSIGNMENTS:
                yield Assignment(value.lower(), self._until_semicolon(at), self._place(at), self._scope)
            elif kind == "word" and value.lower() in OBJECTS and self._next_is_parenthesis():
                found = Object(value.lower(), self._parameters(at), self._place(at), self._scope)
                opening = f"{found.name} {found.get('name')}" if found.name in ("ruleset", "template") else ""
                yield found
        if self._scopes:
            raise Unreadable(self._place(len(self._text)), "a { is never closed")

    @property
    def _scope(self) -> str:
        return self._scopes[-1] if self._scopes else ""

    def _place(self, at: int) -> Place:
        return Place(self._path, self._text.count("\n", 0, at) + 1)

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        """Kind, text and place of what is no blank; old-style directives stand at a line's beginning, in no braces."""
        line_begins = True
        while self._at < len(self._text):
            at = self._at
            if line_begins and not self._scopes and (found := _DIRECTIVE.match(self._text, at)):
                self._at = found.end()
                yield "directive", f"{found[1]} {found[2]}", at
                continue
            kind, value = self._take()
            if kind == "blank":
                line_begins = line_begins or "\n" in value
                continue
            line_begins = False
            yield kind, value, at

    def _take(self) -> tuple[str, str]:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise AssertionError("`sign` takes any character")
        self._at = found.end()
        return str(found.lastgroup), found[0]

    def _solid(self) -> tuple[str, str]:
        """The next token that is no blank; two empty texts at the end."""
        while self._at < len(self._text):
            kind, value = self._take()
            if kind != "blank":
                return kind, value
        return "", ""

    def _next_is_parenthesis(self) -> bool:
        before = self._at
        if self._solid()[1] == "(":
            return True
        self._at = before
        return False

    def _parameters(self, at: int) -> dict[str, str]:
        """`key="value"` and `key=["a","b"]` up to the closing parenthesis; of a repeated key rsyslog takes the last."""
        found: dict[str, str] = {}
        while True:
            kind, value = self._solid()
            if value == ")":
                return found
            if kind == "word":
                if self._solid()[1] != "=":
                    raise Unreadable(self._place(at), f"{value} has no value")
                found[value.lower()] = self._value(at)
            elif not kind or value in "{}":
                raise Unreadable(self._place(at), "a ( is never closed")

    def _value(self, at: int) -> str:
        kind, value = self._solid()
        if value != "[":
            return _unquoted(kind, value)
        parts: list[str] = []
        while True:
            kind, value = self._solid()
            if value == "]":
                return " ".join(parts)
            if not kind:
                raise Unreadable(self._place(at), "a [ is never closed")
            if value != ",":
                parts.append(_unquoted(kind, value))

    def _until_semicolon(self, at: int) -> str:
        parts: list[str] = []
        while True:
            kind, value = self._solid()
            if value == ";":
                return " ".join(parts)
            if not kind:
                raise Unreadable(self._place(at), "an assignment without its semicolon")
            parts.append(value)


def _unquoted(kind: str, value: str) -> str:
    return _ESCAPE.sub(r"\1", value[1:-1]) if kind == "text" else value
