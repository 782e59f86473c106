# SPDX-License-Identifier: Apache-2.0
"""On a terminal: everything looks and works as without a recorder, and is put back afterwards."""

import signal
from pathlib import Path

import pytest

from tests.recorder.recorder import at_terminal, end_status, recorded, sizes


def test_a_command_runs_at_a_terminal_of_its_own(tmp_path: Path) -> None:
    """All three streams are on one terminal, which is its controlling one and has the same size."""
    log = tmp_path / "log"
    script = "test -t 0 && test -t 1 && test -t 2 && stty size </dev/tty && echo $TERM"
    with at_terminal(["-o", str(log), "--", "sh", "-c", script], size=(101, 37)) as screen:
        assert screen.wait() == 0
        assert screen.seen.startswith(b"37 101\r\n")
        assert recorded(log) == screen.seen
        assert sizes(log) == [(101, 37)]
        assert end_status(log) == 0


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_status_is_passed_on(tmp_path: Path, script: str, status: int) -> None:
    """The command's own, or 128 + signal; the terminal is as it was."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--", "sh", "-c", f"echo x; {script}"]) as screen:
        assert screen.wait() == status
        assert screen.attributes() == screen.found
        assert screen.seen == b"x\r\n"
        assert end_status(log) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: int) -> None:
    """The terminal is put back, the command gets SIGHUP, the log is whole, and we die by that signal."""
    log, mark = tmp_path / "log", tmp_path / "mark"
    script = f"trap 'echo hup >{mark}; exit 5' HUP; echo ready; while :; do sleep 0.05; done"
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        screen.send(number)
        assert screen.wait() == -number
        assert mark.read_text() == "hup\n"
        assert screen.attributes() == screen.found
        assert recorded(log) == b"ready\r\n"
        assert end_status(log) == 5
