# SPDX-License-Identifier: Apache-2.0
"""Bulk requests: what goes into one, and what the answer says of each document."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.elastic_samples import syslog, tlog
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import bulk, jsontext
from ttyscribe_store.base import DUPLICATE, STORED, Outcome
from ttyscribe_store.bulk import Item, chunks, outcome, prepare, read, send

sizes = st.lists(st.integers(1, 400), max_size=60)


def _items(lengths: list[int]) -> list[Item]:
    return [Item(position, b"x" * length) for position, length in enumerate(lengths)]


@given(sizes, st.integers(1, 1000), st.integers(1, 20))
def test_chunks_lose_nothing_and_keep_order_and_limits(lengths: list[int], most: int, count: int) -> None:
    items = _items(lengths)
    cut = list(chunks(items, most, count))
    assert [item for chunk in cut for item in chunk] == items
    for chunk in cut:
        assert 0 < len(chunk) <= count
        assert len(chunk) == 1 or sum(len(item.lines) for item in chunk) <= most


@given(sizes, st.integers(1, 1000), st.integers(1, 20))
def test_chunks_are_no_smaller_than_they_must_be(lengths: list[int], most: int, count: int) -> None:
    cut = list(chunks(_items(lengths), most, count))
    for chunk, following in pairwise(cut):
        size = sum(len(item.lines) for item in chunk)
        assert len(chunk) == count or size + len(following[0].lines) > most


def test_a_document_becomes_a_create_at_its_own_index_and_id() -> None:
    head, document = bulk.encode(tlog(7), "p-").splitlines()
    assert json.loads(head) == {"create": {"_index": "p-ttyscribe-tlog-2026.11", "_id": "tlog:r1:7:0"}}
    assert json.loads(document) == tlog(7)


@pytest.mark.parametrize("text", ["\ud800 alone", "a\nb\u2028c\x00", "\U0001f600", 'quo"te\\'])
def test_a_document_is_one_line_whatever_it_holds(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for without in (False, True):
        if without:
            monkeypatch.setattr(jsontext, "orjson", None)
        lines = bulk.encode(syslog(text=text), "").split(b"\n")
        assert len(lines) == 3
        assert lines[2] == b""
        assert json.loads(lines[1])["message"] == text


def test_what_is_no_json_is_rejected_alone() -> None:
    bad = syslog(2)
    bad["pipeline_metadata"] = {"collector": object()}
    refused: dict[int, Outcome] = {}
    assert [item.position for item in prepare([syslog(1), bad, syslog(3)], "", refused)] == [0, 2]
    assert refused[1].status == "rejected"
    assert "can't be sent" in refused[1].reason


@pytest.mark.parametrize("part", [{"kind": "../x"}, {"kind": "A"}, {"kind": ""}, {"partition": "*"}, {"partition": ""}])
def test_what_names_no_index_of_ours_is_rejected(part: dict[str, str]) -> None:
    refused: dict[int, Outcome] = {}
    assert list(prepare([syslog(1, **part)], "", refused)) == []
    assert refused[0].status == "rejected"


ONE_DOCUMENT = {
    "bad field": (400, {"type": "mapper_parsing_exception", "reason": "failed to parse field [a] of type [long]"}),
    "bad field, newer name": (400, {"type": "document_parsing_exception", "reason": "[1:9] failed to parse"}),
    "too many fields": (400, {"type": "illegal_argument_exception", "reason": "Limit of total fields [1000]"}),
    "immense term": (400, {"type": "illegal_argument_exception", "reason": "Document contains an immense term"}),
    "strict mapping": (400, {"type": "strict_dynamic_mapping_exception", "reason": "introduction of [x]"}),
    "too large": (413, {"type": "content_too_long_exception", "reason": "entity content is too long"}),
    "no error object": (400, None),
}
WHOLE_INDEX = {
    "missing index": (404, {"type": "index_not_found_exception", "reason": "no such index [x]"}),
    "read-only block": (403, {"type": "cluster_block_exception", "reason": "FORBIDDEN/8/index write (api)"}),
    "flood stage": (429, {"type": "cluster_block_exception", "reason": "disk usage exceeded flood-stage"}),
    "no permission": (403, {"type": "security_exception", "reason": "action is unauthorized"}),
    "not logged in": (401, {"type": "security_exception", "reason": "missing authentication credentials"}),
    "queue full": (429, {"type": "es_rejected_execution_exception", "reason": "rejected execution"}),
    "queue full, OpenSearch": (429, {"type": "rejected_execution_exception", "reason": "rejected execution"}),
    "memory": (429, {"type": "circuit_breaking_exception", "reason": "[parent] Data too large"}),
    "no primary": (503, {"type": "unavailable_shards_exception", "reason": "primary shard is not active"}),
    "index closed": (400, {"type": "index_closed_exception", "reason": "closed"}),
    "template demanded": (400, {"type": "index_template_missing_exception", "reason": "missing"}),
    "engine bug": (500, {"type": "null_pointer_exception", "reason": "null"}),
    "shard limit": (
        400,
        {
            "type": "validation_exception",
            "reason": "Validation Failed: 1: this action would add [2] shards, but this cluster currently has"
            " [1000]/[1000] maximum normal shards open;",
        },
    ),
    "shard limit, old words": (
        400,
        {"type": "illegal_argument_exception", "reason": "this cluster currently has [999]/[1000] maximum shards open"},
    ),
}


@pytest.mark.parametrize(("status", "error"), ONE_DOCUMENT.values(), ids=ONE_DOCUMENT)
def test_a_refusal_of_one_document_is_rejected(status: int, error: Any) -> None:
    found = outcome(status, error)
    assert found.status == "rejected"
    assert str(status) in found.reason


@pytest.mark.parametrize(("status", "error"), WHOLE_INDEX.values(), ids=WHOLE_INDEX)
def test_a_refusal_that_hits_a_whole_index_is_an_outage(status: int, error: Any) -> None:
    found = outcome(status, error)
    assert found.status == "retry"
    assert error["reason"][:20] in found.reason


@pytest.mark.parametrize("status", [200, 201])
def test_success_and_presence_are_told_apart(status: int) -> None:
    assert outcome(status, None) == STORED
    assert outcome(409, {"type": "version_conflict_engine_exception"}) == DUPLICATE


def test_an_answer_is_read_item_by_item() -> None:
    items = [{"create": {"status": 201}}, {"create": {"status": 409, "error": {}}}, {"create": {"status": 400}}]
    assert [found.status for found in read({"items": items}, 3)] == ["stored", "duplicate", "rejected"]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"items": None},
        {"items": []},
        {"items": [{"create": {"status": 201}}]},
        {"items": [{"create": {"status": 201}}] * 3},
        {"items": [{"create": {"status": 201}}, {}]},
        {"items": [{"create": {"status": 201}}, {"create": {"status": "201"}}]},
        {"items": [{"create": {"status": 201}}, 7]},
    ],
)
def test_an_answer_for_another_number_of_documents_says_nothing(answer: Any) -> None:
    with pytest.raises(Unavailable, match="bulk answer"):
        read(answer, 2)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["items", "create", "status"]), inner),
    max_leaves=10,
)


@given(json_values, st.integers(0, 4))
def test_no_answer_breaks_the_reader(answer: Any, sent: int) -> None:
    try:
        found = read(answer, sent)
    except Unavailable:
        return
    assert len(found) == sent


@given(
    st.lists(st.booleans(), max_size=40),
    st.sets(st.integers(0, 39)),
    st.integers(200, 5000),
    st.integers(1, 10),
)
def test_every_document_has_its_own_outcome_and_bad_ones_are_found_by_halving(
    stored: list[bool], poison: set[int], most: int, count: int
) -> None:
    """`post` takes no request with a poisoned document in it; the others get through, each once."""
    taken: list[int] = []

    def post(chunk: list[Item]) -> list[Outcome] | str:
        numbers = [json.loads(item.lines.splitlines()[0])["create"]["_id"] for item in chunk]
        positions = [int(number.removeprefix("log:")) for number in numbers]
        if poison.intersection(positions):
            return "HTTP 413"
        taken.extend(positions)
        return [STORED if stored[position] else DUPLICATE for position in positions]

    found = send([syslog(number) for number in range(len(stored))], "", post, most, count)
    for position, what in enumerate(stored):
        wanted = "rejected" if position in poison else "stored" if what else "duplicate"
        assert found[position].status == wanted
    assert sorted(taken) == [position for position in range(len(stored)) if position not in poison]
