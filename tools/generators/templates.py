# SPDX-License-Identifier: Apache-2.0
"""Index templates for Elasticsearch and OpenSearch.

One component template for the settings and one for each namespace; one index template for each kind. Only what a bare
Elasticsearch 7.10 to 9 and OpenSearch 1 to 3 all take: no plugin's field type, no script, no lifecycle policy. The one
type that has a name on each side is `flattened`: the loader puts the engine's own in its place. Names carry no prefix:
the loader puts the store's own before them.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.generators.fields import Field, Kind, Model, Namespace, load

FOLDER = "store/ttyscribe_store/templates"
PRIORITY = 250
"""Above what the engines and their agents install (100 and 200)."""
OTHERS = "others"
"""Name of the index template for kinds of other packages; no kind may have it."""
SAFE_KEYWORD = 8191
"""Characters of a keyword that stay below Lucene's 32,766 bytes in any script; longer values are kept, not indexed."""

MAPPINGS: dict[str, dict[str, Any]] = {
    "keyword": {"type": "keyword", "ignore_above": SAFE_KEYWORD},
    "text": {"type": "text", "norms": False},
    "words": {"type": "text", "analyzer": "whitespace", "norms": False},
    "time": {"type": "date_nanos"},
    "date": {"type": "date"},
    "long": {"type": "long"},
    "double": {"type": "double"},
    "ip": {"type": "ip"},
    "stored": {"type": "keyword", "index": False, "doc_values": False},
    "bytes": {"type": "object", "enabled": False},
    "object": {"type": "object", "enabled": False},
    "flattened": {"type": "flattened", "ignore_above": SAFE_KEYWORD},
}

SETTINGS: dict[str, Any] = {
    "index": {
        "number_of_shards": 1,
        "auto_expand_replicas": "0-1",
        "refresh_interval": "5s",
        "codec": "best_compression",
        "mapping": {"ignore_malformed": True},
    }
}
"""`ignore_malformed`: a value that its type can't hold is kept in the source; the document is not refused for it."""


def _put(tree: dict[str, Any], path: list[str], leaf: dict[str, Any]) -> None:
    """Set one field's mapping, with the objects above it."""
    clash = f"{'.'.join(path)} is both a field and an object, or stands twice"
    for part in path[:-1]:
        node = tree.setdefault(part, {"properties": {}})
        if "type" in node:
            raise ValueError(clash)
        tree = node["properties"]
    if path[-1] in tree:
        raise ValueError(clash)
    tree[path[-1]] = leaf


def properties(fields: list[Field], aliases: Mapping[str, str]) -> dict[str, Any]:
    """The mapping of fields and of aliases, which are names and the fields that they stand for."""
    tree: dict[str, Any] = {}
    for field in fields:
        _put(tree, field.path, dict(MAPPINGS[field.type]))
    for name, path in aliases.items():
        _put(tree, name.split("."), {"type": "alias", "path": path})
    return tree


def _meta(body: dict[str, Any], version: int) -> dict[str, Any]:
    """The body with the mark that tells it is ours and what exactly it holds."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    mark = {"managed_by": "ttyscribe", "version": version, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return {**body, "version": version, "_meta": mark}


def component(namespace: Namespace, version: int) -> dict[str, Any]:
    """The component template of one namespace. Aliases are the kind's matter: what is one here is a field there."""
    return _meta({"template": {"mappings": {"properties": properties(list(namespace.fields), {})}}}, version)


def settings(version: int) -> dict[str, Any]:
    """The component template that all kinds share."""
    return _meta({"template": {"settings": SETTINGS}}, version)


def index(kind: Kind, components: dict[str, dict[str, Any]], version: int) -> dict[str, Any]:
    """The index template of one kind.

    Its hash covers its components', and stands in the mapping once more: there it shows, in a simulation and in an
    index, that this template and no other made it.
    """
    properties(kind.fields, kind.aliases)  # raises where two namespaces contradict each other
    mappings = {**_mappings(kind), "properties": properties([], kind.aliases)}
    template = {"mappings": mappings, "aliases": {f"ttyscribe-{kind.name}": {}}}
    return _index(f"ttyscribe-{kind.name}-*", PRIORITY, kind, template, components, version)


def others(model: Model, components: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The index template of kinds that other packages bring: the fields of every document, and theirs as they come."""
    first, *rest = (kind for kind in model.kinds.values() if not kind.derived)
    shared = tuple(one for one in first.namespaces if all(one in kind.namespaces for kind in rest))
    kind = Kind(OTHERS, "", "", shared)
    text = {"match_mapping_type": "string", "mapping": MAPPINGS["keyword"]}
    mappings = {**_mappings(kind), "dynamic": True, "dynamic_templates": [{"text": text}]}
    mappings["properties"] = properties([], kind.aliases)
    return _index("ttyscribe-*", PRIORITY - 2, kind, {"mappings": mappings, "aliases": {}}, components, model.version)


def _mappings(kind: Kind) -> dict[str, Any]:
    excluded = [field.name for field in kind.fields if field.type == "words"]
    return {"dynamic": False, "date_detection": False, "_source": {"excludes": excluded}}


def _index(
    pattern: str,
    priority: int,
    kind: Kind,
    template: dict[str, Any],
    components: dict[str, dict[str, Any]],
    version: int,
) -> dict[str, Any]:
    """An index template of a kind's components, with its mark."""
    parts = ["ttyscribe-settings", *(f"ttyscribe-fields-{namespace.name}" for namespace in kind.namespaces)]
    body = {"index_patterns": [pattern], "priority": priority, "composed_of": parts, "template": template}
    hashes = {name: components[name]["_meta"]["sha256"] for name in parts}
    mark = {**_meta({**body, "hashes": hashes}, version)["_meta"], "template": kind.name}
    marked = {**template, "mappings": {**template["mappings"], "_meta": {"ttyscribe": mark}}}
    return {**body, "template": marked, "version": version, "_meta": mark}


def templates(model: Model) -> dict[str, dict[str, Any]]:
    """Every template by file name."""
    components = {"ttyscribe-settings": settings(model.version)}
    for namespace in model.namespaces.values():
        components[f"ttyscribe-fields-{namespace.name}"] = component(namespace, model.version)
    made = {f"component.{name}.json": body for name, body in components.items()}
    for kind in model.kinds.values():
        made[f"index.ttyscribe-{kind.name}.json"] = index(kind, components, model.version)
    made[f"index.ttyscribe-{OTHERS}.json"] = others(model, components)
    return made


def files(root: Path) -> dict[str, str]:
    """Path and text of each template."""
    made = templates(load(root))
    return {f"{FOLDER}/{name}": json.dumps(body, indent=1) + "\n" for name, body in made.items()}
