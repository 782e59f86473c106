# SPDX-License-Identifier: Apache-2.0
"""SIGTERM as a flag, the loss of the peer as another, and a sleep that either ends."""

import os
import select
import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Termination:
    """While entered, SIGTERM only sets `requested`: rsyslog sends it just before it closes the input (OMP-8).

    SIGPIPE is ignored, so that a write to a gone rsyslog is an error that can be handled. SIGHUP is ignored unless the
    program has a handler for it: log rotation sends it to rsyslog's whole service (OMP-18). Outside the main thread,
    where Python takes no signals, only `wait` works.
    """

    def __init__(self) -> None:
        self.requested = False
        self.gone = False
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[signal.Signals, object] = {}

    def wait(self, seconds: float) -> bool:
        """Sleep; True after the whole time, False at once if SIGTERM has come or comes, or the peer is gone."""
        if not (self.requested or self.gone):
            select.select([self._read], [], [], max(0.0, seconds))
        return not (self.requested or self.gone)

    def peer_gone(self) -> None:
        """Note, from any thread, that rsyslog has closed the answer pipe: waiting on for it is of no use."""
        self.gone = True
        self._wake()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is Python's
        self.requested = True
        self._wake()

    def _wake(self) -> None:
        try:
            os.write(self._write, b"!")
        except OSError:
            pass  # full: it is awake already

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._on_signal)
            self._before[signal.SIGPIPE] = signal.signal(signal.SIGPIPE, signal.SIG_IGN)
            if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
                self._before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal() itself gave
        os.close(self._read)
        os.close(self._write)
