# SPDX-License-Identifier: Apache-2.0
"""Request bodies for Elasticsearch and OpenSearch, and what their answers mean; pure.

Only what all versions share: composite aggregations, `search_after` over unique keys, phrases on `ttyscribe.words`.
"""

from collections.abc import Mapping
from typing import Any

from ttyscribe_store import jsontext
from ttyscribe_store.base import Query, RecordingFilter
from ttyscribe_store.query.elastic import compiled, time_text

BUCKETS = 5000
"""Recordings an aggregation gives at once."""

_ORDER = [
    {"tlog.id": {"order": "asc", "missing": "_last", "unmapped_type": "long"}},
    {"viaq_msg_id": {"order": "asc", "unmapped_type": "keyword"}},
]


EVERYTHING: dict[str, Any] = {"match_all": {}}
BY_TIME = [
    {"@timestamp": {"order": "asc", "missing": "_last", "unmapped_type": "date_nanos"}},
    {"viaq_msg_id": {"order": "asc", "unmapped_type": "keyword"}},
]
"""Documents by time, then by id."""


def term(field: str, value: str) -> dict[str, Any]:
    """A field that has exactly this value."""
    return {"term": {field: {"value": value}}}


def received_since(time_ms: int) -> dict[str, Any]:
    """What a normalizer received at that time (ms since the epoch) or later."""
    return {"range": {"ttyscribe.received": {"gte": time_ms, "format": "epoch_millis"}}}


def counts_body(after: Mapping[str, Any] | None, query: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the recordings that have such messages, ordered by key."""
    composite: dict[str, Any] = {"size": BUCKETS, "sources": [{"rec": {"terms": {"field": "ttyscribe.recording"}}}]}
    composite |= {"after": after} if after else {}
    return {"size": 0, "query": query, "aggs": {"recordings": {"composite": composite}}}


OF_RECORDINGS: dict[str, Any] = {"exists": {"field": "ttyscribe.recording"}}
"""Messages of recordings."""


def totals_body(query: dict[str, Any], recent_ms: int) -> dict[str, Any]:
    """How many facts there are, how many were received before a time (ms since the epoch), and when the last was."""
    older = {"bool": {"must_not": [received_since(recent_ms)]}}
    aggregations = {"older": {"filter": older}, "newest": {"max": {"field": "ttyscribe.received"}}}
    return {"size": 0, "track_total_hits": True, "query": query, "aggs": aggregations}


def of_other_rules(version: int) -> dict[str, Any]:
    """The rows that were not derived by these rules, or not whole."""
    return {"bool": {"must_not": [{"term": {"recording.version": version}}]}}


def derived_body(version: int) -> dict[str, Any]:
    """Of how many messages and programs all was derived, and how many rows are of other rules."""
    fields = {"messages": "recording.messages", "executed": "recording.session_events"}
    sums = {name: {"sum": {"field": field}} for name, field in fields.items()}
    return {"size": 0, "aggs": {**sums, "others": {"filter": of_other_rules(version)}}}


def rows_body(wanted: RecordingFilter) -> dict[str, Any]:
    """One page of the rows that fit, the newest first."""
    conditions: list[dict[str, Any]] = []
    if wanted.recording:
        conditions.append(term("ttyscribe.recording", wanted.recording))
    for field, name in (("recording.users", wanted.user), ("recording.hosts", wanted.host)):
        if name:
            conditions.append({"bool": {"should": [term(field, name), term("recording.more_names", "yes")]}})
    if wanted.since_ns:
        conditions.append({"range": {"recording.last": {"gte": time_text(wanted.since_ns)}}})
    if wanted.until_ns:
        conditions.append({"range": {"recording.first": {"lt": time_text(wanted.until_ns)}}})
    order = [
        {"@timestamp": {"order": "desc", "unmapped_type": "date_nanos"}},
        {"viaq_msg_id": {"order": "asc", "unmapped_type": "keyword"}},
    ]
    return {"size": 500, "query": {"bool": {"filter": conditions}}, "sort": order}


def documents_body(after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of all documents' ids, in order."""
    composite: dict[str, Any] = {"size": 10_000, "sources": [{"id": {"terms": {"field": "viaq_msg_id"}}}]}
    if after:
        composite["after"] = after
    return {"size": 0, "aggs": {"ids": {"composite": composite}}}


def messages_body(recording: str, size: int, above: int | None) -> dict[str, Any]:
    """One page of a recording's messages in playing order; `above`: those with a higher id alone."""
    wanted = ["@timestamp", "viaq_msg_id", "tlog", *(f"ttyscribe.{name}" for name in _OF_MESSAGE)]
    query = term("ttyscribe.recording", recording)
    if above is not None:
        query = {"bool": {"filter": [query, {"range": {"tlog.id": {"gt": above}}}]}}
    return {"size": size, "query": query, "sort": _ORDER, "_source": wanted}


_OF_MESSAGE = ("trust", "sender_pid", "partition", "out_bytes", "in_bytes", "resizes", "last_ms", "boot_id")


def ids_of_body(recording: str) -> dict[str, Any]:
    """One page of a recording's derived documents, without what is in them."""
    order = [{"viaq_msg_id": {"order": "asc"}}, {"@timestamp": {"order": "asc"}}]
    body = {"size": 1000, "query": term("ttyscribe.recording", recording), "_source": False, "sort": order}
    return body | {"seq_no_primary_term": True}


ROWS = {
    "size": 1000,
    "query": EVERYTHING,
    "_source": {
        "includes": ["@timestamp", "hostname", "ttyscribe.recording", "ttyscribe.trust", "recording"],
        "excludes": ["recording.users", "recording.hosts"],
    },
    "sort": [{"viaq_msg_id": {"order": "asc"}}],
}
"""One page of the rows of recordings."""


def search_body(query: Query, size: int) -> dict[str, Any]:
    """One page of documents that hold all terms, ordered by time, then id."""
    wanted = [
        "@timestamp",
        "hostname",
        "message",
        "viaq_msg_id",
        "tlog.user",
        "tlog.pos",
        "user.name",
        "user.audit.name",
        *("tlog.session", "recording.session", "recording.boot_id"),
        *("line.user", "line.first_ms", "command.user", "command.ms", "command.source", "recording.user"),
        *(f"ttyscribe.{name}" for name in _OWN),
    ]
    return {"size": size, "query": compiled(query.tree()), "sort": BY_TIME, "_source": wanted}


_OWN = ("kind", "recording", "last_ms", "typed", "trust", "audit_session", "boot_id")


def refusal(body: bytes) -> str:
    """Why an engine refuses a search: the innermost reason; empty where it gives none."""
    if b"eterminiz" in body:
        return "a regular expression, or a value with *, is too complex for the engine; write it more simply"
    try:
        found = jsontext.loads(body)["error"]
        while found.get("caused_by") or found.get("root_cause"):
            found = found.get("caused_by") or found["root_cause"][0]
        return jsontext.shown(found["reason"], _REASON)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ""


_REASON = 300
