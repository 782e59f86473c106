# SPDX-License-Identifier: Apache-2.0
"""Types at a recorded shell as a person would, and counts what of it came into the log.

Secrets are made of letters that nothing else is typed with, so that every single one of them is found in a log.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.recorder.recorder import RECORDER, AtTerminal, messages, recorded
from tests.sshd import Sshd
from tests.users import User
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input
from ttyscribe_screen import Screen

SECRET_LETTERS = frozenset(b"ZQXVJK%")
PASSWORD = "ZQXVJK%ZQX"
OTHER_PASSWORD = "JK%XQVZZQK"
PROMPT = "ready$"
PATIENCE = 30.0

_RAW = """import os, sys, termios, tty
old = termios.tcgetattr(0)
os.write(1, b"Enter password: ")
tty.setraw(0)
try:
    while (key := os.read(0, 1)) not in (b"\\r", b"\\n"):
        os.write(1, STARS and b"*")
finally:
    termios.tcsetattr(0, termios.TCSANOW, old)
print()
"""
FILES = {
    "bashrc": f"PS1='{PROMPT} '; unset HISTFILE; set +o histexpand; unset PROMPT_COMMAND\n",
    "ask.py": "import getpass\ngetpass.getpass()\n",
    "raw.py": _RAW.replace("STARS", "b''"),
    "stars.py": _RAW.replace("STARS", "b'*'"),
    "text": "user: al\npassword: open\npassword: \nend of text\n",
    "tail": "one\nPassword:",
    "tmux.conf": "set -g status-interval 1\nset -g status-right '%H:%M:%S'\nset -g escape-time 0\n",
    "screenrc": "startup_message off\ndefutf8 on\nhardstatus alwayslastline '%c:%s'\nvbell off\n",
}


class World(NamedTuple):
    """Where it happens: a user with a home full of programs, and the host's two sshds (without PAM and with it)."""

    user: User
    by_password: Sshd
    by_questions: Sshd
    folder: Path


def furnish(world: World) -> None:
    """Put the programs into the user's home."""
    home, user = world.user.home, world.user
    files = dict(FILES)
    for name, server in (("plain", world.by_password), ("asked", world.by_questions)):
        words = server.argv("-t", "true", password=True)
        files[f"ssh-{name}"] = "exec " + " ".join(f"'{word}'" for word in words) + "\n"
    for name, text in files.items():
        (home / name).write_text(text)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSWORD, "-f", str(home / "key")]
    subprocess.run(command, check=True, timeout=60)
    (home / ".bash_profile").write_text(files["bashrc"])
    (home / ".hushlogin").touch()
    for path in home.iterdir():
        os.chown(path, user.uid, user.gid)


SHELL = ["bash", "--rcfile", "bashrc", "-i"]


def carrier(world: World, name: str) -> list[str]:
    """The command that ends in a shell of the user's: here, behind ssh, inside tmux or screen, or several of them."""
    first, _, rest = name.partition("+")
    inner = carrier(world, rest) if rest else []
    if first == "here":
        return ["runuser", "-u", world.user.name, "--", *SHELL]
    if first == "ssh":
        return world.by_password.argv("-t")
    inner = inner or carrier(world, "here")
    if first == "tmux":
        return ["tmux", "-L", f"hidden-{world.user.name}", "-f", f"{world.user.home}/tmux.conf", "new-session", *inner]
    return ["screen", "-c", f"{world.user.home}/screenrc", "-S", f"hidden-{world.user.name}", *inner]


class Typist:
    """A person at the recorded terminal, who waits for what is on the screen."""

    def __init__(self, terminal: AtTerminal) -> None:
        self._terminal = terminal
        self._screen = Screen(80, 24)
        self._fed = 0
        self.plain = bytearray()
        self.secret = 0

    def row(self) -> str:
        """The cursor's row now, without blanks at its end."""
        seen = self._terminal.look(0.02)
        self._screen.feed(seen[self._fed :])
        self._fed = len(seen)
        return self._screen.lines()[self._screen.cursor.row].rstrip()

    def until(self, holds: Callable[[str], object], what: str) -> None:
        """Wait for the cursor's row."""
        end = time.monotonic() + PATIENCE
        while not holds(self.row()):
            assert time.monotonic() < end, f"{what} never came: " + "\n".join(self._screen.lines()).strip()

    def see(self, text: str) -> None:
        """Wait until the cursor's row ends in this."""
        self.until(lambda row: row.endswith(text), repr(text))

    def rest(self, seconds: float) -> None:
        """Look on for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.row()

    def type(self, text: str | bytes, pause: float = 0.01) -> None:
        """Press keys that are to be recorded, one by one."""
        data = text.encode() if isinstance(text, str) else text
        assert not SECRET_LETTERS & {*data}
        self.plain += data
        for at in range(len(data)):
            self._terminal.type(data[at : at + 1])
            self.rest(pause)

    def paste(self, text: bytes) -> None:
        """Give all of it at once; it is to be recorded."""
        self.plain += text
        self._terminal.type(text)

    def run(self, command: str) -> None:
        """Type a command at the shell, see it on the screen, press Enter."""
        self.see(PROMPT)
        self.type(command)
        self.until(lambda row: command[-20:] in row, command)
        self.type("\r")

    def hide(self, secret: str, style: str, *, enter: bool = True) -> None:
        """Type a secret: `slow` by keys, `fast`, or `paste` it with its Enter."""
        assert {*secret.encode()} <= SECRET_LETTERS
        self.secret += len(secret)
        data = secret.encode() + (b"\r" if enter else b"")
        if style == "paste":
            self._terminal.type(data)
            return
        for at in range(len(data)):
            self._terminal.type(data[at : at + 1])
            self.rest(0.12 if style == "slow" else 0.001)


class Count(NamedTuple):
    """Characters of one session: secrets that were typed and that leaked, plain ones that were typed and that lack."""

    secret: int
    leaked: int
    plain: int
    lacking: int


@contextlib.contextmanager
def recording(command: Sequence[str], log: Path, home: Path) -> Iterator[AtTerminal]:
    """The recorder with input, at a terminal."""
    env = {**os.environ, "TERM": "xterm-256color", "HOME": str(home), "LC_ALL": "C.UTF-8", "SHELL": "/bin/bash"}
    for name in ("TMUX", "STY", "PROMPT_COMMAND", "PS1"):
        env.pop(name, None)
    argv = [*RECORDER, "-o", str(log), "--log-input", "--latency=1", "--", *command]
    here = Path.cwd()
    os.chdir(home)
    try:
        terminal = AtTerminal(argv, env=env)
    finally:
        os.chdir(here)
    try:
        yield terminal
    finally:
        terminal.close()


def play(world: World, where: str, act: "Callable[[Typist, World], None]") -> Count:
    """One session: what of it is in the log."""
    log = world.folder / f"log-{time.monotonic_ns()}"
    tmux = ["tmux", "-L", f"hidden-{world.user.name}", "kill-server"]
    screen = ["screen", "-S", f"hidden-{world.user.name}", "-X", "quit"]
    try:
        with recording(carrier(world, where), log, world.user.home) as terminal:
            typist = Typist(terminal)
            act(typist, world)
            typist.run("exit")
            terminal.wait()
    finally:
        for end in (tmux, screen):
            with contextlib.suppress(FileNotFoundError):
                subprocess.run(end, capture_output=True, timeout=60)
    typed = recorded(log, Input)
    leaked = sum(byte in SECRET_LETTERS for byte in typed)
    raw = log.read_bytes()
    assert leaked or not (PASSWORD.encode() in raw or OTHER_PASSWORD.encode() in raw), "a secret that was not typed?"
    masks = [mask for message in messages(log) for mask in tlog.own_fields(message).get("mask", [])]
    assert bool(masks) >= bool(typist.secret and not leaked), "a secret is gone without a mark"
    kept = bytes(byte for byte in typed if byte not in SECRET_LETTERS)
    return Count(typist.secret, leaked, len(typist.plain), len(typist.plain) - len(kept))
