# SPDX-License-Identifier: Apache-2.0
"""What the engines know of each field, read from the generated index templates.

OpenSearch Dashboards keeps a field list inside the index pattern. Up to 3.6 it fills a missing one by itself; from 3.7
on it does not, and panels over a pattern without fields stay empty. So the list is made here.
"""

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

Json = dict[str, Any]

_SHOWN_TYPES = {
    "keyword": "string",
    "text": "string",
    "wildcard": "string",
    "long": "number",
    "integer": "number",
    "double": "number",
    "date": "date",
    "date_nanos": "date",
    "ip": "ip",
    "boolean": "boolean",
}
"""Type in the engine -> type in the user interface. What is missing here (objects, not indexed) has no field."""

_META: tuple[Json, ...] = (
    {"name": "_id", "type": "string", "esTypes": ["_id"], "searchable": True, "aggregatable": True},
    {"name": "_index", "type": "string", "esTypes": ["_index"], "searchable": True, "aggregatable": True},
    {"name": "_score", "type": "number", "searchable": False, "aggregatable": False},
    {"name": "_source", "type": "_source", "esTypes": ["_source"], "searchable": False, "aggregatable": False},
)


def templates() -> Traversable:
    """The folder of index templates that the store installs."""
    return files("ttyscribe_store").joinpath("templates")


def field_mappings(kind: str, folder: Traversable | None = None) -> dict[str, Json]:
    """Each field of documents of a kind and its mapping, aliases resolved, as the template and its components give."""
    folder = folder or templates()
    index = _read(folder, f"index.ttyscribe-{kind}.json")
    parts = [_read(folder, f"component.{name}.json") for name in index["composed_of"]] + [index]
    found: dict[str, Json] = {}
    for part in parts:
        _flatten(part["template"].get("mappings", {}).get("properties", {}), "", found)
    return {name: found[leaf["path"]] if leaf["type"] == "alias" else leaf for name, leaf in sorted(found.items())}


def _read(folder: Traversable, name: str) -> Json:
    loaded: Json = json.loads(folder.joinpath(name).read_text("utf-8"))
    return loaded


def _flatten(properties: Json, above: str, found: dict[str, Json]) -> None:
    for name, leaf in properties.items():
        if "properties" in leaf:
            _flatten(leaf["properties"], f"{above}{name}.", found)
        else:
            found[above + name] = leaf


def aggregatable(leaf: Json) -> bool:
    """Tell whether values of a field can be grouped and measured."""
    return leaf["type"] in _SHOWN_TYPES and leaf["type"] != "text" and leaf.get("doc_values", True)


def field_list(mappings: dict[str, Json]) -> list[Json]:
    """The field list of an index pattern, ordered by name."""
    common: Json = {"count": 0, "scripted": False}
    shown: list[Json] = [dict(meta, readFromDocValues=False) | common for meta in _META]
    for name, leaf in mappings.items():
        if leaf["type"] not in _SHOWN_TYPES:
            continue
        shown.append(
            {
                "name": name,
                "type": _SHOWN_TYPES[leaf["type"]],
                "esTypes": [leaf["type"]],
                "searchable": leaf.get("index", True),
                "aggregatable": aggregatable(leaf),
                "readFromDocValues": aggregatable(leaf),
            }
            | common
        )
    return sorted(shown, key=lambda field: str(field["name"]))
