# SPDX-License-Identifier: Apache-2.0
"""What a login pays for: the modules that a recording process has loaded, its wake-ups, its memory."""

import os
import subprocess
import sys
import time
from pathlib import Path

import ttyscribe_formats
import ttyscribe_recorder
from tests.recorder.recorder import at_terminal, wait_for

LIBRARY = ":".join(str(Path(package.__path__[0]).parent) for package in (ttyscribe_recorder, ttyscribe_formats))

ALLOWED = {
    # The interpreter itself, under -I -S.
    "__main__", "_abc", "_codecs", "_collections_abc", "_frozen_importlib", "_frozen_importlib_external", "_imp", "_io",
    "_signal", "_stat", "_thread", "_warnings", "_weakref", "abc", "builtins", "codecs", "encodings",
    "encodings.aliases", "encodings.utf_8", "genericpath", "io", "marshal", "os", "os.path", "posix", "posixpath",
    "stat", "sys", "time", "zipimport", "_suggestions", "linecache",
    # Written in C.
    "_blake2", "_json", "_socket", "_struct", "errno", "fcntl", "pwd", "select", "termios", "itertools", "_collections",
    "_operator",
    # collections, for named tuples.
    "collections", "keyword", "operator", "reprlib",
}  # fmt: skip

PROBE = """
import sys
sys.path[:0] = sys.argv[1].split(':')
from ttyscribe_recorder import rec, session_main
up = set()
program = session_main if '--session' in sys.argv[3] else rec
status = program.main(sys.argv[4:], dict(rec.os.environb), lambda: up.update(sys.modules))
with open(sys.argv[2], 'w') as out:
    out.write('\\n'.join(sys.modules))
with open(sys.argv[2] + '.late', 'w') as out:
    out.write('\\n'.join(name for name in sys.modules if name not in up))
sys.exit(status)
"""


def loaded_after(tmp_path: Path, options: list[str], command: list[str], program: str = "--rec") -> set[str]:
    """The modules of a process that has recorded a command."""
    out = tmp_path / "modules"
    argv = [sys.executable, "-I", "-S", "-c", PROBE, LIBRARY, str(out), program, *options, "--", *command]
    text = f'{{"runtime_folder": "{tmp_path}/run", "latency": 1 /* s */, "journal": {{"socket": "{tmp_path}/none"}}}}'
    environment = {**os.environ, "TTYSCRIBE_REC_CONF_TEXT": text, "TTYSCRIBE_REC_SESSION_CONF_TEXT": text}
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment) as process:
        assert process.wait(60) == 0
    late = Path(f"{out}.late").read_text()
    assert not late, f"loaded after the session was up, when an upgrade may have taken the files away: {late}"
    return set(out.read_text().split("\n"))


def test_only_allowed_modules_are_loaded(tmp_path: Path) -> None:
    """With each writer, input, standard error, trouble, invalid and bulk bytes; no more of the library is touched."""
    command = ["sh", "-c", "head -c 200000 /dev/urandom; echo error >&2; sleep 0.1; printf more"]
    loaded = loaded_after(tmp_path, ["-o", "/dev/full", "--log-input", "--latency=1"], command)
    loaded |= loaded_after(tmp_path, ["--writer=syslog", f"--syslog-socket={tmp_path}/none"], command)
    socket = f"--journal-socket={tmp_path}/none"
    loaded |= loaded_after(tmp_path, ["--writer=journal", socket, "--limit-action=delay"], command)
    loaded |= loaded_after(tmp_path, ["-c"], ["echo session"], "--session")
    ours = {name for name in loaded if name.partition(".")[0] in ("ttyscribe_recorder", "ttyscribe_formats")}
    assert loaded - ours - ALLOWED == set()
    assert {name for name in ours if name.startswith("ttyscribe_formats.")} == {
        f"ttyscribe_formats.{name}"
        for name in ("chunk", "dense", "errors", "jsonc", "marks", "packet", "settings", "text", "tlog", "track")
    }


def test_an_idle_session_sleeps(tmp_path: Path) -> None:
    """Not one wake-up in three seconds, and little memory."""
    with at_terminal(
        ["-o", str(tmp_path / "log"), "--latency=1", "--", "sh", "-c", "echo ready; sleep 1000"]
    ) as screen:
        screen.wait_to_see(b"ready")
        wait_for(lambda: (tmp_path / "log").stat().st_size, "the latency to pass")
        assert_asleep(screen.pid, settled=0.3, seconds=3)


def assert_asleep(pid: int, settled: float, seconds: float) -> None:
    """After `settled` seconds the process does not wake up once in so many, and takes little memory."""
    time.sleep(settled)
    before = switches(pid)
    time.sleep(seconds)
    assert switches(pid) == before
    assert memory(pid) <= 14 * 1024


def switches(pid: int) -> int:
    """How often the process went to sleep so far."""
    return field(pid, "voluntary_ctxt_switches")


def memory(pid: int) -> int:
    """Resident memory in KiB."""
    return field(pid, "VmRSS")


def field(pid: int, name: str) -> int:
    """A number of the kernel about a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise AssertionError(name)


def test_the_log_stays_out_of_the_command(tmp_path: Path) -> None:
    """The command has the three standard streams and what it was given, no descriptor of ours."""
    out = tmp_path / "fds"
    read, write = os.pipe()
    os.set_inheritable(write, True)
    script = f"ls -l /proc/self/fd >{out}; echo through >&{write}"
    argv = [sys.executable, "-c", "from ttyscribe_recorder.rec import console_main; console_main()"]
    with subprocess.Popen(
        [*argv, "-o", str(tmp_path / "log"), "--", "bash", "-c", script], pass_fds=[write]
    ) as process:
        assert process.wait(60) == 0
    os.close(write)
    assert os.read(read, 100) == b"through\n"
    os.close(read)
    numbers = [int(line.split()[8]) for line in out.read_text().splitlines()[1:]]
    assert set(numbers) - {3} <= {0, 1, 2, write}  # 3 is what ls reads
