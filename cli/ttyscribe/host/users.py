# SPDX-License-Identifier: Apache-2.0
"""Who could no longer log in without the recorder: each way by which it may have become somebody's shell."""

import configparser
import pwd
import re
import sys
from collections.abc import Iterable, Iterator

from ttyscribe.host.machine import Machine

_SSSD = ("/etc/sssd/sssd.conf", "/etc/sssd/conf.d")
_SSHD = ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d")
_SSSD_SHELL = "/usr/bin/tlog-rec-session"
_PLAIN = "/bin/sh"


def _accounts(machine: Machine) -> Iterator[tuple[str, str]]:
    if machine.live:
        yield from ((entry.pw_name, entry.pw_shell) for entry in pwd.getpwall())
        return
    for line in (machine.read("/etc/passwd") or b"").decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if len(fields) == 7:
            yield fields[0], fields[6]


def _shell_for(machine: Machine) -> str:
    return "/bin/bash" if machine.there("/bin/bash") else _PLAIN


def _files(machine: Machine, file: str, folder: str) -> Iterator[tuple[str, str]]:
    names = sorted(path.name for path in machine.at(folder).glob("*.conf")) if machine.at(folder).is_dir() else []
    for path in (file, *(f"{folder}/{name}" for name in names if not name.startswith("."))):
        data = machine.read(path)
        if data is not None:
            yield path, data.decode("utf-8", "replace")


def _by_passwd(machine: Machine, programs: Iterable[str]) -> Iterator[str]:
    for name, shell in sorted(set(_accounts(machine))):
        if any(shell == program or shell.startswith(f"{program}-shell-") for program in programs):
            yield f"{name} has {shell} as login shell: usermod --shell {_shell_for(machine)} {name}"


def _by_sssd(machine: Machine) -> Iterator[str]:
    scope, where = "none", ""
    for path, text in _files(machine, *_SSSD):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        if parser.has_option("session_recording", "scope"):
            scope, where = parser.get("session_recording", "scope").strip().lower(), path
    if scope != "none":
        yield f"SSSD gives users {_SSSD_SHELL}, and answers for nobody without it: set scope = none in {where}"


def _by_sshd(machine: Machine, programs: Iterable[str]) -> Iterator[str]:
    for path, text in _files(machine, *_SSHD):
        for number, line in enumerate(text.splitlines(), 1):
            found = re.match(r"\s*ForceCommand[\s=]+\"?(\S+)", line, re.IGNORECASE)
            if found and found[1] in programs:
                yield f"sshd starts {found[1]}: take ForceCommand out of {path}, line {number}"


def main(programs: list[str]) -> int:
    """For a package's scripts: print what is still in use; 3 where anything is."""
    lines = in_use(Machine(), programs)
    for line in lines:
        print(f"ttyscribe: {line}", file=sys.stderr)
    return 3 if lines else 0


def in_use(machine: Machine, programs: Iterable[str], *, restored: Iterable[str] = ()) -> list[str]:
    """One line for each way in which these programs are still in use, with what ends it.

    `restored` are those that another package's program takes the place of again.
    """
    gone = set(programs) - set(restored)
    lines = [*_by_passwd(machine, gone), *_by_sshd(machine, gone)]
    if _SSSD_SHELL in gone:
        lines += _by_sssd(machine)
    return lines
