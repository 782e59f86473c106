# SPDX-License-Identifier: Apache-2.0
"""How a playback gets onto the viewer's terminal: painted from an emulator's screen, or written through.

Painted is the rule: then nothing that was recorded reaches the terminal. Written through are exact bytes (`--raw`), and
what the filter lets pass where no emulator is installed.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ttyscribe_formats.packet import Output, Window
from ttyscribe_player.event import Event, Mark
from ttyscribe_player.tape import Tape, feed
from ttyscribe_player.terminal import Terminal
from ttyscribe_screen import paint_row
from ttyscribe_screen.paint import RESET, paint_rows


class View(Protocol):
    """What a player shows on."""

    is_painted: bool
    """Whether there is a screen that can be searched and gone back on without writing everything again."""

    def show(self, events: Iterable[Event]) -> None:
        """Show the next events."""

    def jump(self, index: int) -> None:
        """Show what stands there before the event of this number."""

    def status(self, text: str, *, wanted: bool) -> None:
        """Say how things are; `wanted`: the viewer should see it now, and not only where there is room."""

    def help(self, lines: Sequence[str]) -> None:
        """Show these lines in place of what is played, until it is told to show none."""

    def size_text(self) -> str:
        """How the recorded size and the terminal's differ; empty where they don't."""

    def close(self) -> None:
        """Prepare the end."""


def _sizes(recorded: tuple[int, int], here: tuple[int, int]) -> str:
    if recorded in ((0, 0), here):
        return ""
    return "recorded at {}x{}, this terminal has {}x{}".format(*recorded, *here)


class WrittenView:
    """Bytes go to the terminal, through `guard`."""

    is_painted = False

    def __init__(self, terminal: Terminal, tape: Tape, guard: Callable[[], Callable[[bytes], bytes]]) -> None:
        self._terminal = terminal
        self._tape = tape
        self._new_guard = guard
        self._guard = guard()
        self._index = 0
        self._size = (0, 0)

    def show(self, events: Iterable[Event]) -> None:
        """Write them, bytes that follow each other at once."""
        waiting = bytearray()
        for event in events:
            self._index += 1
            if isinstance(event, Output):
                waiting += self._guard(event.data)
                continue
            self._flush(waiting)
            if isinstance(event, Mark):
                self._terminal.say(event.text)
            else:
                self._resized(event)
        self._flush(waiting)

    def _flush(self, waiting: bytearray) -> None:
        if waiting:
            self._terminal.write(bytes(waiting))
            waiting.clear()

    def _resized(self, window: Window) -> None:
        if self._size == (0, 0):
            self._terminal.raw_output()
        self._size = (window.columns, window.rows)

    def jump(self, index: int) -> None:
        """Write what is missing; to go back, begin again on a cleared terminal."""
        if index < self._index:
            self._terminal.clear()
            self._guard = self._new_guard()
            self._index = 0
        while self._index < index:
            self.show(self._tape.events(self._index, min(index, self._index + 256)))

    def status(self, text: str, *, wanted: bool) -> None:
        """In the window's title, where nothing that is played stands."""
        if wanted:
            self._terminal.title(text)

    def help(self, lines: Sequence[str]) -> None:
        """There is no room of our own."""

    def size_text(self) -> str:
        """How the sizes differ."""
        return _sizes(self._size, self._terminal.size())

    def close(self) -> None:
        """Nothing is to be prepared."""


class PaintedView:
    """The emulator's screen, painted; what does not fit is cut, and the part with the cursor is shown."""

    is_painted = True

    def __init__(self, terminal: Terminal, tape: Tape, *, resize: bool = False) -> None:
        self._terminal = terminal
        self._tape = tape
        self._resize = resize
        self._screen = tape.screen(0)
        self._window = (0, 0)
        self._painted: list[bytes] = []
        self._shape = (0, 0)
        self._top = self._left = 0
        self._status = ""
        self._status_wanted = False
        self._help: Sequence[str] = ()
        terminal.own_screen()

    def show(self, events: Iterable[Event]) -> None:
        """Feed the screen and paint what changed."""
        for event in events:
            if isinstance(event, Window):
                self._resized(event.columns, event.rows)
            feed(self._screen, event)
        self.paint()

    def _resized(self, columns: int, rows: int) -> None:
        if self._resize and columns > 0 and rows > 0 and (columns, rows) != self._window:
            self._terminal.paint(f"\x1b[8;{min(rows, 200)};{min(columns, 500)}t".encode())
        self._window = (columns, rows)

    def jump(self, index: int) -> None:
        """Take the screen from the tape."""
        self._screen = self._tape.screen(index)
        if not self._screen.newline:
            self._resized(self._screen.columns, self._screen.rows)
        self.paint()

    def status(self, text: str, *, wanted: bool) -> None:
        """On the last line."""
        self._status, self._status_wanted = text, wanted
        self.paint()

    def help(self, lines: Sequence[str]) -> None:
        """In place of the screen."""
        self._help = lines
        self.paint()

    def size_text(self) -> str:
        """How the sizes differ."""
        columns, rows = self._terminal.size()
        if self._screen.columns <= columns and self._screen.rows <= rows:
            return ""
        return _sizes((self._screen.columns, self._screen.rows), (columns, rows))

    def paint(self) -> None:
        """Bring the terminal up to date; only rows that changed are written."""
        columns, rows = self._terminal.size()
        if columns < 1 or rows < 1:
            columns, rows = 80, 24
        has_status = bool(self._status) and rows > 1 and (self._status_wanted or rows > self._screen.rows)
        room = rows - 1 if has_status else rows
        cursor = self._screen.cursor
        self._top = _scrolled(self._top, cursor.row, self._screen.rows, room)
        self._left = _scrolled(self._left, cursor.column, self._screen.columns, columns)
        if self._help:
            wanted = [RESET + line[:columns].encode() + b"\x1b[K" for line in ["", *self._help][:room]]
        else:
            shown_rows = range(self._top, min(self._screen.rows, self._top + room))
            wanted = [paint_row(self._screen.row(number), columns, self._left) for number in shown_rows]
        wanted += [RESET + b"\x1b[K"] * (room - len(wanted))
        if has_status:
            wanted.append(b"\x1b[0;7m" + self._status[:columns].encode("utf-8", "replace") + b"\x1b[0m\x1b[K")
        parts = []
        if self._shape != (columns, rows):
            self._shape, self._painted = (columns, rows), []
            parts.append(b"\x1b[0m\x1b[H\x1b[2J")
        before = self._painted or [b""] * rows
        for number, (new, old) in enumerate(zip(wanted, before, strict=True), 1):
            if new != old:
                parts.append(b"\x1b[%d;1H" % number + new)
        self._painted = wanted
        shown = not self._help and cursor.visible and 0 <= cursor.row - self._top < room
        place = b"\x1b[%d;%dH" % (cursor.row - self._top + 1, cursor.column - self._left + 1) if shown else b""
        tail = place + (b"\x1b[?25h" if shown else b"\x1b[?25l")
        self._terminal.paint((b"\x1b[?25l" if parts else b"") + b"".join(parts) + tail)

    def close(self) -> None:
        """What stood on the screen at the end stays on the viewer's terminal."""
        rows = [self._screen.row(number) for number in range(self._screen.rows)]
        while rows and all(cell.char == " " for cell in rows[-1]):
            rows.pop()
        columns = self._terminal.size()[0] or 80
        self._terminal.parting = paint_rows(rows, columns)


def _scrolled(first: int, cursor: int, size: int, room: int) -> int:
    """Which row or column to begin with, so that the cursor is seen and little moves."""
    if size <= room:
        return 0
    first = min(first, cursor, size - room)
    return max(first, cursor - room + 1, 0)
