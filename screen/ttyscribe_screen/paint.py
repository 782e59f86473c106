# SPDX-License-Identifier: Apache-2.0
"""Cells as bytes for a real terminal: text, colours and places, and nothing else, whatever was recorded."""

from collections.abc import Iterable, Sequence
from unicodedata import category

from ttyscribe_screen.screen import Cell, Screen

RESET = b"\x1b[0m"
_BLANK = Cell(" ", 1, "")
_CLEAR = b"\x1b[0m\x1b[H\x1b[2J"


def paint_row(cells: Sequence[Cell], width: int, first: int = 0) -> bytes:
    """The cells from column `first` on, `width` columns wide at most, for a cursor at the row's beginning.

    Where terminals may disagree on how wide a character is, the cursor is placed anew behind it. What is behind the
    last cell is erased.
    """
    parts: list[str] = []
    style = ""
    last = min(len(cells), first + width)
    end = last
    while end > first and cells[end - 1] == _BLANK:
        end -= 1
    for column in range(first, end):
        char, size, wanted = cells[column]
        if size == 0:
            if column > first:
                continue  # the second half of what was painted before
            char = " "
        if wanted != style:
            parts.append(f"\x1b[0;{wanted}m" if wanted else "\x1b[0m")
            style = wanted
        if "\x20" <= char <= "\x7e":
            parts.append(char)
            continue
        fits = column + size <= last and _is_glyph(char)
        parts.append(f"{char if fits else ' '}\x1b[{column - first + (size if fits else 1) + 1}G")
    if end - first < width:
        parts.append("\x1b[0m\x1b[K")
    elif style:
        parts.append("\x1b[0m")
    return "".join(parts).encode("utf-8", "replace")


def _is_glyph(char: str) -> bool:
    """Whether a terminal draws it; letters of private use are the symbols of prompts."""
    return char.isprintable() or category(char) == "Co"


def paint_rows(rows: Iterable[Sequence[Cell]], width: int) -> bytes:
    """Rows below each other, from the cursor's line on, as lines that scroll."""
    return b"".join(paint_row(row, width) + b"\r\n" for row in rows)


def paint_screen(screen: Screen) -> bytes:
    """What draws this screen, cursor included, on a terminal of at least its size."""
    rows = (
        f"\x1b[{number + 1};1H".encode() + paint_row(screen.row(number), screen.columns)
        for number in range(screen.rows)
    )
    cursor = screen.cursor
    place = f"\x1b[{cursor.row + 1};{cursor.column + 1}H\x1b[?25{'h' if cursor.visible else 'l'}"
    return _CLEAR + b"".join(rows) + place.encode()
