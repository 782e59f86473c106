# SPDX-License-Identifier: Apache-2.0
"""Journal entries (`process_journal_fields`): of the system, and of containers that Kubernetes runs; pure."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from ttyscribe_formats.viaq import Record, events, hosts, times
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.levels import normalize_level
from ttyscribe_formats.viaq.parts import Format, Parts
from ttyscribe_formats.viaq.systemd import KERNEL, TRUSTED, USER

SYSTEMD = (
    ("t", {f"_{name}": name for name in TRUSTED}),
    ("u", {name: name for name in USER}),
    ("k", {f"_{name}": name for name in KERNEL}),
)
_ADDED = frozenset(("systemd", "level", "time", "message", "hostname", "docker", "kubernetes", "pipeline_metadata"))
"""What formatting may add to a record."""
_MAX_PLANS = 512
_DOCKER = (
    ("CONTAINER_ID_FULL", "container_id"),
    ("CONTAINER_ID", "container_id_short"),
    ("CONTAINER_NAME", "container_name"),
)
CONTAINER = frozenset(key for key, _ in _DOCKER)


class Plan(NamedTuple):
    """What is to be done with all records that have the same keys."""

    sections: tuple[tuple[str, tuple[str, ...], Callable[[Record], Iterable[Any]]], ...]
    """Of `systemd`: name, names of its fields, and how to get their values."""
    remove_keys: tuple[str, ...]
    """Those that such a record can have."""
    has_container: bool
    spare: tuple[str, ...]
    """Texts among these."""


class Plans:
    """The plans of one formatter. Programs log few forms of entries; what a hostile one makes up is forgotten again."""

    def __init__(self, remove_keys: tuple[str, ...]) -> None:
        self._remove_keys = remove_keys
        self._plans: dict[tuple[str, ...], Plan] = {}

    def of(self, record: Record) -> Plan:
        """The plan for a record."""
        keys = tuple(record)
        found = self._plans.get(keys)
        if found is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            found = self._plans[keys] = self._made(record)
        return found

    def _made(self, record: Record) -> Plan:
        sections = []
        for name, fields in SYSTEMD:
            found = [key for key in fields if key in record]
            if found:
                sections.append((name, tuple(fields[key] for key in found), _getter(found)))
        removed = tuple(key for key in self._remove_keys if key in record or key in _ADDED)
        spare = tuple(key for key in hosts.TEXTS if key in removed)
        return Plan(tuple(sections), removed, not CONTAINER.isdisjoint(record), spare)


def _getter(keys: list[str]) -> Callable[[Record], Iterable[Any]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    key = keys[0]
    return lambda record: (record[key],)


def _compile_common(parts: Parts) -> Callable[[Record, Displaced], Plan]:
    """What both forms begin with: `systemd`, level and time; it answers the record's plan."""
    find = parts.find_level
    plan_of = Plans(parts.remove_keys).of

    def begin(record: Record, displaced: Displaced) -> Plan:
        plan = plan_of(record)
        _systemd(record, plan, displaced)
        record["level"] = normalize_level(record, record.get("PRIORITY"), find)
        _time(record, displaced)
        return plan

    return begin


def compile_sys_journal(parts: Parts) -> Format:
    """Entries of the system's own programs."""
    node_name, lossless = parts.node_name, parts.lossless
    begin = _compile_common(parts)

    def sys_journal(
        record: Record,
        displaced: Displaced,
        time_ns: int,  # noqa: ARG001
        now_ns: int,  # noqa: ARG001
    ) -> Sequence[str]:
        plan = begin(record, displaced)
        _replace(record, "message", record.get("MESSAGE"), displaced, lossless)
        if plan.spare:
            hosts.keep_texts(record, plan.spare, displaced)
        host = record.get("_HOSTNAME")
        if host == "localhost" and node_name is not None:
            host = node_name
        _replace(record, "hostname", host, displaced, lossless)
        if plan.has_container:
            _docker(record, displaced)
        return plan.remove_keys

    return sys_journal


def compile_k8s_journal(parts: Parts) -> Format:
    """Entries of containers."""
    node_name, lossless = parts.node_name, parts.lossless
    begin = _compile_common(parts)
    events_of = events.compile_eventrouter(parts)

    def k8s_journal(
        record: Record,
        displaced: Displaced,
        time_ns: int,  # noqa: ARG001
        now_ns: int,  # noqa: ARG001
    ) -> Sequence[str]:
        plan = begin(record, displaced)
        hosts.find_message(record, hosts.TEXTS, displaced)
        if plan.spare:
            hosts.keep_texts(record, plan.spare, displaced)
        host = hosts.of_kubernetes(record)
        if host is not None or node_name is not None:
            host = node_name if host is None else host
            if "hostname" in record:
                displaced.replaced("hostname", record["hostname"], host)
            record["hostname"] = host
        else:
            _replace(record, "hostname", record.get("_HOSTNAME"), displaced, lossless)
        if events_of is not None:
            events_of(record, displaced)
        return plan.remove_keys

    return k8s_journal


def _systemd(record: Record, plan: Plan, displaced: Displaced) -> None:
    """Build `systemd`; a part that is built replaces what the record brought, which nobody attested."""
    if not plan.sections:
        return
    systemd = record.get("systemd")
    if type(systemd) is not dict:
        displaced.unfit("systemd", systemd)
        systemd = record["systemd"] = {}
    for name, names, values in plan.sections:
        made = dict(zip(names, values(record), strict=True))
        if name in systemd:
            displaced.replaced(f"systemd.{name}", systemd[name], made)
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
            for key in made.keys() & before.keys():
                displaced.replaced(f"docker.{key}", before[key], made[key])
            made = {**before, **made}
        else:
            displaced.unfit("docker", before)
        record["docker"] = made
