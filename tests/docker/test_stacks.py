# SPDX-License-Identifier: Apache-2.0
"""Setup against the real Kibana and OpenSearch Dashboards: import, read back, edit, upgrade, remove, ask a panel."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.command import ok
from tests.docker.conftest import Stack, lacking
from tests.engines.fixtures import Engine, call, clean
from tests.kibana.corpus import FACTS, document
from tests.kibana.samples import SINCE, UNTIL
from ttyscribe_kibana.bundle import Bundle, committed
from ttyscribe_kibana.client import Client
from ttyscribe_kibana.fit import fitted
from ttyscribe_kibana.load import Where, load
from ttyscribe_kibana.place import find_place
from ttyscribe_kibana.queries import Span, panels, rows
from ttyscribe_kibana.saved import Key, SavedObjects
from ttyscribe_kibana.server import identify
from ttyscribe_store.elastic import ElasticStore

if REASON := lacking():
    pytest.skip(REASON, allow_module_level=True)

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(3600)]


class Placed:
    """A place of a test's own on a stack, with an index prefix of its own."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.prefix = f"d{uuid.uuid4().hex[:8]}"
        self.store = f"{stack.engine}/{self.prefix}"
        self.options: tuple[str, ...] = ()
        self.front = ""
        if stack.pair.place == "space":
            stack.call("POST", "/api/spaces/space", {"id": self.prefix, "name": self.prefix})
            self.options, self.front = ("--space", self.prefix), f"{self.prefix}~"
        elif stack.pair.place == "workspace":
            about = {"name": self.prefix, "features": ["use-case-observability"]}
            made = stack.call("POST", "/api/workspaces", {"attributes": about})
            self.options, self.front = ("--workspace", self.prefix), f"{made['result']['id']}~"

    def where(self) -> Where:
        """The same for the loader."""
        place = Where(self.stack.interface, prefix=self.prefix)
        kind = self.stack.pair.place
        return (
            place._replace(space=self.prefix)
            if kind == "space"
            else place._replace(workspace=self.prefix if kind else "")
        )

    def setup(self, *more: str) -> str:
        """The command, as an operator gives it."""
        return ok("setup", "--store", self.store, "--kibana", self.stack.interface, *self.options, *more)


@pytest.fixture
def placed(stack: Stack) -> Iterator[Placed]:
    """A place on each stack; what it put on the engine is removed."""
    made = Placed(stack)
    yield made
    clean(Engine(stack.pair.engine, stack.engine), made.prefix)


def edit(where: Where, key: Key) -> None:
    """What a person does: the object's title becomes another."""
    client = Client(where.url)
    objects = SavedObjects(client, find_place(client, identify(client), where.space, "", where.workspace))
    found = objects.read([key])[key]
    kept = ("type", "id", "references", "migrationVersion", "coreMigrationVersion", "typeMigrationVersion")
    changed = {name: found[name] for name in kept if name in found}
    changed["attributes"] = {**found["attributes"], "title": "Mine"}
    assert not objects.write([changed], overwrite=True).refusal


def test_setup_brings_the_pages_once_and_the_second_run_changes_nothing(placed: Placed) -> None:
    told = placed.setup("--player-url", "https://play.example")
    assert "imported and read back" in told
    assert f"open {placed.stack.interface}" in told
    assert placed.setup().count("nothing to change") == 2


def test_an_edit_is_kept_until_overwrite_takes_it_back(placed: Placed) -> None:
    load(placed.where())
    edit(placed.where(), ("dashboard", f"{placed.front}{placed.prefix}-ttyscribe-recordings"))
    assert any("kept as edited: dashboard" in line for line in load(placed.where()))
    assert any("took back the edit" in line for line in load(placed.where(), overwrite=True))
    assert "nothing to change" in load(placed.where())[0]


def test_every_panel_of_the_bundle_finds_the_samples(placed: Placed) -> None:
    store = ElasticStore(placed.store)
    store.setup()
    store.write([document(fact) for fact in FACTS])
    store.refresh()
    store.close()
    lines = load(placed.where())
    bundle: Bundle = "kibana" if placed.stack.pair.xsrf == "kbn-xsrf" else "opensearch-dashboards"
    assert f"bundle {bundle}" in lines[0]
    saved = fitted(committed(bundle), prefix=placed.prefix)
    engine = Engine(placed.stack.pair.engine, placed.stack.engine)
    found: dict[str, Any] = {}
    for panel in panels(saved, f"{placed.prefix}-ttyscribe-recordings", Span(SINCE, UNTIL)):
        found[panel.name] = rows(panel, call(engine, "POST", f"/{panel.pattern}/_search", panel.body))
    assert found
    assert all(found.values())


def test_the_status_page_is_what_the_loader_takes_it_for(stack: Stack) -> None:
    server = identify(Client(stack.interface))
    assert str(server.number[0]) == stack.pair.interface[-1]
    assert (server.flavour == "kibana") == stack.pair.interface.startswith("kibana")
