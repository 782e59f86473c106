# SPDX-License-Identifier: Apache-2.0
"""Runs one cell: numbered lines through a real rsyslogd, the fault while they are on their way, and a count.

A line is kept if its number is in the store or in the dead letter; it is stored twice if two documents have its number.
"""

import base64
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.e2e.chain import program
from tests.e2e.traffic import datagram
from tests.engines.fixtures import Engine
from tests.faults import cells, keeper
from tests.faults.cells import Cell
from tests.faults.places import Double, Lines, OnEngine, Place, Sqlite, lasts
from tests.rsyslog.daemon import AUDIT_GRADE, FAST, Rsyslogd, wait_until
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output

BURSTS = 5
BURST = 70
LAST = 4
"""Lines behind everything: a program starts with a line only."""
PATIENCE = 120.0
QUIET = 6.0
"""Seconds without a new line after which, where lines may be lost, the rest is taken for lost."""
STOP_PATIENCE = 12.0
LARGE = 20_000
_NUMBER = re.compile(r"n=(\d{6})\.")
_TRANSACTIONS = {'confirmMessages="on"': 'confirmMessages="on" useTransactions="on"'}
# Few enough that both the memory part and the disk part of the queue are at work.
_SMALL = {'queue.highWatermark="8000" queue.lowWatermark="2000"': 'queue.highWatermark="40" queue.lowWatermark="10"'}
_BATCHES = {'queue.dequeueBatchSize="1"': 'queue.dequeueBatchSize="32"'}
_DIRECT = {'queue.type="Disk"': 'queue.type="Direct"'}
_CONTROL = Path(__file__).with_name("control.py")


class Result(NamedTuple):
    """What became of a cell's lines."""

    sent: int
    lost: list[int]
    doubled: list[int]
    dead: int
    hits: int
    """How often the fault hit."""
    spooled: int
    """Folders that were left in the spool."""
    seconds: float

    @property
    def text(self) -> str:
        """As in the table."""
        return f"{len(self.lost)}/{len(self.doubled)}"


def line(number: int, size: int = 0) -> bytes:
    """One datagram: three of ten are messages of recordings, named by their text; the others have a stamped id."""
    text = f"n={number:06}. what happened " + "x" * size
    if number % 10 >= 3:
        return datagram(text.encode(), "daemon", 29)
    chunker = Chunker(Header("example-host", f"rec-{number % 3}", "root", "xterm", 7), payload=LARGE * 2)
    chunker.feed(Output(number * 1_000_000, text.encode()), time.time_ns())
    (made,) = chunker.flush()
    return datagram(made)


class Run:
    """One cell at work, in a folder of its own."""

    def __init__(self, cell: Cell, folder: Path, place: Place) -> None:
        self.cell = cell
        self.place = place
        self.spool = folder / "spool"
        self._dead = folder / "dead-letter"
        self._next = 0
        self._hits = 0
        self.daemon = Rsyslogd(
            self._command(),
            sample=FAST if cell.queue == "assisted" else AUDIT_GRADE,
            replace=self._settings(),
            environment={"TTYSCRIBE_STORE_TIMEOUT": f"{keeper.PATIENCE}"} if cell.fault == "slow" else None,
        )

    def _command(self) -> list[str]:
        if isinstance(self.place, Lines):
            return [sys.executable, "-I", str(_CONTROL), str(self.place.path)]
        url = self.place.cuttable if isinstance(self.place, Double) and self.cell.fault == "gone" else self.place.url
        command = [program("ttyscribe-normalize"), "--protocol", "omprog", "--output", url]
        command += ["--dead-letter", str(self._dead)]
        return [*command, "--spool", str(self.spool)] if self.cell.spool == "spool" else command

    def _settings(self) -> dict[str, str]:
        transactions = self.cell.mode == "transactions"
        found = dict(_TRANSACTIONS) if transactions else {}
        if self.cell.queue == "assisted":
            found |= _SMALL | (_BATCHES if transactions else {})
        return found | (_DIRECT if self.cell.queue == "direct" else {})

    # -- lines -------------------------------------------------------------------------------------------------------

    def lines(self, count: int, *, large: bool = False) -> list[bytes]:
        """The next lines; the last of them perhaps `large`."""
        first, self._next = self._next, self._next + count
        made = [line(number) for number in range(first, self._next)]
        if large:
            made[-1] = line(self._next - 1, LARGE)
        return made

    def progress(self, before: int) -> None:
        """Wait until the store has more than that."""
        wait_until(lambda: self.place.count() > before, PATIENCE, f"more than {before} lines\n{self.said()}")

    def said(self) -> str:
        """What the program reported last."""
        return self.daemon.output.read_text(errors="replace")[-2000:] if self.daemon.output.exists() else ""

    # -- faults ------------------------------------------------------------------------------------------------------

    def kill_child(self) -> None:
        """Kill the program in the middle of its work; never while it starts: old rsyslogds would crash (OMP-1)."""
        before = self.place.count()
        self.daemon.send(self.lines(BURST))
        self.progress(before)
        self._hits += self.daemon.kill_child()

    def end_daemon(self, end: Callable[[], object]) -> None:
        """End rsyslogd once it has read all that was sent (unread datagrams die with its socket), and start it."""
        if self.cell.queue == "direct":
            self.daemon.send(self.lines(BURST - 1))
            self.daemon.wait_read()
            self.daemon.send(self.lines(1))
            self.daemon.wait_read(settle=0)  # and no moment more: it is in work now
        else:
            self.daemon.send(self.lines(BURST))
            self.daemon.wait_read()
        end()
        self._hits += 1
        self.daemon.start()

    def stop_in_outage(self) -> None:
        """Stop rsyslogd, as systemd does, while lines are in work that the store does not take."""
        before = self.place.count()
        self.daemon.send(self.lines(BURST // 4))
        self.progress(before)
        self.daemon.wait_read()
        with self.place.fault("503"):
            self.daemon.send(self.lines(1 if self.cell.queue == "direct" else BURST))
            self.daemon.wait_read()
            time.sleep(0.5)  # into the program
            self.daemon.stop_or_kill(STOP_PATIENCE)
            self._hits += 1
            self.daemon.start()

    def hup(self) -> None:
        """Tell rsyslogd to HUP while lines wait."""
        self.daemon.send(self.lines(BURST))
        os.kill(self.daemon.pid, signal.SIGHUP)
        self._hits += 1

    def trouble_store(self, seconds: float) -> None:
        """Have the store fail for a while, with lines on their way to it and more coming."""
        before = self.place.count()
        self.daemon.send(self.lines(BURST // 4))
        self.progress(before)
        more = self.lines(BURST - BURST // 4, large=self.cell.fault == "413")
        # The input waits where there is no queue, and so does who sends.
        sender = threading.Thread(target=self.daemon.send, args=(more,), daemon=True)
        with self.place.fault(self.cell.fault):
            self._hits += 1
            sender.start()
            time.sleep(seconds)
        sender.join(PATIENCE)
        if sender.is_alive():
            raise TimeoutError(f"rsyslogd takes no more\n{self.said()}")

    def faults(self) -> None:
        """All of the cell's bursts."""
        fault, once = self.cell.fault, self.cell.fault in ("gone", "busy", "stop")
        for number in range(2 if once else BURSTS):
            if fault == "child":
                self.kill_child()
            elif fault == "daemon":
                self.end_daemon(self.daemon.kill)
            elif fault == "stop":
                self.stop_in_outage()
            elif fault == "restart":
                self.hup() if number % 2 else self.end_daemon(self.daemon.stop)
            elif fault != "gone" or number == 0:
                self.trouble_store(lasts(fault))

    # -- the end -----------------------------------------------------------------------------------------------------

    def result(self, started: float) -> Result:
        """Wait for the rest, end everything, and count."""
        self.daemon.send(self.lines(LAST))
        self._settle(QUIET if cells.limit(self.cell) or self.cell.spool == "control" else PATIENCE)
        self.daemon.stop(PATIENCE)
        stored, dead = Counter(self._numbers()), set(self._dead_numbers())
        wanted = range(self._next)
        return Result(
            sent=self._next,
            lost=[number for number in wanted if number not in stored and number not in dead],
            doubled=[number for number in wanted if stored[number] + (number in dead) > 1],
            dead=len(dead),
            hits=self._hits,
            spooled=len(list(self.spool.iterdir())) if self.spool.exists() else 0,
            seconds=time.monotonic() - started,
        )

    def _settle(self, quiet: float) -> None:
        """Wait until every line is there, or for so long nothing new has come."""
        best, since = -1, time.monotonic()
        while (there := len({*self._numbers(), *self._dead_numbers()})) < self._next:
            now = time.monotonic()
            if there > best:
                best, since = there, now
            if now - since > quiet:
                return
            time.sleep(0.1)

    def _numbers(self) -> Iterator[int]:
        return (int(found[1]) for _, text in self.place.kept() if (found := _NUMBER.search(text)))

    def _dead_numbers(self) -> Iterator[int]:
        lines = self._dead.read_bytes().splitlines() if self._dead.exists() else []
        for entry in map(json.loads, lines):
            yield from map(int, _NUMBER.findall(base64.b64decode(entry["raw"]).decode("utf-8", "replace")))


def place_for(cell: Cell, folder: Path, engine: Engine | None) -> Place:
    """The store that the cell names."""
    if cell.spool == "control":
        return Lines(folder / "lines")
    if cell.store == "sqlite":
        return Sqlite(folder / "store")
    if cell.store == "double":
        return Double()
    assert engine is not None
    return OnEngine(engine)


def run(cell: Cell, engine: Engine | None = None) -> Result:
    """Run one cell from beginning to end."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        place = place_for(cell, Path(name), engine)
        try:
            work = Run(cell, Path(name), place)
            with work.daemon:
                work.faults()
                return work.result(started)
        finally:
            place.close()
