# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C in the middle of a verb: it ends as any program does, without a word, and leaves nothing half done."""

import fcntl
import hashlib
import os
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, ok
from tests.recorder.recorder import wait_for
from tests.store.samples import make_tlog
from ttyscribe_store.care.backup import LIST
from ttyscribe_store.open import open_store

VERBS = {
    "verify": ["store", "verify"],
    "rebuild": ["store", "rebuild"],
    "delete": ["store", "delete", "old", "--yes"],
    "retention": ["store", "retention", "--older-than", "400d", "--yes"],
    "upgrade": ["store", "upgrade"],
    "setup": ["setup", "--remove", "--yes"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An old month and the current one."""
    with closing(open_store(f"sqlite:{tmp_path / 'store'}")) as store:
        for name, partition in (("old", "2020.01"), ("new", time.strftime("%Y.%m", time.gmtime()))):
            store.write([make_tlog(n, f"text{n}", rec=name, partition=partition) for n in range(1, 20)])
    return tmp_path / "store"


def digests(folder: Path) -> dict[str, str]:
    """What is in the folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def has_open(pid: int, folder: Path) -> bool:
    """Whether a process has the folder itself open: it waits for the lock then."""
    links = []
    for entry in Path("/proc", str(pid), "fd").iterdir():
        try:
            links.append(os.readlink(entry))
        except OSError:  # closed meanwhile
            continue
    return str(folder) in links


@pytest.mark.parametrize("verb", VERBS)
def test_while_it_waits_its_turn(folder: Path, verb: str) -> None:
    before = digests(folder)
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    command = [*COMMAND, *VERBS[verb], "--store", f"sqlite:{folder}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: has_open(process.pid, folder), "the verb waits for the folder")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    os.close(descriptor)
    assert process.returncode == -signal.SIGINT
    assert not [line for line in said.splitlines() if "no syslog here" not in line]
    assert digests(folder) == before
    assert "nothing found" in ok("store", "verify", "--store", f"sqlite:{folder}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_copy_that_is_cut_short_holds_whole_months_alone(
    folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """At a moment that the first file in the copy's folder gives; what is done by then differs, and is whole."""
    copy = tmp_path / "copy"
    command = [*COMMAND, "store", "backup", "--store", f"sqlite:{folder}", str(copy)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: process.poll() is not None or any(copy.glob("*")), "a file is made")
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode in (0, -number)
    assert said == ""
    assert number == signal.SIGKILL or not list(copy.glob("*.partial*"))
    assert "nothing found" in ok("store", "verify", "--store", f"sqlite:{copy}")
    assert "copied into" in ok("store", "backup", "--store", f"sqlite:{folder}", str(copy))
    assert sorted(path.name for path in copy.iterdir()) == sorted([*(path.name for path in folder.iterdir()), LIST])
    assert "nothing found in 38 messages" in ok("store", "verify", "--store", f"sqlite:{copy}")
