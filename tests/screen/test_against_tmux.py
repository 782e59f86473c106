# SPDX-License-Identifier: Apache-2.0
"""What real programs write, shown by us and by tmux: the same text at every place that is looked at."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import require_program
from tests.recorder.recorder import AtTerminal, wait_for
from ttyscribe_screen import Screen

COLUMNS, ROWS = 80, 24
TEXT = "".join(f"{number:4} the quick brown fox, grüße, 日本語, {'x' * (number % 90)}\n" for number in range(200))


class Tmux:
    """A tmux of our own whose one window shows what a file holds."""

    def __init__(self, folder: Path) -> None:
        self._command = [require_program("tmux"), "-S", str(folder / "socket"), "-f", "/dev/null"]
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        self._folder = folder

    def run(self, *arguments: str) -> str:
        """One command."""
        done = subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, env=self._environment, timeout=60, check=True
        )
        return done.stdout

    def shown(self, data: bytes) -> list[str]:
        """The rows that tmux shows after these bytes."""
        (self._folder / "data").write_bytes(data)
        (self._folder / "done").unlink(missing_ok=True)
        show = f"stty raw -echo; cat {self._folder}/data; touch {self._folder}/done; sleep 60"
        self.run("new-session", "-d", "-s", "s", "-x", str(COLUMNS), "-y", str(ROWS), show)
        wait_for((self._folder / "done").exists, "tmux has read everything")
        time.sleep(0.3)
        rows = self.run("capture-pane", "-p", "-t", "s").split("\n")[:ROWS]
        self.run("kill-session", "-t", "s")
        return [row.rstrip() for row in rows]


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """One that is gone at the end."""
    item = Tmux(tmp_path)
    item.run("new-session", "-d", "-s", "keep", "-x", "80", "-y", "25", "sleep 600")
    item.run("set", "-g", "status", "off")
    yield item
    subprocess.run([*item._command, "kill-server"], capture_output=True, timeout=60)


PROGRAMS = {
    "vim": (
        ["vim", "-u", "NONE", "-N", "{file}"],
        [b"50G", b"ohello\x1b", b":set nu\r", b"/fox\r", b"dd\x06", b"\x02p"],
    ),
    "less": (["less", "{file}"], [b" ", b" ", b"/brown\r", b"n", b"b", b"-N\r", b"G"]),
    "bash": (
        ["bash", "--norc", "-i"],
        [
            b"ls --color=always -C /usr\r",
            b"cat {file}\r",
            b"printf 'a\tb\rc'\r",
            b"clear\r",
            b"echo x\x08y\x01z\r",
            b"\x1b[A\r",
        ],
    ),
    "top": (["top", "-d", "0.3"], [b"1", b"m", b"t"]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_real_programs_look_the_same(name: str, tmp_path: Path, tmux: Tmux) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    (tmp_path / "text").write_text(TEXT)
    argv, keys = PROGRAMS[name]
    filled = [word.format(file=tmp_path / "text") for word in argv]
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "LESS": "", "HOME": str(tmp_path)}
    program = AtTerminal(filled, size=(COLUMNS, ROWS), env=environment)
    places = []
    try:
        _look_for(program, 1.0)
        for key in keys:
            program.type(key.replace(b"{file}", str(tmp_path / "text").encode()))
            places.append(len(program.look(0.5)) if name != "top" else len(_look_for(program, 0.7)))
    finally:
        program.close()
    for place in places:
        screen = Screen(COLUMNS, ROWS)
        screen.feed(program.seen[:place])
        assert [line.rstrip() for line in screen.lines()] == tmux.shown(program.seen[:place])


def _look_for(program: AtTerminal, seconds: float) -> bytes:
    """What was shown when this time is over, though more comes all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        program.look(0.02)
        time.sleep(0.02)
    return program.seen
