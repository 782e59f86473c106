# SPDX-License-Identifier: Apache-2.0
"""A copy of a store that is being written: whole, verified, of what changed alone, and a store itself."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.peers import require_root
from tests.store.care.test_sqlite_check import found
from tests.store.care.test_upgrade import OLD
from tests.store.samples import make_tlog
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.care.backup import LIST, Copied, backup
from ttyscribe_store.care.upgrade import upgrade
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]
LIMIT = 90.0
NOISE = os.urandom(20_000).hex()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two months."""
    store = SqliteStore(str(tmp_path / "store"))
    store.setup()
    for month in ("2026.10", "2026.11"):
        store.write([make_tlog(n, f"word{n}", rec=f"rec-{month}", partition=month) for n in range(1, 60)])
    store.close()
    return tmp_path / "store"


def copy(folder: Path, target: Path) -> dict[str, str]:
    """Copy what has come to rest; what became of each file."""
    time.sleep(0.15)
    return {one.name: one.status for one in backup(str(folder), str(target))}


def test_the_copy_is_a_store_with_all_that_there_was(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = list(backup(str(folder), str(tmp_path / "copy"), lambda *at: told.append(at)))
    assert [(one.name, one.documents, one.status) for one in done] == [
        ("2026.10", 59, "copied"),
        ("2026.11", 59, "copied"),
    ]
    assert told[-1][0] == told[-1][1] > 0
    assert sorted(os.listdir(tmp_path / "copy")) == ["2026.10.sqlite", "2026.11.sqlite", LIST]
    assert (tmp_path / "copy" / "2026.10.sqlite").stat().st_mode & 0o777 == 0o640
    here, there = SqliteStore(str(folder)), SqliteStore(str(tmp_path / "copy"))
    assert list(here.messages("rec-2026.10")) == list(there.messages("rec-2026.10")) != []
    assert there.count() == 118
    there.close()
    here.close()
    assert found(tmp_path / "copy") == []
    assert sorted(os.listdir(tmp_path / "copy")) == ["2026.10.sqlite", "2026.11.sqlite", LIST], "reading adds nothing"


def test_only_what_changed_is_copied_again(folder: Path, tmp_path: Path) -> None:
    copy(folder, tmp_path / "copy")
    before = (tmp_path / "copy" / "2026.10.sqlite").stat()
    assert set(copy(folder, tmp_path / "copy").values()) == {"unchanged"}
    store = SqliteStore(str(folder))
    store.write([make_tlog(99, rec="new")])
    assert copy(folder, tmp_path / "copy") == {"2026.10": "unchanged", "2026.11": "copied"}, "while the file is open"
    store.close()
    assert copy(folder, tmp_path / "copy") == {"2026.10": "unchanged", "2026.11": "copied"}, "closed: it is another now"
    assert copy(folder, tmp_path / "copy") == {"2026.10": "unchanged", "2026.11": "unchanged"}
    assert (tmp_path / "copy" / "2026.10.sqlite").stat() == before
    there = SqliteStore(str(tmp_path / "copy"))
    assert there.count() == 119
    there.close()


def test_a_copy_that_somebody_changed_or_took_away_is_made_again(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copy(folder, target)
    (target / "2026.10.sqlite").unlink()
    with (target / "2026.11.sqlite").open("ab") as file:
        file.write(b"x")
    assert set(copy(folder, target).values()) == {"copied"}
    for content in ("", "[]", '{"files": {"2026.10": []}}', '{"files": {"2026.10": 7}}', "\xff"):
        (target / LIST).write_bytes(content.encode("latin-1"))
        assert set(copy(folder, target).values()) == {"copied"}
    assert json.loads((target / LIST).read_text())["files"]["2026.10"]["documents"] == 59


def test_a_month_that_has_gone_stays_in_the_copy_and_is_told(folder: Path, tmp_path: Path) -> None:
    copy(folder, tmp_path / "copy")
    (folder / "2026.10.sqlite").unlink()
    assert copy(folder, tmp_path / "copy") == {"2026.11": "unchanged", "2026.10": "kept"}


def test_a_copy_within_the_store_is_refused(folder: Path) -> None:
    for target in (folder, folder / "copy", folder / ".." / "store" / "x"):
        with pytest.raises(ConfigError, match="in the store itself"):
            copy(folder, target)
    (folder.parent / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be created"):
        copy(folder, folder.parent / "file" / "x")


def test_a_damaged_file_does_not_take_the_place_of_the_copy_before(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    copy(folder, target)
    before = (target / "2026.11.sqlite").read_bytes()
    data = bytearray((folder / "2026.11.sqlite").read_bytes())
    data[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    (folder / "2026.11.sqlite").write_bytes(data)
    with pytest.raises(ConfigError, match="damaged"):
        copy(folder, target)
    assert (target / "2026.11.sqlite").read_bytes() == before
    assert sorted(os.listdir(target)) == ["2026.10.sqlite", "2026.11.sqlite", LIST], "nothing half done is left"


def test_a_damaged_file_is_named_and_keeps_no_other_from_being_copied(folder: Path, tmp_path: Path) -> None:
    (folder / "2026.09.sqlite").write_bytes((folder / "2026.10.sqlite").read_bytes()[:9000])
    target = tmp_path / "copy"
    time.sleep(0.15)
    done: list[Copied] = []
    with pytest.raises(ConfigError, match=rf"^{folder}/2026\.09\.sqlite: is damaged"):
        done.extend(backup(str(folder), str(target)))
    assert [(one.name, one.status) for one in done] == [("2026.10", "copied"), ("2026.11", "copied")]
    assert sorted(os.listdir(target)) == ["2026.10.sqlite", "2026.11.sqlite", LIST]


def test_an_old_schema_is_copied_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "store")
    assert set(copy(tmp_path / "store", tmp_path / "copy").values()) == {"copied"}
    upgrade(str(tmp_path / "copy"))
    store = SqliteStore(str(tmp_path / "copy"))
    assert store.count() == 15
    store.close()


def test_while_a_process_writes_the_copy_is_of_one_moment(folder: Path, tmp_path: Path) -> None:
    """Whole batches, no gap; the writer is not held up."""
    arguments = [sys.executable, "-m", "tests.store.sqlite_writer", str(folder), "busy", "1", "3000", "10"]
    writer = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdout.readline()
    writer.stdin.write("go\n")
    writer.stdin.flush()
    counts: list[int] = []
    while writer.poll() is None and len(counts) < 50:
        copy(folder, tmp_path / "copy")
        store = SqliteStore(str(tmp_path / "copy"))
        ids = [message.tlog["id"] for message in store.messages("busy")]
        store.close()
        assert ids == list(range(1, len(ids) + 1))
        assert len(ids) % 10 == 0
        counts.append(len(ids))
        if writer.stdout.readline() == "":
            break
    report = writer.communicate(timeout=LIMIT)[0]
    assert writer.returncode == 0, report
    assert counts == sorted(counts)
    copy(folder, tmp_path / "copy")
    assert found(tmp_path / "copy") == []
    store = SqliteStore(str(tmp_path / "copy"))
    assert store.count() == 118 + 3000
    store.close()


@pytest.mark.root
def test_a_full_disk_leaves_the_copy_before(folder: Path, tmp_path: Path) -> None:
    require_root()
    with small_disk(tmp_path / "disk", "1m") as disk:
        target = disk / "copy"
        copy(folder, target)
        store = SqliteStore(str(folder))
        store.write([make_tlog(n, NOISE[n : n + 3000], rec="big") for n in range(100, 400)])
        store.close()
        fill(disk / "ballast")
        with pytest.raises(Unavailable, match="full"):
            copy(folder, target)
        there = SqliteStore(str(target))
        assert there.count() == 118, "the copy before is whole"
        there.close()
        (disk / "ballast").unlink()
        assert sorted(os.listdir(target)) == ["2026.10.sqlite", "2026.11.sqlite", LIST]


def test_restored_it_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    """As the how-to says: the copy's files in the store's place."""
    copy(folder, tmp_path / "copy")
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    store = SqliteStore(str(folder))
    assert store.count() == 118
    assert [
        outcome.status for outcome in store.write([make_tlog(1, "word1", rec="rec-2026.11", partition="2026.11")])
    ] == ["duplicate"]
    store.close()


def test_what_is_said_of_a_file_is_what_is_in_it(folder: Path, tmp_path: Path) -> None:
    (one,) = [one for one in backup(str(folder), str(tmp_path / "copy")) if one.name == "2026.11"]
    path = tmp_path / "copy" / "2026.11.sqlite"
    assert one == Copied("2026.11", 59, path.stat().st_size, "copied")
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    assert connection.execute("SELECT count(*) FROM document").fetchone() == (59,)
    connection.close()
