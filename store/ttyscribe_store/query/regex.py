# SPDX-License-Identifier: Apache-2.0
"""The common subset of regular expressions: what Python and the engines understand alike; pure.

Literals, `.`, `[...]`, `( )`, `|`, `* + ? {m} {m,} {m,n}`, `\\d \\w \\s` and their opposites (ASCII), `^` at the
beginning and `$` at the end of the whole expression. Anything else is an error with its place. `.` is any character,
line ends too.
"""

import re
from functools import cached_property
from typing import NamedTuple

from ttyscribe_store.query import automaton

_MOST_REPEATS = 255
_MOST_DEEP = 20
LONGEST = 500
"""Characters of an expression."""
_LONGEST_LUCENE = 1000
"""What the engines take by default."""
_MOST_PLACES = 1000
"""Places for a character, with all counts written out."""
_CLASSES = {
    "d": "0-9",
    "w": "A-Za-z0-9_",
    "s": " \t\n\r\f\v",
}
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")


class BadRegex(ValueError):
    """What is outside the subset. `at` counts the characters before it."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


class _Piece(NamedTuple):
    """A part of an expression, as both sides write it, and the text that must occur wherever it matches."""

    python: str
    lucene: str
    literal: str = ""
    """What it is, if it can be only that."""
    needed: tuple[str, ...] = ()
    """Texts that every match holds."""
    tree: automaton.Tree = automaton.Sequence(())


class Regex:
    """One expression; two are equal if they are written the same."""

    def __init__(self, source: str) -> None:
        """Raises BadRegex."""
        if len(source) > LONGEST:
            raise BadRegex(f"a regular expression has at most {LONGEST} characters", LONGEST)
        self.source = source
        piece, self._begins, self._ends = _Reader(source).whole()
        if automaton.size(piece.tree) > _MOST_PLACES or len(piece.lucene) > _LONGEST_LUCENE:
            raise BadRegex("this expression is too large, with its counts written out", 0)
        self._python, self._lucene, self._tree = piece.python, piece.lucene, piece.tree
        self.needed = piece.needed
        """Texts that every value with a match holds: what an index of substrings can be asked for first."""

    def matches(self, text: str) -> bool:
        """Tell whether a text holds a match, in a time that its length alone decides."""
        if not all(part in text for part in self.needed):
            return False
        return self._automaton.matches(text)

    @cached_property
    def _automaton(self) -> automaton.Automaton:
        return automaton.Automaton(self._tree, begins=self._begins, ends=self._ends)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """For Python's `search`, which some texts keep busy for longer than anyone lives."""
        begin, end = "\\A" * self._begins, "\\Z" * self._ends
        return re.compile(f"{begin}(?:{self._python}){end}", re.DOTALL)

    @property
    def lucene(self) -> str:
        """For the engines' `regexp`, which has to match a whole value."""
        begin, end = "" if self._begins else ".*", "" if self._ends else ".*"
        body = f"({self._lucene})" if self._lucene else ""
        return f"{begin}{body}{end}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Regex({self.source!r})"


class _Reader:
    """Reads one expression, front to back."""

    def __init__(self, source: str) -> None:
        self._source, self._at, self._depth = source, 0, 0

    def whole(self) -> tuple[_Piece, bool, bool]:
        """The expression, and whether it is bound to the value's beginning and end."""
        begins = self._source.startswith("^")
        self._at = int(begins)
        piece = self._alternatives()
        ends = self._peek() == "$" and self._at == len(self._source) - 1
        self._at += int(ends)
        if self._at < len(self._source):
            raise BadRegex(self._why(self._peek()), self._at)
        # With alternatives `^` and `$` would belong to the first and the last of them alone.
        if (begins or ends) and _is_choice(self._source):
            raise BadRegex("put alternatives in parentheses where ^ or $ is used", self._source.index("|"))
        return piece, begins, ends

    def _why(self, character: str) -> str:
        reasons = {
            ")": "this ) closes nothing",
            "$": "$ may stand at the end only",
            "^": "^ may stand at the beginning only",
        }
        return reasons.get(character, f"{character} needs something before it to repeat")

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def _alternatives(self) -> _Piece:
        pieces = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            pieces.append(self._sequence())
        if len(pieces) == 1:
            return pieces[0]
        return _Piece(
            "|".join(piece.python for piece in pieces),
            "|".join(piece.lucene or "()" for piece in pieces),
            tree=automaton.Choice(tuple(piece.tree for piece in pieces)),
        )

    def _sequence(self) -> _Piece:
        python, lucene, run = "", "", ""
        needed: list[str] = []
        trees: list[automaton.Tree] = []
        while (character := self._peek()) and character not in "|)$^*+?{":
            piece = self._repeated(self._atom())
            python += piece.python
            lucene += piece.lucene
            trees.append(piece.tree)
            if piece.literal:
                run += piece.literal
            else:
                needed += [run, *piece.needed]
                run = ""
        found = tuple(text for text in (*needed, run) if text)
        return _Piece(python, lucene, run if not needed else "", found, automaton.Sequence(tuple(trees)))

    def _repeated(self, piece: _Piece) -> _Piece:
        at, character = self._at, self._peek()
        if character in ("*", "+", "?"):
            mark, least, most = character, int(character == "+"), 1 if character == "?" else None
            self._at += 1
        elif character == "{":
            mark, least, most = self._count()
        else:
            return piece
        if self._peek() in ("?", "+", "*", "{") and self._peek():
            raise BadRegex("lazy, possessive and doubled repeats are not known", at + 1)
        needed = (piece.literal,) if piece.literal else piece.needed
        return _Piece(
            f"(?:{piece.python}){mark}",
            f"({piece.lucene}){mark}",
            needed=needed if least else (),
            tree=automaton.Repeat(piece.tree, least, most),
        )

    def _count(self) -> tuple[str, int, int | None]:
        found = _COUNT.match(self._source, self._at)
        if not found:
            raise BadRegex("a { must be written \\{ or begin a count, as {2,5}", self._at)
        least, most = int(found[1]), int(found[3] or found[1])
        if max(least, most) > _MOST_REPEATS or most < least:
            raise BadRegex(f"counts go from small to large, up to {_MOST_REPEATS}", self._at)
        self._at = found.end()
        return found[0], least, None if found[2] and not found[3] else most

    def _atom(self) -> _Piece:
        at, character = self._at, self._peek()
        self._at += 1
        if character == "(":
            return self._group(at)
        if character == "[":
            return self._class(at)
        if character == ".":
            return _Piece(".", ".", tree=automaton.One("."))
        if character == "\\":
            return self._escape(at)
        if character in "]}":
            raise BadRegex(f"write \\{character} for the character", at)
        return _literal(character)

    def _group(self, at: int) -> _Piece:
        if self._peek() == "?":
            raise BadRegex("groups that begin with (? are not known", at)
        self._depth += 1
        if self._depth > _MOST_DEEP:
            raise BadRegex(f"groups stand at most {_MOST_DEEP} deep", at)
        inner = self._alternatives()
        if not self._peek():
            raise BadRegex("this ( is never closed", at)
        if self._peek() != ")":
            raise BadRegex(self._why(self._peek()), self._at)
        self._at += 1
        self._depth -= 1
        needed = (inner.literal,) if inner.literal else inner.needed
        return _Piece(f"(?:{inner.python})", f"({inner.lucene})", needed=needed, tree=inner.tree)

    def _escape(self, at: int) -> _Piece:
        character = self._peek()
        self._at += 1
        if character in ("d", "w", "s"):
            return _set(_CLASSES[character], negated=False)
        if character in ("D", "W", "S"):
            return _set(_CLASSES[character.lower()], negated=True)
        if character in ("n", "t", "r"):
            return _literal({"n": "\n", "t": "\t", "r": "\r"}[character])
        if not character or character.isalnum():
            raise BadRegex(f"\\{character} is not known", at)
        return _literal(character)

    def _class(self, at: int) -> _Piece:
        negated = self._peek() == "^"
        self._at += int(negated)
        items: list[tuple[str, str]] = []
        spans = ""
        while (character := self._peek()) != "]":
            if not character:
                raise BadRegex("this [ is never closed", at)
            if character == "[":
                raise BadRegex("write \\[ for the character; classes by name are not known", self._at)
            self._at += 1
            if character == "\\" and self._peek() in ("d", "w", "s"):
                spans += _CLASSES[self._peek()]
                self._at += 1
                continue
            first = self._member(character, at)
            last = first
            if self._peek() == "-" and self._source[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                start = self._at
                self._at += 1
                last = self._member(self._source[start], start)
                if last < first:
                    raise BadRegex(f"{first}-{last} goes backwards", start)
            items.append((first, last))
        self._at += 1
        if not items and not spans:
            raise BadRegex("a class without members", at)
        return _set(spans, negated=negated, items=items)

    def _member(self, character: str, at: int) -> str:
        if character != "\\":
            return character
        escaped = self._peek()
        self._at += 1
        if escaped in ("n", "t", "r") and escaped:
            return {"n": "\n", "t": "\t", "r": "\r"}[escaped]
        if not escaped or escaped.isalnum():
            raise BadRegex(f"\\{escaped} is not known in a class", at)
        return escaped


def _is_choice(source: str) -> bool:
    """Whether a `|` stands outside all parentheses."""
    depth = at = 0
    in_class = False
    while at < len(source):
        character = source[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and not depth:
            return True
        at += 1
    return False


def _literal(character: str) -> _Piece:
    return _Piece(re.escape(character), _escaped(character), character, tree=automaton.One(re.escape(character)))


def _escaped(character: str) -> str:
    """A character as the engines' parser reads it as itself: all that is no letter or digit may carry a backslash."""
    return character if character.isalnum() or not character.isascii() else "\\" + character


def _set(spans: str, *, negated: bool, items: list[tuple[str, str]] | None = None) -> _Piece:
    python = spans  # written by us, without a character that a class has a meaning for
    lucene = _spans_in_lucene(spans)
    for first, last in items or []:
        python += re.escape(first) + ("" if first == last else "-" + re.escape(last))
        lucene += _escaped(first) + ("" if first == last else "-" + _escaped(last))
    mark = "^" * negated
    return _Piece(f"[{mark}{python}]", f"[{mark}{lucene}]", tree=automaton.One(f"[{mark}{python}]"))


def _spans_in_lucene(spans: str) -> str:
    return "".join("\\" + character if character.isspace() or character == "_" else character for character in spans)
