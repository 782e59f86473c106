# SPDX-License-Identifier: Apache-2.0
"""The viewer's terminal: set up for playing, and left as it was found.

What is painted there is ours. Bytes that are written through, filtered or as they were recorded, may leave things
behind (colours, a hidden cursor, a title, a scroll region, the alternate screen, mouse reports, an unfinished
control string, replies to their questions): these are undone at the end.
"""

import os
import re
import select
import signal
import termios
import time
from typing import Any, Self

from ttyscribe_player.keys import Keys
from ttyscribe_player.output import write_all

_ABORT = b"\x18\x1b\\"
"""Ends whatever sequence or string is unfinished."""
_RESET = (
    b"\x1b[?1l\x1b>"  # cursor keys and keypad as usual
    b"\x1b[?9l\x1b[?1000l\x1b[?1001l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l"  # no reports
    b"\x1b[?2004l"  # no brackets round a paste
    b"\x1b[4l\x1b[20l\x1b[?5l\x1b[?69l"  # no insert mode, no new line mode, no reverse video, no margins
    b"\x1b(B\x0f\x1b[?7h\x1b[0m\x1b[?25h"  # plain letters, wrapping, no colours, a cursor
)
_RESET_MORE = (
    b"\x1b[?2026l"  # output is shown as it comes
    b"\x1b[!p\x1b[?7h\x1b[?25h"  # soft reset
    b"\x1b[<99u\x1b[>4m"  # the keyboard as usual (kitty's and xterm's protocols)
    b"\x1b]104\x07\x1b]110\x07\x1b]111\x07\x1b]112\x07\x1b]117\x07\x1b]119\x07\x1b[0 q"  # colours, cursor shape
)
"""For terminals that know window titles: others would print parts of it."""
_RESET_REGION = b"\x1b[?6l\x1b[r\x1b[999;1H"
"""The cursor goes to the last line, since it does not stay where it was."""
_MODE = re.compile(rb"(?:\x1b\[|\xc2?\x9b)([\x00-\x17\x1c-?]*)([hr])")
_CONTROLS = bytes(range(0x20))
_PUSH_TITLE, _POP_TITLE = b"\x1b[22;0t", b"\x1b[23;0t"
_ASK, _ANSWER = b"\x1b[5n", b"\x1b[0n"
"""Terminals answer in order: behind the answer to this question no other reply can come."""
_ANSWER_SECONDS = 0.3
_STUCK_SECONDS = 0.5
_ALTERNATE = re.compile(rb"\x1b\[\?(47|1047|1049)([hl])")
_TAIL = 32
_ASKING = re.compile(rb"[\x1b\x05\x90-\x9f]")


class Terminal:
    """Standard output is a terminal; standard input may be. Use as a context manager."""

    def __init__(self, stdin: int = 0, stdout: int = 1, *, persist: bool = False) -> None:
        """With `persist` no key makes a signal."""
        self._stdin, self._stdout = stdin, stdout
        self._persist = persist
        self.has_keys = os.isatty(stdin)
        self._keys = Keys()
        self._saved: list[tuple[int, list[Any]]] = []
        self._alternate = b""
        self._tail = b""
        self._asked = False
        self._titled = False
        self.parting = b""
        """Written at the end, when the terminal is in order again."""
        self.resized = False
        """Whether the viewer changed its size since this was last set back."""
        self._wake = (-1, -1)
        self._has_region = False
        self._is_plain = os.environ.get("TERM", "") in ("", "dumb", "linux")

    def __enter__(self) -> Self:
        descriptors = [self._stdin] if self.has_keys else []
        for fd in [*descriptors, self._stdout]:
            self._saved.append((fd, termios.tcgetattr(fd)))
        if self.has_keys:
            mode = termios.tcgetattr(self._stdin)
            mode[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON)
            mode[3] &= ~(termios.ICANON | termios.ECHO | (termios.ISIG if self._persist else 0))
            mode[6][termios.VSUSP] = b"\0"  # a stopped player would leave the terminal to the shell as it is
            mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, mode)
        self._watch_size()
        return self

    def _watch_size(self) -> None:
        """Be woken when the window changes: the handler does nothing, its byte in the pipe ends the wait for keys."""
        self._wake = os.pipe()
        for fd in self._wake:
            os.set_blocking(fd, False)
        self._size_handler = signal.signal(signal.SIGWINCH, lambda *_: None)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)

    def _unwatch_size(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGWINCH, self._size_handler)
        for fd in self._wake:
            os.close(fd)

    def own_screen(self) -> None:
        """Take a screen of our own for painting; the viewer's comes back at the end."""
        self.raw_output()
        self._alternate = b"1049"
        write_all(self._stdout, b"\x1b[?1049h\x1b[?7l\x1b[0m\x1b[H\x1b[2J")

    def clear(self) -> None:
        """Begin again: what was written through is undone and erased."""
        write_all(self._stdout, _ABORT + self._undo() + _RESET + b"\x1b[r\x1b[H\x1b[2J")
        self._alternate, self._has_region = b"", False

    def paint(self, data: bytes) -> None:
        """Bytes of ours."""
        write_all(self._stdout, data)

    def raw_output(self) -> None:
        """From here on the driver changes nothing: the recording is of a terminal and has its own carriage returns."""
        mode = termios.tcgetattr(self._stdout)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(self._stdout, termios.TCSADRAIN, mode)

    def write(self, data: bytes) -> None:
        """Recorded bytes, as they are."""
        self._keep_title()  # before the first of them: later it could fall into the middle of a sequence
        write_all(self._stdout, data)
        seen = self._tail + data
        self._has_region = self._has_region or _sets_region(seen)
        for match in _ALTERNATE.finditer(seen):
            self._alternate = match[1] if match[2] == b"h" else b""
        self._asked = self._asked or _ASKING.search(data) is not None
        self._tail = seen[-_TAIL:]

    def say(self, text: str) -> None:
        """One line of ours among what is played, in reverse video."""
        write_all(self._stdout, b"\x18\r\n\x1b[0;7m[ttyscribe: " + text.encode("ascii", "replace") + b"]\x1b[0m\r\n")

    def title(self, text: str) -> None:
        """Say it where nothing that is played stands: in the window's title."""
        self._keep_title()
        if self._titled:
            write_all(self._stdout, b"\x1b]2;ttyscribe: " + text.encode("ascii", "replace") + b"\x07")

    def _keep_title(self) -> None:
        """Have the terminal remember the title that it has."""
        if not self._titled and not self._is_plain:
            self._titled = True
            write_all(self._stdout, _PUSH_TITLE)

    def size(self) -> tuple[int, int]:
        """Columns and rows; zeros where nobody knows."""
        try:
            return tuple(os.get_terminal_size(self._stdout))  # type: ignore[return-value]
        except OSError:
            return 0, 0

    def read_keys(self, seconds: float | None) -> str:
        """The keys that come within this time (None: wait for one); returns at the first."""
        watched = [self._wake[0], *([self._stdin] if self.has_keys else [])]
        ready = select.select(watched, [], [], seconds)[0]
        if self._wake[0] in ready:
            os.read(self._wake[0], 4096)
            self.resized = True
        if self._stdin not in ready:
            return ""
        data = self._read()
        self.has_keys = bool(data)  # the end: the terminal has gone
        return self._keys.feed(data, time.monotonic_ns())

    def _read(self) -> bytes:
        try:
            return os.read(self._stdin, 4096)
        except OSError:
            return b""

    def __exit__(self, *_: object) -> None:
        reads = False
        try:
            reads = self._takes_output()
            if reads:
                self._reset()
        except OSError:
            pass  # it has gone; what can be restored is
        finally:
            self._unwatch_size()
            self._restore(termios.TCSADRAIN if reads else termios.TCSANOW)

    def _takes_output(self) -> bool:
        """Whether anything can be written; a terminal that is stuck must not hold up the end."""
        if select.select([], [self._stdout], [], 0)[1]:
            return True
        termios.tcflush(self._stdout, termios.TCOFLUSH)
        return bool(select.select([], [self._stdout], [], _STUCK_SECONDS)[1])

    def _restore(self, when: int) -> None:
        for fd, mode in self._saved:
            try:
                termios.tcsetattr(fd, when, mode)
                if fd == self._stdin:
                    termios.tcflush(fd, termios.TCIFLUSH)
            except termios.error:
                pass

    def _undo(self) -> bytes:
        """What has to be said before `_RESET`, by what was written through."""
        leave = b"\x1b[?" + self._alternate + b"l" if self._alternate else b""
        region = _RESET_REGION if self._has_region else b""
        return leave + (b"" if self._is_plain or not self._tail else _RESET_MORE) + region

    def _reset(self) -> None:
        title = _POP_TITLE if self._titled else b""
        write_all(self._stdout, _ABORT + self._undo() + _RESET + title + b"\r\n" + self.parting)
        if self.has_keys and self._asked:
            self._drain()

    def _drain(self) -> None:
        """Take the replies that are still on their way, so that the shell does not get them as typed text."""
        write_all(self._stdout, _ASK)
        end = time.monotonic() + _ANSWER_SECONDS
        seen = b""
        while _ANSWER not in seen and (left := end - time.monotonic()) > 0:
            if select.select([self._stdin], [], [], left)[0]:
                data = self._read()
                if not data:
                    return
                seen = seen[-len(_ANSWER) :] + data


def _sets_region(data: bytes) -> bool:
    """Whether a scroll region or the origin mode is set: undoing these moves the cursor."""
    for match in _MODE.finditer(data):
        parameters = match[1].translate(None, _CONTROLS)
        if match[2] == b"r" and b"?" not in parameters:
            return True
        if parameters[:1] == b"?" and any(number.lstrip(b"0") == b"6" for number in parameters[1:].split(b";")):
            return True
    return False
