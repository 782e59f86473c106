# SPDX-License-Identifier: Apache-2.0
"""The normalizer under rsyslog's omprog: each line is durable before it is confirmed, none ever blocks the queue."""

from collections.abc import Callable

from pyrsyslog_omprog import Handler, Retry, run
from ttyscribe_formats.errors import Unavailable
from ttyscribe_normalizers import summary
from ttyscribe_normalizers.delivery import Backoff, Batch, Delivery
from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.pipeline import MAX_LINE, Dead, Pipeline, Processed

MOST_DEFERRED = 8 << 20
"""Bytes of lines that a transaction may keep in memory; beyond, it is ended early."""


class Normalizer(Handler):
    """Delivers line by line, or a transaction at its COMMIT; what can't be delivered is tried again under keep-alives.

    Until COMMIT nothing is done but keeping raw lines: the less time passes before it, the less can be lost (OMP-14).
    """

    def __init__(
        self,
        pipeline: Pipeline,
        delivery: Delivery,
        ready: Callable[[], None],
        now_ns: Callable[[], int],
        report: Report,
    ) -> None:
        self._pipeline = pipeline
        self._delivery = delivery
        self._ready = ready
        self._now_ns = now_ns
        self._report = report
        self._backoff = Backoff()
        self._held: tuple[object, Batch] | None = None
        self._deferred: list[bytes] = []
        self._deferred_size = 0
        self._part = 0
        """How many of the deferred lines are in the batch that is held."""

    def start(self) -> None:
        """Check that the store can take documents rightly; hold rsyslog back until it can."""
        try:
            self._ready()
        except Unavailable as error:
            raise self._retry(error) from error
        self._backoff.reset()

    def line(self, data: bytes) -> None:
        """Normalise and store one line, or put it into the dead letter."""
        held = self._held
        if held is None or held[0] is not data:
            self._deliver(data, self._pipeline.process(data, self._now_ns()))
        else:
            self._attempt(data, held[1])

    def long_line(self, head: bytes, size: int) -> None:
        """Put a line beyond the limit, of which the head is left, into the dead letter."""
        held = self._held
        if held is None or held[0] is not head:
            self._deliver(head, self._pipeline.too_long(size, MAX_LINE))
        else:
            self._attempt(head, held[1])

    def defer(self, data: bytes) -> bool:
        """Keep a line until its COMMIT, as far as memory allows."""
        deferred = self._deferred
        if not deferred or deferred[-1] is not data:  # else it is tried again
            deferred.append(data)
            self._deferred_size += len(data)
        if self._deferred_size < MOST_DEFERRED:
            return True
        self.commit()
        return False

    def commit(self) -> None:
        """Normalise and store all that was kept, a part at a time."""
        deferred = self._deferred
        while deferred:
            held = self._held
            batch = held[1] if held is not None and held[0] is deferred else self._next_part()
            self._attempt(deferred, batch)
            del deferred[: self._part]
        self._deferred_size = 0

    def _next_part(self) -> Batch:
        batch = Batch()
        now_ns, process = self._now_ns(), self._pipeline.process
        self._part = 0
        for data in self._deferred:
            if batch.full:
                break
            batch.add(data, process(data, now_ns))
            self._part += 1
        return batch

    def poison(self, data: bytes, error: Exception) -> None:
        """Put a line aside over which this program failed."""
        self._held = None
        batch = Batch()
        batch.add(data, Processed((), Dead("failed", f"{type(error).__name__}: {error}"[:1000])))
        try:
            self._delivery.attempt(batch)
        except Unavailable as full:
            raise self._retry(full) from full

    def stop(self) -> None:
        """Say what was done."""
        self._report(f"ended after {summary.text(self._pipeline.counters, self._delivery.counters)}")

    def _deliver(self, data: bytes, processed: Processed) -> None:
        batch = Batch()
        batch.add(data, processed)
        self._attempt(data, batch)

    def _attempt(self, data: object, batch: Batch) -> None:
        try:
            self._delivery.attempt(batch)
        except Unavailable as error:
            self._held = (data, batch)
            raise self._retry(error) from error
        if self._held is not None:
            self._held = None
            self._backoff.reset()
            self._report("going on")

    def _retry(self, error: Unavailable) -> Retry:
        return Retry(self._backoff.next(error.after), str(error))


def serve(handler: Normalizer, report: Report) -> int:
    """Serve rsyslog on standard input and output until the end of the input; the exit status."""
    return run(handler, max_line=MAX_LINE, report=report)
