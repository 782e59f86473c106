# SPDX-License-Identifier: Apache-2.0
"""What is asked of Elasticsearch and OpenSearch about the programs that audit saw start, and what they answer; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ttyscribe_formats.tlog import UNSET_SESSION
from ttyscribe_store.base import Executed, Session
from ttyscribe_store.elastic_queries import BY_TIME
from ttyscribe_store.executions import ACTIONS, DAY_NS, OUTCOME, Group, in_days
from ttyscribe_store.query.elastic import time_text

KINDS = "aushape-*"
BUCKETS = 5000
_PAGE = 500
_SESSION, _BOOT = "ttyscribe.audit_session", "ttyscribe.boot_id"
_PROGRAMS: list[dict[str, Any]] = [
    {"terms": {"event.action": list(ACTIONS)}},
    {"term": {"event.outcome": OUTCOME}},
    {"range": {_SESSION: {"gte": 0, "lt": UNSET_SESSION}}},
]
_DAY_MS = DAY_NS // 1_000_000

ALL: dict[str, Any] = {"bool": {"filter": _PROGRAMS}}
"""All of them."""


def _during(session: Session) -> dict[str, Any]:
    return {"range": {"@timestamp": {"gte": time_text(session.since_ns), "lt": time_text(session.until_ns)}}}


def _of(session: Session) -> list[dict[str, Any]]:
    host: dict[str, Any] = {"term": {"hostname": session.host}}
    if not session.boot_id:
        return [*_PROGRAMS, {"term": {_SESSION: session.session}}, host]
    bare = {"bool": {"filter": [host], "must_not": [{"exists": {"field": _BOOT}}]}}
    joined = {"bool": {"should": [{"term": {_BOOT: session.boot_id}}, bare], "minimum_should_match": 1}}
    return [*_PROGRAMS, {"term": {_SESSION: session.session}}, joined]


def session_body(session: Session) -> dict[str, Any]:
    """One page of those of a session, ordered by time, then by id."""
    wanted = ["@timestamp", "hostname", "message", "viaq_msg_id", "process", "event", "ttyscribe"]
    return {
        "size": _PAGE,
        "query": {"bool": {"filter": [*_of(session), _during(session)]}},
        "sort": BY_TIME,
        "_source": {"includes": wanted, "excludes": ["ttyscribe.words"]},
    }


def executed_body(session: Session) -> dict[str, Any]:
    """How many they are on the days of a session, and how many of them at its time."""
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [*_of(session), _during(in_days(session))]}},
        "aggs": {"within": {"filter": _during(session)}},
    }


def executed(answer: Mapping[str, Any]) -> Executed:
    """What the answer to `executed_body` says."""
    within = answer.get("aggregations", {}).get("within", {})
    return Executed(within.get("doc_count", 0), answer["hits"]["total"]["value"])


def groups_body(after: Mapping[str, Any] | None, more: list[dict[str, Any]]) -> dict[str, Any]:
    """One page of how many started for which all of this holds too, by session and day."""
    day = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1d"}}
    sources = [
        {"session": {"terms": {"field": _SESSION}}},
        {"host": {"terms": {"field": "hostname"}}},
        {"boot": {"terms": {"field": _BOOT, "missing_bucket": True}}},
        {"day": day},
    ]
    composite: dict[str, Any] = {"size": BUCKETS, "sources": sources} | ({"after": after} if after else {})
    query = {"bool": {"filter": [*_PROGRAMS, *more]}}
    return {"size": 0, "query": query, "aggs": {"groups": {"composite": composite}}}


def rows_query(some: Sequence[Group]) -> dict[str, Any]:
    """The rows of recordings that they may belong to, and others."""
    days = [group.day * DAY_NS for group in some]
    since, until = max(min(days) - DAY_NS, 0), min(max(days) + 2 * DAY_NS, 2**63 - 1)
    return {
        "bool": {
            "filter": [
                {"terms": {"recording.session": sorted({group.session for group in some})}},
                {"range": {"recording.last": {"gte": time_text(since)}}},
                {"range": {"@timestamp": {"lt": time_text(until)}}},
            ],
            **_either("hostname", {group.host for group in some}, "recording.boot_id", {one.boot_id for one in some}),
        }
    }


def sessions_queries(sessions: Sequence[Session]) -> list[dict[str, Any]]:
    """What holds for the programs of these sessions, and of others."""
    days = [in_days(session) for session in sessions]
    either = _either("hostname", {one.host for one in sessions}, _BOOT, {one.boot_id for one in sessions})
    reach = sessions[0]._replace(since_ns=min(one.since_ns for one in days), until_ns=max(one.until_ns for one in days))
    return [{"terms": {_SESSION: sorted({one.session for one in sessions})}}, {"bool": either}, _during(reach)]


def _either(name: str, values: Collection[str], other_name: str, others: Collection[str]) -> dict[str, Any]:
    boots = sorted(other for other in others if other)
    either: list[dict[str, Any]] = [{"terms": {name: sorted(values)}}]
    return {"should": [*either, {"terms": {other_name: boots}}], "minimum_should_match": 1}


def groups(buckets: Iterable[Mapping[str, Any]]) -> Iterator[Group]:
    """What the buckets say."""
    for bucket in buckets:
        key = bucket["key"]
        yield Group(key["session"], key["host"], key["boot"] or "", key["day"] // _DAY_MS, bucket["doc_count"])
