# SPDX-License-Identifier: Apache-2.0
"""Full-screen programs live: alone, under the real tlog-rec and under ours they end up with the same screen.

Keys and sizes come when the screen shows what is to be there; the screen is read by our emulator.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import LEAN, AtTerminal, recorded, sizes, wait_for
from ttyscribe_formats.packet import Input
from ttyscribe_screen import Screen

TEXT = "".join(f"{number:3} zażółć gęślą jaźń, 日本語, the quick brown fox\n" for number in range(1, 121))

Doing = tuple[bytes | tuple[int, int], str]
"""Keys or a size, and what the screen shows when they have worked."""

PROGRAMS: dict[str, tuple[list[str], str, list[Doing]]] = {
    "vim": (
        ["vim", "--clean", "-n", "-c", "set number noruler", "text"],
        "  1   1 za",
        [(b"ohello \xe2\x82\xac\x1b", "hello €"), (b":split\r", "text [+]"), ((100, 30), "text [+]"),
         (b":%s/quick/slow/\r", "the slow brown"), (b":echo 'done' 6*7\r", "done 42")],
    ),
    "less": (
        ["less", "-S", "text"],
        "  1 za",
        [(b"/77 za\r", " 77 za"), ((90, 30), "104 za"), (b"G", "120 za"), (b"g", "  1 za")],
    ),
    "tmux": (
        ["tmux", "-f", "conf", "-S", "socket", "new-session", "PS1='first> ' exec sh"],
        "first>",
        [(b"echo o''ne\r", "one"), (b"\x02%", "right>"), (b"echo t''wo\r", "two"), ((110, 34), "110x34"),
         (b'\x02"', "below>"), (b"seq 3 | sed s/$/th/\r", "3th")],
    ),
}  # fmt: skip
# Each shell tells by its prompt, and the status line by the size, that the next key finds all as it is to be.
TMUX = r"""
set -g status-left ""
set -g status-right "#{client_width}x#{client_height}"
set -g status-interval 0
set -g window-status-current-format ""
set -g escape-time 0
bind % split-window -h "PS1='right> ' exec sh"
bind '"' split-window "PS1='below> ' exec sh"
bind k kill-server
"""
LEAVE = {"vim": b":qa!\r", "less": b"q", "tmux": b"\x02k"}


class Live:
    """A program at a terminal, its screen kept by an emulator."""

    def __init__(self, argv: list[str]) -> None:
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "screen", "HOME": os.getcwd()}
        self.terminal = AtTerminal(argv, env=env)
        self._screen = Screen(80, 24)
        self._fed = 0

    def shows(self, text: str) -> bool:
        """Whether the screen shows this."""
        return text in "\n".join(self.rows())

    def rows(self) -> list[str]:
        """The screen as it is now."""
        data = self.terminal.look(0.02)
        self._screen.feed(data[self._fed :])
        self._fed = len(data)
        return [row.rstrip() for row in self._screen.lines()]

    def do(self, what: bytes | tuple[int, int], text: str) -> None:
        """Type or resize, and wait for it to work."""
        if isinstance(what, bytes):
            self.terminal.type(what)
        else:
            self.rows()
            self._screen.resize(*what)
            self.terminal.resize(what)
        wait_for(lambda: self.shows(text), f"{text!r} after {what!r}")


def settled(live: Live) -> list[str]:
    """The screen once it has stood still for a while."""
    rows, since = live.rows(), time.monotonic()
    while time.monotonic() - since < 1:
        now = live.rows()
        if now != rows:
            rows, since = now, time.monotonic()
    return rows


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where they run."""
    (tmp_path / "text").write_text(TEXT)
    (tmp_path / "conf").write_text(TMUX)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    if shutil.which("tmux"):
        subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "kill-server"], capture_output=True)


@pytest.mark.tlog
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_screen_is_the_same(home: Path, name: str) -> None:
    """And the log has every byte of it, every key, every size."""
    command, begin, doings = PROGRAMS[name]
    if shutil.which(command[0]) is None:
        peers.absent(f"{command[0]} is not installed")
    options = ["--log-input", "--latency=1", "--"]
    ways = {
        "alone": command,
        "theirs": [peers.require_program("tlog-rec"), "-o", "theirs", *options, *command],
        "ours": [*LEAN, "-o", "ours", *options, *command],
    }
    screen: list[str] = []
    seen: dict[str, bytes] = {}
    statuses: set[int] = set()
    for way, argv in ways.items():
        live = Live(argv)
        try:
            wait_for(lambda: live.shows(begin), f"{begin!r}")  # noqa: B023
            for what, text in doings:
                live.do(what, text)
            if way == "alone":
                screen = settled(live)
            wait_for(lambda: live.rows() == screen, f"the same screen, {way}")  # noqa: B023
            live.terminal.type(LEAVE[name])
            statuses.add(live.terminal.wait())
            seen[way] = live.terminal.seen
        finally:
            live.terminal.close()
    assert len(statuses) == 1
    assert recorded(home / "ours") == seen["ours"]
    assert recorded(home / "theirs") + b"\r\n" == seen["theirs"]
    keys = b"".join(what for what, _ in doings if isinstance(what, bytes)) + LEAVE[name]
    assert recorded(home / "ours", Input) == recorded(home / "theirs", Input) == keys
    assert sizes(home / "ours")[-1] == sizes(home / "theirs")[-1]
