# SPDX-License-Identifier: Apache-2.0
"""The emulator behind a small interface.

What is fed is hostile: it never raises, its sizes are bounded, and no short sequence costs much time. Feed it in
pieces of a KiB where somebody waits: that much of the dearest sequences takes less than a second on the largest screen.
"""

import codecs
import re
import unicodedata
from importlib.util import find_spec
from typing import Any, NamedTuple, Self

MIN_COLUMNS, MAX_COLUMNS = 2, 500
MIN_ROWS, MAX_ROWS = 1, 200
_MAX_SEQUENCE = 256
"""Characters of a control sequence; real ones have a few dozen."""
_MAX_REPEAT = 999
# "Repeat the last character 65535 times" is eight bytes that cost two milliseconds.
_REPEAT = re.compile("(?:\x1b\\[|\x9b)[0-9;\x00-\x17\x19\x1c-\x1f\x7f]{4,}b")
_UNFINISHED = re.compile("(?:\x1b\\[|\x9b)[^\x18\x1a\x1b\x9b-\x9c@-~]*\\Z|\x1b\\Z")
_RUN = re.compile("(.)\x1b\\[([0-9]+)b", re.DOTALL)
_DIGITS = re.compile("[0-9]")
_SWITCH = re.compile("(?:\x1b\\[|\x9b)\\?([0-9;]*)([hl])|\x1bc")
_ALTERNATE = frozenset(("47", "1047", "1049"))


class Cursor(NamedTuple):
    """Where the cursor is, counted from 0."""

    row: int
    column: int
    visible: bool


class Cell(NamedTuple):
    """One place on the screen. The second half of a wide character has width 0."""

    char: str
    width: int
    style: str
    """Parameters of the SGR sequence that sets it, as `1;31`; empty for the terminal's default."""


class Snapshot(NamedTuple):
    """A screen's whole state, to go on from."""

    columns: int
    rows: int
    init: str
    """What brings a fresh emulator into this state."""
    text: str
    data: bytes
    """What was fed last and is no whole sequence, no whole character."""
    newline: bool = False


class Screen:
    """One screen. `columns` and `rows` are kept within bounds; a size of 0 changes nothing.

    With `newline`, a line feed returns to the first column, as a terminal's driver makes it for what goes through
    pipes; it may be changed at any time.
    """

    def __init__(self, columns: int = 80, rows: int = 24, *, newline: bool = False) -> None:
        self.columns = min(MAX_COLUMNS, max(MIN_COLUMNS, columns))
        self.rows = min(MAX_ROWS, max(MIN_ROWS, rows))
        self.newline = newline
        self.failures = 0
        """How often the emulator broke on what it was fed; it began anew with an empty screen."""
        self._text = ""
        self._begin(b"")

    def _begin(self, pending: bytes) -> None:
        self._vt: Any = _emulator().Vt(self.columns, self.rows, 0)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder.setstate((pending, 0))
        self.alternate = False
        """Whether a full-screen program has the terminal's other screen."""

    def feed(self, data: bytes) -> list[str]:
        """Take output; invalid UTF-8 shows as U+FFFD. Answers the lines that left the screen at its top."""
        text = self._text + self._decoder.decode(data)
        last = max(text.rfind("\x1b"), text.rfind("\x9b"))
        unfinished = _UNFINISHED.match(text, last) if last >= 0 else None
        self._text = ""
        if unfinished:
            text, rest = text[: unfinished.start()], unfinished[0]
            self._text = rest if len(rest) <= _MAX_SEQUENCE else ""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)  # the emulator gives a combining mark a place of its own
        self._watch(text)
        if self.newline:
            text = text.replace("\n", "\r\n")
        return self._guarded("feed_str", _REPEAT.sub(_bounded, text))

    def _watch(self, text: str) -> None:
        """Note which of the two screens a text leaves on: the emulator does not tell."""
        if "?" not in text and "\x1bc" not in text:
            return
        for found in _SWITCH.finditer(text):
            if found[2] is None:
                self.alternate = False
            elif not _ALTERNATE.isdisjoint(found[1].split(";")):
                self.alternate = found[2] == "h"

    def resize(self, columns: int, rows: int) -> list[str]:
        """The terminal has another size. Answers the lines that left the screen at its top."""
        if columns <= 0 or rows <= 0:
            return []
        self.columns = min(MAX_COLUMNS, max(MIN_COLUMNS, columns))
        self.rows = min(MAX_ROWS, max(MIN_ROWS, rows))
        return self._guarded("resize", self.columns, self.rows)

    def _guarded(self, name: str, *arguments: object) -> list[str]:
        try:
            _, gone = getattr(self._vt, name)(*arguments)
            return [line.text for line in gone]
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # what the emulator raises has no better base
                raise
            self.failures += 1
            self._begin(self._decoder.getstate()[0])
            return []

    @property
    def cursor(self) -> Cursor:
        """Where the cursor is."""
        cursor = self._vt.cursor
        return Cursor(min(cursor.row, self.rows - 1), min(cursor.col, self.columns - 1), cursor.visible)

    def lines(self) -> list[str]:
        """The visible rows from the top, each as long as the screen is wide (wide characters count as two)."""
        return [line.text for line in self._vt.view()]

    def logical(self) -> list[tuple[str, int]]:
        """The lines of the main screen, those that were wrapped joined again: text without blanks at its end, rows.

        Only while `alternate` is off: rows of the other screen are not known.
        """
        texts: list[str] = self._vt.text()
        columns = self.columns
        found = [(text, -(-len(text) // columns) or 1) for text in texts]
        if sum(height for _, height in found) == self.rows and all(map(str.isascii, texts)):
            return found
        return self._joined(texts)

    def _joined(self, texts: list[str]) -> list[tuple[str, int]]:
        """The same where a line's length does not tell its rows: wide characters, or blanks that were wrapped."""
        rows, at, found = self.lines(), 0, []
        for text in texts:
            joined, end = rows[at] if at < len(rows) else "", at + 1
            while joined.rstrip() != text and end < len(rows):
                joined, end = joined + rows[end], end + 1
            if joined.rstrip() != text:
                return [(row.rstrip(), 1) for row in rows]
            found.append((text, end - at))
            at = end
        return found + [(row.rstrip(), 1) for row in rows[at:]]

    def cursor_line(self) -> tuple[str, int]:
        """The line of `logical` with the cursor in it, and how many of its characters stand before the cursor."""
        cursor, at = self.cursor, 0
        for text, height in self.logical():
            if at + height > cursor.row:
                if text.isascii():
                    return text, (cursor.row - at) * self.columns + cursor.column
                above = sum(len(row) for row in self.lines()[at : cursor.row])
                return text, above + sum(1 for cell in self.row(cursor.row)[: cursor.column] if cell.width)
            at += height
        return "", cursor.column

    def row(self, number: int) -> list[Cell]:
        """The cells of one visible row, counted from 0."""
        return [_cell(cell) for cell in self._vt[number].cells]

    def snapshot(self) -> Snapshot:
        """The state, to be restored."""
        init = _RUN.sub(lambda match: match[1] * (int(match[2]) + 1), self._vt.dump())
        return Snapshot(self.columns, self.rows, init, self._text, self._decoder.getstate()[0], self.newline)

    @classmethod
    def restored(cls, snapshot: Snapshot) -> Self:
        """A screen in this state."""
        screen = cls(snapshot.columns, snapshot.rows, newline=snapshot.newline)
        screen._watch(snapshot.init)
        screen._guarded("feed_str", snapshot.init)
        screen._text = snapshot.text
        screen._decoder.setstate((snapshot.data, 0))
        return screen


def available() -> bool:
    """Whether the emulator is installed."""
    return find_spec("avt") is not None


def _emulator() -> Any:
    import avt

    return avt


def _bounded(match: re.Match[str]) -> str:
    digits = "".join(_DIGITS.findall(match[0].partition(";")[0])).lstrip("0")
    return match[0] if len(digits) < len(str(_MAX_REPEAT)) + 1 else f"\x1b[{_MAX_REPEAT}b"


def _cell(cell: Any) -> Cell:
    pen = cell.pen
    return Cell(cell.char, cell.width, "" if pen.is_default() else _style(pen))


def _style(pen: Any) -> str:
    parts = [
        code
        for code, is_set in (
            ("1", pen.bold),
            ("2", pen.faint),
            ("3", pen.italic),
            ("4", pen.underline),
            ("5", pen.blink),
            ("7", pen.inverse),
            ("9", pen.strikethrough),
        )
        if is_set
    ]
    return ";".join(parts + _colour(pen.foreground, 30) + _colour(pen.background, 40))


def _colour(colour: Any, base: int) -> list[str]:
    if colour is None:
        return []
    if isinstance(colour, _emulator().Color.RGB):
        return [f"{base + 8};2;{colour[0]};{colour[1]};{colour[2]}"]
    index = colour[0]
    if index < 8:
        return [str(base + index)]
    return [str(base + 60 + index - 8) if index < 16 else f"{base + 8};5;{index}"]
