# SPDX-License-Identifier: Apache-2.0
"""Folders of older schemas of the store on SQLite become ours: whole, resumable, told."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.store.care.test_sqlite_check import found
from tests.store.samples import listed, make_syslog, make_tlog
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import sqlite_rows, sqlite_upgrade
from ttyscribe_store.base import DUPLICATE, STORED, Query, RecordingFilter
from ttyscribe_store.care import upgrade
from ttyscribe_store.derive.indexer import bring_up_to_date
from ttyscribe_store.derive.rules import VERSION
from ttyscribe_store.query.parser import parse
from ttyscribe_store.sqlite import SqliteStore

ROOT = Path(__file__).parents[3]
OLD = ROOT / "tests" / "data" / "sqlite-1"
LIMIT = 90.0
NAMES = ["2026.10", "2026.11", "implausible-time"]


def written() -> list[Any]:
    """What was written into the folder of schema 1."""
    return [json.loads(line) for line in (OLD / "documents.ndjson").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(OLD, tmp_path / "store")
    return tmp_path / "store"


def versions(folder: Path) -> list[int]:
    """The schema that each file says."""
    found = []
    for path in sorted(folder.glob("*.sqlite")):
        connection = sqlite3.connect(path)
        found.append(int(connection.execute("PRAGMA user_version").fetchone()[0]))
        connection.close()
    return found


def schema(path: Path) -> list[Any]:
    """All that a file is made of."""
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return found


def test_every_version_has_a_step() -> None:
    assert [step.to for step in sqlite_upgrade.STEPS] == list(range(2, sqlite_rows.VERSION + 1))


def test_an_old_folder_is_told_and_left_alone(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    store = SqliteStore(str(folder))
    wanted = f"schema 1, now {sqlite_rows.VERSION}.: run ttyscribe store upgrade --store sqlite:{folder}$"
    with pytest.raises(ConfigError, match=wanted):
        store.count()
    with pytest.raises(Unavailable, match=wanted):
        store.write([make_tlog(1)])
    assert store.write([make_syslog(9, partition="2026.12")]) == [STORED], "other months are written"
    store.close()
    (folder / "2026.12.sqlite").unlink()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_all_that_was_written_is_there_and_found_as_if_written_now(folder: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = upgrade.upgrade(str(folder), lambda *at: told.append(at))
    assert [one.name for one in done] == ["2026.11", "2026.10", "implausible-time"]
    assert [one.documents for one in done] == [10, 4, 1]
    assert told[-1] == (15, 15)
    assert versions(folder) == [sqlite_rows.VERSION] * 3
    store, fresh = SqliteStore(str(folder)), SqliteStore(str(tmp_path / "fresh"))
    fresh.write(written())
    everything = RecordingFilter()
    assert sorted(store.behind(VERSION)) == ["alpha", "beta", "gamma"]
    assert listed(store, everything) == listed(fresh, everything)
    for rec in ("alpha", "beta", "gamma"):
        assert list(store.messages(rec)) == list(fresh.messages(rec))
    for words in ("shadow", "user:ada", "exe:/bin/cat", "ip:192.0.2.0/24", "session:7", "kind:syslog", "path:*shadow"):
        query = Query(where=parse(words, int))
        hits = list(store.search(query))
        assert hits == list(fresh.search(query)) != []
    assert store.write(written()) == [DUPLICATE] * 15
    store.close()
    fresh.close()
    for name in NAMES:
        assert schema(folder / f"{name}.sqlite") == schema(tmp_path / "fresh" / f"{name}.sqlite")
    assert upgrade.upgrade(str(folder)) == [], "nothing to do again"
    assert found(folder) == []


def test_from_schema_2_which_had_derived_documents(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    shutil.copytree(OLD.with_name("sqlite-2"), folder)
    before = versions(folder)
    store = SqliteStore(str(folder))
    assert before == [2, 2, 2]
    with pytest.raises(ConfigError, match="schema 2"):
        store.count()
    upgrade.upgrade(str(folder))
    assert versions(folder) == [sqlite_rows.VERSION] * 3
    bring_up_to_date(store)
    assert found(folder) == []
    assert store.write(written()) == [DUPLICATE] * 15
    assert {hit.kind for hit in store.search(Query(where=parse("line:*shadow*", int)))} == {"line"}
    assert [hit.message for hit in store.search(Query(where=parse("cmd:id", int)))] == ["id"]
    assert len(list(store.search(Query(where=parse("kind:tlog user:ada", int))))) == 6
    store.close()


def test_cut_after_each_batch_it_goes_on_where_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "_BATCH", 2)

    class Cut(Exception):
        """The process is gone."""

    def cut(_: int, __: int) -> None:
        raise Cut

    cuts = 0
    while True:
        try:
            upgrade.upgrade(str(folder), cut)
        except Cut:
            store = SqliteStore(str(folder))
            with pytest.raises(ConfigError, match="ttyscribe store upgrade"):
                store.count()
            store.close()
            cuts += 1
        else:
            break
    assert cuts >= 8
    store = SqliteStore(str(folder))
    assert store.count() == 15
    assert store.write(written()) == [DUPLICATE] * 15
    store.close()


UPGRADE = """
import sys
from ttyscribe_store.care import upgrade
upgrade._BATCH = 20
upgrade.upgrade(sys.argv[1], lambda done, total: print(done, flush=True))
"""


def test_killed_it_loses_nothing(folder: Path) -> None:
    grow(folder / "2026.11.sqlite", 300)
    for lines in (1, 3, 2, 5, 1):
        process = subprocess.Popen(
            [sys.executable, "-c", UPGRADE, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=LIMIT)
    upgrade.upgrade(str(folder))
    store = SqliteStore(str(folder))
    assert store.count() == 315
    assert found(folder) == []
    assert [message.tlog["id"] for message in store.messages("grown")] == list(range(1, 301))
    assert len(list(store.search(Query([["common"]])))) == 300
    store.close()
    assert versions(folder) == [sqlite_rows.VERSION] * 3


def grow(path: Path, count: int) -> None:
    """More documents of schema 1."""
    connection = sqlite3.connect(path)
    insert = "INSERT INTO document VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    for number in range(1, count + 1):
        row = sqlite_rows.to_row(make_tlog(number, f"common word{number}", rec="grown"))
        columns = [value.decode() if isinstance(value, bytes) else value for value in row.values[:-1]]
        del columns[5:7]  # level and session
        connection.execute(insert, (*columns, row.body))
    connection.commit()
    connection.close()


def test_an_upgrade_that_a_later_version_finishes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed half way, then the package is upgraded again, to one more schema."""
    monkeypatch.setattr(upgrade, "_BATCH", 4)

    def cut(done: int, _: int) -> None:
        if done > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upgrade.upgrade(str(folder), cut)
    later = sqlite_rows.VERSION + 1
    monkeypatch.setattr(sqlite_upgrade, "VERSION", later)
    monkeypatch.setattr(sqlite_rows, "VERSION", later)
    monkeypatch.setattr(sqlite_rows, "SCHEMA", (*sqlite_rows.SCHEMA[:-1], f"PRAGMA user_version = {later}"))
    upgrade.upgrade(str(folder))
    assert set(versions(folder)) == {later}
    connection = sqlite3.connect(folder / "2026.11.sqlite")
    assert connection.execute("SELECT count(*) FROM document").fetchone() == (10,)
    connection.close()


def test_quick_steps_leave_the_documents_where_they_are(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tuple(
        sqlite_upgrade.Step(to, "an index", (f"CREATE INDEX quick_{to} ON document (kind)",))
        for to in range(2, sqlite_rows.VERSION + 1)
    )
    monkeypatch.setattr(sqlite_upgrade, "STEPS", steps)
    upgrade.upgrade(str(folder))
    assert versions(folder) == [sqlite_rows.VERSION] * 3
    names = [row[1] for row in schema(folder / "2026.10.sqlite")]
    assert f"quick_{sqlite_rows.VERSION}" in names
    assert "document" in names


def test_what_cannot_be_read_is_told_and_kept(folder: Path) -> None:
    connection = sqlite3.connect(folder / "2026.10.sqlite")
    connection.execute("UPDATE document SET body = x'00' WHERE number = 3")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigError, match=r"2026.10.sqlite: is damaged"):
        upgrade.upgrade(str(folder))
    connection = sqlite3.connect(folder / "2026.10.sqlite")
    assert connection.execute("SELECT count(*) FROM before_1").fetchone() == (4,)
    connection.close()


def _rows_of(path: Path) -> dict[str, list[Any]]:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    names = ("document", "value", "piece")
    found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    connection.close()
    return found


def test_from_schema_2_users_and_sessions_come_among_the_values(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path))
    store.write(written())
    store.close()
    path = tmp_path / "2026.11.sqlite"
    before, wanted = _rows_of(path), schema(path)
    connection = sqlite3.connect(path)
    for name in ("user", "session"):
        same = f"field = '{name}' AND value = (SELECT {name} FROM document WHERE document.number = value.number)"
        connection.execute(f"DELETE FROM value WHERE {same}")
    for what in ("INDEX document_by_time", "INDEX document_row", "TABLE waiting", "TABLE rules"):
        connection.execute(f"DROP {what}")
    connection.execute("CREATE INDEX document_by_time ON document (time_us, id)")
    connection.execute("PRAGMA user_version = 2")
    connection.commit()
    connection.close()
    assert _rows_of(path) != before
    upgrade.upgrade(str(tmp_path))
    assert (_rows_of(path), schema(path)) == (before, wanted)


def test_a_file_of_others_keeps_nobody_from_the_rest(folder: Path) -> None:
    (folder / "2026.09.sqlite").write_bytes(b"somebody's notes" * 500)
    with pytest.raises(ConfigError, match=r"2026\.09\.sqlite"):
        upgrade.waiting(str(folder))
    with pytest.raises(ConfigError, match=r"2026\.09\.sqlite"):
        upgrade.upgrade(str(folder))
    (folder / "2026.09.sqlite").unlink()
    assert versions(folder) == [sqlite_rows.VERSION] * 3
