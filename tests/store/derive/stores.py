# SPDX-License-Identifier: Apache-2.0
"""Empty stores of each sort, for suites that are the same on all: `class TestMemory(OnMemory, Suite)`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ttyscribe_store.base import Store
from ttyscribe_store.open import open_store


def _opened(url: str) -> Iterator[Store]:
    store = open_store(url)
    store.setup()
    yield store
    store.close()


class OnMemory:
    """In memory."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """An empty store."""
        yield from _opened("memory:")


class OnSqlite:
    """On SQLite."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store."""
        yield from _opened(f"sqlite:{tmp_path}/store")


class OnEngines:
    """On each engine; its classes are marked `engine`."""

    @pytest.fixture
    def store(self, kept_url: str) -> Iterator[Store]:
        """An empty store."""
        yield from _opened(kept_url)
