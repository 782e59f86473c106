# SPDX-License-Identifier: Apache-2.0
"""The only writer of the answer pipe: answers from the main thread, keep-alive dots from a thread of its own.

One lock makes "an answer is owed" and "write" one step, so that no dot can follow an answer: rsyslog would take
`OK`, LF and a dot in one read as a malformed answer and restart the program.
"""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .protocol import Protocol


class Answers:
    """Writes to descriptor `fd` what `protocol` allows; a context manager that runs the keep-alive thread.

    A dot goes out each `interval` seconds while an answer is owed; no thread for an interval of 0. With `fd` None
    nothing is written at all (`confirmMessages="off"`). `on_gone` is called, in the keep-alive thread, when a dot finds
    the pipe closed.
    """

    def __init__(
        self, protocol: Protocol, fd: int | None, interval: float, on_gone: Callable[[], None] = lambda: None
    ) -> None:
        self._protocol = protocol
        self._fd = fd
        self._interval = interval
        self._on_gone = on_gone
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="omprog-keep-alive", daemon=True)

    def confirm(self, *, deferred: bool = False) -> None:
        """Answer the oldest line; BrokenPipeError if rsyslog is gone."""
        with self._lock:
            answer = self._protocol.confirm(deferred=deferred)
            if self._fd is not None:
                os.write(self._fd, answer)  # shorter than PIPE_BUF: whole or not at all

    def _run(self) -> None:
        while not self._over.wait(self._interval):
            try:
                self._dot()
            except OSError:
                self._on_gone()
                return

    def _dot(self) -> None:
        with self._lock:
            dot = self._protocol.keep_alive()
            if dot and self._fd is not None:
                os.write(self._fd, dot)

    def __enter__(self) -> Self:
        if self._fd is not None and self._interval > 0:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
