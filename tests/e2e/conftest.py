# SPDX-License-Identifier: Apache-2.0
"""Stores for the whole chain: SQLite, a real OpenSearch and a real Elasticsearch, each test with one of its own."""

import contextlib
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.engines.fixtures import Engine, call, clean
from ttyscribe_store import sqlite_rows
from ttyscribe_store.open import open_store

SQLITE = "sqlite"
ENGINES = [pytest.param(name, marks=pytest.mark.engine) for name in ("opensearch", "elasticsearch")]
ONE_ENGINE = ENGINES[1:]
ALL = [SQLITE, *ENGINES]


class Place(NamedTuple):
    """A store for one test: its URL, and behind it the engine, if it is one."""

    name: str
    url: str
    engine: Engine | None
    prefix: str


def stored_document(place: Place, document_id: str) -> dict[str, Any]:
    """One document as the store holds it, read past the code under test as far as there is a way."""
    if place.engine is not None:
        found = call(place.engine, "POST", f"/{place.prefix}-*/_search", {"query": {"ids": {"values": [document_id]}}})
        (hit,) = found["hits"]["hits"]
        source: dict[str, Any] = hit["_source"]
        return source
    for path in Path(place.url.removeprefix("sqlite:")).glob("*.sqlite"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for (body,) in database.execute("SELECT body FROM document WHERE id = ?", [document_id]):
                return sqlite_rows.document_of(body)
    raise LookupError(document_id)


@pytest.fixture
def bare_place(
    request: pytest.FixtureRequest, tmp_path: Path, engine_starter: Callable[[str], Engine]
) -> Iterator[Place]:
    """A store that nobody has set up; parametrise indirectly with a name."""
    name: str = request.param
    if name == SQLITE:
        yield Place(name, f"sqlite:{tmp_path / 'store'}", None, "")
        return
    engine = engine_starter(name)
    prefix = f"t{uuid.uuid4().hex[:10]}"
    yield Place(name, f"{engine.url}/{prefix}", engine, prefix)
    clean(engine, prefix)


@pytest.fixture
def place(bare_place: Place) -> Place:
    """A store that is ready; parametrise `bare_place`."""
    store = open_store(bare_place.url)
    store.setup()
    store.close()
    return bare_place
