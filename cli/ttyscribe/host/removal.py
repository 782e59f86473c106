# SPDX-License-Identifier: Apache-2.0
"""Takes everything off a host again that its manifest names; what an operator changed stays, unless it is to go too."""

import fcntl
import os
from collections.abc import Iterator

from ttyscribe.host import aside
from ttyscribe.host.layout import ASIDE, CONFIGURATION, RUNTIME
from ttyscribe.host.machine import Machine
from ttyscribe.host.manifest import Manifest, digest

_REMOVE_SHELL = ("/usr/sbin/remove-shell", "/sbin/remove-shell")


def programs(manifest: Manifest) -> set[str]:
    """Every path under which the recorder may be somebody's shell."""
    return {path for path in (*manifest.links, *manifest.diversions) if "/bin/" in path and "-rec" in path}


def restored(machine: Machine, manifest: Manifest) -> set[str]:
    """Those of them in whose place another package's program will be again."""
    return {path for path in manifest.diversions if machine.there(path + ASIDE)}


def remove_line(machine: Machine, path: str, line: str) -> None:
    """Take a line out of a file that is others' too."""
    data = machine.read(path)
    if data is None or line.encode() not in data.split(b"\n"):
        return
    program = machine.program(*_REMOVE_SHELL)
    if program is None or machine.run([program, line]).returncode:
        rest = b"".join(one for one in data.splitlines(keepends=True) if one.rstrip(b"\n") != line.encode())
        machine.write(path, rest, machine.mode(path))


def remove(machine: Machine, manifest: Manifest, *, purge: bool) -> list[str]:
    """Remove it all; lines that tell what stays and why. Where tlog was, there is a program at each moment."""
    stays: list[str] = []
    for path in [*manifest.diversions, *manifest.lines, *manifest.links, *manifest.configuration]:
        machine.clear(path)
    for path, target in manifest.diversions.items():
        if not aside.give_back(machine, path, target) and machine.there(path):
            stays.append(f"{path} is not ours any more: left as it is")
    for path, line in manifest.lines.items():
        remove_line(machine, path, line)
    for path, target in manifest.links.items():
        if machine.target(path) not in (None, target) or machine.read(path) is not None:
            stays.append(f"{path} is not ours any more: left as it is")
        else:
            machine.remove(path)
    for path in [*manifest.files, *manifest.trees]:
        machine.remove(path)
    machine.remove(f"{manifest.settings.launcher}.trial")
    stays += _remove_configuration(machine, manifest, purge=purge)
    if machine.live:
        stays += _remove_runtime(machine)
    machine.remove(manifest.settings.manifest)
    if purge:
        machine.remove_folder(CONFIGURATION)
    for path in reversed(manifest.folders):
        if not machine.remove_folder(path) and machine.there(path) and not path.startswith(CONFIGURATION):
            stays.append(f"{path} is not empty: left")
    return stays


def _remove_configuration(machine: Machine, manifest: Manifest, *, purge: bool) -> Iterator[str]:
    for path, ours in manifest.configuration.items():
        data = machine.read(path)
        if data is not None and not purge and digest(data) not in ours:
            yield f"{path} was changed here: left (--purge takes it along)"
        else:
            machine.remove(path)


def _remove_runtime(machine: Machine) -> list[str]:
    """Files of recorders that live stay, with their folder: a start of the host clears it."""
    folder = machine.at(RUNTIME)
    if not folder.is_dir():
        return []
    for path in folder.iterdir():
        if not _held(str(path)):
            path.unlink(missing_ok=True)
    if not machine.remove_folder(RUNTIME):
        return [f"{RUNTIME} is in use by running recorders: gone with the host's next start"]
    machine.remove_folder(RUNTIME.rpartition("/")[0])
    return []


def _held(path: str) -> bool:
    """Whether a living recorder holds the lock of its file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False
