# SPDX-License-Identifier: Apache-2.0
"""Starts the recorded command: each of its three standard streams is a terminal where ours is one, else a pipe."""

import errno
import os
import termios
from collections import namedtuple
from fcntl import ioctl

from ttyscribe_recorder.terminal import copy_size, set_attributes
from ttyscribe_recorder.writers.base import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from typing import NamedTuple

    from ttyscribe_recorder.terminal import Terminal

    class Command(NamedTuple):
        """A running command and our ends of its streams (-1 where the terminal takes the stream's place)."""

        pid: int
        master: int
        slave: int
        stdin: int
        stdout: int
        stderr: int
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

    Command = namedtuple("Command", "pid master slave stdin stdout stderr")

NOT_RUN = 127
_DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
_SHELL = b"/bin/sh"


def start(
    argv: list[bytes],
    environment: dict[bytes, bytes],
    terminal: "Terminal | None",
    at_terminal: tuple[bool, ...],
    *,
    path: bytes = b"",
    program: str = "ttyscribe-rec",
    prepare: "Callable[[int], object] | None" = None,
    together: bool = False,
) -> "Command":
    """Start `argv`; `at_terminal` says for each standard stream whether it is on the terminal.

    `path` is the file to run; empty, `argv[0]` is looked for as a shell does. `program` is who says what went wrong.
    `prepare` is called with our end of the new terminal before the command runs. `together` says that standard output
    and standard error are one file: then they share a pipe, or their order would be lost.
    Raises OSError where the system gives no terminal, pipe or process.
    """
    ours, theirs = [-1, -1, -1], [-1, -1, -1]
    master = slave = -1
    if terminal is not None:
        master, slave = os.openpty()
        set_attributes(slave, terminal.attributes, termios.TCSANOW)
        copy_size(terminal.fd, slave)
        if prepare is not None:
            prepare(master)
    for number in range(3):
        if at_terminal[number]:
            theirs[number] = slave
        elif number == 2 and together:
            theirs[2] = theirs[1]
        else:
            read, write = os.pipe()
            ours[number], theirs[number] = (read, write) if number else (write, read)
    # No handler of ours may run in the child.
    mask = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(argv, environment, slave, theirs, mask, path, program)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    # We keep the terminal open too: a program may close it and open /dev/tty again later.
    for fd in {*theirs} - {-1, slave}:
        os.close(fd)
    for fd in {master, *ours} - {-1}:
        os.set_blocking(fd, False)
    return Command(pid, master, slave, *ours)


def _become(
    argv: list[bytes],
    environment: dict[bytes, bytes],
    slave: int,
    streams: list[int],
    mask: "set[int | signal.Signals]",
    path: bytes,
    program: str,
) -> None:
    """Turn the forked child into the command. Never returns."""
    try:
        if slave >= 0:
            os.setsid()
            ioctl(slave, termios.TIOCSCTTY, 0)
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        become(argv, environment, path, program, mask)
    finally:
        os._exit(NOT_RUN)


def become(
    argv: list[bytes],
    environment: dict[bytes, bytes],
    path: bytes,
    program: str,
    mask: "set[int | signal.Signals] | None" = None,
) -> int:
    """Turn this process into the command, with the signals as they are without Python; returns where that fails."""
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)) or number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    error = execute(argv, environment, path)
    os.write(2, f"{program}: can't run ".encode() + (path or argv[0]) + f": {reason(error)}\n".encode())
    return NOT_RUN


def execute(argv: list[bytes], environment: dict[bytes, bytes], path: bytes = b"") -> OSError:
    """Become the command, looked for as a shell does; returns only the reason why that failed."""
    name = path or argv[0]
    folders = [b""] if b"/" in name else environment.get(b"PATH", _DEFAULT_PATH).split(b":")
    worst: OSError | None = None
    for folder in folders:
        path = folder + b"/" + name if folder else name
        try:
            os.execve(path, argv, environment)  # noqa: S606
        except OSError as error:
            if error.errno == errno.ENOEXEC:
                os.execve(_SHELL, [_SHELL, path, *argv[1:]], environment)  # noqa: S606
            # "Permission denied" on the way says more than "not found" at its end.
            if worst is None or worst.errno in (errno.ENOENT, errno.ENOTDIR):
                worst = error
    return worst or OSError(errno.ENOENT, os.strerror(errno.ENOENT))
