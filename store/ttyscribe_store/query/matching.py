# SPDX-License-Identifier: Apache-2.0
"""What a query means, document by document; pure. Stores that look at every document use it, and the others are held
against it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ttyscribe_store.query import nodes
from ttyscribe_store.query.addresses import bounds, packed
from ttyscribe_store.query.fields import FIELDS, LONGEST
from ttyscribe_store.views import phrase, time_ns


def holds(node: nodes.Node, document: Mapping[str, Any]) -> bool:
    """Tell whether a query holds for a document as it is written (its words included)."""
    match node:
        case nodes.Everything():
            return True
        case nodes.And():
            return all(holds(inner, document) for inner in node.nodes)
        case nodes.Or():
            return any(holds(inner, document) for inner in node.nodes)
        case nodes.Not():
            return not holds(node.node, document)
        case nodes.Phrase():
            words = phrase(node.words)
            return bool(words) and f" {words} " in f" {document['ttyscribe']['words']} "
        case nodes.Since():
            return time_ns(document) >= node.time_ns
        case nodes.Until():
            return time_ns(document) < node.time_ns
    return any(_fits(node, value) for value in values(document, node.field))


def values(document: Mapping[str, Any], name: str) -> Iterator[Any]:
    """The values of one of the language's fields."""
    for first, *rest in _PATHS[name]:
        if first in document:
            yield from _at(document[first], rest)


_PATHS = {field.name: [path.split(".") for path in field.paths] for field in FIELDS.values()}


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _at(item, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _fits(node: nodes.Node, value: Any) -> bool:
    match node:
        case nodes.Number():
            return type(value) is int and value == node.value
        case nodes.Network():
            return _within(node, value)
    if not isinstance(value, str) or len(value) > LONGEST:
        return False
    match node:
        case nodes.Exact():
            return value == node.value
        case nodes.Wild():
            return wild(node.parts, value)
        case nodes.Pattern():
            return node.regex.matches(value)
    raise AssertionError(node)


def _within(node: nodes.Network, value: Any) -> bool:
    found = packed(value) if isinstance(value, str) else None
    first, last = bounds(node.network)
    return found is not None and first <= found <= last


def wild(parts: tuple[str, ...], value: str) -> bool:
    """Tell whether a value consists of these parts, with anything between them."""
    first, *middle, last = parts
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    at, end = len(first), len(value) - len(last)
    for part in middle:
        at = value.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
