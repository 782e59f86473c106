# SPDX-License-Identifier: Apache-2.0
"""The programs that configurations name, and the files that those keep: whether they can run, and who can read them."""

import pwd
import stat
from collections.abc import Iterator, Sequence

from ttyscribe.health.files import Host

_KEPT = ("--output", "--spool", "--dead-letter", "--log-file")
_ENV = "/usr/bin/env"


def cannot_start(host: Host, command: str, environment: bool = True) -> str:
    """Why the first word of a command can't be executed by a daemon; empty where it can.

    `environment`: whether there is a PATH in which `env` could find anything.
    """
    words = command.split()
    if not words:
        return "no program is named"
    path = words[0].strip("\"'")
    if not path.startswith("/"):
        return f"{path} is no absolute path"
    why = _not_executable(host, path)
    if why:
        return why
    first = host.head(path)
    if not first.startswith(b"#!"):
        return ""
    interpreter = first[2:].split(b"\n")[0].decode("utf-8", "replace").split()
    if not interpreter:
        return f"{path} names no interpreter"
    why = _not_executable(host, interpreter[0])
    if why:
        return f"the interpreter of {path} is missing: {why}"
    if interpreter[0] == _ENV and not environment:
        return f"{path} asks env for {' '.join(interpreter[1:])}, and mmexternal gives no PATH"
    return ""


def _not_executable(host: Host, path: str) -> str:
    found = host.stat(path)
    if found is None:
        return f"{path} does not exist"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is no file"
    return "" if found.st_mode & 0o111 else f"{path} is not executable (mode {found.st_mode & 0o7777:04o})"


def exposed(host: Host, command: str, user: str) -> Iterator[str]:
    """What a command keeps and others can read, or its own user (empty: root) can't write; in words."""
    for path in _kept(command.split()):
        found = host.stat(path)
        if found is None:
            continue  # it is made at the start
        mode = found.st_mode & 0o7777
        if mode & 0o007:
            yield f"{path} is open to everybody (mode {mode:04o})"
        if user and not _may_write(found.st_mode, found.st_uid, found.st_gid, user):
            yield f"{path} can't be written by {user}"


def _kept(words: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in _KEPT:
            value = value if equals else next(iter(words[number + 1 :]), "")
            value = value.removeprefix("sqlite:")
            if value.startswith("/"):
                yield value


def _may_write(mode: int, uid: int, gid: int, user: str) -> bool:
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return False
    if entry.pw_uid in (0, uid):
        return entry.pw_uid == 0 or bool(mode & 0o200)
    return bool(mode & 0o020) if entry.pw_gid == gid else bool(mode & 0o002)
