# SPDX-License-Identifier: Apache-2.0
"""A derived document that the store refuses for itself: the other recordings do not wait, and it is told once."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.cli.command import run
from tests.engines.fixtures import Engine, call
from tests.store.samples import documents, make_recording
from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import MessageError
from ttyscribe_store.base import Query, RecordingFilter, Store
from ttyscribe_store.derive.indexer import REST_S, Done, Indexer
from ttyscribe_store.derive.rules import ROW_ONLY, VERSION, behind
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.query.parser import parse

OUTPUTS = [b"$ ", b"ls", b"\r\na.txt\r\n$ "]
REFUSES = {"mappings": {"_routing": {"required": True}}}
"""An index that takes no document of ours."""


class Refusing(MemoryStore):
    """Refuses the lines and commands of some recordings, and the rows of others."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        self.tries = 0

    def replace(self, recording: str, documents: Sequence[Document]) -> None:
        """Refuse it, or do it."""
        if recording in self.refused:
            self.tries += 1
            raise MessageError(f"no {recording}")
        super().replace(recording, documents)


def rows(store: Store) -> dict[str, tuple[int, int]]:
    """Messages and version of each row."""
    return {one.recording: (one.messages, one.version) for one in store.derived()}


def test_the_others_are_derived_and_it_is_told_once_and_tried_seldom() -> None:
    store, told, now = Refusing(), [], [0.0]
    for name in ("alpha", "beta", "gamma"):
        store.write(documents(make_recording(name, OUTPUTS)))
    store.refused.add("beta")
    indexer = Indexer(store, refused=lambda *one: told.append(one), now=lambda: now[0])
    count = len(OUTPUTS)
    assert indexer.round().recordings == 2
    assert rows(store) == {"alpha": (count, VERSION), "beta": (count, ROW_ONLY), "gamma": (count, VERSION)}
    assert behind(store) == ["beta"], "readers say that it is not derived"
    for _ in range(3):
        assert indexer.round() == Done(0, 0)
    assert (store.tries, told) == (1, [("beta", "no beta")])
    now[0] += REST_S
    assert indexer.round() == Done(0, 0, 1)
    assert (store.tries, len(told)) == (2, 1)
    store.refused.clear()
    assert indexer.round() == Done(0, 0)
    now[0] += REST_S
    assert indexer.round().recordings == 1
    assert behind(store) == []


def test_one_whose_row_is_refused_as_well_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    store, told = Refusing(), []
    for name in ("alpha", "beta"):
        store.write(documents(make_recording(name, OUTPUTS)))
    store.refused.add("alpha")

    def amend(*_: Any) -> bool:
        raise MessageError("no row")

    monkeypatch.setattr(store, "amend", amend)
    assert Indexer(store, refused=lambda *one: told.append(one)).round()[::2] == (1, 1)
    assert list(rows(store)) == ["beta"]
    assert told == [("alpha", "no alpha")]


@pytest.fixture
def store(kept_url: str) -> Iterator[ElasticStore]:
    """A store on each engine."""
    made = ElasticStore(kept_url)
    made.setup()
    yield made
    made.close()


@pytest.mark.engine
def test_an_engine_that_refuses_the_lines_of_one_month(
    engine: Engine, kept_prefix: str, kept_url: str, store: ElasticStore
) -> None:
    index = f"/{kept_prefix}-ttyscribe-line-2026.11"
    call(engine, "PUT", index, REFUSES)
    months = {"alpha": "2026-11-24T12:00:00Z", "beta": "2026-10-24T12:00:00Z"}
    for name, start in months.items():
        store.write(documents(make_recording(name, OUTPUTS, start_ns=timestamp.parse(start))))
    store.refresh()

    def lines() -> list[str]:
        return [one.recording for one in store.search(Query(where=parse("kind:line", timestamp.parse)))]

    done = run("index", "--store", kept_url)
    assert done.returncode == 1, done.stderr
    assert "of 1 recording" in done.stdout
    assert "recording alpha: its lines and commands are not complete, the store refuses some: http" in done.stderr
    assert "refuses line:alpha:" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert set(lines()) == {"beta"}
    assert {one.recording for one in store.recordings(RecordingFilter())} == {"alpha", "beta"}
    assert behind(store) == ["alpha"]
    assert run("index", "--store", kept_url).returncode == 1
    call(engine, "DELETE", index)
    assert run("index", "--store", kept_url).returncode == 0
    assert set(lines()) == {"alpha", "beta"}
    assert behind(store) == []


@pytest.mark.engine
def test_readers_hear_of_it_for_as_long_as_it_lasts(engine: Engine, kept_prefix: str, store: ElasticStore) -> None:
    """Also when much has come since."""
    call(engine, "PUT", f"/{kept_prefix}-ttyscribe-line-2026.10", REFUSES)
    indexer = Indexer(store)
    for name, start in (("alpha", "10-24"), ("beta", "11-01"), ("gamma", "11-02")):
        store.write(documents(make_recording(name, OUTPUTS, start_ns=timestamp.parse(f"2026-{start}T12:00:00Z"))))
        store.refresh()
        indexer.round()
        indexer.round()
        assert behind(store) == ["alpha"]
