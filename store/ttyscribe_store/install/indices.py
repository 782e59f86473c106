# SPDX-License-Identifier: Apache-2.0
"""What a changed template means for the indices that are there: new fields are added, changed ones named. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_store.install import objects
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.probe import is_type
from ttyscribe_store.install.steps import Request, Step

BACKING = ".ds-"
"""What the names of a data stream's indices begin with."""
_SHOWN = 4


class Need(NamedTuple):
    """What one index lacks."""

    missing: dict[str, dict[str, Any]]
    """Fields by path."""
    changed: dict[str, tuple[str, str]]
    """Path, and the type that is there and the one that should be."""


def template_of(name: str, templates: Iterable[Asset]) -> Asset | None:
    """The index template of ours that makes an index of this name, by the longest pattern that fits."""
    plain = name.removeprefix(BACKING)
    fitting = [
        (len(stem), template.name, template)
        for template in templates
        if template.kind == "index"
        for pattern in template.body["index_patterns"]
        if plain.startswith(stem := pattern.removesuffix("*"))
    ]
    return max(fitting)[2] if fitting else None


def need(wanted: Mapping[str, Mapping[str, Any]], mappings: Mapping[str, Any]) -> Need:
    """What an index with these mappings lacks of the wanted fields."""
    there = dict(objects.leaves(mappings.get("properties", {})))
    missing, changed = {}, {}
    for path, leaf in wanted.items():
        kind, found = str(leaf.get("type", "object")), there.get(path)
        if found is None or (kind == "alias" and found.get("type") == kind and found.get("path") != leaf.get("path")):
            if any(path.startswith(f"{other}.") or other.startswith(f"{path}.") for other in there):
                changed[path] = ("object", kind)  # an object where a field should be, or the other way round
            else:
                missing[path] = dict(leaf)
        elif not is_type(str(found.get("type", "object")), kind):
            changed[path] = (str(found.get("type", "object")), kind)
    return Need(missing, changed)


def tree(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Fields by path as properties in each other."""
    made: dict[str, Any] = {}
    for path, leaf in fields.items():
        *above, last = path.split(".")
        node = made
        for part in above:
            node = node.setdefault(part, {"properties": {}})["properties"]
        node[last] = dict(leaf)
    return made


def steps(
    wanted: Sequence[Asset], found: Mapping[str, Mapping[str, Any]], streams: Sequence[str], *, rollover: bool
) -> Iterable[Step]:
    """What the indices need whose mappings these are."""
    parts = {asset.name: asset for asset in wanted if asset.kind == "component"}
    to_roll = set()
    for name in sorted(found):
        template = template_of(name, wanted)
        if template is None or objects.mapping_mark(found[name]).get("template") != template.mark["template"]:
            continue
        lacks = need(objects.fields_of(template, parts), found[name])
        mark = objects.mapping_mark(template.body["template"]["mappings"])
        if lacks.missing or not lacks.changed:
            body: dict[str, Any] = {"properties": tree(lacks.missing)} if lacks.missing else {}
            if not lacks.changed:
                body["_meta"] = {objects.OWNER: mark}
            why = f"fields {_some(lacks.missing)}" if lacks.missing else f"version {mark['version']}"
            yield Step("map", f"index {name}", why, (Request("PUT", f"/{name}/_mapping", body),), None, body)
        if lacks.changed:
            stream = next((one for one in streams if name.startswith(f"{BACKING}{one}-")), "")
            if stream and rollover:
                to_roll.add(stream)
            else:
                yield Step("name", f"changing index {name}", _changed(lacks.changed, stream))
    for stream in sorted(to_roll):
        why = "so that what is written from now on is made by the new template"
        yield Step("roll over", f"data stream {stream}", why, (Request("POST", f"/{stream}/_rollover"),))


def _some(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")


def _changed(fields: Mapping[str, tuple[str, str]], stream: str) -> str:
    path, (there, wanted) = min(fields.items())
    more = f" and {len(fields) - 1} more fields" if len(fields) > 1 else ""
    way = "--rollover writes on in a new one" if stream else "the next one will be right"
    return f"{path} is {there} there and {wanted} now{more}: {way}; to search the old one so too, reindex it"
