# SPDX-License-Identifier: Apache-2.0
"""A throw-away user of this machine: for tests that log in, change a password or may not read another's files.

    with throwaway_user(shell="/bin/bash", password="correct horse") as user:
        ...

As root only. The user, the home and whatever still runs as the user are gone afterwards.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.peers import require_program, require_root

_LOCKED = 10
"""Exit status of useradd and userdel while another process changes the same files."""


class User(NamedTuple):
    """Who it is; `home` is private to the user, in a folder that others may pass through."""

    name: str
    uid: int
    gid: int
    home: Path
    password: str


def processes_of(uid: int) -> list[int]:
    """Ids of the processes of a user that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                state = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0]
                found += [int(entry.name)] if state not in b"ZX" else []
    return found


def _change_users(*command: str) -> None:
    """Run useradd or one of its family; wait while another process holds the files."""
    said = ""
    for _ in range(100):
        done = subprocess.run([require_program(command[0]), *command[1:]], capture_output=True, text=True, timeout=60)
        if done.returncode not in (1, _LOCKED) or "lock" not in done.stderr:
            assert done.returncode == 0, f"{command}: {done.stderr}"
            return
        said = done.stderr
        time.sleep(0.1)
    raise AssertionError(f"{command}: {said}")


def end_processes_of(uid: int) -> None:
    """Kill what still runs as the user, and wait until it is gone."""
    for _ in range(500):
        left = processes_of(uid)
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    raise AssertionError(f"processes of uid {uid} do not end")


@contextlib.contextmanager
def throwaway_user(shell: str = "/bin/bash", password: str = "", *, sudo: bool = False) -> Iterator[User]:
    """Add a user with a random name. Without a password none fits; with `sudo` it may run all as root by it."""
    require_root()
    name = f"t{secrets.token_hex(4)}"
    folder = Path(tempfile.mkdtemp(prefix="ttyscribe-user-", dir="/var/tmp"))
    folder.chmod(0o755)
    home, sudoers = folder / "home", Path("/etc/sudoers.d") / name
    try:
        _change_users("useradd", "--no-user-group", "--gid", "users", "-M", "-d", str(home), "-s", shell, name)
        entry = next(line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(f"{name}:"))
        uid, gid = map(int, entry.split(":")[2:4])
        home.mkdir(0o700)
        os.chown(home, uid, gid)
        # chpasswd has no status of its own for a held lock; usermod with a hash made here needs no PAM either.
        made = subprocess.run(
            [require_program("openssl"), "passwd", "-6", "-stdin"], input=password or secrets.token_hex(16),
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        _change_users("usermod", "-p", made.stdout.strip(), name)
        if sudo:
            sudoers.write_text(f"{name} ALL=(ALL:ALL) ALL\n")
            sudoers.chmod(0o440)
        yield User(name, uid, gid, home, password)
    finally:
        sudoers.unlink(missing_ok=True)
        found = [
            line.split(":") for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(f"{name}:")
        ]
        if found:
            end_processes_of(int(found[0][2]))
            _change_users("userdel", "--force", name)  # a zombie whose parent has not looked yet is no hindrance
        shutil.rmtree(folder, ignore_errors=True)
