# SPDX-License-Identifier: Apache-2.0
"""Whether indices of ours are, or would be, made by our templates: the engine itself is asked, by a simulation."""

from collections.abc import Mapping, Sequence
from typing import Any

from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import DERIVED
from ttyscribe_store.install import objects
from ttyscribe_store.install.indices import template_of
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.probe import is_type
from ttyscribe_store.install.render import OTHERS, PROBE
from ttyscribe_store.partition import MONTHLY, STREAM
from ttyscribe_store.shape import sound
from ttyscribe_store.transport import Transport

_LENIENT = "ignore_unavailable=true&allow_no_indices=true"


def verify(transport: Transport, prefix: str) -> str:
    """The layout in use. Raises `Unavailable` where an index of ours is, or would be, made by other templates."""
    templates = objects.load(prefix)
    with sound(transport):
        layout = in_force(transport, templates)
        strange = strange_indices(*read_marks(transport, prefix), templates)
    if strange:
        text = f"index {strange[0]} was not made by our template: reindex or delete it, and {_advice(transport)}"
        raise Unavailable(f"{transport.address}: {text}")
    return layout


def in_force(transport: Transport, templates: Sequence[Asset]) -> str:
    """The layout in use. Raises `Unavailable` where an index of ours would be made by other templates."""
    parts = {template.name: template for template in templates if template.kind == "component"}
    layouts = []
    for template in templates:
        if template.kind == "index":
            problem, layout = _simulated(transport, template, parts)
            if problem:
                where = f"{transport.address}: index template {template.name}"
                raise Unavailable(f"{where} {problem}: {_advice(transport)}")
            layouts.append(layout)
    return layouts[0] if layouts else MONTHLY


def _advice(transport: Transport) -> str:
    return f"run `ttyscribe setup --store {transport.address}`"


def read_marks(transport: Transport, prefix: str) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """Names of all indices under our names, and the marks of those that have one."""
    pattern = f"/{prefix}ttyscribe-*"
    names = transport.call("GET", f"{pattern}/_alias?{_LENIENT}", absent=True) or {}
    # Whole mappings of years of indices would be megabytes.
    found = transport.call("GET", f"{pattern}/_mapping?{_LENIENT}&filter_path=*.mappings._meta", absent=True) or {}
    marks = {name: objects.mapping_mark(entry.get("mappings", {})) for name, entry in found.items()}
    return sorted({*map(str, names), *map(str, found)}), marks


def strange_indices(
    names: Sequence[str], marks: Mapping[str, Mapping[str, Any]], templates: Sequence[Asset]
) -> list[str]:
    """Indices under our names that lack the mark of the template that should have made them."""
    strange = []
    for name in names:
        mark, template = marks.get(name, {}), template_of(name, templates)
        wanted = template.mark["template"] if template else ""
        if mark.get("template", wanted if mark else "") != wanted:
            strange.append(name)
    return strange


def _simulated(transport: Transport, template: Asset, parts: Mapping[str, Asset]) -> tuple[str, str]:
    """What is wrong with one kind's template on the engine, empty if it is in force; and its layout."""
    wanted = {path: str(leaf.get("type", "object")) for path, leaf in objects.fields_of(template, parts).items()}
    (pattern,) = template.body["index_patterns"]
    problem, mark = _resolved(transport, pattern.replace("*", "2000.01"), template, wanted)
    layout = str(mark.get("layout", MONTHLY))
    if not problem and layout == STREAM and template.mark["template"] not in DERIVED:
        stem = pattern.replace("*", "another-" if template.mark["template"] == OTHERS else "")
        problem, mark = _resolved(transport, stem + PROBE, template, wanted)
        if not problem and not mark.get("stream"):
            problem = "would make no data stream"
    return problem, layout


def _resolved(
    transport: Transport, sample: str, template: Asset, wanted: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """What is wrong with the template that would make an index of that name, and its mark."""
    resolved = transport.call("POST", f"/_index_template/_simulate_index/{sample}", absent=True) or {}
    mappings = resolved.get("template", {}).get("mappings", {})
    mark, ours = objects.mapping_mark(mappings), template.mark
    if not mark:
        return "is not in force" if mappings else "is missing", mark
    if mark.get("version", 0) > ours["version"]:
        return "", mark
    if mark.get("template", ours["template"]) != ours["template"]:
        return f"is not in force: that of {mark['template']} is", mark
    there = dict(objects.field_types(mappings.get("properties", {})))
    wrong = sorted(path for path, kind in wanted.items() if not is_type(there.get(path, ""), kind))
    if not wrong:
        return "", mark
    if mark.get("sha256") != ours["sha256"]:
        return f"is another one than this version's ({mark.get('version')}, not {ours['version']})", mark
    return f"has been changed: {wrong[0]} is no {wanted[wrong[0]]}", mark
