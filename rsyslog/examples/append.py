# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: INP001
"""Appends each line to the file named on the command line: a whole omprog plugin."""

import sys

from pyrsyslog_omprog import Handler, run


class Append(Handler):
    """Unbuffered: what `line` returns from is with the kernel and survives the death of this process."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - open as long as the program runs

    def line(self, data: bytes) -> None:
        """Append one line."""
        self._file.write(data + b"\n")


sys.exit(run(Append(sys.argv[1])))
