# SPDX-License-Identifier: Apache-2.0
"""Which recordings wait on an engine: found among what came lately, and everywhere where that is not all."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.store.samples import START_NS, documents, make_execution, make_recording
from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_store.derive.indexer import Done, Indexer, bring_up_to_date
from ttyscribe_store.derive.lease import Told
from ttyscribe_store.derive.rules import VERSION
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.elastic_waiting import SLACK_MS, Comparison

pytestmark = pytest.mark.engine

SECOND = 1_000_000_000
MS = 1_000_000
HOUR_S = 3600


class Watched(ElasticStore):
    """Counts how often every recording was compared, and what was asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: Counter[str] = Counter()
        comparison, everything = self._comparison, self._comparison._all

        def counted(version: int) -> Any:
            self.asked["all"] += 1
            return everything(version)

        comparison._all = counted  # type: ignore[method-assign]

    def _search(self, kinds: str, body: dict[str, Any]) -> dict[str, Any]:
        self.asked[kinds] += 1
        return super()._search(kinds, body)


@pytest.fixture
def store(engine_url: str) -> Iterator[Watched]:
    """An empty one."""
    found = Watched(engine_url)
    found.setup()
    yield found
    found.close()


def received(items: list[Document], hours: int) -> list[Document]:
    """The same documents, received so long after the samples' start."""
    at = timestamp.to_text(START_NS + hours * HOUR_S * SECOND)
    return [{**item, "ttyscribe": {**item["ttyscribe"], "received": at}} for item in items]


def put(store: ElasticStore, items: list[Document], hours: int) -> None:
    """Store them."""
    assert {outcome.status for outcome in store.write(received(items, hours))} == {"stored"}
    store.refresh()


def recorded(rec: str, count: int = 3) -> list[Document]:
    """A recording of so many messages."""
    return documents(make_recording(rec, [b"$ \r\n"] * count, host=f"{rec}.example.com"))


def told(store: ElasticStore) -> Told:
    """What the document beside the lease says."""
    return store._comparison._indexed.told()


def test_what_grows_is_found_without_looking_at_everything(store: Watched) -> None:
    for number in range(20):
        put(store, recorded(f"old{number}"), 0)
    indexer = Indexer(store)
    assert indexer.round().recordings == 20
    assert indexer.round() == Done(0, 0)
    before = store.asked["all"]
    assert before <= 2
    for hours, count in enumerate(range(1, 5), 1):
        put(store, recorded("grows", count)[count - 1 :], hours)
        put(store, [make_execution(count, ms=count * 1000, host="grows.example.com")], hours)
        assert store.behind(VERSION) == ["grows"]
        assert indexer.round().recordings >= 1
        assert indexer.round() == Done(0, 0)
    assert store.asked["all"] - before <= 1, "the first look of a reader, before it is told what came lately"
    assert told(store).started == 4
    idle = Counter(store.asked)
    for _ in range(3):
        assert indexer.round() == Done(0, 0)
    assert sum((store.asked - idle).values()) == 3 * 3


def test_what_comes_late_is_found_all_the_same(store: Watched) -> None:
    put(store, recorded("early"), 0)
    put(store, recorded("late")[:1], 0)
    put(store, recorded("now"), 9)
    indexer = Indexer(store)
    assert indexer.round().recordings == 3
    assert indexer.round() == Done(0, 0)
    put(store, recorded("late")[1:], 0)
    assert indexer.round().recordings == 1
    put(store, [make_execution(1, ms=500, host="early.example.com")], 0)
    assert indexer.round().recordings == 1
    assert indexer.round() == Done(0, 0)


def test_what_goes_is_found(store: Watched) -> None:
    put(store, recorded("stays"), 0)
    put(store, recorded("goes"), 0)
    put(store, recorded("now"), 9)
    indexer = Indexer(store)
    indexer.round()
    indexer.round()
    items = recorded("goes")
    store._writer.remove([_hit(store, item["viaq_msg_id"]) for item in items])
    store.refresh()
    assert indexer.round().recordings == 1
    assert [row.recording for row in store.derived() if row.recording == "goes"] == []
    store.replace("stays", [])
    store.refresh()
    assert indexer.round().recordings == 1
    assert indexer.round() == Done(0, 0)
    assert sorted(row.recording for row in store.derived()) == ["now", "stays"]


def _hit(store: ElasticStore, document_id: str) -> dict[str, Any]:
    (hit,) = store._search("tlog-*", {"query": {"ids": {"values": [document_id]}}, "seq_no_primary_term": True})[
        "hits"
    ]["hits"]
    found: dict[str, Any] = hit
    return found


def test_a_clock_that_is_ahead_makes_nothing_late(store: Watched) -> None:
    put(store, recorded("past"), 0)
    put(store, recorded("future"), 24 * 365 * 20)
    bring_up_to_date(store)
    bring_up_to_date(store)
    now_ms = timestamp.parse("2026-01-01T00:00:00Z") // MS
    assert now_ms < told(store).since_ms < START_NS // MS + 10 * 365 * 86_400_000


def test_readers_are_told_of_what_came_since(store: Watched) -> None:
    put(store, recorded("one"), 0)
    bring_up_to_date(store)
    assert store.behind(VERSION) == []
    assert told(store) == Told()
    assert bring_up_to_date(store) == Done(0, 0)
    last = START_NS // MS + 3 * HOUR_S * 1000
    put(store, recorded("two"), 3)
    assert bring_up_to_date(store).recordings == 1
    assert bring_up_to_date(store) == Done(0, 0)
    put(store, [*recorded("three"), make_execution(1, host="two.example.com")], 3)
    assert store.behind(VERSION) == ["three", "two"]
    indexer = Indexer(store)
    indexer.round()
    assert indexer.round() == Done(0, 0)
    assert told(store) == Told(1, last - SLACK_MS, 3)
    put(store, recorded("four"), 4)
    before = store.asked["all"]
    assert store.behind(VERSION) == ["four"]
    assert store.asked["all"] == before
    assert isinstance(store._comparison, Comparison)
