# SPDX-License-Identifier: Apache-2.0
"""Keys are heard, and what terminals reply to recorded questions is not taken for keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_player.keys import DOWN, END, HOME, LEFT, RIGHT, UP, Keys

SECOND = 1_000_000_000

REPLIES = {
    "device attributes": b"\x1b[?64;1;2;6;9;15;18;21;22c",
    "second device attributes": b"\x1b[>41;354;0c",
    "cursor": b"\x1b[24;80R",
    "status": b"\x1b[0n",
    "title": b"\x1b]lq title p G 5\x1b\\",
    "colour": b"\x1b]11;rgb:0000/0000/0000\x07",
    "clipboard": b"\x1b]52;c;cXFxcQ==\x1b\\",
    "settings": b"\x1bP1$r0m\x1b\\",
    "third device attributes": b"\x1bP!|7E565445\x1b\\",
    "window size": b"\x1b[8;24;80t",
    "focus": b"\x1b[I",
    "mouse": b"\x1b[<0;10;20M",
    "old mouse": b"\x1b[Mq.G",
    "function key": b"\x1b[15~",
    "meta": b"\x1bq",
    "8-bit attributes": b"\x9b?1;2c",
    "8-bit attributes in UTF-8": b"\xc2\x9b?1;2c",
    "8-bit string": b"\x9d11;rgb:q\x9c",
    "arrow with shift": b"\x1b[1;2A",
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_reply_is_swallowed_whole_however_it_is_split(reply: bytes) -> None:
    assert Keys().feed(b"1" + reply + b"q", 0) == "1q"
    keys = Keys()
    assert "".join(keys.feed(bytes([byte]), 0) for byte in b"1" + reply + b"q") == "1q"


MOVES = {
    b"\x1b[A": UP,
    b"\x1bOB": DOWN,
    b"\x1b[C": RIGHT,
    b"\x1b[D": LEFT,
    b"\x1bOH": HOME,
    b"\x1b[F": END,
    b"\xc2\x9bA": UP,
}


@pytest.mark.parametrize("sent", MOVES)
def test_the_keys_that_move_a_cursor_are_heard_however_they_are_split(sent: bytes) -> None:
    keys = Keys()
    assert "".join(keys.feed(bytes([byte]), 0) for byte in b"1" + sent + b"q") == f"1{MOVES[sent]}q"


@pytest.mark.parametrize("letter", ["é", "Û", "日", "😀"])
def test_letters_of_any_length_are_one_key(letter: str) -> None:
    keys = Keys()
    assert "".join(keys.feed(bytes([byte]), 0) for byte in f"1{letter}q".encode()) == f"1{letter}q"


def test_a_letter_that_was_cut_off_does_not_silence_the_keyboard() -> None:
    keys = Keys()
    assert keys.feed(b"\xf0\x9f", 0) == ""
    assert keys.feed(b"q", 10 * SECOND) == "q"


def test_plain_keys_are_heard_one_by_one() -> None:
    assert Keys().feed(b" p{}.q\x7f0:5G", 0) == " p{}.q\x7f0:5G"


def test_a_lone_escape_key_does_not_eat_what_is_typed_later() -> None:
    keys = Keys()
    assert keys.feed(b"\x1b", 0) == ""
    assert keys.feed(b"q", SECOND) == "q"


def test_a_reply_that_was_cut_off_does_not_silence_the_keyboard() -> None:
    keys = Keys()
    assert keys.feed(b"\x1b]11;rgb:", 0) == ""
    assert keys.feed(b"q", SECOND) == ""
    assert keys.feed(b"q", 10 * SECOND) == "q"


def test_a_slow_line_may_split_a_reply() -> None:
    keys = Keys()
    assert keys.feed(b"\x1b[24;", 0) == ""
    assert keys.feed(b"80R q", SECOND) == " q"


@given(st.lists(st.binary(max_size=12), max_size=12))
def test_no_input_breaks_it(pieces: list[bytes]) -> None:
    keys = Keys()
    for piece in pieces:
        assert all(key < "\x80" or key.isprintable() for key in keys.feed(piece, 0))
    assert keys.feed(b"q", 10 * SECOND) == "q"
