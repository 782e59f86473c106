# SPDX-License-Identifier: Apache-2.0
"""One JSON Schema for each kind, and for whatever else is emitted: what it may hold, and where it is ours nothing else.

They are part of the package, as `ttyscribe-normalize --validate` checks by them.
"""

import json
from pathlib import Path
from typing import Any

from tools.generators.fields import Emitted, Field, Kind, load

FOLDER = "normalizers/ttyscribe_normalizers/schemas"

_BYTES: dict[str, Any] = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$"

TYPES: dict[str, dict[str, Any]] = {
    "keyword": {"type": "string"},
    "text": {"type": "string"},
    "words": {"type": "string"},
    "time": {"type": "string", "pattern": _TIME},
    "date": {"type": "string", "pattern": _TIME},
    "long": {"type": "integer"},
    "double": {"type": "number"},
    "ip": {"type": "string"},
    "stored": {"type": "string"},
    "bytes": _BYTES,
    "object": {"type": "object"},
    "flattened": {"type": "object"},
    "any": {},
    "base64": {"type": "string", "contentEncoding": "base64", "pattern": "^[A-Za-z0-9+/]*={0,2}$"},
    "count": {"type": "integer", "minimum": 0},
    "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
}


def leaf(field: Field) -> dict[str, Any]:
    """The schema of one field."""
    made = dict(TYPES[field.type])
    if field.also:
        made["type"] = [made["type"], *field.also]
    if field.choices:
        made["enum"] = list(field.choices)
    if field.array:
        made = {"type": "array", "items": made}
    return {**made, "description": field.description}


def schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind; an object is required where one of its fields is."""
    root = _object()
    for field in kind.fields:
        _put(root, field)
    return _titled(kind, root)


def emitted(what: Emitted) -> dict[str, Any]:
    """The schema of something else. Of what is open only the leaves that are declared have types."""
    root: dict[str, Any] = {"required": [], "properties": {}} if what.open else _object()
    for field in what.fields:
        _put(root, field, is_open=what.open)
    for namespace in what.includes:
        for field in namespace.fields:
            _put(root, field._replace(required=False))
    if what.open:
        root = {"type": "object", **root, **_stored(what)}
    return _titled(what, root)


def _stored(what: Emitted) -> dict[str, Any]:
    """What holds in addition for documents of an open form that went to a store: those that say their kind."""
    is_stored = {"properties": {"ttyscribe": {"required": ["kind"]}}, "required": ["ttyscribe"]}
    own = [field.path[-1] for one in what.includes if one.name == "ttyscribe" for field in one.fields if field.required]
    text = {"type": "string"}
    then = {
        "required": ["@timestamp", "hostname", "level", "message"],
        "properties": {
            "@timestamp": text,
            "hostname": text,
            "level": text,
            "message": text,
            "ttyscribe": {"required": own},
        },
    }
    return {"if": is_stored, "then": then}


def _titled(what: Kind | Emitted, root: dict[str, Any]) -> dict[str, Any]:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": what.title}
    return {**head, "description": what.description, **root}


def _put(root: dict[str, Any], field: Field, *, is_open: bool = False) -> None:
    """Set one field's schema, with the objects above it."""
    node = root
    for part in field.path[:-1]:
        if field.required:
            _require(node, part)
        node = node["properties"].setdefault(part, {"required": [], "properties": {}} if is_open else _object())
    if field.required:
        _require(node, field.path[-1])
    node["properties"][field.path[-1]] = leaf(field)


def _object() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


def _require(node: dict[str, Any], name: str) -> None:
    if name not in node["required"]:
        node["required"].append(name)


def files(root: Path) -> dict[str, str]:
    """Path and text of each schema."""
    model = load(root)
    made = {name: schema(kind) for name, kind in model.kinds.items()}
    made |= {name: emitted(what) for name, what in model.emitted.items()}
    return {f"{FOLDER}/{name}.schema.json": json.dumps(one, indent=1) + "\n" for name, one in made.items()}
