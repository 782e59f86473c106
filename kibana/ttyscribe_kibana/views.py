# SPDX-License-Identifier: Apache-2.0
"""The fields that a data view gives: of one kind, or of all kinds at once."""

from importlib.resources.abc import Traversable
from typing import Any

from ttyscribe_kibana.mapping import field_mappings, templates
from ttyscribe_kibana.panels import DataView

Json = dict[str, Any]

ALL = "*"
_FIRST, _LAST = "index.ttyscribe-", ".json"
_OTHERS = "others"
"""The template for kinds that operators make: no kind of that name exists."""


def view_mappings(view: DataView, folder: Traversable | None = None) -> dict[str, Json]:
    """Each field that documents of a view may have. ValueError where kinds differ over one: no view can hold that."""
    if view.kind != ALL:
        return field_mappings(view.kind, folder)
    found: dict[str, Json] = {}
    for kind in _kinds(folder or templates()):
        for name, leaf in field_mappings(kind, folder).items():
            if found.setdefault(name, leaf)["type"] != leaf["type"]:
                raise ValueError(f"{name} is {leaf['type']} in kind {kind} and {found[name]['type']} in another one")
    return dict(sorted(found.items()))


def _kinds(folder: Traversable) -> list[str]:
    names = (entry.name for entry in folder.iterdir())
    kinds = (name[len(_FIRST) : -len(_LAST)] for name in names if name.startswith(_FIRST) and name.endswith(_LAST))
    return sorted(kind for kind in kinds if kind != _OTHERS)
