# SPDX-License-Identifier: Apache-2.0
"""What the real tlog-rec gets wrong, shown on it, and the same done by ours. docs/tlog-defects.md lists all of it.

Each test does one thing twice. Where theirs would never end it is given two seconds.
"""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import LEAN, PATIENCE, AtTerminal, recorded, wait_for
from tests.recorder.test_names import program

Done = subprocess.CompletedProcess[bytes] | None
"""None for what did not end."""

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tlog-defects.md"
SHORT = 2.0
UTF8 = {**os.environ, "LC_ALL": "C.UTF-8"}


def end(process: "subprocess.Popen[bytes]", seconds: float) -> Done:
    """What it gave, if it ends in time; else it is ended, with all that it started."""
    try:
        out, err = process.communicate(timeout=seconds)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def run(recorder: Sequence[str], *words: str, seconds: float = PATIENCE, **more: object) -> Done:
    """Record on pipes, in a process group of its own."""
    options = {"stdin": subprocess.DEVNULL, "env": UTF8, **more}
    process = subprocess.Popen(  # type: ignore[call-overload]
        [*recorder, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0, **options
    )
    return end(process, seconds)


def result(done: Done) -> tuple[int, bytes]:
    """Status and output of what ended."""
    assert done is not None, "it never ended"
    return done.returncode, done.stdout


@pytest.fixture
def theirs(tmp_path: Path) -> list[str]:
    """The real one, into a file."""
    return [peers.require_program("tlog-rec"), "-o", str(tmp_path / "theirs")]


@pytest.fixture
def ours(tmp_path: Path) -> list[str]:
    """Ours."""
    return [*LEAN, "-o", str(tmp_path / "ours")]


@pytest.mark.tlog
def test_the_end_of_input_while_input_is_logged(theirs: list[str], ours: list[str]) -> None:
    """`ssh host command </dev/null`: theirs loses the output, and turns for ever where it is more than a pipe holds."""
    words = ("--log-input", "head", "-c", "200000", "/dev/zero")
    done = run(theirs, *words, seconds=SHORT)
    assert done is None or done.stdout == b""
    assert result(run(ours, *words)) == (0, bytes(200_000))


@pytest.mark.tlog
def test_a_program_that_reads_only_the_beginning(theirs: list[str], ours: list[str]) -> None:
    """`yes | tlog-rec head`: theirs dies of the broken pipe, mostly with head's output."""

    def piped(recorder: list[str]) -> tuple[int, bytes]:
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
            found = result(run(recorder, "head", "-c", "10", stdin=source.stdout))
            assert source.stdout is not None
            source.stdout.close()
        return found

    assert any(piped(theirs) != (0, b"y\n" * 5) for _ in range(20))
    assert all(piped(ours) == (0, b"y\n" * 5) for _ in range(20))


@pytest.mark.tlog
def test_cut_characters_in_small_messages(theirs: list[str], ours: list[str], tmp_path: Path) -> None:
    """At a payload of 32 theirs turns for ever: there is never room for what is cut and the next item together."""
    script = r"printf '\360\237'; sleep 0.2; printf '\360\237'; sleep 0.2; printf '\360\237x'"
    for recorder, ends in ((theirs, False), (ours, True)):
        screen = AtTerminal([*recorder, "--payload=32", "sh", "-c", script], env=UTF8)
        try:
            if ends:
                assert screen.wait() == 0
            else:
                deadline = time.monotonic() + SHORT
                while time.monotonic() < deadline:
                    screen.look(0.05)
                assert not screen.ended()
        finally:
            screen.close()
    assert recorded(tmp_path / "ours") == b"\xf0\x9f\xf0\x9f\xf0\x9fx"


@pytest.mark.tlog
@pytest.mark.parametrize("wrong", [{"LC_ALL": "xx_YY.wrong"}, {"TERM": "\udcff\udcfe"}])
def test_an_environment_that_is_not_utf8(theirs: list[str], ours: list[str], wrong: dict[str, str]) -> None:
    """A user may send that by SSH: theirs refuses the session."""
    assert result(run(theirs, "echo", "ran", env={**UTF8, **wrong})) == (1, b"")
    assert result(run(ours, "echo", "ran", env={**UTF8, **wrong})) == (0, b"ran\n")


@pytest.mark.tlog
def test_the_c_locale(theirs: list[str], ours: list[str]) -> None:
    """Theirs complains in two lines at each login."""
    for recorder, lines in ((theirs, 2), (ours, 0)):
        done = run(recorder, "true", env={**os.environ, "LC_ALL": "C"})
        assert done is not None
        assert done.stderr.count(b"\n") == lines


@pytest.mark.tlog
def test_a_full_disk(theirs: list[str], ours: list[str]) -> None:
    """Theirs ends the session, with a status of its own."""
    script = "seq 1 30000; exit 5"
    assert result(run([theirs[0], "-o", "/dev/full"], "sh", "-c", script))[0] == 1
    status, out = result(run([*LEAN, "-o", "/dev/full"], "sh", "-c", script))
    assert (status, out.endswith(b"30000\n")) == (5, True)


@pytest.mark.tlog
@pytest.mark.parametrize(("writer", "place"), [("journal", "/run/systemd/journal/socket"), ("syslog", "/dev/log")])
def test_no_receiver(theirs: list[str], writer: str, place: str) -> None:
    """Theirs loses the whole recording without a word."""
    if Path(place).exists():
        pytest.skip(f"{place} belongs to a service here")
    words = ("-w", writer, "sh", "-c", "echo ran; exit 3")
    for recorder, told in (([theirs[0]], False), (LEAN, True)):
        done = run(recorder, *words)
        assert result(done) == (3, b"ran\n")
        assert done is not None
        assert (b"lacks 1 message" in done.stderr) == told


@pytest.mark.tlog
def test_errors_apart_from_output(theirs: list[str], ours: list[str]) -> None:
    """Theirs mixes them, which breaks scp, rsync and git."""
    assert result(run(theirs, "sh", "-c", "echo err >&2")) == (0, b"err\n")
    assert result(run(ours, "sh", "-c", "echo err >&2")) == (0, b"")


@pytest.mark.tlog
def test_a_background_process_on_pipes(theirs: list[str], ours: list[str]) -> None:
    """Theirs waits for it."""
    script = "sleep 5 & echo ran"
    assert run(theirs, "sh", "-c", script, seconds=SHORT) is None
    process = subprocess.Popen([*ours, "sh", "-c", script], stdout=subprocess.PIPE, env=UTF8, process_group=0)
    assert process.wait(PATIENCE) == 0
    assert process.communicate()[0] == b"ran\n"


@pytest.mark.tlog
@pytest.mark.parametrize("who", ["theirs", "ours"])
def test_a_signal_on_pipes(request: pytest.FixtureRequest, who: str) -> None:
    """Theirs waits for the program to end by itself."""
    recorder = request.getfixturevalue(who)
    command = [*recorder, "sh", "-c", "echo ready; exec sleep 30"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=UTF8, stdin=subprocess.PIPE, process_group=0)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    if who == "theirs":
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(SHORT)
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(PATIENCE) == (-signal.SIGKILL if who == "theirs" else -signal.SIGTERM)
    process.communicate()


@pytest.mark.tlog
@pytest.mark.parametrize("who", ["theirs", "ours"])
def test_typed_ahead_and_the_line_behind(request: pytest.FixtureRequest, who: str) -> None:
    """Theirs throws away what was typed before it was ready, and leaves a blank line at the end."""
    command = [*request.getfixturevalue(who), "sh", "-c", "read x; echo got $x"]
    screen = AtTerminal(command, env=UTF8, typed_ahead=b"early\r")
    try:
        deadline = time.monotonic() + PATIENCE
        while who == "theirs" and b"got" not in screen.look(0.5) and time.monotonic() < deadline:
            screen.type(b"late\r")  # and again, if that was thrown away, too
        assert screen.wait() == 0
    finally:
        screen.close()
    assert (b"got late\r\n" if who == "theirs" else b"got early\r\n") in screen.seen
    assert screen.seen.endswith(b"\r\n\r\n") == (who == "theirs")


@pytest.mark.tlog
def test_a_limit_that_delays(theirs: list[str], ours: list[str]) -> None:
    """A program that ends while theirs sleeps loses its status and its last words; a rate of 0 ends the session."""
    slow = ("--limit-action=delay", "--limit-rate=500", "--limit-burst=0", "--payload=100")
    # Its streams end first, and so the last words are written, and slept for, while it still runs.
    script = "printf '%0150d' 1; exec >&- 2>&-; sleep 0.1; exit 5"
    assert any(result(run(theirs, *slow, "sh", "-c", script))[0] == 1 for _ in range(20))
    assert result(run(ours, *slow, "sh", "-c", script))[0] == 5
    none = ("--limit-action=delay", "--limit-rate=0", "--limit-burst=10", "echo", "ran")
    assert b"Invalid argument" in (run(theirs, *none) or pytest.fail("never ended")).stderr
    assert b"set a rate" in (run(ours, *none) or pytest.fail("never ended")).stderr


# ---- what needs a place of its own ---------------------------------------------------------------------------------


def confined(setting: str, *command: str) -> list[str]:
    """The command with /run and more of its own."""
    peers.require_root()
    return ["unshare", "-m", "-u", "sh", "-c", f'mount -t tmpfs tmpfs /run; {setting}; exec "$@"', "sh", *command]


@pytest.mark.tlog
@pytest.mark.root
def test_no_utmp(theirs: list[str], ours: list[str]) -> None:
    """Theirs refuses each session at a terminal."""
    for recorder, status in ((theirs, 1), (ours, 5)):
        screen = AtTerminal(confined(":", *recorder, "sh", "-c", "exit 5"), env=UTF8)
        try:
            assert screen.wait() == status
        finally:
            screen.close()


@pytest.mark.tlog
@pytest.mark.root
def test_no_name_for_the_host(theirs: list[str], ours: list[str]) -> None:
    """Where DNS fails theirs refuses the session, under its own name too."""
    setting = "mount --bind /dev/null /etc/hosts; mount --bind /dev/null /etc/resolv.conf; hostname nowhere.invalid"
    setting += "; printf 'hosts: files dns\\n' >/run/nss; mount --bind /run/nss /etc/nsswitch.conf"
    assert result(run(confined(setting, *theirs), "echo", "ran"))[0] == 1
    assert result(run(confined(setting, *ours), "echo", "ran")) == (0, b"ran\n")
    link = [sys.executable, str(program(Path(ours[-1]).parent, "tlog-rec")), *ours[-2:]]
    assert result(run(confined(setting, *link), "echo", "ran")) == (0, b"ran\n")


@pytest.mark.tlog
@pytest.mark.root
@pytest.mark.parametrize("killed", [False, True])
def test_two_sessions_without_an_audit_session(tmp_path: Path, killed: bool) -> None:
    """The second is not recorded by theirs, without a word; after a killed recorder no later one is."""
    log = tmp_path / "log"
    text = {"writer": "file", "file": {"path": str(log)}, "notice": "", "shell": "/bin/sh"}
    real = peers.require_program("tlog-rec-session")
    ours = str(program(tmp_path, "ttyscribe-rec-session", "session_main"))
    first = "kill -9 $PPID; sleep 0.1" if killed else "touch {0}/ready; while [ ! -e {0}/over ]; do sleep 0.05; done"
    first = first.format(tmp_path)
    both = f"\"$0\" -c '{first}' & {'wait' if killed else f'while [ ! -e {tmp_path}/ready ]; do sleep 0.05; done'}"
    both += f"; \"$0\" -c 'echo second'; touch {tmp_path}/over; wait"
    for path, recorded_too in ((real, False), (ours, True)):
        for name in ("ready", "over", "log"):
            (tmp_path / name).unlink(missing_ok=True)
        env = {**UTF8, "TLOG_REC_SESSION_CONF_TEXT": json.dumps(text)}
        env["TTYSCRIBE_REC_SESSION_CONF_TEXT"] = json.dumps({**text, "runtime_folder": str(tmp_path / "run")})
        done = run(confined("mkdir /run/tlog", "sh", "-c", both, path), env=env)
        assert b"second\n" in result(done)[1]
        wait_for(lambda: log.exists(), "the log")  # noqa: PLW0108
        assert (b"second" in log.read_bytes()) == recorded_too


@pytest.mark.tlog
@pytest.mark.root
def test_a_login_without_noise(tmp_path: Path) -> None:
    """Where its lock can't be made theirs tells the user three lines, and one at the end."""
    text = {"writer": "file", "file": {"path": str(tmp_path / "log")}, "notice": "", "shell": "/bin/sh"}
    ours = str(program(tmp_path, "ttyscribe-rec-session", "session_main"))
    for path, quiet in ((peers.require_program("tlog-rec-session"), False), (ours, True)):
        env = {**UTF8, **{f"{name}_REC_SESSION_CONF_TEXT": json.dumps(text) for name in ("TLOG", "TTYSCRIBE")}}
        done = run(confined("mount -o remount,ro /run", path), "-c", "exit 4", env=env)
        assert done is not None
        assert (done.returncode, done.stderr == b"") == (4, quiet)


# ---- the page ------------------------------------------------------------------------------------------------------


def test_every_test_that_the_page_names_is_there() -> None:
    """And every row names one."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and "---" not in line]
    rows = [row for row in rows if not row.startswith("| what goes wrong")]
    assert len(rows) >= 30
    for row in rows:
        names = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(\w+)`", row)
        assert names, f"no test in: {row}"
        for path, function in names:
            tree = ast.parse((ROOT / path).read_text())
            defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert function in defined, f"{path} has no {function}"
