# SPDX-License-Identifier: Apache-2.0
"""Fluentd's in_forward over real TCP, written from the protocol's specification: acknowledges, or does what a bad day
brings; with a shared key it wants the handshake.
"""

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha512
from typing import Any

import msgpack


class InForward:
    """`script` says what the next chunks get: `ack`, `other` (another chunk's), `close`, `nothing`; then `ack`.

    `events` holds (tag, seconds, record) of all that was taken, `chunks` the ids that came.
    """

    def __init__(self, script: Sequence[str], shared_key: str, tls: ssl.SSLContext | None) -> None:
        self.script = list(script)
        self.events: list[tuple[str, float, Any]] = []
        self.chunks: list[str] = []
        self.connections = 0
        self._shared_key = shared_key
        self._tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Go away."""
        self._server.shutdown(socket.SHUT_RDWR)  # ends the accept that waits
        self._server.close()
        for link in self._open:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            link.close()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(link)
            threading.Thread(target=self._serve, args=[link], daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        try:
            if self._tls is not None:
                link = self._tls.wrap_socket(link, server_side=True)
                self._open.append(link)
            values = self._values(link)
            if self._shared_key and not self._knows(link, values):
                link.close()
                return
            for value in values:
                if not self._take(link, value):
                    link.close()
                    return
        except OSError:
            pass

    @staticmethod
    def _values(link: socket.socket) -> Iterator[Any]:
        unpacker = msgpack.Unpacker(raw=False, timestamp=1, unicode_errors="strict")
        while data := link.recv(65536):
            unpacker.feed(data)
            yield from unpacker

    def _knows(self, link: socket.socket, values: Iterator[Any]) -> bool:
        nonce = b"nonce-of-16-byte"
        link.sendall(msgpack.packb(["HELO", {"nonce": nonce, "auth": b"", "keepalive": True}]))
        ping, name, salt, digest, _, _ = next(values)
        assert ping == "PING"
        key = self._shared_key.encode()
        if digest != sha512(salt.encode() + name.encode() + nonce + key).hexdigest():
            link.sendall(msgpack.packb(["PONG", False, "shared_key mismatch", "", ""]))
            return False
        ours = sha512(salt.encode() + b"double" + nonce + key).hexdigest()
        link.sendall(msgpack.packb(["PONG", True, "", "double", ours]))
        return True

    def _take(self, link: socket.socket, value: Any) -> bool:
        tag, entries, *rest = value
        if isinstance(entries, int):  # Message mode: tag, time, record, options
            self.events.append((tag, entries, rest[0]))
            return True
        if isinstance(entries, list):
            found = entries
        else:
            unpacker = msgpack.Unpacker(raw=False, unicode_errors="strict")
            unpacker.feed(entries)
            found = list(unpacker)
        options = rest[0] if rest else {}
        assert options.get("size", len(found)) == len(found)
        chunk = options.get("chunk", "")
        self.chunks.append(chunk)
        what = self.script.pop(0) if self.script else "ack"
        if what in ("ack", "other"):
            self.events += [(tag, _seconds(time), record) for time, record in found]
        if what == "ack" and chunk:
            link.sendall(msgpack.packb({"ack": chunk}))
        elif what == "other":
            link.sendall(msgpack.packb({"ack": "another"}))
        return what != "close"


def _seconds(time: Any) -> float:
    if isinstance(time, msgpack.ExtType):
        assert (time.code, len(time.data)) == (0, 8)
        return int.from_bytes(time.data[:4], "big") + int.from_bytes(time.data[4:], "big") / 1e9
    return float(time)


@contextmanager
def in_forward(*script: str, shared_key: str = "", tls: ssl.SSLContext | None = None) -> Iterator[InForward]:
    """A running double."""
    double = InForward(script, shared_key, tls)
    try:
        yield double
    finally:
        double.close()
