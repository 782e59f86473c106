# SPDX-License-Identifier: Apache-2.0
"""Takes the place of another package's program, and gives it back. At no moment is there no program."""

import os
import shutil

from ttyscribe.host.layout import ASIDE
from ttyscribe.host.machine import Machine
from ttyscribe_formats.errors import ConfigError

_DIVERT = ("/usr/bin/dpkg-divert", "/usr/sbin/dpkg-divert")


def conflict(machine: Machine, path: str, target: str) -> str:
    """Why the place can't be taken; empty where it can."""
    if machine.target(path) == target or not machine.there(path) or not machine.there(path + ASIDE):
        return ""
    if os.path.samestat(machine.at(path).lstat(), machine.at(path + ASIDE).lstat()):
        return ""
    return f"{path} and {path}{ASIDE} are both there: the name is diverted already"


def take(machine: Machine, path: str, target: str) -> None:
    """Keep what is there under another name, tell dpkg, then put our link in its place by one rename."""
    place, aside = machine.at(path), machine.at(path + ASIDE)
    if machine.target(path) != target and machine.there(path) and not machine.there(path + ASIDE):
        try:
            os.link(place, aside, follow_symlinks=False)
        except OSError:  # a file system without hard links
            shutil.copy2(place, aside, follow_symlinks=False)
    _tell_dpkg(machine, path, "--add")
    machine.link(path, target)


def give_back(machine: Machine, path: str, target: str) -> bool:
    """Put back what stood there; whether anything was ours."""
    place, aside = machine.at(path), machine.at(path + ASIDE)
    ours = machine.target(path) == target
    if machine.there(path + ASIDE):
        if ours or not machine.there(path):
            os.rename(aside, place)
        elif os.path.samestat(place.lstat(), aside.lstat()):
            aside.unlink()  # we were interrupted before our link was there
    elif ours:
        place.unlink()
    _tell_dpkg(machine, path, "--remove")
    return ours


def _tell_dpkg(machine: Machine, path: str, what: str) -> None:
    program = machine.program(*_DIVERT)
    if program is None:
        return
    diverted = f"{path}{ASIDE}" in machine.run([program, "--list", path]).stdout.split()
    if diverted == (what == "--add"):
        return
    done = machine.run([program, "--local", "--no-rename", "--divert", path + ASIDE, what, path])
    if done.returncode:
        raise ConfigError(f"dpkg-divert refuses {path}: {done.stderr.strip()}")
