# SPDX-License-Identifier: Apache-2.0
"""One JSON Schema for each kind: what a stored document may hold, and nothing else."""

import json
from pathlib import Path
from typing import Any

from tools.generators.fields import Field, Kind, load

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
}


def leaf(field: Field) -> dict[str, Any]:
    """The schema of one field."""
    made = dict(TYPES[field.type])
    if field.also:
        made["type"] = [made["type"], *field.also]
    if field.array:
        made = {"type": "array", "items": made}
    return {**made, "description": field.description}


def schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind; an object is required where one of its fields is."""
    root: dict[str, Any] = _object()
    for field in kind.fields:
        node = root
        for part in field.path[:-1]:
            if field.required:
                _require(node, part)
            node = node["properties"].setdefault(part, _object())
        if field.required:
            _require(node, field.path[-1])
        node["properties"][field.path[-1]] = leaf(field)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": kind.title}
    return {**head, "description": kind.description, **root}


def _object() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": [], "properties": {}}


def _require(node: dict[str, Any], name: str) -> None:
    if name not in node["required"]:
        node["required"].append(name)


def files(root: Path) -> dict[str, str]:
    """Path and text of each schema."""
    kinds = load(root).kinds.values()
    return {f"docs/schema/{kind.name}.schema.json": json.dumps(schema(kind), indent=1) + "\n" for kind in kinds}
