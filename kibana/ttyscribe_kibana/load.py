# SPDX-License-Identifier: Apache-2.0
"""Brings the dashboards into a running Kibana or OpenSearch Dashboards, and looks whether they arrived.

An import answers 200 also where objects failed, so its report is read item by item; and objects can vanish without an
error (OpenSearch Dashboards with workspaces), so all of them are read back.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.bundle import SavedObject, committed, ndjson
from ttyscribe_kibana.client import Answer, Client, one_line
from ttyscribe_kibana.fit import fitted
from ttyscribe_kibana.server import Flavour, Server, identify
from ttyscribe_store.access import Access

__all__ = ["Access", "Flavour", "load"]

_IMPORT = "/api/saved_objects/_import"
_EXPORT = "/api/saved_objects/_export"
_XSRF = {"kibana": "kbn-xsrf", "opensearch-dashboards": "osd-xsrf"}
_MAX_SHOWN = 10


def load(
    url: str,
    *,
    flavour: Flavour | None = None,
    space: str = "",
    tenant: str = "",
    player_url: str = "",
    prefix: str = "",
    access: Access | None = None,
    overwrite: bool = True,
) -> list[str]:
    """Import data view and dashboards, unless all stand there as shipped; answers what was done, one line each.

    `space` is Kibana's space or OpenSearch Dashboards' workspace id, `tenant` a tenant of OpenSearch's security
    plugin, `prefix` the store's index prefix (the path of its URL), `player_url` where recordings are played (its
    `{{value}}` stands for the recording; without one, the recording is put behind it as a path).

    Raises ConfigError (wrong address, version, credentials; objects refused, item by item) and Unavailable.
    """
    client = Client(url, access)
    server = identify(client, flavour)
    target = _Target(client, server, space, tenant)
    saved = fitted(committed(server.bundle), prefix=prefix, player_url=player_url)
    if target.holds(saved):
        placed = {(one["type"], one["id"]): one["id"] for one in saved}
        done = [f"{server} at {client.url}: nothing to change, all {len(saved)} objects are in place"]
    else:
        placed = target.put(saved, overwrite=overwrite)
        target.verify(placed)
        done = [f"{server} at {client.url}: imported and read back {len(saved)} objects of bundle {server.bundle}"]
    if server.is_newer_than_known:
        done.append(f"{server} is newer than this release knows: look whether all panels show")
    pages = [name for (kind, _), name in placed.items() if kind == "dashboard"]
    return done + [f"open {client.url}{target.front}/app/dashboards#/view/{quote(page)}" for page in pages]


class _Target:
    """One place for saved objects: a server, and the space, workspace or tenant in it."""

    def __init__(self, client: Client, server: Server, space: str, tenant: str) -> None:
        if tenant and server.flavour == "kibana":
            raise ConfigError(f"{server} has spaces, not tenants")
        self._client = client
        self._server = server
        self._place = f"space {space}" if space else f"tenant {tenant}" if tenant else "default place"
        mark = "s" if server.flavour == "kibana" else "w"
        is_default = not space or (space == "default" and server.flavour == "kibana")
        self.front = "" if is_default else f"/{mark}/{quote(space, safe='')}"
        self._headers = {_XSRF[server.flavour]: "true"}
        if tenant:
            self._headers["securitytenant"] = _header_value(tenant)

    def holds(self, saved: Sequence[SavedObject]) -> bool:
        """Tell whether all of it is there already; what a server keeps in another form than ours is imported again."""
        body = {"objects": [{"type": one["type"], "id": one["id"]} for one in saved]}
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = self._client.request("POST", f"{self.front}{_EXPORT}", compact(body).encode(), headers)
        if answer.status != 200:
            return False
        there = {(one.get("type"), one.get("id")): one for one in map(_parsed, answer.data.splitlines())}
        return all(_same(one, there.get((one["type"], one["id"]), {})) for one in saved)

    def put(self, saved: Sequence[SavedObject], *, overwrite: bool) -> dict[tuple[str, str], str]:
        """Import; answers under which id each (type, id) now stands. ConfigError names what was refused and why."""
        path = f"{self.front}{_IMPORT}" + ("?overwrite=true" if overwrite else "")
        kind, body = _multipart(ndjson(saved).encode())
        answer = self._client.request("POST", path, body, {**self._headers, "Content-Type": kind})
        report = self._report(answer)
        errors = report.get("errors") or []
        if errors or report.get("success") is not True or report.get("successCount") != len(saved):
            raise ConfigError(self._refusal(report, errors, len(saved)))
        placed = {(one["type"], one["id"]): one["id"] for one in saved}
        for result in report.get("successResults") or []:
            if "destinationId" in result:  # the id was taken in another space
                placed[result["type"], result["id"]] = result["destinationId"]
        return placed

    def verify(self, placed: dict[tuple[str, str], str]) -> None:
        """Read all objects back; ConfigError where one is not there or lost what it refers to."""
        wanted = {(kind, name) for (kind, _), name in placed.items()}
        body = {"objects": [{"type": kind, "id": name} for kind, name in sorted(wanted)]}
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = self._client.request("POST", f"{self.front}{_EXPORT}", compact(body).encode(), headers)
        found, lost = self._exported(answer)
        there = {(one["type"], one["id"]) for one in found}
        if not lost:
            lost = {f"{kind} {name}" for kind, name in wanted - there}
            for one in found:
                targets = {(reference["type"], reference["id"]) for reference in one.get("references", [])}
                lost |= {f"{kind} {name} (needed by {one['id']})" for kind, name in targets - there}
        if lost:
            raise ConfigError(
                f"{self._server} at {self._client.url} took the objects, but reading them back from its "
                f"{self._place} misses {_some(sorted(lost))}: is it the right space, workspace or tenant?"
            )

    def _report(self, answer: Answer) -> dict[str, Any]:
        where = f"{self._server} at {self._client.url}, {self._place}"
        if answer.status == 404:
            raise ConfigError(f"{where}: there is no such place (404): {answer.message}")
        if answer.status == 422:
            raise ConfigError(f"{where}: refuses objects of a newer version (422): {answer.message}")
        report = answer.json()
        if answer.status >= 300 or not isinstance(report, dict):
            raise ConfigError(f"{where}: refused the import ({answer.status}): {answer.message}")
        return report

    def _refusal(self, report: dict[str, Any], errors: list[dict[str, Any]], count: int) -> str:
        head = f"{self._server} at {self._client.url} imported {report.get('successCount', 0)} of {count} objects"
        return f"{head}; refused: {_some([_explain(error) for error in errors])}" if errors else head

    def _exported(self, answer: Answer) -> tuple[list[SavedObject], set[str]]:
        """The exported objects, and what could not be: an export that misses some is a 400 that lists them."""
        if answer.status == 200:
            lines = [_parsed(line) for line in answer.data.splitlines()]
            return [line for line in lines if "type" in line and "id" in line], set()
        parsed = answer.json()
        attributes = parsed.get("attributes") if isinstance(parsed, dict) else None
        if answer.status == 400 and isinstance(attributes, dict) and attributes.get("objects"):
            return [], {one_line(f"{one['type']} {one['id']}") for one in attributes["objects"]}
        raise ConfigError(f"{self._server} at {self._client.url}: cannot read back ({answer.status}): {answer.message}")


def _parsed(line: bytes) -> SavedObject:
    """One line of an export; the last one counts, it is no object."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _same(ours: SavedObject, theirs: SavedObject) -> bool:
    """Whether a saved object says what ours says; what servers add to it does not count."""
    kept = theirs.get("attributes") or {}
    attributes = all(
        name in kept and _meaning(kept[name]) == _meaning(value) for name, value in ours["attributes"].items()
    )
    return attributes and ours["references"] == theirs.get("references", [])


def _meaning(value: Any) -> Any:
    """JSON in a string as what it means: servers write it again with other blanks."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _header_value(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ConfigError(f"not a tenant's name: {one_line(text)!r}")
    return text


def _multipart(data: bytes) -> tuple[str, bytes]:
    """Content type and body of a form with one file; the name's ending is what the importers look at."""
    border = secrets.token_hex(16)
    head = (
        f"--{border}\r\n"
        'Content-Disposition: form-data; name="file"; filename="ttyscribe.ndjson"\r\n'
        "Content-Type: application/ndjson\r\n\r\n"
    )
    return f"multipart/form-data; boundary={border}", head.encode() + data + f"\r\n--{border}--\r\n".encode()


def _explain(item: dict[str, Any]) -> str:
    """One refused object and what to do, from the importers' documented error types."""
    error = item.get("error") or {}
    kind = error.get("type", "unknown")
    if kind == "conflict":
        why = "exists already"
    elif kind == "ambiguous_conflict":
        taken = ", ".join(str(target.get("id")) for target in error.get("destinations", []))
        why = f"several copies exist already ({taken}): remove all but one"
    elif kind == "missing_references":
        lacking = ", ".join(f"{target.get('type')} {target.get('id')}" for target in error.get("references", []))
        why = f"refers to {lacking}, which is not there"
    elif kind == "unsupported_type":
        why = "is of a type that this server or this user does not have"
    else:
        why = f"{error.get('message', kind)}"
    return one_line(f"{item.get('type')} {item.get('id')} {why}")


def _some(items: Sequence[str]) -> str:
    more = len(items) - _MAX_SHOWN
    return "; ".join(items[:_MAX_SHOWN]) + (f"; and {more} more" if more > 0 else "")
