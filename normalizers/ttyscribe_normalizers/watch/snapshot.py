# SPDX-License-Identifier: Apache-2.0
"""The figures of one moment, and the three ways in which they are told; pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ttyscribe_normalizers.summary import DEAD

OUTCOMES = ("stored", "duplicate", "rejected")
NOT_KINDS = frozenset(("lines", "bytes", "empty", "broken", "invalid", *DEAD))
"""Counters of lines that are none of a kind."""
_PREFIX = "ttyscribe_normalize"


class Counted(NamedTuple):
    """What the counters hold; lines are what came, documents what was made of them."""

    lines: int
    bytes: int
    empty: int
    broken: int
    """Lines of a known kind that could not be understood, kept as kind syslog with the error."""
    invalid: int
    """Documents that do not fit their schema, where that is checked."""
    dead: Mapping[str, int]
    """Entries of the dead letter by status."""
    documents: Mapping[str, int]
    """By outcome."""
    retried: int
    """Documents that were sent again."""
    kinds: Mapping[str, int]
    """Lines by the kind that took them."""


class Snapshot(NamedTuple):
    """The figures of one process since its start."""

    version: str
    protocol: str
    pid: int
    started: float
    """Seconds since the epoch, as `now`."""
    now: float
    lines: int
    bytes: int
    empty: int
    broken: int
    invalid: int
    dead: Mapping[str, int]
    documents: Mapping[str, int]
    retried: int
    kinds: Mapping[str, int]
    lag: float
    """Seconds from the receipt of the line that was delivered last to its delivery; 0 before the first."""
    held: float
    """Seconds for which the store has taken nothing; 0 while it does."""
    spooled: int
    """Bytes that wait in the spool."""


def counted(pipeline: Counter[str], delivery: Counter[str]) -> Counted:
    """The counters' part of a snapshot."""
    return Counted(
        lines=pipeline["lines"],
        bytes=pipeline["bytes"],
        empty=pipeline["empty"],
        broken=pipeline["broken"],
        invalid=pipeline["invalid"],
        dead={status: pipeline[status] + delivery[status] for status in DEAD},
        documents={outcome: delivery[outcome] for outcome in OUTCOMES},
        retried=delivery["retried"],
        kinds={name: count for name, count in sorted(dict(pipeline).items()) if name not in NOT_KINDS},
    )


def line(now: Snapshot, before: Snapshot | None) -> str:
    """One line for the log: all counts, and the rate since the snapshot before."""
    since = before.now if before else now.started
    rate = (now.lines - (before.lines if before else 0)) / max(now.now - since, 1e-3)
    parts = {
        "lines": now.lines,
        "per_second": f"{rate:.1f}",
        "bytes": now.bytes,
        "empty": now.empty,
        "broken": now.broken,
        "invalid": now.invalid,
        "dead": sum(now.dead.values()),
        **now.documents,
        "retried": now.retried,
        "spooled_bytes": now.spooled,
        "lag": f"{now.lag:.3f}",
        "held": f"{now.held:.0f}",
        **{f"kind.{name}": count for name, count in now.kinds.items()},
    }
    return "stats " + " ".join(f"{name}={value}" for name, value in parts.items())


def status(now: Snapshot) -> bytes:
    """One JSON object, with its LF."""
    return json.dumps(now._asdict(), separators=(",", ":")).encode() + b"\n"


def prometheus(now: Snapshot) -> str:
    """Prometheus' text format, version 0.0.4."""
    made: list[str] = []

    def metric(name: str, kind: str, text: str, values: Iterable[tuple[str, float]]) -> None:
        made.append(f"# HELP {_PREFIX}_{name} {text}\n# TYPE {_PREFIX}_{name} {kind}\n")
        made.extend(f"{_PREFIX}_{name}{labels} {value!r}\n" for labels, value in values)

    def by(label: str, counts: Mapping[str, int]) -> list[tuple[str, float]]:
        return [(f'{{{label}="{_escaped(name)}"}}', count) for name, count in counts.items()]

    build = f'{{version="{_escaped(now.version)}",protocol="{_escaped(now.protocol)}"}}'
    metric("build_info", "gauge", "What runs.", [(build, 1)])
    metric("start_time_seconds", "gauge", "When it was started.", [("", now.started)])
    metric("lines_total", "counter", "Lines that came.", [("", now.lines)])
    metric("bytes_total", "counter", "Bytes of these lines.", [("", now.bytes)])
    metric("empty_lines_total", "counter", "Lines with nothing to store.", [("", now.empty)])
    metric("broken_lines_total", "counter", "Lines kept as kind syslog with an error.", [("", now.broken)])
    metric("invalid_documents_total", "counter", "Documents that do not fit their schema.", [("", now.invalid)])
    metric("dead_letters_total", "counter", "Entries of the dead letter.", by("status", now.dead))
    metric("documents_total", "counter", "Documents by outcome.", by("outcome", now.documents))
    metric("documents_retried_total", "counter", "Documents that were sent again.", [("", now.retried)])
    metric("lines_by_kind_total", "counter", "Lines by the kind that took them.", by("kind", now.kinds))
    metric("lag_seconds", "gauge", "Age of the line that was delivered last.", [("", round(now.lag, 6))])
    metric("held_seconds", "gauge", "For how long the store has taken nothing.", [("", round(now.held, 6))])
    metric("spool_bytes", "gauge", "What waits in the spool.", [("", now.spooled)])
    return "".join(made)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
