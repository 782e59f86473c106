# SPDX-License-Identifier: Apache-2.0
"""Objects of programs, behind `@cee:`, of containers and of clusters: none is refused, and all of each can be found."""

import base64
import json
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.normalizers.samples import NOW_NS, document, line, pipeline, viaq_pipeline
from ttyscribe_normalizers import containers, exact, shapes
from ttyscribe_store import jsontext

TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=5)
OTHER_SHAPES = {"MESSAGE", "__REALTIME_TIMESTAMP", "_boot_id", "_machine_id", "_transport", "ver", "v"}
"""Keys by which an object may be something else; the names in our own source are among what is tried."""
DEEP = '{"a":' * 300 + "1" + "}" * 300


def parsed(text: str) -> Any:
    """JSON with its numbers as they are written, and every pair of an object."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=tuple)


def same(found: Any, written: str) -> bool:
    """Whether a value is what a JSON text says, to the last digit."""
    return bool(parsed(jsontext.dumps(found).decode()) == parsed(jsontext.dumps(json.loads(written)).decode()))


def restored(made: Any) -> dict[str, Any] | str:
    """The object that a document was made of: its JSON text where the document keeps that, else its parts."""
    own = made["ttyscribe"]
    if "original" in own:
        return str(own["original"])
    found = dict(made.get("structured", {}))
    for place in ("kubernetes", "docker"):
        if place in made:
            found[place] = made[place] | found.get(place, {})
    if "text_key" in own:
        found[own["text_key"]] = base64.b64decode(own["raw"]).decode() if "raw" in own else made["message"]
    return found


def check(made: Any, written: str) -> None:
    """All of a JSON text can be found in the document, and the document can be written."""
    found = restored(made)
    if isinstance(found, str):
        if parsed(found) == parsed(written):
            return
        found = json.loads(found)
        found[made["ttyscribe"]["text_key"]] = made["message"]
    value = json.loads(written)
    assert sorted(found) == sorted(value)
    assert all(same(found[name], json.dumps(item)) for name, item in value.items())


@given(OBJECT, st.sampled_from(["msg", "message", ""]))
@example({"a": float("nan"), "b": -0.0, "c": 10**30}, "msg")
@example({"\ud800": "\udfff", "": {"": [[], {}]}, "a.b": 1, "a": {"b": 2}, ".": None}, "message")
@example({"x" * 200: "y", "n": "\0", "\0": 1}, "")
def test_all_of_an_object_behind_the_cookie_can_be_found(fields: dict[str, Any], key: str) -> None:
    written = json.dumps(fields | ({key: "text"} if key else {}))
    made = document(line(f"@cee: {written}", program="app"))
    assert made["ttyscribe"]["kind"] == "cee"
    if key or fields:
        check(made, written)


@given(OBJECT, st.sampled_from(["log", "message"]), OBJECT, OBJECT)
@example({"a": float("inf")}, "log", {"labels": {"a.b/c": "d"}, "pod_name": ["x"], "event": {}}, {"container_id": 7})
def test_all_of_a_record_of_a_container_can_be_found(
    fields: dict[str, Any], key: str, kubernetes: dict[str, Any], docker: dict[str, Any]
) -> None:
    fields |= {"stream": "stdout", "kubernetes": kubernetes, "docker": docker, key: "a line\n"}
    assume(not OTHER_SHAPES & fields.keys() and containers.event_of(fields) is None)
    written = json.dumps(fields)
    made = document(written.encode(), shapes.decode)
    assert made["ttyscribe"]["kind"] == "container"
    check(made, written)


@given(st.dictionaries(TEXT | st.sampled_from(["involvedObject", "metadata", "message", "source", "type"]), JSON))
def test_any_event_has_an_outcome(event: dict[str, Any]) -> None:
    for fields in ({"verb": "ADDED", "event": event}, {"kind": "Event", **event}, {"kubernetes": {"event": event}}):
        processed = pipeline(shapes.decode).process(json.dumps(fields).encode(), NOW_NS)
        assert bool(processed.documents) != bool(processed.dead)
        assert processed.dead is None or processed.dead.status == "unparsable"


@given(OBJECT)
def test_all_of_another_programs_object_can_be_found(fields: dict[str, Any]) -> None:
    assume(not (OTHER_SHAPES | {"msg", "log", "kubernetes"}) & fields.keys() and containers.event_of(fields) is None)
    written = json.dumps(fields | {"message": "text"})
    made = document(written.encode(), shapes.decode)
    made["ttyscribe"]["text_key"] = "message"
    check(made, written)


@pytest.mark.parametrize(
    "payload",
    ['{"a":1.10}', '{"a":1,"a":2}', '{"a":NaN}', '{"a":-Infinity}', '{"a":"\\ud800"}', '{"a":-0}', '{"a":1e5}'],
)
def test_what_readers_of_json_round_or_drop_is_kept_as_it_was_written(payload: str) -> None:
    assert document(line(f"@cee:{payload}"))["ttyscribe"]["original"] == payload
    record = payload.replace("{", '{"message":"x",', 1)
    assert document(record.encode(), shapes.decode)["ttyscribe"]["original"] == record


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", '"text"', '{"a":1} tail', DEEP * 5, "nothing"])
def test_what_is_no_object_behind_the_cookie_is_kept_as_text(payload: str) -> None:
    made = document(line(f"@cee: {payload}"))
    assert made["ttyscribe"]["kind"] == "syslog"
    assert made["ttyscribe"]["error"]
    assert made["message"] == f"@cee: {payload}"


def test_a_deep_object_is_cut_and_kept_whole() -> None:
    for made in (
        document(line(f"@cee: {DEEP}")),
        document(('{"message":"x",' + DEEP[1:]).encode(), shapes.decode),
    ):
        assert made["ttyscribe"]["original"].endswith(DEEP[1:])


def test_many_odd_fields_are_one_field_of_the_mapping() -> None:
    fields = {f"field {number}.x": {"é": [number, str(number)]} for number in range(5000)}
    made = document(line("@cee: " + json.dumps(fields)))
    assert made["structured"] == fields
    assert set(made) <= {*document(line("x")), "structured"}


def test_what_a_search_finds_an_object_by() -> None:
    made = document(line('@cee: {"msg":"order taken","by":{"name":"ada"},"n":7,"host":"elsewhere"}'))
    assert made["ttyscribe"]["words"] == "order taken ada"


@pytest.mark.parametrize("hidden", [{"name": "secret"}, ["secret"], "x " * 40 + "secret"])
def test_no_name_of_a_sender_hides_a_text(hidden: Any) -> None:
    for key in ("host", "stream", "time", "old_event"):
        made = document(line("@cee: " + json.dumps({"msg": "x", key: hidden})))
        assert made["ttyscribe"]["words"].endswith(" secret")


CLAIMS = {
    "uid": "0",
    "pid": "1",
    "id": "7",
    "received": "2020-01-01T00:00:00Z",
    "peer": "*.example.com",
    "journal": {"MESSAGE": "another", "_UID": "0", "_HOSTNAME": "db1"},
}


@pytest.mark.parametrize("key", ["msg", "message"])
@pytest.mark.parametrize("tag", ["shop[7]:", "container", "kubernetes-event"])
def test_nobody_vouches_for_what_a_programs_object_says_of_itself(key: str, tag: str) -> None:
    """NDJ-4: its name is new, its text its own, and no trust is in it."""
    made = document(json.dumps({key: "order taken", "tag": tag, "program": "shop"} | CLAIMS).encode(), shapes.decode)
    own = made["ttyscribe"]
    assert made["viaq_msg_id"] == "log:stamp-1"
    assert (own["kind"], own["trust"], made["message"]) == ("syslog", "none", "order taken")
    assert not {"sender_uid", "sender_pid", "doubt"} & own.keys()
    assert own["received"].startswith("2026-11-24")
    assert made["structured"] == {"tag": tag, "program": "shop"} | CLAIMS


def test_nor_does_anybody_under_the_profile_viaq() -> None:
    for key in ("msg", "message"):
        (made,) = viaq_pipeline().process(json.dumps({key: "order taken"} | CLAIMS).encode(), NOW_NS).documents
        assert made["viaq_msg_id"] != "log:7"
        assert made["ttyscribe"]["trust"] == "none"
        assert made["message"] == "order taken"


def test_what_only_looks_like_an_event_is_stored_and_found_each_time() -> None:
    records = [{"log": f"order {word}", "event": {"metadata": {}}, "stream": "stdout"} for word in ("one", "two")]
    made = [document(json.dumps(record).encode(), shapes.decode) for record in records]
    assert made[0]["viaq_msg_id"] == "log:stamp-1"
    assert [one["ttyscribe"]["words"] for one in made] == ["order one", "order two"]


def test_a_header_that_is_not_utf_8_is_kept_beside_its_text() -> None:
    raw = line("x", **{"protocol-version": "1", "structured-data": '[a b="XX"]'}).replace(b"XX", b"\xe9")
    made = document(raw)
    assert made["rsyslog"]["elements"] == {"a": {"b": "\ufffd"}}
    assert base64.b64decode(made["ttyscribe"]["bytes"]["structured-data"]) == b'[a b="\xe9"]'


@pytest.mark.parametrize(
    ("record", "partial"),
    [
        ({"log": "x\n", "stream": "stdout", "time": "t"}, None),
        ({"log": "x", "stream": "stdout", "time": "t"}, "more"),
        ({"log": "x", "stream": "stdout", "docker": {"container_id": "a"}, "kubernetes": {"host": "h"}}, "more"),
        ({"log": "x", "stream": "stdout", "kubernetes": {"host": "h"}}, None),
        ({"log": "x", "stream": "stdout", "logtag": "P"}, "more"),
        ({"log": "x", "stream": "stdout", "logtag": "F:tag"}, None),
    ],
)
def test_a_part_of_a_line_says_so(record: dict[str, Any], partial: str | None) -> None:
    assert document(json.dumps(record).encode(), shapes.decode)["ttyscribe"].get("partial") == partial


FORGED = {"journal": {"_UID": "0", "_PID": "1", "MESSAGE": "forged"}, "peer": "*", "uid": "0", "id": "mine"}


@pytest.mark.parametrize(
    "record",
    [
        {"message": "x", **FORGED},
        {"log": "x", "stream": "stdout", **FORGED},
        {"message": "x", "kubernetes": {"host": "h"}, **FORGED},
        {"event": {"metadata": {}, "message": "x", **FORGED}, **FORGED},
        {"message": "x", "v": 1, **FORGED},
        {"msg": "x", "journal": FORGED["journal"], "peer": "*"},
        {"verb": "ADDED", "kind": "Event", "involvedObject": {}, "message": "x", **FORGED},
    ],
)
def test_no_object_vouches_for_itself(record: dict[str, Any]) -> None:
    """What a program, a container or a cluster logs names no sender, whatever its keys are."""
    made = document(json.dumps(record).encode(), shapes.decode)
    own = made["ttyscribe"]
    assert (own["trust"], "sender_uid" in own, "boot_id" in own) == ("none", False, False)
    assert made["message"] == "x"
    assert made["viaq_msg_id"] != "log:mine"
    assert "journal" not in made


@pytest.mark.parametrize(("last", "partial"), [("true", "last"), ("false", "more"), (None, "more")])
def test_so_does_a_part_in_the_journal(last: str | None, partial: str) -> None:
    entry = {"MESSAGE": "x", "CONTAINER_NAME": "c", "CONTAINER_ID": "1", "CONTAINER_PARTIAL_MESSAGE": "true"}
    entry |= {"CONTAINER_PARTIAL_LAST": last} if last else {}
    assert document(json.dumps(entry).encode(), shapes.decode)["ttyscribe"]["partial"] == partial


@given(st.binary(max_size=40))
def test_any_text_of_a_container_comes_back(data: bytes) -> None:
    data = data.replace(b"\n", b"")
    made = document(b"2026-11-24T12:00:00.123456789Z stdout F " + data, shapes.decode)
    raw = made["ttyscribe"].get("raw")
    assert (base64.b64decode(raw) if raw else made["message"].encode()) == data


@given(JSON)
def test_a_whole_value_is_all_that_was_written(value: Any) -> None:
    written = json.dumps(value).encode()
    found, more = exact.read_whole(written)
    if not more:
        assert same(found, written.decode())
