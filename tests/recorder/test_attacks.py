# SPDX-License-Identifier: Apache-2.0
"""Attacks: what users, programs and other processes can do to a recorder that sits between them."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import PATIENCE, RECORDER, AtTerminal, at_terminal, end_status, recorded, wait_for
from ttyscribe_formats.packet import Input


def test_job_control_inside(tmp_path: Path) -> None:
    """An interactive shell: stopping, background, foreground and interrupting are the inner terminal's own."""
    log, job = tmp_path / "log", tmp_path / "job"
    job.write_text("trap 'echo continued' CONT\necho started\nwhile :; do sleep 0.02; done\n")
    with at_terminal(["-o", str(log), "--", "bash", "--norc", "--noprofile", "--noediting", "-i"]) as screen:
        screen.type(b"bash %s\r" % bytes(job))
        screen.wait_to_see(b"started")
        screen.type(b"\x1a")
        screen.wait_to_see(b"Stopped")
        screen.type(b"fg\r")
        screen.wait_to_see(b"continued")
        screen.type(b"\x03")
        screen.type(b"echo status $?; exit 9\r")
        screen.wait_to_see(b"status 130")
        assert screen.wait() == 9
        assert screen.attributes() == screen.found
        assert screen.seen.endswith(recorded(log))  # before it stands what the outer terminal echoed
        assert end_status(log) == 9


def test_a_megabyte_is_pasted(tmp_path: Path) -> None:
    """Faster than the program reads: nothing is lost, and the recorder does not choke."""
    log, got = tmp_path / "log", tmp_path / "got"
    source = random.Random(5)
    data = bytes(source.randrange(32, 127) for _ in range(1_000_000))
    script = f"stty raw -echo; echo ready; head -c {len(data)} >{got}"
    with at_terminal(["-o", str(log), "--log-input", "--payload=65536", "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        os.set_blocking(screen.master, False)
        sent = 0

        def all_sent() -> bool:
            nonlocal sent
            try:
                sent += os.write(screen.master, data[sent : sent + 4096])
            except BlockingIOError:
                pass
            return sent == len(data)

        wait_for(all_sent, "the paste to be taken")
        os.set_blocking(screen.master, True)
        assert screen.wait() == 0
    assert got.read_bytes() == data
    assert recorded(log, Input) == data


def test_a_program_that_plays_with_its_terminal(tmp_path: Path) -> None:
    """It closes it, opens it again, hangs it up: none of that ends or spins the recorder before its time."""
    log = tmp_path / "log"
    script = "exec </dev/null >/dev/null 2>&1; sleep 0.5; exec </dev/tty >/dev/tty 2>&1; echo back; sleep 0.3; exit 4"
    with at_terminal(["-o", str(log), "--", "bash", "-c", script]) as screen:
        wait_for(lambda: cpu_ticks(screen.pid) > 0, "the start", 5.0)
        before = cpu_ticks(screen.pid)
        screen.wait_to_see(b"back")
        assert cpu_ticks(screen.pid) - before < 20
        assert screen.wait() == 4
    assert recorded(log) == b"back\r\n"


def cpu_ticks(pid: int) -> int:
    """User and system time of a process so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def test_signals_like_rain(tmp_path: Path) -> None:
    """Thousands of harmless signals at random moments, with output running: no byte is lost, nothing breaks."""
    log = tmp_path / "log"
    harmless = (signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT)
    source = random.Random(11)
    with at_terminal(["-o", str(log), "--latency=1", "--", "seq", "1", "300000"]) as screen:
        screen.wait_to_see(b"\r\n10\r\n")
        while not screen.ended():
            for _ in range(50):
                os.kill(screen.pid, source.choice(harmless))
            screen.look(0.001)
            time.sleep(0.001)
        assert screen.wait() == 0
    assert screen.seen == b"".join(b"%d\r\n" % number for number in range(1, 300_001))
    assert recorded(log) == screen.seen


@pytest.mark.parametrize("moment", range(0, 60, 3))
def test_a_signal_at_any_moment_of_the_start(tmp_path: Path, moment: int) -> None:
    """Killed while it starts: the terminal is never left raw."""
    with at_terminal(["-o", str(tmp_path / "log"), "--", "sleep", "1000"]) as screen:
        time.sleep(moment / 1000)
        screen.send(signal.SIGTERM)
        assert screen.wait() == -signal.SIGTERM
        assert screen.attributes() == screen.found


@pytest.mark.root
def test_a_terminal_that_belongs_to_another_user(tmp_path: Path) -> None:
    """After su the terminal can't be opened anew: the inherited descriptors serve, and are not made non-blocking."""
    peers.require_root()
    # The other user may not enter a private home: what he runs is copied to where he may.
    folder = tmp_path / "open"
    folder.mkdir()
    for part in (folder, *folder.parents):
        if str(part).startswith("/tmp/") and part != Path("/tmp"):
            part.chmod(0o777)
    code = (
        "import os,sys,ttyscribe_recorder.writers.file;from ttyscribe_recorder import rec;"
        "os.setgid(65534);os.setuid(65534);"  # may not read this environment's packages any more
        "sys.exit(rec.main(sys.argv[1:],dict(os.environb)))"
    )
    log = folder / "log"
    script = "echo ready; read line; echo $line; head -c 300000 /dev/zero | tr '\\0' x; exit 3"
    screen = AtTerminal([RECORDER[0], "-c", code, "-o", str(log), "--", "sh", "-c", script])
    try:
        screen.wait_to_see(b"ready")
        screen.type(b"typed\r")
        assert screen.wait() == 3
        assert screen.seen.endswith(b"typed\r\n" + b"x" * 300_000)
        assert recorded(log) == screen.seen
        assert screen.attributes() == screen.found
    finally:
        screen.close()


@pytest.mark.root
def test_a_stuck_terminal_of_another_user_can_still_be_left(tmp_path: Path) -> None:
    """Without a descriptor of our own a write might block for ever; a signal must end that too."""
    peers.require_root()
    code = (
        "import os,sys;from ttyscribe_recorder import rec,session;session.reopen=lambda fd,flags:-1;"
        "sys.exit(rec.main(sys.argv[1:],dict(os.environb)))"
    )
    screen = AtTerminal([RECORDER[0], "-c", code, "-o", str(tmp_path / "log"), "--", "yes"])
    try:
        screen.wait_to_see(b"y\r\ny\r\n")
        time.sleep(1)
        screen.send(signal.SIGTERM)
        wait_for(screen.ended, "the recorder's end", PATIENCE)
    finally:
        screen.close()


def test_output_that_nobody_takes_yet_when_the_command_ends(tmp_path: Path) -> None:
    """A slow terminal, a slow pipe: the end waits for them, and all arrives."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--", "seq", "1", "30000"]) as screen:
        time.sleep(1)
        assert screen.wait() == 0
        assert screen.seen == b"".join(b"%d\r\n" % number for number in range(1, 30_001))
        assert recorded(log) == screen.seen
    with subprocess.Popen([*RECORDER, "-o", str(log), "--", "seq", "1", "30000"], stdout=subprocess.PIPE) as recorder:
        time.sleep(1)
        assert recorder.stdout is not None
        assert recorder.stdout.read() == b"".join(b"%d\n" % number for number in range(1, 30_001))
        assert recorder.wait(PATIENCE) == 0
