# SPDX-License-Identifier: Apache-2.0
"""Messages into a file, appended line by line; many recordings may share one file.

Each write holds whole lines and goes to the end of the file in one piece. Where a full disk cuts one, the fragment is
taken away at once, so that nobody's next line runs into it. Where that is not allowed (append-only files), the line is
completed once there is room, if nobody has written behind it; else the next write begins with a newline. So does the
first one where the file's last line is torn: a recorder was killed, or the machine stopped.
"""

import os
from stat import S_ISREG

from ttyscribe_recorder.losses import Losses
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class FileWriter:
    """Appends to `path`, which is made with mode 0600. Raises OSError if it can't be opened."""

    __slots__ = ("_end", "_fd", "_fresh", "_regular", "_sent", "losses", "patience_ns", "trouble", "wait_fd")
    due_ns = 0

    def __init__(self, path: str) -> None:
        # Not blocking, for the sake of a FIFO: opening one without a reader must fail, not hang a login.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        self._fd = os.open(path, flags, 0o600)
        self._regular = S_ISREG(os.fstat(self._fd).st_mode)
        self._sent = 0  # how much of the next message stands in the file already, torn
        self._end = 0  # where the file ended then
        self._fresh = self._regular and _is_torn(path)  # what we write next must begin a new line
        self.trouble = ""
        self.wait_fd = self._fd
        self.losses = Losses()
        self.patience_ns = 0

    def write(self, messages: "Sequence[bytes]") -> int:
        """Append the messages; a torn one counts as not taken, and is to stand first in the next call."""
        data = b"\n".join(messages) + b"\n"
        self._fresh = self._fresh or (self._sent > 0 and not self._untouched())
        if self._fresh:
            data, self._sent = b"\n" + data, 0
        at = self._sent
        self.trouble = ""
        try:
            while at < len(data):
                at += os.write(self._fd, data[at:] if at else data)
        except BlockingIOError:
            pass
        except OSError as error:
            self.trouble = reason(error)
        self._fresh = self._fresh and not at
        if at == len(data):
            self._sent = 0
            return len(messages)
        return self._tear(messages, at - (len(data) - len(messages) - sum(map(len, messages))))

    def _tear(self, messages: "Sequence[bytes]", left: int) -> int:
        """After `left` bytes of the messages were written: how many are whole; the fragment is taken away."""
        count = 0
        while left > len(messages[count]):
            left -= len(messages[count]) + 1
            count += 1
        self._sent = max(0, left)
        if self._regular:
            self._end = os.lseek(self._fd, 0, os.SEEK_CUR)
            self._take_fragment_away()
        return count

    def _take_fragment_away(self) -> None:
        if self._sent and self._untouched():
            try:
                os.ftruncate(self._fd, self._end - self._sent)
            except OSError:
                return
            self._sent = 0

    def _untouched(self) -> bool:
        """Whether the file still ends with our fragment. In a pipe or device nobody can have touched it."""
        return not self._regular or os.fstat(self._fd).st_size == self._end

    def lift(self) -> None:
        """There is no limit here."""

    def forget(self) -> None:
        """A fragment that could not be taken away stays, on a line of its own."""
        self._fresh = self._fresh or self._sent > 0

    def close(self) -> None:
        """Close."""
        os.close(self._fd)


def _is_torn(path: str) -> bool:
    """Whether the file ends in the middle of a line; no where that can't be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        size = os.fstat(fd).st_size
        return size > 0 and os.pread(fd, 1, size - 1) not in (b"\n", b"")
    except OSError:
        return False
    finally:
        os.close(fd)
