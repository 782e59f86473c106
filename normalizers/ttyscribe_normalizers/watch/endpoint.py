# SPDX-License-Identifier: Apache-2.0
"""An HTTP endpoint that Prometheus asks: `GET /metrics`, and nothing else."""

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ttyscribe_formats.errors import ConfigError

_KIND = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = 5.0
"""A client that sends no request for so long is left."""


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    timeout = _SECONDS
    server_version = "ttyscribe"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        body = self.server.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", _KIND)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it so
        """Be quiet: standard error is rsyslog's."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], text: Callable[[], str]) -> None:
        self.text = text
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to tell."""


def parse(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, `[::1]:PORT` or `:PORT` (this host only). Raises ConfigError."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not port.isascii() or not port.isdecimal() or int(port[:6]) > 65535:
        raise ConfigError(f"--metrics={text}: say HOST:PORT, such as 127.0.0.1:9720")
    return host or "127.0.0.1", int(port)


def serve(address: str, text: Callable[[], str]) -> int:
    """Serve in a thread of its own until the process ends; the port. Raises ConfigError, OSError where it is taken."""
    server = _Server(parse(address), text)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return int(server.server_address[1])
