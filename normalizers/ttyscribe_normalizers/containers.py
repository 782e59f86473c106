# SPDX-License-Identifier: Apache-2.0
"""Records of containers' output, and events of the cluster that runs them: how they look and what they say; pure.

Output comes as records of docker's driver json-file (`log`, `stream`, `time`), as lines of the CRI (time, stream, tags,
text), as either with what Fluentd's filter kubernetes_metadata adds, and as entries that docker's driver journald
writes. Events come as Kubernetes has them, or as the event router logs them (`event` and `verb`).
"""

import re
from typing import Any

from ttyscribe_formats.flat import is_flat

TAG, EVENT_TAG = "container", "kubernetes-event"
"""Tags of the envelopes that are made of such records; they have no collector."""
TEXT_KEYS = ("log", "message", "msg")
_KEYS = frozenset(("stream", "time", "kubernetes", "docker", "logtag"))
_NAMES = frozenset(("namespace_name", "namespace_id", "pod_name", "pod_id", "container_name", "host", "master_url"))
_OBJECTS = frozenset(("labels", "annotations", "event"))
_DOCKER = frozenset(("container_id", "container_id_short", "container_name"))
_CRI = re.compile(
    rb"(\d{4}-\d\d-\d\dT[0-9:.]{5,18}(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([PF](?::[^ ]*)?) (.*)", re.DOTALL
)
_K8S = re.compile(r"k8s_([^_]+?)(?:\.[0-9a-f]+)?_([^_]+)_([^_]+)_([^_]+)_[0-9]+(?:_.*)?")
_JOURNAL = {
    "CONTAINER_ID_FULL": "container_id",
    "CONTAINER_ID": "container_id_short",
    "CONTAINER_NAME": "container_name",
}


def is_record(fields: dict[str, Any]) -> bool:
    """Tell whether an object is a record of a container's output."""
    if type(fields.get("log")) is str and not _KEYS.isdisjoint(fields):
        return True
    return type(fields.get("kubernetes")) is dict and any(type(fields.get(key)) is str for key in TEXT_KEYS)


def event_of(fields: dict[str, Any]) -> dict[str, Any] | None:
    """The event that an object is, or holds; None where it does neither."""
    if fields.get("kind") == "Event" and type(fields.get("involvedObject")) is dict:
        return fields
    kubernetes = fields.get("kubernetes")
    for event in (fields.get("event"), kubernetes.get("event") if type(kubernetes) is dict else None):
        if type(event) is dict and type(event.get("involvedObject", event.get("metadata"))) is dict:
            return event
    return None


def text_of(fields: dict[str, Any]) -> tuple[str, str]:
    """The key of a record's text, and the text, with the line's end where there is one."""
    key = next(key for key in TEXT_KEYS if type(fields.get(key)) is str)
    return key, fields[key]


def of_cri(line: bytes) -> dict[str, Any] | None:
    """A line of the CRI as a record; its text may have lone surrogates. None where it is no such line."""
    found = _CRI.fullmatch(line)
    if found is None:
        return None
    time, stream, tags, text = (part.decode("utf-8", "surrogateescape") for part in found.groups())
    return {"log": text, "stream": stream, "time": time, "logtag": tags}


def partial(fields: dict[str, Any], text: str) -> str:
    """`more` where the line goes on in the next record of its stream; empty where it does not, or nobody says."""
    tags = fields.get("logtag")
    if type(tags) is str:
        return "more" if tags.partition(":")[0] == "P" else ""
    is_json_file = "log" in fields and "stream" in fields and ("kubernetes" not in fields or "docker" in fields)
    return "more" if is_json_file and not text.endswith("\n") else ""


def partial_entry(fields: dict[str, Any]) -> str:
    """The same of a journal entry; `last` for the last part of a line."""
    if fields.get("CONTAINER_PARTIAL_MESSAGE") != "true":
        return ""
    return "last" if fields.get("CONTAINER_PARTIAL_LAST") == "true" else "more"


def names(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """`kubernetes` and `docker` of a record, and the record's rest, which neither has a place for."""
    rest = dict(fields)
    made: list[dict[str, Any]] = []
    for place in ("kubernetes", "docker"):
        found: dict[str, Any] = {}
        left: dict[str, Any] = {}
        value = fields.get(place)
        if type(value) is dict:
            for name, item in value.items():
                (found if _has_place(place, name, item) else left)[name] = item
            if found:
                rest[place] = left
                if not left:
                    del rest[place]
        made.append(found)
    return made[0], made[1], rest


def _has_place(place: str, name: str, value: Any) -> bool:
    if place == "docker":
        return name in _DOCKER and type(value) is str
    if name in _OBJECTS:
        return type(value) is dict and bool(value) and is_flat(value)
    if name == "flat_labels":
        return type(value) is list and all(type(item) is str for item in value)
    return name in _NAMES and type(value) is str


def is_entry(fields: dict[str, Any]) -> bool:
    """Tell whether a journal entry is a container's output."""
    return type(fields.get("CONTAINER_NAME")) is str and any(
        key in fields for key in ("CONTAINER_ID", "CONTAINER_ID_FULL")
    )


def names_of_entry(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """`kubernetes` and `docker` of a journal entry."""
    docker = {name: fields[key] for key, name in _JOURNAL.items() if type(fields.get(key)) is str}
    found = _K8S.fullmatch(docker.get("container_name", ""))
    if found is None:
        return {}, docker
    keys = ("container_name", "pod_name", "namespace_name", "pod_id")
    return dict(zip(keys, found.groups(), strict=True)), docker
