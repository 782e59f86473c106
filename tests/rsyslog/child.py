# SPDX-License-Identifier: Apache-2.0
"""The program that the tests let a real rsyslogd run: appends lines to a file, and misbehaves when a line says so.

    python child.py LINES STARTS DELAY CONFIRM_TIMEOUT

LINES: file that gets every line; STARTS: file that gets one line a start; DELAY: seconds of work for each line.
"""

import json
import sys
import time
from pathlib import Path

from pyrsyslog_omprog import Handler, Retry, run


class Child(Handler):
    """Does what a message's text asks for: `poison`, `retry N` (0.2 s apart), `hang` (the first program only)."""

    def __init__(self, lines: Path, starts: Path, delay: float) -> None:
        self._file = lines.open("ab", buffering=0)
        self._starts = starts
        self._recovered = lines.with_name("recovered")
        self._delay = delay
        self._tries = 0

    def start(self) -> None:
        """Leave a trace of each start."""
        with self._starts.open("ab") as file:
            file.write(b"start\n")

    def line(self, data: bytes) -> None:
        """Append one line, unless its text says otherwise."""
        text = json.loads(data.decode("utf-8", "surrogateescape"))["msg"].strip()
        if text == "poison":
            raise ValueError(text)
        if text.startswith("retry ") and self._tries < int(text[6:]) and not self._recovered.exists():
            self._tries += 1
            raise Retry(0.2, text)
        if text == "hang" and self._starts.read_bytes().count(b"\n") == 1:
            self.answer_nothing_for_ever()
        if self._delay:
            time.sleep(self._delay)
        self._file.write(data + b"\n")

    def answer_nothing_for_ever(self) -> None:
        """Hang without dots, as a program would in a C call that holds the interpreter."""
        import signal

        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        pattern = "(a+)+b"  # catastrophic backtracking never lets go of the interpreter
        import re

        re.match(pattern, "a" * 64)


lines, starts, delay, confirm_timeout = sys.argv[1:]
child = Child(Path(lines), Path(starts), float(delay))
sys.exit(run(child, confirm_timeout=float(confirm_timeout)))
