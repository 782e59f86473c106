# SPDX-License-Identifier: Apache-2.0
"""Several processes on one SQLite store: writing at once, killed, held up, reading meanwhile."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import require_root
from tests.store.samples import listed, make_tlog
from ttyscribe_formats.words import query_terms
from ttyscribe_store.base import DUPLICATE, STORED, Query, RecordingFilter
from ttyscribe_store.care.sqlite_check import check
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
KILLS = 50 if os.environ.get("TTYSCRIBE_TEST_LONG") else 6
LIMIT = 90.0
"""Seconds in which anything has happened, however slow the machine is."""


class Writers:
    """Processes that write; none outlives its test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def start(self, rec: str, first: int, last: int, batch: int) -> "subprocess.Popen[str]":
        """One process that writes."""
        process = self.prepare(rec, first, last, batch)
        go(process)
        return process

    def prepare(self, rec: str, first: int, last: int, batch: int) -> "subprocess.Popen[str]":
        """One process, ready to write as soon as it is let go."""
        arguments = [str(self._folder), rec, str(first), str(last), str(batch)]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.sqlite_writer", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


def go(*processes: "subprocess.Popen[str]") -> None:
    """Let prepared processes write."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is to be."""
    return tmp_path / "store"


@pytest.fixture
def writers(folder: Path) -> Iterator[Writers]:
    """Starts processes."""
    writers = Writers(folder)
    yield writers
    writers.stop()


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """This process's own access."""
    store = SqliteStore(str(folder))
    yield store
    store.close()


def _stored(report: str) -> int:
    """How many documents a finished process was the first to write."""
    return sum(int(line.split()[1]) for line in report.splitlines())


def _acknowledged(report: str) -> list[int]:
    """The ids in all whole lines of a report."""
    ids: list[int] = []
    for line in report.split("\n")[:-1]:
        first, last = line.split()[0].split("-")
        ids += range(int(first), int(last) + 1)
    return ids


def _sound(folder: Path) -> None:
    """Neither the tables nor the word index are damaged."""
    for path in folder.glob("*.sqlite"):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        documents = {row[0] for row in connection.execute("SELECT number FROM document WHERE kind = 'tlog'")}
        indexed = {row[0] for row in connection.execute("SELECT rowid FROM words WHERE words MATCH 'common'")}
        assert documents <= indexed
        connection.close()


def test_processes_that_write_different_documents_lose_none(writers: Writers, store: SqliteStore, folder: Path) -> None:
    """All begin at once in a folder that is not there yet."""
    processes = [writers.prepare(f"rec-{name}", 1, 300, 7) for name in "abcd"]
    go(*processes)
    reports = [process.communicate(timeout=LIMIT)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert [_stored(report) for report in reports] == [300] * 4
    for recording in listed(store, RecordingFilter()):
        assert (recording.messages, recording.distinct_ids, recording.missing) == (300, 300, 0)
    assert sum(one.messages for one in store.counts()) == 1200
    _sound(folder)


def test_processes_that_write_the_same_documents_store_each_once(
    writers: Writers, store: SqliteStore, folder: Path
) -> None:
    processes = [writers.prepare("rec-1", 1, 400, batch) for batch in (3, 7, 10, 400)]
    go(*processes)
    reports = [process.communicate(timeout=LIMIT)[0] for process in processes]
    assert sum(map(_stored, reports)) == 400, "each was new to one of them"
    assert store.count() == 400
    assert [message.tlog["id"] for message in store.messages("rec-1")] == list(range(1, 401))
    _sound(folder)


def test_what_a_killed_process_was_told_is_stored_and_nothing_twice(
    writers: Writers, store: SqliteStore, folder: Path
) -> None:
    """Each process writes some of what is there, then what is new, and is killed anywhere in its commits."""
    done: set[int] = set()
    stored: list[int] = []
    dice = random.Random(20261125)
    for _ in range(KILLS):
        first = max(1, len(done) - 50)
        process = writers.start("rec-1", first, 100_000, dice.choice((1, 9, 70)))
        assert process.stdout is not None
        report = "".join(process.stdout.readline() for _ in range(dice.randrange(1, 12)))
        time.sleep(dice.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        report += process.communicate(timeout=LIMIT)[0]
        done.update(_acknowledged(report))
        stored = [message.tlog["id"] for message in store.messages("rec-1")]
        assert done <= set(stored), "nothing that was acknowledged is lost"
        assert stored == list(range(1, len(stored) + 1)), "nothing is there twice, no batch in part"
        assert list(check(str(folder), lambda _, __: None)) == [], "files and indexes are sound"
        assert store.count() == len(stored)
    (recording,) = listed(store, RecordingFilter())
    assert (recording.messages, recording.distinct_ids, recording.missing) == (len(stored), len(stored), 0)
    hits = list(store.search(Query(query_terms("common"), kind="tlog", limit=1_000_000)))
    assert len(hits) == len({hit.document_id for hit in hits}) == len(stored)


def test_processes_that_make_the_same_file_at_once_agree(tmp_path: Path) -> None:
    for number in range(8):
        writers = Writers(tmp_path / f"store{number}")
        processes = [writers.prepare(f"rec-{name}", 1, 2, 1) for name in "abc"]
        go(*processes)
        reports = [process.communicate(timeout=LIMIT)[0] for process in processes]
        assert [_stored(report) for report in reports] == [2, 2, 2]
        store = SqliteStore(str(tmp_path / f"store{number}"))
        assert store.count() == 6
        store.close()


def test_a_process_killed_while_it_makes_a_file_leaves_one_that_can_be_used(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / f"store{number}"
        writers = Writers(folder)
        process = writers.start("rec-1", 1, 3, 1)
        time.sleep(number * 0.001)  # somewhere in the making; each place must do
        process.send_signal(signal.SIGKILL)
        told = _acknowledged(process.communicate(timeout=LIMIT)[0])
        store = SqliteStore(str(folder))
        store.setup()
        assert set(told) <= {message.tlog["id"] for message in store.messages("rec-1")}
        documents = [make_tlog(n, f"common word{n}") for n in (1, 2, 3)]
        assert {outcome.status for outcome in store.write(documents)} <= {"stored", "duplicate"}
        assert store.count() == 3
        store.close()
        _sound(folder)


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_while_another_process_holds_a_file_its_documents_are_held_back_alone(folder: Path) -> None:
    store = SqliteStore(str(folder), busy_seconds=0.2)
    store.setup()
    store.write([make_tlog(1)])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder / "2026.11.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    outcomes = store.write([make_tlog(1), make_tlog(2), make_tlog(3, partition="implausible-time")])
    assert [outcome.status for outcome in outcomes] == ["retry", "retry", "stored"]
    assert "another process" in outcomes[0].reason
    assert [message.tlog["id"] for message in store.messages("rec-1")] == [1, 3], "reading is not held up"
    holder.communicate("", timeout=LIMIT)
    assert store.write([make_tlog(1), make_tlog(2)]) == [DUPLICATE, STORED]
    store.close()


def test_reading_while_another_process_writes_sees_whole_batches(writers: Writers, store: SqliteStore) -> None:
    store.setup()
    process = writers.start("rec-1", 1, 1500, 10)
    seen = [0]
    until = time.monotonic() + LIMIT
    while seen[-1] < 1500 and time.monotonic() < until:
        ids = [message.tlog["id"] for message in store.messages("rec-1")]
        assert ids == list(range(1, len(ids) + 1))
        assert store.count() >= len(ids)
        seen.append(len(ids))
    process.communicate(timeout=LIMIT)
    assert seen == sorted(seen)
    assert seen[-1] == 1500


def test_one_store_is_written_by_a_process_that_only_comes_and_goes(
    writers: Writers, store: SqliteStore, folder: Path
) -> None:
    """Between the writers the file rests, without log: what is read is always the newest."""
    store.setup()
    for number in range(1, 9):
        writers.start("rec-1", number, number, 1).communicate(timeout=LIMIT)
        assert sorted(os.listdir(folder)) == ["2026.11.sqlite"]
        assert store.count() == number
        assert sorted(os.listdir(folder)) == ["2026.11.sqlite"], "reading creates nothing"


def test_closing_a_reader_drops_no_lock_of_this_process(writers: Writers, folder: Path) -> None:
    """Another process that comes and goes must not think it was the last, and take the log away."""
    reader, writer = SqliteStore(str(folder)), SqliteStore(str(folder))
    writer.setup()
    writer.write([make_tlog(1)])
    writer.close()
    assert reader.count() == 1
    writer.write([make_tlog(2)])
    assert reader.count() == 2
    reader.close()
    writers.start("rec-1", 3, 3, 1).communicate(timeout=LIMIT)
    assert (folder / "2026.11.sqlite-wal").exists()
    writer.write([make_tlog(4)])
    writers.start("rec-1", 5, 5, 1).communicate(timeout=LIMIT)
    assert [message.tlog["id"] for message in reader.messages("rec-1")] == [1, 2, 3, 4, 5]
    writer.close()
    reader.close()


AS_NOBODY = """
import os, sys
from tests.store.samples import listed, make_tlog
from ttyscribe_formats.errors import TtyscribeError
from ttyscribe_store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    print(sum(1 for _ in store.messages("rec-1")))
except TtyscribeError as error:
    print(type(error).__name__, error)
try:
    print(store.write([make_tlog(99)])[0].status)
except TtyscribeError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.root
@pytest.mark.parametrize("state", ["at rest", "being written", "left by a killed writer"])
def test_who_may_only_read_can_read(folder: Path, tmp_path: Path, writers: Writers, state: str) -> None:
    require_root()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        if parent.stat().st_mode & 0o077 == 0:
            parent.chmod(0o711)
    store = SqliteStore(str(folder))
    store.setup()
    os.chown(folder, 0, 65534)
    store.write([make_tlog(n) for n in range(1, 6)])
    os.chown(folder / "2026.11.sqlite", 0, 65534)
    store.close()
    if state == "being written":
        store.write([make_tlog(6)])
    if state == "left by a killed writer":
        process = writers.start("rec-1", 6, 9, 1)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=LIMIT)
    ended = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    read, written = ended.stdout.splitlines()
    assert int(read) >= 5
    assert written.startswith("Unavailable ")
    assert "can't be written: no permission" in written
    store.close()
