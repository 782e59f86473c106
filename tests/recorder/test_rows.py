# SPDX-License-Identifier: Apache-2.0
"""The rows of a terminal, held against real emulation, in any pieces, under anything hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_recorder.rows import Rows
from ttyscribe_screen import Screen

SECOND = 1_000_000_000


def rows_after(*pieces: bytes, size: tuple[int, int] = (80, 24)) -> Rows:
    """Fed these; a row that ends in a colon is a prompt."""
    rows = Rows(lambda left, right: left.rstrip().endswith(":") and not right.strip())
    rows.resize(*size)
    for number, piece in enumerate(pieces):
        rows.feed(piece, number)
    return rows


def left(rows: Rows) -> str:
    """The text before the cursor."""
    return rows.line.text[: rows.column].replace("\0", "")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"a\r\nPassword: ", "Password: "),
        (b"\x1b[1;31mPass\x1b[0mword: \x1b]0;title: x\x07", "Password: "),
        (b"\x1b]0;title\x1b\\ab\x1bktitle\x1b\\c", "abc"),
        (b"\x1b[5;7HPIN:\x1b[24;1Hstatus\x1b[5;11H", "      PIN:"),
        (b"\x1b7\x1b[24;1Hstatus\x1b8x", "x"),
        (b"abc\b\b\x1b[K", "a"),
        (b"abcdef\x1b[4D\x1b[2P\x1b[C", "abe"),
        (b"ab\r\x1b[@x\x1b[2C", "xab"),
        (b"*\x1b[4b", "*****"),
        (b"\ta", "        a"),
        ("密码\uff1a".encode(), "密码\uff1a"),
        ("密码\uff1a".encode() + b"\x1b[1;5H", "密码"),
        (b"e\xcc\x81x", "ex"),
        (b"\x1b(0lqx\x1b(Bab", "│││ab"),
        (b"\xff\xfea", "\ufffd\ufffda"),
        (b"\x1b[?1049hfull screen\x1b[?1049lmain", "main"),
        (b"ab\x1b[H\x1b[2Jc", "c"),
        (b"ab\x1b[", "ab"),
        (b"ab\x1b[3\x1b[1Dx", "ax"),
    ],
)
def test_what_stands_before_the_cursor(written: bytes, text: str) -> None:
    """As on a terminal; whole, and byte by byte."""
    assert left(rows_after(written)) == text
    assert left(rows_after(*(bytes([byte]) for byte in written))) == text


def test_a_wrapped_prompt_is_one_prompt() -> None:
    """A row that goes on from the one above is looked at with it."""
    rows = Rows(lambda left, _right: left.startswith("Enter") and left.endswith(": "))
    rows.resize(20, 5)
    rows.feed(b"Enter passphrase for key /long/path: ", 1)
    assert rows.prompt(1) is not None


def test_a_prompt_that_was_left_to_paint_elsewhere_is_remembered_a_moment() -> None:
    """Between a status line's first byte and the cursor's way back, too; not after a line feed."""
    rows = rows_after(b"\r\nPassword: ", b"\x1b[24;1Hstat")
    assert rows.prompt(2) is not None
    assert rows.prompt(SECOND) is None
    assert rows_after(b"Password: ", b"\x1b[?25l\x1b[H\x1b[K\r\n").prompt(2) is not None
    assert rows_after(b"Password: ", b"\r\nx").prompt(2) is None


WRITTEN = [
    b"text ", b"Password: ", "密码\uff1a".encode(), b"\r\n", b"\r\n", b"\n", b"\r", b"\b", b"\t", b"\x1b[H",
    b"\x1b[12;30H",
    b"\x1b[24;1H", b"\x1b[K", b"\x1b[1K", b"\x1b[2K", b"\x1b[J", b"\x1b[1J", b"\x1b[2J", b"\x1b[3A", b"\x1b[2B",
    b"\x1b[5C", b"\x1b[4D", b"\x1b[9G", b"\x1b[7d", b"\x1b[2;20r", b"\x1b[r", b"\x1b[2S", b"\x1b[T",
    b"\x1b[4@", b"\x1b[3P", b"\x1b[5X", b"\x1b7", b"\x1b8", b"\x1bM", b"\x1bD", b"\x1bE", b"\x1b[31;1m",
    b"\x1b[?25l", b"\x1b[?25h", b"\x1b]0;title\x07", b"x" * 90,
]  # fmt: skip


@given(st.lists(st.sampled_from(WRITTEN), max_size=50))
def test_rows_are_those_of_an_emulator(pieces: list[bytes]) -> None:
    """The cursor's place and all rows, over random streams of what full-screen programs write."""
    rows, screen = rows_after(*pieces), Screen(80, 24)
    screen.feed(b"".join(pieces))
    assert [line.text.replace("\0", "").rstrip() for line in rows.lines] == [line.rstrip() for line in screen.lines()]
    assert (min(rows.column, 79), rows.row) == (min(screen.cursor.column, 79), screen.cursor.row)


@given(st.lists(st.one_of(st.binary(max_size=12), st.sampled_from(
    [b"\x1b[", b"5;9H", b"\r\n", b"Password: ", b"\x1b[?25l", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b]0;", b"\x07",
     b"\x1b[3;5r", b"\x1b[99S", b"\x1bM", b"\x1b[9L", b"\x1b[65535;65535H", b"\x1b[9999999999999d", "密".encode()]
)), max_size=60), st.tuples(st.integers(0, 200), st.integers(0, 60)))  # fmt: skip
def test_any_bytes_in_any_pieces_come_to_the_same(pieces: list[bytes], size: tuple[int, int]) -> None:
    """No error, bounded memory, one state."""
    whole, apart = rows_after(b"".join(pieces), size=size), rows_after(size=size)
    for byte in b"".join(pieces):
        apart.feed(bytes([byte]), 0)
    assert (whole.row, whole.column) == (apart.row, apart.column)
    assert [line.text for line in whole.lines] == [line.text for line in apart.lines]
    assert all(len(line.text) <= 1200 for line in whole.lines)
    assert len(whole.lines) == (min(size[1], 512) or 24)
    whole.resize(3, 2)
    whole.feed(b"abcdef\r\n\x1b[2;3Hx", 1)
    assert len(whole.lines) == 2


def test_bulk_is_passed_over() -> None:
    """Only the end of a long text is looked at, where nothing in it moves the cursor; the prompt behind it is found."""
    for line in (b"line of text\r\n", b"\x1b[1;31mline\x1b[m of \x1b[Ktext\r\n"):
        rows = rows_after(line * 100_000 + b"\x1b[1mPassword: ")
        assert left(rows) == "Password: "
        assert rows.row == 23
    rows = rows_after(b"Password: \x1b[20;1H" + b"line of text\r\n" * 1000 + b"\x1b[H\x1b[10C")
    assert left(rows).strip() == "line of te"
