# SPDX-License-Identifier: Apache-2.0
"""Tells the figures: now and then, and when asked; in a thread of its own, which reads counters and changes nothing."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ttyscribe_normalizers.logs import Report
from ttyscribe_normalizers.watch import endpoint, snapshot
from ttyscribe_normalizers.watch.snapshot import Snapshot

STATUS_SECONDS = 5.0
_MODE = 0o640


class Watcher:
    """`take` gives the figures of this moment.

    seconds: how often a line goes to the log; 0 for never. status: a file that holds the figures of a few seconds ago
    at most, replaced as a whole; none for no file.
    """

    def __init__(self, take: Callable[[], Snapshot], report: Report, seconds: float, status: Path | None) -> None:
        self._take = take
        self._report = report
        self._seconds = seconds
        self._status = status
        self._before: Snapshot | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stats", daemon=True)
        self._troubled = False

    def serve(self, address: str) -> None:
        """Answer Prometheus at this address. Another process that has it already is said, and no error."""
        try:
            endpoint.serve(address, lambda: snapshot.prometheus(self._take()))
        except OSError as error:
            self._report(f"no metrics at {address}: {error.strerror or error}")

    def start(self) -> None:
        """Begin, where there is something to do."""
        if self._seconds or self._status:
            self._thread.start()

    def stop(self) -> None:
        """Tell the last figures."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(STATUS_SECONDS)
            self._tell()

    def _run(self) -> None:
        pause = min(filter(None, (self._seconds, STATUS_SECONDS if self._status else 0)))
        line_at = time.monotonic() + self._seconds
        self._write_status()
        while not self._over.wait(pause):
            if self._seconds and time.monotonic() >= line_at:
                line_at += self._seconds
                self._tell()
            self._write_status()

    def _tell(self) -> None:
        now = self._take()
        if self._seconds:
            self._report(snapshot.line(now, self._before))
        self._before = now
        self._write_status()

    def _write_status(self) -> None:
        if self._status is None:
            return
        beside = self._status.with_name(f".{self._status.name}.{os.getpid()}")
        try:
            fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
            with os.fdopen(fd, "wb") as file:
                file.write(snapshot.status(self._take()))
            beside.rename(self._status)
            self._troubled = False
        except OSError as error:
            if not self._troubled:
                self._report(f"can't write the status file {self._status}: {error.strerror}")
            self._troubled = True
