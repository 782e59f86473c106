# SPDX-License-Identifier: Apache-2.0
"""Journal entries (`process_journal_fields`): of the system, and of containers that Kubernetes runs; pure."""

from ttyscribe_formats.viaq import Record, events, hosts, times
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.levels import normalize_level
from ttyscribe_formats.viaq.parts import Format, Parts

TRUSTED = (
    *("AUDIT_LOGINUID", "AUDIT_SESSION", "BOOT_ID", "CAP_EFFECTIVE", "CMDLINE", "COMM", "EXE", "GID", "LINE_BREAK"),
    *("MACHINE_ID", "PID", "SELINUX_CONTEXT", "STREAM_ID", "SYSTEMD_CGROUP", "SYSTEMD_INVOCATION_ID"),
    *("SYSTEMD_OWNER_UID", "SYSTEMD_SESSION", "SYSTEMD_SLICE", "SYSTEMD_UNIT", "SYSTEMD_USER_UNIT", "TRANSPORT"),
    "UID",
)
USER = (
    *("CODE_FILE", "CODE_FUNCTION", "CODE_LINE", "ERRNO", "MESSAGE_ID", "RESULT", "UNIT"),
    *("SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID"),
)
KERNEL = ("KERNEL_DEVICE", "KERNEL_SUBSYSTEM", "UDEV_SYSNAME", "UDEV_DEVNODE", "UDEV_DEVLINK")
_FIELDS = (
    ("t", tuple((f"_{name}", name) for name in TRUSTED)),
    ("u", tuple((name, name) for name in USER)),
    ("k", tuple((f"_{name}", name) for name in KERNEL)),
)
_DOCKER = (
    ("CONTAINER_ID_FULL", "container_id"),
    ("CONTAINER_ID", "container_id_short"),
    ("CONTAINER_NAME", "container_name"),
)


def compile_sys_journal(parts: Parts) -> Format:
    """Entries of the system's own programs."""
    find, node_name, lossless = parts.find_level, parts.node_name, parts.lossless

    def sys_journal(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> None:  # noqa: ARG001
        _systemd(record, displaced, lossless)
        record["level"] = normalize_level(record, record.get("PRIORITY"), find)
        _time(record, displaced)
        _replace(record, "message", record.get("MESSAGE"), displaced, lossless)
        host = record.get("_HOSTNAME")
        if host == "localhost" and node_name is not None:
            host = node_name
        _replace(record, "hostname", host, displaced, lossless)
        _docker(record, displaced)

    return sys_journal


def compile_k8s_journal(parts: Parts) -> Format:
    """Entries of containers."""
    find, node_name, lossless = parts.find_level, parts.node_name, parts.lossless
    events_of = events.compile_eventrouter(parts)

    def k8s_journal(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> None:  # noqa: ARG001
        _systemd(record, displaced, lossless)
        record["level"] = normalize_level(record, record.get("PRIORITY"), find)
        _time(record, displaced)
        record["message"] = hosts.first_set(record.get("message"), record.get("MESSAGE"), record.get("log"))
        host = hosts.of_kubernetes(record)
        if host is not None or node_name is not None:
            record["hostname"] = node_name if host is None else host
        else:
            _replace(record, "hostname", record.get("_HOSTNAME"), displaced, lossless)
        if events_of is not None:
            events_of(record, displaced)

    return k8s_journal


def _systemd(record: Record, displaced: Displaced, lossless: bool) -> None:
    """Build `systemd`; a part that is built replaces what the record brought, which nobody attested."""
    for name, fields in _FIELDS:
        if made := {to: record[key] for key, to in fields if key in record}:
            systemd = record.get("systemd")
            if type(systemd) is not dict:
                if systemd is not None and systemd is not False:
                    displaced.error("systemd", systemd)
                systemd = record["systemd"] = {}
            elif lossless and name in systemd and systemd[name] != made:
                displaced.put(f"systemd.{name}", systemd[name])
            systemd[name] = made


def _time(record: Record, displaced: Displaced) -> None:
    for field in times.JOURNAL_TIME_FIELDS:
        value = record.get(field)
        if value is not None and value is not False:
            text = times.journal(value)
            if text is not None:
                record["time"] = text
                return
            displaced.error(field, value)


def _replace(record: Record, name: str, value: object, displaced: Displaced, lossless: bool) -> None:
    """Set a field whatever it was before; lossless: not to nothing, and the value before it is kept."""
    before = record.get(name)
    if lossless and before is not None and before != value:
        if value is None:
            return
        displaced.put(name, before)
    record[name] = value


def _docker(record: Record, displaced: Displaced) -> None:
    made = {to: record[key] for key, to in _DOCKER if key in record}
    if made:
        before = record.get("docker")
        if type(before) is dict:
            made = {**before, **made}
        elif before is not None and before is not False:
            displaced.error("docker", before)
        record["docker"] = made
