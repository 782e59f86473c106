# SPDX-License-Identifier: Apache-2.0
"""The way from the user's keyboard to the inner terminal, where hidden typing is not to be recorded."""

import termios

from ttyscribe_recorder.secrets import HIDDEN, RAW, SHOWN
from ttyscribe_recorder.stream import Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def taken_how(master: int) -> int:
    """How the terminal takes what is typed now: SHOWN, RAW or HIDDEN. In doubt it is hidden."""
    try:
        modes = termios.tcgetattr(master)[3]
    except termios.error:
        return HIDDEN
    if modes & termios.ECHO:
        return SHOWN
    return HIDDEN if modes & termios.ICANON else RAW


class Keyboard(Outlet):
    """Gives the inner terminal what was typed, and `note` what it took, with how it took it at that moment."""

    __slots__ = ("_note",)

    def __init__(self, master: int, note: "Callable[[bytes, int], None]") -> None:
        super().__init__(master)
        self._note = note

    def _write(self, data: bytes) -> int:
        how = taken_how(self.fd)  # before the program can answer what we write
        size = super()._write(data)
        self._note(data[:size], how)
        return size
