# SPDX-License-Identifier: Apache-2.0
"""Runs the real program over real pipes."""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = [sys.executable, "-c", "import sys; from ttyscribe_normalizers.entry import main; sys.exit(main())"]
"""The console script, without the need to find it."""
PATIENCE = 30.0
"""Seconds that anything may take; far more than it does."""


def wait_for(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something holds; fails saying what did not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.01)


class Running:
    """One running `ttyscribe-normalize`, with pipes for input and output and a file for what it says.

    `file_limit` bounds the size of every file that it writes, as a full disk would; `lift_limit` takes that away.
    """

    def __init__(self, folder: Path, *arguments: str, file_limit: int = -1) -> None:
        self._said = folder / "said"
        self._out, output = os.pipe()
        lines, self._in = os.pipe()
        with self._said.open("ab") as errors:
            self.process = subprocess.Popen(
                [*PROGRAM, *arguments],
                stdin=lines,
                stdout=output,
                stderr=errors,
                cwd=folder,
            )
        if file_limit >= 0:  # it writes nothing before it is fed
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))
        os.close(lines)
        os.close(output)
        self._buffer = b""

    def lift_limit(self) -> None:
        """There is space again."""
        infinity = resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (infinity, infinity))

    def send(self, *lines: bytes) -> None:
        """Send lines, each with its LF."""
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
        """The next line of its output, or what came until it was closed."""
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

    def ask(self, line: bytes) -> bytes:
        """Send one line and take its answer, its dots left out, as rsyslog does."""
        self.send(line)
        return self.answer().lstrip(b".")

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
        """What it wrote to standard error so far."""
        return self._said.read_text(errors="replace")

    def wait_said(self, text: str) -> None:
        """Wait until it has said something."""
        wait_for(lambda: text in self.said(), f"{text!r} in what it said")

    def cpu_seconds(self) -> float:
        """CPU time it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_megabytes(self) -> float:
        """The most memory that it has used so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def close_input(self) -> None:
        """End of the input."""
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def close_output(self) -> None:
        """Nobody reads any more."""
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


def run(folder: Path, data: bytes, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    """Run it once over data; its exit status must be the one given."""
    command: Sequence[str] = [*PROGRAM, *arguments]
    done = subprocess.run(command, input=data, capture_output=True, cwd=folder, timeout=PATIENCE)
    assert done.returncode == status, done.stderr.decode()
    return done
