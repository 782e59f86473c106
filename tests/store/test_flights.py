# SPDX-License-Identifier: Apache-2.0
"""Several bulk requests at once: every document has its own outcome, and no more is under way than may be."""

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.elastic_samples import syslog
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import DUPLICATE, STORED, Outcome
from ttyscribe_store.bulk import Chunk, Encoder, Limits
from ttyscribe_store.flights import Crew, Post, send

LIMIT = 30.0


def _numbers(chunk: Chunk) -> list[int]:
    """The documents of a request, by their ids."""
    heads = chunk.body.splitlines()[::2]
    return [int(json.loads(head)["create"]["_id"].removeprefix("log:")) for head in heads]


def _documents(count: int) -> list[Document]:
    return [syslog(number) for number in range(count)]


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Threads for all."""
    crew = Crew("test")
    yield crew
    crew.close()


def _send(crew: Crew, count: int, post: Post, flights: int, most_count: int = 1) -> list[Outcome]:
    return send(_documents(count), Encoder(""), Limits(most_count=most_count), post, crew, flights)


@given(
    st.lists(st.booleans(), max_size=40),
    st.sets(st.integers(0, 39)),
    st.integers(200, 5000),
    st.integers(1, 10),
    st.integers(1, 4),
)
def test_every_document_has_its_own_outcome_and_bad_ones_are_found_by_halving(
    stored: list[bool], poison: set[int], most: int, count: int, flights: int
) -> None:
    """`post` takes no request with a poisoned document in it; the others get through, each once."""
    taken: list[int] = []

    def post(chunk: Chunk) -> list[Outcome] | str:
        numbers = _numbers(chunk)
        if poison.intersection(numbers):
            return "HTTP 413"
        taken.extend(numbers)
        return [STORED if stored[number] else DUPLICATE for number in numbers]

    crew = Crew("test")
    found = send(_documents(len(stored)), Encoder(""), Limits(most, count), post, crew, flights)
    crew.close()
    for position, what in enumerate(stored):
        wanted = "rejected" if position in poison else "stored" if what else "duplicate"
        assert found[position].status == wanted
    assert sorted(taken) == [position for position in range(len(stored)) if position not in poison]


@given(st.integers(1, 30), st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)), st.integers(1, 4))
def test_an_outage_holds_back_only_what_nothing_is_known_of(
    count: int, down: set[int], unfit: set[int], flights: int
) -> None:
    reached: list[int] = []

    def post(chunk: Chunk) -> list[Outcome] | str:
        numbers = _numbers(chunk)
        if down.intersection(numbers):
            raise Unavailable("down", 7.0)
        reached.extend(numbers)
        return [STORED] * len(numbers)

    documents = _documents(count)
    for number in unfit.intersection(range(count)):
        documents[number]["ttyscribe"]["kind"] = "../x"
    crew = Crew("test")
    try:
        found = send(documents, Encoder(""), Limits(most_count=3), post, crew, flights)
    except Unavailable as error:
        found = [Outcome("retry", str(error), error.after)] * count
        assert reached == []
    finally:
        crew.close()
    assert len(found) == count
    for number, outcome in enumerate(found):
        if number in reached:
            assert outcome == STORED
        elif outcome.status == "rejected":
            assert number in unfit
        else:
            assert outcome == Outcome("retry", "down", 7.0)
            assert down


@pytest.mark.parametrize("flights", [1, 2, 3, 4])
def test_no_more_is_under_way_or_made_ready_than_may_be(crew: Crew, flights: int) -> None:
    lock = threading.Lock()
    made, under_way, most, most_made = 0, 0, 0, 0

    class Counting(Encoder):
        def lines(self, document: Document, *more: Callable[[object], bytes]) -> bytes:
            nonlocal made
            made += 1
            return super().lines(document, *more)

    answered = 0

    def post(chunk: Chunk) -> list[Outcome]:
        nonlocal under_way, most, most_made, answered
        with lock:
            under_way += 1
            most, most_made = max(most, under_way), max(most_made, made - answered)
        time.sleep(0.002)
        with lock:
            under_way -= 1
            answered += 1
        return [STORED]

    found = send(_documents(40), Counting(""), Limits(most_count=1), post, crew, flights)
    assert found == [STORED] * 40
    assert 1 <= most <= flights
    assert most_made <= flights + 3  # the one that comes next, the one after, and what tells its end


def test_requests_are_really_under_way_at_once(crew: Crew) -> None:
    """Each waits until all four are there: one after the other they would never get on."""
    meeting = threading.Barrier(4)

    def post(chunk: Chunk) -> list[Outcome]:
        meeting.wait(LIMIT)
        return [STORED] * len(chunk.positions)

    assert _send(crew, 8, post, 4) == [STORED] * 8


def test_one_request_needs_no_thread() -> None:
    crew, threads = Crew("test"), []

    def post(chunk: Chunk) -> list[Outcome]:
        threads.append(threading.current_thread())
        return [STORED] * len(chunk.positions)

    assert _send(crew, 5, post, 4, most_count=5) == [STORED] * 5
    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("flights", [1, 4])
def test_a_fault_of_ours_is_raised_as_it_is(crew: Crew, flights: int) -> None:
    def post(chunk: Chunk) -> list[Outcome]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        _send(crew, 8, post, flights)
    assert _send(crew, 8, lambda chunk: [STORED], flights) == [STORED] * 8  # nothing is left over from it


def test_threads_end_when_let_go() -> None:
    crew = Crew("ending")
    _send(crew, 8, lambda chunk: [STORED], 4)
    mine = [thread for thread in threading.enumerate() if thread.name == "ending"]
    assert 1 <= len(mine) <= 4
    crew.close()
    for thread in mine:
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_nothing_to_send_is_nothing(crew: Crew) -> None:
    assert _send(crew, 0, lambda chunk: [STORED], 4) == []
