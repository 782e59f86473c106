# SPDX-License-Identifier: Apache-2.0
"""Brings files of the store on SQLite to our schema, in place, one after the other, the newest first.

Documents are moved from the old table to the new ones, some at a time, each time in one transaction: whoever is killed
in between goes on where he was, and the file hardly grows. Until it is done nobody else reads or writes this file.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store import sqlite_changes as changes
from ttyscribe_store import sqlite_handles as handles
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store import sqlite_upgrade
from ttyscribe_store.care.lock import alone
from ttyscribe_store.partition import IMPLAUSIBLE
from ttyscribe_store.sqlite_files import Files

Tell = Callable[[int, int], None]
"""Takes how many documents are done, and how many there are to do."""
UPGRADING = sqlite_upgrade.UPGRADING
_BATCH = 500
_ASIDE = "before_"
"""Begins the name of a table whose documents are still to be moved."""
_SETTINGS = handles.Settings(busy_seconds=10.0, synchronous="NORMAL")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE ? ORDER BY name"
_NAMED = "SELECT name FROM sqlite_master WHERE type = ? AND sql IS NOT NULL"


class Waiting(NamedTuple):
    """A file that has to be upgraded."""

    name: str
    version: int
    documents: int
    """How many are still to be moved."""


def waiting(folder: str) -> list[Waiting]:
    """The files that are older than our schema, the newest first. Raises ConfigError, Unavailable."""
    found, damage = _looked_at(Files(folder, _SETTINGS, 1))
    if damage:
        raise damage
    return found


def _looked_at(files: Files) -> tuple[list[Waiting], ConfigError | None]:
    """The same, and why a file that is none of ours can't be looked at."""
    found: list[Waiting] = []
    damage: ConfigError | None = None
    for name in sorted(files.names(), key=lambda name: (name != IMPLAUSIBLE, name), reverse=True):
        path = files.path(name)
        try:
            with handles.translated(path), handles.maintaining(path, _SETTINGS) as connection:
                version = handles.version(connection, path)
                if version is not None and sqlite_upgrade.is_older(version):
                    found.append(Waiting(name, version, _left(connection)))
        except ConfigError as error:
            damage = damage or error
    return found, damage


def upgrade(folder: str, tell: Tell = lambda _, __: None) -> list[Waiting]:
    """Bring all files to our schema; says what they were.

    Raises ConfigError, Unavailable: ConfigError of a file that is none of ours after all others are upgraded.
    """
    files = Files(folder, _SETTINGS, 1)
    with alone(folder):
        found, damage = _looked_at(files)
        total, done = sum(one.documents for one in found), 0
        for one in found:
            path = files.path(one.name)
            with handles.translated(path), handles.maintaining(path, _SETTINGS) as connection:
                for moved in _steps(connection, one.version):
                    done += moved
                    tell(done, total)
    if damage:
        raise damage
    return found


def _left(connection: sqlite3.Connection) -> int:
    aside = _aside(connection) or ["document"]
    return sum(int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in aside)  # noqa: S608


def _aside(connection: sqlite3.Connection) -> list[str]:
    names = [str(row[0]) for row in connection.execute(_TABLES, ("CREATE TABLE%",))]
    return [name for name in names if name.startswith(_ASIDE) and name.removeprefix(_ASIDE).isdigit()]


def _steps(connection: sqlite3.Connection, version: int) -> Iterator[int]:
    """Upgrade one file; how many documents each step moved."""
    quick = sqlite_upgrade.statements(version)
    for step in quick or ():
        with handles.transaction(connection):
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step.to}")
    if quick is None:
        if version != sqlite_upgrade.UPGRADING + rows.VERSION:
            _begin(connection, version % sqlite_upgrade.UPGRADING)
        for table in _aside(connection):
            while moved := _move(connection, table):
                yield moved
        _end(connection)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _begin(connection: sqlite3.Connection, version: int) -> None:
    """Put the documents aside, drop all that was made from them, make the new tables."""
    with handles.transaction(connection):
        connection.execute(f"ALTER TABLE document RENAME TO {_ASIDE}{version}")
        for kind in ("trigger", "index"):
            for (name,) in connection.execute(_NAMED, (kind,)).fetchall():
                connection.execute(f"DROP {kind.upper()} {name}")
        kept = set(_aside(connection))
        for kind in ("CREATE VIRTUAL TABLE%", "CREATE TABLE%"):  # the first take tables of their own with them
            for (name,) in connection.execute(_TABLES, (kind,)).fetchall():
                if name not in kept:
                    connection.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in rows.SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {sqlite_upgrade.UPGRADING + rows.VERSION}")


def _move(connection: sqlite3.Connection, table: str) -> int:
    """Move the next documents; how many."""
    with handles.transaction(connection):
        found = connection.execute(f"SELECT number, body FROM {table} ORDER BY number LIMIT ?", (_BATCH,)).fetchall()  # noqa: S608
        seen: set[str] = set()
        for _, body in found:
            changes.put(connection, rows.again(body), seen)
        if found:
            connection.execute(f"DELETE FROM {table} WHERE number <= ?", (found[-1][0],))  # noqa: S608
    return len(found)


def _end(connection: sqlite3.Connection) -> None:
    with handles.transaction(connection):
        for table in _aside(connection):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {rows.VERSION}")
