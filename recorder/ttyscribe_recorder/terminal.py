# SPDX-License-Identifier: Apache-2.0
"""The terminal that the user sits at: raw while we record, as it was afterwards."""

import os
import termios
from errno import EINTR
from fcntl import ioctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Attributes = list[Any]
    """As termios has it: four masks, two speeds, the list of control characters."""

_SIZE_BYTES = 8  # struct winsize: rows, columns and two sizes in pixels, 16 bits each


def get_size(fd: int) -> tuple[int, int]:
    """Columns and rows; 0 each where the terminal can't tell."""
    try:
        raw = ioctl(fd, termios.TIOCGWINSZ, bytes(_SIZE_BYTES))
    except OSError:
        return 0, 0
    return int.from_bytes(raw[2:4], "little"), int.from_bytes(raw[:2], "little")


def copy_size(source: int, target: int) -> tuple[int, int]:
    """Give `target` the size of `source`, pixels too; columns and rows, 0 each where there is nothing to copy."""
    try:
        raw = ioctl(source, termios.TIOCGWINSZ, bytes(_SIZE_BYTES))
        ioctl(target, termios.TIOCSWINSZ, raw)
    except OSError:
        return 0, 0
    return get_size(target)


def make_raw(attributes: "Attributes") -> "Attributes":
    """The same terminal with every byte passed through as it is, both ways."""
    iflag, oflag, cflag, lflag, *speeds, cc = attributes
    iflag &= ~(termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INPCK)
    iflag &= ~(termios.INLCR | termios.IGNCR | termios.ICRNL | termios.IXON)
    cflag = (cflag & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    cc = cc[:]
    cc[termios.VMIN], cc[termios.VTIME] = 1, 0
    return [iflag, oflag & ~termios.OPOST, cflag, lflag, *speeds, cc]


class Terminal:
    """A terminal by its descriptor. Raises termios.error if it is none."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.attributes: Attributes = termios.tcgetattr(fd)
        """As we found it: what the inner terminal begins with, and what is put back."""
        self._raw = False

    def set_raw(self) -> None:
        """Pass every byte through. What was typed ahead stays; what is being printed is printed first."""
        self._raw = True
        set_attributes(self.fd, make_raw(self.attributes), termios.TCSADRAIN)

    def restore(self) -> None:
        """Put back what we found. Safe to call at any time, any number of times, on a terminal that is gone."""
        if not self._raw:
            return
        self._raw = False
        # Not TCSADRAIN: a terminal stopped by flow control would hold us for ever.
        if not self.in_background:
            set_attributes(self.fd, self.attributes, termios.TCSANOW)

    @property
    def in_background(self) -> bool:
        """Whether the terminal belongs to another job now: then it is not ours to change, and trying would stop us."""
        try:
            return os.tcgetpgrp(self.fd) != os.getpgrp()
        except OSError:
            return False  # not our controlling terminal: no job control here


def set_attributes(fd: int, attributes: "Attributes", when: int) -> None:
    """Set, and again where a signal came between; a terminal that is gone is left alone."""
    while True:
        try:
            termios.tcsetattr(fd, when, attributes)
        except termios.error as error:
            if error.args and error.args[0] == EINTR:
                continue
        return
