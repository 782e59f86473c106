# SPDX-License-Identifier: Apache-2.0
"""`--profile viaq` into real engines: every document lands with its types, and no mapping grows by what is logged."""

from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.normalizers.samples import MESSAGE
from tests.normalizers.test_viaq_program import ENTRY, run
from tests.normalizers.test_viaq_recordings import WAYS
from tests.store.samples import listed
from ttyscribe_store.base import Query, RecordingFilter
from ttyscribe_store.open import open_store

pytestmark = pytest.mark.engine

KUBERNETES = {
    "namespace_name": "shop",
    "namespace_id": "u-1",
    "pod_name": "app-1",
    "host": "node9.example.com",
    "labels": {"app.kubernetes.io/name": "front", "app": "shop", "": "x"},
    "annotations": {".a": 1, "a..b": {"c": []}},
    "flat_labels": ["app=shop"],
}
EVENT = {
    "metadata": {"creationTimestamp": "2026-11-24T12:00:02Z", "uid": "e-1"},
    "reason": "Started",
    "message": "event",
}
AUDIT = b"type=SYSCALL msg=audit(1795521604.218:24287): arch=c000003e\n"
AT = {"@timestamp": "2026-11-24T12:00:04Z"}
ODD: tuple[dict[str, Any], ...] = (
    {"host": "web1", "log_": "l", "user": "u", "process": 5, "event": "e", "agent": "a", "file": "f", "container": "c"},
    {"host": {"hostname": {"x": 1}, "name": "n"}, "user": {"name": "ada", "more": {"y": 2}}},
    {".lead": 1, "tail.": 2, "a..b": 3, " ": 4, "": 5, ".": 6},
    {"hostname.x": 1, "systemd.t.PID.deep": 2, "systemd.t": "text", "systemd": {"t": "text"}, "level.a": 1},
    {"kubernetes": {"pod_name": {"x": 1}, "labels": "none", "event": 7}, "docker": {"container_id": [{"a": 1}]}},
    {"undefined": "a text", "host": "web1"},
    {"audit.linux": "text", "audit": {"linux": {"type": ["SYSCALL"], "more": 1}}},
    {"pid": 7, "offset": "no number", "ipaddr4": "no address", "tags": [["a"], "b"], "namespace_name": {"a": 1}},
    {"pipeline_metadata": {"normalizer": {"received_at": "never", "name": {"a": 1}}, "trace": "t"}},
    {"x": 10**30, "y": 1e300, "z": [1, "a", {"b": None}], "n": {"a": {"a": {"a": {"a": 1}}}}},
    {"tlog": {"id": "x", "rec": {"a": 1}}, "aushape": {"data": {"path": [{"name": ["x"]}]}}, "collectd": {"a.b": 1}},
    {"c": {".lead": {"": 1}, "a..b": 2, "d": [{"x.": 1}, 2]}, "kubernetes": {"more": {"..": 1}, ".x": 2}},
    {"viaq_index_name": {"a": 1}, "viaq_msg_id": {"a": 1}, "ttyscribe": 5, "@version": "1"},
    dict.fromkeys(("_id", "_source", "_index", "_routing", "_doc_count", "_ignored", "_size", "_tier", "_x"), "mine"),
)


def fields(engine: Engine, prefix: str) -> int:
    """How many fields the mappings of our indices have."""

    def count(properties: dict[str, Any]) -> int:
        return sum(1 + count(entry.get("properties", {})) for entry in properties.values())

    found = call(engine, "GET", f"/{prefix}-*/_mapping")
    assert found
    return max(count(entry["mappings"]["properties"]) for entry in found.values())


def hits(engine: Engine, prefix: str, field: str, value: Any) -> int:
    body = {"query": {"term": {field: value}}}
    return int(call(engine, "POST", f"/{prefix}-ttyscribe-syslog/_count", body)["count"])


def test_documents_land_with_their_types(engine: Engine, engine_url: str, engine_prefix: str, tmp_path: Path) -> None:
    store, dead = open_store(engine_url), tmp_path / "dead.ndjson"
    store.setup()
    to_engine = ("--output", engine_url, "--dead-letter", str(dead))
    container = {"log": "ready\n", "stream": "stdout", "time": "2026-11-24T12:00:03Z", "kubernetes": KUBERNETES}
    routed = {"log": "raw", "event": EVENT, "verb": "ADDED", "kubernetes": {"namespace_name": "default"}}
    done = run(
        [ENTRY, container, routed, AUDIT, {"message": "plain", "host": "web7", "ident": "cron", **AT}], *to_engine
    )
    assert done.returncode == 0, done.stderr
    store.refresh()
    declared = fields(engine, engine_prefix)

    assert hits(engine, engine_prefix, "viaq_index_name", ".operations.2026.11.24") == 4
    assert hits(engine, engine_prefix, "viaq_index_name", "project.shop.u-1.2026.11.24") == 1
    assert hits(engine, engine_prefix, "kubernetes.namespace_name", "shop") == 1
    assert hits(engine, engine_prefix, "kubernetes.flat_labels", "app=shop") == 1
    assert hits(engine, engine_prefix, "audit.linux.type", "SYSCALL") == 1
    assert hits(engine, engine_prefix, "systemd.t.UID", "0") == 1

    strange = [odd | {"message": f"odd {number}"} | AT for number, odd in enumerate(ODD)]
    many = [{"message": "many", f"field-{number}": number, f"a{number}.b": {"c": "x"}, **AT} for number in range(300)]
    done = run([*strange, *many], *to_engine)
    assert (done.returncode, dead.exists() and dead.read_text()) == (0, False), done.stderr
    store.refresh()
    assert fields(engine, engine_prefix) == declared
    assert store.count() == 5 + len(ODD) + 300
    assert {hit.message for hit in store.search(Query([["odd"]]))} == {one["message"] for one in strange}
    store.close()


def test_a_recording_is_played_from_an_engine_whichever_way_it_came(engine_url: str, tmp_path: Path) -> None:
    store = open_store(engine_url)
    store.setup()
    for way in WAYS:
        lines = [way(number) for number in (1, 2, 3)]
        assert run(lines, "--output", engine_url, "--dead-letter", str(tmp_path / "dead")).returncode == 0
    store.refresh()
    (recording,) = listed(store, RecordingFilter())
    assert (recording.messages, recording.distinct_ids) == (3, 3)
    played = [message.tlog for message in store.messages(recording.recording)]
    assert played == [MESSAGE | {"id": number, "pos": number} for number in (1, 2, 3)]
    store.close()
