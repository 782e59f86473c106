# SPDX-License-Identifier: Apache-2.0
"""A private rsyslogd for the demonstration, from the shipped configuration: own socket, own queue, no root needed."""

import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

_SAMPLE = "ttyscribe.conf"
# What the sample holds, and what the demonstration puts its own in place of.
_BINARY = "/usr/bin/ttyscribe-normalize --protocol omprog --output sqlite:/var/lib/ttyscribe"
_SOCKET = "/run/ttyscribe/log"
_SPOOL = "/var/spool/rsyslog"
_OUTPUT = "/var/log/ttyscribe-normalize.log"
_PR_SET_PDEATHSIG = 1  # prctl(2)
_START_SECONDS = 10.0
_STOP_SECONDS = 15.0


class NoRsyslog(Exception):
    """Why there is none."""


def find_program() -> str | None:
    """rsyslogd, also where it is not on an ordinary user's PATH."""
    return shutil.which("rsyslogd", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


def sample() -> Path:
    """The shipped configuration: of the installation, else of the checkout. NoRsyslog where it is nowhere."""
    shared = {sysconfig.get_path("data", scheme) for scheme in ("posix_prefix", "posix_user")}
    shared.add(sysconfig.get_path("data"))
    places = [Path(folder, "share", "ttyscribe", "rsyslog", _SAMPLE) for folder in sorted(shared)]
    places.append(Path(__file__).resolve().parents[2] / "rsyslog" / "conf" / _SAMPLE)
    for place in places:
        if place.is_file():
            return place
    raise NoRsyslog("its sample configuration is not installed")


def _end_with_us() -> Callable[[], None]:
    """For the child: ask for SIGTERM at our death, whatever we die of, so that no daemon is left behind."""
    libc = ctypes.CDLL(None)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))

    return ask


class Rsyslogd:
    """Use as a context manager; entering raises NoRsyslog where it does not start."""

    def __init__(self, program: str, child: Sequence[str], notes: Path) -> None:
        self._program = program
        self._child = child
        self._notes = notes
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens. In a folder of its own, as the path of a socket has room for 107 bytes only."""
        return self._folder / "log"

    def _prepare(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="ttyscribe-demo-"))
        spool = self._folder / "spool"
        spool.mkdir()
        script = self._folder / "normalize.sh"  # because rsyslogd cuts its program's line at every blank
        script.write_text(f"#!/bin/sh\nexec {shlex.join(self._child)}\n")
        script.chmod(0o755)
        text = sample().read_text()
        own = {_BINARY: script, _SOCKET: self.socket, _SPOOL: spool, _OUTPUT: self._notes / "normalize.log"}
        for old, new in own.items():
            if old not in text:
                raise NoRsyslog(f"its sample configuration does not name {old}")
            text = text.replace(old, str(new))
        log = self._notes / "rsyslogd.log"
        text += (
            f'global(workDirectory="{spool}" processInternalMessages="on")\n*.* action(type="omfile" file="{log}")\n'
        )
        conf = self._folder / "rsyslog.conf"
        conf.write_text(text)
        return conf

    def __enter__(self) -> Self:
        try:
            conf = self._prepare()
            command = [self._program, "-n", "-f", str(conf), "-i", str(self._folder / "pid")]
            with (self._notes / "rsyslogd.stderr").open("wb") as errors:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    preexec_fn=_end_with_us(),  # noqa: PLW1509 # one thread, one system call
                )
            self._process = process
            self._wait(process)
        except OSError as error:
            self.__exit__()
            raise NoRsyslog(f"it can't be started: {error.strerror or error}") from None
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if process.poll() is not None:
                raise NoRsyslog(f"it ended at once: {self.said()}")
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
                if probe.connect_ex(str(self.socket)) == 0:
                    return
            time.sleep(0.05)
        raise NoRsyslog(f"its socket did not come: {self.said()}")

    def said(self) -> str:
        """The last line of what it reported."""
        for name in ("rsyslogd.stderr", "rsyslogd.log", "normalize.log"):
            path = self._notes / name
            text = path.read_text(errors="replace").strip() if path.exists() else ""
            if text:
                return "".join(c if c.isprintable() else " " for c in text.splitlines()[-1])[:300]
        return "it said nothing"

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
