# SPDX-License-Identifier: Apache-2.0
"""Index templates: those that come with the package, and whether they are the ones in force on an engine.

`setup` writes only what differs, and never takes a newer version back; `verify` asks the engine itself, by a
simulation, what an index of ours would be made of.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.transport import Transport

_FOLDER = "templates"
_OWNER = "ttyscribe"
FLATTENED = "flattened"
"""Elasticsearch's name of an object of any names whose values are found. It stands in the templates as shipped."""
_FLAT: dict[str, dict[str, Any]] = {
    FLATTENED: {},
    "flat_object": {"type": "flat_object"},
    "object": {"type": "object", "enabled": False},
}
"""The same in the words of each engine, tried in this order: Elasticsearch, OpenSearch 2.7 and later, older ones."""


class Template(NamedTuple):
    """One template as it goes to the engine."""

    kind: str
    """`component` or `index`."""
    name: str
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is on the engine."""
        return f"/_{self.kind}_template/{self.name}"


@cache
def _shipped() -> tuple[tuple[str, str, str], ...]:
    """Kind, name and text of each template in the package, components first because index templates name them."""
    found = []
    for entry in files(__package__).joinpath(_FOLDER).iterdir():
        if entry.name.endswith(".json"):
            kind, _, name = entry.name.removesuffix(".json").partition(".")
            found.append((kind, name, entry.read_text("utf-8")))
    return tuple(sorted(found))


def load(prefix: str = "") -> list[Template]:
    """The package's templates, under the names that they have with this prefix."""
    return [Template(kind, prefix + name, _prefixed(json.loads(text), prefix)) for kind, name, text in _shipped()]


def _prefixed(body: dict[str, Any], prefix: str) -> dict[str, Any]:
    if "index_patterns" in body:
        body["index_patterns"] = [prefix + pattern for pattern in body["index_patterns"]]
        body["composed_of"] = [prefix + name for name in body["composed_of"]]
        body["template"]["aliases"] = {prefix + name: alias for name, alias in body["template"]["aliases"].items()}
    return body


def field_types(properties: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of every field in a mapping."""
    for name, entry in properties.items():
        if "properties" in entry:
            yield from field_types(entry["properties"], f"{above}{name}.")
        else:
            yield above + name, str(entry.get("type", "object"))


def is_type(there: str, wanted: str) -> bool:
    """Tell whether an engine's type of a field is what our template asks for."""
    return there in _FLAT if wanted == FLATTENED else there == wanted


def _installed(transport: Transport, template: Template) -> dict[str, Any] | None:
    """The mark of the template of that name on the engine; None = there is none, {} = it is not ours."""
    found = transport.call("GET", template.path, absent=True)
    entries = (found or {}).get(f"{template.kind}_templates", [])
    if not entries:
        return None
    meta = entries[0].get(f"{template.kind}_template", {}).get("_meta")
    return meta if isinstance(meta, dict) and meta.get("managed_by") == _OWNER else {}


def setup(transport: Transport, prefix: str) -> list[str]:
    """Install what is missing or older; one line for each template written.

    Raises `ConfigError` where a template of that name is somebody else's.
    """
    lines = []
    for template in load(prefix):
        mark, ours = _installed(transport, template), template.body["_meta"]
        if mark == {}:
            raise ConfigError(f"{transport.address}: {template.kind} template {template.name} exists and is not ours")
        if mark and (mark["sha256"] == ours["sha256"] or mark["version"] > ours["version"]):
            continue
        _put(transport, template)
        done = "updated" if mark else "installed"
        lines.append(f"{done} {template.kind} template {template.name}, version {ours['version']}")
    return lines


def _put(transport: Transport, template: Template) -> None:
    """Write one template, with the type that the engine has for `flattened`."""
    *tried, last = _variants(template.body)
    for name, body in tried:
        try:
            transport.call("PUT", template.path, body)
        except Unavailable as error:
            if f"type [{name}]" not in str(error):
                raise
        else:
            return
    transport.call("PUT", template.path, last[1])


def _variants(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A template in each engine's words, and the type that tells them apart; one where there is nothing to choose."""
    if not any(kind == FLATTENED for _, kind in field_types(_properties(body))):
        return [("", body)]
    return [(name, body if name == FLATTENED else _replaced(body, leaf)) for name, leaf in _FLAT.items()]


def _properties(body: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["template"].get("mappings", {}).get("properties", {})
    return found


def _replaced(value: Any, leaf: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if value.get("type") == FLATTENED:
        return leaf
    return {name: _replaced(entry, leaf) for name, entry in value.items()}


def verify(transport: Transport, prefix: str) -> None:
    """Raise `Unavailable` where an index of ours is, or would be, made by other templates than ours."""
    advice = f"run `ttyscribe setup --store {transport.address}`"
    templates = load(prefix)
    parts = {template.name: template for template in templates if template.kind == "component"}
    for template in templates:
        if template.kind == "index":
            problem = _problem(transport, template, parts)
            if problem:
                raise Unavailable(f"{transport.address}: index template {template.name} {problem}: {advice}")
    strange = _strange_index(transport, prefix, [one for one in templates if one.kind == "index"])
    if strange:
        text = f"index {strange} was not made by our template: reindex or delete it, and {advice}"
        raise Unavailable(f"{transport.address}: {text}")


def _strange_index(transport: Transport, prefix: str, templates: Sequence[Template]) -> str:
    """An index under our names whose mapping lacks the mark of the template that should have made it; empty: none."""
    pattern, lenient = f"/{prefix}ttyscribe-*", "ignore_unavailable=true&allow_no_indices=true"
    names = transport.call("GET", f"{pattern}/_alias?{lenient}", absent=True) or {}
    # Whole mappings of years of indices would be megabytes.
    marks = transport.call("GET", f"{pattern}/_mapping?{lenient}&filter_path=*.mappings._meta", absent=True) or {}
    own = {one.body["index_patterns"][0].removesuffix("*"): one.body["_meta"]["template"] for one in templates}
    for name in sorted(map(str, names)):
        mark = _mark(marks.get(name, {}).get("mappings", {}))
        wanted = own[max((one for one in own if name.startswith(one)), key=len)]  # the most special one makes it
        if mark.get("template", wanted if mark else "") != wanted:
            return name
    return ""


def _mark(mappings: Mapping[str, Any]) -> dict[str, Any]:
    """The mark that our index template leaves in a mapping; empty where it did not make it."""
    mark = mappings.get("_meta", {}).get(_OWNER, {})
    return mark if isinstance(mark, dict) and mark.get("managed_by") == _OWNER else {}


def _problem(transport: Transport, template: Template, parts: Mapping[str, Template]) -> str:
    """What is wrong with one kind's template on the engine; empty if it is in force."""
    sample = template.body["index_patterns"][0].replace("*", "2000.01")
    resolved = transport.call("POST", f"/_index_template/_simulate_index/{sample}", absent=True) or {}
    mappings = resolved.get("template", {}).get("mappings", {})
    mark, ours = _mark(mappings), template.body["_meta"]
    if not mark:
        return "is not in force" if mappings else "is missing"
    if mark["version"] > ours["version"]:
        return ""
    if mark["sha256"] != ours["sha256"]:
        return f"is another one than this version's ({mark['version']}, not {ours['version']})"
    bodies = [*(parts[name].body for name in template.body["composed_of"]), template.body]
    wanted = {pair for body in bodies for pair in field_types(_properties(body))}
    there = dict(field_types(mappings.get("properties", {})))
    missing = sorted((name, kind) for name, kind in wanted if not is_type(there.get(name, ""), kind))
    return f"has been changed: {missing[0][0]} is no {missing[0][1]}" if missing else ""
