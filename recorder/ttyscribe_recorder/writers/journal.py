# SPDX-License-Identifier: Apache-2.0
"""Messages as journal entries, in journald's native protocol.

A datagram is a list of fields, `NAME=value` and a newline, or for values with newlines inside: the name and a newline,
the value's length in 64 bits (little end first), the value and a newline. What is too big for a datagram is written
into a sealed piece of memory, whose descriptor is sent instead.
"""

import os
from _json import scanstring
from _socket import SCM_RIGHTS, SOL_SOCKET, socket
from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, fcntl

from ttyscribe_recorder.writers.datagram import PRIORITIES, DatagramWriter

SOCKET = "/run/systemd/journal/socket"
_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL
_ID = b',"id":'
_REC, _USER, _SESSION = ',"rec":"', ',"user":"', ',"session":'


def field(name: bytes, value: bytes) -> bytes:
    """One field of an entry."""
    if b"\n" in value:
        return name + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name + b"=" + value + b"\n"


def who(head: str) -> bytes:
    """The fields that all messages of a recording share, out of a message's text before its id.

    A quote inside a value is escaped, so the marks below can only be the keys themselves.
    """
    rec = scanstring(head, head.index(_REC) + len(_REC), False)[0]
    user = scanstring(head, head.index(_USER) + len(_USER), False)[0]
    session = head[head.rindex(_SESSION) + len(_SESSION) :]
    pairs = ((b"TLOG_REC", rec), (b"TLOG_USER", user), (b"TLOG_SESSION", session))
    return b"".join(field(name, value.encode("utf-8", "replace")) for name, value in pairs)


class JournalWriter(DatagramWriter):
    """Sends to journald as `ident`; with `augment`, an entry carries who and which recording as fields of its own."""

    __slots__ = ("_augment", "_begin", "_head", "_who")

    def __init__(
        self, path: str = SOCKET, priority: str = "info", *, augment: bool = True, ident: str = "ttyscribe"
    ) -> None:
        super().__init__(path)
        self._augment = augment
        self._begin = field(b"PRIORITY", b"%d" % PRIORITIES[priority]) + field(b"SYSLOG_IDENTIFIER", ident.encode())
        self._head = b""
        self._who = b""

    def datagram(self, message: bytes) -> bytes:
        """The message and what stands beside it."""
        entry = self._begin + field(b"MESSAGE", message)
        return entry + self._fields(message) if self._augment else entry

    def _fields(self, message: bytes) -> bytes:
        end = message.find(_ID)
        if end < 0:
            return b""  # no message of a recording: text
        head = message[:end]
        if head != self._head:
            self._head, self._who = head, who(head.decode("utf-8", "replace"))
        start = end + len(_ID)
        return self._who + field(b"TLOG_ID", message[start : message.index(b",", start)])

    def send_large(self, link: socket, data: bytes) -> bool:
        """Send sealed memory instead of a datagram."""
        memory = os.memfd_create("ttyscribe", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(memory, left) :]
            fcntl(memory, F_ADD_SEALS, _SEALS)
            link.sendmsg([b""], [(SOL_SOCKET, SCM_RIGHTS, memory.to_bytes(4, "little"))])
        finally:
            os.close(memory)
        return True
