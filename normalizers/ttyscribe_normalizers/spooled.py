# SPDX-License-Identifier: Apache-2.0
"""The normalizer under rsyslog's omprog with a spool: a line is confirmed once it is there, and delivered behind it."""

import select
import time
from collections.abc import Callable

from pyrsyslog_omprog import Handler, Retry, run
from ttyscribe_normalizers import summary
from ttyscribe_normalizers.delivery import Delivery
from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.options import Options
from ttyscribe_normalizers.pipeline import MAX_LINE, Pipeline
from ttyscribe_normalizers.spool.folder import Folder
from ttyscribe_normalizers.spool.root import Root
from ttyscribe_normalizers.spool.shipper import LINGER, Shipper
from ttyscribe_normalizers.spool.worker import Worker

DRAIN_SECONDS = 3.0
"""How long the end waits for the store; rsyslog's closeTimeout has to be longer."""
_FULL_PAUSE = 0.2
_DISK_PAUSE = 1.0


class Spooled(Handler):
    """Keeps each line in the spool; while that is full, of at most `limit` bytes, rsyslog is held back."""

    def __init__(
        self,
        root: Root,
        limit: int,
        pipeline: Pipeline,
        delivery: Delivery,
        ready: Callable[[], None],
        report: Report,
    ) -> None:
        self._root = root
        self.limit = limit
        self._pipeline = pipeline
        self._delivery = delivery
        self._ready = ready
        self._report = report
        self._worker = Worker()
        self.wake = self._worker.fd
        self._own: Folder
        self._shipper: Shipper
        self._started = False
        self._pump_at = 0.0

    @property
    def waiting_bytes(self) -> int:
        """What waits in the spool, of ours and of what was adopted."""
        return self._shipper.size if self._started else 0

    def change(self, wanted: Options) -> None:
        """Take another limit, from any thread."""
        self.limit = wanted.spool_size

    def start(self) -> None:
        """Make a folder of our own."""
        try:
            self._own = self._root.own()
        except OSError as error:
            raise Retry(_DISK_PAUSE, f"the spool can't be made: {error}") from error
        self._shipper = Shipper(
            self._root, self._own, self._pipeline, self._delivery, self._ready, self._report, self._worker
        )
        self._started = True

    def line(self, data: bytes) -> None:
        """Keep one line."""
        self._keep(data, len(data))

    def long_line(self, head: bytes, size: int) -> None:
        """Keep the head of a line beyond the limit, for the dead letter."""
        self._keep(head, size)

    def defer(self, data: bytes) -> bool:
        """Keep one line: it is safe before its COMMIT."""
        self._keep(data, len(data))
        return True

    def idle(self) -> None:
        """Deliver: no line has come for a moment, or the store has answered."""
        self._pump(time.monotonic())

    def patience(self) -> float:
        """Seconds until `idle` has something to do."""
        return self._shipper.patience(time.monotonic())

    def stop(self) -> None:
        """Deliver what can be delivered at once, and leave the rest to the next process."""
        end = time.monotonic() + DRAIN_SECONDS
        while True:
            now = time.monotonic()
            self._pump(now)
            if not self._shipper.waiting or now >= end:
                break
            select.select([self.wake], [], [], min(self._shipper.patience(now), end - now))
        left = self._shipper.size if self._shipper.waiting else 0
        self._shipper.close()
        counted = summary.text(self._pipeline.counters, self._delivery.counters)
        rest = f"; {left >> 10} KiB wait in the spool for the next start" if left else ""
        self._report(f"ended after {counted}{rest}")

    def _keep(self, data: bytes, size: int) -> None:
        own, now = self._own, time.monotonic()
        if own.size >= self.limit:
            self._pump(now)
            if own.size >= self.limit:
                raise Retry(_FULL_PAUSE, f"the spool is full: {own.size >> 20} MiB wait for the store")
        try:
            own.append(data, time.time_ns(), size)
        except OSError as error:
            self._pump(now)
            raise Retry(_DISK_PAUSE, f"the spool can't be written: {error}") from error
        if now >= self._pump_at:
            self._pump(now)

    def _pump(self, now: float) -> None:
        self._pump_at = now + LINGER
        try:
            self._shipper.pump(now)
        except OSError as error:
            self._report(f"the spool can't be used: {error}")


def serve(handler: Spooled, report: Report) -> int:
    """Serve rsyslog on standard input and output until the end of the input; the exit status."""
    return run(handler, max_line=MAX_LINE, idle_after=handler.patience, wake=handler.wake, report=report)
