# SPDX-License-Identifier: Apache-2.0
"""The normalizer in a pipe: lines from a descriptor, delivered in batches, with nobody to confirm anything to.

A batch grows while more can be read and is delivered as soon as nothing can, so that a slow source waits for nothing
and a fast one is written in bulk. While the store is down nothing is read: the pipe holds the source back.
"""

import fcntl
import os
import select
import stat
import struct
import termios
from collections.abc import Callable

from ttyscribe_formats.errors import Unavailable
from ttyscribe_normalizers.delivery import Backoff, Batch, Delivery
from ttyscribe_normalizers.logs import Report, Seldom
from ttyscribe_normalizers.pipeline import MAX_LINE, Pipeline
from ttyscribe_normalizers.signals import Stop

MAX_DOCUMENTS = 1000
FEW_DOCUMENTS = 32
"""For a sink that gains nothing by large batches: these stay in the processor's cache."""
MAX_BYTES = 1 << 20
READ_SIZE = 64 * 1024


class Lines:
    """Cuts a stream into lines; of a line beyond the limit only the head is kept, with its whole size."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._kept = self._size = 0

    @property
    def partial(self) -> int:
        """Bytes of a line whose end has not come."""
        return self._size

    def feed(self, data: bytes) -> list[tuple[bytes, int]]:
        """The lines that `data` completes, without their LF, and their sizes."""
        pieces = data.split(b"\n")
        rest = pieces.pop()
        found: list[tuple[bytes, int]] = []
        if pieces:
            self._keep(pieces[0])
            found.append((b"".join(self._parts), self._size))
            self._parts, self._kept, self._size = [], 0, 0
            found += [(piece[: self._limit], len(piece)) for piece in pieces[1:]]
        self._keep(rest)
        return found

    def _keep(self, part: bytes) -> None:
        room = self._limit - self._kept
        if part and room > 0:
            self._parts.append(part[:room])
            self._kept += min(len(part), room)
        self._size += len(part)


class Interrupted(Exception):
    """A signal asked for the end while something was still to be delivered."""


class Reader:
    """The loop around a pipeline and a delivery. `lines` counts those that are delivered.

    `delivered` is called with the last line of each batch.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        delivery: Delivery,
        stop: Stop,
        now_ns: Callable[[], int],
        report: Report,
        progress: Callable[[int], None],
        max_documents: int = MAX_DOCUMENTS,
        delivered: Callable[[bytes], None] | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._delivery = delivery
        self._stop = stop
        self._now_ns = now_ns
        self._max_documents = max_documents
        self._report = Seldom(report)
        self._progress = progress
        self._backoff = Backoff()
        self._cutter = Lines()
        self._batch = Batch()
        self._bytes = self._taken = 0
        self._delivered = delivered
        self._last = b""
        self.lines = 0

    def read(self, source: int) -> None:
        """Deliver everything that comes from `source` until its end, or a signal.

        Raises Interrupted where the end came before all that was read is durable, and OSError of an output that can't
        take more.
        """
        draining = -1
        while draining != 0:
            self._wait(source)
            if self._stop.now:
                break
            if self._stop.drain and draining < 0:
                draining = readable(source)
                continue
            data = os.read(source, READ_SIZE if draining < 0 else min(READ_SIZE, draining))
            if not data:
                self._take(self._cutter.feed(b"\n") if self._cutter.partial else [])
                self._flush()
                return
            draining -= len(data) if draining > 0 else 0
            self._take(self._cutter.feed(data))
            if not can_read(source):
                self._flush()
        self._flush()
        if self._cutter.partial or self._stop.now:
            raise Interrupted

    def ready(self, check: Callable[[], None]) -> None:
        """Wait until `check` passes. Raises Interrupted."""
        self._retrying(check)

    def _wait(self, source: int) -> None:
        """Wait until there is something to read, or a signal."""
        if not self._stop.drain:
            select.select([source, self._stop.fd], [], [])

    def _take(self, lines: list[tuple[bytes, int]]) -> None:
        process = self._pipeline.process
        batch = self._batch
        now = self._now_ns()
        for line, size in lines:
            processed = process(line, now) if size <= MAX_LINE else self._pipeline.too_long(size, MAX_LINE)
            batch.add(line, processed)
            self._taken += 1
            self._bytes += len(line)
            self._last = line
            if len(batch.documents) >= self._max_documents or self._bytes >= MAX_BYTES:
                self._flush()

    def _flush(self) -> None:
        batch = self._batch
        if batch.documents or batch.entries:
            self._retrying(lambda: self._delivery.attempt(batch))
        if self._delivered is not None and self._last:
            self._delivered(self._last)
            self._last = b""
        self._bytes = 0
        self.lines, self._taken = self.lines + self._taken, 0
        self._progress(self.lines)

    def _retrying(self, call: Callable[[], None]) -> None:
        held = False
        while True:
            try:
                call()
            except Unavailable as error:
                held = True
                self._report(f"holding the input back: {error}")
                if not self._stop.wait(self._backoff.next(error.after)):
                    raise Interrupted from error
            else:
                if held:
                    self._backoff.reset()
                    self._report.reset()
                return


def can_read(source: int) -> bool:
    """Tell whether a read would give something (or the end) at once."""
    return bool(select.select([source], [], [], 0)[0])


def readable(source: int) -> int:
    """How many bytes wait in a pipe or socket; of a file none: it is there to be read again."""
    if stat.S_ISREG(os.fstat(source).st_mode):
        return 0
    try:
        return int(struct.unpack("i", fcntl.ioctl(source, termios.FIONREAD, b"\0" * 4))[0])
    except OSError:
        return 0
