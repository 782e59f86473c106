# SPDX-License-Identifier: Apache-2.0
"""What setup installed, remembered beside it: so an operator's edit is told from our own former version.

Pure. It is a saved object of a type that every version of both products takes, a page of text; what we remember stands
in its `uiStateJSON`, which is free JSON that neither product indexes. Of each object: the digest of what was shipped,
the digest of what the server then kept (servers rewrite objects for their own version), and when it was changed last.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.bundle import CORE_VERSION as CORE
from ttyscribe_kibana.bundle import KIBANA_VERSIONS, OPENSEARCH_VERSIONS, Bundle, SavedObject
from ttyscribe_kibana.saved import Key, key_of

TYPE = "visualization"
NAME = "ttyscribe-installed"
_TEXT = """These pages were brought by `ttyscribe setup`. It remembers here what it brought.

What you edit is kept by later releases, and told; `ttyscribe setup --overwrite` takes edits back. Save a page under a
name of your own to have both."""
_COUNTED = {"fields", "fieldAttrs"}
"""Attributes of an index pattern in which the products count what is looked at."""


class Entry(NamedTuple):
    """What is remembered of one object."""

    shipped: str
    """Digest of what was sent."""
    stored: str
    """Digest of its meaning as the server kept it; empty from before it is sent until it was read back."""
    updated: str
    """When the server says that it was changed last; empty where it does not say."""


class Memory(NamedTuple):
    """All that is remembered."""

    entries: Mapping[Key, Entry]
    player_url: str


EMPTY = Memory({}, "")


def shipped_digest(saved: SavedObject) -> str:
    """Of an object as it is sent, whole."""
    return _digest([saved["attributes"], saved["references"]])


def content_digest(saved: SavedObject) -> str:
    """Of what an operator can edit: counters and the order of references are left out, JSON in strings is read."""
    attributes = {name: meaning(value) for name, value in saved["attributes"].items()}
    if saved["type"] == "index-pattern":
        labels = attributes.get("fieldAttrs")
        attributes = {name: value for name, value in attributes.items() if name not in _COUNTED}
        attributes["labels"] = _labels(labels) if isinstance(labels, dict) else {}
    return _digest([attributes, sorted(compact(one) for one in map(_pointer, saved["references"]))])


def _pointer(reference: SavedObject) -> list[str]:
    return [str(reference.get(name, "")) for name in ("name", "type", "id")]


def _labels(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What an operator said of fields, without how often they were looked at."""
    said = {
        name: {key: value for key, value in field.items() if key != "count"}
        for name, field in fields.items()
        if isinstance(field, dict)
    }
    return {name: field for name, field in said.items() if field}


def meaning(value: Any) -> Any:
    """JSON in a string as what it means: servers write it again with other blanks."""
    if isinstance(value, dict):
        return {name: meaning(inner) for name, inner in value.items()}
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest()


def key(ids: str) -> Key:
    """The object's type and id; `ids` is what the installation's ids begin with."""
    return TYPE, ids + NAME


def remembered(saved: SavedObject | None) -> Memory:
    """What the object says; nothing where it is missing or was damaged."""
    found = meaning((saved or {}).get("attributes", {}).get("uiStateJSON"))
    ours = found.get("ttyscribe") if isinstance(found, dict) else None
    if not isinstance(ours, dict) or not isinstance(ours.get("objects"), dict):
        return EMPTY
    entries = {}
    for name, values in ours["objects"].items():
        kind, _, id_ = name.partition(" ")
        if isinstance(values, list) and len(values) == len(Entry._fields) and all(isinstance(v, str) for v in values):
            entries[kind, id_] = Entry(*values)
    player = ours.get("player")
    return Memory(entries, player if isinstance(player, str) else "")


def manifest(bundle: Bundle, ids: str, memory: Memory) -> SavedObject:
    """The object that remembers it."""
    state = {"v": 1, "player": memory.player_url}
    objects = {f"{kind} {name}": list(entry) for (kind, name), entry in sorted(memory.entries.items())}
    title = "ttyscribe: what setup installed"
    text = {"fontSize": 12, "openLinksInNewTab": False, "markdown": _TEXT}
    attributes = {
        "title": title,
        "description": "",
        "visState": compact({"title": title, "type": "markdown", "aggs": [], "params": text}),
        "uiStateJSON": compact({"ttyscribe": {**state, "objects": objects}}),
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact({"query": {"query": "", "language": "kuery"}})},
    }
    kind, name = key(ids)
    saved: SavedObject = {"type": kind, "id": name, "attributes": attributes, "references": []}
    if bundle == "kibana":
        return saved | {"coreMigrationVersion": CORE, "typeMigrationVersion": KIBANA_VERSIONS[TYPE]}
    return saved | {"migrationVersion": {TYPE: OPENSEARCH_VERSIONS[TYPE]}}


def begun(ours: SavedObject) -> Entry:
    """What to remember of an object before it is sent: whoever finds this knows that the run was interrupted."""
    return Entry(shipped_digest(ours), "", "")


def entry_of(ours: SavedObject, theirs: SavedObject) -> Entry:
    """What to remember of an object that was sent and is kept as `theirs`."""
    return Entry(shipped_digest(ours), content_digest(theirs), updated_at(theirs))


def updated_at(saved: SavedObject) -> str:
    """When the server says that it was changed last."""
    found = saved.get("updated_at")
    return found if isinstance(found, str) else ""


def is_same(ours: SavedObject, theirs: SavedObject) -> bool:
    """Whether a saved object says all that ours says; attributes that servers add do not count."""
    return not differing(ours, theirs)


def differing(ours: SavedObject, theirs: SavedObject) -> list[str]:
    """Names of what differs of what ours says: attributes, and `references`."""
    kept = theirs["attributes"]
    names = [
        name for name, value in ours["attributes"].items() if name not in kept or meaning(kept[name]) != meaning(value)
    ]
    theirs_links = [_pointer(one) for one in theirs["references"]]
    has_links = all(_pointer(one) in theirs_links for one in ours["references"])
    return names + ([] if has_links else ["references"])


__all__ = [
    "EMPTY",
    "Entry",
    "Memory",
    "begun",
    "content_digest",
    "differing",
    "entry_of",
    "is_same",
    "key",
    "key_of",
    "manifest",
    "meaning",
    "remembered",
    "shipped_digest",
    "updated_at",
]
