# SPDX-License-Identifier: Apache-2.0
"""Clean text out of hostile text: right in both ways of writing over, and never in more than linear time."""

import random
import time

import pytest

from ttyscribe_formats import plain
from ttyscribe_formats.plain import plain_text


@pytest.mark.parametrize(
    ("shown", "clean"),
    [
        ("over\rO", "Over"),
        ("ab\b\bc", "cb"),
        ("secret\r\x1b[Kok", "ok"),
        ("abc\b\x1b[K", "ab"),
        ("\x1b[31mred\x1b[0m\r\n", "red\n"),
        ("one\x0btwo\rX", "one\nXwo"),
        ("a\x15b", "ab"),
        ("a\x15b\r", "ab"),
        ("tab\tand \x07bell\x7f", "tab\tand bell"),
        ("\x1b]0;title\x07shown", "shown"),
        ("caf\u00e9\x9b1m \x85!", "caf\u00e9 !"),
    ],
)
def test_a_text_is_what_a_person_would_read(shown: str, clean: str) -> None:
    assert plain_text(shown) == clean


def test_few_and_many_movements_give_the_same() -> None:
    dice = random.Random(3)
    for _ in range(3000):
        line = "".join(dice.choices(["a", "bc", "\r", "\b", "\x15"], k=dice.randrange(1, 14)))
        pieces = plain.CURSOR.split(line)
        assert plain._overwritten(line) == plain._overwritten_often(pieces)


HOSTILE = {
    "erases one by one": "x" * 90_000 + "\b\x1b[K" * 40_000,
    "returns": "x\r" * 120_000,
    "a long line again and again": ("y" * 2000 + "\r") * 120,
    "sequences without an end": "\x1b]" * 120_000,
    "parameters without an end": "\x1b[" + "1;" * 120_000,
    "lines": "\r\n\b" * 80_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_more_than_linear_time(text: str) -> None:
    """Quadratic time would be minutes for a message of 256 KiB; the bound is generous."""
    start = time.process_time()
    plain_text(text)
    assert time.process_time() - start < 10
