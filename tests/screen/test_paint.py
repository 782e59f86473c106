# SPDX-License-Identifier: Apache-2.0
"""What is painted draws the same screen, and no other sequence gets out."""

import re
from typing import Any

from hypothesis import given

from tests.screen.streams import size, stream
from ttyscribe_screen import Screen, paint_row, paint_screen

SAFE = re.compile(
    rb"(?:[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]+|\r\n"
    rb"|\x1b\[[0-9;]*m|\x1b\[[0-9]+;[0-9]+H|\x1b\[[0-9]+G|\x1b\[(?:K|H|2J)|\x1b\[\?25[hl])*"
)


@given(stream, size)
def test_a_painted_screen_draws_itself_and_holds_nothing_else(pieces: list[bytes], wanted: Any) -> None:
    item = Screen(*wanted)
    for piece in pieces:
        item.feed(piece)
    painted = paint_screen(item)
    assert SAFE.fullmatch(painted)
    assert b"\xc2\x9b" not in painted
    again = Screen(item.columns, item.rows)
    again.feed(b"junk\x1b[7m" + painted)
    assert [line.rstrip() for line in again.lines()] == [
        "".join(c if c.isprintable() else " " for c in line).rstrip() for line in item.lines()
    ]
    assert again.cursor == item.cursor


def test_colours_are_painted_once_a_run_and_left_off() -> None:
    item = Screen(8, 1)
    item.feed(b"\x1b[31mab\x1b[0mc")
    assert paint_row(item.row(0), 8) == b"\x1b[0;31mab\x1b[0mc\x1b[0m\x1b[K"


def test_a_part_of_a_row_can_be_painted() -> None:
    item = Screen(8, 1)
    item.feed("ab日cd".encode())
    assert paint_row(item.row(0), 3) == b"ab \x1b[4G"
    assert paint_row(item.row(0), 2, 3) == b" c"


def test_a_row_full_of_colour_ends_without_it() -> None:
    item = Screen(3, 1)
    item.feed(b"\x1b[41mabc")
    assert paint_row(item.row(0), 3) == b"\x1b[0;41mabc\x1b[0m"


def test_symbols_of_prompts_are_kept_and_directions_are_not() -> None:
    item = Screen(8, 1)
    item.feed("\ue0b0\u202eA".encode())
    painted = paint_row(item.row(0), 8).decode()
    assert "\ue0b0" in painted
    assert "\u202e" not in painted
