# SPDX-License-Identifier: Apache-2.0
"""What the corpus is made of: people, hosts, and how a document comes or is derived, as plain facts."""

from datetime import UTC, datetime
from typing import Any

from tests.kibana.samples import DAY, HOSTILE, HOUR, MESSAGES, SINCE, Message

Fact = dict[str, Any]

MINUTE = 60_000
ESCAPES = "mallory\x1b[2J\x07\r\nroot"
LONG = "svc-" + "deploy-" * 60
HOSTS = ("web1", "web2", "db1", "jump")
PEOPLE = ("ada", "bob", "cyd", "dora", "emil")
BUSY = ("ada", "ada", "ada", "bob", "bob", "bob", "bob", "cyd", "cyd", "dora", "emil")
UIDS = {name: str(1000 + n) for n, name in enumerate((*PEOPLE, HOSTILE, ESCAPES, LONG))} | {
    "root": "0",
    "postgres": "26",
}
BOOT = "2f1c9c0a7d1b4a9f8f2b3f6a1c0d9e77"

_ARRIVES = {"jump": ("fluentd", "forward", "fluentd-json", "0.0.9"), "db1": ("rsyslog", "imjournal", "omprog", "0.1.0")}
_USUAL = ("rsyslog", "imuxsock", "omprog", "0.1.0")


def text(ms: int) -> str:
    """A time as documents have it."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}000+00:00"


def _lag(host: str, time: int, n: int) -> int:
    """Milliseconds until a message is received: a relay is slow, and was stuck for some hours."""
    if host == "jump":
        stuck = 5 * DAY <= time - SINCE < 5 * DAY + 6 * HOUR
        return 2_000 + n * 331 % 1500 + (8 * MINUTE if stuck else 0)
    return 40 + n * 37 % 400


def fact(kind: str, name: str, time: int, host: str, message: str, n: int, **more: Any) -> Fact:
    """What came by a collector."""
    collector, way, protocol, version = _ARRIVES.get(host, _USUAL)
    received = time + _lag(host, time, n)
    return {
        "time": time,
        "received": received,
        "hostname": host,
        "level": "info",
        "message": message,
        "viaq_msg_id": name,
        "pipeline_metadata.collector.name": collector,
        "pipeline_metadata.collector.inputname": way,
        "pipeline_metadata.collector.received_at": text(received),
        "pipeline_metadata.normalizer.name": "ttyscribe",
        "pipeline_metadata.normalizer.inputname": protocol,
        "pipeline_metadata.normalizer.version": version,
        "ttyscribe.kind": kind,
        "ttyscribe.partition": text(time)[:7].replace("-", "."),
        "ttyscribe.trust": "system",
        "ttyscribe.words": "words",
        **more,
    }


def derived(kind: str, name: str, time: int, host: str, message: str, **more: Any) -> Fact:
    """What the indexer writes: it came by no collector, and its receipt is its time."""
    made = fact(kind, name, time, host, message, 0, **more)
    return {key: value for key, value in made.items() if "pipeline" not in key} | {"received": time}


def by_recording() -> list[tuple[str, list[Message]]]:
    """Recordings by name, in the order of their first messages."""
    by_name: dict[str, list[Message]] = {}
    for message in MESSAGES:
        by_name.setdefault(message.recording, []).append(message)
    return list(by_name.items())
