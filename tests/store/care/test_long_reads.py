# SPDX-License-Identifier: Apache-2.0
"""Whoever reads, however long, holds no writer up; the log stays bounded; real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.care.test_sqlite_check import found
from tests.store.samples import make_tlog
from ttyscribe_store import sqlite_files, sqlite_handles
from ttyscribe_store.base import STORED
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]
LIMIT = 90.0
FILE = "2026.11.sqlite"
NOISE = os.urandom(40_000).hex()

LONG = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1] + "/2026.11.sqlite", isolation_level=None)
connection.execute("BEGIN")
before = connection.execute("SELECT count(*) FROM document").fetchone()
print("reading", flush=True)
sys.stdin.readline()
assert connection.execute("SELECT count(*) FROM document").fetchone() == before
print("ok", flush=True)
"""

AGAIN = """
import sys
from ttyscribe_store.base import Query
from ttyscribe_store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
print("reading", flush=True)
last = 0
while True:
    count = store.count()
    assert count >= last
    last = count
    list(store.messages("rec-1"))
    list(store.search(Query([["common"]], limit=50)))
"""


@contextmanager
def readers(folder: Path, program: str, count: int) -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that read; none outlives its test."""
    started = []
    try:
        for _ in range(count):
            command = [sys.executable, "-c", program, str(folder)]
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            started.append(process)
            assert process.stdout is not None
            assert process.stdout.readline() == "reading\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store whose writer waits for nobody."""
    store = SqliteStore(str(tmp_path / "store"), busy_seconds=0.0)
    store.setup()
    store.write([make_tlog(n, f"common word{n}") for n in range(1, 200)])
    yield store
    store.close()


def write(store: SqliteStore, batches: int) -> None:
    """Write without ever being held up."""
    for number in range(batches):
        first = 1000 + number * 20
        items = [make_tlog(n, NOISE[n % 30_000 :][:2000], rec="noise") for n in range(first, first + 20)]
        assert store.write(items) == [STORED] * 20


def test_a_long_read_holds_no_writer_up_and_sees_one_moment(store: SqliteStore) -> None:
    with readers(Path(store.folder), LONG, 2) as reading:
        write(store, 30)
        for process in reading:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ok\n"
    assert store.count() == 199 + 600


def test_readers_without_a_pause_do_not_let_the_log_grow(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the limit of 64 MiB made small."""
    most = 1 << 20
    monkeypatch.setattr(sqlite_handles, "_LOG_KEPT", most)
    monkeypatch.setattr(sqlite_files, "_BOUND_SECONDS", 0.0)
    monkeypatch.setattr(sqlite_handles, "_MOMENT_MS", 10_000)  # readers may get little of the processor here
    log = Path(store.folder) / f"{FILE}-wal"
    sizes = []
    with readers(Path(store.folder), AGAIN, 2) as reading:
        until = time.monotonic() + LIMIT
        for number in range(14):
            write_at = 10_000 + number * 200
            for first in range(write_at, write_at + 200, 20):
                items = [make_tlog(n, NOISE[n % 30_000 :][:2000], rec="noise") for n in range(first, first + 20)]
                assert store.write(items) == [STORED] * 20
            sizes.append(log.stat().st_size)
            assert time.monotonic() < until
        for process in reading:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
    written = (Path(store.folder) / FILE).stat().st_size
    assert written > 3 * most
    assert sorted(sizes)[len(sizes) // 2] < 3 * most, sizes
    assert found(Path(store.folder)) == []
