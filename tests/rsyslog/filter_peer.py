# SPDX-License-Identifier: Apache-2.0
"""rsyslog's side of the mmexternal protocol over real pipes, for filters made of a few lines of Python.

    with FilterPeer(tmp_path, "class F(Filter):\\n    def message(self, message): return {'msg': 'x'}") as peer:
        assert peer.ask(b'{"msg":"y"}') == {"msg": "x"}

As under rsyslog the environment is empty, the folder is `/`, and standard error leads into the pipe back.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PROGRAM = """
import os, signal, subprocess, sys, time
from pyrsyslog_omprog.mmexternal import Filter, run

{code}
{before}
sys.exit(run(F(), log_file={log!r}{options}))
"""
WAIT_S = 20.0


class FilterPeer:
    """One running program. `code` defines a class `F`, `options` are keyword arguments of `run`, as source.

    `before` is what the program does before `run`. Without `log` it has no log file.
    """

    def __init__(self, folder: Path, code: str, options: str = "", before: str = "", *, log: bool = True) -> None:
        self._log = folder / "log"
        script = folder / "program.py"
        path = str(self._log) if log else ""
        script.write_text(_PROGRAM.format(code=code, options=f", {options}", before=before, log=path))
        self._read, replies = os.pipe()
        lines, self._write = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=lines, stdout=replies, stderr=replies, cwd="/", env={}
        )
        os.close(lines)
        os.close(replies)
        self._buffer = b""

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._write, view) :]

    def reply(self, timeout: float = WAIT_S) -> bytes:
        """The next reply with its LF, or what came of it until the pipe was closed."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"no reply, only {self._buffer[:200]!r}\n{self.said()}")
            data = os.read(self._read, 65536)
            if not data:
                break
            self._buffer += data
        line, mark, self._buffer = self._buffer.partition(b"\n")
        return line + mark

    def ask(self, line: bytes) -> Any:
        """Send one line and take its reply, as rsyslog does; it must be one JSON object, and nothing may follow it."""
        self.send_raw(line + b"\n")
        made = json.loads(self.reply())
        assert type(made) is dict
        assert self._buffer == b""
        return made

    def silent(self, seconds: float) -> bool:
        """Tell whether no byte comes for so long."""
        return not self._buffer and not select.select([self._read], [], [], seconds)[0]

    def said(self) -> str:
        """What is in its log file."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def terminate(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def close_lines(self) -> None:
        """End of the input."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def close_replies(self) -> None:
        """Nobody reads the replies any more."""
        if self._read >= 0:
            os.close(self._read)
            self._read = -1

    def status(self, timeout: float = WAIT_S) -> int:
        """Exit status, once it has ended."""
        return self.process.wait(timeout)

    def finish(self) -> int:
        """End of the input, and the exit status; nothing may have come that was not asked for."""
        self.close_lines()
        status = self.status()
        assert self.reply() == b""
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close_lines()
        self.close_replies()
        self.process.kill()
        self.process.wait()
