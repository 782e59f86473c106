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
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]

NEW_KIBANA = {
    "index-pattern": "8.0.0",
    "search": "8.0.0",
    "lens": "8.9.0",
    "visualization": "8.5.0",
    "dashboard": "10.4.0",
}
OLD_LEVEL = {"index-pattern": "7.6.0", "visualization": "7.10.0", "search": "7.9.3", "dashboard": "7.9.3"}
STRICT = {
    "dashboard": {
        *("description", "hits", "kibanaSavedObjectMeta", "optionsJSON", "panelsJSON", "refreshInterval"),
        *("timeFrom", "timeRestore", "timeTo", "title", "version"),
    },
    "visualization": {
        *("description", "kibanaSavedObjectMeta", "savedSearchRefName", "title", "uiStateJSON", "version", "visState"),
    },
    "search": {"columns", "description", "hits", "kibanaSavedObjectMeta", "sort", "title", "version"},
}
"""Attributes in the mapping of OpenSearch Dashboards' index, which is strict; an index pattern's is not."""


def numbers(version: str) -> tuple[int, ...]:
    """A version as it compares."""
    return tuple(int(part) for part in version.split("."))


Place = dict[tuple[str, str], Json]
RESOLVABLE = ("conflict", "ambiguous_conflict", "missing_references")
MOST = 25 << 20
"""Bytes that an import takes, by default."""


def _is_copy(old: Json, kind: str, new: Json) -> bool:
    return bool(kind == new["type"] and old.get("originId") == new["id"])


class Fault(NamedTuple):
    """An answer in place of the true one, for paths that end so."""

    path: str
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    method: str = ""
    """The one method that it answers; empty for all."""


class Double:
    """One server's state. Change its attributes before and between requests."""

    def __init__(self, flavour: str, version: str) -> None:
        self.flavour = flavour
        self.version = version
        self.known = NEW_KIBANA if flavour == "kibana" and numbers(version) >= (8, 9) else OLD_LEVEL
        self.base = ""
        self.places: dict[str, Place] = {"": {}}
        """Saved objects of each place: `/s/<space>`, `/w/<workspace>`, `tenant:<name>`, or the default one."""
        self.workspaces: dict[str, str] | None = None
        """Id and name of each; None where they are not enabled."""
        self.tenants: dict[str, bool] | None = None
        """Name of each and whether one may write to it; None where there is no security plugin."""
        self.authorization = ""
        self.faults: list[Fault] = []
        self.refuse: dict[str, Json] = {}
        """Error to report for an object of this id."""
        self.forget: set[str] = set()
        """Ids that are reported as imported and not kept."""
        self.bend: dict[str, str] = {}
        """References that are stored with another target."""
        self.drop: set[str] = set()
        """Attributes that are not kept."""
        self.link: Json = {}
        """A reference that is added to each object."""
        self.undeletable: set[str] = set()
        self.rewrites = False
        """Whether objects are stored in the form of a newer version, as a newer Kibana does."""
        self.says_name = True
        self.requests: list[str] = []
        self.clock = 0
        self.url = ""

    @property
    def writes(self) -> list[str]:
        """Requests that changed, or could have changed, objects."""
        return [one for one in self.requests if one.startswith("DELETE") or one.split("?")[0].endswith("_import")]

    def shipped(self, place: str = "") -> set[tuple[str, str]]:
        """What stands in a place beside the object that remembers."""
        return {key for key in self.places[place] if not key[1].endswith("ttyscribe-installed")}

    def edit(self, kind: str, name: str, place: str = "", **attributes: Any) -> None:
        """What a person does in the user interface."""
        self.clock += 1
        held = self.places[place]
        one = held[kind, name]
        changed = {**one["attributes"], **attributes}
        held[kind, name] = {**one, "attributes": changed, "updated_at": f"2026-01-01T00:00:{self.clock:06}Z"}

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
        """Why one object cannot be imported. Of references only data views and searches are looked at."""
        if saved["id"] in self.refuse:
            return self.refuse[saved["id"]]
        if saved["type"] not in self.known:
            return {"type": "unsupported_type"}
        lacking = [
            {"type": reference["type"], "id": reference["id"]}
            for reference in saved["references"]
            if reference["type"] in ("index-pattern", "search") and (reference["type"], reference["id"]) not in present
        ]
        if lacking:
            return {"type": "missing_references", "references": lacking}
        if not overwrite and (saved["type"], saved["id"]) in self.places[place]:
            return {"type": "conflict"}
        copies = [name for (kind, name), one in self.places[place].items() if _is_copy(one, kind, saved)]
        if len(copies) > 1:
            return {"type": "ambiguous_conflict", "destinations": [{"id": name} for name in copies]}
        strange = set(saved["attributes"]) - STRICT.get(saved["type"], set(saved["attributes"]))
        if self.known is OLD_LEVEL and strange:
            text = f"mapping set to strict, dynamic introduction of [{min(strange)}] is not allowed"
            return {"type": "unknown", "statusCode": 400, "message": f"{text}: strict_dynamic_mapping_exception"}
        return None

    def take(self, saved: list[Json], place: str, overwrite: bool, copies: bool = False) -> tuple[int, Json]:
        """Import; status and report. An error that the caller could resolve keeps all from being created."""
        for one in saved:
            if message := self.is_newer(one):
                return 422, {"statusCode": 422, "error": "Unprocessable Entity", "message": message}
        present = set(self.places[place]) | {(one["type"], one["id"]) for one in saved}
        found = [self.error_of(one, present, place, overwrite or copies) for one in saved]
        ids = {
            one["id"]: self._new_id(one, place, copies)
            for one, error in zip(saved, found, strict=True)
            if error is None
        }
        stops = any(error and error.get("type") in RESOLVABLE for error in found)
        errors, results = [], []
        for one, error in zip(saved, found, strict=True):
            meta = {"type": one["type"], "id": one["id"], "meta": {"title": one["attributes"]["title"]}}
            if error:
                errors.append({**meta, "title": one["attributes"]["title"], "error": error})
                continue
            name = ids[one["id"]]
            results.append(meta if name == one["id"] else {**meta, "destinationId": name})
            if not stops and one["id"] not in self.forget:
                self.places[place][one["type"], name] = self._stored(one, ids)
        report: Json = {"success": not errors, "successCount": len(results)}
        if results:
            report["successResults"] = results
        return 200, report | ({"errors": errors} if errors else {})

    def _new_id(self, one: Json, place: str, copies: bool) -> str:
        """The id itself, but where another space or workspace has it.

        Kibana then knows the copy again by its origin; OpenSearch Dashboards makes another each time.
        """
        key = (one["type"], one["id"])
        shares = self.known is not OLD_LEVEL or self.flavour == "opensearch-dashboards"
        elsewhere = any(key in held for name, held in self.places.items() if name != place and ":" not in name)
        if not copies and (key in self.places[place] or not shares or not elsewhere):
            return str(one["id"])
        known = [name for (kind, name), old in self.places[place].items() if _is_copy(old, kind, one)]
        if known and self.flavour == "kibana" and not copies:
            return known[0]
        self.clock += 1
        return f"copy-{self.clock}"

    def _stored(self, one: Json, ids: dict[str, str]) -> Json:
        self.clock += 1
        moved = {**ids, **self.bend}
        references = [{**r, "id": moved.get(r["id"], r["id"])} for r in one["references"]]
        references += [self.link] if self.link else []
        attributes = {name: value for name, value in one["attributes"].items() if name not in self.drop}
        more: Json = {"updated_at": f"2026-01-01T00:00:{self.clock:06}Z", "version": f"Wz{self.clock},1]"}
        if ids[one["id"]] != one["id"]:
            more["originId"] = one["id"]
        if self.rewrites:
            attributes = {**attributes, "description": attributes.get("description") or "-"}
            more["typeMigrationVersion"] = "10.9.0"
        return {**one, "id": ids[one["id"]], "attributes": attributes, "references": references, **more}

    def upgrade(self) -> None:
        """What a server's own upgrade does to its objects: another form and version, the time of change stays."""
        self.rewrites = True
        for held in self.places.values():
            for key, one in held.items():
                changed = {**one["attributes"], "description": one["attributes"].get("description") or "-"}
                held[key] = {**one, "attributes": changed, "typeMigrationVersion": "10.9.0"}

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

    def _is_for(self, fault: Fault, path: str) -> bool:
        return path.endswith(fault.path) and fault.method in ("", self.command)

    def _stopped(self, path: str) -> bool:
        """Answer what does not depend on the path's meaning."""
        self.double.requests.append(f"{self.command} {path}")
        fault = next((one for one in self.double.faults if self._is_for(one, path)), None)
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
        double, path = self.double, path.removeprefix(self.double.base)
        if path == "/api/status":
            version = {"number": double.version, "build_hash": "0", "build_number": 1, "build_snapshot": False}
            self._answer(200, {"name": "double", "uuid": "0", "version": version, "status": {"overall": {}}})
        elif path.startswith("/api/spaces/space/") and double.flavour == "kibana":
            name = path.rpartition("/")[2]
            if f"/s/{name}" in double.places:
                self._answer(200, {"id": name, "name": name.title(), "disabledFeatures": []})
            else:
                self._error(404, "Not Found", "Not Found")
        elif path == "/api/v1/auth/authinfo" and double.tenants is not None:
            self._answer(200, {"user_name": "ada", "tenants": double.tenants, "roles": ["all"]})
        else:
            self._error(404, "Not Found", "Not Found")

    def do_DELETE(self) -> None:
        path = urlsplit(self.path).path
        if self._stopped(path) or not self._may_write():
            return
        front, _, rest = path.removeprefix(self.double.base).partition("/api/saved_objects/")
        kind, _, name = rest.partition("/")
        held = self.double.places[self._place(front)]
        key = (unquote(kind), unquote(name))
        if key not in held:
            self._error(404, "Not Found", f"Saved object [{kind}/{name}] not found")
        elif key[1] in self.double.undeletable:
            self._error(400, "Bad Request", "Unable to delete saved object that exists in multiple namespaces")
        else:
            del held[key]
            self._answer(200, {})

    def _may_write(self) -> bool:
        if self.double.xsrf in self.headers:
            return True
        self._error(400, "Bad Request", f"Request must contain a {self.double.xsrf} header.")
        return False

    def _place(self, front: str) -> str:
        """The place that a request means. The security plugin takes an unknown tenant for the global one."""
        tenant = self.headers.get("securitytenant")
        if tenant and self.double.flavour == "opensearch-dashboards":
            return f"tenant:{tenant}" if f"tenant:{tenant}" in self.double.places else ""
        return front

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        size = int(self.headers.get("Content-Length", "0"))
        data = self.rfile.read(size)
        if self._stopped(parts.path) or not self._may_write():
            return
        double = self.double
        front, _, action = parts.path.removeprefix(double.base).partition("/api/")
        place = self._place(front)
        if action == "spaces/space":
            double.places[f"/s/{json.loads(data)['id']}"] = {}
            self._answer(200, json.loads(data))
        elif action == "workspaces" and double.workspaces is not None:
            name = f"w{len(double.workspaces)}"
            double.workspaces[name] = json.loads(data)["attributes"]["name"]
            double.places[f"/w/{name}"] = {}
            self._answer(200, {"success": True, "result": {"id": name}})
        elif action == "workspaces/_list" and double.workspaces is not None:
            listed = [{"id": id_, "name": name} for id_, name in double.workspaces.items()]
            result = {"page": 1, "per_page": 999, "total": len(listed), "workspaces": listed}
            self._answer(200, {"success": True, "result": result})
        elif action == "saved_objects/_import" and size > MOST:
            self._error(413, "Request Entity Too Large", f"Payload content length greater than maximum allowed: {MOST}")
        elif place not in double.places:
            self._error(400, "Bad Request", "Exist invalid workspaces")
        elif action == "saved_objects/_import":
            self._import(data, place, {name: values[-1] for name, values in parse_qs(parts.query).items()})
        elif action == "saved_objects/_export":
            status, text = double.give(json.loads(data)["objects"], place)
            kind = "application/ndjson" if status == 200 else "application/json"
            self._answer(status, text, ("Content-Type", kind))
        else:
            self._error(404, "Not Found", "Not Found")

    def _import(self, data: bytes, place: str, options: dict[str, str]) -> None:
        overwrite, copies = (options.get(name) == "true" for name in ("overwrite", "createNewCopies"))
        if overwrite and copies:
            self._error(400, "Bad Request", "[request query]: cannot use [overwrite] with [createNewCopies]")
            return
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
        self._answer(*self.double.take(saved, place, overwrite, copies))


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
