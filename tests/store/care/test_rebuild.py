# SPDX-License-Identifier: Apache-2.0
"""Indexes made anew are what they would be, whoever writes or deletes meanwhile, however often it is cut."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.store.care.test_sqlite_check import FILE, WRONG, change, found
from tests.store.samples import documents, make_recording, make_syslog, make_tlog
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import DUPLICATE, STORED, Query
from ttyscribe_store.care import rebuild
from ttyscribe_store.derive.indexer import bring_up_to_date
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]
LIMIT = 90.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two months, with derived documents."""
    store = SqliteStore(str(tmp_path / "store"))
    store.setup()
    store.write(documents(make_recording("alpha", [b"$ ", b"cat /etc/shadow", b"\r\n$ "])))
    store.write([make_tlog(n, f"word{n} common", rec="beta") for n in range(1, 60)])
    store.write([make_syslog(n, "old line", partition="2026.10") for n in range(1, 30)])
    audit: Any = make_syslog(99, "ada ran cat", kind="aushape", audit_session=7)
    store.write([audit | {"user": {"name": "root", "audit": {"name": "ada"}}, "file": {"path": ["/bin/cat"]}}])
    bring_up_to_date(store)
    store.close()
    return tmp_path / "store"


def tables(folder: Path, file: str = FILE) -> list[Any]:
    """All that is in a file but its word indexes, and how it is made."""
    connection = sqlite3.connect(folder / file)
    content = [
        connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall() for name in ("document", "value")
    ]
    content.append(connection.execute("SELECT number, field, text FROM piece ORDER BY 1, 2, 3").fetchall())
    content.append(
        connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%\\_%' ESCAPE '\\' ORDER BY 2"
        ).fetchall()
    )
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return content


def plain(text: str) -> str:
    """SQL as it was before a rename put quotes into it."""
    return text.replace('"', "").replace(" ", "")


def test_it_changes_nothing_where_nothing_is_wrong(folder: Path) -> None:
    before = tables(folder)
    told: list[tuple[int, int]] = []
    assert rebuild.rebuild(str(folder), lambda *at: told.append(at)) == told[-1][1]
    after = tables(folder)
    assert after[:3] == before[:3]
    assert [(kind, name, plain(sql)) for kind, name, sql in after[3]] == [
        (kind, name, plain(sql)) for kind, name, sql in before[3]
    ]
    assert found(folder) == []


@pytest.mark.parametrize("name", WRONG)
def test_it_mends_whatever_verify_finds(folder: Path, name: str) -> None:
    change(folder, WRONG[name][0])
    assert found(folder) != []
    rebuild.rebuild(str(folder))
    assert found(folder) == []
    store = SqliteStore(str(folder))
    assert len(list(store.search(Query([["common"]])))) >= 59
    store.delete("beta")
    store.close()
    assert found(folder) == []


def test_cut_after_each_batch_it_goes_on_while_others_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_BATCH", 10)
    store = SqliteStore(str(folder))

    class Cut(Exception):
        """The process is gone."""

    cuts = 0
    calls = 0

    def cut(_: int, __: int) -> None:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:
            raise Cut

    while True:
        try:
            rebuild.rebuild(str(folder), cut)
        except Cut:
            cuts += 1
            assert store.write([make_tlog(cuts, f"new{cuts} common", rec="gamma")]) == [STORED]
            assert len(list(store.search(Query([["common"]], kind="tlog")))) == 59 + cuts, (
                "nothing is missing meanwhile"
            )
        else:
            break
        assert cuts < 100
    assert cuts > 3
    assert store.write([make_tlog(1, "new1 common", rec="gamma")]) == [DUPLICATE]
    assert len(list(store.search(Query([["common"]], kind="tlog")))) == 59 + cuts
    store.close()
    assert found(folder) == []


def test_what_is_deleted_between_two_runs_does_not_come_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_BATCH", 10)

    def cut(done: int, _: int) -> None:
        if done > 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild.rebuild(str(folder), cut)
    store = SqliteStore(str(folder))
    store.delete("beta")
    store.write([make_tlog(1, "hello", rec="delta")])  # may get the number of one that went
    rebuild.rebuild(str(folder))
    assert list(store.search(Query([["common"]]))) == []
    store.close()
    assert found(folder) == []


REBUILD = """
import sys
from ttyscribe_store.care import rebuild
rebuild._BATCH = 10
rebuild.rebuild(sys.argv[1], lambda done, total: print(done, flush=True))
"""


def test_killed_it_leaves_a_store_that_is_whole_and_goes_on(folder: Path) -> None:
    for lines in (1, 5, 3, 8):
        process = subprocess.Popen(
            [sys.executable, "-c", REBUILD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=LIMIT)
        assert found(folder) == []
    rebuild.rebuild(str(folder))
    assert found(folder) == []
    assert "rebuilding" not in str(tables(folder))


def test_what_cannot_be_read_is_told_and_the_old_indexes_stay(folder: Path) -> None:
    change(folder, "UPDATE document SET body = x'00' WHERE number = 3")
    with pytest.raises(ConfigError, match="damaged"):
        rebuild.rebuild(str(folder))
    store = SqliteStore(str(folder))
    assert len(list(store.search(Query([["common"]], kind="tlog")))) == 59
    store.close()
