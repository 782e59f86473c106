# SPDX-License-Identifier: Apache-2.0
"""The installed login shell behind a real sshd: how users get it, what they see, what becomes of a broken one.

What a user may put into its environment, by every door that an administrator can have left open, changes nothing.
"""

import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests import peers
from tests.chroot.host import Done, Host
from tests.chroot.recorded import LOG, SESSION, bring, configure, install, messages, output, trees
from tests.recorder.recorder import PATIENCE, AtTerminal, wait_for
from ttyscribe_formats import tlog

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(400)]

TLOG_SESSION = "/usr/bin/tlog-rec-session"
SYSLOG = "/run/test-syslog"
BY_SSHD = """
Match User bob
    SetEnv TLOG_REC_SESSION_SHELL=/bin/sh
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """With the recorder installed, under tlog's names and in /etc/shells too; users of each sort."""
    made = Host(tmp_path_factory.mktemp("installed"))
    try:
        bring(made)
        install(made, "--tlog-names", "--list-shell")
        configure(made)
        configure(
            made, "/etc/tlog/tlog-rec-session.conf", writer="syslog", syslog={"socket": SYSLOG}, shell="/bin/bash"
        )
        made.user("alice", SESSION)
        made.user("bob", TLOG_SESSION)
        made.user("mallory", SESSION)
        made.start_sshd(BY_SSHD)
        yield made
    finally:
        made.close()


def test_at_a_terminal(host: Host) -> None:
    """A login shell (the leading dash arrives), told that it is recorded; its status is ssh's, its text in the log."""
    configure(host, notice="you are recorded\n")
    screen = AtTerminal(host.ssh("alice", options=["-tt"]), size=(91, 33))
    try:
        screen.wait_to_see(b"you are recorded")
        screen.type(b'PS1=; shopt -q login_shell && echo "<$0|$SHELL|$(stty size)>"; exit 6\r')
        assert screen.wait() == 6
        assert b"<-bash|/bin/bash|33 91>" in screen.seen
    finally:
        screen.close()
        configure(host)
    assert "<-bash|/bin/bash|33 91>" in output(host, "alice")
    last = messages(host)[-1]
    assert tlog.own_fields(last)["end"] == {"status": 6}
    assert (last.user, last.session > 0) == ("alice", True)


def test_a_command_of_ssh(host: Host) -> None:
    """Streams apart, any bytes, standard input to its end, the status; recorded."""
    done = host.login("alice", "cat; echo err >&2; exit 5", stdin=b"mark-1\n\xff\0")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"mark-1\n\xff\0", b"err\n")
    assert "mark-1" in output(host, "alice")


@pytest.mark.parametrize("listed", [True, False])
def test_who_stands_in_etc_shells_may_leave(host: Host, listed: bool) -> None:
    """chsh lets a user go whose shell stands there: why the recorder does so only where an operator asks for it."""
    shells = host.root / "etc/shells"
    found = shells.read_bytes()
    assert SESSION.encode() in found.split()
    name = f"dora{int(listed)}"
    host.user(name, SESSION)
    host.run("sh", "-c", f"echo {name}:secret | chpasswd")
    if not listed:
        shells.write_bytes(found.replace(SESSION.encode(), b""))
    screen = AtTerminal(host.ssh(name, "chsh -s /bin/bash", options=["-tt"]))
    try:
        if listed:
            screen.wait_to_see(b"Password: ")
            screen.type(b"secret\r")
        assert (screen.wait() == 0) == listed
    finally:
        screen.close()
        shells.write_bytes(found)
    entry = next(line for line in (host.root / "etc/passwd").read_text().splitlines() if line.startswith(f"{name}:"))
    assert entry.endswith(":/bin/bash") == listed


@contextmanager
def listening(host: Host) -> Iterator[socket.socket]:
    """A syslog service on the host."""
    folder = os.open(host.root / "run", os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        path = f"/proc/self/fd/{folder}/{Path(SYSLOG).name}"
        syslog.bind(path)
        os.chmod(path, 0o666)
        syslog.settimeout(PATIENCE)
        try:
            yield syslog
        finally:
            os.unlink(path)
            os.close(folder)


@pytest.mark.parametrize("by", ["sshd", "pam_env"])
def test_sssds_way(host: Host, by: str) -> None:
    """tlog's name in passwd, the shell in the environment; tlog's configuration says syslog, and syslog it is."""
    environment = host.root / "etc/environment"
    user, shell = ("bob", "/bin/sh") if by == "sshd" else ("carol", "/bin/dash")
    if by == "pam_env":
        if not (host.root / "home/carol").exists():
            host.user("carol", TLOG_SESSION)
        environment.write_text("TLOG_REC_SESSION_SHELL=/bin/dash\n")
    try:
        with listening(host) as syslog:
            done = host.login(user, 'echo "$SHELL"; exit 3')
            datagram = syslog.recv(65536)
    finally:
        environment.write_text("")
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{shell}\n".encode(), b"")
    head, _, text = datagram.partition(b"tlog: ")
    assert head.startswith(b"<86>")
    message = tlog.decode(text)
    assert (message.user, message.out_txt) == (user, f"{shell}\n")
    assert b'"ttyscribe"' not in text


def test_a_shell_that_is_the_recorder_does_not_start_itself_for_ever(host: Host) -> None:
    """It stands in /etc/shells here, so that a user may ask for it."""
    done = host.login("alice", "echo ran", options=["-o", f"SetEnv=TLOG_REC_SESSION_SHELL={SESSION}"])
    assert (done.returncode, done.stdout) == (0, b"ran\n")
    assert b"is the recorder and would start itself for ever: /bin/sh runs" in done.stderr


@contextmanager
def moved(path: Path, content: bytes | None = None) -> Iterator[None]:
    """Something is not where it was meanwhile, or other."""
    aside = path.with_name(f".{path.name}.aside")
    path.rename(aside)
    try:
        if content is not None:
            path.write_bytes(content)
            path.chmod(0o755)
        yield
    finally:
        path.unlink(missing_ok=True)
        aside.rename(path)


@contextmanager
def broken(host: Host, way: str) -> Iterator[None]:
    """One of the ways in which the recorder can't start."""
    recorder, python = trees(host)[-1] / "ttyscribe_recorder", host.root / "usr/bin/python3"
    with ExitStack() as stack:
        if way == "interpreter gone":
            stack.enter_context(moved(python))
        elif way == "interpreter broken":
            stack.enter_context(moved(python, b"#!/bin/sh\nexit 1\n"))
        elif way == "import error":
            stack.enter_context(moved(recorder / "__pycache__"))
            stack.enter_context(moved(recorder / "loop.py", b"raise ImportError('half of an upgrade')\n"))
        else:
            stack.enter_context(moved(recorder.parent))
        yield


@pytest.mark.parametrize("policy", ["refuse", "continue"])
@pytest.mark.parametrize("way", ["interpreter gone", "interpreter broken", "import error", "tree gone"])
def test_where_the_recorder_cannot_start(host: Host, way: str, policy: str) -> None:
    """One word decides: refused with one line, or a shell that is told to be unrecorded; nobody hangs."""
    (host.root / "etc/ttyscribe/on-error").write_text(f"{policy}\n")
    try:
        with broken(host, way):
            done = host.login("alice", "echo ran; exit 4")
    finally:
        (host.root / "etc/ttyscribe/on-error").write_text("refuse\n")
    last = done.stderr.decode().splitlines()[-1:]
    if policy == "continue":
        assert (done.returncode, done.stdout) == (4, b"ran\n")
    else:
        assert (done.returncode, done.stdout) == (1, b"")
        where = "/etc/ttyscribe/on-error says what holds then"
        assert last == [f"ttyscribe: the recorder can't start; this session is refused ({where})"]
    assert host.login("alice", "echo again").stdout == b"again\n"


EVIL_SHELL = "/home/mallory/shell"
OWN = json.dumps({"writer": "file", "file": {"path": "/home/mallory/log"}, "trust_environment": True}).replace(" ", "")
HOME = "/home/mallory"
HOSTILE = {
    **dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX"), f"{HOME}/evil"),
    "PYTHONSTARTUP": f"{HOME}/evil/os.py", "PYTHONINSPECT": "1", "PYTHONWARNINGS": "error", "PYTHONVERBOSE": "9",
    "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-16", "PYTHONBREAKPOINT": "os.system", "PYTHONMALLOC": "debug",
    "PYTHONDEVMODE": "1", "PYTHONEXECUTABLE": f"{HOME}/evil/python", "PYTHONPLATLIBDIR": f"{HOME}/evil",
    "LC_ALL": "xx_YY.KOI8-R", "LC_CTYPE": "C", "LANG": "de_DE.ISO-8859-1", "LANGUAGE": "xx",
    **{f"{name}_{what}": value for name in ("TLOG_REC_SESSION_CONF", "TTYSCRIBE_REC_SESSION_CONF", "TTYSCRIBE_REC_CONF")
       for what, value in (("FILE", f"{HOME}/own.conf"), ("TEXT", OWN))},
    "TTYSCRIBE_ENV_PYTHONPATH": f"{HOME}/evil", "TTYSCRIBE_STORE": "sqlite:/home/mallory",
    "LD_PRELOAD": f"{HOME}/evil.so", "LD_LIBRARY_PATH": f"{HOME}/evil", "LD_AUDIT": f"{HOME}/evil.so",
    "LD_DEBUG": "all", "LD_DEBUG_OUTPUT": f"{HOME}/ld", "LD_BIND_NOW": "1",
    "GCONV_PATH": f"{HOME}/evil", "LOCPATH": f"{HOME}/evil", "NLSPATH": f"{HOME}/evil",
    "GLIBC_TUNABLES": "glibc.malloc.check=3", "MALLOC_ARENA_MAX": "1", "RES_OPTIONS": "debug",
    "HOSTALIASES": f"{HOME}/evil/hosts", "TZ": f"{HOME}/evil/zone",
    "HOME": f"{HOME}/evil", "PATH": f"{HOME}/evil/bin", "TMPDIR": f"{HOME}/evil", "TERM": "evil-term",
    "SHELL": "/bin/false",    "USER": "root", "LOGNAME": "root", "COLUMNS": "1", "LINES": "1",
    "XDG_RUNTIME_DIR": f"{HOME}/evil",
    "ENV": f"{HOME}/evil/rc", "BASH_ENV": f"{HOME}/evil/rc", "IFS": "x", "E": "",
}  # fmt: skip
MODULES = (
    "os", "termios", "sys", "codecs", "encodings", "site", "sitecustomize", "usercustomize", "_json", "select",
    "fcntl", "pwd", "collections", "ttyscribe_recorder", "ttyscribe_formats", "io", "abc", "stat", "struct",
    "json", "signal",
)  # fmt: skip
PRELOADED = """
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void up(void) {
    char exe[4096] = {0}, path[4200];
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) <= 0) return;
    snprintf(path, sizeof path, "/home/mallory/ran/%s", strrchr(exe, '/') + 1);
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    if (fd >= 0) close(fd);
}
unsigned int la_version(unsigned int v) { return v; }
"""


@pytest.fixture(scope="module")
def mallory(host: Host, tmp_path_factory: pytest.TempPathFactory) -> Host:
    """Her home is full of traps: each would leave a file in ~/ran."""
    uid = int(host.run("id", "-u", "mallory").stdout)
    trap = "open('/home/mallory/ran/python', 'a').close()\nraise SystemExit('steered')\n"
    places = (
        "",
        "evil",
        ".local/lib/python3.11/site-packages",
        "evil/lib/python3.11/site-packages",
        "evil/lib/python3.11",
    )
    for place in places:
        for name in MODULES:
            host.write(f"{HOME}/{place}/{name}.py", trap)
        host.write(f"{HOME}/{place}/evil.pth", f"import os; {trap.splitlines()[0]}\n")
    for name in ("sh", "bash", "python3", "tlog-rec", "hostname", "stty"):
        host.write(f"{HOME}/evil/bin/{name}", "#!/bin/sh\n: >/home/mallory/ran/path\n", 0o755)
    host.write(f"{HOME}/own.conf", OWN)
    host.write(EVIL_SHELL, '#!/bin/bash\n: >/home/mallory/ran/shell\nexec /bin/bash "$@"\n', 0o755)
    folder = tmp_path_factory.mktemp("library")
    (folder / "p.c").write_text(PRELOADED)
    compiler = peers.require_program("cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "p.so", folder / "p.c"], check=True)
    host.write(f"{HOME}/evil.so", (folder / "p.so").read_bytes())
    (host.root / "home/mallory/ran").mkdir()
    host.run("chown", "-R", f"{uid}:{uid}", HOME)
    return host


def by_client(host: Host, variables: dict[str, str], command: str) -> Done:
    """The ssh client sends them, and sshd accepts all."""
    # What steers the client itself goes as an option.
    given = " ".join(f'"{name}={value}"' for name, value in variables.items() if '"' not in value)
    sent = {name: value for name, value in variables.items() if '"' in value}
    options = ["-o", f"SetEnv={given}", *(word for name in sent for word in ("-o", f"SendEnv={name}"))]
    return host.login("mallory", command, options=options, env=sent)


def by_file(host: Host, path: str, variables: dict[str, str], command: str) -> Done:
    """A file in her home holds them."""
    place = host.write(f"{HOME}/{path}", "".join(f"{name}={value}\n" for name, value in variables.items()), 0o600)
    uid = (host.root / "home/mallory").stat().st_uid
    os.chown(place, uid, uid)
    try:
        return host.login("mallory", command)
    finally:
        place.unlink()


def send(host: Host, way: str, variables: dict[str, str], command: str) -> Done:
    """By one of the doors."""
    if way == "client":
        return by_client(host, variables, command)
    return by_file(host, {"sshd": ".ssh/environment", "pam": ".pam_environment"}[way], variables, command)


SHOW = "/bin/cat /proc/$PPID/environ | /usr/bin/wc -c; /usr/bin/env"


@pytest.mark.parametrize("way", ["client", "sshd", "pam"])
def test_nothing_in_the_environment_steers_the_recorder(mallory: Host, way: str) -> None:
    """The shell gets it all; the recording goes where root's file says, as it says; no trap of hers is run."""
    for path in (mallory.root / "home/mallory/ran").iterdir():
        path.unlink()
    done = send(mallory, way, HOSTILE, f"echo door-{way}; {SHOW}")
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    lines = shown.splitlines()
    assert lines[0] == f"door-{way}"
    assert lines[1] == "0"  # the recorder's own environment is empty
    arrived = {line.partition("=")[0] for line in lines}
    assert {"PYTHONPATH", "LD_PRELOAD", "TLOG_REC_SESSION_CONF_TEXT", "TTYSCRIBE_REC_SESSION_CONF_FILE"} <= arrived
    # Her library is loaded into her own programs, and into nothing of ours.
    ran = {path.name for path in (mallory.root / "home/mallory/ran").iterdir()}
    assert "bash" in ran
    assert not [name for name in ran if re.search("python|launcher|ttyscribe|path", name)]
    assert not (mallory.root / "home/mallory/log").exists()
    wait_for(lambda: f"door-{way}" in output(mallory, "mallory"), "the recording")
    assert set(lines) <= set(output(mallory, "mallory").splitlines())
    assert "root" not in {one.user for one in messages(mallory)}


@pytest.mark.parametrize("way", ["client", "sshd", "pam"])
@pytest.mark.parametrize(
    ("shell", "runs"), [("/bin/dash", "/bin/dash"), (EVIL_SHELL, "/bin/bash"), ("/bin/../bin/dash", "/bin/bash")]
)
def test_the_one_choice_is_a_shell_of_the_host(mallory: Host, way: str, shell: str, runs: str) -> None:
    """One of /etc/shells, by the very path; any other leaves the configured one, and a line that says so."""
    done = send(mallory, way, {"TLOG_REC_SESSION_SHELL": shell}, 'echo "$SHELL"')
    assert (done.returncode, done.stdout) == (0, f"{runs}\n".encode())
    assert (b"which is not in /etc/shells" in done.stderr) == (runs != shell)
    assert not (mallory.root / "home/mallory/ran/shell").exists()


def test_a_folder_full_of_modules(mallory: Host) -> None:
    """Where the recorder is started does not matter: here by her, for a command, from a folder with her own os.py."""
    for path in (mallory.root / "home/mallory/ran").iterdir():
        path.unlink()
    done = mallory.login("mallory", f"cd {HOME}/evil; ttyscribe-rec -o /tmp/own -- /bin/echo own; ttyscribe --version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"own\nttyscribe ")
    assert list((mallory.root / "home/mallory/ran").iterdir()) == []
    assert (mallory.root / LOG.lstrip("/")).stat().st_uid == 0
