# SPDX-License-Identifier: Apache-2.0
"""Reads what an engine has of ours."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ttyscribe_store.derive import lease
from ttyscribe_store.install import indices, objects
from ttyscribe_store.install.lifecycle import POLICIES, Care
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.patterns import Other
from ttyscribe_store.install.probe import Abilities
from ttyscribe_store.transport import Transport

LENIENT = "ignore_unavailable=true&allow_no_indices=true&expand_wildcards=open,closed"
_AT_ONCE = 40
"""Indices named in one request; the engines take no longer line."""
_PRIORITY = "index_template.priority"


def templates(transport: Transport, prefix: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Bodies of all templates that bear our names, by kind and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for kind in ("component", "index"):
        answer = transport.call("GET", objects.path_of(kind, f"{prefix}ttyscribe-*"), absent=True) or {}
        for entry in answer.get(f"{kind}_templates", ()):
            found[kind, entry["name"]] = entry[f"{kind}_template"]
    return found


def others(transport: Transport) -> list[Other]:
    """All index templates there are, ours and others'."""
    parts = ",".join(f"index_templates.{part}" for part in ("name", "index_template.index_patterns", _PRIORITY))
    answer = transport.call("GET", f"/_index_template?filter_path={parts}", absent=True) or {}
    found = []
    for entry in answer.get("index_templates", ()):
        template = entry["index_template"]
        patterns: Any = template["index_patterns"]
        listed = tuple(patterns) if isinstance(patterns, list) else (patterns,)
        found.append(Other(entry["name"], listed, int(template.get("priority") or 0)))
    return found


def mappings(
    transport: Transport, marks: Mapping[str, Mapping[str, Any]], wanted: Sequence[Asset]
) -> dict[str, Mapping[str, Any]]:
    """Mappings of those indices of ours that another version of a template made than the wanted one, by name."""
    old = []
    for name, mark in marks.items():
        template = indices.template_of(name, wanted)
        if mark and template is not None and mark.get("sha256") != template.mark["sha256"]:
            old.append(name)
    found: dict[str, Mapping[str, Any]] = {}
    for at in range(0, len(old), _AT_ONCE):
        answer = transport.call("GET", f"/{','.join(old[at : at + _AT_ONCE])}/_mapping?{LENIENT}", absent=True) or {}
        found |= {name: entry.get("mappings", {}) for name, entry in answer.items()}
    return found


def policies(transport: Transport, prefix: str, abilities: Abilities) -> dict[tuple[str, str], dict[str, Any]]:
    """Bodies of the lifecycle policies that bear our names, by kind and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in (prefix + one for one in POLICIES):
        if abilities.ilm:
            answer = transport.call("GET", objects.path_of("ilm", name), absent=True) or {}
            found |= {("ilm", name): {"policy": answer[name]["policy"]}} if name in answer else {}
        if abilities.ism:
            answer = transport.call("GET", objects.path_of("ism", name), absent=True) or {}
            found |= {("ism", name): answer} if "policy" in answer else {}
    return found


def streams(transport: Transport, prefix: str, assets: Iterable[tuple[str, str]]) -> list[str]:
    """Data streams that our templates make."""
    own = {name for kind, name in assets if kind == "index"}
    answer = transport.call("GET", f"/_data_stream/{prefix}ttyscribe-*", absent=True) or {}
    return sorted(str(one["name"]) for one in answer.get("data_streams", ()) if one.get("template") in own)


def leases(transport: Transport, prefix: str) -> list[str]:
    """The index in which indexers agree who derives, where one has been there."""
    return sorted(transport.call("GET", f"/{prefix}{lease.INDEX}", absent=True) or ())


def care(transport: Transport, prefix: str, marks: Mapping[str, Mapping[str, Any]], abilities: Abilities) -> Care:
    """What looks after the indices of ours."""
    pattern, found = f"{prefix}ttyscribe-*", {}
    retentions: dict[str, str] = {}
    if abilities.ilm:
        name = "index.lifecycle.name"
        answer = transport.call("GET", f"/{pattern}/_settings/{name}?{LENIENT}&flat_settings=true", absent=True) or {}
        found = {index: str(entry.get("settings", {}).get(name, "")) for index, entry in answer.items()}
    elif abilities.ism:
        answer = transport.call("GET", f"/_plugins/_ism/explain/{pattern}", absent=True) or {}
        found = {index: str(entry.get(_ISM) or "") for index, entry in answer.items() if isinstance(entry, dict)}
    if abilities.ilm or abilities.ism:
        own = {prefix + one for one in POLICIES}
        ours = {index for index, mark in marks.items() if mark} | {index for index in found if found[index] in own}
        found = {index: found.get(index, "") for index in sorted(ours)}
    if abilities.stream_lifecycle:
        answer = transport.call("GET", f"/_data_stream/{pattern}/_lifecycle", absent=True) or {}
        for one in answer.get("data_streams", ()):
            retentions[one["name"]] = str(one.get("lifecycle", {}).get("data_retention", ""))
    return Care(abilities.ism and not abilities.ilm, found, retentions)


_ISM = "index.plugins.index_state_management.policy_id"
