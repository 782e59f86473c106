# SPDX-License-Identifier: Apache-2.0
"""The helper that gives the other tests their engines."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests import peers
from tests.engines import fetch, nodes
from tests.engines.fixtures import Engine, Shared, call, clean
from tests.engines.java import NEW, OLD, Java, NoEngine, Pair, find_java, javas_for, major_of, pair_for


@pytest.mark.parametrize(("major", "pair"), [(17, OLD), (20, OLD), (21, NEW), (25, NEW)])
def test_pair_is_the_newest_that_java_runs(major: int, pair: Pair) -> None:
    assert pair_for(major) == pair


def test_java_that_is_too_old_says_what_to_install() -> None:
    with pytest.raises(NoEngine, match="apt-get install openjdk-17"):
        pair_for(11)


def _java(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/java").touch()
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_java_is_told_by_its_release_file(tmp_path: Path) -> None:
    assert major_of(_java(tmp_path / "a", "17.0.13")) == 17
    assert major_of(_java(tmp_path / "b", "25")) == 25
    assert major_of(tmp_path) == 0


def test_named_java_wins_over_a_newer_one(tmp_path: Path) -> None:
    home, newer = _java(tmp_path / "a", "17.0.1"), _java(tmp_path / "b", "99.0.1")
    environment = {"TEST_JAVA_HOME": str(home), "JAVA_99_HOME": str(newer)}
    assert find_java(environment) == Java(home, 17)
    assert find_java({"JAVA_99_HOME": str(newer)}) == Java(newer, 99)


def test_each_pair_gets_the_newest_java_that_runs_it(tmp_path: Path) -> None:
    names = {f"JAVA_{version}_HOME": str(_java(tmp_path / version, f"{version}.0.1")) for version in ("11", "19", "98")}
    chosen = javas_for(names)
    assert list(chosen) == [OLD, NEW]
    assert chosen[OLD] == Java(tmp_path / "19", 19)
    assert chosen[NEW] == Java(tmp_path / "98", 98)


def test_named_java_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoEngine, match="holds no Java"):
        find_java({"TEST_JAVA_HOME": str(tmp_path)})


@pytest.mark.engine
def test_engine_serves_and_is_what_its_name_says(engine: Engine) -> None:
    assert call(engine, "GET", "/_cluster/health")["status"] in ("green", "yellow")
    modules = call(engine, "GET", "/_nodes?filter_path=nodes.*.version")
    assert modules["nodes"]


_HOLDER = """
import sys, time
from tests import peers
from tests.engines import fetch, nodes
print(nodes.start("elasticsearch"), flush=True)
time.sleep(600)
"""


@pytest.mark.engine
@pytest.mark.slow
def test_node_dies_with_a_killed_test_run() -> None:
    """A killed run leaves no Java behind, and the next start removes its folder."""
    try:
        java = find_java()
        fetch.elasticsearch(pair_for(java.major).elasticsearch, java)
    except NoEngine as reason:
        peers.absent(str(reason))
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    line = holder.stdout.readline()
    folder = line.partition("folder='")[2].partition("'")[0]
    pid = int(line.partition("pid=")[2].partition(",")[0])
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    until = time.monotonic() + 30
    while nodes._born(pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert not nodes._born(pid)
    nodes.sweep()
    assert not Path(folder).exists()


def test_processes_of_a_run_share_a_node_and_the_last_to_leave_lets_it_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    node = nodes.Node("x", "0", "http://127.0.0.1:1", 0, str(tmp_path))

    def start(name: str) -> nodes.Node:
        told.append(f"start {name}")
        return node

    monkeypatch.setattr(nodes, "start", start)
    monkeypatch.setattr(nodes, "stop", lambda stopped: told.append(f"stop {stopped.name}"))
    first, second = Shared("x", tmp_path), Shared("x", tmp_path)
    assert first.url == second.url == node.url
    for one in (first, second):
        one.leave()  # the second does, the first has to stop it
    third = Shared("x", tmp_path)
    stopping = threading.Thread(target=first.stop)
    stopping.start()
    stopping.join(0.2)
    assert told == ["start x"]
    third.leave()
    stopping.join()
    assert told == ["start x", "stop x"]


@pytest.mark.engine
def test_a_node_of_another_on_the_same_port_is_not_taken_for_ones_own(engine: Engine, tmp_path: Path) -> None:
    own = nodes.Node(engine.name, "0", engine.url, 0, str(tmp_path / "ttyscribe-engine-mine"))
    running = subprocess.Popen(["sleep", "60"])
    try:
        with pytest.raises(nodes._PortTaken):
            nodes._wait(own, running)
    finally:
        running.kill()
        running.wait()


@pytest.mark.engine
def test_cleaning_removes_what_has_the_prefix_and_nothing_else(engine: Engine, engine_prefix: str) -> None:
    for name in ("a-one", "a-two", "b-one"):
        call(engine, "PUT", f"/{engine_prefix}-{name}")
        call(engine, "PUT", f"/_component_template/{engine_prefix}-{name}", {"template": {}})
        body = {"index_patterns": [f"{engine_prefix}-{name}-*"], "composed_of": [f"{engine_prefix}-{name}"]}
        call(engine, "PUT", f"/_index_template/{engine_prefix}-{name}", body)
    for _ in range(2):
        clean(engine, f"{engine_prefix}-a")
    assert list(call(engine, "GET", f"/{engine_prefix}-*")) == [f"{engine_prefix}-b-one"]
    for kind in ("index_template", "component_template"):
        found = call(engine, "GET", f"/_{kind}/{engine_prefix}-*")[f"{kind}s"]
        assert [item["name"] for item in found] == [f"{engine_prefix}-b-one"]
