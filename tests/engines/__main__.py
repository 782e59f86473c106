# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.engines fetch|start|stop|status [--only NAME]`: engines for a developer."""

import argparse
import sys

from tests.engines import fetch, nodes
from tests.engines.java import NoEngine, find_java, pair_for

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


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; 1 with one line where an engine can't be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.engines", description=__doc__)
    parser.add_argument("action", choices=["fetch", "start", "stop", "status"])
    parser.add_argument("--only", choices=nodes.NAMES, help="one engine only")
    wanted = parser.parse_args(arguments)
    names = [wanted.only] if wanted.only else list(nodes.NAMES)
    try:
        {"fetch": _fetch, "start": _start, "stop": _stop, "status": _status}[wanted.action](names)
    except NoEngine as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
