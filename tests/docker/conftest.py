# SPDX-License-Identifier: Apache-2.0
"""Pairs of an engine and its user interface in containers, by pytest-docker; without an engine for them, one line."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

COMPOSE = Path(__file__).with_name("compose.yaml")
COMMAND = "docker compose"
_PULLED_AND_UP = 1800
"""Seconds for images to come and services to be healthy."""


class Pair(NamedTuple):
    """Two services of the compose file that belong together, and how the second is reached."""

    engine: str
    interface: str
    base: str
    """The base path of the user interface."""
    xsrf: str
    place: str
    """What the tests make in it: a space, a workspace, or nothing."""


PAIRS = (
    Pair("elasticsearch-8", "kibana-8", "", "kbn-xsrf", "space"),
    Pair("elasticsearch-9", "kibana-9", "/base", "kbn-xsrf", "space"),
    Pair("opensearch-2", "dashboards-2", "", "osd-xsrf", ""),
    Pair("opensearch-3", "dashboards-3", "/_dashboards", "osd-xsrf", "workspace"),
)


class Stack(NamedTuple):
    """A pair that runs."""

    pair: Pair
    engine: str
    """URL of the engine."""
    interface: str
    """URL of the user interface."""

    def call(self, method: str, path: str, body: object) -> Any:
        """One request to the user interface, past the code under test."""
        headers = {"Content-Type": "application/json", self.pair.xsrf: "true"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.interface + path, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")


def lacking() -> str:
    """Why no container can run here; empty where one can."""
    docker = shutil.which("docker")
    if docker is None:
        return "no container engine here: install docker with its compose plugin"
    for words, reason in (
        (["compose", "version"], "docker has no compose plugin here"),
        (["info"], "no container engine answers (docker info)"),
    ):
        if subprocess.run([docker, *words], capture_output=True, timeout=60).returncode:
            return reason
    try:
        import pytest_docker  # noqa: F401
    except ImportError:
        return "containers need pytest-docker: tox -e docker"
    return ""


@pytest.fixture(scope="session", params=PAIRS, ids=lambda pair: pair.interface)
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Each pair, started and healthy; removed with its data afterwards."""
    from pytest_docker.plugin import DockerComposeExecutor, Services

    pair: Pair = request.param
    compose = DockerComposeExecutor(COMMAND, str(COMPOSE), f"ttyscribe-{pair.interface}-{os.getpid()}")
    try:
        compose.execute(f"up --detach --wait --wait-timeout {_PULLED_AND_UP} {pair.engine} {pair.interface}")
        found = Services(compose)
        engine = f"http://127.0.0.1:{found.port_for(pair.engine, 9200)}"
        yield Stack(pair, engine, f"http://127.0.0.1:{found.port_for(pair.interface, 5601)}{pair.base}")
    finally:
        compose.execute("down --volumes --timeout 10")
