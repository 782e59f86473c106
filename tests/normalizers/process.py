# SPDX-License-Identifier: Apache-2.0
"""Runs the real program over real pipes."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.piped import PATIENCE, Piped, wait_for

__all__ = ["PATIENCE", "PROGRAM", "Running", "run", "wait_for"]

PROGRAM = [sys.executable, "-c", "import sys; from ttyscribe_normalizers.entry import main; sys.exit(main())"]
"""The console script, without the need to find it."""


class Running(Piped):
    """One running `ttyscribe-normalize`, with pipes for input and output and a file for what it says.

    `file_limit` bounds the size of every file that it writes, as a full disk would; `lift_limit` takes that away.
    """

    def __init__(self, folder: Path, *arguments: str, file_limit: int = -1) -> None:
        log = folder / "said"
        with log.open("ab") as errors:
            super().__init__([*PROGRAM, *arguments], log, errors, cwd=folder)
        if file_limit >= 0:  # it writes nothing before it is fed
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (file_limit, resource.RLIM_INFINITY))

    def lift_limit(self) -> None:
        """There is space again."""
        infinity = resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (infinity, infinity))

    def ask(self, line: bytes) -> bytes:
        """Send one line and take its answer, its dots left out, as rsyslog does."""
        self.send(line)
        return self.answer().lstrip(b".")

    def cpu_seconds(self) -> float:
        """CPU time it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_megabytes(self) -> float:
        """The most memory that it has used so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def run(folder: Path, data: bytes, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[bytes]:
    """Run it once over data; its exit status must be the one given."""
    command: Sequence[str] = [*PROGRAM, *arguments]
    done = subprocess.run(command, input=data, capture_output=True, cwd=folder, timeout=PATIENCE)
    assert done.returncode == status, done.stderr.decode()
    return done
