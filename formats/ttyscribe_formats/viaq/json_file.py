# SPDX-License-Identifier: Apache-2.0
"""Lines of containers' JSON files (`process_k8s_json_file_fields`); pure."""

from collections.abc import Sequence

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import Record, dates, events, hosts, times
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.levels import normalize_level
from ttyscribe_formats.viaq.parts import Format, Parts


def compile_k8s_json_file(parts: Parts) -> Format:
    """Records with `log` (or `message`), `time` and `kubernetes`."""
    find, node_name, dest = parts.find_level, parts.node_name, parts.model.dest_time_name
    remove_keys = parts.remove_keys
    spare = [key for key in hosts.TEXTS if key in remove_keys]
    events_of = events.compile_eventrouter(parts)

    def k8s_json_file(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> Sequence[str]:
        hosts.find_message(record, ("log",), displaced)
        if spare:
            hosts.keep_texts(record, spare, displaced)
        record["level"] = normalize_level(record, None, find)
        host = hosts.of_kubernetes(record)
        if host is not None or node_name is not None:
            host = node_name if host is None else host
            if "hostname" in record:
                displaced.replaced("hostname", record["hostname"], host)
            record["hostname"] = host
        if record.get(dest) is None:
            record["time"] = times.of_ns(_time_ns(record, displaced, time_ns, now_ns))
        if events_of is not None:
            events_of(record, displaced)
        return remove_keys

    return k8s_json_file


def _time_ns(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> int:
    """The time that the record names in one of many forms; the event's where it names none that is understood."""
    value = record.get("time")
    if value is None:
        return time_ns
    try:
        return dates.parse_time(value, now_ns)
    except MessageError:
        displaced.error("time", value)
        return time_ns
