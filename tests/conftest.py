# SPDX-License-Identifier: Apache-2.0
"""Options and plugins of the whole suite."""

import signal
from typing import Any

import pytest
from hypothesis import settings

# No test depends on a machine's speed.
settings.register_profile("any-speed", deadline=None)
settings.load_profile("any-speed")

pytest_plugins = ["tests.engines.fixtures"]

_INHERITED: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGQUIT: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}


def pytest_configure() -> None:
    """Take back what a shell's background job or nohup ignores: programs under test would inherit it."""
    for number, handler in _INHERITED.items():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first (xdist deals out whole files): else one of them ends the run alone.

    A test that needs engines may be the one that has to wait until they are up.
    """
    for item in items:
        if item.get_closest_marker("engine") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(600))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch that writes golden outputs anew (read the diff afterwards)."""
    parser.addoption("--write-golden", action="store_true", help="write golden outputs instead of comparing them")


@pytest.fixture
def write_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether golden outputs are to be written."""
    return bool(request.config.getoption("--write-golden"))
