# SPDX-License-Identifier: Apache-2.0
"""Where each field of a document comes from: found by changing one part of the line at a time; pure.

No table says it, as a table would be wrong one day: what changes in the document when a part of the line does, is made
of that part.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_normalizers.explain import parts

Make = Callable[[bytes], Sequence[Any]]
"""The documents of a line; none where it has none."""

MOST = 200
"""Parts of a line that are looked at."""


class Origin(NamedTuple):
    """One field of a document."""

    field: str
    value: Any
    sources: tuple[str, ...]
    """Parts of the line that it is made of; none: no change of one of them changed it."""
    copy_of: str
    """The one of them that it is as it stands; empty where it is none."""


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Path and value of each field; a list and an empty object are values. However deep it is."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        above, found = waiting.pop()
        if isinstance(found, dict) and (found or not above):
            waiting += [(f"{above}.{key}" if above else str(key), found[key]) for key in reversed(found)]
        else:
            yield above, found


def changes(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    """Fields in which two objects differ; a field that is in one alone has None on the other side."""
    old, new = dict(leaves(before)), dict(leaves(after))
    return {
        name: (old.get(name), new.get(name))
        for name in {**old, **new}
        if name not in old or name not in new or old[name] != new[name] or type(old[name]) is not type(new[name])
    }


def of(
    line: bytes, make: Make, others: Mapping[str, Callable[[], Sequence[Any]]], most: int = MOST
) -> list[list[Origin]]:
    """The origins of all fields of each of the line's documents, of the line's first `most` parts.

    `others` are further things that documents may be made of, and the documents with another value of each.
    """
    base = make(line)
    found: list[dict[str, list[str]]] = [{name: [] for name, _ in leaves(document)} for document in base]
    silent: dict[str, Any] = {}
    values: dict[str, Any] = {}
    words: dict[str, list[str]] = {}
    for part in parts.of(line, most):
        values[part.name] = part.value
        affected = list(_affected(base, (make(part.put(other)) for other in parts.others(part))))
        if not affected:
            silent[part.name] = part.value
        _note(found, affected, part.name)
        if part.whole and affected:
            words.setdefault(part.whole, []).append(part.name)
    for document in found:
        for sources in document.values():
            _without_words(sources, words)
    for source, remake in others.items():
        _note(found, _affected(base, [remake()]), source)
    return [
        [_origin(name, value, found[number][name], values, silent) for name, value in leaves(document)]
        for number, document in enumerate(base)
    ]


def _note(found: list[dict[str, list[str]]], affected: Iterable[tuple[int, str]], source: str) -> None:
    for number, name in affected:
        if name in found[number] and source not in found[number][name]:
            found[number][name].append(source)


def _without_words(sources: list[str], words: Mapping[str, list[str]]) -> None:
    """Name a text as a whole where all its words matter, and else the words alone."""
    for whole, all_words in words.items():
        there = [word for word in all_words if word in sources]
        for name in there if len(there) == len(all_words) and whole in sources else [whole] if there else []:
            if name in sources:
                sources.remove(name)


def _origin(name: str, value: Any, sources: list[str], values: Mapping[str, Any], silent: Mapping[str, Any]) -> Origin:
    """`silent` are the parts of which no other value was understood: there a field that is like one is its copy."""
    if not sources and value not in ("", [], None):
        sources = [part for part, held in silent.items() if _equal(held, value)][:1]
    copy_of = next((source for source in sources if _equal(values.get(source), value)), "")
    return Origin(name, value, tuple(sources), copy_of)


def _equal(held: Any, value: Any) -> bool:
    return held is not None and (held == value or str(held) == str(value))


def _affected(base: Sequence[Any], made: Any) -> Iterator[tuple[int, str]]:
    """Number of the document and name of the field that differ in any of the documents made of changed lines."""
    for documents in made:
        if len(documents) != len(base):
            continue
        for number, (before, after) in enumerate(zip(base, documents, strict=True)):
            if _is_alike(before, after):
                for name in changes(before, after):
                    yield number, name


def _is_alike(before: Any, after: Any) -> bool:
    """Whether the change left it the kind of message that it is."""
    old, new = before.get("ttyscribe", {}), after.get("ttyscribe", {})
    return old.get("kind") == new.get("kind") and ("error" in old) == ("error" in new)
