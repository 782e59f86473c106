# SPDX-License-Identifier: Apache-2.0
"""Every panel of both bundles asks the real engines, and gets what the samples hold."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.fixtures import Engine, call, clean
from tests.kibana.picture import draw
from tests.kibana.samples import EXPECTED, MESSAGES, SINCE, UNTIL, Row, document
from ttyscribe_kibana.bundle import BUNDLES, Bundle, committed
from ttyscribe_kibana.fit import fitted
from ttyscribe_kibana.queries import Panel, Span, panels, rows
from ttyscribe_store.elastic import ElasticStore

pytestmark = pytest.mark.engine

PREFIX = f"dashboards{uuid.uuid4().hex[:8]}"
PICTURE = Path(__file__).resolve().parents[2] / "docs" / "img" / "recordings-dashboard.svg"
RANKED = ("newest", "top-users", "top-hosts", "longest", "biggest")


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Iterator[Engine]:
    """Each engine with the samples in it, written once through the store."""
    clean(engine, PREFIX)
    store = ElasticStore(f"{engine.url}/{PREFIX}")
    store.setup()
    outcomes = store.write([document(message) for message in MESSAGES])
    assert {outcome.status for outcome in outcomes} == {"stored"}
    store.refresh()
    store.close()
    yield engine
    clean(engine, PREFIX)


Ask = Callable[[Bundle], dict[str, tuple[Panel, list[Row]]]]


@pytest.fixture(scope="module")
def ask(filled: Engine) -> Ask:
    """Ask for all panels of a bundle; each by the last part of its id, with its rows."""

    def asked(bundle: Bundle) -> dict[str, tuple[Panel, list[Row]]]:
        saved = fitted(committed(bundle), prefix=PREFIX)
        found: dict[str, tuple[Panel, list[Row]]] = {}
        for panel in panels(saved, f"{PREFIX}-ttyscribe-recordings", Span(SINCE, UNTIL)):
            answer = call(filled, "POST", f"/{panel.pattern}/_search", panel.body)
            assert answer["_shards"]["failed"] == 0
            found[panel.name.removeprefix(f"{PREFIX}-ttyscribe-recordings-")] = panel, rows(panel, answer)
        return found

    return asked


def _comparable(panel: Panel, found: list[Row]) -> list[Row]:
    """Rows with time under one name, without the empty buckets of a chart over time."""
    made = [{"time" if label == "@timestamp" else label: value for label, value in row.items()} for row in found]
    return [row for row in made if "time" not in row or any(row[measure.label] for measure in panel.measures)]


def _sorted(found: list[Row]) -> list[Row]:
    return sorted(found, key=lambda row: repr(sorted(row.items())))


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_panel_returns_what_the_samples_hold(ask: Ask, bundle: Bundle) -> None:
    found = ask(bundle)
    assert set(found) == set(EXPECTED)
    for slug, (panel, shown) in found.items():
        made = _comparable(panel, shown)
        assert _sorted(made) == _sorted(EXPECTED[slug]), slug
        if slug in RANKED:
            assert made == EXPECTED[slug], slug


@pytest.mark.parametrize("bundle", BUNDLES)
def test_no_panel_is_empty_over_the_samples(ask: Ask, bundle: Bundle) -> None:
    for slug, (panel, shown) in ask(bundle).items():
        assert shown, slug
        assert any(row[measure.label] for row in shown for measure in panel.measures), slug


def test_the_page_drawn_from_the_answers_is_the_committed_picture(ask: Ask, write_golden: bool) -> None:
    """`--write-golden` draws it anew: look at it then."""
    shown = {f"ttyscribe-recordings-{slug}": answer for slug, answer in ask("kibana").items()}
    drawn = draw(committed("kibana"), "ttyscribe-recordings", shown)
    if write_golden:
        PICTURE.write_text(drawn, "utf-8")
    assert drawn == PICTURE.read_text("utf-8")
