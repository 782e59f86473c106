# SPDX-License-Identifier: Apache-2.0
"""Runs `ttyscribe` as a process, and fills stores for it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.store.samples import START_NS, documents, make_recording, make_syslog, message, stored
from ttyscribe_store.open import open_store

COMMAND = [sys.executable, "-m", "ttyscribe.main"]
PATIENCE = 60.0


def run(*arguments: str, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command on pipes, in the time zone Berlin has, without anybody's TTYSCRIBE_STORE."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TTYSCRIBE_")}
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": PATIENCE}
    options |= {"encoding": "utf-8", "env": {**clean, "TZ": "Europe/Berlin", "LC_ALL": "C.UTF-8", **(env or {})}}
    return subprocess.run([*COMMAND, *arguments], **(options | more))


def ok(*arguments: str, **more: Any) -> str:
    """What it prints; the status must be 0."""
    done = run(*arguments, **more)
    assert done.returncode == 0, done.stderr
    text: str = done.stdout
    return text


def complaint(done: subprocess.CompletedProcess[str], status: int) -> str:
    """The one line on standard error."""
    assert done.returncode == status, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, lines
    return str(lines[0])


HOUR_NS = 3_600_000_000_000
HOSTILE = "eve\x1b[31m\u202egnp.\n[bold]x[/bold]"


def fill(folder: Path) -> str:
    """A store in a folder with three recordings and two log lines; its URL."""
    url = f"sqlite:{folder}"
    fill_store(url)
    return url


def fill_store(url: str) -> None:
    """Three recordings and two log lines.

    `alpha` is ada's and whole; `beta` is bob's, an hour later, on db1, lacks messages 3 and 4, and bob has forged its
    message 2; `gamma` has hostile names.
    """
    store = open_store(url)
    store.setup()
    alpha = make_recording(
        "alpha", [b"$ cat /etc/shadow\r\n", b"permission \x1b[31mdenied\x1b[0m\r\n", b"\xff\xfe bye\r\n"]
    )
    store.write(documents(alpha))
    later: dict[str, Any] = {"rec": "beta", "user": "bob", "host": "db1"}
    for number, text in ((1, "hello from bob"), (2, "rm -rf /srv"), (5, "the end")):
        time_ms = (START_NS + HOUR_NS) // 1_000_000 + number * 1000
        item = message(number, text, **later, time_ms=time_ms)
        store.write([stored(item, trust="user", pid=77)])
        if number == 2:
            forged = message(2, "ls", **later, time_ms=time_ms)
            store.write([stored(forged, trust="none", pid=-1)])
    store.write([stored(message(1, "boo", rec="gamma", user=HOSTILE, host=HOSTILE, pos=0), trust="none", pid=-1)])
    store.write([make_syslog(1, "sshd: session opened for ada"), make_syslog(2, "cron: nothing", host="db1")])
    store.refresh()
    store.close()


def printable(text: str) -> bool:
    """Whether nothing in it could control a terminal."""
    return all(character.isprintable() or character == "\n" for character in text)


def rows(text: str) -> Sequence[list[str]]:
    """A table's cells; columns are two blanks apart."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
