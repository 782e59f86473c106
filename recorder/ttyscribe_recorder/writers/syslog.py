# SPDX-License-Identifier: Apache-2.0
"""Messages as datagrams to the syslog socket.

Own socket code: the standard `syslog` module loses messages silently when the socket is gone, names one path only, and
blocks when the receiver is slow. A datagram is `<PRI>Mmm dd hh:mm:ss ttyscribe: {JSON}`.
"""

import errno
import time
from _socket import AF_UNIX, SO_SNDBUF, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, socket

from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

IDENT = "ttyscribe"
FACILITIES = {
    "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9,
    "authpriv": 10, "ftp": 11,
    "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}  # fmt: skip
PRIORITIES = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BUFFER = 1 << 20
_RESTART_NS = 2_000_000_000
"""A receiver that was there and is gone may be restarting; one that never was is not waited for."""
_FULL = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM)


def stamp(moment: time.struct_time) -> str:
    """The time in syslog's old form, in English whatever the locale."""
    clock = f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    return f"{_MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2d} {clock}"


class SyslogWriter:
    """Sends to the socket at `path`; connects anew when the receiver was restarted."""

    __slots__ = ("_priority", "_second", "_socket", "_start", "path", "patience_ns", "refused", "trouble", "wait_fd")

    def __init__(self, path: str, facility: str = "authpriv", priority: str = "info") -> None:
        self.path = path
        self._priority = FACILITIES[facility] << 3 | PRIORITIES[priority]
        self._socket: socket | None = None
        self._second = -1
        self._start = b""
        self.trouble = ""
        self.wait_fd = -1
        self.refused = 0
        self.patience_ns = 0

    def write(self, messages: "Sequence[bytes]") -> int:
        """Send the messages one by one; a second try where the receiver was restarted in between."""
        self.trouble = ""
        for count, message in enumerate(messages):
            data = self._envelope() + message
            if not self._send(data) and (not self.trouble or not self.connect() or not self._send(data)):
                return count
        return len(messages)

    def _envelope(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._start = f"<{self._priority}>{stamp(time.localtime(second))} {IDENT}: ".encode()
        return self._start

    def _send(self, data: bytes) -> bool:
        """Send one datagram; False with `trouble` set, or with none where the receiver is only slow."""
        if self._socket is None and not self.connect():
            return False
        try:
            self._socket.send(data)  # type: ignore[union-attr]
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self.refused += 1
                return True
            self.trouble = "" if error.errno in _FULL else reason(error)
            return False
        self.trouble = ""
        return True

    def connect(self) -> bool:
        """Connect, anew if need be; False with `trouble` set where there is no receiver."""
        self._disconnect()
        link = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
        try:
            # A datagram holds what the buffer holds: the default would refuse messages of 256 KiB.
            link.setsockopt(SOL_SOCKET, SO_SNDBUF, _BUFFER)
            link.connect(self.path)
        except OSError as error:
            link.close()
            self.trouble = reason(error)
            return False
        self._socket = link
        self.patience_ns = _RESTART_NS
        self.wait_fd = link.fileno()
        return True

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self.wait_fd = -1

    def close(self) -> None:
        """Let go of the socket."""
        self._disconnect()


def alarm_by_syslog(path: str) -> "Callable[[str], None]":
    """A function that sends one warning as text, and gives up silently where there is nobody to hear it."""

    def alarm(text: str) -> None:
        writer = SyslogWriter(path, priority="warning")
        writer.write([text.encode("utf-8", "replace")])
        writer.close()

    return alarm
