# SPDX-License-Identifier: Apache-2.0
"""Every panel of every page of both bundles asks the real engines, and gets what the corpus holds."""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.engines.fixtures import Engine, clean
from tests.kibana import (
    expected_commands,
    expected_pipeline,
    expected_privileges,
    expected_recording,
    expected_recordings,
    samples,
)
from tests.kibana.corpus import FACTS, document
from tests.kibana.picture import draw
from tests.kibana.samples import SINCE, UNTIL, Row
from ttyscribe_kibana.bundle import BUNDLES, Bundle, committed
from ttyscribe_kibana.dashboards import DASHBOARDS
from ttyscribe_kibana.fit import fitted
from ttyscribe_kibana.queries import Panel, Span, panels, rows, settled
from ttyscribe_store.elastic import ElasticStore

pytestmark = pytest.mark.engine

Json = dict[str, Any]
Shown = dict[str, tuple[Panel, list[Row]]]

PREFIX = f"dashboards{uuid.uuid4().hex[:8]}"
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "img"
PAGES = tuple(dashboard.slug for dashboard in DASHBOARDS)
CHOSEN = {"recording": f'ttyscribe.recording : "{samples.STORY}"'}
"""Page -> what its control is set to, as KQL."""
EXPECTED: dict[str, Callable[[Bundle], dict[str, list[Row]]]] = {
    "recordings": lambda _: expected_recordings.expected(),
    "recording": expected_recording.expected,
    "commands": lambda _: expected_commands.expected(),
    "privileges": lambda _: expected_privileges.expected(),
    "pipeline": lambda _: expected_pipeline.expected(),
}
RANKED = {
    "recordings": ("newest", "top-users", "top-hosts", "longest", "biggest", "incomplete"),
    "commands": (
        *("command-lines", "identities", "who-ran-what", "failed", "by-host", "executables", "refused-files"),
        "in-recordings",
    ),
    "recording": ("row",),
    "privileges": ("who-as-whom", "refusals", "root-programs", "changers", "root-by-host", "sudo-commands"),
    "pipeline": ("ways", "errors", "doubts", "broken-recordings", "repaired", "untrusted-senders"),
}
"""Panels of which the order counts too; a list of documents is always one."""


@pytest.fixture(scope="module")
def filled(engine: Engine) -> Iterator[Engine]:
    """Each engine with the corpus in it, written once through the store."""
    clean(engine, PREFIX)
    store = ElasticStore(f"{engine.url}/{PREFIX}")
    store.setup()
    outcomes = store.write([document(fact) for fact in FACTS])
    assert {outcome.status for outcome in outcomes} == {"stored"}
    store.refresh()
    store.close()
    yield engine
    clean(engine, PREFIX)


Ask = Callable[[Bundle, str], Shown]


@pytest.fixture(scope="module")
def ask(filled: Engine) -> Ask:
    """Ask for all panels of a page; each by the last part of its id, with its rows. A page is asked for once."""
    known: dict[tuple[Bundle, str], Shown] = {}

    def asked(bundle: Bundle, page: str) -> Shown:
        if (bundle, page) not in known:
            known[bundle, page] = _asked(filled, bundle, page)
        return known[bundle, page]

    return asked


def _asked(engine: Engine, bundle: Bundle, page: str) -> Shown:
    saved = fitted(committed(bundle), prefix=PREFIX)
    name = f"{PREFIX}-ttyscribe-{page}"
    found = panels(saved, name, Span(SINCE, UNTIL), CHOSEN.get(page, ""))
    probed = [panel for panel in found if panel.probe]
    answers = _together(engine, [(panel.pattern, panel.probe or {}) for panel in probed])
    known = {panel.name: settled(panel, answer) for panel, answer in zip(probed, answers, strict=True)}
    found = [known.get(panel.name, panel) for panel in found]
    answers = _together(engine, [(panel.pattern, panel.body) for panel in found])
    return {
        panel.name.removeprefix(f"{name}-"): (panel, rows(panel, answer))
        for panel, answer in zip(found, answers, strict=True)
    }


def _together(engine: Engine, questions: Sequence[tuple[str, Json]]) -> list[Json]:
    """All questions in one request; each must be answered in full."""
    if not questions:
        return []
    lines = [line for pattern, body in questions for line in ({"index": pattern}, body)]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    request = Request(f"{engine.url}/_msearch", data, {"Content-Type": "application/x-ndjson"}, method="POST")
    with urlopen(request, timeout=120) as answer:
        answers: list[Json] = json.load(answer)["responses"]
    for (_, body), one in zip(questions, answers, strict=True):
        assert "error" not in one, (one, body)
        assert one["_shards"]["failed"] == 0, (one, body)
    return answers


def _comparable(panel: Panel, found: list[Row]) -> list[Row]:
    """Rows with time under one name, without the empty buckets of a chart over time."""
    times = {group.label for group in panel.groups if "date_histogram" in group.body} | set(panel.columns[:1])
    made = [{"time" if label in times else label: value for label, value in row.items()} for row in found]
    if panel.columns:
        dates = {"time", "@timestamp"}
        return [{k: _milliseconds(v) if k in dates else v for k, v in row.items()} for row in made]
    return [row for row in made if "time" not in row or any(row[measure.label] for measure in panel.measures)]


def _milliseconds(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _sorted(found: list[Row]) -> list[Row]:
    return sorted(found, key=lambda row: repr(sorted(row.items())))


def _close(found: list[Row]) -> list[Row]:
    """Engines give every number as a floating point one; the last digits of a mean are not the corpus's."""
    return [{k: float(round(v, 3)) if isinstance(v, int | float) else v for k, v in row.items()} for row in found]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_panel_returns_what_the_corpus_holds(ask: Ask, bundle: Bundle, page: str) -> None:
    found, expected = ask(bundle, page), EXPECTED[page](bundle)
    assert set(found) == set(expected)
    for slug, (panel, shown) in found.items():
        made, wanted = _close(_comparable(panel, shown)), _close(expected[slug])
        assert _sorted(made) == _sorted(wanted), slug
        if slug in RANKED[page] or panel.columns:
            assert made == wanted, slug


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("bundle", BUNDLES)
def test_no_panel_is_empty_over_the_corpus(ask: Ask, bundle: Bundle, page: str) -> None:
    for slug, (panel, shown) in ask(bundle, page).items():
        assert shown, slug
        assert panel.columns or any(row[measure.label] for row in shown for measure in panel.measures), slug
        for column in panel.columns:
            assert any(row[column] for row in shown), (slug, column)


@pytest.mark.parametrize("page", PAGES)
def test_the_page_drawn_from_the_answers_is_the_committed_picture(ask: Ask, page: str, write_golden: bool) -> None:
    """`--write-golden` draws it anew: look at it then."""
    shown = {f"ttyscribe-{page}-{slug}": answer for slug, answer in ask("kibana", page).items()}
    drawn = draw(committed("kibana"), f"ttyscribe-{page}", shown)
    picture = PICTURES / f"{page}-dashboard.svg"
    if write_golden:
        picture.write_text(drawn, "utf-8")
    assert drawn == picture.read_text("utf-8")
