# SPDX-License-Identifier: Apache-2.0
"""Lines of NDJSON input that are a message by themselves, besides recordings': from files of a converter, of auditd, of
sudo; pure."""

from typing import Any

_EVENTS = (b'{"serial":', b'[{"serial":')
_RECORDS = (b"type=", b"node=")


def is_message(value: Any) -> bool:
    """Tell whether a line's value is an audit event or a document of such, or an entry of sudo's."""
    if type(value) is list:
        return len(value) > 0 and is_event(value[0])
    return type(value) is dict and (is_event(value) or type(value.get("sudo")) is dict or _is_recording(value))


def is_event(value: Any) -> bool:
    """Tell whether it has what every audit event has."""
    return type(value) is dict and "serial" in value and "time" in value


def _is_recording(value: dict[str, Any]) -> bool:
    """The `log.json` of an I/O log."""
    return "submituser" in value and "timestamp" in value and ("command" in value or "runargv" in value)


def begins_one(line: bytes) -> bool:
    """Tell whether a line that is no JSON is a raw audit record, or begins as audit events do."""
    return line.startswith(_EVENTS) or (line.startswith(_RECORDS) and b"audit(" in line)
