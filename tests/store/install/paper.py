# SPDX-License-Identifier: Apache-2.0
"""An engine on paper: what Elasticsearch and OpenSearch answer that have the plugins which bare nodes lack.

Written from their published documentation: ILM, ISM, data streams and their lifecycle, and the refusals of what is in
use. What a body must be is said by the schemas in `tests/data/schemas`.
"""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import jsonschema

from ttyscribe_store.transport import JSON, Answer, Transport

SCHEMAS = Path(__file__).resolve().parents[2] / "data/schemas"


def valid(name: str, body: Any) -> None:
    """Hold a body against a schema."""
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.validate(body, schema)


_Handler = Callable[[str, list[str], dict[str, list[str]], Any], Any]


class Index(NamedTuple):
    """One index."""

    mappings: dict[str, Any]
    settings: dict[str, Any]
    """Flat."""


class Refused(Exception):
    """An answer that is no success."""


class Paper(Transport):
    """A transport that leads nowhere; `writes` is what it was asked to change."""

    def __init__(self, *has: str) -> None:
        self.address = "http://paper"  # type: ignore[assignment]
        self.has = set(has)
        self.templates: dict[str, dict[str, dict[str, Any]]] = {"component": {}, "index": {}}
        self.policies: dict[str, dict[str, Any]] = {}
        self.indices: dict[str, Index] = {}
        self.streams: dict[str, dict[str, str]] = {}
        self.aliases: dict[str, set[bool]] = {}
        self.writes: list[str] = []

    def request(self, method: str, target: str, body: bytes | None = None, content_type: str = JSON) -> Answer:
        """Answer as the engine would."""
        path, _, query = target.partition("?")
        if method != "GET" and "_simulate" not in path:
            self.writes.append(f"{method} {target}")
        try:
            parts = path.strip("/").split("/")
            found = self._answer(method, parts, parse_qs(query), json.loads(body) if body else None)
        except Refused as refusal:
            status, reason = refusal.args
            error = {"type": "refused", "reason": reason}
            return Answer(status, json.dumps({"error": error, "status": status}).encode(), 0.0)
        return Answer(200, json.dumps({"acknowledged": True} if found is None else found).encode(), 0.0)

    def _answer(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        handlers: dict[str, _Handler] = {
            "_component_template": self._template,
            "_index_template": self._template,
            "_ilm": self._ilm,
            "_plugins": self._ism,
            "_data_stream": self._data_stream,
        }
        handler: _Handler = handlers.get(parts[0], self._index)
        return handler(method, parts, query, body)

    # ---- templates

    def _template(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        kind = parts[0].split("_")[1]
        known = self.templates[kind]
        if "_simulate" in parts:
            self._check_types(body["template"]["mappings"]["properties"])
            return {}
        if "_simulate_index" in parts:
            return {"template": self._merged(parts[-1])}
        name = parts[1] if len(parts) > 1 else "*"
        if method == "GET":
            hits = sorted(one for one in known if fnmatchcase(one, name))
            return {f"{kind}_templates": [{"name": one, f"{kind}_template": known[one]} for one in hits]}
        if method == "PUT":
            self._put(kind, name, body)
        elif name not in known:
            raise Refused(404, "no such template")
        else:
            self._drop(kind, name)
        return None

    def _check_types(self, properties: dict[str, Any]) -> None:
        for entry in properties.values():
            if entry.get("type") == "flat_object":
                raise Refused(400, "No handler for type [flat_object] declared on field [field]")

    def _put(self, kind: str, name: str, body: dict[str, Any]) -> None:
        for part in body.get("composed_of", ()):
            if part not in self.templates["component"]:
                raise Refused(400, f"component template {part} is missing")
        for other, there in self.templates["index"].items() if kind == "index" else ():
            if other != name and there["priority"] == body["priority"] and _overlap(there, body):
                raise Refused(400, f"{name} would have the same priority as {other}")
        if "data_stream" in body and "streams" not in self.has:
            raise Refused(400, "no data streams")
        self.templates[kind][name] = json.loads(json.dumps(body))

    def _drop(self, kind: str, name: str) -> None:
        if kind == "component" and any(name in one["composed_of"] for one in self.templates["index"].values()):
            raise Refused(400, f"component template {name} is in use")
        there = self.templates[kind][name]
        if "data_stream" in there and any(_fits(there, one) for one in self.streams):  # so OpenSearch 2.19
            raise Refused(400, f"template {name} is in use by a data stream")
        del self.templates[kind][name]

    def _for(self, name: str) -> dict[str, Any]:
        fitting = [
            one for one in self.templates["index"].values() if any(fnmatchcase(name, p) for p in one["index_patterns"])
        ]
        return max(fitting, key=lambda one: int(one["priority"])) if fitting else {}

    def _merged(self, name: str) -> dict[str, Any]:
        chosen = self._for(name)
        if not chosen:
            return {}
        properties: dict[str, Any] = {}
        for body in (*(self.templates["component"][part] for part in chosen["composed_of"]), chosen):
            _merge(properties, body["template"].get("mappings", {}).get("properties", {}))
        mappings = {**chosen["template"]["mappings"], "properties": properties}
        return {"mappings": mappings, "settings": chosen["template"].get("settings", {})}

    def make(self, name: str) -> None:
        """Have an index or a data stream, as a first document would."""
        chosen, merged = self._for(name), self._merged(name)
        lifecycle = merged.get("settings", {}).get("index", {}).get("lifecycle", {}).get("name", "")
        for alias in chosen["template"].get("aliases", {}):
            self.aliases.setdefault(alias, set()).add("data_stream" in chosen)
            if len(self.aliases[alias]) > 1:
                raise Refused(400, f"data stream alias and indices alias have the same name ({alias})")
        index = Index(merged["mappings"], {"index.lifecycle.name": lifecycle} if lifecycle else {})
        if "data_stream" in chosen:
            made = next(key for key, body in self.templates["index"].items() if body is chosen)
            retention = chosen["template"].get("lifecycle", {}).get("data_retention", "")
            self.streams[name] = {"template": made, "retention": retention}
            self.indices[f".ds-{name}-000001"] = index
        else:
            self.indices[name] = index

    # ---- lifecycles

    def _ilm(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        if "ilm" not in self.has:
            raise Refused(400, "no handler found for uri")
        name = parts[2]
        if method == "PUT":
            valid("ilm-policy", body)
            policy = json.loads(json.dumps(body["policy"]))
            for phase in policy["phases"].values():
                if "delete" in phase["actions"]:
                    phase["actions"]["delete"] = {"delete_searchable_snapshot": True}
            self.policies[name] = {"version": 1, "modified_date": "now", "policy": policy}
            return None
        if name not in self.policies:
            raise Refused(404, f"Lifecycle policy not found: {name}")
        if method == "GET":
            return {name: self.policies[name]}
        if any(one.settings.get("index.lifecycle.name") == name for one in self.indices.values()):
            raise Refused(400, f"Cannot delete policy [{name}]. It is in use")
        del self.policies[name]
        return None

    def _ism(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        if "ism" not in self.has:
            raise Refused(400, "no handler found for uri")
        _, _, what, name = parts
        if what == "explain":
            hits = [one for one in self.indices if fnmatchcase(one.removeprefix(".ds-"), name)]
            policy = "index.plugins.index_state_management.policy_id"
            return {one: {policy: self.indices[one].settings.get("policy")} for one in hits} | {"total_managed": 0}
        if what != "policies":
            return self._moved(what, name.split(","), body)
        there = self.policies.get(name)
        if method == "PUT":
            valid("ism-policy", body)
            asked = (query.get("if_seq_no", [""])[0], query.get("if_primary_term", [""])[0])
            if there and asked != (str(there["_seq_no"]), "1"):
                raise Refused(409, "version conflict, document already exists")
            self.policies[name] = _kept_by_ism(name, body["policy"], there["_seq_no"] + 1 if there else 0)
            return None
        if there is None:
            raise Refused(404, "Policy not found")
        if method == "GET":
            return there
        del self.policies[name]
        return None

    def _moved(self, what: str, names: list[str], body: Any) -> Any:
        for name in names:
            settings = self.indices[name].settings
            if (what == "add") is ("policy" in settings):
                raise Refused(400, f"{what} of {name}: it has {settings}")
            settings.pop("policy", None)
            if what != "remove":
                settings["policy"] = body["policy_id"]
        return {"updated_indices": len(names), "failures": False}

    def _data_stream(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        lifecycle = parts[-1] == "_lifecycle"
        if ("stream_lifecycle" if lifecycle else "streams") not in self.has:
            raise Refused(400, "no handler found for uri")
        hits = [one for one in sorted(self.streams) if fnmatchcase(one, parts[1])]
        if method == "GET" and lifecycle:
            kept = [(one, self.streams[one]["retention"]) for one in hits]
            found = [{"name": one, "lifecycle": {"data_retention": days} if days else {}} for one, days in kept]
            return {"data_streams": found}
        if method == "GET":
            return {"data_streams": [{"name": one, "template": self.streams[one]["template"]} for one in hits]}
        for one in hits:
            if lifecycle:
                self.streams[one]["retention"] = body.get("data_retention", "")
            else:
                del self.streams[one]
                self.indices = {k: v for k, v in self.indices.items() if not k.startswith(f".ds-{one}-")}
        return None

    # ---- indices

    def _index(self, method: str, parts: list[str], query: dict[str, list[str]], body: Any) -> Any:
        names = [
            one
            for one in self.indices
            if any(fnmatchcase(one.removeprefix(".ds-"), p) or one == p for p in parts[0].split(","))
        ]
        what = parts[1] if len(parts) > 1 else ""
        if method == "GET" and what == "_mapping":
            return {one: {"mappings": self.indices[one].mappings} for one in names}
        if method == "GET" and what == "_settings":
            return {one: {"settings": self.indices[one].settings} for one in names}
        if method == "GET":
            return {one: {"aliases": {}} for one in names if not one.startswith(".ds-")}
        for one in names:
            if method == "DELETE":
                del self.indices[one]
            elif what == "_settings":
                self.indices[one].settings.update(body)
                for key in [key for key, value in self.indices[one].settings.items() if value is None]:
                    del self.indices[one].settings[key]
            elif what == "_mapping":
                _merge(self.indices[one].mappings["properties"], body.get("properties", {}))
                self.indices[one].mappings.update({"_meta": body["_meta"]} if "_meta" in body else {})
        return None


def _kept_by_ism(name: str, policy: dict[str, Any], number: int) -> dict[str, Any]:
    """A policy as the plugin gives it back, with what it puts beside."""
    made = json.loads(json.dumps(policy))
    made |= {"policy_id": name, "last_updated_time": 7, "schema_version": 21, "error_notification": None}
    for state in made["states"]:
        for action in state["actions"]:
            action["retry"] = {"count": 3, "backoff": "exponential", "delay": "1m"}
            if "rollover" in action:
                action["rollover"]["copy_alias"] = False
    for template in made["ism_template"]:
        template["last_updated_time"] = 7
    return {"_id": name, "_version": 1, "_seq_no": number, "_primary_term": 1, "policy": made}


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Told by samples: which names there are is known here."""
    names = [f"x-ttyscribe-{kind}-{end}" for kind in ("tlog", "line", "fail2ban") for end in _ENDS]
    return any(_fits(one, name) and _fits(other, name) for name in names)


_ENDS = ("2026.11", "2026.11.25", "stream", "implausible-time")


def _fits(template: dict[str, Any], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in template["index_patterns"])


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for name, entry in more.items():
        if "properties" in entry and name in into:
            _merge(into[name]["properties"], entry["properties"])
        else:
            into[name] = json.loads(json.dumps(entry))
