# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Kibana and OpenSearch Dashboards: status, import and export of saved objects, over real HTTP.

Written from the published documentation of the import and export interfaces and from answers that users pasted into
the products' issue trackers (the texts of the 422 and of the 400 of an export are from there).
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

NEW_KIBANA = {"index-pattern": "8.0.0", "lens": "8.9.0", "visualization": "8.5.0", "dashboard": "10.4.0"}
OLD_LEVEL = {"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3", "dashboard": "7.9.3"}
STRICT = {
    "dashboard": {
        *("description", "hits", "kibanaSavedObjectMeta", "optionsJSON", "panelsJSON", "refreshInterval"),
        *("timeFrom", "timeRestore", "timeTo", "title", "version"),
    },
    "visualization": {
        *("description", "kibanaSavedObjectMeta", "savedSearchRefName", "title", "uiStateJSON", "version", "visState"),
    },
}
"""Attributes in the mapping of OpenSearch Dashboards' index, which is strict; an index pattern's is not."""


def numbers(version: str) -> tuple[int, ...]:
    """A version as it compares."""
    return tuple(int(part) for part in version.split("."))


class Fault(NamedTuple):
    """An answer in place of the true one, for paths that end so."""

    path: str
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Double:
    """One server's state. Change its attributes before and between requests."""

    def __init__(self, flavour: str, version: str) -> None:
        self.flavour = flavour
        self.version = version
        self.known = NEW_KIBANA if flavour == "kibana" and numbers(version) >= (8, 9) else OLD_LEVEL
        self.base = ""
        self.places: dict[str, dict[tuple[str, str], Json]] = {"": {}}
        """Saved objects of each place: `/s/<space>`, `/w/<workspace>`, `tenant:<name>`, or the default one."""
        self.authorization = ""
        self.faults: list[Fault] = []
        self.refuse: dict[str, Json] = {}
        """Error to report for an object of this id."""
        self.forget: set[str] = set()
        """Ids that are reported as imported and not kept."""
        self.bend: dict[str, str] = {}
        """References that are stored with another target."""
        self.rename: dict[str, str] = {}
        """Ids that are given another one, as where the id is taken in another space."""
        self.says_name = True
        self.requests: list[str] = []
        self.url = ""

    @property
    def name_header(self) -> str:
        return "kbn-name" if self.flavour == "kibana" else "osd-name"

    @property
    def xsrf(self) -> str:
        return "kbn-xsrf" if self.flavour == "kibana" else "osd-xsrf"

    def is_newer(self, saved: Json) -> str:
        """The message of the 422 for an object above the known version; empty where it is fine."""
        kind = saved["type"]
        if self.known is not OLD_LEVEL and self.flavour == "kibana":
            version, product = saved.get("typeMigrationVersion", "0.0.0"), "Kibana"
        else:
            version = saved.get("migrationVersion", {}).get(kind, saved.get("typeMigrationVersion", "0.0.0"))
            product = "Kibana" if self.flavour == "kibana" else "OpenSearch Dashboards"
        known = self.known.get(kind, "99.0.0")
        if numbers(version) <= numbers(known):
            return ""
        return (
            f'Document "{saved["id"]}" has property "{kind}" which belongs to a more recent version of '
            f"{product} [{version}]. The last known version is [{known}]"
        )

    def error_of(self, saved: Json, present: set[tuple[str, str]], place: str, overwrite: bool) -> Json | None:
        """Why one object cannot be imported."""
        if saved["id"] in self.refuse:
            return self.refuse[saved["id"]]
        if saved["type"] not in self.known:
            return {"type": "unsupported_type"}
        lacking = [
            {"type": reference["type"], "id": reference["id"]}
            for reference in saved["references"]
            if (reference["type"], reference["id"]) not in present
        ]
        if lacking:
            return {"type": "missing_references", "references": lacking}
        if not overwrite and (saved["type"], saved["id"]) in self.places[place]:
            return {"type": "conflict"}
        strange = set(saved["attributes"]) - STRICT.get(saved["type"], set(saved["attributes"]))
        if self.known is OLD_LEVEL and strange:
            text = f"mapping set to strict, dynamic introduction of [{min(strange)}] is not allowed"
            return {"type": "unknown", "statusCode": 400, "message": f"{text}: strict_dynamic_mapping_exception"}
        return None

    def take(self, saved: list[Json], place: str, overwrite: bool) -> tuple[int, Json]:
        """Import; status and report."""
        for one in saved:
            if message := self.is_newer(one):
                return 422, {"statusCode": 422, "error": "Unprocessable Entity", "message": message}
        held = self.places[place]
        present = set(held) | {(one["type"], one["id"]) for one in saved}
        errors, results = [], []
        for one in saved:
            meta = {"type": one["type"], "id": one["id"], "meta": {"title": one["attributes"]["title"]}}
            if error := self.error_of(one, present, place, overwrite):
                errors.append({**meta, "title": one["attributes"]["title"], "error": error})
                continue
            name = str(self.rename.get(one["id"]) or one["id"])
            results.append(meta if name == one["id"] else {**meta, "destinationId": name})
            if one["id"] not in self.forget:
                held[one["type"], name] = self._stored(one, name)
        report: Json = {"success": not errors, "successCount": len(results)}
        if results:
            report["successResults"] = results
        return 200, report | ({"errors": errors} if errors else {})

    def _stored(self, one: Json, name: str) -> Json:
        moved = {**self.rename, **self.bend}
        references = [{**r, "id": moved.get(r["id"], r["id"])} for r in one["references"]]
        return {**one, "id": name, "references": references}

    def give(self, wanted: list[Json], place: str) -> tuple[int, bytes]:
        """Export: NDJSON and a line of details, or a 400 that lists what is not there."""
        held = self.places[place]
        lacking = [one for one in wanted if (one["type"], one["id"]) not in held]
        if lacking:
            gone = [{**one, "error": {"statusCode": 404, "message": "Not found"}} for one in lacking]
            text = {
                "statusCode": 400,
                "error": "Bad Request",
                "message": "Bad Request",
                "attributes": {"objects": gone},
            }
            return 400, json.dumps(text).encode()
        lines: list[Json] = [held[one["type"], one["id"]] for one in wanted]
        lines.append({"exportedCount": len(wanted), "missingRefCount": 0, "missingReferences": []})
        return 200, "\n".join(json.dumps(line) for line in lines).encode()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    @property
    def double(self) -> Double:
        return self.server.double

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet."""

    def _answer(self, status: int, body: Json | bytes, *headers: tuple[str, str]) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        if self.double.says_name:
            self.send_header(self.double.name_header, "double")
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-type" not in names:
            self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _error(self, status: int, name: str, message: str) -> None:
        self._answer(status, {"statusCode": status, "error": name, "message": message})

    def _stopped(self, path: str) -> bool:
        """Answer what does not depend on the path's meaning."""
        self.double.requests.append(f"{self.command} {path}")
        fault = next((one for one in self.double.faults if path.endswith(one.path)), None)
        if fault:
            self._answer(fault.status, fault.body, *fault.headers)
        elif self.double.authorization and self.headers.get("Authorization") != self.double.authorization:
            self._error(401, "Unauthorized", "Authentication required")
        elif not path.startswith(self.double.base):
            self._error(404, "Not Found", "Not Found")
        else:
            return False
        return True

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if self._stopped(path):
            return
        if path != f"{self.double.base}/api/status":
            self._error(404, "Not Found", "Not Found")
            return
        version = {"number": self.double.version, "build_hash": "0", "build_number": 1, "build_snapshot": False}
        self._answer(200, {"name": "double", "uuid": "0", "version": version, "status": {"overall": {}}})

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self._stopped(parts.path):
            return
        if self.double.xsrf not in self.headers:
            self._error(400, "Bad Request", f"Request must contain a {self.double.xsrf} header.")
            return
        front, _, action = parts.path.removeprefix(self.double.base).partition("/api/saved_objects/")
        tenant = self.headers.get("securitytenant")
        place = f"tenant:{tenant}" if tenant else front
        if place not in self.double.places:
            self._error(404, "Not Found", "Not Found")
        elif action == "_import":
            self._import(data, place, parse_qs(parts.query).get("overwrite") == ["true"])
        elif action == "_export":
            status, text = self.double.give(json.loads(data)["objects"], place)
            kind = "application/ndjson" if status == 200 else "application/json"
            self._answer(status, text, ("Content-Type", kind))
        else:
            self._error(404, "Not Found", "Not Found")

    def _import(self, data: bytes, place: str, overwrite: bool) -> None:
        kind = self.headers.get("Content-Type", "")
        form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + data)
        if kind.split(";")[0] != "multipart/form-data" or not form.is_multipart():
            self._error(415, "Unsupported Media Type", "Unsupported Media Type")
            return
        _, part = form.walk()
        name = part.get_filename() or ""
        if part.get_param("name", header="Content-Disposition") != "file" or not name.endswith(".ndjson"):
            self._error(400, "Bad Request", f"Invalid file extension .{name.rpartition('.')[2]}")
            return
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        saved = [json.loads(line) for line in payload.decode().splitlines() if line]
        self._answer(*self.double.take(saved, place, overwrite))


class _Server(ThreadingHTTPServer):
    def __init__(self, double: Double) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are part of the tests."""


@contextmanager
def running(flavour: str, version: str, tls: ssl.SSLContext | None = None) -> Iterator[Double]:
    """Give a double that answers on a loopback port until the block ends."""
    double = Double(flavour, version)
    server = _Server(double)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    double.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def basic(user: str, password: str) -> str:
    """The Authorization header of a user."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
