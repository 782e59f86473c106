# SPDX-License-Identifier: Apache-2.0
"""A store on HTTP that keeps documents as the engines' bulk interface does, and misbehaves when it is told to.

A document is kept under its index and `_id`; `create` of one that is there answers 409. Of a bulk body's last action
without a document nothing is said, as in the engines.
"""

import itertools
import json
import threading
import time
from typing import Any

from tests.store.stand_in import Handler, StandIn, answer, reset

LIMIT = 6000
"""Bytes of a request that are taken under `413`."""
PATIENCE = 1.0
"""Seconds that the program is to wait for an answer under `slow` (TTYSCRIBE_STORE_TIMEOUT)."""
_LATE = (0.3, PATIENCE * 1.5)
_BUSY = {"type": "es_rejected_execution_exception", "reason": "queue capacity reached"}
_THERE = {"type": "version_conflict_engine_exception", "reason": "document already exists"}


class _Connection(Handler):
    server: "Keeper"
    disable_nagle_algorithm = True  # head and body are two writes: 40 ms a request

    def do_POST(self) -> None:  # noqa: N802 - the base class has it so
        """Refuse what is too large before its body is read; by turns also without ever reading it."""
        size = int(self.headers.get("Content-Length", 0))
        if self.server.fault == "413" and self.path.startswith("/_bulk") and size > LIMIT:
            if next(self.server.turn) % 2:
                self.rfile.read(size)
            else:
                self.close_connection = True
            self.send_response(413)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_POST()


class Keeper(StandIn):
    """`kept` has every document's message, by index and id. `fault` is one of the matrix's store faults, or empty."""

    def __init__(self) -> None:
        super().__init__((), None)
        self.RequestHandlerClass = _Connection
        self.always = self._act
        self.kept: dict[tuple[str, str], str] = {}
        self.fault = ""
        self.turn = itertools.count()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def _act(self, handler: Handler, body: bytes) -> None:
        self.seen.clear()
        fault = self.fault
        if fault == "503":
            answer(503, {"error": "no master", "status": 503})(handler, body)
        elif handler.path.startswith("/_bulk"):
            self._bulk(handler, body, fault)
        elif "_simulate_index" in handler.path:
            answer(200, self.in_force(handler.path))(handler, body)
        else:
            answer(200, {})(handler, body)

    def _bulk(self, handler: Handler, body: bytes, fault: str) -> None:
        turn = next(self.turn)
        if fault == "429" and turn % 2:
            answer(429, {"error": _BUSY, "status": 429}, Retry_After="1")(handler, body)
            return
        if fault == "slow":
            time.sleep(_LATE[turn % 2])
        items = self._create(body, refuse_half=fault == "429")
        if fault == "reset":
            reset(handler, body)
            return
        try:
            errors = any("error" in item["create"] for item in items)
            answer(200, {"errors": errors, "took": 1, "items": items})(handler, body)
        except OSError:
            pass  # who asked has gone

    def _create(self, body: bytes, *, refuse_half: bool) -> list[Any]:
        lines = body.split(b"\n")
        items = []
        with self._lock:
            for number in range(0, len(lines) - 2, 2):
                if refuse_half and number % 4:
                    items.append({"create": {"status": 429, "error": _BUSY}})
                    continue
                target = json.loads(lines[number])["create"]
                key = (target["_index"], target["_id"])
                if key in self.kept:
                    items.append({"create": {"status": 409, "error": _THERE}})
                    continue
                self.kept[key] = json.loads(lines[number + 1])["message"]
                items.append({"create": {"status": 201}})
        return items
