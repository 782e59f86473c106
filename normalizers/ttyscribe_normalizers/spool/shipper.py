# SPDX-License-Identifier: Apache-2.0
"""Takes lines out of the spool, makes documents of them and delivers them, while new lines come in.

Lines are normalised in the program's main thread, between two lines of the source: a second thread would only wait for
the interpreter. The store is written by a worker, as that is mostly waiting. While one batch is on its way the next
one grows in the spool, so a slow store gets large batches and a fast one small ones.
"""

from collections.abc import Callable

from ttyscribe_formats.errors import Unavailable
from ttyscribe_normalizers.deadletter import Entry
from ttyscribe_normalizers.delivery import Backoff, Batch, Delivery
from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.pipeline import Dead, Pipeline, Processed
from ttyscribe_normalizers.spool.folder import Folder, Position
from ttyscribe_normalizers.spool.record import Record
from ttyscribe_normalizers.spool.root import Root
from ttyscribe_normalizers.spool.worker import Worker

MOST = 1000
"""Lines of a batch."""
LINGER = 0.02
"""Seconds that a line may wait for others before it is delivered with them."""
ADOPT_EVERY = 60.0
REPORT_EVERY = 60.0


class Shipper:
    """Empties our own folder and those of dead processes. All times are seconds of one monotonic clock.

    `ready` raises Unavailable until the store can take documents; it is asked at the start and after each outage.
    """

    def __init__(
        self,
        root: Root,
        own: Folder,
        pipeline: Pipeline,
        delivery: Delivery,
        ready: Callable[[], None],
        report: Report,
        worker: Worker,
    ) -> None:
        self._root = root
        self._own = own
        self._pipeline = pipeline
        self._delivery = delivery
        self._ready = ready
        self._report = report
        self._worker = worker
        self._backoff = Backoff()
        self._checked = False
        self._adopted: Folder | None = None
        self._adopt_at = 0.0
        self._next_try = 0.0
        self._tell_at = 0.0
        self._is_down = False
        self._batch: Batch | None = None
        self._source = own
        self._end = Position(0, 0)

    @property
    def waiting(self) -> bool:
        """Whether something of ours or adopted is not delivered yet."""
        return self._batch is not None or self._own.waiting or self._adopted is not None

    @property
    def size(self) -> int:
        """Bytes that wait, of ours and of what was adopted."""
        adopted = self._adopted
        return self._own.size + (adopted.size if adopted is not None else 0)

    def patience(self, now: float) -> float:
        """Seconds after which `pump` is to be called, unless the worker's `fd` can be read before."""
        if self._worker.busy:
            return ADOPT_EVERY
        if self.waiting:
            return max(LINGER, self._next_try - now)
        return max(0.0, self._adopt_at - now)

    def pump(self, now: float) -> None:
        """Take note of what was delivered, and begin what can be. OSError where the spool can't be read."""
        self._collect(now)
        if self._worker.busy or now < self._next_try:
            return
        if now >= self._adopt_at:
            self._adopt(now)
        if self._batch is None:
            self._load()
        if (batch := self._batch) is not None:
            self._worker.begin(lambda: self._deliver(batch))

    def close(self) -> None:
        """Let go of the folders; what waits in them is for the next process."""
        for folder in (self._own, self._adopted):
            if folder is not None:
                folder.close() if folder.waiting or self._batch is not None else folder.remove()
        self._adopted = None

    # -- what is delivered -------------------------------------------------------------------------------------------

    def _collect(self, now: float) -> None:
        try:
            if not self._worker.busy or not self._worker.ended():
                return
        except Unavailable as error:
            self._checked = False
            self._next_try = now + self._backoff.next(error.after)
            self._is_down = True
            if now >= self._tell_at:
                self._tell_at = now + REPORT_EVERY
                self._report(f"{self.size >> 10} KiB wait in the spool: {error}")
            return
        if self._is_down:
            self._is_down = False
            self._backoff.reset()
            self._report("going on")
        self._batch = None
        self._source.commit(self._end)

    def _deliver(self, batch: Batch) -> None:
        """In the worker: until all is durable; Unavailable where it can't be."""
        if not self._checked:
            self._ready()
            self._checked = True
        try:
            self._delivery.attempt(batch)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - a fault of ours: find the document that it is about
            self._one_by_one(batch)

    def _one_by_one(self, batch: Batch) -> None:
        """Each document by itself; the one that can't be written for a fault of ours goes to the dead letter."""
        while batch.documents:
            single = Batch()
            single.documents, single.lines = batch.documents[:1], batch.lines[:1]
            try:
                self._delivery.attempt(single)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                dead = Dead("failed", f"{type(error).__name__}: {error}"[:1000])
                batch.entries.append(Entry(single.lines[0], dead, single.documents[0]))
            del batch.documents[:1], batch.lines[:1]
        self._delivery.attempt(batch)

    # -- what is to be delivered ---------------------------------------------------------------------------------------

    def _adopt(self, now: float) -> None:
        """Take over what a dead process has left; looked for now and then."""
        if self._adopted is None:
            self._adopted = self._root.adopt()
            if self._adopted is not None:
                self._report(f"delivering what another process has left: {self._adopted.size >> 10} KiB")
                return  # there may be more
        self._adopt_at = now + ADOPT_EVERY

    def _load(self) -> None:
        """Make the next batch: of an adopted folder's lines and of ours by turns."""
        folders = [folder for folder in (self._adopted, self._own) if folder is not None]
        if len(folders) > 1 and self._source is self._adopted and self._own.waiting:
            folders.reverse()
        for folder in folders:
            read = folder.read(MOST)
            if read.records:
                self._source, self._end = folder, read.end
                self._batch = self._normalized(read.records, read.damage)
                return
            if folder is self._adopted:
                folder.remove()
                self._adopted, self._adopt_at = None, 0.0

    def _normalized(self, records: list[Record], damage: str) -> Batch:
        batch = Batch()
        process = self._pipeline.process
        for data, now_ns, size in records:
            if damage:
                processed = Processed((), Dead("damaged", f"the spool's {damage}"))
                self._report(f"the spool's {damage}; the rest of it is in the dead letter")
            elif size > len(data):
                processed = self._pipeline.too_long(size, len(data))
            else:
                processed = process(data, now_ns)
            batch.add(data, processed)
        return batch
