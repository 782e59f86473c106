# SPDX-License-Identifier: Apache-2.0
"""Reads JSON with C and C++ comments, as configuration files have it, and tells the line of each key.

Takes what json-c takes: trailing commas, single quotes, true, false and null in any case. Own parser: the standard one
knows neither comments nor the lines of keys, and loads a good deal more.
"""

from _json import scanstring
from collections import namedtuple

from ttyscribe_formats.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    Scalar = str | int | float | bool | None

    class Entry(NamedTuple):
        """A value (a list for arrays, a dict of entries for objects) and the line that it begins in, from 1."""

        value: "Scalar | list[Entry] | dict[str, Entry]"
        line: int
else:
    Entry = namedtuple("Entry", "value line")

_MAX_DEPTH = 32
_WORDS: "dict[str, Scalar]" = {"true": True, "false": False, "null": None}
_BLANKS = " \t\r\n"
_ENDS = _BLANKS + ",:[]{}/\"'"


def parse(text: str, path: str) -> Entry:
    """The value in `text`. Raises ConfigError that names `path` and the line."""
    parser = _Parser(text, path)
    found = parser.value(0)
    parser.skip()
    if parser.at < len(text):
        raise parser.error(f"{text[parser.at]!r} stands behind the end")
    return found


class _Parser:
    """A text and how far we have read."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self.at = 0
        self._counted = (0, 1)

    @property
    def line(self) -> int:
        """The line that `at` is in; counted on from where it was asked for last."""
        at, line = self._counted if self._counted[0] <= self.at else (0, 1)
        self._counted = (self.at, line + self._text.count("\n", at, self.at))
        return self._counted[1]

    def error(self, text: str) -> ConfigError:
        return ConfigError(text, self._path, self.line)

    def skip(self) -> None:
        """Go on to what is neither blank nor comment."""
        text = self._text
        while self.at < len(text):
            if text[self.at] in _BLANKS:
                self.at += 1
            elif text.startswith("//", self.at):
                end = text.find("\n", self.at)
                self.at = end if end >= 0 else len(text)
            elif text.startswith("/*", self.at):
                end = text.find("*/", self.at + 2)
                if end < 0:
                    raise self.error("a comment does not end")
                self.at = end + 2
            else:
                return

    def peek(self) -> str:
        """The next character that counts; empty at the end."""
        self.skip()
        return self._text[self.at : self.at + 1]

    def value(self, depth: int) -> Entry:
        """Read one value."""
        if depth > _MAX_DEPTH:
            raise self.error(f"more than {_MAX_DEPTH} values inside each other")
        first, line = self.peek(), self.line
        if first == "{":
            return Entry(self._object(depth), line)
        if first == "[":
            return Entry(self._array(depth), line)
        return Entry(self._string(first) if first in ('"', "'") else self._word(), line)

    def _object(self, depth: int) -> dict[str, Entry]:
        found = {}
        self.at += 1
        while (first := self.peek()) != "}":
            if first not in ('"', "'"):
                raise self.error("a key in quotes or } is missing here")
            line, key = self.line, self._string(first)
            if self.peek() != ":":
                raise self.error(f"a colon is missing behind {key!r}")
            self.at += 1
            found[key] = Entry(self.value(depth + 1).value, line)
            self._comma("}")
        self.at += 1
        return found

    def _array(self, depth: int) -> list[Entry]:
        found = []
        self.at += 1
        while self.peek() != "]":
            found.append(self.value(depth + 1))
            self._comma("]")
        self.at += 1
        return found

    def _comma(self, end: str) -> None:
        following = self.peek()
        if following == ",":
            self.at += 1
        elif following != end:
            raise self.error(f"a comma or {end} is missing here")

    def _string(self, mark: str) -> str:
        text, end = self._text, self.at + 1
        try:
            if mark == '"':
                found, self.at = scanstring(text, end, False)
                return found
            while text[end] != "'":
                end += 2 if text[end] == "\\" else 1
            inner = text[self.at + 1 : end].replace("\\'", "'").replace('\\"', '"').replace('"', '\\"')
            found = scanstring(inner + '"', 0, False)[0]
        except (ValueError, IndexError):
            raise self.error("a text has no end, or a wrong escape") from None
        self.at = end + 1
        return found

    def _word(self) -> "Scalar":
        start = self.at
        while self.at < len(self._text) and self._text[self.at] not in _ENDS:
            self.at += 1
        word = self._text[start : self.at]
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        digits = word.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 20:
            return int(word)
        if digits[:1].isdigit():
            try:
                return float(word)
            except ValueError:
                pass
        self.at = start
        raise self.error(
            f"{word or self._text[start : start + 1]!r} is no value" if start < len(self._text) else "ends too early"
        )
