# SPDX-License-Identifier: Apache-2.0
"""Traffic for the delivery tests: recordings' messages and plain syslog lines, equal ones among them.

Deterministic, and with its own ledger of what must be stored.
"""

import fcntl
import random
import socket
import struct
import termios
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output

AUTHPRIV_INFO = 86
DAEMON_NOTICE = 29
SYSLOG_SHARE = 0.3


@dataclass
class Ledger:
    """What was sent: raw tlog lines (each unique), and how often each plain text."""

    tlog: set[bytes] = field(default_factory=set)
    plain: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Documents that must be stored."""
        return len(self.tlog) + self.plain.total()


def datagram(text: bytes, ident: str = "ttyscribe", priority: int = AUTHPRIV_INFO) -> bytes:
    """One syslog line as a program sends it to the log socket."""
    stamp = time.strftime("%b %e %H:%M:%S").encode()
    return b"<%d>%s %s: %s" % (priority, stamp, ident.encode(), text)


def messages(recording: str, count: int, seed: int = 0) -> list[bytes]:
    """`count` encoded messages of one recording that begins now."""
    dice = random.Random(f"{recording}{seed}")
    chunker = Chunker(Header("example-host", recording, "root", "xterm", 7))
    now, wall = 0, time.time_ns()
    made: list[bytes] = []
    for number in range(count):
        now += dice.randrange(1, 50) * 1_000_000
        text = f"{recording} line {number} " + "".join(dice.choices("abcdef \x1b[1m\r\n", k=dice.randrange(5, 120)))
        chunker.feed(Output(now, text.encode()), wall)
        made += chunker.flush()
    return made


def mixed(count: int, ledger: Ledger, seed: int = 1) -> Iterator[bytes]:
    """`count` datagrams, three in ten plain syslog lines; the ledger learns of each as it is given out."""
    dice = random.Random(seed)
    pool = [iter(messages(f"rec-{seed}-{n}", count // 20 + 2, seed)) for n in range(20)]
    for number in range(count):
        line = None if dice.random() < SYSLOG_SHARE else next(pool[number % len(pool)], None)
        if line is None:
            text = f"equal line {dice.randrange(5)}" if dice.random() < 0.5 else f"plain line {seed} {number}"
            ledger.plain[text] += 1
            yield datagram(text.encode(), "daemon", DAEMON_NOTICE)
        else:
            ledger.tlog.add(line)
            yield datagram(line)


class Sender:
    """Sends datagrams to a log socket and can wait until the daemon has read all of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.connect()

    def connect(self, wait_s: float = 20) -> None:
        """Connect, once the daemon has made its socket (again)."""
        end = time.monotonic() + wait_s
        while True:
            try:
                self._socket.connect(str(self._path))
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def send(self, data: bytes) -> None:
        """Send one datagram; blocks while the daemon's queue is full."""
        self._socket.send(data)

    def drain(self, wait_s: float = 20) -> None:
        """Wait until the daemon has taken everything from the socket, and had time to queue it."""
        end = time.monotonic() + wait_s
        while struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4))[0]:
            if time.monotonic() > end:
                raise TimeoutError("the daemon does not read its socket")
            time.sleep(0.01)
        time.sleep(0.3)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
