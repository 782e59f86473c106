# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe-rec`: records one command. Parses, assembles, drives the loop, passes the exit status on."""

import os
import pwd
import sys
import termios
import time
from select import POLLOUT, poll

from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import __version__, command, header, options
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.loop import Loop, Signals
from ttyscribe_recorder.recording import Recording
from ttyscribe_recorder.session import Session
from ttyscribe_recorder.terminal import Terminal
from ttyscribe_recorder.writers.base import reason
from ttyscribe_recorder.writers.file import FileWriter
from ttyscribe_recorder.writers.syslog import SyslogWriter, alarm_by_syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable

    from ttyscribe_recorder.options import Value
    from ttyscribe_recorder.writers.base import Writer
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

NAME = "ttyscribe-rec"
LAUNCHER_PREFIX = b"TTYSCRIBE_ENV_"
_SECOND = 1_000_000_000
_RETRY_NS = _SECOND // 10
_FATAL = ("HUP", "INT", "QUIT", "TERM", "ALRM", "USR1", "USR2", "VTALRM", "PROF", "XCPU")
_FATAL_NUMBERS = frozenset(getattr(signal, f"SIG{name}") for name in _FATAL)
_OTHERS = (signal.SIGCHLD, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)


def say(text: str) -> None:
    """One line to standard error, whatever state that is in."""
    try:
        os.write(2, f"{NAME}: {text}\n".encode("utf-8", "surrogateescape"))
    except OSError:
        pass


def open_standard_streams() -> None:
    """Put the null device where a standard stream is closed, so that no file of ours lands there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def find_terminal() -> "tuple[Terminal | None, tuple[bool, ...]]":
    """The terminal of the first standard stream that has one, and which streams are on that same terminal."""
    for number in range(3):
        try:
            terminal = Terminal(number)
        except termios.error:
            continue
        device = os.fstat(number).st_rdev
        return terminal, tuple(os.isatty(fd) and os.fstat(fd).st_rdev == device for fd in range(3))
    return None, (False, False, False)


def default_command(environment: dict[bytes, bytes]) -> list[bytes]:
    """The user's shell: $SHELL, else what the passwd entry says, else /bin/sh."""
    shell = environment.get(b"SHELL", b"")
    if not shell:
        try:
            shell = os.fsencode(pwd.getpwuid(os.getuid()).pw_shell)
        except (KeyError, OSError):
            pass
    return [shell or b"/bin/sh"]


def open_writer(values: "dict[str, Value]") -> "Writer":
    """The writer that the options ask for. Raises ConfigError, or OSError where its file can't be opened."""
    if values["writer"] == "file":
        path = str(values["file.path"])
        if not path:
            raise ConfigError("no file to record to: say --file-path=FILE, or --writer=syslog")
        return FileWriter(path)
    path = str(values["syslog.socket"])
    writer = SyslogWriter(path, str(values["syslog.facility"]), str(values["syslog.priority"]))
    if not writer.connect():
        say(f"can't reach syslog at {path}: {writer.trouble}; the recording waits in memory, at most 4 MiB of it")
    return writer


def finish(log: Log, writer: "Writer") -> None:
    """Write what still waits, within bounds, and say what is lost."""
    deadline_ns = time.monotonic_ns() + (2 * _SECOND if log.wait_fd >= 0 else writer.patience_ns)
    log.room(time.monotonic_ns())
    while log.waiting and time.monotonic_ns() < deadline_ns:
        if log.wait_fd >= 0:
            room = poll()
            room.register(log.wait_fd, POLLOUT)
            room.poll(_RETRY_NS // 1_000_000)
        else:
            time.sleep(_RETRY_NS / _SECOND)
        log.room(time.monotonic_ns())
    log.close()


class Driver:
    """Runs one session on a loop of its own."""

    def __init__(self, values: "dict[str, Value]", argv: list[bytes], environment: dict[bytes, bytes]) -> None:
        self._values = values
        self._argv = argv
        self._environment = environment
        self._loop = Loop()
        self._stopped_by = 0

    def run(self, writer: "Writer", ready: "Callable[[], None]") -> int:
        """Record; the command's status. Dies by the signal that stopped it."""
        terminal, at_terminal = find_terminal()
        signals = Signals((*_FATAL_NUMBERS, *_OTHERS))
        alarm = alarm_by_syslog(str(self._values["syslog.socket"]))
        latency_ns = int(self._values["latency"]) * _SECOND
        log = Log(writer, latency_ns, alarm)
        try:
            if terminal is not None:
                terminal.set_raw()
            session = self._start(log, latency_ns, terminal, at_terminal)
            ready()
            self._drive(session, signals, terminal)
            session.close()
        finally:
            if terminal is not None:
                terminal.restore()
        finish(log, writer)
        signals.close()
        self._report(log, writer, session)
        if self._stopped_by:
            signal.signal(self._stopped_by, signal.SIG_DFL)
            os.kill(os.getpid(), self._stopped_by)
        return session.status

    def _start(self, log: Log, latency_ns: int, terminal: "Terminal | None", at_terminal: tuple[bool, ...]) -> Session:
        values = self._values
        child = command.start(self._argv, self._environment, terminal, at_terminal)
        what = frozenset(name for name in ("input", "output", "window") if values[f"log.{name}"])
        head = header.make_header(child.pid, self._environment)
        recording = Recording(head, log, latency_ns, int(values["payload"]), what)
        return Session(self._loop, recording, child, terminal, at_terminal)

    def _drive(self, session: Session, signals: Signals, terminal: "Terminal | None") -> None:
        """Turn the loop until the session is over."""

        def hear() -> None:
            self._hear(signals.take(), session, terminal)

        self._loop.reader(signals.fd, hear)
        session.reap()
        while not session.done:
            due_ns = session.due_ns
            self._loop.turn(None if due_ns is None else due_ns - time.monotonic_ns())
            session.tick()
        self._loop.reader(signals.fd, None)
        session.end()

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

    def _report(self, log: Log, writer: "Writer", session: Session) -> None:
        """Say what is missing, to whoever sits here and to syslog."""
        if session.recording.broken:
            say(f"the recording stopped in the middle, by a bug of the recorder: {session.recording.broken}")
        lost = log.lost + writer.refused
        if lost:
            why = log.trouble or ("too large" if writer.refused else "the receiver takes nothing")
            text = f"lacks {lost} message{'s' if lost > 1 else ''}, the log could not be written: {why}"
            say(f"the recording {text}")
            log.alarm(f"recording {session.recording.rec} {text}")


def stop_here(terminal: "Terminal | None") -> None:
    """Give the terminal back and stop, as the signal asked; returns when we are continued."""
    if terminal is not None:
        terminal.restore()
    old = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.signal(signal.SIGTSTP, old)


def main(arguments: list[str], environment: dict[bytes, bytes], ready: "Callable[[], None]" = lambda: None) -> int:
    """Run with these arguments (without the program's name); the exit status.

    `ready` is called once the session is up, and before any ending that we mean.
    """
    try:
        values, words = options.parse(arguments)
        if values["help"] or values["version"]:
            ready()
            text = options.help_text() if values["help"] else f"{NAME} {__version__}"
            os.write(1, f"{text.rstrip()}\n".encode())
            return 0
        writer = open_writer(values)
    except ConfigError as error:
        ready()
        say(f"{error}; see {NAME} --help")
        return 2
    except OSError as error:
        ready()
        say(f"can't open {error.filename} to record to: {reason(error)}")
        return 1
    argv = [os.fsencode(word) for word in words] or default_command(environment)
    return Driver(values, argv, environment).run(writer, ready)


def session_environment() -> dict[bytes, bytes]:
    """The environment for the command: ours, without what the interpreter added at its start."""
    environment = dict(os.environb)
    # In the C locale (or one that is not there) the interpreter sets LC_CTYPE, for itself and its children.
    if environment.pop(b"LC_CTYPE", None) is not None:
        found = [line[9:] for line in header.read_all("/proc/self/environ").split(b"\0") if line[:9] == b"LC_CTYPE="]
        environment.update((b"LC_CTYPE", value) for value in found)
    return environment


def console_main() -> int:
    """The console script."""
    open_standard_streams()
    return main(sys.argv[1:], session_environment())


def launched() -> None:
    """What launcher.c runs: the ready pipe's number, `argv[0]` and the arguments follow. Never returns.

    The session's environment comes with a prefix before each name, so that none of it steers the interpreter.
    """
    ready_fd = int(sys.argv[1])
    os.set_inheritable(ready_fd, False)
    size = len(LAUNCHER_PREFIX)
    environment = {name[size:]: value for name, value in os.environb.items() if name.startswith(LAUNCHER_PREFIX)}

    def ready() -> None:
        os.write(ready_fd, b"1")

    os._exit(main(sys.argv[3:], environment, ready))


if __name__ == "__main__":
    sys.exit(console_main())
