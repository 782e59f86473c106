# SPDX-License-Identifier: Apache-2.0
"""rsyslog's side of the mmexternal protocol over real pipes, for filters made of a few lines of Python.

    with FilterPeer(tmp_path, "class F(Filter):\\n    def message(self, message): return {'msg': 'x'}") as peer:
        assert peer.ask(b'{"msg":"y"}') == {"msg": "x"}

As under rsyslog the environment is empty, the folder is `/`, and standard error leads into the pipe back.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.piped import Piped

_PROGRAM = """
import os, signal, subprocess, sys, time
from pyrsyslog_omprog.mmexternal import Filter, run

{code}
{before}
sys.exit(run(F(), log_file={log!r}{options}))
"""


class FilterPeer(Piped):
    """One running program. `code` defines a class `F`, `options` are keyword arguments of `run`, as source.

    `before` is what the program does before `run`. Without `log` it has no log file.
    """

    def __init__(self, folder: Path, code: str, options: str = "", before: str = "", *, log: bool = True) -> None:
        file, script = folder / "log", folder / "program.py"
        path = str(file) if log else ""
        script.write_text(_PROGRAM.format(code=code, options=f", {options}", before=before, log=path))
        super().__init__([sys.executable, str(script)], file, subprocess.STDOUT, cwd="/", env={})

    def ask(self, line: bytes) -> Any:
        """Send one line and take its reply, as rsyslog does; it must be one JSON object, and nothing may follow it."""
        self.send(line)
        made = json.loads(self.answer())
        assert type(made) is dict
        assert self._buffer == b""
        return made

    def finish(self) -> int:
        """End of the input, and the exit status; nothing may have come that was not asked for."""
        status = super().finish()
        assert self.answer() == b""
        return status
