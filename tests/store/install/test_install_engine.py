# SPDX-License-Identifier: Apache-2.0
"""Installing on a real OpenSearch and a real Elasticsearch: again, edited, older, in somebody's way."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.store.elastic_samples import syslog, tlog
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import STORED
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install import apply, objects
from ttyscribe_store.install.plan import Plan
from ttyscribe_store.install.settings import Wishes
from ttyscribe_store.transport import Answer

pytestmark = pytest.mark.engine
VERSION = objects.load()[0].mark["version"]
READS = ("/_index_template/_simulate",)
"""What is asked by POST and changes nothing."""


class Site:
    """A store on an engine, and how many of its requests could have changed something."""

    def __init__(self, url: str, engine: Engine, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store = ElasticStore(url)
        self.engine, self.prefix = engine, prefix
        self.writes: list[str] = []
        transport, _ = self.store.installation()
        request = transport.request

        def counted(method: str, target: str, *rest: Any, **more: Any) -> Answer:
            if method != "GET" and not target.startswith(READS):
                self.writes.append(f"{method} {target}")
            return request(method, target, *rest, **more)

        monkeypatch.setattr(transport, "request", counted)

    def plan(self, **wishes: Any) -> Plan:
        return apply.planned(*self.store.installation(), Wishes(**wishes))

    def setup(self, **wishes: Any) -> list[str]:
        """What is told."""
        self.writes.clear()
        return [step.line() for step in apply.applied(*self.store.installation(), self.plan(**wishes))]

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """A template's body."""
        found = call(self.engine, "GET", f"/_{kind}_template/{self.prefix}-ttyscribe-{name}")
        body: dict[str, Any] = found[f"{kind}_templates"][0][f"{kind}_template"]
        return {key: value for key, value in body.items() if not key.endswith("_date_millis")}

    def put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        call(self.engine, "PUT", f"/_{kind}_template/{self.prefix}-ttyscribe-{name}", body)

    def mapping(self, index: str) -> dict[str, Any]:
        found: dict[str, Any] = call(self.engine, "GET", f"/{self.prefix}-{index}/_mapping")
        mappings: dict[str, Any] = next(iter(found.values()))["mappings"]
        return mappings


@pytest.fixture
def site(engine_url: str, engine: Engine, engine_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Nothing is installed yet."""
    made = Site(engine_url, engine, engine_prefix, monkeypatch)
    yield made
    made.store.close()


def test_an_edit_survives_and_is_taken_back_on_request_and_nothing_is_written_twice(site: Site) -> None:
    dry = site.plan()
    assert (dry.writes, site.writes) == (len(objects.load()), [])  # a plan writes nothing
    assert len(site.setup()) == len(site.writes) == dry.writes
    assert (site.setup(), site.writes) == ([], [])
    body = site.get("component", "settings")
    body["template"]["settings"]["index"]["number_of_shards"] = 3
    site.put("component", "settings", body)
    name = f"component template {site.prefix}-ttyscribe-settings"
    assert site.setup() == [f"kept {name}, which has been edited: --overwrite takes it back"]
    assert site.writes == []
    assert site.store.write([tlog()]) == [STORED]  # an edited setting is no outage
    assert site.setup(overwrite=True) == [f"took back {name}, which had been edited, version {VERSION}"]
    assert site.get("component", "settings")["template"]["settings"]["index"]["number_of_shards"] == "1"
    assert (site.setup(), site.writes) == ([], [])


def test_an_older_version_is_brought_up_with_data_inside(site: Site) -> None:
    """As written by a version that knew no `ttyscribe.last_ms`, and took another type for `tlog.term`."""
    site.setup()
    for name, field in (("fields-ttyscribe", "ttyscribe"), ("fields-tlog", "tlog")):
        body = site.get("component", name)
        fields = body["template"]["mappings"]["properties"][field]["properties"]
        fields.pop("last_ms", None)
        if "term" in fields:
            fields["term"] = {"type": "text"}
        body["version"] = body["_meta"]["version"] = 0
        site.put("component", name, objects.marked(objects.Asset("component", "", body)).body)
    body = site.get("index", "tlog")
    for mark in (body["_meta"], body["template"]["mappings"]["_meta"]["ttyscribe"]):
        mark |= {"version": 0, "sha256": "older"}
    site.put("index", "tlog", objects.marked(objects.Asset("index", "", body)).body)
    old = tlog(1)
    call(site.engine, "PUT", f"/{site.prefix}-ttyscribe-tlog-2026.11/_doc/old?refresh=true", dict(old))
    types = dict(objects.field_types(site.mapping("ttyscribe-tlog-2026.11")["properties"]))
    assert ("ttyscribe.last_ms" in types, types["tlog.term"]) == (False, "text")

    lines = site.setup()
    assert len([line for line in lines if line.startswith("updated ")]) == 3
    index = f"index {site.prefix}-ttyscribe-tlog-2026.11"
    assert f"extended {index}, fields ttyscribe.last_ms" in lines
    (named,) = (line for line in lines if line.startswith("not done: "))
    assert f"changing {index}, tlog.term is text there and keyword now: the next one will be right" in named
    types = dict(objects.field_types(site.mapping("ttyscribe-tlog-2026.11")["properties"]))
    assert types["ttyscribe.last_ms"] == "long"
    again = site.setup()
    assert (again, site.writes) == ([named], [])

    assert site.store.write([tlog(2), syslog()]) == [STORED] * 2
    site.store.refresh()
    assert [message.tlog["id"] for message in site.store.messages("r1")] == [1, 2]
    answer = call(site.engine, "POST", f"/{site.prefix}-ttyscribe-tlog/_search", {"aggs": LAST, "size": 0})
    assert answer["aggregations"]["last"]["value"] == tlog(2)["ttyscribe"]["last_ms"]


LAST = {"last": {"max": {"field": "ttyscribe.last_ms"}}}


def test_a_template_of_equal_priority_is_named_and_nothing_is_written(site: Site) -> None:
    theirs = f"{site.prefix}-theirs"
    body = {"index_patterns": [f"{site.prefix}-ttyscribe-tl*"], "priority": 250, "template": {}}
    call(site.engine, "PUT", f"/_index_template/{theirs}", body)
    with pytest.raises(ConfigError, match=f"{theirs} .* has the same priority as {site.prefix}-ttyscribe-tlog"):
        site.setup()
    assert site.writes == []
    assert len(site.setup(priority=253)) == len(objects.load())
    assert site.get("index", "tlog")["priority"] == 253
    assert (site.setup(), site.writes) == ([], [])  # it is remembered
    assert site.store.write([tlog()]) == [STORED]
