# SPDX-License-Identifier: Apache-2.0
"""The recorder against the real tlog-rec: bulk output, start, an idle session, echo. Ours runs through its launcher."""

import fcntl
import json
import os
import random
import resource
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import ttyscribe_formats
import ttyscribe_recorder

HERE = Path(__file__).resolve().parent
LAUNCHER = HERE.parent / "recorder" / "launcher.c"
UTMP = Path("/run/utmp")

ROUNDS = 7
STARTS = 40
KEYS = 300
IDLE_SECONDS = 5
BULK_BYTES = 50_000_000
OURS, PEER, BARE, SCRIPT = "ttyscribe-rec", "tlog-rec", "no recorder", "script"
Command = Callable[[Path, list[str]], list[str]]


class Run(NamedTuple):
    """One program from start to end: wall and CPU seconds, its children's too, and what it showed."""

    wall: float
    cpu: float
    shown: int


class Screen:
    """A program at a terminal of 80 by 24."""

    def __init__(self, argv: list[str]) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        self.started = time.perf_counter()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
                for number in range(3):
                    os.dup2(slave, number)
                os.execvpe(argv[0], argv, {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"})
            finally:
                os._exit(126)
        os.close(slave)

    def read(self) -> int:
        """How many bytes were shown now; 0 at the end."""
        try:
            return len(os.read(self.master, 65536))
        except OSError:
            return 0

    def finish(self) -> Run:
        """Read to the end and wait for it."""
        shown = 0
        while count := self.read():
            shown += count
        _, status, usage = os.wait4(self.pid, 0)
        wall = time.perf_counter() - self.started
        os.close(self.master)
        if status:
            sys.exit(f"the program ended with status {status}")
        return Run(wall, usage.ru_utime + usage.ru_stime, shown)

    def kill(self) -> None:
        """End it in the middle."""
        os.kill(self.pid, signal.SIGTERM)
        while self.read():
            pass
        os.waitpid(self.pid, 0)
        os.close(self.master)


def build_launcher(folder: Path) -> Path:
    """The launcher for this checkout and this interpreter's base, its modules compiled as an installation has them."""
    library = [str(Path(package.__path__[0]).parent) for package in (ttyscribe_recorder, ttyscribe_formats)]
    copies = [
        folder / "library" / Path(package.__path__[0]).name for package in (ttyscribe_recorder, ttyscribe_formats)
    ]
    for source, copy in zip(library, copies, strict=True):
        shutil.copytree(Path(source) / copy.name, copy, ignore=shutil.ignore_patterns("__pycache__"))
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else os.path.realpath(sys.executable)
    subprocess.run([python, "-m", "compileall", "-q", folder / "library"], check=True)
    target = folder / OURS
    defines = [f'-DPYTHON="{python}"', f'-DLIBRARY="{folder / "library"}"', '-DPOLICY="/dev/null"']
    subprocess.run(["cc", "-O2", *defines, "-o", target, LAUNCHER], check=True)
    return target


def commands(launcher: Path) -> dict[str, Command]:
    """How each program records a command to a log."""
    return {
        OURS: lambda log, command: [str(launcher), "-o", str(log), "--payload=2048", "--latency=10", "--", *command],
        PEER: lambda log, command: [PEER, "-o", str(log), "--payload=2048", "--latency=10", *command],
        SCRIPT: lambda log, command: ["script", "-qec", " ".join(command), str(log)],
        BARE: lambda _log, command: command,
    }


def in_turns(ways: Iterable[str], rounds: int, one: Callable[[str], float]) -> dict[str, list[float]]:
    """Measure each way once a round."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, values in found.items():
            values.append(one(way))
    return found


def bulk_text(folder: Path) -> Path:
    """Lines as programs print them, with quotes and backslashes."""
    dice = random.Random(1)
    words = (
        "alpha",
        '"quoted"',
        "back\\slash",
        "file.txt",
        "drwxr-xr-x",
        "4096",
        "Nov",
        "root",
        "/usr/share/doc",
        "=>",
    )
    path = folder / "text"
    with path.open("w") as out:
        size = 0
        while size < BULK_BYTES:
            line = " ".join(dice.choices(words, k=9))[:78] + "\n"
            size += out.write(line)
    return path


def bulk(folder: Path, ways: dict[str, Command]) -> dict[str, list[Run]]:
    """50 MB of text through a terminal."""
    text, found = bulk_text(folder), {way: list[Run]() for way in ways}
    for _ in range(ROUNDS):
        for way, command in ways.items():
            log = folder / "bulk.log"
            log.unlink(missing_ok=True)
            run = Screen(command(log, ["cat", str(text)])).finish()
            if run.shown < BULK_BYTES:
                sys.exit(f"{way} showed {run.shown} bytes only")
            found[way].append(run)
    return found


def starts(folder: Path, ways: dict[str, Command]) -> dict[str, list[float]]:
    """Milliseconds from start to exit of `true` at a terminal."""
    log = folder / "start.log"
    return in_turns(ways, STARTS, lambda way: Screen(ways[way](log, ["true"])).finish().wall * 1000)


def echoes(folder: Path, way: Command) -> list[float]:
    """Milliseconds from a key to its echo."""
    screen = Screen(way(folder / "echo.log", ["cat"]))
    select.select([], [screen.master], [])
    times = []
    time.sleep(0.5)
    for number in range(KEYS):
        begin = time.perf_counter()
        os.write(screen.master, b"k" if number % 60 else b"\n")
        screen.read()
        times.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.005)
        while select.select([screen.master], [], [], 0)[0]:
            screen.read()
    screen.kill()
    return times


def status_of(pid: int, name: str) -> int:
    """A number of the kernel about a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def family(pid: int) -> list[int]:
    """A process and the recorder below its launcher, not the recorded command."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    names = {int(child): Path(f"/proc/{child}/comm").read_text().strip() for child in children}
    return [pid, *(child for child, name in names.items() if name.startswith("python"))]


def idle(folder: Path, way: Command) -> tuple[int, float]:
    """Resident KiB of the recorder, its launcher included, and wake-ups a second, of a session that waits."""
    screen = Screen(way(folder / "idle.log", ["sleep", "1000"]))
    time.sleep(1.5)
    pids = family(screen.pid)
    before = sum(status_of(pid, "voluntary_ctxt_switches") for pid in pids)
    time.sleep(IDLE_SECONDS)
    after = sum(status_of(pid, "voluntary_ctxt_switches") for pid in pids)
    memory = sum(status_of(pid, "VmRSS") for pid in pids)
    screen.kill()
    return memory, (after - before) / IDLE_SECONDS


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def report(
    runs: dict[str, list[Run]],
    begun: dict[str, list[float]],
    keys: dict[str, list[float]],
    rest: dict[str, tuple[int, float]],
) -> str:
    """The section."""
    wall = {way: statistics.median(run.wall for run in found) for way, found in runs.items()}
    cpu = {way: statistics.median(run.cpu for run in found) for way, found in runs.items()}
    start = {way: statistics.median(found) for way, found in begun.items()}
    key = {way: statistics.median(found) for way, found in keys.items()}
    bulk_is = f"`cat` of {BULK_BYTES // 1_000_000} MB of text on a terminal, file writer, payload 2048, latency 10 s, "
    bulk_is += f"{ROUNDS} rounds in turns; CPU of the recorder with `cat`:"
    bulk_rows = [(way, f"{wall[way]:.2f} s", f"{cpu[way]:.2f} s", f"{wall[way] / wall[PEER]:.2f}") for way in runs]
    start_rows = [(way, f"{start[way]:.1f} ms", f"{start[way] / start[PEER]:.2f}") for way in begun]
    key_rows = [(way, f"{key[way]:.3f} ms", f"{key[way] - key[BARE]:+.3f} ms") for way in keys]
    idle_rows = [(way, f"{memory / 1024:.1f} MB", f"{rate:.1f}") for way, (memory, rate) in rest.items()]
    return "\n\n".join([
        "## Recorder against tlog-rec",
        bulk_is,
        table(("", "wall", "CPU", "wall / tlog-rec"), bulk_rows),
        f"From start to exit of `true` on a terminal, {STARTS} rounds in turns; ours through the launcher:",
        table(("", "wall", "/ tlog-rec"), start_rows),
        f"From a key to its echo, {KEYS} keys:",
        table(("", "median", "added"), key_rows),
        f"A session that waits, {IDLE_SECONDS} s; ours with its launcher:",
        table(("", "resident", "wake-ups a second"), idle_rows),
    ])  # fmt: skip


def main() -> int:
    """Measure, keep the raw figures, print the section."""
    for program in (PEER, "script", "cc"):
        if shutil.which(program) is None:
            sys.exit(f"this benchmark needs {program}")
    if not UTMP.exists():
        UTMP.touch()  # tlog-rec refuses terminals without it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ways = commands(build_launcher(folder))
        runs, begun = bulk(folder, ways), starts(folder, ways)
        keys = {way: echoes(folder, command) for way, command in ways.items()}
        rest = {way: idle(folder, command) for way, command in ways.items() if way != BARE}
    raw = {"bulk_s": runs, "start_ms": begun, "echo_ms": keys, "idle_kib_and_wakeups": rest}
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "recorder.json").write_text(json.dumps(raw, indent=1) + "\n")
    print(report(runs, begun, keys, rest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
