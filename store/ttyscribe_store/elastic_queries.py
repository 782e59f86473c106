# SPDX-License-Identifier: Apache-2.0
"""Request bodies for Elasticsearch and OpenSearch, and what their answers mean; pure.

Only what all versions share: composite aggregations, `search_after` over unique keys, phrases on `ttyscribe.words`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_store.base import Query, Recording
from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.recordings import Part
from ttyscribe_store.recordings import recording as made

EXACT = 1 << 53
"""Above this an engine's double loses units."""
BUCKETS = 500
"""Recordings an aggregation gives at once."""

_ORDER = [
    {"tlog.id": {"order": "asc", "missing": "_last", "unmapped_type": "long"}},
    {"viaq_msg_id": {"order": "asc", "unmapped_type": "keyword"}},
]


def term(field: str, value: str) -> dict[str, Any]:
    """A field that has exactly this value."""
    return {"term": {field: {"value": value}}}


def recordings_body(recording: str, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of recordings, computed from their messages, ordered by key."""
    composite: dict[str, Any] = {"size": BUCKETS, "sources": [{"rec": {"terms": {"field": "ttyscribe.recording"}}}]}
    if after:
        composite["after"] = after
    sums = {name: {"sum": {"field": f"ttyscribe.{name}"}} for name in ("out_bytes", "in_bytes", "resizes")}
    parts: dict[str, Any] = {
        "ids": {"extended_stats": {"field": "tlog.id"}},
        "last_ms": {"max": {"field": "ttyscribe.last_ms"}},
        "trust": {
            "filters": {"filters": {trust: _trusted(trust) for trust in TRUSTS}},
            "aggs": {"first": {"top_hits": {"size": 1, "sort": _ORDER, "_source": {"includes": _FIRST}}}},
        },
        **sums,
    }
    query = term("ttyscribe.recording", recording) if recording else {"match_all": {}}
    return {"size": 0, "query": query, "aggs": {"recordings": {"composite": composite, "aggs": parts}}}


def _trusted(trust: str) -> dict[str, Any]:
    """Messages of one trust; what says nothing has none."""
    if trust != "none":
        return term("ttyscribe.trust", trust)
    return {"bool": {"must_not": [term("ttyscribe.trust", other) for other in TRUSTS[1:]]}}


_FIRST = ["@timestamp", "tlog.id", "tlog.pos", "tlog.user", "tlog.host", "tlog.term", "tlog.session"]


def are_plain(count: int, ids: Mapping[str, Any]) -> bool:
    """Tell whether `count` ids are each number from the first to the last once, by their sum and sum of squares.

    Three ids missing and three doubled is the least that could deceive it, and who can arrange that can do no more
    than hide it from the listing: playback looks at the messages themselves.
    """
    first, last = int(ids["min"] or 0), int(ids["max"] or 0)
    squares = _squares(last) - _squares(first - 1)
    if last - first + 1 != count or first < 0 or squares >= EXACT:
        return False
    return int(ids["sum"]) == (first + last) * count // 2 and int(ids["sum_of_squares"]) == squares


def _squares(number: int) -> int:
    return number * (number + 1) * (2 * number + 1) // 6


def ids_body(recording: str, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of a recording's distinct ids, in order."""
    composite: dict[str, Any] = {"size": 10_000, "sources": [{"id": {"terms": {"field": "tlog.id"}}}]}
    if after:
        composite["after"] = after
    return {"size": 0, "query": term("ttyscribe.recording", recording), "aggs": {"ids": {"composite": composite}}}


class Span(NamedTuple):
    """Ids of a recording's messages."""

    first: int
    last: int
    distinct: int


def to_recording(bucket: Mapping[str, Any], ids: Span) -> Recording:
    """One recording out of its bucket and its ids as they were counted."""
    by_trust = [bucket["trust"]["buckets"][trust] for trust in TRUSTS]
    ranks = [number for number, entry in enumerate(by_trust) if entry["doc_count"]]
    chief = by_trust[ranks[-1]]["first"]["hits"]["hits"][0]["_source"]
    numbers = Part(
        messages=bucket["doc_count"],
        distinct_ids=ids.distinct,
        first_id=ids.first,
        last_id=ids.last,
        out_bytes=int(bucket["out_bytes"]["value"]),
        in_bytes=int(bucket["in_bytes"]["value"]),
        resizes=int(bucket["resizes"]["value"]),
        last_ms=int(bucket["last_ms"]["value"] or 0),
        trust=ranks[0],
    )
    return made(bucket["key"]["rec"], numbers, chief)


def messages_body(recording: str, size: int) -> dict[str, Any]:
    """One page of a recording's messages in playing order."""
    wanted = ["viaq_msg_id", "tlog", "ttyscribe.trust", "ttyscribe.sender_pid"]
    return {"size": size, "query": term("ttyscribe.recording", recording), "sort": _ORDER, "_source": wanted}


def search_body(query: Query, size: int) -> dict[str, Any]:
    """One page of documents that hold all terms, ordered by time, then id."""
    exact = {
        "ttyscribe.kind": query.kind,
        "tlog.user": query.user,
        "hostname": query.host,
        "ttyscribe.recording": query.recording,
    }
    clauses = [term(field, value) for field, value in exact.items() if value]
    clauses += [{"match_phrase": {"ttyscribe.words": " ".join(words)}} for words in query.terms]
    bounds = {name: timestamp_ns(ns) for name, ns in (("gte", query.since_ns), ("lt", query.until_ns)) if ns}
    if bounds:
        clauses.append({"range": {"@timestamp": bounds}})
    order = [
        {"@timestamp": {"order": "asc", "missing": "_last", "unmapped_type": "date_nanos"}},
        {"viaq_msg_id": {"order": "asc", "unmapped_type": "keyword"}},
    ]
    wanted = [
        "@timestamp",
        "hostname",
        "message",
        "viaq_msg_id",
        "tlog.user",
        "tlog.pos",
        *(f"ttyscribe.{name}" for name in _OWN),
    ]
    return {"size": size, "query": {"bool": {"filter": clauses}}, "sort": order, "_source": wanted}


_OWN = ("kind", "recording", "last_ms", "typed", "trust")


def timestamp_ns(time_ns: int) -> str:
    """A time with all nine digits, as the engines compare it."""
    return f"{timestamp.to_text(time_ns)[:19]}.{time_ns % timestamp.SECOND:09d}Z"
