# SPDX-License-Identifier: Apache-2.0
"""A query for Elasticsearch and OpenSearch; pure. Every clause is a filter: nothing is scored."""

import re
from collections.abc import Iterable
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_store.query import nodes
from ttyscribe_store.query.addresses import texts
from ttyscribe_store.query.fields import FIELDS
from ttyscribe_store.views import phrase

_WILD = re.compile(r"([*?\\])")
_NOTHING: dict[str, Any] = {"match_none": {}}


def compiled(node: nodes.Node) -> dict[str, Any]:
    """The engine's query of a tree."""
    match node:
        case nodes.Everything():
            return {"match_all": {}}
        case nodes.And():
            return {"bool": {"filter": [compiled(inner) for inner in node.nodes]}}
        case nodes.Or():
            return _any(compiled(inner) for inner in node.nodes)
        case nodes.Not():
            return {"bool": {"must_not": [compiled(node.node)]}}
        case nodes.Phrase():
            text = phrase(node.words)
            return {"match_phrase": {"ttyscribe.words": text}} if text else _NOTHING
        case nodes.Since():
            return {"range": {"@timestamp": {"gte": time_text(node.time_ns)}}}
        case nodes.Until():
            return {"range": {"@timestamp": {"lt": time_text(node.time_ns)}}}
    return _any(_clause(node, path) for path in FIELDS[node.field].paths)


def _any(clauses: Iterable[dict[str, Any]]) -> dict[str, Any]:
    found = list(clauses)
    return found[0] if len(found) == 1 else {"bool": {"should": found, "minimum_should_match": 1}}


def _clause(node: nodes.Node, path: str) -> dict[str, Any]:
    """What must hold for one field of a document."""
    match node:
        case nodes.Exact() | nodes.Number():
            return {"term": {path: {"value": node.value}}}
        case nodes.Wild():
            pattern = "*".join(_WILD.sub(r"\\\1", part) for part in node.parts)
            return {"wildcard": {path: {"value": pattern}}}
        case nodes.Pattern():
            return {"regexp": {path: {"value": node.regex.lucene, "flags": "NONE"}}}
        case nodes.Network():
            first, last = texts(node.network)
            return {"range": {path: {"gte": first, "lte": last}}}
    raise AssertionError(node)


def time_text(time_ns: int) -> str:
    """A time with all nine digits, as the engines compare it."""
    return f"{timestamp.to_text(time_ns)[:19]}.{time_ns % timestamp.SECOND:09d}Z"
