# SPDX-License-Identifier: Apache-2.0
"""Several nodes of one cluster: the dead, the slow and the troubled are left for the others and tried again."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.store.elastic_samples import syslog
from tests.store.stand_in import StandIn, answer, half, reset, slow, standing_in
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import nodes
from ttyscribe_store.base import STORED
from ttyscribe_store.elastic import ElasticStore

LIMIT = 30.0


@contextmanager
def _cluster(count: int, **options: float) -> Iterator[tuple[ElasticStore, list[StandIn]]]:
    with ExitStack() as stack:
        servers = [stack.enter_context(standing_in()) for _ in range(count)]
        hosts = ",".join(server.url.removeprefix("http://") for server in servers)
        store = ElasticStore(f"http://{hosts}", flights=1, **options)
        stack.callback(store.close)
        store.check()
        for server in servers:
            server.seen.clear()
        yield store, servers


def _asked(servers: list[StandIn]) -> list[int]:
    return [len(server.bulks) for server in servers]


def test_nodes_are_asked_by_turns() -> None:
    with _cluster(3) as (store, servers):
        for number in range(9):
            assert store.write([syslog(number)]) == [STORED]
        assert _asked(servers) == [3, 3, 3]


def test_a_dead_node_costs_nothing_but_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with standing_in() as server:
        dead = server.url
    with standing_in() as first, standing_in() as last, caplog.at_level(logging.WARNING, "ttyscribe.store"):
        hosts = (url.removeprefix("http://") for url in (dead, last.url))
        store = ElasticStore(f"{first.url},{','.join(hosts)}")
        for number in range(9):
            assert store.write([syslog(number)]) == [STORED]
        store.close()
        assert sum(_asked([first, last])) == 9
        assert min(_asked([first, last])) >= 3
    avoided = [record.getMessage() for record in caplog.records if "is avoided" in record.getMessage()]
    assert avoided
    assert all(text.startswith(f"{dead} is avoided for ") for text in avoided)
    assert all("refused" in text for text in avoided)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_node_without_its_cluster_is_left_for_another(status: int) -> None:
    with _cluster(2) as (store, servers):
        for server in servers:
            server.always = answer(status, b"")
            for number in range(4):
                assert store.write([syslog(number)]) == [STORED]
            server.always = None
            _until_all_answer(store, servers)


def _until_all_answer(store: ElasticStore, servers: list[StandIn]) -> None:
    """Write until every node has been asked again."""
    end = time.monotonic() + LIMIT
    for server in servers:
        server.seen.clear()
    while not all(_asked(servers)):
        assert time.monotonic() < end, "a node was never tried again"
        assert store.write([syslog()]) == [STORED]
        time.sleep(0.05)


@pytest.mark.parametrize("action", [reset, half], ids=["cut before the answer", "cut within the answer"])
def test_a_node_that_cuts_is_asked_once_more_then_the_next_one(action: object) -> None:
    with _cluster(2) as (store, servers):
        for server in servers:
            server.script = [action, action] * 2  # type: ignore[list-item]
        servers[0].script = []
        for number in range(3):
            assert store.write([syslog(number)]) == [STORED]
        assert len(servers[1].bulks) <= 2


def test_an_outage_of_all_nodes_is_one_and_names_a_node() -> None:
    with _cluster(2) as (store, servers):
        for server in servers:
            server.always = answer(503, b"")
        with pytest.raises(Unavailable, match="HTTP 503"):
            store.write([syslog()])
        for server in servers:
            server.always = reset
        with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:[0-9]+: "):
            store.check()
        for server in servers:
            server.always = None
        assert store.write([syslog()]) == [STORED]


def test_a_slow_node_holds_up_one_request_and_is_avoided_then() -> None:
    with _cluster(2, timeout=0.5) as (store, servers):
        for server in servers:
            server.script = [slow(5)]
        outages = []
        while any(server.script for server in servers):
            try:
                store.write([syslog()])
            except Unavailable as error:
                outages.append(str(error))
        assert len(outages) == 2
        assert all("timed out" in text for text in outages)
        for number in range(6):
            assert store.write([syslog(number)]) == [STORED]


def test_what_the_cluster_says_is_no_fault_of_a_node() -> None:
    for status in (401, 403, 404, 413, 429, 500):
        with _cluster(2) as (store, servers):
            for server in servers:
                server.script = [answer(status, b"")]
            if status == 413:
                assert store.write([syslog()])[0].status == "rejected"
            else:
                with pytest.raises(Unavailable, match=str(status)):
                    store.write([syslog()])
            assert sum(_asked(servers)) == 1


def test_a_node_that_comes_back_is_taken_in_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "FIRST_PAUSE", 0.1)
    with _cluster(2) as (store, servers):
        servers[0].always = reset
        for number in range(4):
            assert store.write([syslog(number)]) == [STORED]
        servers[0].always = None
        _until_all_answer(store, servers)
