# SPDX-License-Identifier: Apache-2.0
"""Takes the figures of a running program."""

import os
import time
from collections.abc import Callable

from ttyscribe_formats import timestamp
from ttyscribe_normalizers.delivery import Delivery
from ttyscribe_normalizers.pipeline import Pipeline
from ttyscribe_normalizers.watch.snapshot import Snapshot, counted


class Figures:
    """`spooled` answers how many bytes wait in the spool."""

    def __init__(self, version: str, protocol: str, pipeline: Pipeline, delivery: Delivery) -> None:
        self._version = version
        self._protocol = protocol
        self._pipeline = pipeline
        self._delivery = delivery
        self._started = time.time()
        self.spooled: Callable[[], int] = lambda: 0

    def take(self) -> Snapshot:
        """The figures of this moment."""
        now_ns = time.time_ns()
        delivery = self._delivery
        (received, delivered_ns), held_since_ns = delivery.delivered, delivery.held_since_ns
        found = counted(self._pipeline.counters, delivery.counters)
        return Snapshot(
            version=self._version,
            protocol=self._protocol,
            pid=os.getpid(),
            started=self._started,
            now=now_ns / 1e9,
            **found._asdict(),
            lag=max(0.0, (delivered_ns - timestamp.parse(received)) / 1e9) if received else 0.0,
            held=max(0.0, (now_ns - held_since_ns) / 1e9) if held_since_ns else 0.0,
            spooled=self.spooled(),
        )
