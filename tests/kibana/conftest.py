# SPDX-License-Identifier: Apache-2.0
"""Stand-ins of both products for the loader's tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.kibana.double import Double, running


@pytest.fixture(autouse=True)
def _no_credentials_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests is not part of them."""
    for name in (
        "USER",
        "PASSWORD",
        "API_KEY",
        "TOKEN",
        "PASSWORD_FILE",
        "API_KEY_FILE",
        "TOKEN_FILE",
        "CA",
        "CLIENT_CERT",
        "TIMEOUT",
    ):
        monkeypatch.delenv(f"TTYSCRIBE_KIBANA_{name}", raising=False)


Start = Callable[[str, str], Double]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start doubles that end with the test."""
    with ExitStack() as stack:
        yield lambda flavour, version: stack.enter_context(running(flavour, version))


@pytest.fixture(params=[("kibana", "9.5.0"), ("opensearch-dashboards", "3.8.0")], ids=["kibana", "opensearch"])
def server(request: pytest.FixtureRequest, start: Start) -> Double:
    """Each product in its newest version."""
    return start(*request.param)
