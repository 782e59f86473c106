# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that answers as an engine, or as what stands in front of one, would on a bad day.

It serves the template in force, so that the store goes on to write; each bulk request takes the next action of its
script. The engines themselves are tested for real; this is for what they can't be made to do.
"""

import copy
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ttyscribe_store.install.objects import load


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body would wait for each other
    server: "StandIn"

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.path, dict(self.headers), body))
        if any("vnd." in self.headers.get(name, "") for name in ("Accept", "Content-Type")):
            answer(406, {"error": "Content-Type header is not supported"})(self, body)  # as OpenSearch and old engines
        elif self.server.always is not None:
            self.server.always(self, body)
        elif self.path.startswith("/_bulk") and self.server.script:
            self.server.script.pop(0)(self, body)
        elif self.path.startswith("/_bulk"):
            created(self, body)
        elif "_simulate_index" in self.path:
            answer(200, self.server.in_force(self.path))(self, body)
        else:
            answer(200, {})(self, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has it so
        """Be quiet."""


Action = Callable[[Handler, bytes], None]


@cache
def _templates() -> dict[str, Any]:
    """Ours, by name."""
    return {template.name: template.body for template in load()}


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Put one component's properties over another's, as an engine does."""
    for name, entry in more.items():
        if "properties" in entry and name in into:
            _merge(into[name]["properties"], entry["properties"])
        else:
            into[name] = copy.deepcopy(entry)


def answer(status: int, body: object = b"", kind: str = "application/json", **headers: str) -> Action:
    """An action that gives this answer; what is no bytes becomes JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(handler: Handler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return act


def created(handler: Handler, body: bytes) -> None:
    """Answer as an engine that creates everything."""
    count = len(body.splitlines()) // 2
    answer(200, {"errors": False, "items": [{"create": {"status": 201}}] * count})(handler, body)


def reset(handler: Handler, _: bytes) -> None:
    """Cut the connection without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def half(handler: Handler, body: bytes) -> None:
    """Announce a whole answer, give half of it and cut the connection."""
    data = json.dumps({"errors": False, "items": [{"create": {"status": 201}}] * (len(body.splitlines()) // 2)})
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[: len(data) // 2].encode())
    handler.close_connection = True


def slow(seconds: float) -> Action:
    """Answer as usual, but late."""

    def act(handler: Handler, body: bytes) -> None:
        time.sleep(seconds)
        try:
            created(handler, body)
        except OSError:
            pass  # who asked has gone

    return act


class StandIn(ThreadingHTTPServer):
    """The server; `seen` holds every request, `script` what the next bulk requests get."""

    daemon_threads = True

    def __init__(self, script: Sequence[Action], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.script = list(script)
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self.installed = True
        self.always: Action | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Cut connections are what this is for."""

    def in_force(self, path: str) -> dict[str, Any]:
        """What the engine would say an index of ours is made of."""
        if not self.installed:
            return {}
        templates = _templates()
        name = path.partition("_simulate_index/")[2].partition("?")[0]
        fitting = [
            body for body in templates.values() if any(fnmatch(name, one) for one in body.get("index_patterns", ()))
        ]
        index = max(fitting, key=lambda body: int(body["priority"]))
        merged: dict[str, Any] = {}
        for body in (*(templates[part] for part in index["composed_of"]), index):
            _merge(merged, body["template"].get("mappings", {}).get("properties", {}))
        return {"template": {"mappings": {**index["template"]["mappings"], "properties": merged}}}

    @property
    def bulks(self) -> list[bytes]:
        """Bodies of the bulk requests."""
        return [body for path, _, body in self.seen if path.startswith("/_bulk")]


@contextmanager
def standing_in(*script: Action, tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """A running stand-in."""
    server = StandIn(script, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
