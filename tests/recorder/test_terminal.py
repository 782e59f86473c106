# SPDX-License-Identifier: Apache-2.0
"""On a terminal: everything looks and works as without a recorder, and is put back afterwards."""

import os
import random
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from tests.recorder.recorder import (
    PATIENCE,
    AtTerminal,
    at_terminal,
    end_status,
    recorded,
    shell_at_terminal,
    sizes,
    wait_for,
)
from ttyscribe_formats.packet import Input


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


def test_the_inner_terminal_is_set_as_the_outer_was(tmp_path: Path) -> None:
    """Erase key, echo, output processing: what the user had set is what the program finds."""
    log = tmp_path / "log"
    setting = "stty erase '^X' -echoctl onlret"
    script = f"{setting}; stty -a >{tmp_path}/before; exec {{}} sh -c 'stty -a >{tmp_path}/inside'"
    recorder = f'"$RECORDER" -c "$CODE" -o {log} --'
    with shell_at_terminal(script.format(recorder)) as screen:
        assert screen.wait() == 0
    assert (tmp_path / "inside").read_text() == (tmp_path / "before").read_text()


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


def test_a_command_that_ignores_the_hang_up_holds_nobody_up(tmp_path: Path) -> None:
    """The recorder leaves it behind within moments."""
    log, pid = tmp_path / "log", tmp_path / "pid"
    script = f"trap '' HUP; echo $$ >{pid}; echo ready; exec sleep 1000"
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        try:
            screen.send(signal.SIGTERM)
            assert screen.wait() == -signal.SIGTERM
            assert end_status(log) == 128 + signal.SIGTERM
        finally:
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_terminal_that_is_gone_hangs_the_command_up(tmp_path: Path) -> None:
    """As when the connection breaks: the command gets SIGHUP, the log gets its end."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--", "sh", "-c", "echo ready; exec sleep 1000"]) as screen:
        screen.wait_to_see(b"ready")
        screen.hang_up()
        wait_for(screen.ended, "the recorder's end")
    assert recorded(log) == b"ready\r\n"
    assert end_status(log) == 128 + signal.SIGHUP


def test_resizing(tmp_path: Path) -> None:
    """A new size reaches the program, with its signal, and the log."""
    log = tmp_path / "log"
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        for columns, rows in ((100, 30), (132, 43), (65535, 1)):
            screen.resize((columns, rows))
            screen.wait_to_see(b"%d %d\r\n" % (rows, columns))
        screen.send(signal.SIGTERM)
        screen.wait()
    assert sizes(log) == [(80, 24), (100, 30), (132, 43), (65535, 1)]


def test_a_storm_of_resizes_loses_no_byte_and_no_signal(tmp_path: Path) -> None:
    """Thousands of SIGWINCH during bulk output; the last size is the one that stays."""
    log = tmp_path / "log"
    script = "seq 1 200000; sleep 0.2; stty size; exec sleep 1000"
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"\r\n10\r\n")
        for number in range(3000):
            screen.resize((80 + number % 50, 24))
            screen.send(signal.SIGWINCH)
            screen.look()
        screen.resize((91, 25))
        screen.wait_to_see(b"\r\n25 91\r\n")
        screen.send(signal.SIGTERM)
        assert screen.wait() == -signal.SIGTERM
    text = b"".join(b"%d\r\n" % number for number in range(1, 200_001))
    assert screen.seen == text + b"25 91\r\n"
    assert recorded(log) == screen.seen
    assert sizes(log)[-1] == (91, 25)


def test_keys_reach_the_program(tmp_path: Path) -> None:
    """Typed lines, the interrupt key and the end of file work as ever; typed text is recorded only if asked for."""
    for options, typed in (([], b""), (["--log-input"], b"hello\r\x03\x04")):
        log = tmp_path / f"log{len(options)}"
        script = "trap 'echo interrupted' INT; echo ready; cat; echo again; cat; echo over"
        with at_terminal(["-o", str(log), *options, "--", "bash", "-c", script]) as screen:
            screen.wait_to_see(b"ready")
            screen.type(b"hello\r")
            screen.wait_to_see(b"hello\r\nhello\r\n")
            screen.type(b"\x03")
            screen.wait_to_see(b"again")
            screen.type(b"\x04")
            assert screen.wait() == 0
            assert b"over" in screen.seen
        assert recorded(log, Input) == typed


def test_what_was_typed_ahead_is_kept(tmp_path: Path) -> None:
    """Before we start, and at every moment of our start."""
    for number in range(20):
        log, read = tmp_path / f"log{number}", tmp_path / f"read{number}"
        command = ["sh", "-c", f"head -n 2 >{read}"]
        with at_terminal(["-o", str(log), "--", *command], typed_ahead=b"early\n") as screen:
            time.sleep(number * 0.004)
            screen.type(b"late\n")
            assert screen.wait() == 0
        assert read.read_bytes() == b"early\nlate\n"


def test_what_was_typed_for_the_next_program_stays(tmp_path: Path) -> None:
    """Ending flushes nothing: what we have not read is there for the shell that started us."""
    script = f'"$RECORDER" -c "$CODE" -o {tmp_path}/log -- sh -c "echo ready; sleep 0.3"; read line; echo "got $line"'
    with shell_at_terminal(script) as screen:
        screen.wait_to_see(b"ready")
        time.sleep(0.6)
        screen.type(b"next\n")
        assert screen.wait() == 0
        assert b"got next" in screen.seen
        assert b"ready\r\n\r\n" not in screen.seen  # no line of our own


def test_stop_and_continue(tmp_path: Path) -> None:
    """SIGTSTP gives the terminal back and stops us; SIGCONT takes it again, at the new size."""
    log = tmp_path / "log"
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done"
    # An orphaned process group does not stop by SIGTSTP: a shell with job control has to stand above.
    outer = f'set -m; "$RECORDER" -c "$CODE" -o {log} -- sh -c "{script}"'
    outer += '; stty -a | grep -o " -*icanon"; echo fg; fg; echo $?'
    with shell_at_terminal(outer) as screen:
        screen.wait_to_see(b"ready")
        recorder = child_of(screen.pid)
        os.kill(recorder, signal.SIGTSTP)
        screen.wait_to_see(b" icanon")  # it has stopped, the shell goes on, and then continues it
        screen.wait_to_see(b"fg")
        screen.resize((99, 21))
        screen.wait_to_see(b"21 99\r\n")
        wait_for(lambda: not local_flags(screen) & termios.ICANON, "the terminal to be raw again")
        os.kill(recorder, signal.SIGTERM)
        screen.wait_to_see(b"143")
        screen.wait()
    assert sizes(log) == [(80, 24), (99, 21)]


def local_flags(screen: AtTerminal) -> int:
    """The terminal's local modes now."""
    lflag = screen.attributes()[3]
    assert isinstance(lflag, int)
    return lflag


def child_of(pid: int) -> int:
    """The only child of a process."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_background_processes_hold_nobody_up(tmp_path: Path) -> None:
    """The session ends with its command, and what was written until then is there."""
    log = tmp_path / "log"
    script = "trap '' HUP; sleep 1000 & echo $!; seq 1 5000; echo last"
    started = time.monotonic()
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        assert screen.wait() == 0
        os.kill(int(screen.seen.split()[0]), signal.SIGKILL)
        assert screen.seen.endswith(b"5000\r\nlast\r\n")
        assert recorded(log) == screen.seen
    assert time.monotonic() - started < PATIENCE


def test_ten_megabytes_of_hostile_bytes(tmp_path: Path) -> None:
    """Every byte value, torn UTF-8, escape sequences: shown and recorded as they are."""
    log, data = tmp_path / "log", hostile(2_000_000) * 5
    (tmp_path / "data").write_bytes(data)
    script = f"stty raw; cat {tmp_path}/data"
    with at_terminal(["-o", str(log), "--payload=32768", "--", "sh", "-c", script]) as screen:
        assert screen.wait() == 0
    assert screen.seen == data
    assert recorded(log) == data


def hostile(size: int) -> bytes:
    """Mostly text, as terminals see it, with all that can go wrong in it."""
    source = random.Random(7)
    pieces = [b"plain text ", "zażółć gęślą jaźń ".encode(), b"\x1b[31m", b"\r\n", b"\x00\x7f", b"\xff", b"\xe2\x82"]
    pieces += [b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b'"\\', bytes(range(256))]
    made = bytearray()
    while len(made) < size:
        made += source.choice(pieces)
    return bytes(made[:size])


def test_a_terminal_that_stands_still_holds_the_program_and_nothing_else(tmp_path: Path) -> None:
    """Nobody reads the screen: the program waits, memory stays bounded, a signal still ends it at once."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--latency=1", "--", "sh", "-c", "yes"]) as screen:
        screen.wait_to_see(b"y\r\ny\r\n")
        before = time.monotonic()
        wait_for(lambda: stands_still(log), "all that was read in the log, and no more")
        assert rss_of(screen.pid) < 60_000
        screen.send(signal.SIGTERM)
        wait_for(screen.ended, "the recorder's end")
        assert time.monotonic() - before < PATIENCE
        assert end_status(log) == 128 + signal.SIGHUP


def stands_still(log: Path) -> bool:
    """Whether it does not grow for longer than the latency of a second."""
    size = log.stat().st_size
    time.sleep(1.5)
    return log.stat().st_size == size


def rss_of(pid: int) -> int:
    """Resident memory in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_streams_that_are_elsewhere_stay_elsewhere(tmp_path: Path) -> None:
    """Standard output into a file at a terminal: a file for the program too, byte for byte; errors on the screen."""
    log, data = tmp_path / "log", os.urandom(200_000)
    (tmp_path / "data").write_bytes(data)
    with (tmp_path / "out").open("wb") as out:
        script = f"test -t 1 && exit 9; cat {tmp_path}/data; echo seen >/dev/tty; read line </dev/tty; echo $line >&2"
        with at_terminal(["-o", str(log), "--", "sh", "-c", script], redirect={1: out.fileno()}) as screen:
            screen.wait_to_see(b"seen\r\n")
            screen.type(b"typed\n")
            assert screen.wait() == 0
            assert screen.seen == b"seen\r\ntyped\r\ntyped\r\n"
    assert (tmp_path / "out").read_bytes() == data
    assert sorted(recorded(log)) == sorted(data + screen.seen)


def test_input_from_a_pipe_at_a_terminal(tmp_path: Path) -> None:
    """`yes | ttyscribe-rec head` typed at a terminal: the pipe is a pipe, the screen shows head's output alone."""
    log = tmp_path / "log"
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
        assert source.stdout is not None
        redirect = {0: source.stdout.fileno()}
        with at_terminal(["-o", str(log), "--", "head", "-c", "10"], redirect=redirect) as screen:
            source.stdout.close()
            assert screen.wait() == 0
            assert screen.seen == b"y\r\n" * 5
            assert screen.attributes() == screen.found
        assert source.wait(PATIENCE) == -signal.SIGPIPE
