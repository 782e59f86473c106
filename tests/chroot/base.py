# SPDX-License-Identifier: Apache-2.0
"""Makes a small Debian once, by debootstrap from this machine's mirror, and keeps it in the user's cache."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests import caches, peers

RELEASE = "bookworm"
PACKAGES = (
    "python3",
    "openssh-server",
    "ca-certificates",
    "libcurl3-gnutls",
    "libjson-c5",
    "libutempter0",
    "libsystemd0",
    "rsync",
)
"""With what the package tlog needs, so that it can be installed without a network, and rsync to record."""
LATER = ("tlog", "libtlog0")
"""Packages that wait in /root as files."""
CACHED = ("rsyslog",)
"""Packages that apt has fetched with all that they need: `apt-get install` takes no network."""


def cache() -> Path:
    """The folder that keeps what was made; `TTYSCRIBE_TEST_CHROOT_CACHE` moves it."""
    return caches.folder("ttyscribe-chroots", "TTYSCRIBE_TEST_CHROOT_CACHE")


def mirror() -> list[str]:
    """The Debian mirror of this machine; none where it has none, and debootstrap takes its own."""
    for path in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt").glob("sources.list.d/*"))):
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        found = re.search(r"^(?:URIs:|deb(?: \[.*?\])?)\s*(\S+/debian)/?(?:\s|$)", path.read_text(), re.MULTILINE)
        if found:
            return [found[1]]
    return []


def _run(*command: str | Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=600,
    )  # fmt: skip
    if done.returncode:
        said = "; ".join(done.stdout.strip().splitlines()[-2:])
        peers.absent(f"no Debian to test on: {command[0]} failed: {said[:400]}")


def _make(folder: Path) -> None:
    _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, folder, *mirror())
    for path in [
        Path("/etc/resolv.conf"),
        *Path("/etc/apt/apt.conf.d").glob("99*"),
        Path("/etc/ssl/certs/ca-certificates.crt"),
    ]:
        if path.is_file():
            shutil.copyfile(path, folder / str(path).lstrip("/"))
    _run("chroot", folder, "sh", "-c", f"cd /root && apt-get -qq download {' '.join(LATER)}")
    _run("chroot", folder, "apt-get", "-qq", "clean")
    _run("chroot", folder, "apt-get", "-qq", "install", "--no-install-recommends", "--download-only", *CACHED)


def get() -> Path:
    """The folder of a Debian, made where it is not there yet; never to be changed. Skips where it can't be had."""
    peers.require_root()
    peers.require_program("debootstrap")
    key = hashlib.blake2b(repr((PACKAGES, LATER, CACHED)).encode(), digest_size=4).hexdigest()
    folder = cache() / f"{RELEASE}-{key}"
    with (cache() / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            part = cache() / f"{folder.name}.part"
            shutil.rmtree(part, ignore_errors=True)
            _make(part)
            part.rename(folder)
    return folder
