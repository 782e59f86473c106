# SPDX-License-Identifier: Apache-2.0
"""`pipeline_metadata`: who handled a record, where, and when; pure."""

from collections.abc import Callable

from ttyscribe_formats.viaq import Record, times
from ttyscribe_formats.viaq.config import Surroundings
from ttyscribe_formats.viaq.displaced import Displaced

FIELD = "pipeline_metadata"
NAME = "fluentd"
INPUT = "fluent-plugin-systemd"
"""A constant of the plugin, whatever the input was."""

Fresh = Callable[[int], dict[str, str]]
Stamp = Callable[[Record, Displaced, int], None]


def fixed(surroundings: Surroundings) -> dict[str, str]:
    """What stands before the time in all stamps."""
    made = {"ipaddr4": surroundings.ipaddr4}
    if surroundings.ipaddr6:
        made["ipaddr6"] = surroundings.ipaddr6
    return made | {"inputname": INPUT, "name": NAME}


def compile_fresh(surroundings: Surroundings) -> Fresh:
    """The function that makes the stamp of a time."""
    before, version = fixed(surroundings), surroundings.version
    last, text = -1, ""

    def fresh(now_ns: int) -> dict[str, str]:
        nonlocal last, text
        second, rest = divmod(now_ns, times.SECOND)
        if second != last:
            last, text = second, times.of_ns(now_ns)[:-12]
        return {**before, "received_at": f"{text}{str(1_000_000 + rest // 1000)[1:]}+00:00", "version": version}

    return fresh


def compile_metadata(role: str, surroundings: Surroundings) -> Stamp:
    """The step that stamps records as a collector or a normalizer; the other one's stamp stays."""
    made_at = compile_fresh(surroundings)

    def stamp(record: Record, displaced: Displaced, now_ns: int) -> None:
        fresh = made_at(now_ns)
        if FIELD not in record:
            record[FIELD] = {role: fresh}
            return
        metadata = record[FIELD]
        if type(metadata) is not dict:
            displaced.error(FIELD, metadata)
            record[FIELD] = {role: fresh}
            return
        section = metadata.get(role)
        if type(section) is dict:
            for key, value in fresh.items():
                if key in section:
                    displaced.replaced(f"{FIELD}.{role}.{key}", section[key], value)
            section.update(fresh)
        else:
            displaced.put(f"{FIELD}.{role}", section)
            metadata[role] = fresh

    return stamp
