# SPDX-License-Identifier: Apache-2.0
"""What a data view gives beside the fields of one kind: all kinds at once, and numbers computed when asked."""

from importlib.resources.abc import Traversable
from typing import Any

from ttyscribe_kibana.mapping import field_mappings, templates
from ttyscribe_kibana.panels import Computed, DataView

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


def runtime_fields(view: DataView) -> Json:
    """The computed numbers as Kibana keeps them; it sends them along with each request."""
    return {
        one.name: {"type": "long", "script": {"source": f"if ({_guard(one)}) {{ emit({one.script}) }}"}}
        for one in view.computed
    }


def computed_list(view: DataView) -> list[Json]:
    """The computed numbers as entries of an index pattern's field list, for what knows no runtime fields."""
    return [
        {
            "name": one.name,
            "type": "number",
            "count": 0,
            "scripted": True,
            "script": f"if ({_guard(one)}) {{ return {one.script} }} return null",
            "lang": "painless",
            "searchable": True,
            "aggregatable": True,
            "readFromDocValues": False,
        }
        for one in view.computed
    ]


def _guard(one: Computed) -> str:
    """Whether a document has what the script reads: an index may lack the field altogether."""
    return " && ".join(f"doc.containsKey('{field}') && doc['{field}'].size() > 0" for field in one.needs)
