# SPDX-License-Identifier: Apache-2.0
"""Answers a `_search` as an engine does, and has bad days: for the tests of the `es` reader."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rule = Callable[["Handler"], bool]
"""Answers a request in its own way and says so, or leaves it to the engine."""


class Engine(ThreadingHTTPServer):
    """Holds documents as `_source`s; what was asked, and with what headers, is kept."""

    def __init__(self, documents: list[dict[str, Any]], rule: Rule | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.documents = documents
        self.rule = rule
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heads.append({name.lower(): value for name, value in self.headers.items()})
        self.server.asked.append(json.loads(body))
        if self.server.rule is None or not self.server.rule(self):
            self.answer(200, found(self.server.documents, self.server.asked[-1]))

    def answer(self, status: int, body: Any, *headers: tuple[str, str]) -> None:
        """Bytes as they are, all else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def _field(source: dict[str, Any], path: str) -> Any:
    value: Any = source
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def found(documents: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    """`exists` and `range` filters, sorting by one number, and size; the query string takes everything."""
    query = asked["query"]["bool"]
    hits: list[dict[str, Any]] = []
    for number, source in enumerate(documents):
        if any(_field(source, one["exists"]["field"]) is not None for one in query.get("must_not", ())):
            continue
        fits = True
        for one in query.get("filter", ()):
            for field, bound in one.get("range", {}).items():
                fits = fits and (_field(source, field) or 0) >= bound["gte"]
            fits = fits and ("exists" not in one or _field(source, one["exists"]["field"]) is not None)
        if fits:
            hits.append({"_index": "i", "_id": str(number), "_source": source})
    total = len(hits)
    for order in asked.get("sort", ()):
        (field,) = order
        for hit in hits:
            hit["sort"] = [_field(hit["_source"], field)]
        hits.sort(key=lambda hit: hit["sort"])
    return {"_shards": {"failed": 0}, "hits": {"total": {"value": total}, "hits": hits[: asked["size"]]}}


@contextlib.contextmanager
def running(
    documents: list[dict[str, Any]], rule: Rule | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Engine]:
    """One that serves."""
    server = Engine(documents, rule)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
