# SPDX-License-Identifier: Apache-2.0
"""Files in the folder of a SQLite store that are no store's, or no longer what was written."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import make_syslog, make_tlog
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.base import STORED, Query, RecordingFilter
from ttyscribe_store.sqlite import SqliteStore

FILE = "2026.11.sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is to be."""
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """A store that is set up."""
    store = SqliteStore(str(folder))
    store.setup()
    yield store
    store.close()


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"x", b"SQLite format 3\0" + b"\xff" * 5000], ids=str)
def test_a_file_that_is_garbage_is_named_and_left_alone(store: SqliteStore, folder: Path, content: bytes) -> None:
    (folder / FILE).write_bytes(content)
    for step in (lambda: store.write([make_tlog(1)]), store.count, lambda: store.delete("rec-1")):
        with pytest.raises(ConfigError, match=f"{FILE}: is (no file of a ttyscribe store|damaged)"):
            step()
    assert (folder / FILE).read_bytes() == content
    assert store.write([make_tlog(1, partition="2026.10")]) == [STORED]


def test_another_programs_database_is_left_alone(store: SqliteStore, folder: Path) -> None:
    connection = sqlite3.connect(folder / FILE)
    connection.execute("CREATE TABLE document (number)")
    connection.commit()
    connection.close()
    content = (folder / FILE).read_bytes()
    for step in (lambda: store.write([make_tlog(1)]), store.count):
        with pytest.raises(ConfigError, match="another program's database"):
            step()
    assert (folder / FILE).read_bytes() == content


def test_a_file_of_a_later_version_is_not_touched(store: SqliteStore, folder: Path) -> None:
    store.write([make_tlog(1)])
    store.close()
    connection = sqlite3.connect(folder / FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for step in (lambda: store.write([make_tlog(1)]), store.count):
        with pytest.raises((ConfigError, Unavailable), match="newer version of ttyscribe"):
            step()


def test_a_damaged_file_is_named(store: SqliteStore, folder: Path) -> None:
    store.write([make_tlog(n, f"word{n} " * 300) for n in range(200)])
    store.close()
    size = (folder / FILE).stat().st_size
    with (folder / FILE).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * (size - 4096 * 3))
    with pytest.raises(ConfigError, match="damaged"):
        list(store.messages("rec-1"))


def _some_bytes(dice: random.Random, content: bytearray) -> None:
    for _ in range(dice.randrange(1, 20)):
        content[dice.randrange(len(content))] = dice.randrange(256)


def _a_stretch(dice: random.Random, content: bytearray) -> None:
    start = dice.randrange(len(content))
    content[start : start + 3000] = dice.randbytes(len(content[start : start + 3000]))


def _a_page_in_place_of_another(dice: random.Random, content: bytearray) -> None:
    here, there = (dice.randrange(len(content) // 4096) * 4096 for _ in range(2))
    content[here : here + 4096] = content[there : there + 4096]


def _the_end_missing(dice: random.Random, content: bytearray) -> None:
    del content[dice.randrange(1, len(content)) :]


def _change(store: SqliteStore) -> list[Any]:
    store.write([make_tlog(n, "more words") for n in range(120, 300)])
    store.delete("rec-1")
    return []


STEPS: list[Callable[[SqliteStore], list[Any]]] = [
    lambda store: [recording.recording for recording in store.recordings(RecordingFilter())],
    lambda store: [message.tlog for message in store.messages("rec-1")],
    lambda store: [hit.message for hit in store.search(Query([["here"]]))],
    lambda store: [hit.message for hit in store.search(Query([]))],
    _change,
]


@pytest.mark.parametrize("damage", [_some_bytes, _a_stretch, _a_page_in_place_of_another, _the_end_missing])
def test_damage_is_told_and_nothing_false_is_read(
    tmp_path: Path, damage: Callable[[random.Random, bytearray], None]
) -> None:
    """Every step gives what was written or says in one line which file is damaged."""
    written = [make_tlog(n, f"some words{n} here " * 20) for n in range(1, 120)]
    logs = [make_syslog(n, f"here is line {n}") for n in range(50)]
    known = ["rec-1", *(item["message"] for item in written + logs), *(item["tlog"] for item in written)]
    whole = SqliteStore(str(tmp_path / "whole"))
    whole.write(written + logs)
    whole.close()
    content = (tmp_path / "whole" / FILE).read_bytes()
    dice = random.Random(20261125)
    told = 0
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        changed = bytearray(content)
        damage(dice, changed)
        (folder / FILE).write_bytes(changed)
        store = SqliteStore(str(folder), busy_seconds=0.2)
        for step in STEPS:
            try:
                for found in step(store):
                    assert found in known
            except (ConfigError, Unavailable) as error:
                told += FILE in str(error) and "\n" not in str(error)
        store.close()
    assert told > 40
