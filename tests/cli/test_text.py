# SPDX-License-Identifier: Apache-2.0
"""Text that no recorded name can turn into control of a terminal."""

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe import text
from ttyscribe.care.folders import told
from ttyscribe.progress import progress


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


class Screen(io.StringIO):
    """A terminal that takes what is printed."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("term", ["dumb", "unknown", "", None])
def test_a_terminal_that_knows_no_control_sequences_gets_none(
    monkeypatch: pytest.MonkeyPatch, term: str | None
) -> None:
    """Nor is a column cut there: rich takes such a terminal for 80 columns wide."""
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    out, err = Screen(), Screen()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    row = ["7e7c1b9ec83d4d6a86292033654aaee2-6702-585adb", "x" * 70, "y"]
    text.print_table(["ONE", "TWO", "THREE"], [row])
    assert out.getvalue().splitlines()[1].split() == row
    assert text.marked() == (">>", "<<")
    with progress("looking", 2) as advance:
        advance(1)
    assert err.getvalue() == "\rlooking: 50 %\r             \r"


def test_where_nothing_is_to_do_no_bar_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", err := Screen())
    with told("deriving") as tell:
        tell(0, 0)
    assert err.getvalue() == ""
