# SPDX-License-Identifier: Apache-2.0
"""Messages as datagrams to the syslog socket.

Own socket code: the standard `syslog` module loses messages silently when the socket is gone, names one path only, and
blocks when the receiver is slow. A datagram is `<PRI>Mmm dd hh:mm:ss ttyscribe: {JSON}`.
"""

import time

from ttyscribe_recorder.writers.datagram import PRIORITIES, DatagramWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IDENT = "ttyscribe"
FACILITIES = {
    "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9,
    "authpriv": 10, "ftp": 11,
    "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
}  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamp(moment: time.struct_time) -> str:
    """The time in syslog's old form, in English whatever the locale."""
    clock = f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
    return f"{_MONTHS[moment.tm_mon - 1]} {moment.tm_mday:2d} {clock}"


class SyslogWriter(DatagramWriter):
    """Sends to the syslog service under the name `ident`."""

    __slots__ = ("_ident", "_priority", "_second", "_start")

    def __init__(self, path: str, facility: str = "authpriv", priority: str = "info", ident: str = IDENT) -> None:
        super().__init__(path)
        self._ident = ident
        self._priority = FACILITIES[facility] << 3 | PRIORITIES[priority]
        self._second = -1
        self._start = b""

    def datagram(self, message: bytes) -> bytes:
        """Priority, time and name before the message."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._start = f"<{self._priority}>{stamp(time.localtime(second))} {self._ident}: ".encode()
        return self._start + message


def alarm_by_syslog(path: str, ident: str = IDENT, priority: str = "warning") -> "Callable[[str], None]":
    """A function that sends one line as text, and gives up silently where there is nobody to hear it."""

    def alarm(text: str) -> None:
        writer = SyslogWriter(path, priority=priority, ident=ident)
        writer.write([text.encode("utf-8", "replace")])
        writer.close()

    return alarm
