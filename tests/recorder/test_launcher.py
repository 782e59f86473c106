# SPDX-License-Identifier: Apache-2.0
"""The launcher: names, environment, statuses and signals pass; the policy where the recorder can't start."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import PATIENCE, AtTerminal, end_status, messages, recorded, wait_for
from tests.recorder.test_login_path import LIBRARY

SOURCE = Path(__file__).parents[2] / "recorder" / "launcher.c"
Build = Callable[..., Path]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compile the launcher with these macros; once for each set."""
    compiler = peers.require_program("cc")
    made: dict[str, Path] = {}

    def compile_(policy: str | None = None, **macros: str) -> Path:
        key = repr((policy, sorted(macros.items())))
        if key not in made:
            folder = tmp_path_factory.mktemp("launcher")
            if policy is not None:
                (folder / "on-error").write_text(policy)
            python = os.path.realpath(sys.executable)
            values = {"PYTHON": python, "LIBRARY": LIBRARY, "POLICY": str(folder / "on-error"), **macros}
            defines = [f'-D{name}="{value}"' for name, value in values.items()]
            target = folder / "ttyscribe-rec"
            flags = ["-O2", "-static", "-Wall", "-Wextra", "-Werror", *defines]
            subprocess.run([compiler, *flags, "-o", str(target), str(SOURCE)], check=True)
            made[key] = target
        return made[key]

    return compile_


def test_it_is_small() -> None:
    """At most a hundred lines, so that it can be read in one sitting."""
    assert len(SOURCE.read_text().splitlines()) <= 100


def launch(
    program: Path, *arguments: str, env: dict[str, str] | None = None, argv0: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run it on pipes."""
    return subprocess.run(
        [argv0 or str(program), *arguments], executable=program, env=env, capture_output=True, stdin=subprocess.DEVNULL,
        timeout=PATIENCE * 2,
    )  # fmt: skip


def test_it_records(build: Build, tmp_path: Path) -> None:
    """Arguments with any content reach the command; its status is passed on."""
    log = tmp_path / "log"
    done = launch(build(), "-o", str(log), "--", "sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "a b", "", "-x", "é\n")
    assert (done.returncode, done.stderr) == (7, b"")
    assert done.stdout == "a b||-x|é\n|".encode()
    assert recorded(log) == done.stdout
    assert end_status(log) == 7


def test_the_environment_steers_the_command_and_not_the_recorder(build: Build, tmp_path: Path) -> None:
    """Python's and the loader's own variables, a wrong locale, none at all: passed on as they are, without effect."""
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("os.py", "sitecustomize.py", "collections.py", "ttyscribe_recorder.py"):
        (evil / name).write_text("raise SystemExit('steered')\n")
    hostile = {
        "PYTHONPATH": str(evil), "PYTHONHOME": str(evil), "PYTHONSTARTUP": str(evil / "os.py"), "PYTHONINSPECT": "1",
        "PYTHONWARNINGS": "error", "LC_ALL": "C", "LC_CTYPE": "xx", "TTYSCRIBE_ENV_X": "1", "HOME": "/nowhere", "E": "",
    }  # fmt: skip
    for env in (hostile, {}, {"A": "zażółć", "LANG": "pl_PL.UTF-8"}):
        done = launch(build(), "-o", str(tmp_path / "log"), "--", "/usr/bin/env", env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        assert sorted(done.stdout.decode().splitlines()) == sorted(f"{name}={value}" for name, value in env.items())


def test_a_library_that_is_preloaded_reaches_the_command_alone(build: Build, tmp_path: Path) -> None:
    """Neither the launcher (a dynamic one would be the library's before its first line) nor the recorder."""
    compiler = peers.require_program("cc")
    source, library = tmp_path / "p.c", tmp_path / "p.so"
    source.write_text(
        "#include <stdio.h>\n#include <unistd.h>\n"
        "__attribute__((constructor)) static void up(void) { char n[4096] = {0};"
        ' if (readlink("/proc/self/exe", n, 4095) > 0) dprintf(2, "in %s\\n", n); }\n'
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    done = launch(build(), "-o", str(tmp_path / "log"), "--", "true", env={"LD_PRELOAD": str(library)})
    assert done.returncode == 0
    assert [line.rpartition(b"/")[2] for line in done.stderr.splitlines()] == [b"true"]


def test_an_environment_as_large_as_the_kernel_takes(build: Build, tmp_path: Path) -> None:
    """It is passed on whole: were it too large for the interpreter, a user could choose not to be recorded."""
    largest = "x" * (128 * 1024 - len("V0000=\0"))
    env = {f"V{number:04}": largest for number in range(15)} | {"LAST": "x" * 100_000}
    done = launch(build("continue"), "-o", str(tmp_path / "log"), "--", "/bin/sh", "-c", "echo ${#V0014}", env=env)
    assert (done.returncode, done.stdout) == (0, b"%d\n" % len(largest))
    assert recorded(tmp_path / "log") == done.stdout


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["--x"], 2), (["-o", "/none/x", "true"], 1)])
def test_endings_that_are_meant_are_no_failure_to_start(build: Build, arguments: list[str], status: int) -> None:
    """The policy has no say in them."""
    done = launch(build("continue"), *arguments)
    assert done.returncode == status
    assert b"refused" not in done.stderr


@pytest.mark.parametrize(("script", "status"), [("kill -9 $$", 137), ("kill -SEGV $$", 139)])
def test_a_command_killed(build: Build, tmp_path: Path, script: str, status: int) -> None:
    """128 + signal, as without the launcher."""
    done = launch(build(), "-o", str(tmp_path / "log"), "--", "sh", "-c", f"echo x; {script}")
    assert done.returncode == status
    assert end_status(tmp_path / "log") == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1])
def test_signals_are_passed_on(build: Build, tmp_path: Path, number: int) -> None:
    """To the launcher alone: the session ends in order, the terminal is put back, and it dies by that signal."""
    log = tmp_path / "log"
    script = "trap 'exit 5' HUP; echo ready; while :; do sleep 0.02; done"
    screen = AtTerminal([str(build()), "-o", str(log), "--", "sh", "-c", script])
    try:
        screen.wait_to_see(b"ready")
        screen.send(number)
        assert screen.wait() == -number
        assert screen.attributes() == screen.found
    finally:
        screen.close()
    assert end_status(log) == 5


def test_a_launcher_that_is_killed_takes_the_session_along(build: Build, tmp_path: Path) -> None:
    """The recorder hears of it and ends in order."""
    log = tmp_path / "log"
    screen = AtTerminal([str(build()), "-o", str(log), "--", "sh", "-c", "echo ready; exec sleep 1000"])
    try:
        screen.wait_to_see(b"ready")
        screen.send(signal.SIGKILL)
        wait_for(lambda: log.exists() and b'"end":' in log.read_bytes(), "the recording's end")
    finally:
        screen.close()
    assert end_status(log) == 129


def broken(tmp_path: Path) -> dict[str, str]:
    """A library whose recorder dies as it starts."""
    package = tmp_path / "ttyscribe_recorder"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rec.py").write_text("raise RuntimeError('no recorder')\n")
    return {"LIBRARY": str(tmp_path)}


WAYS: dict[str, Callable[[Path], dict[str, str]]] = {
    "no interpreter": lambda _folder: {"PYTHON": "/no/python3"},
    "no library": lambda _folder: {"LIBRARY": "/no/library"},
    "dies at once": broken,
    "killed": lambda folder: {"PYTHON": str(folder / "killed")},
}


@pytest.fixture(params=WAYS)
def failing(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Macros with which the recorder can't start."""
    (tmp_path / "killed").write_text("#!/bin/sh\nkill -9 $$\n")
    (tmp_path / "killed").chmod(0o755)
    return WAYS[request.param](tmp_path)


@pytest.mark.parametrize("policy", [None, "refuse\n", "", "continued", "yes"])
def test_refuse(build: Build, failing: dict[str, str], policy: str | None) -> None:
    """Unless the policy says continue, in so many words, the session is refused with one clear line."""
    done = launch(build(policy, **failing), "--", "echo", "ran")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.splitlines()[-1].startswith(b"ttyscribe: the recorder can't start; this session is refused (")


@pytest.mark.parametrize("policy", ["continue", "continue\n", "  continue \n"])
def test_continue(build: Build, failing: dict[str, str], policy: str) -> None:
    """The command runs unrecorded."""
    done = launch(build(policy, **failing), "-o", "/none", "--", "sh", "-c", "echo $0 ran; exit 6", "it")
    assert (done.returncode, done.stdout) == (6, b"it ran\n")


def test_continue_as_a_login_shell(build: Build) -> None:
    """The leading dash and the arguments reach the shell."""
    program = build("continue", PYTHON="/no/python3")
    done = launch(program, "-c", 'echo "$0"', argv0="-ttyscribe-rec-session")
    assert done.returncode == 0
    assert done.stdout.startswith(b"-")


def test_continue_without_knowing_what(build: Build) -> None:
    """Options that only the recorder understands: better refused than another command run."""
    done = launch(build("continue", PYTHON="/no/python3"), "-o", "f", "make")
    assert done.returncode == 1
    assert b"which command to run without it is not clear" in done.stderr


def test_a_broken_start_leaves_the_terminal_as_it_was(build: Build, tmp_path: Path) -> None:
    """Even if the recorder dies with the terminal raw."""
    raw = tmp_path / "raw"
    raw.write_text("#!/bin/sh\nstty raw -echo\nkill -9 $$\n")
    raw.chmod(0o755)
    screen = AtTerminal([str(build(PYTHON=str(raw))), "-o", str(tmp_path / "log")])
    try:
        assert screen.wait() == 1
        assert screen.attributes() == screen.found
    finally:
        screen.close()


@pytest.mark.root
def test_continue_raises_an_alarm_in_syslog(build: Build) -> None:
    """An unrecorded session is never silent."""
    peers.require_root()
    path = Path("/dev/log")
    if path.exists():
        pytest.skip("/dev/log belongs to a syslog service here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        try:
            listener.settimeout(PATIENCE)
            launch(build("continue", PYTHON="/no/python3"), "--", "true")
            datagram = listener.recv(4096)
        finally:
            path.unlink()
    assert datagram.startswith(b"<81>")
    assert b"ttyscribe: the recorder can't start, a session of uid 0 runs unrecorded" in datagram


INSTALLED = """
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/upper /mnt/work
    mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
    mkdir -p /etc/ttyscribe /etc/tlog
    printf '/bin/sh\\n/bin/bash\\n' >/etc/shells
    printf '{"writer": "file", "file": {"path": "%s"}, "notice": "", "shell": "/bin/sh", "runtime_folder": "/mnt"}' \
        "$LOG" | tee /etc/ttyscribe/ttyscribe-rec-session.conf >/etc/tlog/tlog-rec-session.conf
    exec -a "$NAME" "$PROGRAM" "$@"
"""


@pytest.mark.root
@pytest.mark.parametrize("name", ["-ttyscribe-rec-session", "tlog-rec-session", "-tlog-rec-session-shell-bin-bash"])
def test_an_installed_login_shell_takes_a_shell_from_the_environment_and_nothing_else(
    build: Build, tmp_path: Path, name: str
) -> None:
    """Not its configuration (where tlog lets the user choose the log), and no program that is no shell of the host."""
    peers.require_root()
    log = tmp_path / "log"
    evil = '{"writer": "file", "file": {"path": "/dev/null"}, "trust_environment": true}'
    hostile = {
        f"{house}_REC_SESSION_CONF_{what}": value
        for house in ("TLOG", "TTYSCRIBE")
        for what, value in (("TEXT", evil), ("FILE", "/dev/null"))
    }
    for wanted, runs in (("/bin/bash", "bash"), ("/bin/cat", "sh")):
        env = {
            **os.environ, **hostile, "TLOG_REC_SESSION_SHELL": wanted,
            "LOG": str(log), "NAME": name, "PROGRAM": str(build("refuse")),
        }  # fmt: skip
        command = ["unshare", "-m", "bash", "-c", INSTALLED, "bash", "-c", 'echo "<$0 $SHELL>"']
        done = subprocess.run(command, env=env, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE * 2)
        shell = "bash" if name.endswith("bash") else runs
        argv0 = f"-{shell}" if name.startswith("-") else f"/bin/{shell}"
        assert (done.returncode, done.stdout.decode()) == (0, f"<{argv0} /bin/{shell}>\n")
        assert messages(log)[-1].out_txt.encode() == done.stdout
        assert (b'"ttyscribe":' in log.read_bytes()) == ("tlog" not in name)
        complaint = b"is '/bin/cat', which is not in /etc/shells: /bin/sh runs"
        assert (complaint in done.stderr) == (shell == "sh")
