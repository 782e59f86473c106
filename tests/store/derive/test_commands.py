# SPDX-License-Identifier: Apache-2.0
"""The commands of a session, read from the screen at the moment of Enter."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import termios
import time
from pathlib import Path

import pytest

from ttyscribe_screen.screen import Screen
from ttyscribe_store.derive.commands import Command, Commands
from ttyscribe_store.derive.transcript import Transcript

STEP_MS = 200


def commands(*outputs: str | bytes, size: tuple[int, int] = (40, 10), step_ms: int = STEP_MS) -> list[Command]:
    """The commands of a session in which something is written each moment."""
    found: list[Command] = []
    made = Transcript(lambda line: None, Commands(found.append))
    made.resize(0, *size)
    for number, data in enumerate(outputs):
        made.output(number * step_ms, data.encode() if isinstance(data, str) else data)
    made.end(len(outputs) * step_ms)
    return found


def texts(*outputs: str | bytes, **more: int) -> list[str]:
    """Their texts."""
    return [command.text for command in commands(*outputs, **more)]  # type: ignore[arg-type]


def test_a_command_has_its_text_its_time_and_its_prompt() -> None:
    assert commands("ada@web7:~$ ", "ls", " -l", "\r\nfile\r\nada@web7:~$ ") == [
        Command(1, "ls -l", 600, "ada@web7:~$", "screen")
    ]


@pytest.mark.parametrize(
    "prompt", ["$ ", "# ", "ada@web7:~$ ", "[root@db1 /]# ", "% ", "> ", ">>> ", "mysql> ", "\u276f ", "➜ ~ $ ", "$"]
)
def test_prompts(prompt: str) -> None:
    assert texts(prompt, "rm -rf /srv", "\r\n" + prompt, "exit", "\r\n") == ["rm -rf /srv", "exit"]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        (["$ ", "s", "l", "\b \b", "\b \b", "ls", "\r\n"], ["ls"]),
        (["$ ", "old", "\r\x1b[K$ new", "\r\n"], ["new"]),
        (["$ ", "ls", "\x1b[?2004l\r\r\n", "out\r\n"], ["ls"]),
        (["$ ", "\r\n$ ", "\r\n$ ", "ls", "\r\n"], ["ls"]),
        (
            ["$ ", "(reverse-i-search)`': ", "\r\x1b[K(reverse-i-search)`sh': cat /etc/shadow", "\r\n"],
            ["cat /etc/shadow"],
        ),
        (["$ ", "su", "\r\nPassword: ", "\r\n# ", "id", "\r\n"], ["su", "id"]),
        (["$ ", "cat log", "\r\n$ fake\r\n# fake\r\n", "$ ", "ls", "\r\n"], ["cat log", "ls"]),
        (["$ ", "read x", "\r\n", "what? ", "hello", "\r\n$ "], ["read x"]),
        (["$ ", "vi", "\r\n", "\x1b[?1049h\x1b[H$ ", "x", "\r\n", "\x1b[?1049l$ ", "ls", "\r\n"], ["vi", "ls"]),
        (["$ \x1b[30C10:15\x1b[H\x1b[2C", "ls", "\r\n"], ["ls"]),
        (["$ ", "echo " + "long " * 20, "\r\n"], [("echo " + "long " * 20).strip()]),
        (["$ ", "echo müller 日本語", "\r\n"], ["echo müller 日本語"]),
        (["~/日本 $ ", "ls", "\r\n"], ["ls"]),
        (["loading... 10 %", "\r20 %", "\r\n"], []),
    ],
)
def test_what_is_a_command_and_what_is_none(outputs: list[str], expected: list[str]) -> None:
    assert texts(*outputs) == expected


def test_the_marks_of_a_shell_count_instead() -> None:
    prompt = "\x1b]133;A\x07strange prompt!\x1b]133;B\x07"
    found = commands(prompt, "ls", "\r\n\x1b]133;C\x07$ ", "no command", "\r\n\x1b]133;D;0\x07" + prompt, "id", "\r\n")
    assert [(command.text, command.source) for command in found] == [("ls", "marks"), ("id", "marks")]


def test_what_was_typed_ahead_or_pasted_is_found_where_the_shell_says_that_it_edits() -> None:
    line = "\x1b[?2004h$ {}\r\n\x1b[?2004l\r"
    assert texts("\x1b[?2004h$ ", "one\r\n\x1b[?2004l\r", line.format("two") + line.format("three") + "$ no\r\n") == [
        *("one", "two", "three")
    ]


@pytest.mark.parametrize("prompt", ["$ ", "ada@web7:~$ ", "[root@db1 /]# ", "\u276f "])
def test_the_first_command_may_be_typed_ahead_where_the_shell_says_that_it_edits(prompt: str) -> None:
    found = commands(f"\x1b[?2004h{prompt}echo 'a $ b", "'\r\n\x1b[?2004l\rout\r\n50% done\r\n")
    assert [(one.text, one.prompt) for one in found] == [("echo 'a $ b'", prompt.strip())]
    assert texts("\x1b[?2004hno prompt is here\r\n", "none\r\n") == []
    assert texts("\x1b[?2004hwhat now: ", "cat x > y\r\n") == []
    assert texts(f"\x1b[?2004h{prompt}\r\n", "none\r\n") == []


def test_somebody_may_type_without_a_pause_where_the_shell_says_that_it_edits() -> None:
    prompt, left = "\x1b[?2004h~ $ ", "\r\n\x1b[?2004l\r"
    assert texts(prompt, *"ls", f"{left}file\r\n{prompt}", *"id", f"{left}# ", "no\r\n", step_ms=20) == ["ls", "id"]


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
def test_with_a_real_shell(shell: str, tmp_path: Path) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    typed = [
        b"echo one\r",
        b"pdw\x7f\x7fwd\r",
        b"echo 'a  b' | tr a-z A-Z\r",
        b"true " + b"x" * 100 + b"\r",
        b"exit\r",
    ]
    found: list[Command] = []
    made = Transcript(lambda line: None, Commands(found.append))
    made.resize(0, 60, 12)
    # Each prompt is another one, so that the second can't be taken for the first.
    prompt, *options = {
        "bash": ["\\#$ ", "--norc", "--noprofile"],
        "zsh": ["%h$ ", "-f"],
        "dash": ["$((n=n+1))$ "],
    }[shell]
    for time_ms, data in _session([path, *options], prompt, typed, canonical=shell == "dash"):
        made.output(time_ms, data)
    made.end(10**6)
    assert [command.text for command in found] == [
        "echo one",
        "pwd",
        "echo 'a  b' | tr a-z A-Z",
        "true " + "x" * 100,
        "exit",
    ]


def _session(argv: list[str], prompt: str, typed: list[bytes], *, canonical: bool) -> list[tuple[int, bytes]]:
    """What a program writes at a terminal of its own, what is typed given whenever a prompt waits."""
    pid, master = pty.fork()
    if not pid:
        os.environ.update(PS1=prompt, n="0", TERM="xterm", LC_ALL="C.UTF-8", HOME="/nonexistent", HISTFILE="/dev/null")
        os.execv(argv[0], argv)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 60, 0, 0))
    found: list[tuple[int, bytes]] = []
    screen = Screen(60, 12)
    end, now_ms, last = time.monotonic() + 60, 0, ""
    while time.monotonic() < end:
        if select.select([master], [], [], 1.0)[0]:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            found.append((now_ms, data))
            screen.feed(data)
            # A shell that edits lines itself is ready only then: what comes before is echoed twice.
            ready = canonical or not termios.tcgetattr(master)[3] & termios.ICANON
            line, _ = screen.cursor_line()
            if ready and line != last and re.fullmatch(r"\d+\$", line) and typed:
                last = line
                now_ms += 1000
                os.write(master, typed.pop(0))
    os.close(master)
    os.waitpid(pid, 0)
    return found
