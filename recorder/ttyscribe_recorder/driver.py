# SPDX-License-Identifier: Apache-2.0
"""Runs one session: terminal, signals, loop, the end of the log."""

import os
import termios
import time
from select import POLLOUT, poll

from ttyscribe_recorder import assemble, command, header
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.loop import Loop, Signals
from ttyscribe_recorder.names import say
from ttyscribe_recorder.presence import COMMAND, SESSION, Presence
from ttyscribe_recorder.recording import Recording
from ttyscribe_recorder.session import Session
from ttyscribe_recorder.terminal import Terminal
from ttyscribe_recorder.writers.base import reason
from ttyscribe_recorder.writers.syslog import alarm_by_syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from ttyscribe_recorder.bulk import Bulk
    from ttyscribe_recorder.names import Name
    from ttyscribe_recorder.options import Value
    from ttyscribe_recorder.secrets import Guard
    from ttyscribe_recorder.writers.base import Writer
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

_SECOND = 1_000_000_000
_RETRY_NS = _SECOND // 10
_FATAL = ("HUP", "INT", "QUIT", "TERM", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "XCPU")
_FATAL_NUMBERS = frozenset(getattr(signal, f"SIG{name}") for name in _FATAL)
_OTHERS = (signal.SIGCHLD, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)


def find_terminal() -> "tuple[Terminal | None, tuple[bool, ...]]":
    """The terminal of the first standard stream that has one, and which streams are on that same terminal."""
    for number in range(3):
        try:
            terminal = Terminal(number)
            if terminal.in_background and signal.SIGTTOU not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
                # How it is set now is the foreground's affair: wait for our turn, as the kernel would make us.
                os.kill(0, signal.SIGTTOU)
                terminal = Terminal(number)
        except termios.error:
            continue
        device = os.fstat(number).st_rdev
        return terminal, tuple(os.isatty(fd) and os.fstat(fd).st_rdev == device for fd in range(3))
    return None, (False, False, False)


def finish(recording: Recording, writer: "Writer", status: int) -> None:
    """Write what still waits, within bounds."""
    log = recording.log
    patience_ns = 2 * _SECOND if recording.wait_fd >= 0 else writer.patience_ns
    deadline_ns = time.monotonic_ns() + patience_ns
    recording.room(time.monotonic_ns())
    while log.waiting and not recording.broken and time.monotonic_ns() < deadline_ns:
        if recording.wait_fd >= 0:
            room = poll()
            room.register(recording.wait_fd, POLLOUT)
            room.poll(_RETRY_NS // 1_000_000)
        else:
            time.sleep(_RETRY_NS / _SECOND)
        recording.room(time.monotonic_ns())
    if recording.broken:
        _try_once(log)
    elif log.waiting:
        recording.give_up(status, time.monotonic_ns())
    log.close()


def _try_once(log: Log) -> None:
    """After a bug of ours: what waits may still be written, but whatever went wrong may go wrong again."""
    try:
        log.room(time.monotonic_ns())
    except Exception as error:  # noqa: BLE001 (the first one has been told)
        log.trouble = str(error)


class Driver:
    """Runs one session on a loop of its own.

    `path` is the program to run where `argv[0]` is not it; `semaphore` is a descriptor that gets READY.
    """

    def __init__(
        self,
        name: "Name",
        values: "dict[str, Value]",
        argv: list[bytes],
        environment: dict[bytes, bytes],
        path: bytes = b"",
        *,
        semaphore: int = -1,
    ) -> None:
        self._semaphore = semaphore
        self._name = name
        self._values = values
        self._path = path
        self._argv = argv
        self._environment = environment
        self._loop = Loop()
        self._stopped_by = 0
        self._refused = ""  # why on_error ended the session
        self._started = False

    def run(self, writer: "Writer", ready: "Callable[[], None]") -> int:
        """Record; the command's status. Dies by the signal that stopped it.

        Where the system gives no terminal, pipe or process, `on_error` says what happens.
        """
        try:
            return self._record(writer, ready)
        except OSError as error:
            if self._started:
                raise
            ready()
            say(self._name, f"can't start a session: {reason(error)}")
            if self._values["on_error"] != "continue":
                return 1
            return assemble.run_unrecorded(self._name, self._values, self._argv, self._environment, self._path, error)

    def _record(self, writer: "Writer", ready: "Callable[[], None]") -> int:
        terminal, at_terminal = find_terminal()
        signals = Signals((*_FATAL_NUMBERS, *_OTHERS))
        alarm = alarm_by_syslog(str(self._values["syslog.socket"]), self._name.syslog_ident)
        latency_ns = int(self._values["latency"]) * _SECOND
        log = Log(writer, latency_ns, alarm)
        presence = Presence(str(self._values["runtime_folder"]), SESSION if self._name.session else COMMAND)
        try:
            if terminal is not None:
                terminal.set_raw()
            session = self._start(log, latency_ns, terminal, at_terminal)
            presence.tell(f"{session.recording.rec} {self._name.program} {self._values['writer']}")
            ready()
            self._give_semaphore()
            self._drive(session, signals, terminal)
            writer.lift()
            session.end()
            session.close()
        finally:
            if terminal is not None:
                terminal.restore()
            presence.close()
        finish(session.recording, writer, session.status)
        signals.close()
        self._report(log, session)
        if self._refused:
            return 1
        if self._stopped_by:
            signal.signal(self._stopped_by, signal.SIG_DFL)
            os.kill(os.getpid(), self._stopped_by)
        return session.status

    def _start(self, log: Log, latency_ns: int, terminal: "Terminal | None", at_terminal: tuple[bool, ...]) -> Session:
        values = self._values
        host = header.domain_name() if self._name.tlog else header.node_name()
        enter = leave = None
        if values["utmp"] and at_terminal[0]:
            from ttyscribe_recorder import utmp

            enter, leave = utmp.add, utmp.remove
        child = command.start(
            self._argv, self._environment, terminal, at_terminal,
            path=self._path, program=self._name.program, prepare=enter,
            together=not (at_terminal[1] or at_terminal[2]) and os.path.samestat(os.fstat(1), os.fstat(2)),
        )  # fmt: skip
        self._started = True
        what = frozenset(name for name in ("input", "output", "window") if values[f"log.{name}"])
        head = header.make_header(child.pid, self._environment, host)
        guard = self._guard() if terminal is not None else None
        bulk = self._bulk() if terminal is None else None
        payload, marks = int(values["payload"]), not self._name.tlog
        recording = Recording(head, log, latency_ns, payload, what, marks=marks, guard=guard, bulk=bulk)
        return Session(self._loop, recording, child, terminal, at_terminal, release=leave)

    def _guard(self) -> "Guard | None":
        """What keeps secrets out; none where nothing typed is recorded, or all of it."""
        if not self._values["log.input"] or self._values["log.secrets"]:
            return None
        from ttyscribe_recorder.secrets import Guard

        return Guard(str(self._values["log.prompts"]))

    def _bulk(self) -> "Bulk | None":
        """What leaves out the middle of binary data, where that is wanted."""
        if self._values["log.bulk"] == "keep":
            return None
        from ttyscribe_recorder.bulk import Bulk

        return Bulk()

    def _give_semaphore(self) -> None:
        """Tell whoever waits for it that recording is set up."""
        if self._semaphore < 0:
            return
        try:
            os.write(self._semaphore, b"READY")
            os.close(self._semaphore)
        except OSError as error:
            say(self._name, f"can't write the semaphore {self._values['semaphore']}: {reason(error)}")

    def _drive(self, session: Session, signals: Signals, terminal: "Terminal | None") -> None:
        """Turn the loop until the session is over."""

        def hear() -> None:
            self._hear(signals.take(), session, terminal)

        self._loop.first = signals.fd  # what is typed after a change of the window's size is for the new size
        self._loop.reader(signals.fd, hear)
        session.reap()
        while not session.done:
            due_ns = session.due_ns
            self._loop.turn(None if due_ns is None else due_ns - time.monotonic_ns())
            session.tick()
            if session.recording.failed and self._values["on_error"] != "continue":
                self._refuse(session)
        self._loop.reader(signals.fd, None)

    def _refuse(self, session: Session) -> None:
        """What is shown from now on could not be kept: the session ends, as if its terminal were gone."""
        if not self._refused:
            self._refused = session.recording.failed
            session.cut_off()

    def _hear(self, came: set[int], session: Session, terminal: "Terminal | None") -> None:
        if signal.SIGCHLD in came:
            session.reap()
        for number in came & _FATAL_NUMBERS:
            self._stopped_by = self._stopped_by or number
            session.hang_up(number)
        if signal.SIGTSTP in came:
            stop_here(terminal)
        if terminal is not None and came & {signal.SIGTSTP, signal.SIGCONT} and not terminal.in_background:
            terminal.set_raw()
        if came & {signal.SIGWINCH, signal.SIGCONT}:
            session.resize()

    def _report(self, log: Log, session: Session) -> None:
        """Say what is missing, to whoever sits here and to syslog."""
        recording = session.recording
        if self._refused:
            text = f"could not be recorded any more and was ended (on_error is refuse): {self._refused}"
            say(self._name, f"this session {text}")
            assemble.alarm(self._name, self._values, "alert", f"session {recording.rec} of uid {os.getuid()} {text}")
        elif recording.broken:
            say(self._name, f"the recording stopped in the middle, by a bug of the recorder: {recording.broken}")
        lost = log.losses.count
        if lost:
            cause = log.losses.why if not log.losses.failed else f"the log could not be written: {log.losses.why}"
            text = f"lacks {lost} message{'s' if lost > 1 else ''}, {cause}"
            say(self._name, f"the recording {text}")
            log.alarm(f"recording {recording.rec} {text}")


def stop_here(terminal: "Terminal | None") -> None:
    """Give the terminal back and stop, as the signal asked; returns when we are continued."""
    if terminal is not None:
        terminal.restore()
    old = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, old)
