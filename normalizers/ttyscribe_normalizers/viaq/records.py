# SPDX-License-Identifier: Apache-2.0
"""Records for the chain, and their tags, out of envelopes; pure."""

from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import Record, host_audit, times
from ttyscribe_formats.viaq.settings import Tags
from ttyscribe_normalizers.envelope import Envelope
from ttyscribe_normalizers.viaq.shapes import AUDIT

_LONGEST_NAMESPACE = 253
_TEXTS = ("message", "log")
_HEADER = {"app-name": "appname"}
"""Names of a header's fields that the model has others for."""
_CONTAINER = "k8s_"
"""How names of containers begin that Kubernetes runs."""


def record_of(envelope: Envelope, tags: Tags, node_name: str | None) -> tuple[str, Record]:
    """The tag and the record of one message; the record is the chain's own from here on."""
    if is_syslog(envelope):
        return tags.journal, from_syslog(envelope)
    record = envelope.journal if envelope.record is None else envelope.record
    if record is None:
        return tags.audit, host_audit.record_of(envelope.text, node_name)
    return _tagged(envelope, dict(record), tags)


def recorder_text(envelope: Envelope) -> tuple[str, str]:
    """Where a recording's message may stand in a record of another collector, and it; empty where it does not."""
    record = envelope.record
    if record is not None and record is not envelope.journal:
        for key in _TEXTS:
            value = record.get(key)
            if type(value) is str and value[:1] == "{" and '"timing"' in value:
                return key, value.rstrip("\r\n")
    return "", ""


def fill(record: Record, key: str, shown: str, host: str, time_us: int) -> None:
    """Put what a recording's message says in the places where the formatters look; `time_us` < 0: it says no time."""
    record[key or "MESSAGE"] = shown
    if host:
        record["host" if key else "_HOSTNAME"] = host
    if time_us >= 0:
        record["time" if key else "_SOURCE_REALTIME_TIMESTAMP"] = times.of_us(time_us) if key else str(time_us)


def is_syslog(envelope: Envelope) -> bool:
    """Tell whether a message has no record of its own."""
    is_audit = envelope.tag == AUDIT and not envelope.collector
    return envelope.record is None and envelope.journal is None and not is_audit


def from_syslog(envelope: Envelope) -> Record:
    """A record of the journal's form: only that has a place for the priority and for who the kernel says it was."""
    claimed = {
        "PRIORITY": envelope.severity,
        "SYSLOG_FACILITY": envelope.facility,
        "SYSLOG_IDENTIFIER": envelope.program,
        "SYSLOG_PID": envelope.pid,
        "_HOSTNAME": envelope.host,
    }
    record: Record = {key: value for key, value in claimed.items() if value}
    if envelope.collector:
        record["_TRANSPORT"] = "syslog"
    record["_SOURCE_REALTIME_TIMESTAMP"] = str(envelope.time_ns // 1000)
    record["MESSAGE"] = envelope.text
    if envelope.sender_uid >= 0:
        record["_UID"] = str(envelope.sender_uid)
    if envelope.sender_pid >= 0:
        record["_PID"] = str(envelope.sender_pid)
    if envelope.header:
        record["rsyslog"] = {_HEADER.get(name, name): value for name, value in envelope.header.items()}
    return record


def _tagged(envelope: Envelope, record: Record, tags: Tags) -> tuple[str, Record]:
    kubernetes, is_journal = record.get("kubernetes"), envelope.journal is not None
    if type(kubernetes) is dict or "log" in record or _is_container(record.get("CONTAINER_NAME")):
        return _with_namespace(tags.container_journal if is_journal else tags.container_file, kubernetes), record
    if is_journal:
        return tags.journal, record
    if type(record.get("message")) is not str:
        return tags.other, record
    if _is_time(record.get("time"), envelope.time_ns):
        del record["time"]  # the formatter writes the event's time, which it was
    for key, value in (("host", envelope.host), ("ident", envelope.program), ("pid", envelope.pid)):
        if value and key not in record:
            record[key] = value
    return tags.syslog, record


def _is_time(text: Any, time_ns: int) -> bool:
    try:
        return type(text) is str and timestamp.parse(text) == time_ns
    except MessageError:
        return False


def _is_container(name: Any) -> bool:
    return type(name) is str and name.startswith(_CONTAINER)


def _with_namespace(tag: str, kubernetes: Any) -> str:
    """The tag with the namespace in it, which patterns such as `**_default_**` look for."""
    namespace = kubernetes.get("namespace_name") if type(kubernetes) is dict else None
    if type(namespace) is str and 0 < len(namespace) <= _LONGEST_NAMESPACE:
        return f"{tag}._{namespace}_"
    return tag
