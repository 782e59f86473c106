# SPDX-License-Identifier: Apache-2.0
"""Whose turn it is among an engine's nodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.nodes import FIRST_PAUSE, LONGEST_PAUSE, Turns


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _turns(nodes: str, dice: float = 0.0) -> tuple[Turns[str], Clock]:
    clock = Clock()
    return Turns(list(nodes), clock, lambda: dice), clock


def test_each_is_first_in_its_turn() -> None:
    turns, _ = _turns("abc")
    assert ["".join(turns.turn()) for _ in range(4)] == ["abc", "bca", "cab", "abc"]


def test_not_every_process_begins_with_the_same() -> None:
    assert "".join(_turns("abc", dice=0.5)[0].turn()) == "bca"
    assert "".join(_turns("abc", dice=0.999)[0].turn()) == "cab"


def test_who_failed_is_last_until_its_pause_is_over() -> None:
    turns, clock = _turns("abc", dice=0.99)
    pause = turns.failed("a")
    assert 0.5 * FIRST_PAUSE <= pause <= FIRST_PAUSE
    assert all("".join(turns.turn()).endswith("a") for _ in range(5))
    clock.now += pause + 0.01
    assert {next(turns.turn()) for _ in range(3)} == {"a", "b", "c"}


def test_a_pause_doubles_with_each_failure_up_to_a_limit_and_begins_anew_after_an_answer() -> None:
    turns, _ = _turns("ab", dice=1.0)
    pauses = [turns.failed("a") for _ in range(10)]
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == LONGEST_PAUSE
    assert turns.answered("a")
    assert not turns.answered("a")
    assert turns.failed("a") == FIRST_PAUSE


def test_one_request_at_a_time_tries_a_node_again() -> None:
    """The others go on with those that answer: the node may hang."""
    turns, clock = _turns("ab")
    turns.failed("a")
    clock.now += 2.0
    assert [next(turns.turn()) for _ in range(6)].count("a") == 1
    turns.answered("a")
    assert [next(turns.turn()) for _ in range(6)].count("a") == 3


def test_where_all_fail_all_are_tried_the_one_that_is_due_first_first() -> None:
    turns, _ = _turns("abc", dice=1.0)
    for node in "aabcc":
        turns.failed(node)
    assert "".join(turns.turn())[0] == "b"
    assert sorted(turns.turn()) == ["a", "b", "c"]


@pytest.mark.parametrize("events", [1, 10_000])
def test_a_single_node_is_always_asked(events: int) -> None:
    turns, _ = _turns("a", dice=1.0)
    for _ in range(events):
        assert turns.failed("a") <= LONGEST_PAUSE
    assert "".join(turns.turn()) == "a"


_EVENTS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("fat"), st.floats(0, 200)))


@given(_EVENTS, st.floats(0, 1))
def test_every_turn_has_every_node_once_and_none_is_forgotten(
    events: list[tuple[str, str, float]], dice: float
) -> None:
    turns, clock = _turns("abcd", dice=dice)
    for node, what, later in events:
        clock.now += later
        if what == "f":
            turns.failed(node)
        elif what == "a":
            turns.answered(node)
        assert sorted(turns.turn()) == ["a", "b", "c", "d"]
    clock.now += 3 * LONGEST_PAUSE
    firsts = [next(turns.turn()) for _ in range(12)]
    assert set(firsts) == {"a", "b", "c", "d"}
