# SPDX-License-Identifier: Apache-2.0
"""Fluentd's tag patterns: `*` is one part between dots, `**` any number of parts, `{a,b}` either; pure."""

import re

from ttyscribe_formats.errors import ConfigError


def compile_patterns(text: str) -> re.Pattern[str]:
    """One expression that fully matches the tags that any of the patterns (separated by blanks) does.

    Raises ConfigError.
    """
    try:
        return re.compile("|".join(f"(?:{_translated(pattern)})" for pattern in re.split(r"\s+", text)))
    except re.error as error:
        raise ConfigError(f"the tag pattern {text!r} can't be understood: {error}") from None


def _translated(pattern: str) -> str:
    if pattern.startswith("/"):
        if len(pattern) < 2 or not pattern.endswith("/"):
            raise ConfigError(f"the tag pattern {pattern!r} has no closing slash")
        return pattern[1:-1]
    return _Glob(pattern).translated()


class _Glob:
    """One pattern on its way to an expression. A dot is written only when something follows it."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._parts = [""]
        self._alternatives: list[list[str]] = []
        self._dot = False

    def translated(self) -> str:
        place = 0
        while place < len(self._pattern):
            place = self._take(place)
        while self._alternatives:
            self._close()
        return self._parts[0]

    def _take(self, place: int) -> int:
        """Translate what stands at `place`; where to go on."""
        if self._pattern.startswith("**", place):
            if self._dot:
                self._parts[-1] += r"(?![^.])"
                self._dot = False
            if self._pattern.startswith(".", place + 2):
                self._parts[-1] += r"(?:.*\.|\A)"
                return place + 3
            self._parts[-1] += ".*"
            return place + 2
        if self._dot:
            self._parts[-1] += r"\."
            self._dot = False
        return self._take_one(place)

    def _take_one(self, place: int) -> int:
        sign = self._pattern[place]
        if sign == "\\" and place + 1 < len(self._pattern):
            self._parts[-1] += re.escape(self._pattern[place + 1])
            return place + 2
        if sign == ".":
            self._dot = True
        elif sign == "*":
            self._parts[-1] += "[^.]*"
        elif sign == "{":
            self._alternatives.append([])
            self._parts.append("")
        elif sign == "}" and self._alternatives:
            self._close()
        elif sign == "," and self._alternatives:
            self._alternatives[-1].append(self._parts.pop())
            self._parts.append("")
        elif sign != "\\":
            self._parts[-1] += re.escape(sign)
        return place + 1

    def _close(self) -> None:
        found = [*self._alternatives.pop(), self._parts.pop()]
        self._parts[-1] += f"(?:{'|'.join(found)})"
