# SPDX-License-Identifier: Apache-2.0
"""Makes a document of the filters fit the engines' mappings: they refuse one in which an object stands where a word is
declared, or a word where an object is, and names with nothing between two dots.

What doesn't fit is taken out and told, so that it can be kept among the undefined fields.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

Tree = dict[str, Any]
"""Of the declared fields of an object by name: None for a field, else the tree of an object."""

_ANY = ("object", "flattened")
"""Types that take any object."""
_FOLDER = "templates"
_ENGINES_OWN = (
    *("_id", "_index", "_type", "_source", "_routing", "_version", "_seq_no", "_primary_term", "_size", "_tier"),
    *("_doc_count", "_field_names", "_ignored", "_ignored_source", "_nested_path", "_feature", "_inference_fields"),
    *("_data_stream_timestamp",),
)
"""Names that engines give to what they know of a document themselves."""


@cache
def tree(kind: str) -> Tree:
    """The fields of one kind of document, as its index template declares them."""
    folder = files("ttyscribe_store").joinpath(_FOLDER)
    index = json.loads(folder.joinpath(f"index.ttyscribe-{kind}.json").read_text("utf-8"))
    made: Tree = {}
    for name in index["composed_of"]:
        part = json.loads(folder.joinpath(f"component.{name}.json").read_text("utf-8"))
        _add(made, part["template"].get("mappings", {}).get("properties", {}))
    _add(made, index["template"]["mappings"]["properties"])
    return made


def _add(made: Tree, properties: dict[str, Any]) -> None:
    for name, entry in properties.items():
        if "properties" in entry:
            _add(made.setdefault(name, {}), entry["properties"])
        else:
            made[name] = entry["type"]


def fit(made: dict[str, Any], declared: Tree) -> dict[str, Any]:
    """Take out of a document what its engine would refuse it for; the values by their paths."""
    taken: dict[str, Any] = {name: made.pop(name) for name in _ENGINES_OWN if name in made}
    _fit(made, declared, "", taken)
    return taken


def _fit(made: dict[str, Any], declared: Tree, above: str, taken: dict[str, Any]) -> None:
    unfit = [name for name, value in made.items() if not _fits(name, value, declared, above, taken)]
    for name in unfit:
        taken[above + name] = made.pop(name)


def _fits(name: str, value: Any, declared: Tree, above: str, taken: dict[str, Any]) -> bool:
    """Whether a field may stay; what does not fit inside an object is taken out of that."""
    wanted: Any = declared.get(name)
    if wanted is None and ("." in name or not name.strip()):
        parts = name.split(".")
        if not all(part.strip() for part in parts):
            return False
        wanted = declared
        for part in parts:
            if type(wanted) is not dict:
                return False
            wanted = wanted.get(part)
            if wanted is None:
                return True
    if wanted is None or value is None:
        return True
    if type(wanted) is dict:
        if type(value) is dict:
            _fit(value, wanted, f"{above}{name}.", taken)
        return type(value) is dict
    if wanted == "object":
        return True
    if wanted == "flattened":
        return type(value) is dict
    return wanted != "alias" and type(value) is not dict and not (type(value) is list and _has_container(value))


def _has_container(values: list[Any]) -> bool:
    return any(type(value) is dict or (type(value) is list and _has_container(value)) for value in values)
