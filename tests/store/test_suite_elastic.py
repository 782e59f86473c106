# SPDX-License-Identifier: Apache-2.0
"""The shared suite on a real OpenSearch and a real Elasticsearch."""

from collections.abc import Iterator

import pytest

from tests.store.suite import StoreSuite
from tests.store.suite_forgery import ForgerySuite
from ttyscribe_store.base import Store
from ttyscribe_store.open import open_store


@pytest.mark.engine
class TestElastic(StoreSuite, ForgerySuite):
    """Each engine."""

    @pytest.fixture
    def store(self, kept_url: str) -> Iterator[Store]:
        """An empty store; the templates of the test before may be there."""
        store = open_store(kept_url)
        yield store
        store.close()
