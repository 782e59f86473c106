# SPDX-License-Identifier: Apache-2.0
"""One indexer at a time: who races wins alone, who is killed is replaced, who was stopped writes nothing any more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import documents, make_recording
from tests.store.stand_in import Handler, answer, standing_in
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.derive import lease as lease_of
from ttyscribe_store.derive.indexer import Indexer
from ttyscribe_store.derive.lease import EngineLease, FolderLease, Lost
from ttyscribe_store.elastic import ElasticStore


def test_a_folder_is_locked_for_others_and_free_again(tmp_path: Path) -> None:
    one, other = FolderLease(str(tmp_path)), FolderLease(str(tmp_path))
    assert (one.take(), one.take(), other.take()) == (True, True, False)
    one.rest()
    assert (other.take(), one.take()) == (True, False)
    other.release()
    assert one.take()
    one.release()
    assert FolderLease(str(tmp_path / "missing")).take(), "reading says what is wrong"


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Made:
    """A store on an engine, and leases on it, each with a clock of its own."""

    def __init__(self, url: str) -> None:
        self.store = ElasticStore(url)
        self.store.setup()

    def lease(self) -> tuple[EngineLease, Clock]:
        """One more."""
        clock = Clock()
        return EngineLease(self.store._transport, self.store._prefix, 10.0, clock), clock


@pytest.fixture
def made(engine_url: str) -> Iterator[Made]:
    """A store that is ready."""
    found = Made(engine_url)
    yield found
    found.store._transport.call("DELETE", f"/{found.store._prefix}ttyscribe.indexer", absent=True)
    found.store.close()


@pytest.mark.engine
def test_of_many_who_race_one_wins(made: Made) -> None:
    for round_ in range(3):
        leases = [made.lease() for _ in range(6)]
        for lease, clock in leases:  # all have watched the one before for long enough
            if round_:
                assert not lease.take()
            clock.now += 10
        with ThreadPoolExecutor(6) as pool:
            taken = list(pool.map(lambda entry: entry[0].take(), leases))
        assert sum(taken) == 1


@pytest.mark.engine
def test_who_renews_keeps_it_and_who_does_not_loses_it(made: Made) -> None:
    (one, mine), (other, theirs) = made.lease(), made.lease()
    assert one.take()
    for _ in range(5):
        assert not other.take()
        mine.now += 9
        theirs.now += 9
        one.sure()
    assert not other.take()
    theirs.now += 9.9
    assert not other.take()
    theirs.now += 0.2
    assert other.take(), "it has not changed for ten seconds by the other's own clock"
    mine.now += 60
    with pytest.raises(Lost):
        one.sure()
    assert not one.take()
    other.release()
    assert one.take(), "who gives it up lets nobody wait"


@pytest.mark.engine
def test_a_clock_that_is_wrong_changes_nothing(made: Made) -> None:
    (one, _), (other, theirs) = made.lease(), made.lease()
    assert one.take()
    theirs.now = 10.0**9
    assert not other.take()
    theirs.now += 9
    assert not other.take()


@pytest.mark.engine
def test_who_was_stopped_notices_before_he_writes(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """He has read the messages, sleeps, another takes over: nothing of his reaches the store."""
    made.store.write(documents(make_recording("alpha", [b"$ ls\r\n", b"a\r\n"])))
    made.store.refresh()
    (one, mine), (other, theirs) = made.lease(), made.lease()
    assert one.take()
    messages = made.store.messages

    def slow(*arguments: Any) -> Any:
        yield from messages(*arguments)
        assert not other.take()
        theirs.now += 11
        assert other.take()
        mine.now += 60

    monkeypatch.setattr(made.store, "messages", slow)
    with pytest.raises(Lost):
        Indexer(made.store, sure=one.sure).round()
    made.store.refresh()
    assert list(made.store.derived()) == []
    monkeypatch.setattr(made.store, "messages", messages)
    assert Indexer(made.store, sure=other.sure).round().recordings == 1


def test_a_lease_whose_index_another_one_is_making_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_of, "_PAUSES", (0.0, 0.0))
    shards = {"error": {"type": "no_shard_available_action_exception", "reason": "No shard available"}}
    held = {"found": True, "_seq_no": 1, "_primary_term": 1, "_source": {"owner": "other", "seconds": 10}}
    with standing_in() as server:
        store = ElasticStore(server.url)
        answers = [answer(503, shards), answer(503, shards), answer(200, held)]

        def one_by_one(handler: Handler, body: bytes) -> None:
            answers.pop(0)(handler, body)

        server.always = one_by_one
        assert not store.lease().take(), "the other one has it"
        answers[:] = [answer(503, shards)] * 3
        with pytest.raises(Unavailable, match="no_shard_available"):
            store.lease().take()
        answers[:] = [answer(503, b"<html>down</html>")]
        with pytest.raises(Unavailable, match="down"):
            store.lease().take()
        assert not answers
        store.close()
