# SPDX-License-Identifier: Apache-2.0
"""Fluentd's forward protocol, the sending side, with acknowledged chunks; for in_forward of Fluentd and Fluent Bit.

Source: the Forward Protocol Specification, version 1 (PackedForward, `chunk` and `ack`, HELO, PING and PONG).
"""

import os
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha512
from typing import Any, NamedTuple

import msgpack

from .codec import Record, clean

PORT = 24224
_NANO = 10**9
_READ_SIZE = 64 * 1024


class ForwardError(Exception):
    """The far side is not there, refuses us, or did not acknowledge: nothing is known to be taken."""


class Event(NamedTuple):
    """One record with its time in nanoseconds since the epoch."""

    time_ns: int
    record: Record


def event_time(time_ns: int) -> msgpack.ExtType:
    """Fluentd's EventTime: seconds and nanoseconds, 32 bits each; times that do not fit are cut to what does."""
    seconds, nanoseconds = divmod(min(max(time_ns, 0), (2**32 - 1) * _NANO), _NANO)
    return msgpack.ExtType(0, seconds.to_bytes(4, "big") + nanoseconds.to_bytes(4, "big"))


def packed_forward(tag: str, events: Sequence[Event], chunk: str) -> bytes:
    """One message that asks for an acknowledgement of `chunk`."""
    entries = b"".join(msgpack.packb([event_time(event.time_ns), clean(event.record)]) for event in events)
    packed: bytes = msgpack.packb([tag, entries, {"size": len(events), "chunk": chunk}])
    return packed


class Forward:
    """A connection to `host`:`port`, made when it is needed and made again after each error.

    shared_key: that of in_forward's <security>; empty for none. tls: for TLS. timeout: seconds for each step, the wait
    for the acknowledgement among them. Not for several threads at once.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        *,
        shared_key: str = "",
        tls: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        chunk_id: Callable[[], str] = lambda: b64encode(os.urandom(16)).decode(),
    ) -> None:
        self._address = (host, port)
        self._shared_key = shared_key
        self._tls = tls
        self._timeout = timeout
        self._chunk_id = chunk_id
        self._socket: socket.socket | None = None
        self._unpacker = msgpack.Unpacker(raw=False)

    def send(self, tag: str, events: Sequence[Event]) -> None:
        """Send, and wait until the far side has acknowledged all of it. Raises ForwardError: send it again then."""
        chunk = self._chunk_id()
        message = packed_forward(tag, events, chunk)
        try:
            link = self._connected()
            link.sendall(message)
            answer = self._receive(link)
        except (OSError, ValueError, msgpack.UnpackException) as error:
            self.close()
            raise ForwardError(f"{self._where}: {error or type(error).__name__}") from error
        if not isinstance(answer, dict) or answer.get("ack") != chunk:
            self.close()
            raise ForwardError(f"{self._where} acknowledged something else")

    def check(self) -> None:
        """Connect, and go through the handshake. Raises ForwardError."""
        try:
            self._connected()
        except (OSError, ValueError, msgpack.UnpackException) as error:
            self.close()
            raise ForwardError(f"{self._where}: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection; the next `send` makes a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def _where(self) -> str:
        return f"Fluentd at {self._address[0]}:{self._address[1]}"

    def _connected(self) -> socket.socket:
        if self._socket is not None and not self._is_stale(self._socket):
            return self._socket
        self.close()
        link = socket.create_connection(self._address, self._timeout)
        try:
            link.settimeout(self._timeout)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                link = self._tls.wrap_socket(link, server_hostname=self._address[0])
            self._unpacker = msgpack.Unpacker(raw=False)
            if self._shared_key:
                self._handshake(link)
        except BaseException:
            link.close()
            raise
        self._socket = link
        return link

    def _is_stale(self, link: socket.socket) -> bool:
        """Whether the far side has closed it meanwhile; unasked it sends nothing else."""
        if isinstance(link, ssl.SSLSocket):
            return False  # its end shows in the next step
        link.setblocking(False)
        try:
            link.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            link.settimeout(self._timeout)
        return True

    def _receive(self, link: socket.socket) -> Any:
        end = time.monotonic() + self._timeout
        while True:
            for value in self._unpacker:
                return value
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no acknowledgement came in time")
            link.settimeout(left)
            data = link.recv(_READ_SIZE)
            if not data:
                raise ConnectionResetError("the connection was closed before the acknowledgement")
            self._unpacker.feed(data)

    def _handshake(self, link: socket.socket) -> None:
        """HELO, PING, PONG: both sides prove that they know the shared key."""
        helo = self._receive(link)
        if not (isinstance(helo, list) and len(helo) > 1 and helo[0] == "HELO" and isinstance(helo[1], dict)):
            raise ConnectionRefusedError("it does not begin with HELO: it expects no shared key")
        nonce = _bytes(helo[1].get("nonce", b""))
        if helo[1].get("auth"):
            raise PermissionError("it asks for a user and a password, which are not supported")
        name, salt = socket.gethostname(), os.urandom(16).hex()
        ours = self._digest(salt, name, nonce)
        link.sendall(msgpack.packb(["PING", name, salt, ours, "", ""]))
        pong = self._receive(link)
        if not (isinstance(pong, list) and len(pong) == 5 and pong[0] == "PONG"):
            raise ConnectionRefusedError("it does not answer PING with PONG")
        if not pong[1]:
            raise PermissionError(f"it refuses us: {pong[2]}")
        if pong[4] != self._digest(salt, str(pong[3]), nonce):
            raise PermissionError("it does not know the shared key")

    def _digest(self, salt: str, name: str, nonce: bytes) -> str:
        return sha512(salt.encode() + name.encode() + nonce + self._shared_key.encode()).hexdigest()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
