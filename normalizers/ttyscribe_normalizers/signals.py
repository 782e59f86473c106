# SPDX-License-Identifier: Apache-2.0
"""SIGTERM and SIGINT as flags, for a loop that must not be torn apart in the middle of a batch."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Self


class Stop:
    """While entered: `drain` is set by SIGTERM, `now` by SIGINT or a second SIGTERM. `fd` is readable from then on."""

    def __init__(self) -> None:
        self.drain = False
        self.now = False
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before: dict[int, object] = {}

    def wait(self, seconds: float) -> bool:
        """Sleep; False as soon as a signal has asked for the end."""
        if not (self.drain or self.now):
            select.select([self.fd], [], [], max(0.0, seconds))
        return not (self.drain or self.now)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is Python's
        self.now = self.now or self.drain or number == signal.SIGINT
        self.drain = True
        try:
            os.write(self._write, b"!")
        except OSError:
            pass  # full: it is awake already

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # what signal() itself gave
        os.close(self.fd)
        os.close(self._write)
