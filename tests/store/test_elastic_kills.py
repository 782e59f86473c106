# SPDX-License-Identifier: Apache-2.0
"""Writers and engines killed while bulk requests are under way: nothing acknowledged is lost, nothing is there twice.

With TTYSCRIBE_TEST_LONG fifty writers are killed, and an engine too.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import peers
from tests.engines import nodes
from tests.engines.fixtures import Engine
from tests.engines.java import NoEngine
from ttyscribe_store.elastic import ElasticStore

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
LONG = bool(os.environ.get("TTYSCRIBE_TEST_LONG"))
KILLS = 50 if LONG else 3
ENGINE_KILLS = 3
BATCH = 160
LIMIT = 120.0
"""Seconds in which anything has happened, however slow the machine is."""
ENDLESS = 10_000_000


@contextmanager
def _writer(url: str, first: int, last: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that has begun to write."""
    arguments = [url, "r1", str(first), str(last), str(BATCH)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.engine_writer", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()


def _last(report: str, before: int) -> int:
    """The last id in the whole lines of a report."""
    lines = report.split("\n")[:-1]
    return int(lines[-1].split()[0].partition("-")[2]) if lines else before


def _check(url: str, last: int) -> int:
    """All messages up to the last acknowledged one are there, each once; how many there are."""
    store = ElasticStore(url)
    store.refresh()
    ids = [message.tlog["id"] for message in store.messages("r1")]
    assert store.count() == len(ids)
    store.close()
    assert len(ids) == len(set(ids)), "something is there twice"
    assert ids[:last] == list(range(1, last + 1)), "something acknowledged is not there"
    return len(ids)


@pytest.mark.timeout(1800 if LONG else 300)
def test_what_a_killed_writer_was_told_is_stored_and_nothing_twice(engine: Engine, engine_url: str) -> None:
    """Each goes on behind the last acknowledged message, so that what was under way is written again."""
    store = ElasticStore(engine_url)
    store.setup()
    store.close()
    dice = random.Random(6)
    last = under_way = 0
    for number in range(KILLS):
        with _writer(engine_url, last + 1, ENDLESS) as process:
            assert process.stdout is not None
            report = "".join(process.stdout.readline() for _ in range(number % 3))
            time.sleep(dice.random() * 0.1)
            process.send_signal(signal.SIGKILL)
            report += process.stdout.read()
            assert process.wait(LIMIT) == -signal.SIGKILL
        last = _last(report, last)
        under_way += _check(engine_url, last) > last
    with _writer(engine_url, last + 1, last + 300) as process:
        report = process.communicate(timeout=LIMIT)[0]
        assert process.returncode == 0
    # What the killed ones had under way is at most one batch.
    assert _check(engine_url, last + 300) <= last + max(300, BATCH)
    assert under_way or KILLS < 10, "none was killed between a request and its acknowledgement"


@pytest.mark.skipif(not LONG, reason="an engine is killed with TTYSCRIBE_TEST_LONG alone")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", nodes.NAMES)
def test_an_engine_that_is_killed_and_comes_back_loses_nothing_acknowledged(name: str) -> None:
    node = _started(name)
    try:
        url = f"{node.url}/t"
        store = ElasticStore(url)
        store.setup()
        store.close()
        last = 0
        with _writer(url, 1, ENDLESS) as process:
            assert process.stdout is not None
            for number in range(ENGINE_KILLS):
                for _ in range(number + 2):
                    last = _last(process.stdout.readline(), last)
                nodes.kill(node)
                node = nodes.revive(node)
            last = _last(process.stdout.readline(), last)  # the writer has outlived it all
            process.send_signal(signal.SIGKILL)
            last = _last(process.stdout.read(), last)
        _check(url, last)
    finally:
        nodes.stop(node)


def _started(name: str) -> nodes.Node:
    try:
        return nodes.start(name)
    except NoEngine as reason:
        peers.absent(str(reason))
        raise
