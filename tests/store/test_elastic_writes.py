# SPDX-License-Identifier: Apache-2.0
"""What is written to a real OpenSearch and a real Elasticsearch: fields, hard values, refusals, outages."""

import copy
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.store.elastic_samples import syslog, tlog
from tests.store.stand_in import Handler, answer, reset, standing_in
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import DUPLICATE, STORED, Query
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install.objects import field_types, load

pytestmark = pytest.mark.engine


@pytest.fixture
def store(kept_url: str) -> Iterator[ElasticStore]:
    """A store that is ready."""
    store = ElasticStore(kept_url)
    store.setup()
    yield store
    store.close()


def _properties(prefix: str, kind: str) -> set[tuple[str, str]]:
    """Path and type of each field that a kind's template declares."""
    templates = {template.name: template.body for template in load(prefix)}
    parts = templates[f"{prefix}ttyscribe-{kind}"]["composed_of"]
    bodies = [*(templates[part] for part in parts), templates[f"{prefix}ttyscribe-{kind}"]]
    maps = [body["template"].get("mappings", {}).get("properties", {}) for body in bodies]
    return {pair for properties in maps for pair in field_types(properties)}


def test_every_field_has_its_declared_type_in_force(store: ElasticStore, engine: Engine, kept_prefix: str) -> None:
    assert store.write([tlog(), syslog()]) == [STORED, STORED]
    for kind in ("tlog", "syslog"):
        name = f"{kept_prefix}-ttyscribe-{kind}-2026.11"
        mappings = call(engine, "GET", f"/{kept_prefix}-ttyscribe-{kind}/_mapping")[name]["mappings"]
        # OpenSearch has the same type under another name.
        there = {
            (path, found.replace("flat_object", "flattened")) for path, found in field_types(mappings["properties"])
        }
        assert there == _properties(f"{kept_prefix}-", kind)
        assert str(mappings["dynamic"]).lower() == "false"
        assert mappings["_source"]["excludes"] == ["ttyscribe.words"]
    types = dict(_properties(f"{kept_prefix}-", "tlog"))
    wanted = {"tlog.rec": "keyword", "tlog.ver": "keyword", "tlog.session": "long", "tlog.id": "long"}
    assert wanted.items() <= types.items()


def _found(engine: Engine, prefix: str, query: dict[str, Any]) -> int:
    body = {"query": query, "track_total_hits": True}
    return int(call(engine, "POST", f"/{prefix}-ttyscribe-*/_search", body)["hits"]["total"]["value"])


def test_a_kind_of_another_package_is_stored_found_and_no_outage(
    store: ElasticStore, engine: Engine, kept_prefix: str
) -> None:
    """Its index has the mapping of what every document has, and its own fields as they come."""
    document: Any = syslog(message="NOTICE ban of a badger")
    document["viaq_msg_id"] = "log:of-another-package"
    document["ttyscribe"] |= {"kind": "fail2ban", "words": "notice ban of a badger"}
    document["fail2ban"] = {"jail": "sshd", "count": 3}
    assert store.write([document]) == [STORED]
    store.refresh()
    store.check()  # an index of ours without our mark would be an outage
    index = f"{kept_prefix}-ttyscribe-fail2ban-{document['ttyscribe']['partition']}"
    mapping = call(engine, "GET", f"/{index}/_mapping")[index]["mappings"]
    types = dict(field_types(mapping["properties"]))
    assert (types["fail2ban.jail"], types["fail2ban.count"]) == ("keyword", "long")
    assert types["@timestamp"] == "date_nanos"
    assert [hit.document_id for hit in store.search(Query([["badger"]]))] == [document["viaq_msg_id"]]


def test_fields_are_found_by_their_names_and_by_their_common_schema_names(
    store: ElasticStore, engine: Engine, kept_prefix: str
) -> None:
    store.write([tlog()])
    store.refresh()
    for field, value in {
        "tlog.rec": "r1",
        "tlog.session": 4294967295,
        "user.name": "ada",
        "host.name": "web7.example.com",
        "event.sequence": 1,
        "process.entry_leader.entity_id": "r1",
        "process.pid": 4113,
        "pipeline_metadata.collector.ipaddr4": "192.0.2.0/24",
        "@timestamp": "2026-11-24T12:00:00.123456Z",
    }.items():
        assert _found(engine, kept_prefix, {"term": {field: value}}) == 1, field
    for field in ("tlog.out_txt", "tlog.timing", "tlog.out_bin"):
        assert _found(engine, kept_prefix, {"exists": {"field": field}}) == 0, field


def test_words_are_indexed_and_left_out_of_the_source(store: ElasticStore, engine: Engine, kept_prefix: str) -> None:
    store.write([tlog(text="etc shadow")])
    store.refresh()
    hits = call(engine, "GET", f"/{kept_prefix}-ttyscribe-tlog/_search")["hits"]["hits"]
    expected: dict[str, Any] = copy.deepcopy(dict(tlog(text="etc shadow")))
    del expected["ttyscribe"]["words"]
    assert [hit["_source"] for hit in hits] == [expected]
    assert hits[0]["_id"] == expected["viaq_msg_id"]
    assert [hit.document_id for hit in store.search(Query(terms=[["shadow"]]))] == ["tlog:r1:1:0"]


HARD: dict[str, dict[str, Any]] = {
    "characters": {"out_txt": '\x00\x1b[0m\u2028\U0001f600\ufffd"\\/\r\n\x7f', "timing": "=80x24>12"},
    "numbers": {"time": 1795521604.218, "session": 2**32 - 1, "pos": 2147483647999, "id": 2**53 + 1},
    "beyond a long": {"id": 2**64},
    "lists": {"out_bin": [0, 255, 195], "in_bin": []},
    "40 KB of timing": {"timing": "+1>1" * 10_000},
    "300 KB of text": {"out_txt": "\u00e4" * 150_000, "in_txt": "x" * 10_000},
    "old writer's version": {"ver": 1},
    "our own part": {"ttyscribe": {"v": 1, "end": {"status": 0}, "mask": [[1, 2], [3, 4]]}},
    "long names": {"rec": "r" * 40_000, "term": "\u20ac" * 20_000, "user": "\U0001f600" * 9_000},
}


@pytest.mark.parametrize("name", HARD)
def test_messages_come_back_exactly(store: ElasticStore, name: str) -> None:
    document = tlog()
    document["tlog"] |= HARD[name]
    assert store.write([document]) == [STORED]
    store.refresh()
    (message,) = store.messages("r1")
    assert message.tlog == document["tlog"]
    assert json.dumps(message.tlog, sort_keys=True) == json.dumps(document["tlog"], sort_keys=True), "1 is not 1.0"
    assert (message.trust, message.sender_pid) == ("system", 4113)


def test_no_amount_of_strange_data_gets_a_document_refused(store: ElasticStore) -> None:
    strange = syslog()
    strange["systemd"] = {
        "t": {"CMDLINE": "x" * 100_000, "PID": 4113},
        "u": {f"FIELD_{number}": {"deep": [number]} for number in range(5_000)},
    }
    strange["pipeline_metadata"]["collector"]["received_at"] = "yesterday"
    strange["pipeline_metadata"]["collector"]["ipaddr4"] = "no address"
    strange["ttyscribe"]["sender_uid"] = 2**70
    long_word = syslog(2, text="y" * 200_000)
    early, late = syslog(3), syslog(4)
    early["@timestamp"], late["@timestamp"] = "0001-01-01T00:00:00.000000+00:00", "9999-12-31T23:59:59.999999+00:00"
    assert store.write([strange, long_word, early, late]) == [STORED] * 4
    store.refresh()
    assert store.count() == 4
    assert {hit.document_id for hit in store.search(Query(terms=[]))} == {"log:1", "log:2", "log:3", "log:4"}


def test_lone_surrogates_do_not_stop_the_others(store: ElasticStore) -> None:
    found = store.write([syslog(1), syslog(2, text="\ud800 alone"), syslog(3)])
    assert found[0] == found[2] == STORED
    assert found[1].status in ("stored", "rejected")


def test_a_second_create_is_a_duplicate_and_changes_nothing(store: ElasticStore) -> None:
    assert store.write([tlog(1), tlog(1)]) == [STORED, DUPLICATE]
    changed = tlog(1)
    changed["tlog"]["out_txt"] = "other"
    assert store.write([changed, tlog(2)]) == [DUPLICATE, STORED]
    store.refresh()
    assert [message.tlog["out_txt"] for message in store.messages("r1")] == ["hello", "hello"]


def test_one_bad_document_is_rejected_alone_with_the_engines_reason(store: ElasticStore) -> None:
    bad = syslog(2)
    bad["pipeline_metadata"] = "a word where an object belongs"  # type: ignore[typeddict-item]
    found = store.write([syslog(1), bad, syslog(3)])
    assert [one.status for one in found] == ["stored", "rejected", "stored"]
    assert "pipeline_metadata" in found[1].reason


def test_an_id_that_no_engine_takes_is_rejected_alone(store: ElasticStore) -> None:
    bad = syslog(2)
    bad["viaq_msg_id"] = "x" * 600
    found = store.write([syslog(1), bad, syslog(3)])
    assert [one.status for one in found] == ["stored", "rejected", "stored"]
    assert "action_request_validation" in found[1].reason


@pytest.mark.parametrize("block", ["write", "read_only", "read_only_allow_delete"])
def test_a_blocked_index_is_an_outage_until_it_is_free(
    store: ElasticStore, engine: Engine, kept_prefix: str, block: str
) -> None:
    store.write([tlog(1)])
    path = f"/{kept_prefix}-ttyscribe-tlog-2026.11/_settings"
    call(engine, "PUT", path, {f"index.blocks.{block}": True})
    try:
        with pytest.raises(Unavailable, match="cluster_block"):
            store.write([tlog(2)])
        assert [one.status for one in store.write([tlog(2), syslog(2)])] == ["retry", "stored"]
    finally:
        call(engine, "PUT", path, {f"index.blocks.{block}": None})
    assert store.write([tlog(2)]) == [STORED]


def test_a_closed_index_is_an_outage(store: ElasticStore, engine: Engine, kept_prefix: str) -> None:
    store.write([tlog(1)])
    call(engine, "POST", f"/{kept_prefix}-ttyscribe-tlog-2026.11/_close")
    with pytest.raises(Unavailable, match="closed"):
        store.write([tlog(2)])


@contextmanager
def _cluster_setting(engine: Engine, name: str, value: object) -> Iterator[None]:
    call(engine, "PUT", "/_cluster/settings", {"persistent": {name: value}})
    try:
        yield
    finally:
        call(engine, "PUT", "/_cluster/settings", {"persistent": {name: None}})


def test_an_engine_that_creates_no_index_is_an_outage(store: ElasticStore, engine: Engine, kept_prefix: str) -> None:
    with (
        _cluster_setting(engine, "action.auto_create_index", f"-{kept_prefix}*,+*"),
        pytest.raises(Unavailable, match="index_not_found"),
    ):
        store.write([tlog()])
    assert store.write([tlog()]) == [STORED]


def test_an_answer_that_was_lost_after_it_took_effect_stores_nothing_twice(
    store: ElasticStore, engine: Engine, kept_prefix: str
) -> None:
    """The engine applies the request, the connection breaks: sent again, everything is there already."""

    def forward(body: bytes) -> bytes:
        renamed = body.replace(b'"_index":"ttyscribe', b'"_index":"' + kept_prefix.encode() + b"-ttyscribe")
        request = urllib.request.Request(
            f"{engine.url}/_bulk", data=renamed, headers={"Content-Type": "application/x-ndjson"}
        )
        with urllib.request.urlopen(request) as got:
            return bytes(got.read())

    def lose(handler: Handler, body: bytes) -> None:
        forward(body)
        reset(handler, body)

    def pass_on(handler: Handler, body: bytes) -> None:
        answer(200, forward(body))(handler, body)

    with standing_in(lose, pass_on) as server:
        through = ElasticStore(server.url)
        assert through.write([tlog(number) for number in range(1, 51)]) == [DUPLICATE] * 50
        through.close()
    store.refresh()
    assert [message.tlog["id"] for message in store.messages("r1")] == list(range(1, 51))
