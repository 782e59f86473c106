# SPDX-License-Identifier: Apache-2.0
"""A program that reads lines from one pipe and answers on another, as a shipper runs it."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

PATIENCE = 30.0
"""Seconds that anything may take; far more than it does."""


def wait_for(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something holds; fails saying what did not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.01)


class Piped:
    """One running program; use as a context manager, which kills it. `log` is the file of what it says apart.

    Further words are those of `subprocess.Popen`.
    """

    def __init__(self, command: Sequence[str], log: Path, stderr: int | IO[bytes], **how: Any) -> None:
        self._log = log
        self._out, output = os.pipe()
        lines, self._in = os.pipe()
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            command, stdin=lines, stdout=output, stderr=stderr, **how
        )
        os.close(lines)
        os.close(output)
        self._buffer = b""

    def send(self, *lines: bytes) -> None:
        """Send lines, each with its LF, in one write as long as they fit the pipe."""
        self.send_raw(b"".join(line + b"\n" for line in lines))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are; blocks while the pipe is full."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._in, rest) :]

    def takes_input(self) -> bool:
        """Tell whether the pipe has room at once."""
        return bool(select.select([], [self._in], [], 0)[1])

    def answer(self, seconds: float = PATIENCE) -> bytes:
        """The next line of its output with its LF, or what came of it until the pipe was closed."""
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer and self._more(end):
            pass
        line, mark, self._buffer = self._buffer.partition(b"\n")
        return line + mark

    def answers(self) -> bool:
        """Whether an answer can be read, dots aside."""
        while b"\n" not in self._buffer and select.select([self._out], [], [], 0)[0]:
            if not self._more(time.monotonic() + PATIENCE):
                break
        return b"\n" in self._buffer

    def silent(self, seconds: float) -> bool:
        """Tell whether no byte comes for so long."""
        return not self._buffer and not select.select([self._out], [], [], seconds)[0]

    def wait_dots(self, count: int) -> None:
        """Wait until so many dots of the next answer have come, and no answer."""
        end = time.monotonic() + PATIENCE
        while self._buffer.count(b".") < count:
            assert self._more(end), self.said()
        assert b"\n" not in self._buffer

    def _more(self, end: float) -> bool:
        if not select.select([self._out], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError(f"no answer, only {self._buffer[:200]!r}\n{self.said()}")
        data = os.read(self._out, 65536)
        self._buffer += data
        return bool(data)

    def said(self) -> str:
        """What it wrote to its log so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def wait_said(self, text: str) -> None:
        """Wait until it has said something."""
        wait_for(lambda: text in self.said(), f"{text!r} in what it said")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def close_input(self) -> None:
        """End of the input."""
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def close_output(self) -> None:
        """Nobody reads the answers any more."""
        if self._out >= 0:
            os.close(self._out)
            self._out = -1

    def status(self) -> int:
        """Exit status, once it has ended."""
        return self.process.wait(PATIENCE)

    def finish(self) -> int:
        """End of the input, and the exit status."""
        self.close_input()
        return self.status()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(f"--- the program said:\n{self.said()[-4000:]}", file=sys.stderr)
        self.close_input()
        self.close_output()
        self.kill()
