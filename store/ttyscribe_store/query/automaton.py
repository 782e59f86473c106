# SPDX-License-Identifier: Apache-2.0
"""Matches regular expressions in a time that the text's length alone decides; pure.

Recorded people choose the texts: `re`, which tries one way after the other, can be kept busy by them for hours. Here
all ways are followed at once, each character once (Glushkov's automaton, made deterministic as far as texts need it).
"""

import re
from collections.abc import Iterable
from typing import NamedTuple, Union

_MOST_TRANSITIONS = 20_000
"""Known at once; then it begins anew."""


class One(NamedTuple):
    """One character."""

    characters: str
    """Which, as `re` writes it: an escaped character, a class or a dot."""


class Sequence(NamedTuple):
    """One after the other; none = nothing."""

    items: "tuple[Tree, ...]"


class Choice(NamedTuple):
    """Any of them."""

    items: "tuple[Tree, ...]"


class Repeat(NamedTuple):
    """So many times."""

    item: "Tree"
    least: int
    most: int | None
    """None = without end."""


Tree = Union[One, Sequence, Choice, Repeat]  # noqa: UP007 - it names itself


def size(tree: Tree) -> int:
    """Places for a character, with all counts written out."""
    match tree:
        case One():
            return 1
        case Sequence() | Choice():
            return sum(map(size, tree.items))
        case Repeat():
            return size(tree.item) * max(tree.least, tree.most or 1)


class _Part(NamedTuple):
    """A stretch of the automaton: its places to begin with, and those to end with."""

    empty: bool
    """Whether it may match nothing."""
    first: frozenset[int]
    last: frozenset[int]


_EMPTY = _Part(empty=True, first=frozenset(), last=frozenset())


class _State(dict[str, "_State"]):
    """Where the automaton can be at the same time; by the next character, where it is then."""

    __slots__ = ("_automaton", "accepts", "following")

    def __init__(self, automaton: "Automaton", following: frozenset[int], *, accepts: bool) -> None:
        super().__init__()
        self._automaton, self.following, self.accepts = automaton, following, accepts

    def __missing__(self, character: str) -> "_State":
        return self._automaton.advance(self, character)


class Automaton:
    """One expression."""

    def __init__(self, tree: Tree, *, begins: bool, ends: bool) -> None:
        self._begins, self._ends = begins, ends
        self._follow: list[set[int]] = []
        self._classes: list[re.Pattern[str]] = []
        self._whole = self._part(tree)
        self._states: dict[frozenset[int], _State] = {}
        self._transitions = 0

    def matches(self, text: str) -> bool:
        """Tell whether it matches anywhere in a text; where it is bound to the text's ends, there."""
        whole, ends = self._whole, self._ends
        state = _State(self, whole.first, accepts=whole.empty)
        if whole.empty and not (ends and self._begins):
            return True
        for character in text:
            state = state[character]
            if state.accepts and not ends:
                return True
        return state.accepts

    def advance(self, state: _State, character: str) -> _State:
        """Where it is after one more character."""
        fitting: dict[re.Pattern[str], bool] = {}
        there = set()
        for place in state.following:
            wanted = self._classes[place]
            fits = fitting.get(wanted)
            if fits is None:
                fits = fitting[wanted] = wanted.match(character) is not None
            if fits:
                there.add(place)
        found = self._state(frozenset(there))
        self._transitions += 1
        if self._transitions > _MOST_TRANSITIONS:
            self._states, self._transitions = {}, 0
            found = self._state(frozenset(there))
        state[character] = found
        return found

    def _state(self, places: frozenset[int]) -> _State:
        found = self._states.get(places)
        if found is None:
            following = set[int]().union(*(self._follow[place] for place in places))
            following |= frozenset() if self._begins else self._whole.first
            accepts = not places.isdisjoint(self._whole.last)
            found = self._states[places] = _State(self, frozenset(following), accepts=accepts)
        return found

    # ---- making it

    def _part(self, tree: Tree) -> _Part:
        match tree:
            case One():
                self._classes.append(re.compile(tree.characters, re.DOTALL))
                self._follow.append(set())
                here = frozenset((len(self._follow) - 1,))
                return _Part(empty=False, first=here, last=here)
            case Sequence():
                return self._joined([self._part(item) for item in tree.items])
            case Choice():
                return _either([self._part(item) for item in tree.items])
            case Repeat():
                return self._repeated(tree)

    def _joined(self, parts: Iterable[_Part]) -> _Part:
        whole = _EMPTY
        for part in parts:
            for place in whole.last:
                self._follow[place] |= part.first
            whole = _Part(
                empty=whole.empty and part.empty,
                first=whole.first | part.first if whole.empty else whole.first,
                last=whole.last | part.last if part.empty else part.last,
            )
        return whole

    def _repeated(self, tree: Repeat) -> _Part:
        """`x{1,3}` is made as `x(x(x)?)?`."""
        rest = _EMPTY
        copies = max(tree.least, 1) if tree.most is None else tree.most
        for number in range(copies, 0, -1):
            one = self._part(tree.item)
            if tree.most is None and number == copies:
                for place in one.last:
                    self._follow[place] |= one.first
            rest = self._joined((one, rest))
            if number > tree.least:
                rest = rest._replace(empty=True)
        return rest


def _either(parts: list[_Part]) -> _Part:
    return _Part(
        empty=any(part.empty for part in parts),
        first=frozenset[int]().union(*(part.first for part in parts)),
        last=frozenset[int]().union(*(part.last for part in parts)),
    )
