# SPDX-License-Identifier: Apache-2.0
"""What is shown when: the clock is in the test's hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.packet import Output
from ttyscribe_player.event import Event
from ttyscribe_player.tape import Tape
from ttyscribe_player.timeline import FASTEST, SLOWEST, Timeline

SECOND = 1_000_000_000


def three() -> list[Event]:
    """One second apart, the first at once."""
    return [Output(0, b"a"), Output(SECOND, b"b"), Output(2 * SECOND, b"c")]


def shown(timeline: Timeline, now: int) -> bytes:
    """All that is due now."""
    data = b""
    while due := timeline.due(now):
        data += b"".join(event.data for event in due if isinstance(event, Output))
    return data


def test_each_packet_is_shown_at_its_time() -> None:
    timeline = Timeline(Tape(three()), 100)
    assert shown(timeline, 100) == b"a"
    assert timeline.wait(100) == SECOND + 1
    assert shown(timeline, 100 + SECOND - 1) == b""
    assert shown(timeline, 100 + SECOND) == b"b"
    assert shown(timeline, 100 + 9 * SECOND) == b"c"
    assert timeline.finished
    assert timeline.wait(100) is None


def test_twice_the_speed_is_half_the_time() -> None:
    timeline = Timeline(Tape(three()), 0, speed=2.0)
    assert shown(timeline, SECOND // 2) == b"ab"
    assert timeline.wait(SECOND // 2) == SECOND // 2 + 1


def test_a_change_of_speed_counts_from_its_moment() -> None:
    timeline = Timeline(Tape(three()), 0)
    timeline.scale(SECOND // 2, 0.5)
    assert timeline.position(SECOND // 2) == SECOND // 2
    assert shown(timeline, SECOND) == b"a"
    assert shown(timeline, SECOND + SECOND // 2) == b"b"


def test_speed_stays_within_its_bounds() -> None:
    timeline = Timeline(Tape(three()), 0)
    for _ in range(10):
        timeline.scale(0, 2.0)
    assert timeline.speed == FASTEST
    for _ in range(20):
        timeline.scale(0, 0.5)
    assert timeline.speed == SLOWEST


def test_a_speed_beyond_the_bounds_is_not_turned_round() -> None:
    timeline = Timeline(Tape(three()), 0, speed=1000.0)
    timeline.scale(0, 2.0)
    assert timeline.speed == 1000.0
    timeline.scale(0, 0.5)
    assert timeline.speed == FASTEST


def test_nothing_happens_in_a_pause_and_it_takes_no_time() -> None:
    timeline = Timeline(Tape(three()), 0)
    assert shown(timeline, 0) == b"a"
    timeline.toggle(SECOND // 2)
    assert timeline.wait(SECOND * 1000) is None
    assert shown(timeline, SECOND * 1000) == b""
    timeline.toggle(SECOND * 1000)
    assert shown(timeline, SECOND * 1000) == b""
    assert timeline.wait(SECOND * 1000) == SECOND // 2 + 1


def test_a_playback_that_begins_paused_shows_nothing_not_even_the_first_packet() -> None:
    timeline = Timeline(Tape(three()), 0, paused=True)
    assert shown(timeline, 5 * SECOND) == b""


def test_a_step_shows_the_next_packet_in_a_pause_and_while_playing() -> None:
    timeline = Timeline(Tape(three()), 0, paused=True)
    assert timeline.step(0) == Output(0, b"a")
    assert timeline.step(0) == Output(SECOND, b"b")
    assert timeline.position(7) == SECOND
    timeline.toggle(10)
    assert timeline.wait(10) == SECOND + 1
    assert timeline.step(10) == Output(2 * SECOND, b"c")
    assert timeline.step(10) is None


def test_after_a_jump_playing_goes_on_from_there_with_the_event_that_was_named() -> None:
    timeline = Timeline(Tape(three()), 0)
    assert shown(timeline, 2 * SECOND) == b"abc"
    timeline.jump(2 * SECOND, SECOND // 2, 1)
    assert timeline.wait(2 * SECOND) == SECOND // 2 + 1
    assert shown(timeline, 3 * SECOND) == b"b"
    assert not timeline.finished


def test_long_pauses_are_cut_and_short_ones_kept() -> None:
    far = 3600 * SECOND
    events: list[Event] = [Output(0, b"a"), Output(SECOND, b"b"), Output(far, b"c"), Output(far + SECOND, b"d")]
    timeline = Timeline(Tape(events), 0)
    timeline.idle_limit = 2 * SECOND
    assert shown(timeline, SECOND) == b"ab"
    assert timeline.wait(SECOND) == 2 * SECOND + 1
    assert shown(timeline, 3 * SECOND - 1) == b""
    assert shown(timeline, 3 * SECOND) == b"c"
    assert timeline.position(3 * SECOND) == far
    assert shown(timeline, 4 * SECOND) == b"d"


def test_a_pause_that_is_cut_counts_from_where_the_viewer_went() -> None:
    timeline = Timeline(Tape([Output(0, b"a"), Output(3600 * SECOND, b"b")]), 0)
    timeline.idle_limit = 2 * SECOND
    timeline.jump(0, 100 * SECOND, 1)
    assert shown(timeline, SECOND) == b""
    assert shown(timeline, 2 * SECOND) == b"b"


def test_in_a_pause_a_jump_shows_what_stands_before_the_place_and_stays_paused() -> None:
    timeline = Timeline(Tape(three()), 0, paused=True, start=SECOND)
    assert timeline.wait(0) == 0
    assert shown(timeline, 0) == b"a"
    assert timeline.wait(0) is None


def test_a_batch_is_bounded_so_that_keys_are_heard() -> None:
    timeline = Timeline(Tape([Output(0, b"x" * 40_000)] * 10), 0)
    timeline.batch_bytes = 1 << 16
    assert 1 << 16 <= sum(len(event.data) for event in timeline.due(0) if isinstance(event, Output)) < 80_000
    timeline.batch_bytes = 1
    assert len(timeline.due(0)) == 1
    timeline = Timeline(Tape([Output(0, b"")] * 5000), 0)
    assert len(timeline.due(0)) < 5000


def test_an_empty_recording_is_finished_at_once() -> None:
    assert Timeline(Tape([]), 0).finished


@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("tsfgx.")), max_size=30),
)
def test_whatever_the_viewer_does_every_packet_comes_once_and_in_order(
    gaps: list[int], does: list[tuple[int, str]]
) -> None:
    times, now = [], 0
    for gap in gaps:
        now += gap
        times.append(now)
    packets: list[Event] = [Output(time, bytes([place])) for place, time in enumerate(times)]
    timeline = Timeline(Tape(packets), 0)
    seen: list[Event] = []
    clock = 0
    for wait, key in does:
        clock += wait
        seen += timeline.due(clock)
        if key == "t":
            timeline.toggle(clock)
        elif key in "sf":
            timeline.scale(clock, 2.0 if key == "f" else 0.5)
        elif key == "g":
            timeline.idle_limit = wait
        elif key == "." and (event := timeline.step(clock)) is not None:
            seen.append(event)
    timeline.paused, timeline.idle_limit = False, 0
    while not timeline.finished:
        clock += 1 << 20
        seen += timeline.due(clock)
    assert seen == packets


@pytest.mark.parametrize("paused", [False, True])
def test_a_wait_of_nothing_means_that_something_is_due(paused: bool) -> None:
    """Else the player would spin."""
    timeline = Timeline(Tape(three()), 0, paused=paused, start=SECOND // 3)
    for now in range(0, 3 * SECOND, SECOND // 7):
        if timeline.wait(now) == 0:
            assert timeline.due(now)
