# SPDX-License-Identifier: Apache-2.0
"""Runs the real recorder on real terminals and pipes."""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import ttyscribe_formats
import ttyscribe_recorder
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input, Output, Window
from ttyscribe_formats.reading import packets

RECORDER = [sys.executable, "-c", "import sys;from ttyscribe_recorder.rec import console_main;sys.exit(console_main())"]
"""The console script, without the need to find it."""

LIBRARY = [str(Path(package.__path__[0]).parent) for package in (ttyscribe_recorder, ttyscribe_formats)]
LEAN = [
    sys.executable, "-I", "-S", "-c",
    f"import sys;sys.path[:0]={LIBRARY!r};from ttyscribe_recorder import rec;sys.exit(rec.console_main())",
]  # fmt: skip
"""The recorder as it is installed: without what a virtual environment loads."""

LONG = bool(os.environ.get("TTYSCRIBE_TEST_LONG"))
"""Whether this is the long run (`tox -e faults`): more rounds of the same."""

GO_ON = {"TTYSCRIBE_REC_CONF_TEXT": '{"on_error": "continue"}'}
"""Environment: where the log fails for good, the session goes on."""

PATIENCE = 30.0
"""Seconds that anything may take; far more than it does."""


def wait_for(holds: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until something holds; fails saying what did not."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {what}"
        time.sleep(0.01)


def messages(path: Path) -> list[tlog.Message]:
    """All messages of a log; every line must be whole."""
    data = path.read_bytes()
    assert not data or data.endswith(b"\n"), "the last line is torn"
    return [tlog.decode(line) for line in data.splitlines()]


def recorded(path: Path, sort: type[Input] | type[Output] = Output) -> bytes:
    """The bytes of one sort in a log."""
    return b"".join(packet.data for packet in packets(messages(path)) if isinstance(packet, sort))


def sizes(path: Path) -> list[tuple[int, int]]:
    """Columns and rows, in order."""
    return [(packet.columns, packet.rows) for packet in packets(messages(path)) if isinstance(packet, Window)]


def end_status(path: Path) -> int | None:
    """The status in the end mark; None where the recording has none."""
    end = tlog.own_fields(messages(path)[-1]).get("end", {})
    status = end.get("status")
    assert status is None or isinstance(status, int)
    return status


def run(
    arguments: Sequence[str | bytes],
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = RECORDER,
) -> subprocess.CompletedProcess[bytes]:
    """Record on pipes."""
    return subprocess.run([*command, *arguments], input=stdin, capture_output=True, timeout=PATIENCE * 2, env=env)


class AtTerminal:
    """A program in a session of its own, at a terminal that we hold the other end of."""

    def __init__(
        self,
        argv: Sequence[str],
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        typed_ahead: bytes = b"",
        redirect: Mapping[int, int] | None = None,
    ) -> None:
        self.master, slave = os.openpty()
        self.terminal = os.ttyname(slave)
        self.resize(size)
        if typed_ahead:
            os.write(self.master, typed_ahead)
        self.found = termios.tcgetattr(slave)
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for number in range(3):
                    os.dup2((redirect or {}).get(number, slave), number)
                os.execvpe(argv[0], list(argv), dict(os.environ if env is None else env))
            finally:
                os._exit(126)
        self._slave = slave
        self._waited: int | None = None

    def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal another size: columns, rows."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", size[1], size[0], 0, 0))

    def attributes(self) -> list[object]:
        """How the terminal is set now."""
        return termios.tcgetattr(self._slave)

    def type(self, data: bytes) -> None:
        """Press keys."""
        os.write(self.master, data)

    def look(self, seconds: float = 0.0) -> bytes:
        """Everything that was shown so far (of a program that never stops, a good deal of it)."""
        for _ in range(1000):
            if not select.select([self.master], [], [], seconds)[0]:
                break
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            self.seen += data
        return self.seen

    def wait_to_see(self, text: bytes, seconds: float = PATIENCE) -> None:
        """Wait until the terminal has shown this."""
        wait_for(lambda: text in self.look(0.01), f"{text!r} on the screen", seconds)

    def send(self, number: int) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def ended(self) -> bool:
        """Whether the program has ended."""
        if self._waited is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._waited = os.waitstatus_to_exitcode(status)
        return self._waited is not None

    def wait(self) -> int:
        """The exit status, -n for signal n."""

        def ended() -> bool:
            self.look()
            return self.ended()

        wait_for(ended, "the program's end")
        self.look()
        assert self._waited is not None
        return self._waited

    def hang_up(self) -> None:
        """Pull the plug."""
        os.close(self._slave)
        os.close(self.master)
        self._slave = self.master = -1

    def close(self) -> None:
        """End whatever is left."""
        if not self.ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for fd in (self.master, self._slave):
            if fd >= 0:
                os.close(fd)


@contextlib.contextmanager
def shell_at_terminal(script: str) -> Iterator[AtTerminal]:
    """A shell at a terminal; `"$RECORDER" -c "$CODE"` starts the recorder in it."""
    env = {**os.environ, "RECORDER": RECORDER[0], "CODE": RECORDER[2]}
    screen = AtTerminal(["bash", "-c", script], env=env)
    try:
        yield screen
    finally:
        screen.close()


@contextlib.contextmanager
def at_terminal(arguments: Sequence[str], **options: object) -> Iterator[AtTerminal]:
    """The recorder with these arguments at a terminal."""
    screen = AtTerminal([*RECORDER, *arguments], **options)  # type: ignore[arg-type]
    try:
        yield screen
    finally:
        screen.close()
