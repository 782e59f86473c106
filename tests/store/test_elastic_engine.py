# SPDX-License-Identifier: Apache-2.0
"""The store on a real OpenSearch and a real Elasticsearch: templates, writing, refusals."""

import copy
from collections.abc import Iterator

import pytest

from tests.engines.fixtures import Engine, call
from tests.store.elastic_samples import tlog
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.install.objects import load

pytestmark = pytest.mark.engine


@pytest.fixture
def bare(engine_url: str) -> Iterator[ElasticStore]:
    """A store on an engine that has none of our templates under this prefix."""
    store = ElasticStore(engine_url)
    yield store
    store.close()


@pytest.fixture
def store(bare: ElasticStore) -> ElasticStore:
    """A store that is ready."""
    bare.setup()
    return bare


def test_setup_writes_every_template_once(bare: ElasticStore, engine: Engine, engine_prefix: str) -> None:
    lines = bare.setup()
    assert len(lines) == len(load())
    assert all(line.startswith("installed ") and f" {engine_prefix}-ttyscribe-" in line for line in lines)
    assert bare.setup() == []
    bare.check()


def test_setup_updates_an_older_template_and_leaves_a_newer_one(
    store: ElasticStore, engine: Engine, engine_prefix: str
) -> None:
    template = next(one for one in load(f"{engine_prefix}-") if one.kind == "index")
    for version, told in ((0, ["updated"]), (99, ["kept"])):
        body = copy.deepcopy(template.body)
        body["_meta"] |= {"version": version, "sha256": "other"}
        call(engine, "PUT", template.path, body)
        lines = store.setup()
        assert [line.split()[0] for line in lines] == told


def test_setup_touches_no_template_that_is_not_ours(bare: ElasticStore, engine: Engine, engine_prefix: str) -> None:
    call(engine, "PUT", f"/_component_template/{engine_prefix}-ttyscribe-settings", {"template": {"settings": {}}})
    with pytest.raises(ConfigError, match="ttyscribe-settings exists and is not ours"):
        bare.setup()


def test_without_our_template_nothing_is_written(bare: ElasticStore, engine: Engine, engine_prefix: str) -> None:
    with pytest.raises(Unavailable, match="is missing: run `ttyscribe setup --store http"):
        bare.write([tlog()])
    assert call(engine, "GET", f"/{engine_prefix}-*/_settings") == {}


def test_another_template_in_front_of_ours_is_noticed(store: ElasticStore, engine: Engine, engine_prefix: str) -> None:
    body = {
        "index_patterns": [f"{engine_prefix}-ttyscribe-tlog-2*"],
        "priority": 900,
        "template": {"mappings": {"dynamic": True, "properties": {"x": {"type": "long"}}}},
    }
    call(engine, "PUT", f"/_index_template/{engine_prefix}-strange", body)
    with pytest.raises(Unavailable, match="ttyscribe-tlog is not in force"):
        store.check()


def test_an_edit_that_changes_a_field_is_noticed(store: ElasticStore, engine: Engine, engine_prefix: str) -> None:
    part = next(one for one in load(f"{engine_prefix}-") if one.name.endswith("fields-tlog"))
    part.body["template"]["mappings"]["properties"]["tlog"]["properties"]["id"] = {"type": "keyword"}
    call(engine, "PUT", part.path, part.body)
    with pytest.raises(Unavailable, match=r"has been changed: .* is no "):
        store.write([tlog()])


@pytest.mark.parametrize("gone", [("tlog",), ("tlog", "others")], ids=["by another of ours", "by none of ours"])
def test_an_index_that_others_made_is_noticed(
    store: ElasticStore, engine: Engine, engine_prefix: str, gone: tuple[str, ...]
) -> None:
    for name in gone:
        call(engine, "DELETE", f"/_index_template/{engine_prefix}-ttyscribe-{name}")
    call(engine, "PUT", f"/{engine_prefix}-ttyscribe-tlog-2026.11", {"mappings": {"dynamic": False}})
    store.setup()
    with pytest.raises(Unavailable, match="was not made by our template"):
        store.write([tlog()])
