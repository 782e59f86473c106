# SPDX-License-Identifier: Apache-2.0
"""The folder of the store on SQLite: one file a partition, opened by itself, few at a time.

Writing opens create what is missing. Reading opens create nothing where they may not, and find a file that was removed
or replaced meanwhile; each read is one statement, read whole, so that no handle is ever in the middle of something.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.partition import is_partition
from ttyscribe_store.sqlite_rows import APPLICATION_ID, SCHEMA, VERSION, text_back

SUFFIX = ".sqlite"
_FOLDER_MODE = 0o750
_FILE_MODE = 0o640
_READ_TRIES = 20
_WAL_KEPT = 64 << 20
_CACHE_KIB = 16 << 10


class Busy(Exception):
    """Another process holds the file for longer than we wait."""


class _Reader(NamedTuple):
    connection: sqlite3.Connection
    stamp: tuple[int, ...]
    """What the file looked like when it was opened."""
    immutable: bool
    """Opened past the locks, because nothing may be created beside it."""


class Files:
    """All partitions of one folder."""

    def __init__(self, folder: str, busy_seconds: float, synchronous: str, max_open: int) -> None:
        self.folder = folder
        self._busy_seconds = busy_seconds
        self._synchronous = synchronous
        self._max_open = max_open
        self._writers: dict[str, sqlite3.Connection] = {}
        self._readers: dict[str, _Reader] = {}

    # ---- the folder

    def create(self, *, parents: bool) -> bool:
        """Make the folder where it is missing; tell whether it was. Raises ConfigError, Unavailable."""
        made = False
        try:
            if not os.path.isdir(self.folder):
                (os.makedirs if parents else os.mkdir)(self.folder, _FOLDER_MODE)
                made = True
        except FileExistsError:
            if not os.path.isdir(self.folder):
                raise ConfigError("is a file; the store needs a folder", self.folder) from None
        except NotADirectoryError:
            raise ConfigError("a part of this path is a file; the store needs a folder", self.folder) from None
        except FileNotFoundError:
            raise Unavailable(
                f"{self.folder}: no such folder; run ttyscribe setup --store sqlite:{self.folder}"
            ) from None
        except OSError as error:
            raise Unavailable(f"{self.folder}: can't be created: {error.strerror}") from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise Unavailable(f"{self.folder}: this user can't write there")
        return made

    def names(self) -> list[str]:
        """The partitions that are there. Raises ConfigError where there is no folder that can be read."""
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            raise ConfigError("there is no store here: no such folder", self.folder) from None
        except NotADirectoryError:
            raise ConfigError("there is no store here: it is a file", self.folder) from None
        except OSError as error:
            raise ConfigError(f"can't be read: {error.strerror}", self.folder) from None
        return sorted(name.removesuffix(SUFFIX) for name in found if _is_ours(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, name + SUFFIX)

    # ---- writing

    @contextmanager
    def writing(self, name: str) -> Iterator[sqlite3.Connection]:
        """One transaction on a partition: all of it or nothing. Raises Busy, Unavailable, ConfigError."""
        with self._translated(name):
            connection = self._writer(name)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(name, connection)
                raise

    def _roll_back(self, name: str, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._writers.pop(name, None)
            connection.close()

    def _writer(self, name: str) -> sqlite3.Connection:
        """An open partition; one that was removed or replaced since is opened anew."""
        path = self._path(name)
        connection = self._writers.pop(name, None)
        if connection is None or not os.path.exists(path):
            if connection is not None:
                connection.close()
            self.create(parents=False)
            connection = self._open_writer(path)
        self._writers[name] = connection
        while len(self._writers) > self._max_open:
            self._writers.pop(next(iter(self._writers))).close()
        return connection

    def _open_writer(self, path: str) -> sqlite3.Connection:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
        connection = self._connect(path, "mode=rw")
        try:
            self._retried(lambda: _prepare(connection, path))
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
            connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _retried(self, step: Callable[[], None]) -> None:
        """SQLite does not wait by itself while a file changes its journal mode."""
        until = time.monotonic() + self._busy_seconds
        while True:
            try:
                return step()
            except sqlite3.OperationalError as error:
                if _primary(error) not in _BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    # ---- reading

    def read(self, name: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of one statement; none where the partition has gone."""
        for _ in range(_READ_TRIES):
            try:
                with self._translated(name):
                    reader = self._reader(name)
                    if reader is None:
                        return []
                    rows = reader.connection.execute(sql, values).fetchall()
            except (Unavailable, ConfigError, Busy) as error:
                if not self._forget_if_changed(name):
                    raise Unavailable(str(error)) from None if isinstance(error, Busy) else error
                continue
            if not self._forget_if_changed(name):
                return rows
        raise Unavailable(f"{self._path(name)}: changes faster than it can be read")

    def _reader(self, name: str) -> _Reader | None:
        path = self._path(name)
        reader = self._readers.pop(name, None)
        if reader is not None and _stamp(path, reader.immutable) != reader.stamp:
            reader.connection.close()
            reader = None
        if reader is None:
            reader = self._open_reader(path)
            if reader is None:
                return None
        self._readers[name] = reader
        while len(self._readers) > self._max_open:
            self._readers.pop(next(iter(self._readers))).connection.close()
        return reader

    def _open_reader(self, path: str) -> _Reader | None:
        immutable = not os.path.exists(path + "-wal") and not os.access(self.folder, os.W_OK)
        stamp = _stamp(path, immutable)
        if not stamp:
            return None
        connection = self._connect(path, "mode=ro&immutable=1" if immutable else "mode=ro")
        try:
            if not _is_made(connection, path):
                connection.close()
                return None
        except BaseException:
            connection.close()
            raise
        return _Reader(connection, stamp, immutable)

    def _forget_if_changed(self, name: str) -> bool:
        """Drop a reader whose file is not what it was; what it gave counts for nothing."""
        reader = self._readers.get(name)
        if reader is None or _stamp(self._path(name), reader.immutable) == reader.stamp:
            return False
        self._readers.pop(name).connection.close()
        return True

    # ---- both

    def _connect(self, path: str, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(path))}?{mode}",
            uri=True,
            timeout=self._busy_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = text_back
        return connection

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        """SQLite's errors as ours."""
        path = self._path(name)
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = _primary(error)
            if code in _BUSY:
                raise Busy(f"{path}: another process is writing") from None
            if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
                raise ConfigError("is no file of a ttyscribe store; move it away", path) from None
            if code == sqlite3.SQLITE_CORRUPT:
                raise ConfigError("is damaged; restore it, or move it away", path) from None
            if code in _OUTAGES:
                raise Unavailable(f"{path}: {_OUTAGES[code]}") from None
            raise
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from None

    def close(self) -> None:
        """Close every file."""
        for connection in self._writers.values():
            connection.close()
        for reader in self._readers.values():
            reader.connection.close()
        self._writers.clear()
        self._readers.clear()


_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_OUTAGES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "can't be read or written: input/output error, a full disk or a limit on the size of files",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: no permission, or too many open files",
    sqlite3.SQLITE_READONLY: "is read-only for this user",
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_NOLFS: "the file system can't hold a file so large",
    sqlite3.SQLITE_NOMEM: "not enough memory",
    sqlite3.SQLITE_PROTOCOL: "the locks of this file are in disorder; try again",
}


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_ours(name: str) -> bool:
    return name.endswith(SUFFIX) and is_partition(name.removesuffix(SUFFIX))


def _stamp(path: str, immutable: bool) -> tuple[int, ...]:
    """What tells that a file is still the one that was opened, and as it was; empty where it is missing."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return ()
    if not immutable:
        return (found.st_dev, found.st_ino)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, int(os.path.exists(path + "-wal")))


def _is_made(connection: sqlite3.Connection, path: str) -> bool:
    """Tell whether the file has our schema; False = it is empty. Raises ConfigError where it is somebody else's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) == (APPLICATION_ID, VERSION):
        return True
    if application == APPLICATION_ID:
        raise ConfigError(f"was made by another version of ttyscribe (schema {version}, wanted {VERSION})", path)
    if application or version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise ConfigError("is another program's database; move it away", path)
    return False


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Give an empty file the schema. Whoever comes second finds it."""
    made = _is_made(connection, path)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise ConfigError("this file system can't share the memory that SQLite's write-ahead log needs", path)
    if made:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_made(connection, path):
            for statement in SCHEMA:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
