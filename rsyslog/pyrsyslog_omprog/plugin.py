# SPDX-License-Identifier: Apache-2.0
"""The program around a handler: reads lines, calls the handler, answers; the shell of `protocol`."""

import math
import os
import select
import time
from collections.abc import Callable

from . import report, streams
from .answers import Answers
from .handler import Handler, Retry
from .protocol import MAX_LINE, OK, Kind, Line, Marks, Protocol
from .termination import Termination

IdleAfter = float | Callable[[], float | None] | None
READ_SIZE = 64 * 1024  # what a pipe holds
REPORT_EVERY = 60.0
_DISK_RETRY = 5.0


class _Stopped(BaseException):
    """The end while a handler asks to be called again: the line stays unanswered, rsyslog keeps it.

    Not an Exception, so that no "whatever a handler raises" takes it for a handler's own.
    """


class _Gone(_Stopped):
    """The same, because nobody reads the answers any more."""


class Plugin:
    """Serves one handler over the descriptors `lines` and `answers` until the input ends.

    confirm_timeout: the action's confirmTimeout in seconds; a dot goes out each third of it while work takes time.
    confirm: False for `confirmMessages="off"`: nothing is written.
    idle_after: seconds without a line after which, and each again, `handler.idle()` is called; None for never. Or a
        function that is asked for them before each wait.
    wake: a descriptor that makes `handler.idle()` be called when it can be read; the handler has to empty it.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        lines: int,
        answers: int,
        confirm_timeout: float = 10.0,
        max_line: int = MAX_LINE,
        marks: Marks | None = Marks(),  # noqa: B008 - immutable
        confirm: bool = True,
        idle_after: IdleAfter = None,
        wake: int | None = None,
        report: report.Report = report.to_stderr,
    ) -> None:
        self._handler = handler
        self._lines = lines
        self._idle_after = idle_after
        self._poll = select.poll()
        for source in (lines,) if wake is None else (lines, wake):
            self._poll.register(source, select.POLLIN)
        self._can_idle = idle_after is not None or wake is not None
        self._kept = False
        """Whether lines are deferred: kept by the handler, and not durable before its `commit`."""
        self._report = report
        self._protocol = Protocol(max_line, marks)
        self._termination = Termination()
        self._answers = Answers(
            self._protocol, answers if confirm else None, confirm_timeout / 3, self._termination.peer_gone
        )
        self._reported = -REPORT_EVERY

    def serve(self) -> int:
        """Serve until the end of the input; the program's exit status.

        0: the input ended (or SIGTERM came while the handler was retrying); 1: the handler could not start, or
        rsyslog was gone before it took an answer.
        """
        try:
            with self._termination, self._answers:
                return self._serve()
        except (BrokenPipeError, _Gone):
            self._report("rsyslog closed the pipe before it took the answer; it will send the line again")
            return 1
        except _Stopped:
            return 0

    def _serve(self) -> int:
        self._answers.confirm()  # before anything that can fail: see OMP-1
        lines: list[Line] = []
        while not lines:
            data = os.read(self._lines, READ_SIZE)
            if not data:
                self._ended()
                return 0
            lines = self._protocol.feed(data)
        if not self._start():
            return 1
        try:
            self._loop(lines)
        finally:
            self._stop()
        return 0

    def _start(self) -> bool:
        try:
            self._retrying(self._handler.start)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line that waits must not be confirmed
            self._report(f"can't start: {report.describe(error)}")
            return False
        return True

    def _stop(self) -> None:
        try:
            self._handler.stop()
        except Exception as error:  # noqa: BLE001 - all lines are answered: there is only the report left to do
            self._report(f"stop: {report.describe(error)}")

    def _loop(self, lines: list[Line]) -> None:
        source, feed, confirm = self._lines, self._protocol.feed, self._answers.confirm
        handle, message = self._handler.line, Kind.MESSAGE
        wait = self._wait_for_input if self._can_idle else None
        open_transaction = False
        while True:
            for line in lines:
                if line.kind is not message:
                    open_transaction = self._special(line)
                elif open_transaction:
                    open_transaction = self._in_transaction(line)
                    if open_transaction:
                        continue
                else:
                    try:
                        handle(line.data)
                    except Exception as error:  # noqa: BLE001 - a poison line must not block the queue
                        self._trouble(line, error, self._line)
                confirm()
            if wait is not None:
                wait()
            data = os.read(source, READ_SIZE)
            if not data:
                break
            lines = feed(data)
        self._ended()

    def _ended(self) -> None:
        self._commit()  # rsyslog is going: it may never send again what it was told is deferred
        if self._protocol.partial:
            self._report(f"input ended inside a line, after {self._protocol.partial} bytes; rsyslog has it still")

    def _special(self, line: Line) -> bool:
        """Take a mark or a long line; whether a transaction is open behind it."""
        if line.kind is Kind.BEGIN:
            return True
        self._commit()
        if line.kind is Kind.LONG:
            self._try(line, self._long_line)
        return False

    def _in_transaction(self, line: Line) -> bool:
        """Take a line inside a transaction; True where it was deferred, and answered so."""
        if not self._try(line, self._defer) or not self._kept:
            return False
        self._answers.confirm(deferred=True)
        return True

    def _defer(self, line: Line) -> None:
        self._kept = self._handler.defer(line.data)

    def _commit(self) -> None:
        if self._kept:
            self._retrying(self._handler.commit)
            self._kept = False

    def _line(self, line: Line) -> None:
        self._handler.line(line.data)

    def _long_line(self, line: Line) -> None:
        self._handler.long_line(line.data, line.size)

    def _try(self, line: Line, call: Callable[[Line], None]) -> bool:
        """Call until it returns or the line turns out to be poison; False then."""
        try:
            call(line)
        except Exception as error:  # noqa: BLE001 - a poison line must not block the queue
            return self._trouble(line, error, call)
        return True

    def _trouble(self, line: Line, error: Exception, call: Callable[[Line], None]) -> bool:
        """Go on after the first attempt at a line failed: wait and repeat, or put the line aside; False then."""
        if isinstance(error, Retry):
            self._pause(error.after, str(error))
            try:
                self._retrying(lambda: call(line))
                return True
            except Exception as later:  # noqa: BLE001 - as for every line
                error = later
        self._commit()
        self._put_aside(line, error)
        return False

    def _put_aside(self, line: Line, error: Exception) -> None:
        self._report(f"poison line of {line.size} bytes: {report.describe(error)}")
        try:
            self._retrying(lambda: self._poison(line.data, error))
        except Exception as fault:  # noqa: BLE001 - nothing is left to try: the report has to hold the line
            self._report(f"poison line lost, putting it aside failed: {report.describe(fault)}: {line.data!r}")

    def _poison(self, data: bytes, error: Exception) -> None:
        try:
            self._handler.poison(data, error)
        except OSError as full:
            raise Retry(_DISK_RETRY, f"can't put a line aside: {full}") from full

    def _retrying(self, call: Callable[[], None]) -> None:
        """Call until it does not raise Retry; _Stopped if SIGTERM comes meanwhile."""
        while True:
            try:
                return call()
            except Retry as later:
                self._pause(later.after, str(later))

    def _pause(self, seconds: float, reason: str) -> None:
        now = time.monotonic()
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            self._report(f"holding rsyslog back: {reason}")
        if not self._termination.wait(seconds):
            raise _Gone if self._termination.gone else _Stopped
        if self._protocol.exhausted:
            self._report("no keep-alive is left for this answer: ending, so that rsyslog starts a new program")
            raise _Stopped

    def _wait_for_input(self) -> None:
        lines, poll = self._lines, self._poll.poll
        while True:
            after = self._idle_after
            seconds = after() if callable(after) else after
            for source, _ in poll(None if seconds is None else math.ceil(seconds * 1000)):
                if source == lines:
                    return
            try:
                self._handler.idle()
            except Exception as error:  # noqa: BLE001 - housekeeping must not end the service
                self._report(f"idle: {report.describe(error)}")


def decline() -> None:
    """Say `OK` for a program that ends before `run`, because it is configured wrongly: then end, at once.

    No line is confirmed by it; rsyslog starts the program again after action.resumeInterval. Without it rsyslog before
    8.2304 crashes (OMP-1).
    """
    try:
        os.write(1, OK)
    except OSError:
        pass  # nobody listens


def run(
    handler: Handler,
    *,
    confirm_timeout: float = 10.0,
    max_line: int = MAX_LINE,
    marks: Marks | None = Marks(),  # noqa: B008 - immutable
    confirm: bool = True,
    idle_after: IdleAfter = None,
    wake: int | None = None,
    report: report.Report = report.to_stderr,
) -> int:
    """Serve `handler` on the process's standard input and output; the exit status. Arguments as for Plugin.

    Call it first thing in the main thread: from then on what prints to standard output goes to standard error.
    """
    private = streams.claim()
    plugin = Plugin(
        handler,
        lines=private.lines,
        answers=private.answers,
        confirm_timeout=confirm_timeout,
        max_line=max_line,
        marks=marks,
        confirm=confirm,
        idle_after=idle_after,
        wake=wake,
        report=report,
    )
    return plugin.serve()
