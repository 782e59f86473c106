# SPDX-License-Identifier: Apache-2.0
"""What stands on a screen; that nothing recorded breaks it; that a snapshot is the screen."""

import time
from typing import Any

import pytest
from hypothesis import given

from tests.screen.streams import size, stream
from ttyscribe_screen import Screen, screen
from ttyscribe_screen.screen import MAX_COLUMNS, MAX_ROWS, Cursor


def shown(item: Screen) -> list[str]:
    """The rows without the blanks at their ends."""
    return [line.rstrip() for line in item.lines()]


def test_text_colours_and_the_cursor_are_told() -> None:
    item = Screen(10, 3)
    assert item.feed(b"a\x1b[1;31mb\x1b[0m \xe6\x97\xa5\r\n\x1b[?25lc") == []
    assert shown(item) == ["ab 日", "c", ""]
    assert item.row(0)[:5] == [("a", 1, ""), ("b", 1, "1;31"), (" ", 1, ""), ("日", 2, ""), (" ", 0, "")]
    assert item.cursor == Cursor(1, 1, False)


@pytest.mark.parametrize(
    ("sequence", "style"),
    [("38;5;9", "91"), ("48;5;200", "48;5;200"), ("38;2;1;2;3", "38;2;1;2;3"), ("3;4;9;44", "3;4;9;44"), ("97", "97")],
)
def test_styles_are_sgr_parameters(sequence: str, style: str) -> None:
    item = Screen()
    item.feed(f"\x1b[{sequence}mx".encode())
    assert item.row(0)[0].style == style


def test_what_leaves_at_the_top_is_answered() -> None:
    item = Screen(10, 2)
    gone = item.feed(b"one\r\ntwo\r\nthree\r\n")
    assert [line.rstrip() for line in gone] == ["one", "two"]
    assert shown(item) == ["three", ""]


def test_the_alternate_screen_gives_the_main_one_back() -> None:
    item = Screen(10, 2)
    item.feed(b"main\x1b[?1049h\x1b[Heditor")
    assert shown(item)[0] == "editor"
    item.feed(b"\x1b[?1049l")
    assert shown(item)[0] == "main"


def test_accents_that_come_apart_take_one_place() -> None:
    item = Screen(10, 1)
    item.feed("e\u0301x".encode())
    assert shown(item) == ["éx"]


def test_line_feeds_can_return_as_those_of_pipes_do() -> None:
    item = Screen(10, 3, newline=True)
    item.feed(b"a\nb\r\n")
    assert shown(item) == ["a", "b", ""]
    second = Screen.restored(item.snapshot())
    second.newline = False
    second.feed(b"c\nd")
    assert shown(second) == ["b", "c", " d"]


def test_characters_and_sequences_may_be_cut_anywhere() -> None:
    data = "日\x1b[1;31mé\x1b]0;title\x07z\x1b[2;3H👩".encode()
    whole, cut = Screen(10, 3), Screen(10, 3)
    whole.feed(data)
    for place in range(len(data)):
        cut.feed(data[place : place + 1])
    assert cut.snapshot() == whole.snapshot()


@pytest.mark.parametrize("wanted", [(0, 0), (0, 24), (80, 0), (-1, -1)])
def test_a_size_of_nothing_changes_nothing(wanted: tuple[int, int]) -> None:
    item = Screen(10, 3)
    item.feed(b"text")
    item.resize(*wanted)
    assert (item.columns, item.rows, shown(item)[0]) == (10, 3, "text")


def test_sizes_are_bounded() -> None:
    item = Screen(65535, 65535)
    assert (item.columns, item.rows) == (MAX_COLUMNS, MAX_ROWS)
    item.resize(1, 1)
    item.feed("日".encode() * 3)
    assert (item.columns, item.rows) == (2, 1)


@given(stream, size, size)
def test_nothing_that_is_fed_raises_or_gets_out_of_bounds(pieces: list[bytes], first: Any, second: Any) -> None:
    item = Screen(*first)
    for number, piece in enumerate(pieces):
        item.feed(piece)
        if number % 7 == 3:
            item.resize(*(second if number % 2 else first))
        cursor = item.cursor
        assert 0 <= cursor.row < item.rows
        assert 0 <= cursor.column < item.columns
    assert len(item.lines()) == item.rows
    assert all(len(item.row(number)) == item.columns for number in range(item.rows))
    assert item.failures == 0


@given(stream, stream, size)
def test_a_restored_screen_goes_on_as_the_first_one(before: list[bytes], behind: list[bytes], wanted: Any) -> None:
    first = Screen(*wanted)
    for piece in before:
        first.feed(piece)
    second = Screen.restored(first.snapshot())
    assert (second.lines(), second.cursor) == (first.lines(), first.cursor)
    for piece in behind:
        first.feed(piece)
        second.feed(piece)
    assert second.lines() == first.lines()


@pytest.mark.parametrize(
    "data",
    [
        b"a\x1b[65535b" * 20_000,
        b"a\x1b[0000065535b" * 10_000,
        b"a\x1b[65\n535b" * 20_000,
        b"\x1b[" * 100_000,
        b"\x9b" * 200_000,
        b"\x1b[" + b"1;" * 200_000,
        b"\x1b]0;" + b"x" * 400_000,
    ],
    ids=["repeat", "repeat with zeros", "repeat cut by controls", "introducers", "C1", "parameters", "string"],
)
def test_hostile_sequences_take_bounded_time(data: bytes) -> None:
    """Without bounds the first takes 40 s on a quiet machine."""
    item = Screen(120, 40)
    start = time.process_time()
    for place in range(0, len(data), 4096):
        item.feed(data[place : place + 4096])
    assert time.process_time() - start < 20


def test_a_long_sequence_that_is_no_end_is_dropped() -> None:
    item = Screen(20, 1)
    item.feed(b"\x1b[" + b"1;" * 1000)
    assert len(item.snapshot().text) <= 256


def test_where_the_emulator_breaks_the_screen_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        pass

    class Broken:
        def feed_str(self, _: str) -> None:
            raise PanicException("out of bounds")

    item = Screen(10, 2)
    item.feed(b"text")
    item._vt = Broken()
    assert item.feed(b"x") == []
    item.feed(b"y")
    assert (item.failures, shown(item)[0]) == (1, "y")


def test_an_interrupt_is_not_taken_for_a_failure() -> None:
    class Interrupted:
        def feed_str(self, _: str) -> None:
            raise KeyboardInterrupt

    item = Screen()
    item._vt = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        item.feed(b"x")


def test_it_tells_whether_the_emulator_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert screen.available()
    monkeypatch.setattr(screen, "find_spec", lambda _: None)
    assert not screen.available()


@pytest.mark.parametrize("begin", ["\x1b[", "\x9b"])
@pytest.mark.parametrize("mode", ["47", "1047", "1049", "25;1049"])
def test_it_knows_which_screen_a_program_is_on(begin: str, mode: str) -> None:
    item = Screen(20, 5)
    for change, alternate in (("h", True), ("l", False), ("h", True)):
        item.feed(f"{begin}?{mode}{change}x".encode())
        assert item.alternate is alternate
        assert Screen.restored(item.snapshot()).alternate is alternate
    item.feed(b"\x1b[?25h\x1b[1049h")
    assert item.alternate
    item.feed(b"\x1bc")
    assert not item.alternate
