# SPDX-License-Identifier: Apache-2.0
"""A private, real rsyslogd in a temporary folder, from the shipped samples by plain substitution.

    with Rsyslogd([sys.executable, "plugin.py"]) as daemon:
        daemon.send([b"<13>Nov 24 12:00:00 me: hello"])
        daemon.wait_read()

Works as an ordinary user too: own socket, own work folder, nothing of the machine's log service is touched.
"""

import fcntl
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.peers import require_program

CONF = Path(__file__).resolve().parents[2] / "rsyslog" / "conf"
AUDIT_GRADE = CONF / "ttyscribe.conf"
FAST = CONF / "ttyscribe-fast.conf"
SPOOLED = CONF / "ttyscribe-spool.conf"

# What the samples hold, and tests put their own paths in place of.
BINARY = "/usr/bin/ttyscribe-normalize --protocol omprog --output sqlite:/var/lib/ttyscribe"
SPOOL_OPTION = " --spool /var/spool/ttyscribe"
SOCKET = "/run/ttyscribe/log"
SPOOL = "/var/spool/rsyslog"
OUTPUT = "/var/log/ttyscribe-normalize.log"

# After the death of its program rsyslogd waits this long; five seconds, as shipped, would only make tests slow.
_QUICK = {'action.resumeInterval="5"': 'action.resumeInterval="1"'}


def wait_until(true: Callable[[], object], timeout: float = 30.0, what: str = "it") -> None:
    """Wait until `true()` is; TimeoutError with `what` after `timeout` seconds."""
    end, asked = time.monotonic() + timeout, time.monotonic()
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(max(0.01, time.monotonic() - asked))  # what costs much is asked less often
        asked = time.monotonic()


def children_of(pid: int) -> list[int]:
    """Process ids whose parent is `pid`, oldest first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after_name = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(after_name[1]) == pid and after_name[0] != b"Z":
                found.append(int(entry.name))
    return sorted(found)


def alive(pid: int) -> bool:
    """Tell whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def send_as(uid: int, path: Path, datagrams: Iterable[bytes]) -> int:
    """Send from a process with another uid; its pid."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setresuid(uid, uid, uid)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(str(path))
                for datagram in datagrams:
                    sender.send(datagram)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    return pid


class Rsyslogd:
    """One rsyslogd, its socket, its queue on disk and its program; use as a context manager or start()/close().

    `child` is the program's argument list (it may hold blanks), `environment` is added to what it inherits.
    `replace` changes the sample's text further: every key must occur in it. With a `port` it listens there, not on a
    socket of the file system. `prefix` is a command that becomes it. The folder is removed by close().
    """

    def __init__(
        self,
        child: Sequence[str],
        *,
        sample: Path = AUDIT_GRADE,
        replace: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        port: int = 0,
        prefix: Sequence[str] = (),
    ) -> None:
        self._port = port
        self._prefix = prefix
        self._program = require_program("rsyslogd")
        # Not under pytest's long folder names: a socket's path may have 107 bytes only.
        self.folder = Path(tempfile.mkdtemp(prefix="rsyslogd-"))
        self.socket = self.folder / "log"
        self.spool = self.folder / "spool"
        self.output = self.folder / "child.log"
        self.own_log = self.folder / "rsyslogd.log"
        self.conf = self.folder / "rsyslog.conf"
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._sender: socket.socket | None = None
        self.spool.mkdir()
        self._write_conf(sample.read_text(), child, {**_QUICK, **(replace or {})})

    def _write_conf(self, text: str, child: Sequence[str], replace: Mapping[str, str]) -> None:
        script = self.folder / "child.sh"  # because rsyslogd cuts `binary` at every blank
        script.write_text(f"#!/bin/sh\nexec {shlex.join(child)}\n")
        script.chmod(0o755)
        text = text.replace(BINARY + SPOOL_OPTION, BINARY)  # the test's program has options of its own
        paths = {BINARY: str(script), SOCKET: str(self.socket), SPOOL: str(self.spool), OUTPUT: str(self.output)}
        for old, new in {**{old: new for old, new in paths.items() if old in text}, **replace}.items():
            if old not in text:
                raise ValueError(f"the sample does not hold {old!r}")
            text = text.replace(old, new)
        own = f'global(workDirectory="{self.spool}" processInternalMessages="on")\n'
        self.conf.write_text(f'{text}{own}*.* action(type="omfile" file="{self.own_log}")\n')

    @property
    def pid(self) -> int:
        """The running rsyslogd's process id."""
        if self._process is None:
            raise RuntimeError("rsyslogd is not running")
        return self._process.pid

    def start(self, timeout: float = 30.0) -> None:
        """Start it and wait until its socket takes messages."""
        self.socket.unlink(missing_ok=True)
        command = [*self._prefix, self._program, "-n", "-f", str(self.conf), "-i", str(self.folder / "pid")]
        with (self.folder / "stderr").open("ab") as errors:
            self._process = subprocess.Popen(command, env=self._environment, stdin=subprocess.DEVNULL, stderr=errors)
        wait_until(self._takes_messages, timeout, f"rsyslogd's socket\n{self.said()}")

    def _takes_messages(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"rsyslogd ended at once:\n{self.said()}")
        if self._port:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self._port)) == 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def said(self) -> str:
        """What rsyslogd itself reported so far."""
        files = (self.folder / "stderr", self.own_log)
        return "".join(path.read_text(errors="replace") for path in files if path.exists())

    def send(self, datagrams: Iterable[bytes]) -> int:
        """Send messages as `<PRI>TIMESTAMP TAG: TEXT` datagrams, waiting while the socket is full; how many it were."""
        if self._sender is None:
            self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            # Else what is sent between rsyslogd's bind() and its own SO_PASSCRED comes from nobody: uid 65534, pid 0.
            self._sender.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            self._sender.connect(str(self.socket))
        count = 0
        for count, datagram in enumerate(datagrams, 1):  # noqa: B007
            self._sender.send(datagram)
        return count

    def wait_read(self, timeout: float = 60.0, settle: float = 0.2) -> None:
        """Wait until rsyslogd has read all that was sent, and a moment more, in which the last gets into the queue."""
        sender = self._sender
        if sender is not None:
            wait_until(lambda: _unread(sender) == 0, timeout, "rsyslogd to read its socket")
            time.sleep(settle)

    def child_pids(self) -> list[int]:
        """Process ids of the programs that it started and that still run."""
        return children_of(self.pid) if self._process is not None else []

    def kill_child(self) -> int:
        """SIGKILL the program (if it runs); how many were hit."""
        pids = self.child_pids()
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        return len(pids)

    def stop(self, timeout: float = 30.0) -> int:
        """SIGTERM; its exit status."""
        return self._end(signal.SIGTERM, timeout)

    def stop_or_kill(self, after: float, timeout: float = 30.0) -> bool:
        """SIGTERM, and SIGKILL if it goes on for so many seconds, as systemd does; tells whether that was needed."""
        assert self._process is not None
        children = children_of(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(after)
        except subprocess.TimeoutExpired:
            self.kill(timeout)
            return True
        self._end(signal.SIGTERM, timeout)
        _end_all(children, timeout)
        return False

    def kill(self, timeout: float = 30.0) -> None:
        """SIGKILL rsyslogd, as a power cut of the process; its program reads to the end of its pipe and ends too."""
        self._end(signal.SIGKILL, timeout)

    def _end(self, number: signal.Signals, timeout: float) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        children = children_of(process.pid)
        process.send_signal(number)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
            if self._sender is not None:
                self._sender.close()
                self._sender = None
            _end_all(children, timeout)
        return status

    def close(self) -> None:
        """Stop it if it runs and remove the folder."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:  # into the failing test's captured output
            print(f"--- rsyslogd said:\n{self.said()}", file=sys.stderr)
            if self.output.exists():
                print(f"--- its program said:\n{self.output.read_text(errors='replace')[-4000:]}", file=sys.stderr)
        self.close()


def _unread(sender: socket.socket) -> int:
    """Bytes sent that the far side has not read (Linux counts them at the sender: unix(7), SIOCOUTQ)."""
    return int(struct.unpack("i", fcntl.ioctl(sender.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0])


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _end_all(pids: Sequence[int], timeout: float) -> None:
    """Wait for processes that should end by themselves; SIGKILL and TimeoutError if they don't."""
    try:
        wait_until(lambda: not any(map(alive, pids)), timeout, f"programs {pids} to end after rsyslogd")
    finally:
        for pid in filter(alive, pids):
            _signal(pid, signal.SIGKILL)
