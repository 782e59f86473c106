# SPDX-License-Identifier: Apache-2.0
"""pytest fixtures: a real OpenSearch and a real Elasticsearch, started when the first test asks for them.

All processes of one run share them. `TTYSCRIBE_TEST_OPENSEARCH` and `TTYSCRIBE_TEST_ELASTICSEARCH` name nodes that run
already.
"""

import fcntl
import json
import os
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import peers
from tests.engines import nodes
from tests.engines.java import NoEngine, find_java, pair_for

_AT_ONCE = 50


class Engine(NamedTuple):
    """One engine that tests may use."""

    name: str
    url: str


def call(engine: Engine, method: str, path: str, body: object = None) -> Any:
    """One request to an engine, past the code under test; errors of HTTP are raised."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        engine.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def _found(engine: Engine, method: str, path: str) -> Any:
    """As `call`, where nothing that fits is no error."""
    try:
        return call(engine, method, path)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 404:
            raise
        return None


def empty(engine: Engine, prefix: str) -> None:
    """Remove every data stream and index whose name begins with the prefix."""
    if engine.name == "opensearch":  # a bare Elasticsearch has no requests about them
        _found(engine, "DELETE", f"/_data_stream/{prefix}-*")
    names = list(_found(engine, "GET", f"/{prefix}-*?expand_wildcards=all&ignore_unavailable=true") or ())
    for first in range(0, len(names), _AT_ONCE):
        call(engine, "DELETE", "/" + ",".join(names[first : first + _AT_ONCE]))


def clean(engine: Engine, prefix: str) -> None:
    """Remove every index and template whose name begins with the prefix."""
    empty(engine, prefix)
    for kind in ("index_template", "component_template"):
        _found(engine, "DELETE", f"/_{kind}/{prefix}-*")


class Shared:
    """One node for all processes of a run: who asks first starts it, and stops it when nobody uses it any more."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._note = folder / f"{name}.url"
        self._lock = folder / f"{name}.lock"
        self._users = (folder / f"{name}.users").open("a")
        self._own: nodes.Node | None = None
        try:
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self.url = self._get()
        except BaseException:
            self._users.close()
            raise

    def _get(self) -> str:
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._note.exists():
                try:
                    self._own = nodes.start(self._name)
                except NoEngine as reason:
                    self._note.write_text(f"none: {reason}")  # else each process tries it again, for minutes
                else:
                    self._note.write_text(self._own.url)
            note = self._note.read_text()
        if note.startswith("none: "):
            raise NoEngine(note.removeprefix("none: "))
        return note

    def leave(self) -> None:
        """Use it no more."""
        if self._own is None:
            self._users.close()

    def stop(self) -> None:
        """Stop our own, once the others have left it."""
        if self._own is not None:
            fcntl.flock(self._users, fcntl.LOCK_EX)
            self._note.unlink()
            nodes.stop(self._own)
            self._users.close()


@pytest.fixture(scope="session")
def engine_starter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """Give each engine by name, started once a run and stopped at its end."""
    shared: dict[str, Shared] = {}
    base = tmp_path_factory.getbasetemp()
    # A worker of xdist has a folder of its own in that of the run.
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def give(name: str) -> Engine:
        named = os.environ.get(f"TTYSCRIBE_TEST_{name.upper()}", "").rstrip("/")
        if named:
            return Engine(name, named)
        if name not in shared:
            try:
                shared[name] = Shared(name, folder)
            except NoEngine as reason:
                peers.absent(str(reason))
        return Engine(name, shared[name].url)

    try:
        yield give
    finally:
        for one in shared.values():  # first of all: else two that stop one each could wait for each other
            one.leave()
        for one in shared.values():
            one.stop()


@pytest.fixture(scope="session", params=nodes.NAMES)
def engine(request: pytest.FixtureRequest, engine_starter: Callable[[str], Engine]) -> Engine:
    """Each of the two engines."""
    return engine_starter(request.param)


@pytest.fixture
def engine_prefix(engine: Engine) -> Iterator[str]:
    """A prefix of one test's own; its indices and templates are removed afterwards."""
    prefix = f"t{uuid.uuid4().hex[:10]}"
    yield prefix
    clean(engine, prefix)


@pytest.fixture
def engine_url(engine: Engine, engine_prefix: str) -> str:
    """Store URL of one test's own on each engine."""
    return f"{engine.url}/{engine_prefix}"


@pytest.fixture(scope="module")
def module_prefix(engine: Engine) -> Iterator[str]:
    """A prefix of one file's own; its indices and templates are removed afterwards."""
    prefix = f"t{uuid.uuid4().hex[:10]}"
    yield prefix
    clean(engine, prefix)


@pytest.fixture
def kept_prefix(engine: Engine, module_prefix: str) -> Iterator[str]:
    """A prefix of one file's own, without indices; templates stay for the next test, as their set-up takes seconds."""
    yield module_prefix
    empty(engine, module_prefix)


@pytest.fixture
def kept_url(engine: Engine, kept_prefix: str) -> str:
    """Store URL without documents on each engine, for tests that change no template."""
    return f"{engine.url}/{kept_prefix}"


def pytest_report_header() -> list[str]:
    """Name the pair that this run uses."""
    named = [os.environ.get(f"TTYSCRIBE_TEST_{name.upper()}") for name in nodes.NAMES]
    if all(named):
        return [f"engines: {named[0]} and {named[1]}"]
    try:
        java = find_java()
        return [f"engines: {pair_for(java.major)} on Java {java.major}"]
    except NoEngine as reason:
        return [f"engines: {reason}"]
