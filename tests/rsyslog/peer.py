# SPDX-License-Identifier: Apache-2.0
"""rsyslog's side of the omprog protocol over real pipes, for programs made of a few lines of Python.

    with Peer("class H(Handler):\\n    def line(self, data): self.put(data)") as peer:
        assert peer.answer() == b"OK\\n"

The code defines a class `H`; `put(data)` of the base class appends a line to `peer.done`.
"""

import sys
from pathlib import Path

from tests.piped import Piped, wait_for

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


class Peer(Piped):
    """One running program; `folder` is its own. `options` are the keyword arguments of `run`, as source.

    Dots are minutes apart unless `options` say otherwise, so that answers can be compared whole.
    """

    def __init__(self, folder: Path, code: str = "class H(Handler): pass", options: str = "") -> None:
        if "confirm_timeout" not in options:
            options = f"confirm_timeout=600, {options}"
        self._put = folder / "done"
        script, log = folder / "program.py", folder / "stderr"
        script.write_text(_PROGRAM.format(code=code, options=f", {options}"))
        with log.open("ab") as errors:
            super().__init__([sys.executable, str(script), str(self._put)], log, errors)

    def ask(self, line: bytes) -> bytes:
        """Send one line and take its answer, as rsyslog does."""
        self.send(line)
        return self.answer()

    def done(self) -> list[bytes]:
        """What the program's handler put away so far."""
        return self._put.read_bytes().split(b"\n")[:-1] if self._put.exists() else []

    def wait_done(self, lines: list[bytes]) -> None:
        """Wait until the handler has put away these lines and no others."""
        wait_for(lambda: self.done() == lines, f"{lines} and no others")
