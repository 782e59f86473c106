# SPDX-License-Identifier: Apache-2.0
"""The tables that panels must show, computed in plain Python: filter, group, rank, measure."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.kibana.facts import Fact
from tests.kibana.samples import BUCKET, Row

Key = Callable[[Fact], Any]
Figure = Callable[[list[Fact]], float | None]
Level = tuple[str, str | Key, int]
"""Label, field or rule, and how many of the values at most (0: all)."""
NONE = "__missing__"

TIME: Level = ("time", lambda fact: fact["time"] // BUCKET * BUCKET, 0)
LOOK_INTO: Level = ("Look into", "ttyscribe.recording", 1)
RECEIPT: Level = ("time", lambda fact: fact["received"] // BUCKET * BUCKET, 0)


def or_none(field: str) -> Key:
    """A field's value, or the mark for facts without it."""
    return lambda fact: fact.get(field, NONE)


def along(field: str, step: int) -> Level:
    """Intervals of a number."""
    return (field, lambda fact: None if fact.get(field) is None else fact[field] // step * step, 0)


def unique(field: str) -> Figure:
    """How many different values there are."""
    return lambda facts: len({value for fact in facts for value in _values(fact, field)})


def total(field: str) -> Figure:
    """Sum of a number; nothing where no fact has it, which the engines call 0."""
    return lambda facts: sum(fact.get(field, 0) for fact in facts)


def greatest(field: str) -> Figure:
    """Greatest value."""
    return lambda facts: max((fact[field] for fact in facts if field in fact), default=None)


def least(field: str) -> Figure:
    """Least value."""
    return lambda facts: min((fact[field] for fact in facts if field in fact), default=None)


def last(facts: list[Fact]) -> int:
    """When the latest of them happened."""
    return max(int(fact["time"]) for fact in facts)


def first(facts: list[Fact]) -> int:
    """When the earliest of them happened."""
    return min(int(fact["time"]) for fact in facts)


def table(
    facts: Sequence[Fact], levels: Sequence[Level], figures: Mapping[str, Figure], rank: Figure | None = None
) -> list[Row]:
    """Rows of nested groups, each level ranked by a figure, the first one unless said; equal ones by name."""
    by = rank or next(iter(figures.values()))
    if not levels:
        return [{label: figure(list(facts)) for label, figure in figures.items()}]
    label, key, size = levels[0]
    found: dict[Any, list[Fact]] = defaultdict(list)
    for fact in facts:
        for value in _values(fact, key):
            found[value].append(fact)
    order = sorted(found, key=lambda value: (-(by(found[value]) or 0), value))
    kept = order[:size] if size else sorted(found)
    return [{label: value, **row} for value in kept for row in table(found[value], levels[1:], figures, by)]


def listed(
    facts: Sequence[Fact], columns: Sequence[str], *, oldest_first: bool = False, time: str = "time"
) -> list[Row]:
    """Documents as they are, by time."""
    order = sorted(facts, key=lambda fact: fact[time], reverse=not oldest_first)
    return [{"time": fact[time], **{name: _shown(fact, name) for name in columns}} for fact in order]


def _shown(fact: Fact, name: str) -> Any:
    """A time in ms, anything else as text."""
    return fact["time"] if name == "@timestamp" else ", ".join(str(value) for value in _values(fact, name))


def _values(fact: Fact, key: str | Key) -> list[Any]:
    """What a fact is counted under: each value of a field once."""
    found = fact.get(key) if isinstance(key, str) else key(fact)
    if found is None:
        return []
    return list(dict.fromkeys(found)) if isinstance(found, list) else [found]
