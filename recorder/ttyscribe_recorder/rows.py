# SPDX-License-Identifier: Apache-2.0
"""The rows of a terminal, as far as finding a prompt and an echo needs: which text stands left of the cursor.

What follows the last CR or LF is not enough: tmux, screen and full-screen programs paint with cursor addressing, and a
status line may be painted between a prompt and its answer. So this follows the cursor, scrolling and erasing, and
forgets colours, styles and all else. Pure; fed in any pieces it comes to the same.
"""

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_DEFAULT_SIZE = 80, 24
_MOST_COLUMNS, _MOST_ROWS = 1024, 512
_BULK = 2048
_TAIL = 512
_LONGEST = 256  # of an unfinished control sequence
_STRINGS = "]PX^_k"  # what begins a string that ends at BEL or ESC \
_TWO = "()*+-./#% "  # what takes one more character
_NEXT_NS = 300_000_000


class Line:
    """One row's text, a character a column (NUL behind a wide one)."""

    __slots__ = ("answered", "fed", "joined", "left_ns", "text")

    def __init__(self) -> None:
        self.text = ""
        self.joined = False
        """Goes on from the row above."""
        self.fed = False
        """The cursor has left it by a line feed."""
        self.answered = False
        """Enter was typed there."""
        self.left_ns = -(1 << 62)
        """When it has left it otherwise."""


class Rows:
    """Takes what a program writes to its terminal. `is_prompt` is told the texts before and behind the cursor."""

    def __init__(self, is_prompt: "Callable[[str, str], bool]") -> None:
        self._is_prompt = is_prompt
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._in_string = False
        self.columns, self._height = _DEFAULT_SIZE
        self.lines = [Line() for _ in range(self._height)]
        self._main: list[Line] | None = None
        self.row = self.column = 0
        self._top, self._bottom = 0, self._height - 1
        self._saved = 0, 0
        self.last = " "
        """What was printed last."""
        self._graphics = [False, False]
        self._shift = 0
        self._concealed = False
        self._now_ns = 0
        self._departed: tuple[Line, int] | None = None
        self.clears = 0
        """How often the screen was cleared or changed."""
        self.version = 0
        """Counts what was fed."""

    # -- what is asked -------------------------------------------------------------------------------------------

    @property
    def line(self) -> Line:
        """The cursor's row."""
        return self.lines[self.row]

    def prompt(self, now_ns: int) -> tuple[Line, int] | None:
        """The row that asks for a secret, and its column: the cursor's, or where it was before it painted elsewhere."""
        if self._at_prompt():
            return self.line, self.column
        if self._departed is None:
            return None
        line, column = self._departed
        passed = line is self.line and self.column > column
        if passed or line.answered or now_ns - line.left_ns > _NEXT_NS or line not in self.lines:
            self._departed = None
        return self._departed  # whatever stands there now: it may be half painted

    def _at_prompt(self) -> bool:
        line, column = self.line, self.column
        text = line.text[:column]
        row = self.row
        while row and self.lines[row].joined and len(text) < _LONGEST:
            row -= 1
            text = self.lines[row].text.ljust(self.columns) + text
        return self._is_prompt(text, line.text[column:])

    def shown(self, line: Line, start: int) -> str:
        """What stands in a row from a column on: up to the cursor if it is there, else to the row's end."""
        end = max(start, self.column) if line is self.line else None
        return line.text[start:end].replace("\0", "")

    # -- what happens --------------------------------------------------------------------------------------------

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has this size now; 0 where it can't tell."""
        columns, rows = columns or _DEFAULT_SIZE[0], rows or _DEFAULT_SIZE[1]
        columns, rows = min(columns, _MOST_COLUMNS), min(rows, _MOST_ROWS)
        for _ in range(rows - self._height):
            self.lines.append(Line())
        gone = max(0, self.row - rows + 1)
        self.lines = self.lines[gone : gone + rows]
        self.row -= gone
        self.columns, self._height = columns, rows
        self.column = min(self.column, columns)
        self._top, self._bottom = 0, rows - 1
        self._main = None

    def feed(self, data: bytes, now_ns: int) -> None:
        """The program wrote this."""
        self._now_ns = now_ns
        self.version += 1
        if len(data) > _BULK and not self._in_string and not self._decoder.getstate()[0]:
            data = self._skip(self._rest.encode() + data)
            self._rest = ""
        text = self._rest + self._decoder.decode(data)
        self._rest = ""
        if self._in_string:
            text = self._end_string(text)
        first, *sequences = text.split("\x1b")
        self._plain(first)
        for number, piece in enumerate(sequences, 1):
            self._sequence(piece, last=number == len(sequences))

    def _skip(self, data: bytes) -> bytes:
        """Move as the front of a long text moves; its last lines. All of it where the cursor may go anywhere in it."""
        cut = data.find(b"\n", len(data) - _TAIL) + 1
        slim = data[:cut].translate(None, b"0123456789;")
        # Colours, and what erases behind the cursor, move nothing.
        if not cut or slim.count(b"\x1b") != slim.count(b"\x1b[m") + slim.count(b"\x1b[K"):
            return data
        for _ in range(min(data.count(b"\n", 0, cut), self._height)):
            self._feed_line()
        self.column = 0
        self._decoder.reset()
        return data[cut:]

    def _end_string(self, text: str) -> str:
        """What follows the string that is under way."""
        ends = [at for at in (text.find("\x07"), text.find("\x1b"), text.find("\x18"), text.find("\x1a")) if at >= 0]
        if not ends:
            return ""
        self._in_string = False
        at = min(ends)
        return text[at:] if text[at] == "\x1b" else text[at + 1 :]

    def _sequence(self, piece: str, *, last: bool) -> None:
        """What follows an ESC."""
        size = self._length(piece)
        if not size:
            if last and len(piece) < _LONGEST:
                self._rest = "\x1b" + piece
            return
        kind = piece[0]
        if kind in _STRINGS:
            self._in_string = True
            self._plain(self._end_string(piece[1:]))
            return
        if kind == "[":
            self._control_sequence(piece[1 : size - 1], piece[size - 1])
        else:
            self.escape(piece[:size])
        self._plain(piece[size:])

    @staticmethod
    def _length(piece: str) -> int:
        """How long the sequence is; 0 where its end is not there yet."""
        if not piece:
            return 0
        if piece[0] == "[":
            at = 1
            while at < len(piece) and " " <= piece[at] <= "?":
                at += 1
            return at + 1 if at < len(piece) else 0
        if piece[0] in _TWO:
            return 2 if len(piece) > 1 else 0
        return 1

    # -- characters ----------------------------------------------------------------------------------------------

    def _plain(self, text: str) -> None:
        if text.isprintable():
            if text:
                self.print(text)
            return
        start = 0
        for at, character in enumerate(text):
            if character < " " or "\x7f" <= character < "\xa0":
                if at > start:
                    self.print(text[start:at])
                start = at + 1
                self._control(character)
        if start < len(text):
            self.print(text[start:])

    def print(self, text: str) -> None:
        """Put characters at the cursor."""
        cells = text if text.isascii() else widen(text)
        if self._graphics[self._shift]:
            cells = "│" * len(cells)
        if not cells:
            return
        self.last = cells[-1]
        while cells:
            if self.column >= self.columns:
                self._wrap()
            part = cells[: self.columns - self.column]
            cells = cells[len(part) :]
            line, column = self.line, self.column
            old = line.text.ljust(column)
            self.column += len(part)
            text = old[:column] + part + old[self.column :]
            line.text = whole(text)

    def _control(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character in "\n\v\f":
            self._feed_line()
        elif character == "\b":
            self.column = max(0, min(self.column, self.columns - 1) - 1)
        elif character == "\t":
            self.column = min(self.columns - 1, (self.column // 8 + 1) * 8)
        elif character in "\x0e\x0f":
            self._shift = 1 if character == "\x0e" else 0

    def _wrap(self) -> None:
        self.column = 0
        self._down()
        self.line.joined = True

    def _feed_line(self) -> None:
        # While the cursor is concealed a screen is being painted: passing over a row does not end it.
        if not self._concealed:
            self.line.fed = True
        self._down()

    def _down(self) -> None:
        if self.row == self._bottom:
            self.scroll(1)
        elif self.row < self._height - 1:
            self.row += 1
        self.line.joined = False

    def scroll(self, count: int, top: int | None = None) -> None:
        """Move rows up (or down, for less than none) between `top` and the region's bottom."""
        top = self._top if top is None else top
        if not top <= self._bottom:
            return
        for _ in range(min(abs(count), self._bottom - top + 1)):
            if count > 0:
                del self.lines[top]
                self.lines.insert(self._bottom, Line())
            else:
                del self.lines[self._bottom]
                self.lines.insert(top, Line())

    # -- sequences -----------------------------------------------------------------------------------------------

    def _depart(self) -> None:
        """The cursor goes elsewhere to paint."""
        self.line.left_ns = self._now_ns
        if not self.line.answered and self._at_prompt():
            self._departed = self.line, self.column

    def go(self, row: int, column: int) -> None:
        """Put the cursor there, as near as the screen allows."""
        row = max(0, min(row, self._height - 1))
        if row != self.row:
            self._depart()
            self.row = row
        self.column = max(0, min(column, self.columns - 1))

    def _clear(self) -> None:
        self.lines = [Line() for _ in range(self._height)]
        self.clears += 1

    def escape(self, sequence: str) -> None:
        """Do what a sequence without parameters says."""
        kind = sequence[0]
        if kind in "()":
            self._graphics["()".index(kind)] = sequence[1] == "0"
        elif kind == "7":
            self._saved = self.row, self.column
        elif kind == "8":
            self.go(*self._saved)
        elif kind == "D":
            self._feed_line()
        elif kind == "E":
            self.column = 0
            self._feed_line()
        elif kind == "M" and self.row == self._top:
            self.scroll(-1)
        elif kind == "M":
            self.go(self.row - 1, self.column)
        elif kind == "c":
            self._clear()
            self.row = self.column = 0
            self._top, self._bottom = 0, self._height - 1

    def _control_sequence(self, words: str, final: str) -> None:
        if words.startswith("?"):
            if final in "hl":
                self._mode(words[1:].split(";"), on=final == "h")
            return
        call = _CALLS.get(final)
        if call is None:
            return
        numbers = []
        for word in words.split(";"):
            if word and not (word.isascii() and word.isdigit()):
                return
            numbers.append(min(int(word[:6] or "0"), 65535))
        call(self, numbers)

    def _mode(self, modes: list[str], *, on: bool) -> None:
        if "25" in modes:
            if not on:
                self._depart()
            self._concealed = not on
        if not {"1049", "1047", "47"} & {*modes}:
            return
        if on and self._main is None:
            self._main, self._saved = self.lines, (self.row, self.column)
            self._clear()
        elif not on and self._main is not None:
            self.lines, self._main = self._main, None
            self.clears += 1
            self.go(*self._saved)

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor."""
        row = self.row + rows
        if rows < 0 and self.row >= self._top:
            row = max(row, self._top)
        elif rows > 0 and self.row <= self._bottom:
            row = min(row, self._bottom)
        self.go(row, min(self.column, self.columns - 1) + columns)

    def position(self, numbers: list[int]) -> None:
        """Put the cursor where the numbers say: row and column from 1."""
        self.go((numbers[0] or 1) - 1, ((numbers[1] if len(numbers) > 1 else 1) or 1) - 1)

    def region(self, numbers: list[int]) -> None:
        """Scroll only these rows from now on."""
        top, bottom = (numbers[0] or 1) - 1, (numbers[1] if len(numbers) > 1 else 0) or self._height
        self._top, self._bottom = 0, self._height - 1
        if top < bottom - 1 and bottom <= self._height:
            self._top, self._bottom = top, bottom - 1
        self.go(0, 0)

    def erase_display(self, numbers: list[int]) -> None:
        """Erase below the cursor, above it, or all."""
        if numbers[0] in (2, 3) or (numbers[0] == 0 and not self.row and not self.column):
            if numbers[0] != 3:
                self._clear()
            return
        self.erase_line(numbers)
        for line in self.lines[: self.row] if numbers[0] == 1 else self.lines[self.row + 1 :]:
            line.text = ""

    def erase_line(self, numbers: list[int]) -> None:
        """Erase behind the cursor, before it, or the row."""
        line, column = self.line, self.column
        if numbers[0] == 0:
            line.text = whole(line.text[:column])
        else:
            line.text = whole(" " * (column + 1) + line.text[column + 1 :]) if numbers[0] == 1 else ""

    def change(self, numbers: list[int], final: str) -> None:
        """Insert, delete or erase characters at the cursor."""
        line, column, count = self.line, self.column, min(numbers[0] or 1, self.columns)
        left, right = line.text[:column].ljust(column), line.text[column:]
        if final == "@":
            right = " " * count + right
        elif final == "P":
            right = right[count:]
        else:
            right = " " * count + right[count:]
        line.text = whole((left + right)[: self.columns])


_CALLS: "dict[str, Callable[[Rows, list[int]], None]]" = {
    "A": lambda rows, n: rows.move(-(n[0] or 1), 0),
    "B": lambda rows, n: rows.move(n[0] or 1, 0),
    "C": lambda rows, n: rows.move(0, n[0] or 1),
    "D": lambda rows, n: rows.move(0, -(n[0] or 1)),
    "E": lambda rows, n: rows.go(rows.row + (n[0] or 1), 0),
    "F": lambda rows, n: rows.go(rows.row - (n[0] or 1), 0),
    "G": lambda rows, n: rows.go(rows.row, (n[0] or 1) - 1),
    "`": lambda rows, n: rows.go(rows.row, (n[0] or 1) - 1),
    "a": lambda rows, n: rows.move(0, n[0] or 1),
    "d": lambda rows, n: rows.go((n[0] or 1) - 1, rows.column),
    "e": lambda rows, n: rows.move(n[0] or 1, 0),
    "H": Rows.position,
    "f": Rows.position,
    "r": Rows.region,
    "J": Rows.erase_display,
    "K": Rows.erase_line,
    "@": lambda rows, n: rows.change(n, "@"),
    "P": lambda rows, n: rows.change(n, "P"),
    "X": lambda rows, n: rows.change(n, "X"),
    "L": lambda rows, n: rows.scroll(-(n[0] or 1), rows.row),
    "M": lambda rows, n: rows.scroll(n[0] or 1, rows.row),
    "S": lambda rows, n: rows.scroll(n[0] or 1),
    "T": lambda rows, n: rows.scroll(-(n[0] or 1)),
    "b": lambda rows, n: rows.print(rows.last * min(n[0] or 1, rows.columns)),
    "s": lambda rows, _n: rows.escape("7"),
    "u": lambda rows, _n: rows.escape("8"),
}


def whole(text: str) -> str:
    """The text with a blank for each half of a wide character whose other half was overwritten or cut off."""
    if text.isascii() and "\0" not in text:
        return text
    cells = list(text)
    for at, character in enumerate(text):
        if character == "\0":
            if not (at and is_wide(text[at - 1])):
                cells[at] = " "
        elif is_wide(character) and text[at + 1 : at + 2] != "\0":
            cells[at] = " "
    return "".join(cells)


def widen(text: str) -> str:
    """A character a column: NUL behind each wide one, none for those that take no column."""
    cells = []
    for character in text:
        code = ord(character)
        if 0x300 <= code < 0x370 or 0x200B <= code <= 0x200F or 0xFE00 <= code <= 0xFE0F:
            continue
        cells.append(character + "\0" if is_wide(character) else character)
    return "".join(cells)


def is_wide(character: str) -> bool:
    """Whether it takes two columns."""
    code = ord(character)
    if code < 0x1100:
        return False
    wide = code < 0x1160 or 0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7A4 or 0xF900 <= code < 0xFB00
    wide = wide or 0xFE30 <= code < 0xFE70 or 0xFF01 <= code < 0xFF61 or 0xFFE0 <= code < 0xFFE7
    return wide or 0x1F300 <= code < 0x1FB00 or 0x20000 <= code < 0x40000
