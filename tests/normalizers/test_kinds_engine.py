# SPDX-License-Identifier: Apache-2.0
"""Journal entries, objects and containers' records on real engines: right types, all stored whole, no new field."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.normalizers.process import run
from ttyscribe_formats.flat import MAX_DEPTH, MAX_NAME, MAX_NAME_BYTES, MAX_VALUE
from ttyscribe_store.open import open_store

pytestmark = pytest.mark.engine

GOLDEN = Path(__file__).parent / "golden"
KINDS = ("journal", "cee", "container", "kubernetes-event")
AT = {"@timestamp": "2026-11-24T12:00:04Z"}
WIDE, HIGH = "\U0001f600", "\uffff"
LONGEST = WIDE * (MAX_NAME_BYTES // 4)
NESTED: Any = WIDE * MAX_VALUE
for _ in range(MAX_DEPTH - 1):
    NESTED = {LONGEST: NESTED}
ODD: tuple[dict[str, Any], ...] = (
    {"": "x", ".": 1, "..": 2, ".a": 3, "a.": 4, "a..b": 5, " ": 6, "a b": 7, "\0": 8, "\x1f": 9, "a=b": "c=d"},
    {"n": 10**30, "m": -(2**63), "f": 1e300, "t": True, "none": None, "list": [1, "a", None, [2, ["b"]], {"c": []}]},
    {"v": WIDE * MAX_VALUE, "w": HIGH * MAX_VALUE, "z": "z" * (MAX_VALUE * 2), "nul": "a\0b"},
    {WIDE * MAX_NAME: WIDE * MAX_VALUE, HIGH * MAX_NAME: HIGH * MAX_VALUE, "n" * (MAX_NAME + 1): "cut"},
    {"deep": NESTED, LONGEST: NESTED, WIDE * MAX_NAME: NESTED},
    {"a": "text", "a.b": 1, "a.b.c": {"d": 2}},
    {"a": {"b": {"c": "text"}}, "a.b": [{"c": 1}, "x"]},
    {"_id": 1, "_source": 2, "@timestamp.x": 3, "structured": {"structured": "x"}, "ttyscribe": {"kind": "tlog"}},
    {"$ref": "x", "geo": {"lat": 1, "lon": 2}, "date": "2026-11-24", "ip": "192.0.2.7", "bool": "true"},
)


def fields(engine: Engine, prefix: str) -> dict[str, int]:
    """Of each index how many fields its mapping has."""

    def count(properties: dict[str, Any]) -> int:
        return sum(1 + count(entry.get("properties", {})) for entry in properties.values())

    found = call(engine, "GET", f"/{prefix}-*/_mapping")
    return {name: count(entry["mappings"]["properties"]) for name, entry in found.items()}


def sources(engine: Engine, prefix: str, kind: str, size: int = 100) -> list[Any]:
    """The documents of a kind, as they are kept."""
    body = {"size": size, "query": {"match_all": {}}}
    found = call(engine, "POST", f"/{prefix}-ttyscribe-{kind}/_search", body)
    return [hit["_source"] for hit in found["hits"]["hits"]]


def hits(engine: Engine, prefix: str, kind: str, field: str, value: Any) -> int:
    """How many documents of a kind are found by a field."""
    body = {"query": {"term": {field: value}}}
    return int(call(engine, "POST", f"/{prefix}-ttyscribe-{kind}/_count", body)["count"])


def test_every_kind_lands_whole_and_is_found(
    engine: Engine, engine_url: str, engine_prefix: str, tmp_path: Path
) -> None:
    store, dead = open_store(engine_url), tmp_path / "dead.ndjson"
    store.setup()
    lines = []
    for kind in KINDS:
        for path in sorted((GOLDEN / kind).glob("*.in.json")):
            case = json.loads(path.read_text())
            lines += [line for line in case["lines"] if isinstance(line, str)]
    run(tmp_path, "\n".join(lines).encode(), "--protocol", "ndjson", "--output", engine_url, "--dead-letter", str(dead))
    store.refresh()
    assert not dead.exists(), dead.read_text()
    declared = fields(engine, engine_prefix)

    def found(kind: str, field: str, value: Any) -> int:
        return hits(engine, engine_prefix, kind, field, value)

    assert found("journal", "journal.UTF", "grüße") == 1
    assert found("journal", "journal.PART", "two") == 1
    assert found("journal", "systemd.u.CODE_FUNCTION", "main") == 2
    assert found("journal", "ttyscribe.boot_id", "7e7c1b9ec83d4d6a86292033654aaee2") == 5
    assert found("cee", "rsyslog.msgid", "ID47") == 0
    assert found("cee", "rsyslog.elements.timeQuality.tzKnown", "1") == 3
    assert found("container", "kubernetes.namespace_name", "shop") == 3
    assert found("container", "kubernetes.labels.app", "shop") == 2
    assert found("container", "ttyscribe.partial", "more") == 2
    assert found("kubernetes-event", "kubernetes.event.reason", "BackOff") == 4

    many = {f"field {number}.x/{number}": {"é": [number, f"v{number}"]} for number in range(5000)}
    strange = [{"message": f"odd {number}", **AT} | odd for number, odd in enumerate(ODD)]
    cee = [
        {"v": 1, "id": f"{number:032X}", "msg": "@cee: " + json.dumps(odd, ensure_ascii=False)}
        for number, odd in enumerate([many, *ODD])
    ]
    entry = {"MESSAGE": "x", "__CURSOR": "s=odd", "__REALTIME_TIMESTAMP": "1795521604123456"}
    entries = [entry | odd | {"__CURSOR": f"s={number}"} for number, odd in enumerate(ODD)]
    pods = [{"log": "x", "stream": "stdout", "kubernetes": odd, "docker": odd, **AT} for odd in ODD]
    pods += [
        {"log": "x", "stream": "stdout", "kubernetes": {"labels": odd, "event": odd, "annotations": odd}} for odd in ODD
    ]
    events = [{"verb": "ADDED", "event": odd | {"involvedObject": odd}} for odd in ODD]
    data = "\n".join(json.dumps(one) for one in [*strange, *cee, *entries, *pods, *events])
    run(tmp_path, data.encode(), "--protocol", "ndjson", "--output", engine_url, "--dead-letter", str(dead))
    store.refresh()
    assert not dead.exists(), dead.read_text()[:2000]
    later = fields(engine, engine_prefix)
    assert {name: later[name] for name in declared} == declared
    assert found("cee", "structured.field 7.x/7.é", "v7") == 1
    assert sum("field 1.x/1" in made.get("structured", {}) for made in sources(engine, engine_prefix, "cee")) == 1
    whole = next(one for one in sources(engine, engine_prefix, "cee") if "field 1.x/1" in one.get("structured", {}))
    assert whole["structured"] == many
    stored = sources(engine, engine_prefix, "cee")
    kept = [json.loads(one["ttyscribe"].get("original") or json.dumps(one["structured"])) for one in stored]
    assert all(odd in kept for odd in ODD)
    store.close()
