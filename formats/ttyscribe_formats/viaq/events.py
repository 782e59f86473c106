# SPDX-License-Identifier: Apache-2.0
"""Events of Kubernetes, as the event router logs them (`transform_eventrouter`); pure."""

from collections.abc import Callable

from ttyscribe_formats.viaq import Record
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.parts import Parts

Transform = Callable[[Record, Displaced], None]


def compile_eventrouter(parts: Parts) -> Transform | None:
    """The step; None where it is off."""
    if not parts.process_kubernetes_events:
        return None
    role, lossless = parts.model.pipeline_type, parts.lossless

    def transform_eventrouter(record: Record, displaced: Displaced) -> None:
        event = record.get("event")
        if type(event) is not dict:
            return
        kubernetes = record.get("kubernetes", {})
        metadata = event.get("metadata")
        if type(kubernetes) is not dict or type(metadata) is not dict:
            displaced.is_error = True  # the plugin fails; the event stays where it is
            return
        if "verb" in record:
            displaced.replaced("event.verb", event.get("verb"), record["verb"])
            event["verb"] = record.pop("verb")
        record["kubernetes"] = kubernetes
        if "event" in kubernetes:
            displaced.put("kubernetes.event", kubernetes["event"])
        kubernetes["event"] = record.pop("event")
        _message(record, event, displaced, role, lossless)
        time = metadata.pop("creationTimestamp", None)
        if time is not None or not lossless:
            record["time"] = time

    return transform_eventrouter


def _message(record: Record, event: Record, displaced: Displaced, role: str, lossless: bool) -> None:
    """The event's message becomes the record's, whose own is kept as the raw one."""
    if "message" in event:
        section = _section(record, displaced, role)
        raw = record.get("message")
        displaced.replaced(f"pipeline_metadata.{role}.original_raw_message", section.get("original_raw_message"), raw)
        section["original_raw_message"] = raw
        record["message"] = event.pop("message")
    elif not lossless:
        record["message"] = None


def _section(record: Record, displaced: Displaced, role: str) -> Record:
    """`pipeline_metadata.<role>`, made where there is none."""
    metadata = record.get("pipeline_metadata")
    if type(metadata) is not dict:
        displaced.unfit("pipeline_metadata", metadata)
        metadata = record["pipeline_metadata"] = {}
    section = metadata.get(role)
    if type(section) is not dict:
        displaced.unfit(f"pipeline_metadata.{role}", section)
        section = metadata[role] = {}
    return section
