# SPDX-License-Identifier: Apache-2.0
"""The shared suite on the store in memory."""

import pytest

from tests.store.suite import StoreSuite
from tests.store.suite_forgery import ForgerySuite
from ttyscribe_store.base import Store
from ttyscribe_store.open import open_store


class TestMemory(StoreSuite, ForgerySuite):
    """Memory."""

    @pytest.fixture
    def store(self) -> Store:
        """An empty store."""
        return open_store("memory:")
