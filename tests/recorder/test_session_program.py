# SPDX-License-Identifier: Apache-2.0
"""The login shell: which shell it runs and how, whom it believes, when it does not record."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorder.recorder import PATIENCE, AtTerminal, end_status, messages, recorded, wait_for
from tests.recorder.test_names import call, program
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder import options, session_main
from ttyscribe_recorder.names import SESSION, TLOG_SESSION
from ttyscribe_recorder.session_main import choose_shell, shell_in_name, shell_words


@pytest.mark.parametrize(
    ("argv0", "shell"),
    [
        ("tlog-rec-session", ""),
        ("-ttyscribe-rec-session", ""),
        ("tlog-rec-session-shell-bin-zsh", "/bin/zsh"),
        ("-/usr/bin/ttyscribe-rec-session-shell-usr-bin-fish", "/usr/bin/fish"),
        (r"x-shell-usr-bin-a\-b", "/usr/bin/a-b"),
        (r"x-shell-opt-\\-sh", r"/opt/\/sh"),
        (r"x-shell-a\-b-c", "/a-b/c"),  # here tlog turns for ever, before the login
        ("x-shell-bin-sh-shell-x", "/bin/sh/shell/x"),
        ("/a-shell-b/tlog-rec-session", ""),
        ("x-shell-", "/"),
        ("x-shell-a\\", "/a"),
    ],
)
def test_the_shell_in_the_programs_name(argv0: str, shell: str) -> None:
    """Behind -shell, a dash is a slash and a backslash takes what follows as it is."""
    assert shell_in_name(argv0) == shell


@given(st.lists(st.text("ab-\\", min_size=1), min_size=1, max_size=4))
def test_any_path_can_be_put_in_a_name(parts: list[str]) -> None:
    """What is escaped comes out again."""
    escaped = "-".join(part.replace("\\", "\\\\").replace("-", "\\-") for part in parts)
    assert shell_in_name(f"tlog-rec-session-shell-{escaped}") == "/" + "/".join(parts)


@pytest.mark.parametrize(
    ("flags", "login", "argv"),
    [
        ([], False, ["/bin/bash", "a", "-x"]),
        ([], True, ["-bash", "a", "-x"]),
        (["interactive"], False, ["/bin/bash", "-i", "a", "-x"]),
        (["command"], True, ["-bash", "-c", "a", "-x"]),
        (["interactive", "command"], False, ["/bin/bash", "-c", "a", "-x"]),
    ],
)
def test_the_shells_arguments(flags: list[str], login: bool, argv: list[str]) -> None:
    """As tlog builds them; -i gives way to -c."""
    values = {**options.defaults(SESSION), **dict.fromkeys(flags, True)}
    assert shell_words(values, b"/bin/bash", ["a", "-x"], login=login) == [word.encode() for word in argv]


def test_options_of_the_login_shell() -> None:
    """Only its own: a user must not choose a writer on the command line."""
    assert options.parse(["-lic", "--", "-x"], SESSION) == (
        {"login": True, "interactive": True, "command": True},
        ["-x"],
    )
    for word in ("--writer=file", "-o", "--latency=1", "--semaphore=x"):
        with pytest.raises(ConfigError, match="unknown option"):
            options.parse([word, "x"], SESSION)


@pytest.mark.parametrize(
    ("argv0", "wanted", "installed", "trust", "shell"),
    [
        ("x", "", True, False, "/bin/conf"),
        ("x", "/bin/listed", True, False, "/bin/listed"),
        ("x", "/tmp/evil", True, False, "/bin/conf"),
        ("x", "/tmp/evil", True, True, "/tmp/evil"),
        ("x", "/tmp/evil", False, False, "/tmp/evil"),
        ("x", "/bin/commented", True, False, "/bin/conf"),
        ("x-shell-bin-named", "/bin/listed", True, False, "/bin/named"),
        # Itself it would start for ever, whoever asks for that.
        ("x", "/bin/tlog-rec-session", True, False, "/bin/sh"),
        ("x", "/bin/tlog-rec-session", False, False, "/bin/sh"),
        ("x-shell-bin-ttyscribe\\-rec\\-session", "", True, False, "/bin/sh"),
        ("x", "/bin/tlog-rec-session-shell-bin-zsh", False, False, "/bin/tlog-rec-session-shell-bin-zsh"),
    ],
)
def test_which_shell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, argv0: str, wanted: str, installed: bool, trust: bool, shell: str
) -> None:
    """Name before environment before configuration; installed, the environment may only choose from /etc/shells."""
    (tmp_path / "shells").write_text("# shells\n/bin/tlog-rec-session\n/bin/listed # one\n#/bin/commented\n\n")
    found = session_main.allowed_shells(str(tmp_path / "shells"))
    monkeypatch.setattr(session_main, "allowed_shells", lambda: found)
    values = {**options.defaults(TLOG_SESSION), "shell": "/bin/conf", "trust_environment": trust}
    environment = {b"TLOG_REC_SESSION_SHELL": wanted.encode()}
    assert choose_shell(TLOG_SESSION, values, environment, argv0, installed=installed) == shell.encode()


class Login:
    """The login shell from a checkout, with its configuration in the environment."""

    def __init__(
        self, folder: Path, name: str = "ttyscribe-rec-session", more: dict[str, object] | None = None
    ) -> None:
        self.log = folder / "log"
        self.program = program(folder, name, "session_main")
        self.values = {
            "writer": "file", "file": {"path": str(self.log)}, "runtime_folder": str(folder / "run"), "notice": "",
            "shell": "/bin/sh", "syslog": {"socket": str(folder / "syslog")}, **(more or {}),
        }  # fmt: skip
        self.variable = name.upper().replace("-", "_") + "_CONF_TEXT"

    @property
    def env(self) -> dict[str, str]:
        text = json.dumps(self.values)
        return {
            self.variable: text,
            "TTYSCRIBE_REC_CONF_TEXT": json.dumps({"runtime_folder": self.values["runtime_folder"]}),
        }

    def __call__(self, *words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
        return call(self.program, *words, env={**self.env, **env})


@pytest.fixture
def login(tmp_path: Path) -> Login:
    """With defaults for tests."""
    return Login(tmp_path)


def test_a_command(login: Login) -> None:
    """The string, its name and arguments reach the shell; SHELL is set; the streams stay apart; the status passes."""
    done = login("-c", 'echo "$0|$1|$SHELL"; echo err >&2; exit 4', "name", "--an argument")
    assert (done.returncode, done.stdout, done.stderr) == (4, b"name|--an argument|/bin/sh\n", b"err\n")
    assert end_status(login.log) == 4
    assert not list(Path(str(login.values["runtime_folder"])).iterdir())


def test_a_script_and_its_arguments(login: Login, tmp_path: Path) -> None:
    """Words go to the shell as they are."""
    (tmp_path / "script").write_text('echo "script $1"')
    assert login(str(tmp_path / "script"), "-c").stdout == b"script -c\n"


def test_a_command_without_a_string(login: Login) -> None:
    """One line, and the status of wrong usage."""
    done = login("-c")
    assert (done.returncode, done.stderr) == (2, b"ttyscribe-rec-session: -c needs a command\n")


def test_a_shell_that_is_not_there(login: Login) -> None:
    """127, with a line that is recorded."""
    login.values["shell"] = "/no/shell"
    done = login()
    assert done.returncode == 127
    assert done.stderr == b"ttyscribe-rec-session: can't run /no/shell: No such file or directory\n"
    assert recorded(login.log) == done.stderr


def test_the_shell_of_the_environment(login: Login) -> None:
    """From a checkout as tlog: any."""
    done = login("-c", 'echo "$SHELL"', TLOG_REC_SESSION_SHELL="/bin/bash")
    assert done.stdout == b"/bin/bash\n"


def test_at_a_terminal(login: Login) -> None:
    """A login shell under a notice, with its window."""
    login.values["notice"] = "recorded!\n"
    env = {**os.environ, **login.env, "ENV": ""}
    screen = AtTerminal([str(login.program), "-l"], env=env)
    try:
        screen.wait_to_see(b"recorded!")
        assert screen.seen.startswith(b"recorded!\r\n")
        screen.type(b'echo "<$0>"; exit 6\r')
        assert screen.wait() == 6
        assert b"<-sh>" in screen.seen
        assert screen.attributes() == screen.found
    finally:
        screen.close()
    assert "=80x24" in messages(login.log)[0].timing
    assert b"<-sh>" in recorded(login.log)


def test_status_from_inside_and_outside(login: Login, tmp_path: Path) -> None:
    """In words and as an exit status, from the login shell and from the recorder of commands."""
    rec = program(tmp_path, "ttyscribe-rec")
    outside = call(rec, "--status", env=login.env)
    assert (outside.returncode, outside.stdout) == (1, b"not recorded\n")
    inside = login("-c", f"{rec} --status; echo $?; {login.program} --status")
    rec_id = messages(login.log)[0].rec
    first, status, second = inside.stdout.decode().splitlines()
    assert first == second
    assert first.startswith(f"recorded as {rec_id} by ttyscribe-rec-session (process ")
    assert first.endswith("), to file")
    assert status == "0"
    own = call(rec, "-o", str(tmp_path / "own"), "--", str(rec), "--status", env=login.env)
    assert b" by ttyscribe-rec (process " in own.stdout


def test_a_shell_in_a_recorded_session_is_not_recorded_again(login: Login, tmp_path: Path) -> None:
    """It says why: at a terminal to the user, always to syslog. tlog starts it without a word."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "syslog"))
        syslog.settimeout(PATIENCE)
        done = login("-c", f"{login.program} -c 'echo nested $SHELL; exit 5'; echo $?")
        assert (done.stdout, done.stderr) == (b"nested /bin/sh\n5\n", b"")
        assert b"is not recorded again: process" in syslog.recv(4096)
    assert len({message.rec for message in messages(login.log)}) == 1
    screen = AtTerminal(
        [str(login.program), "-c", f"{login.program} -c 'echo nested'"], env={**os.environ, **login.env}
    )
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    assert b"not recorded again: process" in screen.seen


def test_a_recorder_of_a_command_does_not_keep_a_login_from_being_recorded(login: Login, tmp_path: Path) -> None:
    """Else anyone could start an own recorder into nowhere before su."""
    rec = program(tmp_path, "ttyscribe-rec")
    done = call(rec, "-o", "/dev/null", "--", str(login.program), "-c", "echo seen", env=login.env)
    assert done.stdout == b"seen\n"
    assert recorded(login.log) == b"seen\n"


def test_neighbours_are_each_recorded(login: Login) -> None:
    """Two sessions at once that share an audit session, or have none: tlog lets the second run unrecorded."""
    first = subprocess.Popen(
        [login.program, "-c", "echo first; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **login.env},
    )  # fmt: skip
    with first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"first\n"
        assert login("-c", "echo second").stdout == b"second\n"
        assert first.stdin is not None
        first.stdin.close()
    assert b"second\n" in b"".join(message.out_txt.encode() for message in messages(login.log))
    assert len({message.rec for message in messages(login.log)}) == 2


def test_a_killed_recorder_leaves_no_lock(login: Login, tmp_path: Path) -> None:
    """Its file may stay, its lock does not: a shell below a dead recorder's process is recorded."""
    ready = tmp_path / "ready"
    child = subprocess.Popen(
        [login.program, "-c", f"echo $$ >{ready}; exec sleep 1000"], stdin=subprocess.DEVNULL,
        env={**os.environ, **login.env},
    )  # fmt: skip
    wait_for(lambda: ready.exists() and ready.read_text(), "the shell")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    os.kill(int(ready.read_text()), signal.SIGKILL)
    left = list(Path(str(login.values["runtime_folder"])).iterdir())
    assert [path.name for path in left] == [f"session.{child.pid}"]
    # As though we were below that process: an unlocked file proves nothing.
    left[0].rename(left[0].with_name(f"session.{os.getpid()}"))
    assert login("-c", "echo again").stdout == b"again\n"
    assert b"again\n" in recorded_last(login.log)


def recorded_last(log: Path) -> bytes:
    """Text of the last message."""
    return messages(log)[-1].out_txt.encode()


def test_a_planted_file_proves_nothing(login: Login, tmp_path: Path) -> None:
    """Locked, but by another process than the one in its name: the session is recorded."""
    folder = Path(str(login.values["runtime_folder"]))
    folder.mkdir()
    planted = folder / f"session.{os.getpid()}"
    planted.write_text("r p w\n")
    code = (
        "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print(1, flush=True);"
        " sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(planted)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert login("-c", "echo seen").stdout == b"seen\n"
    assert recorded(login.log) == b"seen\n"
    with planted.open("r+") as file:  # and by the one in its name: then it is not
        fcntl.lockf(file, fcntl.LOCK_EX)
        login("-c", "echo nested")
    assert recorded(login.log) == b"seen\n"


@pytest.mark.parametrize("broken", [{"file": {"path": "/none/log"}}, {"file": {}}, {"latency": "x"}])
def test_on_error(tmp_path: Path, broken: dict[str, object]) -> None:
    """Our own login shell goes on with an alarm, tlog's refuses: nothing is silent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "syslog"))
        syslog.settimeout(PATIENCE)
        ours = Login(tmp_path, more=broken)
        done = ours("-c", "echo ran; exit 3")
        assert (done.returncode, done.stdout) == (3, b"ran\n")
        assert b"this session runs unrecorded" in done.stderr
        if "latency" not in broken:  # else it is not known where syslog is: the default
            datagram = syslog.recv(4096)
            assert datagram.startswith(b"<81>")
            assert b"runs unrecorded" in datagram
    for login in (Login(tmp_path, "tlog-rec-session", broken), Login(tmp_path, more={"on_error": "refuse", **broken})):
        if login.program.name.startswith("ttyscribe") and "latency" in broken:
            continue
        done = login("-c", "echo ran")
        assert (done.returncode in (1, 2), done.stdout) == (True, b"")
        assert done.stderr.count(b"\n") == 1
