# SPDX-License-Identifier: Apache-2.0
"""What the writers to a service of this host share: one datagram a message, to a socket that comes and goes."""

import errno
from _socket import AF_UNIX, SO_SNDBUF, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, socket

from ttyscribe_recorder.losses import Losses
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Both services count the same levels.
PRIORITIES = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}
_BUFFER = 1 << 20
_RESTART_NS = 2_000_000_000
"""A receiver that was there and is gone may be restarting; one that never was is not waited for."""
_FULL = (errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM)


class DatagramWriter:
    """Sends to the socket at `path`; connects anew when the receiver was restarted. A subclass says the form."""

    __slots__ = ("_socket", "losses", "path", "patience_ns", "trouble", "wait_fd")
    due_ns = 0

    def __init__(self, path: str) -> None:
        self.path = path
        self._socket: socket | None = None
        self.trouble = ""
        self.wait_fd = -1
        self.losses = Losses()
        self.patience_ns = 0

    def datagram(self, message: bytes) -> bytes:
        """The message as the service wants it."""
        raise NotImplementedError

    def send_large(self, _link: socket, _data: bytes) -> bool:
        """Send what no datagram can hold; False where the service has no way for that."""
        return False

    def write(self, messages: "Sequence[bytes]") -> int:
        """Send the messages one by one; a second try where the receiver was restarted in between."""
        self.trouble = ""
        for count, message in enumerate(messages):
            if not self._send(message) and (not self.trouble or not self.connect() or not self._send(message)):
                return count
        return len(messages)

    def _send(self, message: bytes) -> bool:
        """Send one message; False with `trouble` set, or with none where the receiver is only slow."""
        if self._socket is None and not self.connect():
            return False
        link = self._socket
        assert link is not None  # noqa: S101 # for the type checker: connect() has made it
        try:
            if not self._send_any(link, self.datagram(message)):
                self.losses.add(message, "too large for the log's socket")
        except OSError as error:
            self.trouble = "" if error.errno in _FULL else reason(error)
            return False
        self.trouble = ""
        return True

    def _send_any(self, link: socket, data: bytes) -> bool:
        """Send one datagram; False where it is too large for any way there is."""
        try:
            link.send(data)
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            return self.send_large(link, data)
        return True

    def connect(self) -> bool:
        """Connect, anew if need be; False with `trouble` set where there is no receiver."""
        self._disconnect()
        link = None
        try:
            link = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC)
            # A datagram holds what the buffer holds: the default would refuse messages of 256 KiB.
            link.setsockopt(SOL_SOCKET, SO_SNDBUF, _BUFFER)
            link.connect(self.path)
        except OSError as error:
            if link is not None:
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

    def lift(self) -> None:
        """There is no limit here."""

    def forget(self) -> None:
        """Datagrams are whole or not there."""

    def close(self) -> None:
        """Let go of the socket."""
        self._disconnect()
