# SPDX-License-Identifier: Apache-2.0
"""The objects that we put on an engine: index templates and lifecycle policies, and the marks that they carry.

Pure. A mark (`_meta`) says whose an object is, of which version, and what we wrote: a body that no longer
fits its mark was edited by somebody.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

OWNER = "ttyscribe"
PRIORITY = 250
"""Of the kinds' index templates as shipped; that of other packages' kinds is two below."""
WRITTEN = "written"
"""Key of the mark: what the body was when we wrote it."""
_FOLDER = "templates"
_ENGINES_OWN = ("created_date_millis", "modified_date_millis", "created_date", "modified_date")


class Asset(NamedTuple):
    """One object as it goes to the engine."""

    kind: str
    """`component`, `index`, `ilm` or `ism`."""
    name: str
    """As the engine has it, prefix included."""
    body: dict[str, Any]

    @property
    def path(self) -> str:
        """Where it is on the engine."""
        return path_of(self.kind, self.name)

    @property
    def mark(self) -> dict[str, Any]:
        """Its mark."""
        return mark_of(self.kind, self.body)


_PATHS = {
    "component": "/_component_template/",
    "index": "/_index_template/",
    "ilm": "/_ilm/policy/",
    "ism": "/_plugins/_ism/policies/",
}
TITLES = {"component": "component template", "index": "index template", "ilm": "ILM policy", "ism": "ISM policy"}
"""How each is called in a message."""


def path_of(kind: str, name: str) -> str:
    """Where an object is on the engine."""
    return _PATHS[kind] + name


@cache
def _shipped() -> tuple[tuple[str, str, str], ...]:
    """Kind, name and text of each template in the package, components first because index templates name them."""
    found = []
    for entry in files("ttyscribe_store").joinpath(_FOLDER).iterdir():
        if entry.name.endswith(".json"):
            kind, _, name = entry.name.removesuffix(".json").partition(".")
            found.append((kind, name, entry.read_text("utf-8")))
    return tuple(sorted(found))


def load(prefix: str = "") -> list[Asset]:
    """The package's templates, under the names that they have with this prefix."""
    return [Asset(kind, prefix + name, _prefixed(json.loads(text), prefix)) for kind, name, text in _shipped()]


def _prefixed(body: dict[str, Any], prefix: str) -> dict[str, Any]:
    if "index_patterns" in body:
        body["index_patterns"] = [prefix + pattern for pattern in body["index_patterns"]]
        body["composed_of"] = [prefix + name for name in body["composed_of"]]
        body["template"]["aliases"] = {prefix + name: alias for name, alias in body["template"]["aliases"].items()}
    return body


# ---- fields


def properties(body: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping of a template."""
    found: dict[str, Any] = body["template"].get("mappings", {}).get("properties", {})
    return found


def leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and mapping of every field."""
    for name, entry in tree.items():
        if "properties" in entry:
            yield from leaves(entry["properties"], f"{above}{name}.")
        else:
            yield above + name, entry


def field_types(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of every field in a mapping."""
    return ((path, str(entry.get("type", "object"))) for path, entry in leaves(tree, above))


def fields_of(template: Asset, parts: Mapping[str, Asset]) -> dict[str, dict[str, Any]]:
    """Every field that an index template gives, by path; `parts` are the component templates by name."""
    bodies = [*(parts[name].body for name in template.body["composed_of"]), template.body]
    return {path: entry for body in bodies for path, entry in leaves(properties(body))}


# ---- marks


def mark_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The mark in a body; empty where it is not ours."""
    if kind == "ism":
        return _spoken(str(body.get("policy", {}).get("description", "")))
    return _ours((body.get("policy", {}) if kind == "ilm" else body).get("_meta"))


def mapping_mark(mappings: Mapping[str, Any]) -> dict[str, Any]:
    """The mark that our index template leaves in an index's mapping; empty where it did not make it."""
    meta = mappings.get("_meta")
    return _ours(meta.get(OWNER)) if isinstance(meta, dict) else {}


def _ours(mark: object) -> dict[str, Any]:
    """A mark, where it is one of ours. A version that somebody made no number is older than all."""
    if not isinstance(mark, dict) or mark.get("managed_by") != OWNER:
        return {}
    return mark if type(mark.get("version")) is int else {**mark, "version": 0}


_SPOKEN = " [ttyscribe "


def spoken(text: str, mark: Mapping[str, Any]) -> str:
    """A description with a mark behind it, for an object that has no place for one."""
    return f"{text}{_SPOKEN}{json.dumps(mark, sort_keys=True, separators=(',', ':'))}]"


def _spoken(description: str) -> dict[str, Any]:
    _, there, text = description.partition(_SPOKEN)
    try:
        return _ours(json.loads(text.removesuffix("]"))) if there else {}
    except ValueError:
        return {}


def marked(asset: Asset) -> Asset:
    """The object with what it is now in its mark."""
    mark = {**asset.mark, WRITTEN: fingerprint(asset.kind, asset.body)}
    if asset.kind == "ism":
        policy = asset.body["policy"]
        text = policy["description"].partition(_SPOKEN)[0]
        return asset._replace(body={"policy": {**policy, "description": spoken(text, mark)}})
    if asset.kind == "ilm":
        return asset._replace(body={"policy": {**asset.body["policy"], "_meta": mark}})
    return asset._replace(body={**asset.body, "_meta": mark})


def is_edited(kind: str, there: Mapping[str, Any]) -> bool:
    """Tell whether an object of ours is no longer what we wrote. Marks of before could not tell."""
    mark = mark_of(kind, there)
    return WRITTEN in mark and mark[WRITTEN] != fingerprint(kind, there)


def fingerprint(kind: str, body: Mapping[str, Any]) -> str:
    """What a body holds, its own mark left out, in a form in which engines give back what they were given."""
    text = json.dumps(canonical(kind, body, mark=False), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(kind: str, body: Mapping[str, Any], *, mark: bool = True) -> dict[str, Any]:
    """A body without what engines add of their own: settings flat, every value a text."""
    if kind == "ism":
        return _canonical_ism(body["policy"], mark=mark)
    if kind == "ilm":
        policy = {name: value for name, value in body["policy"].items() if mark or name != "_meta"}
        policy["phases"] = {name: _canonical_phase(phase) for name, phase in policy.get("phases", {}).items()}
        return {"policy": _texts(policy)}
    found = {name: value for name, value in body.items() if name not in _ENGINES_OWN and (mark or name != "_meta")}
    template = dict(found.get("template") or {})
    if "settings" in template:
        template["settings"] = dict(_flat(template["settings"]))
    if isinstance(template.get("lifecycle"), dict):
        template["lifecycle"] = {name: value for name, value in template["lifecycle"].items() if name != "enabled"}
    found["template"] = {name: value for name, value in template.items() if value or name == "lifecycle"}
    plain: dict[str, Any] = _texts({name: value for name, value in found.items() if value})
    return {**plain, "data_stream": {}} if "data_stream" in body else plain


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{path}.")
        else:
            yield path if path.startswith("index.") else f"index.{path}", value


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _texts(entry) for name, entry in value.items() if entry is not None}
    if isinstance(value, list):
        return [_texts(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _canonical_phase(phase: Mapping[str, Any]) -> dict[str, Any]:
    """A phase of an ILM policy, without the defaults that the engine spells out."""
    actions = {
        name: {key: value for key, value in action.items() if (key, value) != ("delete_searchable_snapshot", True)}
        for name, action in phase.get("actions", {}).items()
    }
    return {**phase, "actions": actions}


def _canonical_ism(policy: Mapping[str, Any], *, mark: bool) -> dict[str, Any]:
    """States, actions and conditions; not the times, numbers and retries that the plugin puts beside them."""
    states = [
        {
            "name": state.get("name"),
            "actions": [
                {name: _ism_action(value) for name, value in action.items() if name not in ("retry", "timeout")}
                for action in state.get("actions", ())
            ],
            "transitions": state.get("transitions", []),
        }
        for state in policy.get("states", ())
    ]
    templates = policy.get("ism_template") or []
    kept = [
        {name: value for name, value in one.items() if name != "last_updated_time"}
        for one in (templates if isinstance(templates, list) else [templates])
    ]
    text = str(policy.get("description", ""))
    description = text if mark else text.partition(_SPOKEN)[0]
    found = {"description": description, "default_state": policy.get("default_state"), "states": states}
    plain: dict[str, Any] = _texts({**found, "ism_template": kept})
    return plain


def _ism_action(value: Any) -> Any:
    return {k: v for k, v in value.items() if k != "copy_alias"} if isinstance(value, dict) else value
