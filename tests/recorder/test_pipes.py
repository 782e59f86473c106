# SPDX-License-Identifier: Apache-2.0
"""Without a terminal: three pipes, told apart, every byte intact."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorder.recorder import RECORDER, end_status, messages, recorded, run
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input


def test_streams_stay_apart_and_are_told_apart(tmp_path: Path) -> None:
    """Standard error goes to standard error, and the log says which bytes it was."""
    log = tmp_path / "log"
    done = run(["-o", str(log), "--", "sh", "-c", "printf out; sleep 0.1; printf error >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out", b"error")
    assert recorded(log) == b"outerror"
    assert tlog.own_fields(messages(log)[-1])["err"] == [[3, 5]]
    assert end_status(log) == 3


@pytest.mark.parametrize("into", ["pipe", "file"])
def test_streams_that_lead_to_one_place_keep_their_order(tmp_path: Path, into: str) -> None:
    """`command 2>&1 | less`, `command >file 2>&1`: line by line as without a recorder."""
    log, out = tmp_path / "log", tmp_path / "out"
    script = "i=0; while [ $i -lt 3000 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done; exit 3"
    with out.open("wb") as file:
        where = subprocess.PIPE if into == "pipe" else file
        done = subprocess.run(
            [*RECORDER, "-o", str(log), "--", "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=where,
            stderr=subprocess.STDOUT, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3
    got = done.stdout if into == "pipe" else out.read_bytes()
    assert got == recorded(log) == b"".join(b"out%d\nerr%d\n" % (number, number) for number in range(3000))
    assert end_status(log) == 3


@pytest.mark.parametrize("options", [[], ["--log-input"], ["--log-input=yes", "--log-output=no"]])
def test_binary_passes_intact_and_its_end_is_passed_on(tmp_path: Path, options: list[str]) -> None:
    """Any bytes, much more than a pipe holds; `cat` ends because standard input does."""
    log, data = tmp_path / "log", os.urandom(200_000) + bytes(range(128)) * 20_000
    done = run(["-o", str(log), "--log-bulk=keep", *options, "--", "cat"], stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data
    if "--log-output=no" not in options:
        assert recorded(log) == data
    if options:
        assert recorded(log, Input) == data


def test_a_reader_that_leaves_early_harms_nothing(tmp_path: Path) -> None:
    """`yes | ttyscribe-rec head` gives head's output, always."""
    for number in range(20):
        log = tmp_path / f"log{number}"
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
            done = subprocess.run(
                [*RECORDER, "-o", str(log), "--", "head", "-c", "10"], stdin=source.stdout, capture_output=True
            )
            assert source.stdout is not None
            source.stdout.close()
        assert (done.returncode, done.stdout, done.stderr) == (0, b"y\n" * 5, b"")
        assert recorded(log) == b"y\n" * 5


def test_a_program_whose_reader_left_dies_of_it(tmp_path: Path) -> None:
    """`ttyscribe-rec yes | head`: the pipe breaks for the program as it would without us."""
    log = tmp_path / "log"
    with subprocess.Popen([*RECORDER, "-o", str(log), "--", "yes"], stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.read(10) == b"y\n" * 5
        recorder.stdout.close()
        assert recorder.wait(30) == 141
    assert end_status(log) == 141


@pytest.mark.parametrize(
    ("command", "status", "complaint"),
    [
        (["no-such-program"], 127, b"ttyscribe-rec: can't run no-such-program: No such file or directory\n"),
        (["/etc/passwd"], 127, b"ttyscribe-rec: can't run /etc/passwd: Permission denied\n"),
        (["/"], 127, b"ttyscribe-rec: can't run /: Permission denied\n"),
    ],
)
def test_a_command_that_cannot_be_run(tmp_path: Path, command: list[str], status: int, complaint: bytes) -> None:
    """127, and the reason on the recorded standard error."""
    log = tmp_path / "log"
    done = run(["-o", str(log), "--", *command])
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", complaint)
    assert recorded(log) == complaint
    assert end_status(log) == status


def test_commands_are_found_as_a_shell_finds_them(tmp_path: Path) -> None:
    """By the PATH of the session, a script without an interpreter line by the shell, any bytes as arguments."""
    script = tmp_path / "bin" / "my script"
    script.parent.mkdir()
    script.write_text('printf "%s" "$1"\n')
    script.chmod(0o755)
    env = {**os.environ, "PATH": f"/nowhere:{script.parent}:{os.environ['PATH']}"}
    done = run(["-o", str(tmp_path / "log"), "--", "my script", b"\xff\xfe \n"], env=env)
    assert (done.returncode, done.stdout) == (0, b"\xff\xfe \n")


def test_without_a_command_it_is_the_shell(tmp_path: Path) -> None:
    """$SHELL, else the one of the passwd entry."""
    env = {**os.environ, "SHELL": "/bin/cat"}
    assert run(["-o", str(tmp_path / "log")], stdin=b"echo hi; exit 4\n", env=env).stdout == b"echo hi; exit 4\n"
    del env["SHELL"]
    done = run(["-o", str(tmp_path / "log")], stdin=b"echo hi; exit 4\n", env=env)
    assert (done.returncode, done.stdout) == (4, b"hi\n")


def test_the_environment_is_passed_on_as_it_is(tmp_path: Path) -> None:
    """Nothing that the interpreter adds for itself, whatever the locale; bytes that are no text too."""
    for env in ({"A": "1"}, {"LC_ALL": "C", "A": "1"}, {"LC_CTYPE": "pl_PL", "A": "\udcff"}, {"LANG": "xx_XX.bad"}):
        done = run(["-o", str(tmp_path / "log"), "--", "/usr/bin/env"], env=env)
        lines = sorted(f"{name}={value}".encode("utf-8", "surrogateescape") for name, value in env.items())
        assert sorted(done.stdout.splitlines()) == lines
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_file_as_standard_input(tmp_path: Path) -> None:
    """Read to its end, then the end is passed on."""
    (tmp_path / "in").write_bytes(b"x" * 300_000)
    with (tmp_path / "in").open("rb") as stdin:
        command = [*RECORDER, "-o", str(tmp_path / "log"), "--log-input", "--", "wc", "-c"]
        done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, b"300000")
    assert len(recorded(tmp_path / "log", Input)) == 300_000


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(tmp_path: Path, closed: str) -> None:
    """They are the null device; no file of ours lands on their numbers."""
    log = tmp_path / "log"
    inner = "cat; echo out; echo err >&2; exit 3"
    script = f'"$0" -c "$1" -o {log} -- sh -c "{inner}" {closed}'
    done = subprocess.run(["sh", "-c", script, RECORDER[0], RECORDER[2]], stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 3
    assert sorted(recorded(log).split()) == [b"err", b"out"]
    assert end_status(log) == 3


def test_background_processes_hold_nobody_up(tmp_path: Path) -> None:
    """The recorder ends with its command; what was written until then is delivered."""
    log = tmp_path / "log"
    script = "sleep 1000 & echo $!; seq 1 3000; exit 6"
    with subprocess.Popen([*RECORDER, "-o", str(log), "--", "sh", "-c", script], stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        pid = int(recorder.stdout.readline())
        try:
            assert recorder.wait(30) == 6
        finally:
            os.kill(pid, signal.SIGKILL)
        assert recorder.stdout.read().endswith(b"3000\n")
    assert recorded(log).endswith(b"3000\n")


def test_a_background_process_that_never_stops_writing(tmp_path: Path) -> None:
    """It is cut off with the command's end, by a broken pipe."""
    log = tmp_path / "log"
    with subprocess.Popen(
        [*RECORDER, "-o", str(log), "--", "sh", "-c", "yes & sleep 0.2; exit 6"], stdout=subprocess.PIPE
    ) as recorder:
        assert recorder.stdout is not None
        assert set(recorder.stdout.read().split()) == {b"y"}
        assert recorder.wait(30) == 6
    assert end_status(log) == 6


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_passed_to_the_command(tmp_path: Path, number: int) -> None:
    """It may say its last words; then we die by the same signal."""
    log = tmp_path / "log"
    script = f"trap 'echo bye; exit 7' {number}; echo ready; while :; do sleep 0.02; done"
    with subprocess.Popen([*RECORDER, "-o", str(log), "--", "bash", "-c", script], stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.readline() == b"ready\n"
        recorder.send_signal(number)
        assert recorder.stdout.read() == b"bye\n"
        assert recorder.wait(30) == -number
    assert recorded(log) == b"ready\nbye\n"
    assert end_status(log) == 7


def test_signals_that_were_ignored_stay_ignored(tmp_path: Path) -> None:
    """As under nohup, for the recorder and for the command."""
    log = tmp_path / "log"
    script = "grep SigIgn /proc/$$/status; echo ready; read line; echo $line"
    command = [*RECORDER, "-o", str(log), "--", "sh", "-c", script]
    with subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as recorder:
        assert recorder.stdin is not None
        assert recorder.stdout is not None
        ignored = int(recorder.stdout.readline().split()[1], 16)
        # The C library's own signals, from 32 on, are not ours to judge.
        assert ignored & 0x7FFFFFFF == 1 << (signal.SIGHUP - 1)
        assert recorder.stdout.readline() == b"ready\n"
        recorder.send_signal(signal.SIGHUP)
        recorder.stdin.write(b"still here\n")
        recorder.stdin.close()
        assert recorder.stdout.read() == b"still here\n"
        assert recorder.wait(30) == 0


def test_the_recorder_killed_outright(tmp_path: Path) -> None:
    """Nothing can be done then; but what was written is whole, and the missing end mark shows it."""
    log = tmp_path / "log"
    script = "echo before; sleep 1.5; kill -9 $PPID; exec sleep 0.1"
    done = run(["-o", str(log), "--latency=1", "--", "sh", "-c", script])
    assert done.returncode == -signal.SIGKILL
    assert recorded(log) == b"before\n"
    assert end_status(log) is None


def test_nothing_happened(tmp_path: Path) -> None:
    """No event, no message: as with tlog the log stays empty."""
    assert run(["-o", str(tmp_path / "log"), "--", "true"]).returncode == 0
    assert (tmp_path / "log").read_bytes() == b""


@pytest.mark.parametrize("size", [2047, 2048, 4096, 65_536])
def test_who_waits_for_an_answer_gets_it(tmp_path: Path, size: int) -> None:
    """A request of any size is passed on at once, though nothing follows it: sftp, rsync and git talk like that."""
    script = f"import os\nwhile data := os.read(0, {size}):\n    os.write(1, b'%d\\n' % len(data))"
    command = [*RECORDER, "-o", str(tmp_path / "log"), "--", sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as recorder:
        assert recorder.stdin is not None
        assert recorder.stdout is not None
        for _ in range(5):
            recorder.stdin.write(bytes(size))
            answered = 0
            while answered < size:
                assert select.select([recorder.stdout], [], [], 30)[0], "no answer"
                answered += sum(map(int, os.read(recorder.stdout.fileno(), 1000).split()))
        recorder.stdin.close()
        assert recorder.wait(30) == 0
