# SPDX-License-Identifier: Apache-2.0
"""The entry in utmp: optional, by the real helper, and never a reason for anything to fail."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import LEAN, PATIENCE, AtTerminal, end_status, wait_for
from tests.recorder.test_terminal import child_of
from ttyscribe_recorder import utmp

ENVIRONMENT = {**os.environ, "TTYSCRIBE_REC_CONF_TEXT": '{"utmp": true}'}


@pytest.fixture
def master() -> Iterator[int]:
    """Our end of a terminal."""
    ours, theirs = os.openpty()
    yield ours
    os.close(ours)
    os.close(theirs)


def helper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """One of our own."""
    path = tmp_path / "utempter"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setattr(utmp, "helpers", lambda: (str(tmp_path / "none"), str(path)))


def test_what_the_helper_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, master: int) -> None:
    """One word, the terminal's other end, nothing of the user's environment."""
    helper(monkeypatch, tmp_path, f'readlink /proc/$$/fd/0 >{tmp_path}/said; echo "$* $HOME" >>{tmp_path}/said')
    monkeypatch.setenv("HOME", "/evil")
    assert utmp.add(master)
    assert (tmp_path / "said").read_text() == f"{os.readlink(f'/proc/self/fd/{master}')}\nadd \n"
    assert utmp.remove(master)
    assert "del" in (tmp_path / "said").read_text()


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$", "echo noise; echo noise >&2; exit 3", "exec sleep 1000"])
def test_a_helper_that_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, master: int, script: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Or never ends: no entry, no noise, and no waiting for it."""
    helper(monkeypatch, tmp_path, script)
    started = time.monotonic()
    assert not utmp.add(master)
    assert time.monotonic() - started < PATIENCE
    assert capfd.readouterr() == ("", "")


def test_no_helper(monkeypatch: pytest.MonkeyPatch, master: int) -> None:
    """Nothing happens."""
    monkeypatch.setattr(utmp, "helpers", lambda: ())
    assert not utmp.add(master)


@pytest.mark.root
@pytest.mark.parametrize("there", [True, False])
def test_who_am_i_inside(tmp_path: Path, there: bool) -> None:
    """By the real helper: the entry is there before the shell, and gone after it; without utmp all goes on as ever."""
    peers.require_root()
    if not any(map(os.path.exists, utmp.helpers())):
        peers.absent("libutempter's helper is not installed: apt-get install libutempter0")
    log = tmp_path / "log"
    inside = "tty; who; echo ready; read x; exit 4"
    made = "touch /run/utmp;" if there else ""
    script = f'mount -t tmpfs tmpfs /run; {made} "$@"; s=$?; cp /run/utmp {tmp_path} 2>/dev/null; exit $s'
    screen = AtTerminal(
        ["unshare", "-m", "sh", "-c", script, "sh", *LEAN, "-o", str(log), "--", "sh", "-c", inside], env=ENVIRONMENT
    )
    try:
        screen.wait_to_see(b"ready")
        terminal = screen.seen.splitlines()[0].removeprefix(b"/dev/")
        assert (terminal in screen.seen.replace(b"/dev/" + terminal, b"")) == there
        screen.type(b"x\r")
        assert screen.wait() == 4
    finally:
        screen.close()
    assert entries(tmp_path / "utmp") == ([(DEAD, terminal)] if there else [])
    assert end_status(log) == 4


DEAD = 8
SIZE = 384


def entries(path: Path) -> list[tuple[int, bytes]]:
    """Sort and terminal of every entry in a file like utmp; `who` hides those of processes that are gone."""
    data = path.read_bytes() if path.exists() else b""
    records = [data[start : start + SIZE] for start in range(0, len(data), SIZE)]
    return [(int.from_bytes(record[:2], "little"), record[8:40].rstrip(b"\0")) for record in records]


@pytest.mark.root
def test_a_session_that_is_hung_up_leaves_no_entry(tmp_path: Path) -> None:
    """It is taken away before the terminal goes."""
    peers.require_root()
    script = f'mount -t tmpfs tmpfs /run; touch /run/utmp; "$@"; cp /run/utmp {tmp_path}'
    command = ["unshare", "-m", "sh", "-c", script, "sh", *LEAN, "-o", str(tmp_path / "log"), "--", "sh", "-c"]
    screen = AtTerminal([*command, "tty; who; echo ready; exec sleep 1000"], env=ENVIRONMENT)
    try:
        screen.wait_to_see(b"ready")
        terminal = screen.seen.splitlines()[0].removeprefix(b"/dev/")
        assert screen.seen.count(terminal) == 2
        os.kill(child_of(screen.pid), signal.SIGTERM)
        wait_for(lambda: screen.look() and screen.ended(), "the end")
    finally:
        screen.close()
    assert entries(tmp_path / "utmp") == [(DEAD, terminal)]
