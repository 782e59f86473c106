# SPDX-License-Identifier: Apache-2.0
"""The word rule at speed gives what its definition, read aloud, gives."""

import unicodedata
from itertools import groupby

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ttyscribe_formats import words as rule
from ttyscribe_formats.words import MAX_WORD, joined, words


def by_definition(text: str) -> list[str]:
    """Runs of letters, marks, decimal digits and `_` of the folded text, in pieces of 64."""
    folded = unicodedata.normalize("NFKC", text).casefold()

    def is_part(sign: str) -> bool:
        category = unicodedata.category(sign)
        return category[0] in "LM" or category == "Nd" or sign == "_"

    runs = ["".join(run) for part, run in groupby(folded, is_part) if part]
    return [run[i : i + MAX_WORD] for run in runs for i in range(0, len(run), MAX_WORD)]


PIECES: tuple[str, ...] = ("a", "Z", "_", "9", " ", "\n", "-", "x" * 70, "\u00e9" * 40, "e\u0301", "\ufb01")
PIECES += ("\u0130", "\u00df", "\u2460", "\u00bd", "\u16ee", "\u0663", "\u2028", "\xa0", "\x85", "\U0001f600")
PIECES += ("\u4e2d\u6587", "\ud800", "\u200d")


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(st.characters(), max_size=60))
@example("x" * 64)
@example("x" * 65)
@example("caf\u00e9" + "x" * 64)
def test_words_are_those_of_the_rule(text: str) -> None:
    assert words(text) == by_definition(text)
    assert joined(text) == " ".join(by_definition(text))


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.integers(1, 40))
@example("\ufdfa" * 9, 3)
@example("a" * 30 + " b", 7)
def test_a_long_text_is_worked_on_in_slices_and_gives_the_same(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule, "SLICE", size)
        assert joined(text) == " ".join(by_definition(text))
