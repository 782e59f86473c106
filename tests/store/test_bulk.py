# SPDX-License-Identifier: Apache-2.0
"""Bulk requests: what goes into one, and what the answer says of each document."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.elastic_samples import syslog, tlog
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import bulk, jsontext
from ttyscribe_store.base import DUPLICATE, STORED, Outcome
from ttyscribe_store.bulk import Chunk, Encoder, Limits, all_created, cut, outcome, read

sizes = st.lists(st.integers(0, 400), max_size=40)


def _encode(document: Document, prefix: str = "") -> bytes:
    return Encoder(prefix).lines(document)


def _cut(documents: list[Document], limits: Limits) -> tuple[list[Chunk], dict[int, Outcome]]:
    refused: dict[int, Outcome] = {}
    return list(cut(documents, Encoder("p-"), limits, refused)), refused


@given(sizes, st.integers(1, 5000), st.integers(1, 20))
def test_requests_lose_nothing_keep_order_and_limits_and_are_no_smaller_than_they_must_be(
    lengths: list[int], most: int, count: int
) -> None:
    documents = [syslog(number, text="x" * length) for number, length in enumerate(lengths)]
    chunks, refused = _cut(documents, Limits(most, count))
    assert refused == {}
    assert [position for chunk in chunks for position in chunk.positions] == list(range(len(documents)))
    lines = [Encoder("p-").lines(document) for document in documents]
    for chunk in chunks:
        assert chunk.body == b"".join(lines[position] for position in chunk.positions)
        assert 0 < len(chunk.positions) <= count
        assert len(chunk.positions) == 1 or len(chunk.body) <= most
    for chunk, following in pairwise(chunks):
        assert len(chunk.positions) == count or len(chunk.body) + len(lines[following.positions[0]]) > most


@given(st.lists(st.text(max_size=5), min_size=2, max_size=9))
def test_halves_make_the_whole(texts: list[str]) -> None:
    ((whole,), _) = _cut([syslog(number, text=text) for number, text in enumerate(texts)], Limits())
    first, second = whole.halves()
    assert [*first.positions, *second.positions] == whole.positions
    assert first.body + second.body == whole.body
    for half in (first, second):
        assert half.body.count(b"\n") == 2 * len(half.positions) > 0


def test_a_limit_that_falls_holds_from_the_next_request_on() -> None:
    limits = Limits(most_count=10)
    chunks = cut([syslog(number) for number in range(20)], Encoder(""), limits, {})
    assert len(next(chunks).positions) == 10
    limits.most_count = 3
    assert [len(chunk.positions) for chunk in chunks] == [3, 3, 3, 1]


def test_no_limit_is_beyond_what_proxies_take() -> None:
    assert Limits(10**9).most_bytes == bulk.MAX_BYTES


def test_a_document_becomes_a_create_at_its_own_index_and_id() -> None:
    head, document = _encode(tlog(7), "p-").splitlines()
    assert json.loads(head) == {"create": {"_index": "p-ttyscribe-tlog-2026.11", "_id": "tlog:r1:7:0"}}
    assert json.loads(document) == tlog(7)


def test_other_actions_and_more_indices_than_are_remembered() -> None:
    encoder = Encoder("", "index")
    for year in range(1, 400):
        head = json.loads(encoder.lines(syslog(partition=f"{year:04}.01")).splitlines()[0])
        assert head["index"]["_index"] == f"ttyscribe-syslog-{year:04}.01"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), None])
def test_what_is_no_number_is_not_sent_as_null(value: float | None) -> None:
    document: Any = syslog(2)
    document["pipeline_metadata"] = {"x": [value]}
    ((chunk,), _) = _cut([syslog(1), document, syslog(3, text="null")], Limits())
    sent = [json.loads(line) for line in chunk.body.splitlines()[1::2]]
    assert [line["message"] for line in sent] == ["a line", "a line", "null"]
    assert repr(sent[1]["pipeline_metadata"]["x"]) == repr([value])


@pytest.mark.parametrize("text", ["\ud800 alone", "a\nb\u2028c\x00", "\U0001f600", 'quo"te\\'])
def test_a_document_is_one_line_whatever_it_holds(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for without in (False, True):
        if without:
            monkeypatch.setattr(jsontext, "orjson", None)
        lines = _encode(syslog(text=text)).split(b"\n")
        assert len(lines) == 3
        assert lines[2] == b""
        assert json.loads(lines[1])["message"] == text


def test_what_is_no_json_is_rejected_alone() -> None:
    bad = syslog(2)
    bad["pipeline_metadata"] = {"collector": object()}
    (chunk,), refused = _cut([syslog(1), bad, syslog(3)], Limits())
    assert chunk.positions == [0, 2]
    assert refused[1].status == "rejected"
    assert "can't be sent" in refused[1].reason


@pytest.mark.parametrize("part", [{"kind": "../x"}, {"kind": "A"}, {"kind": ""}, {"partition": "*"}, {"partition": ""}])
def test_what_names_no_index_of_ours_is_rejected(part: dict[str, str]) -> None:
    chunks, refused = _cut([syslog(1, **part)], Limits())
    assert chunks == []
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


@pytest.mark.parametrize("head", ['{"errors":false,"took":30,', '{"took":7,"errors":false,', '{"took":7,', "{"])
def test_the_ordinary_answer_is_known_by_its_bytes(head: str) -> None:
    body = (head + '"items":[' + ",".join(['{"create":{"status":201}}'] * 3) + "]}").encode()
    assert all_created(body, 3) == (head != "{")
    assert read(json.loads(body), 3) == [STORED] * 3
    for other in (body.replace(b"201", b"409", 1), body.replace(b"false", b"true"), body[:-1], body + b" ", b""):
        assert not all_created(other, 3) or other == body
    assert not all_created(body, 2)
    assert not all_created(body, 4)


_HEADS = st.lists(st.sampled_from(['"errors":false,', '"errors":true,', '"took":1,', '"took":true,', ""]), max_size=3)
_ITEMS = st.lists(st.sampled_from(['{"create":{"status":201}}'] * 9 + ['{"create":{"status":409}}', "7"]), max_size=4)


@given(_HEADS, _ITEMS, st.integers(0, 4))
def test_what_is_known_by_its_bytes_reads_the_same(heads: list[str], items: list[str], sent: int) -> None:
    body = ("{" + "".join(heads) + '"items":[' + ",".join(items) + "]}").encode()
    if all_created(body, sent):
        assert read(jsontext.loads(body), sent) == [STORED] * sent
