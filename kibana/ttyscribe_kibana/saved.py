# SPDX-License-Identifier: Apache-2.0
"""The interface to saved objects: read (export), write (import), delete.

An import answers 200 also where objects failed, so its report is read item by item. Nothing that a server answers is
taken for its documented shape before it was looked at.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.bundle import SavedObject, ndjson
from ttyscribe_kibana.client import Answer, Client, one_line
from ttyscribe_kibana.place import Place

Key = tuple[str, str]
"""Type and id."""

_IMPORT = "/api/saved_objects/_import"
_EXPORT = "/api/saved_objects/_export"
_MAX_SHOWN = 10
_RESOLVABLE = ("conflict", "ambiguous_conflict", "missing_references")
"""Errors of one object on which the importers create none at all, although they count the others as successes."""


def key_of(saved: SavedObject) -> Key:
    """Its type and id."""
    return saved["type"], saved["id"]


def named(key: Key) -> str:
    """An object as messages name it."""
    return one_line(f"{key[0]} {key[1]}")


class Written(NamedTuple):
    """What an import did."""

    placed: dict[Key, str]
    """Under which id each object stands that was taken."""
    refusal: str
    """What was refused, item by item; empty where all was taken."""


class SavedObjects:
    """The saved objects of one place on one server."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self.name = f"{client.name}, {place.name}"
        """For messages."""

    def read(self, keys: Iterable[Key]) -> dict[Key, SavedObject]:
        """Those of the objects that are there. ConfigError where reading is refused."""
        wanted = set(keys)
        while wanted:
            body = {"objects": [{"type": kind, "id": name} for kind, name in sorted(wanted)]}
            answer = self._post(_EXPORT, compact(body).encode(), "application/json")
            if answer.status == 200:
                found = [line for line in map(_parsed, answer.data.splitlines()) if line]
                return {key_of(one): one for one in found if key_of(one) in wanted}
            missing = _not_there(answer) & wanted
            if not missing:
                raise ConfigError(f"{self.name}: cannot read back ({answer.status}): {answer.message}")
            wanted -= missing
        return {}

    def write(self, saved: Sequence[SavedObject], *, overwrite: bool) -> Written:
        """Import. ConfigError where the file is refused as a whole."""
        path = _IMPORT + ("?overwrite=true" if overwrite else "")
        kind, body = _multipart(ndjson(saved).encode())
        report = self._report(self._post(path, body, kind))
        errors = [one for one in _list(report, "errors") if isinstance(one, dict)]
        placed = {key_of(one): one["id"] for one in saved}
        for result in _list(report, "successResults"):
            if isinstance(result, dict) and isinstance(result.get("destinationId"), str):  # the id is taken elsewhere
                placed[str(result.get("type")), str(result.get("id"))] = result["destinationId"]
        if not errors and report.get("success") is True and report.get("successCount") == len(saved):
            return Written(placed, "")
        return self._partly(report, errors, placed)

    def _partly(self, report: dict[str, Any], errors: list[dict[str, Any]], placed: dict[Key, str]) -> Written:
        count, total = report.get("successCount", 0), len(placed)
        if any(_error_of(error).get("type") in _RESOLVABLE for error in errors):
            count = 0
        for error in errors:
            placed.pop((str(error.get("type")), str(error.get("id"))), None)
        told = f"imported {one_line(str(count))} of {total} objects"
        if not errors:
            return Written({}, f"{told}, and does not say why not the others")
        return Written(placed if count else {}, f"{told}; refused: {some([_explain(error) for error in errors])}")

    def delete(self, key: Key) -> str:
        """Remove one object; why it could not be, or empty. What is not there is removed."""
        path = f"{self._place.front}/api/saved_objects/{quote(key[0], safe='')}/{quote(key[1], safe='')}"
        answer = self._client.request("DELETE", path, headers=self._place.headers)
        return "" if answer.status in (200, 404) else f"{answer.status}: {answer.message}"

    def _post(self, path: str, body: bytes, kind: str) -> Answer:
        headers = {**self._place.headers, "Content-Type": kind}
        return self._client.request("POST", f"{self._place.front}{path}", body, headers)

    def _report(self, answer: Answer) -> dict[str, Any]:
        if answer.status == 404:
            raise ConfigError(f"{self.name}: there is no such place (404): {answer.message}")
        if answer.status == 422:
            raise ConfigError(
                f"{self.name}: refuses objects of a newer version (422): {answer.message}: "
                "upgrade the server, or install the release of ttyscribe that was made for it"
            )
        report = answer.json()
        if answer.status >= 300 or not isinstance(report, dict):
            raise ConfigError(f"{self.name}: refused the import ({answer.status}): {answer.message}")
        return report


def _list(report: dict[str, Any], name: str) -> list[Any]:
    found = report.get(name)
    return found if isinstance(found, list) else []


def _not_there(answer: Answer) -> set[Key]:
    """What an export misses: it is a 400 then that lists them."""
    parsed = answer.json()
    attributes = parsed.get("attributes") if isinstance(parsed, dict) else None
    listed = attributes.get("objects") if answer.status == 400 and isinstance(attributes, dict) else None
    items = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {(str(one.get("type")), str(one.get("id"))) for one in items}


def _parsed(line: bytes) -> SavedObject:
    """One line of an export; empty for what is no object: the last line counts."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in ("type", "id")):
        return {}
    attributes, references = found.get("attributes"), found.get("references")
    links = [one for one in references if isinstance(one, dict)] if isinstance(references, list) else []
    return {**found, "attributes": attributes if isinstance(attributes, dict) else {}, "references": links}


def _multipart(data: bytes) -> tuple[str, bytes]:
    """Content type and body of a form with one file; the name's ending is what the importers look at."""
    border = secrets.token_hex(16)
    head = (
        f"--{border}\r\n"
        'Content-Disposition: form-data; name="file"; filename="ttyscribe.ndjson"\r\n'
        "Content-Type: application/ndjson\r\n\r\n"
    )
    return f"multipart/form-data; boundary={border}", head.encode() + data + f"\r\n--{border}--\r\n".encode()


def _error_of(item: dict[str, Any]) -> dict[str, Any]:
    error = item.get("error")
    return error if isinstance(error, dict) else {}


def _explain(item: dict[str, Any]) -> str:
    """One refused object and what to do, from the importers' documented error types."""
    error = _error_of(item)
    kind = error.get("type", "unknown")
    if kind == "conflict":
        why = "exists already"
    elif kind == "ambiguous_conflict":
        taken = ", ".join(str(one.get("id")) for one in _list(error, "destinations") if isinstance(one, dict))
        why = f"several copies exist already ({taken}): remove all but one"
    elif kind == "missing_references":
        found = [one for one in _list(error, "references") if isinstance(one, dict)]
        lacking = ", ".join(f"{one.get('type')} {one.get('id')}" for one in found)
        why = f"refers to {lacking}, which is not there"
    elif kind == "unsupported_type":
        why = "is of a type that this server or this user does not have"
    else:
        why = f"{error.get('message', kind)}"
    return one_line(f"{item.get('type')} {item.get('id')} {why}")


def some(items: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(items) - _MAX_SHOWN
    return "; ".join(items[:_MAX_SHOWN]) + (f"; and {more} more" if more > 0 else "")
