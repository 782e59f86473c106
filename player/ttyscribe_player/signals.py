# SPDX-License-Identifier: Apache-2.0
"""Signals that end a playback: first the terminal is restored, then the process dies of the signal it got."""

import os
import signal
from types import FrameType
from typing import Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Signalled(BaseException):
    """Raised out of whatever was waiting."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Watch:
    """Within it a signal raises `Signalled`, once; those that come while things are put in order have to wait."""

    def __init__(self) -> None:
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in ENDING:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                self._before[number] = signal.signal(number, self._caught)
        return self

    def _caught(self, number: int, _: FrameType | None) -> None:
        self.hold()
        raise Signalled(number)

    def hold(self) -> None:
        """Ignore them from here on."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


def die_of(number: int) -> int:
    """End this process by the signal's own action; the status in case it survives."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
