# SPDX-License-Identifier: Apache-2.0
"""One corpus, one list of queries, the same hits on every store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.query.corpus import CASES, corpus
from ttyscribe_formats import timestamp
from ttyscribe_store.base import STORED, Query, Store
from ttyscribe_store.open import open_store
from ttyscribe_store.query.parser import parse

NUMBERS = {document["viaq_msg_id"]: number for number, document in corpus().items()}


def find(store: Store, query: str) -> list[int]:
    """Numbers of the hits, in the order in which they come."""
    tree = parse(query, timestamp.parse)
    return [NUMBERS[hit.document_id] for hit in store.search(Query(where=tree))]


def filled(url: str) -> Store:
    """A store with the corpus."""
    store = open_store(url)
    store.setup()
    documents = list(corpus().values())
    assert store.write(documents) == [STORED] * len(documents)
    store.refresh()
    return store


def check(store: Store) -> None:
    """All queries; every difference is told at once."""
    wanted = {query: sorted(numbers) for query, numbers in CASES.items()}
    found = {query: find(store, query) for query in CASES}
    assert {query: hits for query, hits in found.items() if hits != wanted[query]} == {}


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on SQLite with the corpus."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    store = filled(f"sqlite:{folder}/store")
    yield store
    store.close()


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 120


def test_in_memory() -> None:
    check(filled("memory:"))


def test_on_sqlite(sqlite: Store) -> None:
    check(sqlite)


@pytest.mark.engine
def test_on_engines(engine_url: str) -> None:
    store = filled(engine_url)
    check(store)
    store.close()
