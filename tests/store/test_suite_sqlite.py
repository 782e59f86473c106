# SPDX-License-Identifier: Apache-2.0
"""The shared suite on the store in a folder of SQLite files."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.suite import StoreSuite
from tests.store.suite_forgery import ForgerySuite
from ttyscribe_store.base import Store
from ttyscribe_store.open import open_store


class TestSqlite(StoreSuite, ForgerySuite):
    """SQLite."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """An empty store that is not set up."""
        store = open_store(f"sqlite:{tmp_path / 'store'}")
        yield store
        store.close()
