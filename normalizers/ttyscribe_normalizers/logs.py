# SPDX-License-Identifier: Apache-2.0
"""Reports of the program: one line each, to standard error (rsyslog's `output` file) or to a log file."""

import logging
import os
import time
from collections.abc import Callable

from ttyscribe_formats.errors import ConfigError

Report = Callable[[str], None]

_PROGRAM = "ttyscribe-normalize"
# Lines up to 4,096 bytes in one write don't interleave between programs that share the file.
_MAX = 4000


def line(text: str, stamp: str = "") -> bytes:
    """One report as it is written: control characters escaped, cut, with its LF."""
    safe = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text[:_MAX])
    head = f"{stamp} {_PROGRAM}" if stamp else _PROGRAM
    return f"{head}: {safe}".encode("utf-8", "backslashreplace")[:_MAX] + b"\n"


class Reporter:
    """Reports one line; never an error, as there would be nobody to tell.

    To standard error, or to the file at `path`, which is opened anew for each report: log rotation needs no signal.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path

    def check(self, path: str) -> None:
        """Raise ConfigError where a log file could not be written."""
        try:
            if path:
                os.close(_opened(path))
        except OSError as error:
            raise ConfigError(f"can't write the log file: {error.strerror}", path) from None

    def __call__(self, text: str) -> None:
        """Report."""
        path = self.path
        try:
            if not path:
                os.write(2, line(text))
                return
            file = _opened(path)
            try:
                os.write(file, line(text, time.strftime("%Y-%m-%dT%H:%M:%S%z")))
            finally:
                os.close(file)
        except OSError:
            pass


def reporter(path: str = "") -> Reporter:
    """A way to report."""
    return Reporter(path)


def _opened(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


class Logs(logging.Handler):
    """Hands what libraries log to a report."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Report one record, without its traceback."""
        self._report(record.getMessage())


class Seldom:
    """Reports at most one text each `seconds`, so that an outage does not fill the log."""

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic, seconds: float = 60.0) -> None:
        self._report = report
        self._clock = clock
        self._seconds = seconds
        self._next = 0.0

    def __call__(self, text: str) -> None:
        """Report unless something was reported a short time ago."""
        now = self._clock()
        if now >= self._next:
            self._next = now + self._seconds
            self._report(text)

    def reset(self) -> None:
        """Report the next text at once."""
        self._next = 0.0
