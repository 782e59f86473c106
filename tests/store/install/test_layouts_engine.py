# SPDX-License-Identifier: Apache-2.0
"""Layouts, the upgrade from the first version, and removal, on a real OpenSearch and a real Elasticsearch."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.store.elastic_samples import START_NS, syslog, tlog
from tests.store.install.test_install_engine import Site, site
from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import DUPLICATE, STORED, Query
from ttyscribe_store.conflict import choose
from ttyscribe_store.install import apply, objects, read
from ttyscribe_store.install.probe import is_type

pytestmark = pytest.mark.engine
__all__ = ["site"]
DATA = Path(__file__).resolve().parents[2] / "data"
GOLDEN = Path(__file__).resolve().parents[2] / "normalizers/golden"
DAY_NS = 86_400 * 1_000_000_000


def late(number: int, days: int) -> Any:
    """A message of another day."""
    document: Any = tlog(number)
    document["@timestamp"] = timestamp.to_text(START_NS + days * DAY_NS)
    return document


def forged() -> Any:
    """A message whose time is implausible."""
    document: Any = tlog(9)
    document["@timestamp"] = "0001-01-01T00:00:00.000000+00:00"
    document["ttyscribe"]["partition"] = "implausible-time"
    return document


def indices(site: Site) -> list[str]:
    """Names of all indices, backing ones too, without the prefix."""
    found = call(site.engine, "GET", f"/{site.prefix}-*/_mapping")
    return sorted(name.replace(f"{site.prefix}-", "") for name in found)


def row(recording: str) -> Any:
    """A derived document."""
    document: Any = syslog(5, recording=recording)
    document["viaq_msg_id"] = recording
    document["ttyscribe"] |= {"kind": "recording", "partition": "2026.11"}
    document["recording"] = {"user": "ada", "messages": 3, "version": 1}
    return document


def holds(site: Site) -> None:
    """What is true in every layout."""
    written = [tlog(1), late(2, 1), forged(), syslog()]
    assert site.store.write(written) == [STORED] * 4
    assert site.store.write(written) == [DUPLICATE] * 4
    site.store.replace("r1", [row("r1")])
    site.store.replace("r1", [row("r1")])
    site.store.refresh()
    assert [message.tlog["id"] for message in site.store.messages("r1")] == [1, 2, 9]
    assert {hit.document_id for hit in site.store.search(Query(kind="syslog"))} == {"log:1"}
    assert site.store.count() == 5
    assert (site.setup(), site.writes) == ([], [])
    counted = call(site.engine, "GET", f"/{site.prefix}-ttyscribe-tlog-*/_count")
    assert counted["count"] == 3  # so dashboards read


def test_an_index_a_day_holds_the_same(site: Site) -> None:
    site.setup()
    assert site.store.write([tlog(7, recording="before")]) == [STORED]
    site.setup(layout="daily")
    site.store.check()
    assert site.store.write([tlog(8, recording="before")]) == [STORED]
    assert indices(site) == ["ttyscribe-tlog-2026.11", "ttyscribe-tlog-2026.11.24"]
    site.store.delete("before")
    holds(site)
    assert indices(site) == [
        "ttyscribe-recording-2026.11",
        "ttyscribe-syslog-2026.11.24",
        "ttyscribe-tlog-2026.11",
        "ttyscribe-tlog-2026.11.24",
        "ttyscribe-tlog-2026.11.25",
        "ttyscribe-tlog-implausible-time",
    ]


def test_a_data_stream_holds_the_same_or_is_refused_by_name(site: Site) -> None:
    if site.engine.name != "opensearch":  # bare: its data streams could never be removed again
        with pytest.raises(ConfigError, match="this engine has no data streams: give --layout monthly or daily"):
            site.setup(layout="data-stream")
        assert site.writes == []
        return
    site.setup(layout="data-stream")
    holds(site)
    assert indices(site) == [
        ".ds-ttyscribe-syslog-stream-000001",
        ".ds-ttyscribe-tlog-stream-000001",
        "ttyscribe-recording-2026.11",
        "ttyscribe-tlog-implausible-time",
    ]
    stream = f"{site.prefix}-ttyscribe-tlog-stream"
    call(site.engine, "POST", f"/{stream}/_rollover")
    assert site.store.write([tlog(1)]) == [STORED]  # the weaker promise: what comes again after a rollover
    site.store.refresh()
    messages = list(site.store.messages("r1"))
    assert [message.tlog["id"] for message in messages] == [1, 1, 2, 9]
    assert [(choice.id, choice.others) for choice in choose(messages)] == [(1, []), (2, []), (9, [])]
    assert site.store.delete("r1") == 5
    with pytest.raises(ConfigError, match="nothing"):
        nothing_left(site, keep_data=True)
    nothing_left(site, keep_data=False)


def nothing_left(site: Site, *, keep_data: bool) -> None:
    """Remove; ConfigError where something had to stay."""
    todo = apply.planned_removal(*site.store.installation(), keep_data=keep_data)
    lines = [step.line() for step in apply.applied(*site.store.installation(), todo)]
    left = [line for line in lines if line.startswith("not done: ")]
    if left:
        assert "is made by it" in left[0]
        raise ConfigError("nothing but what the streams need has gone")
    assert not list(call(site.engine, "GET", f"/{site.prefix}-*/_alias?expand_wildcards=all"))
    assert read.templates(*site.store.installation()) == {}


def test_the_first_version_is_upgraded_with_data_inside_and_removed(site: Site, engine: Engine) -> None:
    """The first version's own templates, as it wrote them."""
    for key, body in json.loads((DATA / "templates-1.json").read_text()).items():
        kind, name = key.split()
        text = json.dumps(objects._prefixed(body, f"{site.prefix}-"))
        if engine.name == "opensearch":
            text = text.replace('"type": "flattened", "ignore_above": 8191', '"type": "flat_object"')
        site.put(kind, name.removeprefix("ttyscribe-"), json.loads(text))
    for document in (tlog(1), row("r1")):
        index = f"{site.prefix}-ttyscribe-{document['ttyscribe']['kind']}-2026.11"
        call(engine, "PUT", f"/{index}/_doc/{document['viaq_msg_id'].replace(':', '%3A')}?refresh=true", document)

    lines = site.setup()
    assert {line.split()[0] for line in lines} <= {"updated", "extended"}
    assert (site.setup(), site.writes) == ([], [])
    wanted = {asset.name: asset for asset in objects.load(f"{site.prefix}-")}
    template = wanted[f"{site.prefix}-ttyscribe-recording"]
    there = dict(objects.field_types(site.mapping("ttyscribe-recording-2026.11")["properties"]))
    for path, leaf in objects.fields_of(template, wanted).items():
        assert is_type(there.get(path, ""), str(leaf.get("type", "object"))), path
    assert site.store.write([tlog(1), tlog(2)]) == [DUPLICATE, STORED]
    site.store.refresh()
    assert [message.tlog["id"] for message in site.store.messages("r1")] == [1, 2]
    assert [one.recording for one in site.store.derived()] == ["r1"]
    lease = site.store.lease()
    assert lease.take()
    lease.release()
    nothing_left(site, keep_data=False)


def test_documents_of_every_kind_land_with_the_types_that_are_declared(site: Site) -> None:
    site.setup()
    documents: dict[str, Any] = {}
    for path in sorted(GOLDEN.glob("*/*.out.json")):
        for document in json.loads(path.read_text())["documents"]:
            documents.setdefault(document.get("ttyscribe", {}).get("kind", ""), document)
    del documents[""]  # as ViaQ makes them
    assert site.store.write(list(documents.values())) == [STORED] * len(documents)
    site.store.refresh()
    wanted = {asset.name: asset for asset in objects.load(f"{site.prefix}-")}
    declared = {asset.mark["template"] for asset in wanted.values() if asset.kind == "index"}
    assert declared - set(documents) <= {"recording", "line", "command", "others"}
    for kind, document in documents.items():
        index = f"ttyscribe-{kind}-{document['ttyscribe']['partition']}"
        there = dict(objects.field_types(site.mapping(index)["properties"]))
        fields = objects.fields_of(wanted[f"{site.prefix}-ttyscribe-{kind}"], wanted)
        wrong = {
            path: there.get(path) for path, leaf in fields.items() if not is_type(there.get(path, ""), _type(leaf))
        }
        assert not wrong, kind
        asked = [path for path, leaf in fields.items() if leaf.get("type") in ("keyword", "long", "date_nanos")]
        asked = [path for path in asked if fields[path].get("index", True)][:40]
        body = {"size": 0, "aggs": {path: {"value_count": {"field": path}} for path in asked}}
        answer = call(site.engine, "POST", f"/{site.prefix}-{index}/_search", body)
        assert answer["aggregations"]["ttyscribe.kind"]["value"] == 1
        assert answer["aggregations"]["@timestamp"]["value"] == 1


def _type(leaf: dict[str, Any]) -> str:
    return str(leaf.get("type", "object"))
