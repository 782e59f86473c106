# SPDX-License-Identifier: Apache-2.0
"""Syslog messages: what is alike in all records of one sender goes through the chain once."""

from typing import Any

from ttyscribe_formats.viaq import Record, times
from ttyscribe_formats.viaq.usual import Shape, Usual
from ttyscribe_normalizers.envelope import SENDER, Envelope
from ttyscribe_normalizers.viaq import records

_MANY = 4096
"""Senders beyond which nothing is remembered: nobody makes us keep much."""
_LONG = 512


class Senders:
    """Remembers what the records of senders become, message and time aside."""

    def __init__(self, usual: Usual | None) -> None:
        self._usual = usual
        self._shapes: dict[tuple[Any, ...], Shape | None] = {}

    def made(self, envelope: Envelope, host: str, message: str, time_us: int, now_ns: int) -> Record | None:
        """What a message becomes; None where its record has to take the long way.

        Documents of one sender share their parts: nobody changes a document.
        """
        if self._usual is None or not message or envelope.header is not None:
            return None
        time = times.journal_normal(str(time_us))
        if not time:
            return None
        values: tuple[Any, ...] = envelope
        key = (host, *values[SENDER])
        try:
            shape = self._shapes[key]
        except KeyError:
            if len(str(key)) > _LONG:
                return None
            shape = self._learned(key, envelope, host)
        return None if shape is None else shape(message, time, now_ns)

    def _learned(self, key: tuple[Any, ...], envelope: Envelope, host: str) -> Shape | None:
        record = records.from_syslog(envelope)
        record["MESSAGE"] = "x"
        if host:
            record["_HOSTNAME"] = host
        record["_SOURCE_REALTIME_TIMESTAMP"] = "0" * 16
        if len(self._shapes) >= _MANY:
            self._shapes.clear()
        shape = self._shapes[key] = self._usual.learn(record) if self._usual is not None else None
        return shape
