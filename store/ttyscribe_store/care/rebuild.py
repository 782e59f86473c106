# SPDX-License-Identifier: Apache-2.0
"""Makes everything that finds documents anew from the documents, in files of the store on SQLite.

The new indexes are made beside the old ones, some documents at a time, while others write and read; in one last
transaction they take their place. Whoever is killed in between goes on where he was, unless documents were taken away
meanwhile: then that file is begun again.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from ttyscribe_store import sqlite_changes as changes
from ttyscribe_store import sqlite_handles as handles
from ttyscribe_store import sqlite_queries as queries
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store.care.lock import alone
from ttyscribe_store.sqlite_files import Files

Tell = Callable[[int, int], None]
"""Takes how many documents are done, and how many there are."""
_BATCH = 500
_PROGRESS = "rebuild.progress"
_FRESH_SECONDS = 86_400.0
_NEW = "rebuilt_"
_INSERTS = rows.inserts(_NEW)
_TABLES = ("words", "value", "piece", "trigrams", "distinct_value", "value_trigrams")
_SETTINGS = handles.Settings(busy_seconds=10.0, synchronous="NORMAL")
_STATE = "CREATE TABLE rebuilding (done INTEGER NOT NULL, spoiled INTEGER NOT NULL)"
_SPOILED = """CREATE TRIGGER rebuilding_spoiled AFTER DELETE ON document BEGIN
    UPDATE rebuilding SET spoiled = 1; END"""
_NEXT = f"SELECT number, body, {', '.join(rows.COLUMNS)} FROM document WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608
_INDEX = "piece_by_number"


def rebuild(folder: str, tell: Tell = lambda _, __: None) -> int:
    """Rebuild all files; how many documents they have. Raises ConfigError, Unavailable."""
    files = Files(folder, _SETTINGS, 1)
    with alone(folder):
        names = files.names()
        counts = {name: int(files.read(name, queries.COUNT)[0][0]) for name in names}
        total, done = sum(counts.values()), 0
        finished = _finished(folder)
        for name in names:
            path = files.path(name)
            if name in finished:
                done += counts[name]
                continue
            with handles.translated(path), handles.maintaining(path, _SETTINGS) as connection:
                for count in _file(connection):
                    done += count
                    tell(min(done, total), total)
            finished.append(name)
            _remember(folder, finished)
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, _PROGRESS))
    return done


def _finished(folder: str) -> list[str]:
    """The files that a run which was cut off has done; one long ago counts for nothing."""
    path = os.path.join(folder, _PROGRESS)
    try:
        if time.time() - os.stat(path).st_mtime > _FRESH_SECONDS:
            return []
        with open(path, encoding="ascii") as file:
            return file.read().split()
    except (OSError, ValueError):
        return []


def _remember(folder: str, finished: list[str]) -> None:
    path = os.path.join(folder, _PROGRESS)
    with suppress(OSError):  # it saves work, no more
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write("\n".join(finished))
        os.replace(path + ".new", path)


def _file(connection: sqlite3.Connection) -> Iterator[int]:
    """Rebuild one file; how many documents each step did."""
    yield _begin(connection)
    while count := _batch(connection):
        yield count
    yield _end(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _begin(connection: sqlite3.Connection) -> int:
    """Have the new tables; how many documents they have already."""
    with handles.transaction(connection):
        state = _state(connection)
        if state and not state[1]:
            found = connection.execute("SELECT count(*) FROM document WHERE number <= ?", (state[0],)).fetchone()
            return int(found[0])
        if state:
            _drop(connection)
        for table in _TABLES:
            connection.execute(rows.TABLES[table].replace(f"TABLE {table} ", f"TABLE {_NEW}{table} ", 1))
        connection.execute(_STATE)
        connection.execute("INSERT INTO rebuilding VALUES (0, 0)")
        connection.execute(_SPOILED)
    return 0


def _state(connection: sqlite3.Connection) -> tuple[int, int] | None:
    """Up to which document they are made, and whether documents have gone since; none where there are none."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'rebuilding'").fetchall():
        return None
    done, spoiled = connection.execute("SELECT done, spoiled FROM rebuilding").fetchone()
    return int(done), int(spoiled)


def _drop(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER rebuilding_spoiled")
    for table in ("rebuilding", *(_NEW + table for table in _TABLES)):
        connection.execute(f"DROP TABLE {table}")


def _batch(connection: sqlite3.Connection) -> int:
    with handles.transaction(connection):
        return _some(connection)


def _some(connection: sqlite3.Connection) -> int:
    """Put the next documents into the new tables; how many."""
    state = _state(connection)
    after = state[0] if state else 0
    found, seen = connection.execute(_NEXT, (after, _BATCH)).fetchall(), set[str]()
    for number, body, *columns in found:
        row = rows.again(body)
        if not row.has(columns):
            connection.execute(rows.CORRECT, (*row.values[:-1], number))
        changes.index(connection, number, row, _INSERTS, seen)
    if found:
        connection.execute("UPDATE rebuilding SET done = ?", (found[-1][0],))
    return len(found)


def _end(connection: sqlite3.Connection) -> int:
    """Put the new tables in place of the old, with what was written meanwhile; how many documents that was."""
    count = 0
    with handles.transaction(connection):
        while some := _some(connection):
            count += some
        connection.execute("DROP TRIGGER rebuilding_spoiled")
        connection.execute("DROP TABLE rebuilding")
        for table in _TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"ALTER TABLE {_NEW}{table} RENAME TO {table}")
        connection.execute(rows.TABLES[_INDEX])
    return count
