# SPDX-License-Identifier: Apache-2.0
"""In a real terminal emulator: it is left as it was found, whatever a recording did to it."""

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import require_program
from tests.player.logs import PLAYER, write_log
from tests.recorder.recorder import wait_for
from tests.store.samples import make_recording

DAMAGE = b"\x1b[1;5r\x1b[4h\x1b[?6h\x1b[?5h\x1b[?2026h\x1b]2;TITLE\x07\x1b[?25l\x1b[?7l\x1b[?1h\x1b=\x1b[?1003h\x1b[6 q"
STATE = (
    "#{scroll_region_upper} #{scroll_region_lower} insert=#{insert_flag} origin=#{origin_flag} wrap=#{wrap_flag}"
    " cursor=#{cursor_flag} keypad=#{keypad_flag} keys=#{keypad_cursor_flag} mouse=#{mouse_any_flag} #{pane_title}"
)


class Tmux:
    """A server of our own, with one pane of 80 columns and 24 rows that runs `sh`."""

    def __init__(self, folder: Path) -> None:
        self._base = [require_program("tmux"), "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self.run("new-session", "-d", "-x", "80", "-y", "24", "env PS1='READY$ ' ENV= sh")
        wait_for(lambda: "READY$" in self.seen(), "the shell's prompt")
        self.run("select-pane", "-T", "before")

    def run(self, *arguments: str) -> str:
        """One command of tmux; what it prints."""
        done = subprocess.run([*self._base, *arguments], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def seen(self) -> str:
        """The pane's text."""
        return self.run("capture-pane", "-p")

    def state(self) -> str:
        """Modes, region and title."""
        return self.run("display-message", "-p", STATE).strip()

    def type(self, line: str) -> None:
        """A line and Enter."""
        self.run("send-keys", "-l", line)
        self.run("send-keys", "Enter")


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """Ends with the test."""
    made = Tmux(tmp_path)
    yield made
    made.run("kill-server")


def play(tmux: Tmux, log: Path, *options: str) -> None:
    """Play to the end at the shell's prompt."""
    tmux.type(f"{shlex.join([*PLAYER, *options, str(log)])}; echo over=$?")
    wait_for(lambda: "over=0" in tmux.seen(), "the end of the playback")


@pytest.mark.parametrize("options", [[], ["--raw"]], ids=["painted", "raw"])
def test_the_terminal_is_as_it_was(tmux: Tmux, tmp_path: Path, options: list[str]) -> None:
    before = tmux.state()
    assert before.startswith("0 23 insert=0 origin=0 wrap=1 cursor=1 ")
    assert before.endswith(" before")
    log = write_log(tmp_path / "log", make_recording("rec", [DAMAGE, b"played"], step_ms=10))
    tmux.type("cat " + str(write_raw(tmp_path, DAMAGE)))
    wait_for(lambda: tmux.state() != before and tmux.state().endswith(" TITLE"), "that the damage is one")
    tmux.type("printf '\\033c'")
    wait_for(lambda: tmux.state().startswith("0 23 insert=0 origin=0 wrap=1 cursor=1 "), "a reset")
    tmux.run("select-pane", "-T", "before")
    play(tmux, log, *options)
    wait_for(lambda: tmux.state() == before, "that the state is as before")


def test_what_was_on_the_screen_is_not_written_over_by_the_prompt(tmux: Tmux, tmp_path: Path) -> None:
    log = write_log(
        tmp_path / "log", make_recording("rec", [b"\x1b[2J\x1b[Htop line\r\n\x1b[2;5r\x1b[?6h"], step_ms=10)
    )
    play(tmux, log, "--raw")
    history = tmux.run("capture-pane", "-p", "-S", "-100")
    assert history.index("top line") < history.index("over=0")


def test_the_clipboard_stays_what_it_was(tmux: Tmux, tmp_path: Path) -> None:
    """tmux takes OSC 52 of a pane as a buffer of its own."""
    tmux.run("set-option", "-s", "set-clipboard", "on")
    pieces = [b"\x1b]52;c;", b"cm0gLXJmIC8=", b"\x07shown"]
    log = write_log(tmp_path / "log", make_recording("rec", pieces, step_ms=10))
    play(tmux, log)
    assert "shown" in tmux.seen()
    assert tmux.run("list-buffers") == ""
    tmux.type(f"{shlex.join([*PLAYER, '--raw', str(log)])}; echo again=$?")
    wait_for(lambda: "again=0" in tmux.seen(), "the end of the playback")
    assert "rm -rf /" in tmux.run("list-buffers")


def write_raw(folder: Path, data: bytes) -> Path:
    """A file of these bytes."""
    path = folder / "raw"
    path.write_bytes(data)
    return path
