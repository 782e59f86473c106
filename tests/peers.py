# SPDX-License-Identifier: Apache-2.0
"""Finds the real programs that tests run against.

A missing peer skips with one line that says how to get it; where `CI=true` it is a failure, because a green run
without the peer would prove nothing.
"""

import os
import shutil

import pytest

INSTALL = {
    "rsyslogd": "apt-get install rsyslog",
    "tlog-rec": "apt-get install tlog",
    "tlog-play": "apt-get install tlog",
    "java": "apt-get install openjdk-17-jre-headless",
    "mvn": "apt-get install maven",
    "cc": "apt-get install gcc",
    "debootstrap": "apt-get install debootstrap",
    "dpkg-deb": "apt-get install dpkg",
    "tmux": "apt-get install tmux",
    "sshd": "apt-get install openssh-server",
    "ssh": "apt-get install openssh-client",
    "ssh-keygen": "apt-get install openssh-client",
    "openssl": "apt-get install openssl",
    "systemd-analyze": "apt-get install systemd",
    "setpriv": "apt-get install util-linux",
    "useradd": "apt-get install passwd",
    "usermod": "apt-get install passwd",
    "userdel": "apt-get install passwd",
    "sudo": "apt-get install sudo",
    "vim": "apt-get install vim",
    "script": "apt-get install bsdutils",
    "scriptreplay": "apt-get install bsdutils",
}

_SBIN = "/usr/sbin:/sbin"


def in_ci() -> bool:
    """Tell whether a missing peer is a failure."""
    return os.environ.get("CI", "").lower() in ("true", "1", "yes")


def absent(what: str) -> None:
    """Skip, or fail in CI, for the reason given."""
    if in_ci():
        pytest.fail(f"required in CI: {what}")
    pytest.skip(what)


def find_program(name: str) -> str | None:
    """Path of a program, /usr/sbin included (ordinary users have it not on PATH)."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":" + _SBIN)


def require_program(name: str) -> str:
    """Path of a peer program; skips (fails in CI) where it is missing."""
    path = find_program(name)
    if path is None:
        absent(f"{name} is not installed: {INSTALL.get(name, 'install it')}")
    assert path is not None
    return path


def require_root() -> None:
    """Skip, or fail in CI, for an ordinary user."""
    if os.geteuid() != 0:
        absent("needs root")
