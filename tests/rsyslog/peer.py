# SPDX-License-Identifier: Apache-2.0
"""rsyslog's side of the omprog protocol over real pipes, for programs made of a few lines of Python.

    with Peer("class H(Handler):\\n    def line(self, data): self.put(data)") as peer:
        assert peer.answer() == b"OK\\n"

The code defines a class `H`; `put(data)` of the base class appends a line to `peer.done`.
"""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAM = """
import os, signal, subprocess, sys, time
import pyrsyslog_omprog
from pyrsyslog_omprog import Handler as _Handler, Marks, Retry, run

class Handler(_Handler):
    def __init__(self, path):
        self.file = open(path, "ab", buffering=0)
    def put(self, data):
        self.file.write(data + b"\\n")
    def line(self, data):
        self.put(data)

{code}
sys.exit(run(H(sys.argv[1]){options}))
"""
WAIT_S = 20.0


class Peer:
    """One running program; `folder` is its own. `options` are the keyword arguments of `run`, as source.

    Dots are minutes apart unless `options` say otherwise, so that answers can be compared whole.
    """

    def __init__(self, folder: Path, code: str = "class H(Handler): pass", options: str = "") -> None:
        if "confirm_timeout" not in options:
            options = f"confirm_timeout=600, {options}"
        self._put = folder / "done"
        script = folder / "program.py"
        script.write_text(_PROGRAM.format(code=code, options=f", {options}"))
        self.errors = folder / "stderr"
        self._read, answers = os.pipe()
        lines, self._write = os.pipe()
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, str(script), str(self._put)], stdin=lines, stdout=answers, stderr=errors
            )
        os.close(lines)
        os.close(answers)
        self._buffer = b""

    def send(self, *lines: bytes) -> None:
        """Send lines, each with its LF, in one write as long as they fit the pipe."""
        self.send_raw(b"".join(line + b"\n" for line in lines))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._write, view) :]

    def answer(self, timeout: float = WAIT_S) -> bytes:
        """The next answer with its dots and LF, or what came of it until the pipe was closed."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no answer, only {self._buffer!r}\n{self.said()}")
            data = os.read(self._read, 65536)
            if not data:
                break
            self._buffer += data
        line, mark, self._buffer = self._buffer.partition(b"\n")
        return line + mark

    def ask(self, line: bytes) -> bytes:
        """Send one line and take its answer, as rsyslog does."""
        self.send(line)
        return self.answer()

    def silent(self, seconds: float) -> bool:
        """Tell whether no byte comes for so long."""
        return not self._buffer and not select.select([self._read], [], [], seconds)[0]

    def wait_dots(self, count: int, timeout: float = WAIT_S) -> None:
        """Wait until so many dots of the next answer have come."""
        end = time.monotonic() + timeout
        while self._buffer.count(b".") < count:
            if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"{count} dots awaited, only {self._buffer!r}\n{self.said()}")
            data = os.read(self._read, 65536)
            assert data, self.said()
            self._buffer += data
        assert b"\n" not in self._buffer

    def done(self) -> list[bytes]:
        """What the program's handler put away so far."""
        return self._put.read_bytes().split(b"\n")[:-1] if self._put.exists() else []

    def wait_done(self, lines: list[bytes], timeout: float = WAIT_S) -> None:
        """Wait until the handler has put away these lines and no others."""
        end = time.monotonic() + timeout
        while self.done() != lines:
            assert time.monotonic() < end, f"{self.done()}\n{self.said()}"
            time.sleep(0.01)

    def said(self) -> str:
        """What it wrote to standard error so far."""
        return self.errors.read_text(errors="replace")

    def close_lines(self) -> None:
        """End of the input."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def close_answers(self) -> None:
        """Nobody reads the answers any more."""
        if self._read >= 0:
            os.close(self._read)
            self._read = -1

    def terminate(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def status(self, timeout: float = WAIT_S) -> int:
        """Exit status, once it has ended."""
        return self.process.wait(timeout)

    def finish(self) -> int:
        """End of the input, and the exit status."""
        self.close_lines()
        return self.status()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_lines()
        self.close_answers()
        self.process.kill()
        self.process.wait()
