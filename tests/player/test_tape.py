# SPDX-License-Identifier: Apache-2.0
"""A tape gives back what was read, anywhere; its keyframes show what playing would have shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.streams import WORDS
from ttyscribe_formats.packet import Output, Window
from ttyscribe_player import tape
from ttyscribe_player.event import Event, Mark
from ttyscribe_player.search import Search
from ttyscribe_player.tape import Tape, feed
from ttyscribe_screen import Screen

SECOND = 1_000_000_000
events_strategy = st.lists(
    st.sampled_from(WORDS).map(lambda data: Output(0, data))
    | st.tuples(st.integers(2, 30), st.integers(1, 10)).map(lambda size: Window(0, *size))
    | st.just(Mark(0, "lost", True)),
    max_size=40,
)


def timed(events: list[Any]) -> list[Event]:
    """One a second."""
    return [event._replace(time_ns=number * SECOND) for number, event in enumerate(events)]


@given(events_strategy)
def test_any_event_can_be_read_again(given_events: list[Any]) -> None:
    events = timed(given_events)
    item = Tape(events)
    assert not item.has(len(events))
    assert item.complete
    assert list(item.events(0, len(events))) == events
    assert [item.event(index) for index in reversed(range(len(events)))] == events[::-1]
    assert item.marks == [event for event in events if isinstance(event, Mark)]


def test_places_are_found_by_time() -> None:
    item = Tape(timed([Output(0, b"a"), Output(0, b"b"), Output(0, b"c")]))
    item.load(60)
    assert [item.index_at(time) for time in (-1, 0, 1, SECOND, 5 * SECOND)] == [0, 1, 1, 2, 3]
    assert item.duration == 2 * SECOND


def test_what_is_too_much_for_memory_lies_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "_IN_MEMORY", 1000)
    events = timed([Output(0, bytes([number]) * 100) for number in range(50)])
    item = Tape(events)
    item.load(60)
    assert list(item.events(0, 50)) == events
    item.close()


def test_a_source_that_has_nothing_yet_is_asked_again() -> None:
    def source() -> Iterator[Event | None]:
        yield Output(0, b"a")
        yield None
        yield Output(1, b"b")

    item = Tape(source())
    assert item.has(0)
    assert not item.has(1)
    assert not item.complete
    assert item.has(1)
    assert not item.has(2)
    assert item.complete


def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "_FRAME_BYTES", 40)
    monkeypatch.setattr(tape, "_FRAME_EVENTS", 5)


def test_a_screen_from_the_nearest_keyframe_is_the_one_that_playing_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    small_frames(monkeypatch)
    words = [word for word in WORDS if word not in (b"\x9b", b"\x90")] * 4
    events = timed([Output(0, word) for word in words])
    item = Tape(events, Screen())
    item.load(60)
    playing = Screen()
    for index, event in enumerate(events):
        there = item.screen(index)
        assert (there.lines(), there.cursor) == (playing.lines(), playing.cursor)
        assert item.frame(index).number <= index
        feed(playing, event)
    assert item.frame(len(events)).number > len(events) - 10


def test_keyframes_get_further_apart_instead_of_filling_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    small_frames(monkeypatch)
    monkeypatch.setattr(tape, "_FRAMES_CHARACTERS", 20_000)
    item = Tape(timed([Output(0, b"\x1b[31mtext\x1b[0m\r\n" * 3)] * 2000), Screen())
    item.load(600)
    assert item._maker is not None
    frames = item._maker.frames
    assert sum(len(frame.snapshot.init) for frame in frames) < 25_000
    assert frames[0].number == 0
    assert len(frames) > 3


def texts(*pieces: bytes) -> Tape:
    """A tape of these outputs, ten columns wide."""
    return Tape(timed([Output(0, piece) for piece in pieces]), Screen(10, 3))


def hits(found: Iterator[int | None]) -> list[int]:
    """Without the pauses for breath."""
    return [hit for hit in found if hit is not None]


@pytest.mark.parametrize(
    ("pieces", "text", "expected"),
    [
        ([b"a word", b"\r\nmore", b"\x1b[Hx"], "word", [0]),
        ([b"a wo", b"rd", b"\r\x1b[Ka word"], "word", [1]),
        ([b"word", b"\x1b[2J", b"\x1b[Hword"], "word", [0, 2]),
        ([b"word\r\n", b"word\r\n", b"word"], "word", [0, 1, 2]),
        ([b"1\r\n2\r\nword\r\n4\r\n5\r\n6\r\n7"], "word", [0]),
        ([b"word\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n"], "word", [0]),
        ([b"12345678wo", b"rd"], "word", [1]),
        ([b"12345678wo\r\nrd"], "word", [0]),
        ([b"WORD"], "word", [0]),
        ([b"word"], "WORD", []),
        ([b"w\x1b[31mor\x1b[0md"], "word", [0]),
        ([b"d\x1b[1Gwor", b"\x1b[4Gd"], "word", [1]),
        ([b"\x1b[?1049hword", b"\x1b[?1049l"], "word", [0]),
        ([], "word", []),
    ],
)
def test_hits_are_the_moments_in_which_a_text_comes_onto_the_screen(
    pieces: list[bytes], text: str, expected: list[int]
) -> None:
    search = Search(texts(*pieces), text)
    assert hits(search.forward(0)) == expected
    search = Search(tape_of := texts(*pieces), text)
    tape_of.load(60)
    assert hits(search.backward(len(pieces))) == expected[::-1]


def test_searching_backward_crosses_keyframes(monkeypatch: pytest.MonkeyPatch) -> None:
    small_frames(monkeypatch)
    pieces = [b"\x1b[2J\x1b[Hword" if number % 9 == 4 else b"\x1b[2J\x1b[Hx" for number in range(60)]
    item = texts(*pieces)
    item.load(60)
    expected = [number for number in range(60) if number % 9 == 4]
    assert hits(Search(item, "word").backward(60)) == expected[::-1]
    assert hits(Search(item, "word").backward(20)) == [13, 4]
    assert hits(Search(item, "word").forward(20)) == [number for number in expected if number >= 20]
