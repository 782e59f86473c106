# SPDX-License-Identifier: Apache-2.0
"""What a reader of the clean text does not see is found as hidden text: nothing vanishes from both."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.formats.test_plain_hostile import HOSTILE
from ttyscribe_formats.plain import hidden_text, plain_text


@pytest.mark.parametrize(
    ("text", "shown", "hidden"),
    [
        ("plain\ttext\r\nof \x1b[31mcolours\x1b[0m\r\n", "plain\ttext\nof colours\n", ""),
        ("\x1b]0;sec\r\nret\r\n\x07ok", "ok", "0;sec\nret"),
        ("\x1b]0;a\x1b\\b\x1b]2;c\x9cd", "bd", "0;a\n2;c"),
        ("\x1bPone\x1b\\\x1bXtwo\x1b\\\x1b^three\x1b\\\x1b_four\x1b\\", "", "one\ntwo\nthree\nfour"),
        ("a\x1b]0;never\r\nended", "a", "0;never\nended"),
        ("\x1b]0;cut\x1b[31mred", "red", "0;cut"),
        ("\x1b]0;cut\x1b[Kred", "red", "0;cut"),
        ("\x1b]0;cut\x18x\x1bPcut\x1ay", "xy", "0;cut\ncut"),
        ("\x1bPno bell\x07 ends it", "", "no bell ends it"),
        ("shown\r     \rkept", "kept ", "shown"),
        ("a secret\r\x1b[Kok", "ok", "a secret"),
        ("a secret word\ra sXcret", "a sXcret word", "secret"),
        ("sl\b \b\b \bls", "ls", "sl"),
        ("secret\b \b" + "\b \b" * 5, "      ", "secret"),
        ("aecret\rs\r      \r", "      ", "aecret\nsecret"),
        ("10%\r50%\r100%\n", "100%\n", "10%\n50%"),
        ("again\ragain", "again", ""),
        ("\x1b]0;" + "s\be\x00c\x7fret" + "\x07", "", "0;secret"),
    ],
)
def test_what_is_shown_and_what_is_hidden(text: str, shown: str, hidden: str) -> None:
    assert plain_text(text) == shown
    assert hidden_text(text) == hidden


LETTERS = [chr(code) for code in range(0x4E00, 0x4E80)]
"""Each is used once, so that it can be told which one is lost; none of them is part of a sequence."""
CONTROLS = ["\r", "\b", "\n", "\r\n", "\x15", " ", "\t", "\0", "\x85", "\x9c", "\x9b", "\x9d", "\x18", "\x1a", "\x07"]
SEQUENCES = ["\x1b", "\x1b[K", "\x1b[0K", "\x1b[", "\x1b]", "\x1bP", "\x1bX", "\x1b^", "\x1b_", "\x1b\\", "\x1b(", "1;"]


@given(st.lists(st.sampled_from(CONTROLS + SEQUENCES) | st.just("")))
@example(["\x1b]", "\x1b[K", ""])
@example(["", "\r", " ", "\r\n", "\b"])
def test_every_letter_is_shown_or_hidden(pieces: list[str]) -> None:
    letters = LETTERS * (len(pieces) // len(LETTERS) + 1)
    text = "".join(piece + letter for piece, letter in zip(pieces, letters, strict=False))
    found = plain_text(text) + hidden_text(text)
    assert set(text) & set(LETTERS) <= set(found)


@given(st.lists(st.sampled_from([*"ab \r\b\x15\x07\n", "\x1b]", "\x1b[K"]), max_size=300).map("".join))
def test_hidden_text_is_bounded_and_holds_no_control(text: str) -> None:
    hidden = hidden_text(text)
    assert len(hidden) <= 6 * len(text)
    assert all(character.isprintable() or character in "\n\t" for character in hidden)


WORSE = {
    "one letter of a long word again and again": "x" * 90_000 + "\rA\rB" * 40_000,
    "the end of a long word again and again": "x" * 90_000 + "\ba\bb" * 40_000,
    "a word back and forth": ("x" * 63 + "\b" * 63) * 2000,
    "payloads": "\x1b]0;x\x07" * 40_000,
    "payloads without an end": "\x1bP" + "x" * 250_000,
}


@pytest.mark.parametrize("text", (HOSTILE | WORSE).values(), ids=HOSTILE | WORSE)
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    """Quadratic time would be minutes; the bound is generous."""
    start = time.process_time()
    hidden = hidden_text(text)
    assert time.process_time() - start < 10
    assert len(hidden) <= 6 * len(text)
