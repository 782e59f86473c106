# SPDX-License-Identifier: Apache-2.0
"""The store on SQLite when the disk is full: nothing half written, and it goes on when there is space again."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.disks import fill
from tests.peers import require_root
from tests.store.samples import make_tlog
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import DUPLICATE, STORED
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
BATCH = 20
NOISE = os.urandom(30_000).hex()
"""What compresses badly."""


def _batch(number: int) -> list[Document]:
    first = number * BATCH + 1
    return [make_tlog(n, NOISE[n : n + 1500] + f" word{n}") for n in range(first, first + BATCH)]


def _fill(store: SqliteStore) -> int:
    """Write until the disk is full; how many batches were stored."""
    done: list[int] = []
    with pytest.raises(Unavailable, match=r"^[^\n]+: (the disk is full$|can't be read or written: [^\n]+full disk)"):
        _write_on(store, done)
    return len(done)


def _write_on(store: SqliteStore, done: list[int]) -> None:
    for number in range(10_000):
        assert store.write(_batch(number)) == [STORED] * BATCH
        done.append(number)


def _check(store: SqliteStore, folder: Path, batches: int) -> None:
    """Exactly so many batches are there, and all is sound."""
    assert [message.tlog["id"] for message in store.messages("rec-1")] == list(range(1, batches * BATCH + 1))
    for path in folder.glob("*.sqlite"):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    require_root()
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", str(place)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"can't mount a small file system here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.root
@pytest.mark.parametrize("sync", ["normal", "full"])
def test_a_full_disk_holds_documents_back_until_there_is_space(small_disk: Path, sync: str) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (400 << 10))
    folder = small_disk / "store"
    store = SqliteStore(str(folder), sync=sync)
    batches = _fill(store)
    assert batches > 2
    for _ in range(3):
        with pytest.raises(Unavailable):
            store.write(_batch(batches))
    reader = SqliteStore(str(folder))
    assert reader.count() == batches * BATCH
    reader.close()
    ballast.unlink()
    assert store.write(_batch(batches)) == [STORED] * BATCH
    assert store.write(_batch(0)) == [DUPLICATE] * BATCH
    _check(store, folder, batches + 1)
    store.close()


@pytest.mark.root
def test_a_file_that_cannot_be_begun_is_begun_later(small_disk: Path) -> None:
    store = SqliteStore(str(small_disk / "store"))
    store.setup()
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        while True:
            try:
                os.write(file.fileno(), b"x" * 4096)
            except OSError:
                break
    with pytest.raises(Unavailable, match=r"the disk is full$"):
        store.write([make_tlog(1)])
    assert store.count() == 0
    ballast.unlink()
    assert store.write([make_tlog(1)]) == [STORED]
    assert store.count() == 1
    store.close()


@pytest.mark.root
def test_files_at_rest_can_be_read_on_a_full_disk_also_after_somebody_tried_to_write(small_disk: Path) -> None:
    """SQLite would leave half of its shared memory beside the file, and no reader could pass it."""
    folder = small_disk / "store"
    with closing(SqliteStore(str(folder))) as store:
        assert store.write(_batch(0)) == [STORED] * BATCH
    fill(small_disk / "ballast")
    (month,) = folder.iterdir()
    for _ in range(2):
        with closing(SqliteStore(str(folder))) as store:
            with pytest.raises(Unavailable, match=r"sqlite: the disk is full$"):
                store.write(_batch(1))
            (partition,) = store.partitions()
            with pytest.raises(Unavailable, match=r"sqlite: the disk is full$"):
                store.drop(partition)
            assert store.count() == BATCH
        assert list(folder.iterdir()) == [month]


@pytest.mark.root
def test_a_file_system_that_became_read_only_can_be_read(small_disk: Path) -> None:
    store = SqliteStore(str(small_disk / "store"))
    assert store.write(_batch(0)) == [STORED] * BATCH
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert store.count() == BATCH
    with pytest.raises(Unavailable, match="read-only"):
        store.write(_batch(1))
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert store.write(_batch(1)) == [STORED] * BATCH
    assert store.count() == 2 * BATCH
    store.close()


LIMITED = """
import resource, sys
from pathlib import Path
from tests.store.test_sqlite_full import BATCH, STORED, SqliteStore, _batch, _check, _fill
folder = Path(sys.argv[1])
store = SqliteStore(str(folder))
store.setup()
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, hard))
batches = _fill(store)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert store.write(_batch(batches)) == [STORED] * BATCH
_check(store, folder, batches + 1)
print(batches)
"""


def test_a_limit_on_the_size_of_files_is_like_a_full_disk(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "store")], cwd=ROOT, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= 1
