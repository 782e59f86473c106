# SPDX-License-Identifier: Apache-2.0
"""Text that no recorded name can turn into control of a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe import text


@given(st.text())
def test_whatever_was_recorded_only_printable_text_comes_out(recorded: str) -> None:
    assert text.clean(recorded).isprintable()


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("plain é 日", "plain é 日"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc\r", r"a\x0ab    c\x0d"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("\u202e\u2066\ufeff", r"\u202e\u2066\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_does_not_print_is_written_as_an_escape(recorded: str, shown: str) -> None:
    assert text.clean(recorded) == shown


def test_columns_stand_under_each_other_also_with_wide_letters(capsys: pytest.CaptureFixture[str]) -> None:
    text.print_table(["A", "B"], [["日本", "x"], ["e\u0301", "y"], ["[red]", "z"]])
    assert capsys.readouterr().out.splitlines() == ["A      B", "日本   x", "e\u0301      y", "[red]  z"]
