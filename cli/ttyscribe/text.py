# SPDX-License-Identifier: Apache-2.0
"""Text for a person's terminal. What was recorded is hostile: no control character of it may reach the terminal."""

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

_GAP = "  "
_COLUMN = 48
"""Columns that cells are filled up to, enough for the ids that recorders make; a longer one moves its own row alone."""
_WIDEST = 130
"""Characters of a cell, more than any key of a recording has; what is longer was made to be."""


def clean(text: str) -> str:
    """The text on one line, with everything that does not print written as an escape (`\\x1b`, `\\u202e`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "    " if c == "\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that a printable text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks, at a terminal that knows control sequences."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")


def counted(number: int, name: str) -> str:
    """A number of things: `1 recording`, `2 recordings`."""
    return f"{number} {name}{'s' * (number != 1)}"


def print_json(value: dict[str, Any]) -> None:
    """One object as one line of ASCII."""
    print(json.dumps(value, separators=(",", ":")))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of cells, which are cleaned here; with rich, where it is there and a person looks."""
    cells = [[_short(clean(cell)) for cell in row] for row in rows]
    widths = [max(width(row[column]) for row in (heads, *cells)) for column in range(len(heads))]
    even = max(widths[:-1]) <= _COLUMN  # rich would make every row as wide as the widest
    if not (even and is_terminal(sys.stdout) and _rich_table(heads, cells, sum(widths) + len(_GAP) * len(widths))):
        widths = [min(size, _COLUMN) for size in widths]
        _plain_table(heads, cells, widths)


def _short(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "\u2026"


def _plain_table(heads: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    for row in (heads, *cells):
        padded = (cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True))
        print(_GAP.join(padded).rstrip())


def _rich_table(heads: Sequence[str], cells: Sequence[Sequence[str]], needed: int) -> bool:
    """Tell whether rich was there to print it. Cells are never folded: a name that is cut in two can't be copied."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, no_wrap=True)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: what is in brackets is no markup of ours
    console = Console()
    console.width = max(console.width, needed)
    console.print(table)
    return True


def marked() -> tuple[str, str]:
    """What to put before and behind a match: reverse video for a terminal, else plain signs."""
    return ("\x1b[7m", "\x1b[27m") if is_terminal(sys.stdout) else (">>", "<<")
