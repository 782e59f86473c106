# SPDX-License-Identifier: Apache-2.0
"""Captures what full-screen programs write, for tests/data/terminal/: `python tools/capture_terminal.py` as root.

Each program runs at a terminal of its own, alone in its namespaces, so that nothing of this machine gets into the
files. The keys and sizes below are given once it has been quiet for a moment. What it wrote, what it was given and how
long it paused are kept as they came; tests/recorder/replay.py does it all again, the same each time.
"""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "tests" / "data" / "terminal"
QUIET_S = 0.4
INSIDE = "TTYSCRIBE_CAPTURE"
TEXT = "".join(f"{number:3} zażółć gęślą jaźń, 日本語, 😀, the quick brown fox\n" for number in range(1, 121))

Given = bytes | tuple[int, int]
"""Keys, or a new size: columns, rows."""

PROGRAMS: dict[str, tuple[list[str], list[str], list[Given]]] = {
    "vim": (
        ["vim", "--version"],
        ["vim", "--clean", "-n", "-c", "set number hlsearch", "text"],
        [b"ohello \xe2\x82\xac\x1b", b":split\r", (100, 30), b"/fox\r", b"G", b"dd", b"u", (60, 15),
         b":%s/quick/slow/\r", b":qa!\r"],
    ),
    "htop": (["htop", "--version"], ["htop", "-d", "3"], [b"t", (100, 30), b"\x1b[B\x1b[B", b"I", (70, 20), b"q"]),
    "less": (
        ["less", "--version"],
        ["less", "-S", "text"],
        [b" ", b"/fox\r", b"n", (120, 40), b"G", b"g", b"-N\r", (50, 12), b"q"],
    ),
    "tmux": (
        ["tmux", "-V"],
        ["tmux", "-f", "/dev/null", "-L", "capture", "new-session", "sh"],
        [b"echo one\r", b"\x02%", b"ls -l --color /etc/init.d | head -5\r", b'\x02"', b"seq 40\r", (110, 34), b"\x02o",
         b"printf '\\377\\303\\251'\r", b"\x02z", (64, 18), b"\x02:kill-server\r"],
    ),
}  # fmt: skip
"""How to ask for the version, the command, what it is given."""


ALONE = ["unshare", "-p", "-f", "--mount-proc", "--kill-child", "sh", "-c", 'sleep 3600 & exec "$@"', "sh"]
"""With one other process, for what shows processes."""


def resize(fd: int, size: tuple[int, int]) -> None:
    """Give a terminal a size."""
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("4H", size[1], size[0], 0, 0))


def listen(master: int, steps: list[list[object]], seconds: float) -> bool:
    """Note what comes until nothing does for so long, at most four times that; False at the end."""
    end = time.monotonic() + 4 * seconds
    started = time.monotonic()
    while time.monotonic() < end and select.select([master], [], [], seconds)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:
            return False
        pause = int((time.monotonic() - started) * 1000)
        started = time.monotonic()
        steps.append(["out", min(pause, 50), base64.b64encode(data).decode()])
    return True


def capture(command: list[str], given: list[Given]) -> list[list[object]]:
    """Run it, give it all that, and return what happened, step by step."""
    master, slave = os.openpty()
    resize(master, (80, 24))
    env = {"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": os.getcwd(), "PS1": "$ "}
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(slave, number)
        os.execvpe(command[0], command, env)
    os.close(slave)
    steps: list[list[object]] = [["size", 80, 24]]
    alive = listen(master, steps, 2 * QUIET_S)
    for what in given:
        if not alive:
            break
        if isinstance(what, bytes):
            steps.append(["in", base64.b64encode(what).decode()])
            os.write(master, what)
        else:
            steps.append(["size", *what])
            resize(master, what)
        alive = listen(master, steps, QUIET_S)
    os.close(master)
    os.waitpid(pid, 0)
    return steps


def main() -> None:
    """Capture every program whose name is given, or all."""
    names = sys.argv[1:] or list(PROGRAMS)
    if INSIDE not in os.environ:
        command = ["unshare", "-u", sys.executable, __file__, *names]
        os.execvpe(command[0], command, {**os.environ, INSIDE: "yes"})
    subprocess.run(["hostname", "web7"], check=True)
    FOLDER.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="capture-", dir="/tmp"))
    with contextlib.chdir(folder):
        (folder / "text").write_text(TEXT)
        for name in names:
            version, command, given = PROGRAMS[name]
            asked = subprocess.run(version, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
            said = asked.stdout.splitlines()[0].strip()
            steps = capture([*ALONE, *command], given)
            about = f"{' '.join(command)} ({said}), captured by tools/capture_terminal.py"
            lines = ",\n".join(json.dumps(step) for step in steps)
            (FOLDER / f"{name}.json").write_text(f'{{"about": {json.dumps(about)}, "steps": [\n{lines}\n]}}\n')
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
