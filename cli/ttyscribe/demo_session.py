# SPDX-License-Identifier: Apache-2.0
"""The demonstration's person at the keyboard: types into a real terminal, at a person's speed, and looks at it."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ttyscribe_formats.errors import TtyscribeError

COLUMNS, ROWS = 100, 30
_PROMPT = b"demo$ "
_KEY_SECONDS = 0.02
_PATIENCE = 15.0
_LINES = (
    "echo Hello from $(uname -s), it is $(date +%H:%M)",
    "printf '\\033[1;32m%s\\033[0m\\n' 'colours are recorded too'",
    # The word is made now, inside the session; what is typed does not hold it.
    "echo the word of this session is w$(od -An -N6 -tx1 /dev/urandom | tr -d ' \\n')",
    "for i in 1 2 3 4; do printf '\\rworking: %d of 4' $i; sleep 0.3; done; echo",
    "printf 'no text at all: \\377\\376\\n'",
    "exit",
)
_WORD = re.compile(rb"the word of this session is (w[0-9a-f]{12})\r")


class Seen(NamedTuple):
    """What the person saw."""

    data: bytes
    word: str
    status: int


class SessionError(TtyscribeError):
    """The scripted session did not go as it should."""


def shell() -> list[str]:
    """An interactive shell without anybody's start-up files."""
    bash = shutil.which("bash")
    return [bash, "--norc", "--noprofile", "-i"] if bash else ["/bin/sh", "-i"]


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if name not in ("ENV", "BASH_ENV", "PROMPT_COMMAND")}
    return {**kept, "PS1": _PROMPT.decode(), "TERM": "xterm", "HISTFILE": "/dev/null"}


def play_through(command: Sequence[str], show: Callable[[bytes], None]) -> Seen:
    """Run a recorder with `shell()` on a terminal of its own and type the script. SessionError where it goes wrong."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=_environment(os.environ),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,  # noqa: PLW1509 # one thread, one call
    ) as process:
        try:
            os.close(slave)
            data = _typed(master, show)
            status = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise SessionError("the recorded shell did not end") from None
        finally:
            process.kill()
            os.close(master)
    found = _WORD.search(data)
    if found is None:
        raise SessionError("the session did not print its word")
    return Seen(data, found[1].decode(), status)


def _typed(master: int, show: Callable[[bytes], None]) -> bytes:
    """Type the script, each line when the prompt is there; everything that the terminal showed."""
    data = b""
    for line in _LINES:
        data += _read(master, show, lambda new: new.endswith(_PROMPT))
        for key in line:
            time.sleep(_KEY_SECONDS)  # also before the first: a person looks at the prompt
            os.write(master, key.encode())
        os.write(master, b"\r")
    return data + _read(master, show, lambda _: False)


def _read(master: int, show: Callable[[bytes], None], is_enough: Callable[[bytes], bool]) -> bytes:
    """Read until it is enough, or until the session's end."""
    data = b""
    end = time.monotonic() + _PATIENCE
    while not is_enough(data):
        if not select.select([master], [], [], max(0.0, end - time.monotonic()))[0]:
            raise SessionError(f"the session said nothing more for {_PATIENCE:.0f} s, last: {data[-200:]!r}")
        try:
            new = os.read(master, 65536)
        except OSError:  # EIO: nobody holds the terminal any more
            new = b""
        if not new:
            return data
        data += new
        show(new)
    return data
