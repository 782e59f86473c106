# SPDX-License-Identifier: Apache-2.0
"""Parts that documents of all kinds share; pure."""

import ipaddress
from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_normalizers.envelope import HOST, SENDER, Envelope, speaks_for

_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "trace", "unknown")
_LEVEL_OF = {str(number): name for number, name in enumerate(_LEVELS)}
_LONGEST_ADDRESS = 64
_LONG = 512
_MANY = 4096
"""Characters and senders beyond which nothing is remembered: nobody makes us keep much."""
MAX_NS = 2**63
"""Engines keep times as nanoseconds in 64 bit: 1970 to 2262."""


def level(severity: str) -> str:
    """ViaQ's name of a severity that came as a number; `unknown` for anything else."""
    return _LEVEL_OF.get(severity, "unknown")


def normalizer(version: str, protocol: str) -> dict[str, str]:
    """`pipeline_metadata.normalizer`; the same for all documents of a process, which share it."""
    return {"name": "ttyscribe", "version": version, "inputname": protocol}


def way(envelope: Envelope, normalizer: dict[str, str], host: str = "") -> dict[str, Any]:
    """`pipeline_metadata`; the host that syslog names is kept where the message's own, `host`, is another."""
    name, source, peer = envelope.collector, envelope.input, envelope.peer
    if not name:
        return {"normalizer": normalizer}
    collector = {"name": name, "received_at": envelope.received}
    if source:
        collector["inputname"] = source
    if peer and len(peer) <= _LONGEST_ADDRESS and (field := address_field(peer)):
        collector[field] = peer
    if host and envelope.host and envelope.host != host:
        collector["hostname"] = envelope.host
    return {"collector": collector, "normalizer": normalizer}


@lru_cache(maxsize=4096)
def address_field(text: str) -> str:
    """The field that takes this address; empty for what is none."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if found.version == 6 and found.scope_id:
        return ""
    return f"ipaddr{found.version}"


def begun(kind: str, envelope: Envelope, time_ns: int) -> tuple[str, dict[str, Any]]:
    """`@timestamp` of a message that happened at `time_ns`, and `ttyscribe` so far: kind, place, receipt, and lag.

    A time that no engine can hold is replaced by the time of receipt, and is implausible.
    """
    received_ns, received = envelope.received_ns, envelope.received
    if not 0 <= time_ns < MAX_NS:
        return received, {"kind": kind, "partition": timestamp.IMPLAUSIBLE, "received": received}
    at, partition = timestamp.dated(time_ns, received_ns if envelope.windowed else None)
    own: dict[str, Any] = {"kind": kind, "partition": partition, "received": received}
    lag = timestamp.lag_ms(time_ns, received_ns)
    if lag is not None:
        own["lag_ms"] = lag
    return at, own


class Shared(NamedTuple):
    """What the documents of one sender's messages share; nobody changes a document."""

    level: str
    way: dict[str, Any]
    """`pipeline_metadata`, but for the time of receipt."""
    sender: dict[str, Any]
    """The part of `ttyscribe` that says who is attested."""
    systemd: dict[str, dict[str, str]]


class Sharing:
    """Makes them once for each sender, as far as memory is worth it.

    They may depend on what stands at HOST and SENDER in the envelope and on its `doubt`, and on nothing else of it.
    """

    def __init__(self, normalizer: dict[str, str]) -> None:
        self._normalizer = normalizer
        self._known: dict[tuple[str, str, tuple[Any, ...], str], Shared] = {}

    def of(self, envelope: Envelope, host: str = "") -> Shared:
        """Of the sender of a message that was made on `host`."""
        values: tuple[Any, ...] = envelope
        key = (host, values[HOST], values[SENDER], envelope.doubt)
        return self._known.get(key) or self._made(key, envelope)

    def _made(self, key: tuple[str, str, tuple[Any, ...], str], envelope: Envelope) -> Shared:
        own: dict[str, Any] = {}
        sender(own, envelope)
        made = Shared(level(envelope.severity), way(envelope, self._normalizer, key[0]), own, systemd(envelope))
        if sum(len(value) for value in (*key[:2], *key[2], key[3]) if type(value) is str) < _LONG:
            if len(self._known) >= _MANY:
                self._known.clear()
            self._known[key] = made
        return made


def received_way(way: dict[str, Any], received: str) -> dict[str, Any]:
    """`pipeline_metadata` with the time of receipt."""
    if "collector" not in way:
        return way
    return {"collector": {**way["collector"], "received_at": received}, "normalizer": way["normalizer"]}


def systemd(envelope: Envelope) -> dict[str, dict[str, str]]:
    """`systemd`: what the kernel attested, and what the sender claims, by ViaQ's names."""
    sender_uid, sender_pid = envelope.sender_uid, envelope.sender_pid
    program, pid, facility = envelope.program, envelope.pid, envelope.facility
    trusted: dict[str, str] = {}
    if sender_uid >= 0:
        trusted["UID"] = str(sender_uid)
    if sender_pid >= 0:
        trusted["PID"] = str(sender_pid)
    claimed: dict[str, str] = {}
    if program:
        claimed["SYSLOG_IDENTIFIER"] = program
    if pid:
        claimed["SYSLOG_PID"] = pid
    if facility.isdecimal():
        claimed["SYSLOG_FACILITY"] = facility
    made = {}
    if trusted:
        made["t"] = trusted
    if claimed:
        made["u"] = claimed
    return made


def held(own: dict[str, Any], envelope: Envelope, host: str) -> None:
    """Take trust away from a message about `host` that came from another one, which vouches for itself alone."""
    if not speaks_for(envelope, host):
        own["trust"] = "none"
        sent, said = envelope.host[:_LONGEST_ADDRESS], host[:_LONGEST_ADDRESS]
        own["doubt"] = f"{sent} sent the message, which says it is of {said}"


def sender(own: dict[str, Any], envelope: Envelope) -> None:
    """Add the attested sender to `ttyscribe`, or why one that is named is not believed."""
    if envelope.sender_uid >= 0:
        own["sender_uid"] = envelope.sender_uid
    if envelope.sender_pid >= 0:
        own["sender_pid"] = envelope.sender_pid
    if envelope.doubt:
        own["doubt"] = envelope.doubt
