# SPDX-License-Identifier: Apache-2.0
"""Whether two patterns of index names can mean the same index, and which templates stand in each other's way. Pure."""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple

from ttyscribe_store.install.objects import Asset


class Other(NamedTuple):
    """An index template on the engine."""

    name: str
    patterns: tuple[str, ...]
    priority: int


@lru_cache(maxsize=4096)
def overlap(one: str, other: str) -> bool:
    """Tell whether some name fits both patterns (`*` = any characters, none included)."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        if i == len(one) and j == len(other):
            return True
        for step in _steps(one[i : i + 1], other[j : j + 1], i, j):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False


def _steps(a: str, b: str, i: int, j: int) -> Iterable[tuple[int, int]]:
    """Where to from two places: a star is left, or takes one character of the other."""
    if a == "*":
        yield i + 1, j
        if b and b != "*":
            yield i, j + 1
    if b == "*":
        yield i, j + 1
        if a and a != "*":
            yield i + 1, j
    if a and a == b:
        yield i + 1, j + 1


def in_the_way(wanted: Iterable[Asset], others: Iterable[Other], names: Collection[str]) -> list[str]:
    """One line for each template of somebody else's that an engine would refuse ours for, or prefer to ours.

    `names` are those of our templates that are there.
    """
    own = [one for one in wanted if one.kind == "index"]
    lines = []
    for other in sorted(others):
        hit = [one for one in own if _covers(one, other)] if other.name not in names else []
        if hit:
            one = max(hit, key=lambda asset: int(asset.body["priority"]))
            same = any(asset.body["priority"] == other.priority for asset in hit)
            how = "has the same priority as" if same else "goes before"
            theirs = _plain(f"{other.name} ({', '.join(other.patterns)}; priority {other.priority})")
            lines.append(
                f"index template {theirs} {how} "
                f"{one.name} ({one.body['priority']}): give --priority {other.priority + 3}, or change that template"
            )
    return lines


def _covers(one: Asset, other: Other) -> bool:
    if other.priority < one.body["priority"]:
        return False
    return any(overlap(a, b) for a in one.body["index_patterns"] for b in other.patterns)


def _plain(text: str) -> str:
    """Somebody else's text, safe on a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
