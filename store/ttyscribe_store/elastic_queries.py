# SPDX-License-Identifier: Apache-2.0
"""Request bodies for Elasticsearch and OpenSearch, and what their answers mean; pure.

Only what all versions share: composite aggregations, `search_after` over unique keys, phrases on `ttyscribe.words`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_store import jsontext
from ttyscribe_store.base import Query, Recording, RecordingFilter
from ttyscribe_store.conflict import FIRST_ID, TRUSTS
from ttyscribe_store.query.elastic import compiled, time_text
from ttyscribe_store.recordings import SLACK_NS, Part, Seen, is_end
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


def candidates(wanted: RecordingFilter) -> dict[str, Any] | None:
    """What a message must fit so that its recording is looked at; none = all are. Any one condition will do."""
    if wanted.recording:
        return term("ttyscribe.recording", wanted.recording)
    if wanted.since_ns:
        return {"range": {"@timestamp": {"gte": time_text(max(wanted.since_ns - SLACK_NS, 0))}}}
    for field, value in (("tlog.user", wanted.user), ("tlog.host", wanted.host)):
        if value:
            return term(field, value)
    return None


def keys_body(query: Mapping[str, Any], after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of the recordings with a message that fits, ordered by key."""
    return {"size": 0, "query": query, "aggs": {"recordings": {"composite": _by_recording(after)}}}


def _by_recording(after: Mapping[str, Any] | None) -> dict[str, Any]:
    composite: dict[str, Any] = {"size": BUCKETS, "sources": [{"rec": {"terms": {"field": "ttyscribe.recording"}}}]}
    return composite | ({"after": after} if after else {})


def recordings_body(
    wanted: RecordingFilter, keys: Sequence[str] | None, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """One page of recordings (none = of all), computed from all of their messages, ordered by key."""
    sums = {name: {"sum": {"field": f"ttyscribe.{name}"}} for name in ("out_bytes", "in_bytes", "resizes")}
    parts: dict[str, Any] = {
        "ids": {"extended_stats": {"field": "tlog.id"}},
        "last_ms": {"max": {"field": "ttyscribe.last_ms"}},
        "trust": {
            "filters": {"filters": {trust: _trusted(trust) for trust in TRUSTS}},
            "aggs": {"first": _TOP, "last": _LAST, "numbered": {"filter": _NUMBERED, "aggs": {"first": _TOP}}},
        },
        "users": {"cardinality": {"field": "tlog.user"}},
        "hosts": {"cardinality": {"field": "tlog.host"}},
        "below": {"filter": {"range": {"tlog.id": {"lt": FIRST_ID}}}},
        "seen": {"filters": {"filters": _conditions(wanted)}},
        **sums,
    }
    query = {"match_all": {}} if keys is None else {"terms": {"ttyscribe.recording": list(keys)}}
    return {"size": 0, "query": query, "aggs": {"recordings": {"composite": _by_recording(after), "aggs": parts}}}


def _conditions(wanted: RecordingFilter) -> dict[str, Any]:
    return {
        "user": term("tlog.user", wanted.user),
        "host": term("tlog.host", wanted.host),
        "since": {"range": {"@timestamp": {"gte": time_text(wanted.since_ns)}}},
        "until": {"range": {"@timestamp": {"lt": time_text(wanted.until_ns)}}},
    }


def seen(bucket: Mapping[str, Any]) -> Seen:
    """Whether any message of a recording fits each condition."""
    return Seen(**{name: bool(entry["doc_count"]) for name, entry in bucket["seen"]["buckets"].items()})


def _trusted(trust: str) -> dict[str, Any]:
    """Messages of one trust; what says nothing has none."""
    if trust != "none":
        return term("ttyscribe.trust", trust)
    return {"bool": {"must_not": [term("ttyscribe.trust", other) for other in TRUSTS[1:]]}}


_FIRST = ["@timestamp", "tlog.id", "tlog.pos", "tlog.user", "tlog.host", "tlog.term", "tlog.session"]
_TOP = {"top_hits": {"size": 1, "sort": _ORDER, "_source": {"includes": _FIRST}}}
_LAST_ORDER = [{"tlog.id": {"order": "desc"}}, {"viaq_msg_id": {"order": "desc"}}]
_LAST = {"top_hits": {"size": 1, "sort": _LAST_ORDER, "_source": {"includes": ["tlog.ttyscribe"]}}}
_NUMBERED = {"range": {"tlog.id": {"gte": FIRST_ID}}}
CLAIMS = 200
"""Ids of the highest trust that are looked at at once for one that is undisputed."""


def claims_body(recording: str, trust: str, after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of the ids that a recording's messages of one trust claim, in order, with a message of each."""
    composite: dict[str, Any] = {"size": CLAIMS, "sources": [{"id": {"terms": {"field": "tlog.id"}}}]}
    if after:
        composite["after"] = after
    query = {"bool": {"filter": [term("ttyscribe.recording", recording), _trusted(trust), _NUMBERED]}}
    return {"size": 0, "query": query, "aggs": {"ids": {"composite": composite, "aggs": {"first": _TOP}}}}


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


def documents_body(after: Mapping[str, Any] | None) -> dict[str, Any]:
    """One page of all documents' ids, in order."""
    composite: dict[str, Any] = {"size": 10_000, "sources": [{"id": {"terms": {"field": "viaq_msg_id"}}}]}
    if after:
        composite["after"] = after
    return {"size": 0, "aggs": {"ids": {"composite": composite}}}


class Span(NamedTuple):
    """Ids of a recording's messages."""

    first: int
    last: int
    distinct: int
    gaps: tuple[tuple[int, int], ...] = ()


def best_trust(bucket: Mapping[str, Any]) -> str:
    """The highest trust of a recording's messages."""
    return TRUSTS[_ranks(bucket)[-1]]


def _ranks(bucket: Mapping[str, Any]) -> list[int]:
    return [number for number, trust in enumerate(TRUSTS) if bucket["trust"]["buckets"][trust]["doc_count"]]


def source(first: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document of a bucket's first message."""
    found: Mapping[str, Any] = first["first"]["hits"]["hits"][0]["_source"]
    return found


def lowest(bucket: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with the lowest id of the highest trust, of 1 or more if there is one, disputed or not."""
    trusted = bucket["trust"]["buckets"][best_trust(bucket)]
    return source(trusted["numbered"] if trusted["numbered"]["doc_count"] else trusted)


def to_recording(bucket: Mapping[str, Any], ids: Span, chief: Mapping[str, Any]) -> Recording:
    """One recording out of its bucket, its ids as they were counted, and the document that names it."""
    numbers = Part(
        messages=bucket["doc_count"],
        distinct_ids=ids.distinct,
        first_id=ids.first,
        last_id=ids.last,
        out_bytes=int(bucket["out_bytes"]["value"]),
        in_bytes=int(bucket["in_bytes"]["value"]),
        resizes=int(bucket["resizes"]["value"]),
        last_ms=int(bucket["last_ms"]["value"] or 0),
        trust=_ranks(bucket)[0],
        below_first=bucket["below"]["doc_count"],
    )
    users, hosts = (max(1, int(bucket[name]["value"])) for name in ("users", "hosts"))
    last = bucket["trust"]["buckets"][best_trust(bucket)]["last"]["hits"]["hits"][0].get("_source", {})
    ended = is_end({"tlog": last.get("tlog", {})})
    return made(bucket["key"]["rec"], numbers, chief, users=users, hosts=hosts, ended=ended, gaps=ids.gaps)


def messages_body(recording: str, size: int) -> dict[str, Any]:
    """One page of a recording's messages in playing order."""
    wanted = ["@timestamp", "viaq_msg_id", "tlog", *(f"ttyscribe.{name}" for name in _OF_MESSAGE)]
    return {"size": size, "query": term("ttyscribe.recording", recording), "sort": _ORDER, "_source": wanted}


_OF_MESSAGE = ("trust", "sender_pid", "partition", "out_bytes", "in_bytes", "resizes", "last_ms", "boot_id")


def ids_of_body(recording: str) -> dict[str, Any]:
    """One page of a recording's derived documents, without what is in them."""
    order = [{"viaq_msg_id": {"order": "asc"}}, {"@timestamp": {"order": "asc"}}]
    return {"size": 1000, "query": term("ttyscribe.recording", recording), "_source": False, "sort": order}


ROWS = {
    "size": 1000,
    "query": {"match_all": {}},
    "_source": ["ttyscribe.recording", "recording.messages", "recording.version"],
    "sort": [{"viaq_msg_id": {"order": "asc"}}],
}
"""One page of the rows of recordings."""


def search_body(query: Query, size: int) -> dict[str, Any]:
    """One page of documents that hold all terms, ordered by time, then id."""
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
        "user.name",
        "user.audit.name",
        *("tlog.session", "recording.session", "recording.boot_id"),
        *("line.user", "line.first_ms", "command.user", "command.ms", "recording.user"),
        *(f"ttyscribe.{name}" for name in _OWN),
    ]
    return {"size": size, "query": compiled(query.tree()), "sort": order, "_source": wanted}


_OWN = ("kind", "recording", "last_ms", "typed", "trust", "audit_session", "boot_id")


def refusal(body: bytes) -> str:
    """Why an engine refuses a search: the innermost reason; empty where it gives none."""
    if b"eterminiz" in body:
        return "a regular expression, or a value with *, is too complex for the engine; write it more simply"
    try:
        found = jsontext.loads(body)["error"]
        while found.get("caused_by") or found.get("root_cause"):
            found = found.get("caused_by") or found["root_cause"][0]
        return str(found["reason"])[:_REASON]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return ""


_REASON = 300
