# SPDX-License-Identifier: Apache-2.0
"""Whom an installation would have to trust: nobody but root may write where the recorder or its interpreter is."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import PurePosixPath

from ttyscribe.host.machine import Machine
from ttyscribe_formats.errors import ConfigError

OLDEST = (3, 11)
_PROBE = (
    "import sys, os, json, fcntl, termios, pwd, select, _json, _struct, _socket; "
    "print(json.dumps([sys.version_info[:2], [os.__file__, sys.executable, *filter(os.path.exists, sys.path)]]))"
)
_MAX_LINKS = 40


def _steps(machine: Machine, path: str) -> Iterator[str]:
    """Every file, folder and link on the way to a path of the host, / first. Missing ends the way."""
    seen, waiting, links = PurePosixPath("/"), list(PurePosixPath(path).parts[1:]), 0
    yield "/"
    while waiting:
        name = waiting.pop(0)
        if name == "..":
            seen = seen.parent
            continue
        step = seen / name
        target = machine.target(str(step))
        if not machine.there(str(step)):
            return
        yield str(step)
        if target is None:
            seen = step
            continue
        links += 1
        if links > _MAX_LINKS:
            raise ConfigError("too many links lead to each other", path)
        more = PurePosixPath(target)
        if more.is_absolute():
            seen, waiting = PurePosixPath("/"), [*more.parts[1:], *waiting]
        else:
            waiting = [*more.parts, *waiting]


def complaint(machine: Machine, path: str, *, for_all: bool = True) -> str:
    """What is wrong with a path; empty where root alone can change what it leads to, and everybody can use it."""
    owners = {0, machine.at("/").lstat().st_uid, os.geteuid()} if not machine.live else {0}
    for step in _steps(machine, path):
        about = machine.at(step).lstat()
        if about.st_uid not in owners:
            return f"{step} belongs to uid {about.st_uid}, not to root"
        if stat.S_ISLNK(about.st_mode):
            continue
        if about.st_mode & stat.S_IWOTH or (about.st_mode & stat.S_IWGRP and about.st_gid not in (0, os.getegid())):
            return f"{step} can be written by others than root (mode {stat.S_IMODE(about.st_mode):04o})"
        if for_all and stat.S_ISDIR(about.st_mode) and not about.st_mode & stat.S_IXOTH:
            return f"{step} can't be entered by ordinary users, who would have to start the recorder there"
    return ""


def check_place(machine: Machine, path: str, what: str) -> None:
    """Raise ConfigError where a place is not root's alone."""
    if '"' in path or "\\" in path or not path.isprintable() or not path.startswith("/"):
        raise ConfigError(f"{what} needs to be a plain absolute path, not {path!r}")
    said = complaint(machine, path)
    if said:
        raise ConfigError(f"{what} {path} won't do: {said}")


def check_python(machine: Machine, path: str) -> None:
    """Raise ConfigError where the interpreter is too old, lacks something, or could be changed by others."""
    check_place(machine, path, "the interpreter")
    if not machine.there(path):
        raise ConfigError(f"there is no interpreter {path}: name one with --python (3.11 or newer)")
    if not machine.runs:
        return
    try:
        done = machine.run([path, "-I", "-S", "-B", "-c", _PROBE], nobody=True)
    except OSError as error:
        raise ConfigError(f"the interpreter {path} can't be started: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ConfigError(f"the interpreter {path} won't do for an ordinary user: {said}")
    version, places = json.loads(done.stdout)
    if tuple(version) < OLDEST:
        raise ConfigError(f"{path} is Python {'.'.join(map(str, version))}: name one from 3.11 on with --python")
    for place in places:
        check_place(machine, place, "the interpreter's library")
