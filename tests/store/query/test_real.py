# SPDX-License-Identifier: Apache-2.0
"""The language over documents of real kinds: every field finds something, the same on every store."""

from pathlib import Path
from typing import Any

import pytest

from tests.store.query.real import CASES, corpus
from ttyscribe_formats import timestamp
from ttyscribe_store.base import STORED, Query, Store
from ttyscribe_store.open import open_store
from ttyscribe_store.query.fields import FIELDS
from ttyscribe_store.query.parser import parse


def filled(url: str) -> Store:
    """A store with the corpus."""
    store, documents = open_store(url), corpus()
    store.setup()
    assert store.write(documents) == [STORED] * len(documents)
    store.refresh()
    return store


def answers(store: Store) -> dict[str, list[str]]:
    """What each query finds."""
    trees = {query: parse(query, timestamp.parse) for query in CASES}
    return {query: [hit.document_id for hit in store.search(Query(where=tree))] for query, tree in trees.items()}


@pytest.fixture(scope="module")
def wanted() -> dict[str, list[str]]:
    """As the store in memory answers."""
    return answers(filled("memory:"))


def test_each_finds_what_it_should(wanted: dict[str, list[str]]) -> None:
    counts = {query: len(found) for query, found in wanted.items()}
    right = {query: count if count >= 0 else counts[query] or "some" for query, count in CASES.items()}
    assert counts == right


def test_every_field_is_asked() -> None:
    assert [name for name in FIELDS if not any(f"{name}{sign}" in query for query in CASES for sign in ":~")] == []


def _differences(store: Store, wanted: dict[str, list[str]]) -> dict[str, Any]:
    return {query: found for query, found in answers(store).items() if found != wanted[query]}


def test_on_sqlite(wanted: dict[str, list[str]], tmp_path: Path) -> None:
    store = filled(f"sqlite:{tmp_path}/store")
    assert _differences(store, wanted) == {}
    store.close()


@pytest.mark.engine
def test_on_engines(wanted: dict[str, list[str]], engine_url: str) -> None:
    store = filled(engine_url)
    assert _differences(store, wanted) == {}
    store.close()
