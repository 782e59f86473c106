# SPDX-License-Identifier: Apache-2.0
"""Options and plugins of the whole suite."""

import pytest

pytest_plugins = ["tests.engines.fixtures"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that writes golden outputs anew (read the diff afterwards)."""
    parser.addoption("--write-golden", action="store_true", help="write golden outputs instead of comparing them")


@pytest.fixture
def write_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether golden outputs are to be written."""
    return bool(request.config.getoption("--write-golden"))
