# SPDX-License-Identifier: Apache-2.0
"""rsyslog's mmexternal protocol: filters that change messages on their way.

class Shout(Filter):
    def message(self, message: Message) -> Changes:
        return {"$!": {"shout": message["msg"].upper()}}

sys.exit(run(Shout()))
"""

import functools
import os
import signal

from . import report, streams
from .fulljson import NONE, Changes, Message, decode, encode
from .protocol import MAX_LINE, Kind, Line, Protocol
from .termination import Termination

__all__ = ["Filter", "Message", "Changes", "run", "Program"]

READ_SIZE = 64 * 1024
TIME_LIMIT = 30.0

to_log = functools.partial(report.to_stderr, name="mmexternal")


class Filter:
    """Says of each message, in order, what is to be changed; subclass it and write `message`.

    All methods are called in the main thread. What they print goes to the log file. None or nothing changes nothing.
    """

    def message(self, message: Message) -> Changes | None:
        """The changes to one message. Any exception is reported, and `broken` decides."""
        raise NotImplementedError

    def line(self, data: bytes) -> Changes | None:
        """The changes to the message of one line (without its LF).

        The default takes the line apart and calls `message`. Write this one instead for another `interface.input`.
        """
        return self.message(decode(data))

    def broken(self, data: bytes, size: int, error: Exception) -> Changes | None:  # noqa: ARG002 - for those who need it
        """The changes to a message that can't be filtered: `line` failed, or its line of `size` bytes is too long.

        Of a line beyond the limit `data` is the head. The message goes on either way: mmexternal can't hold it back.
        """
        return None

    def stop(self) -> None:
        """Called once at the end: rsyslog has closed the input and all its lines are answered."""


class Program:
    """Serves one filter over the descriptors `lines` and `replies` until the input ends.

    time_limit: seconds that one message may take; then SIGALRM ends the process, whatever it hangs in, the message goes
        on unchanged and rsyslog starts a new program. None for no limit: rsyslog before 8.2606 has none.
    """

    def __init__(
        self,
        served: Filter,
        *,
        lines: int,
        replies: int,
        max_line: int = MAX_LINE,
        time_limit: float | None = TIME_LIMIT,
        report: report.Report = to_log,
    ) -> None:
        self._filter = served
        self._lines = lines
        self._replies = replies
        self._limit = time_limit or 0.0
        self._report = report
        self._protocol = Protocol(max_line, None, owed=0)

    def serve(self) -> int:
        """Serve until the end of the input; the exit status: 1 where rsyslog was gone before it took a reply."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM, signal.SIGTERM})
        try:
            with Termination():
                self._loop()
        except BrokenPipeError:
            self._report("rsyslog closed the pipe before it took the reply")
            return 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return 0

    def _loop(self) -> None:
        limit, arm, real = self._limit, signal.setitimer, signal.ITIMER_REAL
        while data := os.read(self._lines, READ_SIZE):
            for line in self._protocol.feed(data):
                if limit:
                    arm(real, limit)
                reply = self._reply(line)
                if limit:
                    arm(real, 0)
                self._protocol.confirm()
                self._write(reply)
        if self._protocol.partial:
            self._report(f"input ended inside a line, after {self._protocol.partial} bytes")
        try:
            self._filter.stop()
        except Exception as error:  # noqa: BLE001 - all lines are answered: there is only the report left to do
            self._report(f"stop: {report.describe(error)}")

    def _reply(self, line: Line) -> bytes:
        try:
            if line.kind is Kind.LONG:
                raise ValueError(f"line of {line.size} bytes is longer than {len(line.data)}")
            return encode(self._filter.line(line.data))
        except Exception as error:  # noqa: BLE001 - whatever it is, rsyslog waits for exactly one reply
            self._report(f"line of {line.size} bytes: {report.describe(error)}")
            return self._broken(line, error)

    def _broken(self, line: Line, error: Exception) -> bytes:
        try:
            return encode(self._filter.broken(line.data, line.size, error))
        except Exception as fault:  # noqa: BLE001 - as for every line
            self._report(f"broken: {report.describe(fault)}")
            return NONE

    def _write(self, reply: bytes) -> None:
        rest = memoryview(reply)
        while rest:  # one write, unless a signal cuts it
            rest = rest[os.write(self._replies, rest) :]


def run(
    served: Filter,
    *,
    log_file: str = "",
    max_line: int = MAX_LINE,
    time_limit: float | None = TIME_LIMIT,
    report: report.Report = to_log,
) -> int:
    """Serve a filter on the process's standard input and output; the exit status. Arguments as for Program.

    Call it first thing in the main thread: until then what goes to standard error is a reply to rsyslog. From then on
    standard output and standard error are `log_file`, or nothing. OSError where that can't be opened.
    """
    private = streams.claim_all(log_file)
    program = Program(
        served,
        lines=private.lines,
        replies=private.answers,
        max_line=max_line,
        time_limit=time_limit,
        report=report,
    )
    return program.serve()
