# SPDX-License-Identifier: Apache-2.0
"""Lines of syslog's files (`process_sys_var_log_fields`); pure."""

from collections.abc import Sequence

from ttyscribe_formats.viaq import Record, times
from ttyscribe_formats.viaq.displaced import Displaced
from ttyscribe_formats.viaq.parts import Format, Parts


def compile_sys_var_log(parts: Parts) -> Format:
    """Records with `host`, `ident`, `pid` and `message`. Their level, if they have one, is never touched."""
    node_name, lossless, dest = parts.node_name, parts.lossless, parts.model.dest_time_name
    remove_keys = parts.remove_keys

    def sys_var_log(record: Record, displaced: Displaced, time_ns: int, now_ns: int) -> Sequence[str]:
        if "systemd" in record:
            displaced.put("systemd", record["systemd"])
        record["systemd"] = {
            "t": {"PID": record.get("pid")},
            "u": {"SYSLOG_IDENTIFIER": record.get("ident")},
        }
        if record.get(dest) is None:
            if "time" in record:
                displaced.put("time", record["time"])
            # Such lines name no year: what lies ahead is of the year before.
            record["time"] = times.of_ns(time_ns if time_ns <= now_ns else times.year_before(time_ns))
        host = record.get("host")
        if host == "localhost" and node_name is not None:
            host = node_name
        before = record.get("hostname")
        if not lossless or before is None:
            record["hostname"] = host
        elif host is not None:
            if before != host:
                displaced.put("hostname", before)
            record["hostname"] = host
        return remove_keys

    return sys_var_log
