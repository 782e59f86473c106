# SPDX-License-Identifier: Apache-2.0
"""A real systemd-journald of a test's own, in a mount namespace that nobody else sees; root only.

with Journald() as journald:
    journald.run("logger", "hello", stdin=b"")
"""

import json
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.peers import absent, require_program, require_root
from tests.rsyslog.daemon import wait_until

PROGRAM = Path("/lib/systemd/systemd-journald")
_BECOME = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || true
printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\nReadKMsg=no\\nAudit=no\\n' \\
    > /run/systemd/journald.conf.d/test.conf
exec "$1"
"""


class Journald:
    """Use as a context manager. `prefix` makes a command one that lives in its namespace."""

    def __init__(self) -> None:
        require_root()
        for program in ("unshare", "nsenter", "setpriv"):
            require_program(program)
        if not PROGRAM.exists():
            absent("systemd-journald is not installed: apt-get install systemd")
        with_us = ["setpriv", "--pdeathsig", "KILL"]
        command = [*with_us, "unshare", "--mount", "sh", "-c", _BECOME, "sh", str(PROGRAM)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.prefix = ["nsenter", "-t", str(self._process.pid), "-m"]
        self._sockets = Path(f"/proc/{self._process.pid}/root/run/systemd/journal")

    def __enter__(self) -> Self:
        try:
            wait_until((self._sockets / "socket").exists, 60, "journald's socket")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it; its namespace goes with it."""
        self._process.kill()
        self._process.wait()

    def run(self, *command: str, stdin: bytes = b"") -> bytes:
        """Run a command in its namespace; what it printed."""
        done = subprocess.run([*self.prefix, *command], input=stdin, capture_output=True, timeout=60, check=True)
        return done.stdout

    def send(self, fields: Mapping[str, bytes]) -> None:
        """Send one entry from this process, by journald's own protocol."""
        data = b""
        for name, value in fields.items():
            data += name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            sender.connect(str(self._sockets / "socket"))
            sender.send(data)

    def entries(self, *matches: str) -> list[dict[str, Any]]:
        """What it has stored."""
        return [json.loads(line) for line in self.run("journalctl", "-o", "json", "--all", *matches).splitlines()]
