# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.engines fetch|start|stop|status|each [--only NAME]`: engines for a developer.

`each` runs pytest, with the arguments behind it, once with each pair of versions, one after the other.
"""

import argparse
import os
import subprocess
import sys

from tests.engines import fetch, nodes
from tests.engines.java import NoEngine, find_java, javas_for, pair_for

PORTS = {"opensearch": 9211, "elasticsearch": 9220}


def _fetch(names: list[str]) -> None:
    """Warm the cache."""
    java = find_java()
    pair = pair_for(java.major)
    print(f"Java {java.major} in {java.home}: {pair}")
    for name in names:
        print(f"{name}: {getattr(fetch, name)(getattr(pair, name), java)}")


def _start(names: list[str]) -> None:
    """Bring up what is not up yet, on fixed ports."""
    for name in names:
        url = f"http://127.0.0.1:{PORTS[name]}"
        if nodes.serving(url):
            print(f"{name} runs already at {url}")
            continue
        node = nodes.start(name, PORTS[name], keep=True)
        print(f"{name} {node.version} at {node.url}, pid {node.pid}, log {node.folder}/log")


def _stop(names: list[str]) -> None:
    """Take down what `start` brought up; nodes of running tests stay."""
    for node in nodes.running():
        if node.name in names and node.url.endswith(f":{PORTS[node.name]}"):
            nodes.stop(node)
            print(f"{node.name} {node.version}, pid {node.pid}, stopped")


def _status(names: list[str]) -> None:
    """Say what runs."""
    for node in nodes.running():
        if node.name in names:
            print(f"{node.name} {node.version} at {node.url}, pid {node.pid}, log {node.folder}/log")


def _each(arguments: list[str]) -> int:
    """Run pytest with every pair; 1 where a test failed, or a pair could not be had."""
    worst = 0
    for pair, java in javas_for().items():
        if java is None:
            print(f"{pair}: no Java for them: apt-get install openjdk-17-jre-headless, or 21 for the newer pair")
            worst = 1
            continue
        print(f"{pair} on Java {java.major}", flush=True)
        named = ("TTYSCRIBE_TEST_OPENSEARCH", "TTYSCRIBE_TEST_ELASTICSEARCH")  # each pair is started and stopped
        environment = {name: value for name, value in os.environ.items() if name not in named}
        command = [sys.executable, "-m", "pytest", "-q", "-m", "engine", *(arguments or ["tests"])]
        done = subprocess.run(command, env={**environment, "TEST_JAVA_HOME": str(java.home)}, check=False)
        worst = max(worst, done.returncode)
    return worst


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 1 with one line where an engine can't be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines", description=__doc__)
    parser.add_argument("action", choices=["fetch", "start", "stop", "status", "each"])
    parser.add_argument("--only", choices=nodes.NAMES, help="one engine only")
    wanted, more = parser.parse_known_args(arguments)
    if wanted.action == "each":
        return _each(more)
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    names = [wanted.only] if wanted.only else list(nodes.NAMES)
    try:
        {"fetch": _fetch, "start": _start, "stop": _stop, "status": _status}[wanted.action](names)
    except NoEngine as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
