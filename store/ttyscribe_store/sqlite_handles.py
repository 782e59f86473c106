# SPDX-License-Identifier: Apache-2.0
"""Connections to one file of the store on SQLite, and what its errors mean.

A file that nobody writes has no write-ahead log beside it. It is read as `immutable`: past the locks, because these
would create files, and whoever only reads must not. What was read counts only if the file has not changed meanwhile.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError, TtyscribeError, Unavailable
from ttyscribe_store.query.sqlite import FUNCTIONS
from ttyscribe_store.sqlite_rows import APPLICATION_ID, SCHEMA, VERSION, Damaged
from ttyscribe_store.sqlite_text import text_back
from ttyscribe_store.sqlite_upgrade import complaint

_FILE_MODE = 0o640
_LOG_KEPT = 64 << 20
_MOMENT_MS = 100
_CACHE_KIB = 16 << 10
_LEAST_PAGE = 512
_ROOM = 64 << 10
"""Bytes: shared memory, and the first page of a log."""
_STEPS = 100_000
"""Of SQLite's machine, between two looks at signals: some milliseconds."""
_RAISED = "user-defined function raised exception"
_DAMAGED = "is damaged; restore it, or move it away"
_MARKS = """SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
    (SELECT count(*) FROM sqlite_master)"""
"""One statement, so that no other process makes the file between two of them."""
_FOREIGN = "is no file of a ttyscribe store; move it away"

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_OUTAGES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "can't be read or written: input/output error, full disk, or a limit on the size of files",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: no permission, or too many open files",
    sqlite3.SQLITE_READONLY: "is read-only for this user",
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_NOLFS: "the file system can't hold a file so large",
    sqlite3.SQLITE_PROTOCOL: "its locks are in disorder; try again",
}


class Busy(Unavailable):
    """Another process holds the file for longer than we wait."""


class Outdated(ConfigError):
    """A file has another schema than ours; the text says what to do."""


class Settings(NamedTuple):
    """How files are opened."""

    busy_seconds: float
    synchronous: str


class Handle(NamedTuple):
    """An open file."""

    connection: sqlite3.Connection
    path: str
    immutable: bool
    stamp: tuple[int, ...]
    """What the file looked like when it was opened."""

    def is_current(self) -> bool:
        """Tell whether the file is still the one that was opened and, read as immutable, has not changed."""
        return bool(self.stamp) and _stamp(self.path, self.immutable) == self.stamp


def writer(path: str, settings: Settings) -> Handle:
    """A handle to write; the file is made where it is missing. Errors are SQLite's and the system's."""
    with suppress(FileExistsError):
        _make(path)
    _need_room(path)
    handle = _open(path, "rw", settings)
    try:
        _retried(lambda: _prepare(handle), settings.busy_seconds)
        _settle(handle, settings)
    except Outdated as error:  # what is sent meanwhile is to be kept
        handle.connection.close()
        raise Unavailable(str(error)) from None
    except BaseException:
        handle.connection.close()
        raise
    return handle


def _need_room(path: str) -> None:
    """Raise OSError where there is no room for what SQLite lays beside a file: half of it would keep readers out."""
    if not os.path.exists(log(path)):
        disk = os.statvfs(path)
        free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
        if disk.f_blocks and free * disk.f_frsize < _ROOM:
            raise OSError(errno.ENOSPC, _OUTAGES[sqlite3.SQLITE_FULL])


def _settle(handle: Handle, settings: Settings) -> None:
    handle.connection.execute(f"PRAGMA synchronous = {settings.synchronous}")
    handle.connection.execute("PRAGMA secure_delete = ON")
    handle.connection.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT}")
    handle.connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")


def has_long_log(handle: Handle) -> bool:
    """Tell whether the log is longer than it should get."""
    return os.stat(log(handle.path)).st_size > _LOG_KEPT


def restart_log(handle: Handle) -> None:
    """Have the log written into the file and begun again, if those who read what is old are done in a moment."""
    (before,) = handle.connection.execute("PRAGMA busy_timeout").fetchone()
    handle.connection.execute(f"PRAGMA busy_timeout = {_MOMENT_MS}")
    try:
        handle.connection.execute("PRAGMA wal_checkpoint(RESTART)")
    finally:
        handle.connection.execute(f"PRAGMA busy_timeout = {before}")


@contextmanager
def maintaining(path: str, settings: Settings) -> Iterator[sqlite3.Connection]:
    """A file that is there, whatever its schema, opened to be changed. Errors are SQLite's and the system's."""
    handle = _open(path, "rw", settings)
    try:
        _settle(handle, settings)
        yield handle.connection
    finally:
        handle.connection.close()


def remove(path: str, settings: Settings) -> None:
    """Take a file away that nobody else has open, with its log. Errors are SQLite's and the system's."""
    _need_room(path)
    handle = _open(path, "rw", settings)
    try:
        version(handle.connection, path)  # it is ours, or this raises
        handle.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        handle.connection.execute("PRAGMA journal_mode = DELETE")  # takes log and shared memory away
        handle.connection.execute("BEGIN EXCLUSIVE")
        os.unlink(path)
        sync_folder(os.path.dirname(path))
    finally:
        handle.connection.close()


def _make(path: str) -> None:
    """An empty file. What root makes belongs to whom the folder belongs, or the store's own user couldn't go on."""
    folder = os.path.dirname(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    try:
        if os.geteuid() == 0:
            owner = os.stat(folder)
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
    finally:
        os.close(descriptor)
    sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Let a new name in a folder survive a loss of power; where that can't be had, it is as good as it gets."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def reader(path: str, settings: Settings, *, any_version: bool = False) -> Handle | None:
    """A handle to read; none where there is no file, or nothing in it yet. Unavailable: a writer has just come."""
    if not os.path.exists(path):
        return None
    handle = _open(path, "ro", settings)
    try:
        if not handle.stamp:
            raise Unavailable(f"{path}: is just being changed")
        if (any_version and version(handle.connection, path)) or _is_made(handle):
            return handle
    except BaseException:
        handle.connection.close()
        raise
    handle.connection.close()
    return None


def _open(path: str, mode: str, settings: Settings) -> Handle:
    immutable = mode == "ro" and not os.path.exists(log(path))
    stamp = _stamp(path, immutable)
    name = f"file:{quote(os.fsencode(path))}?mode={mode}{'&immutable=1' if immutable else ''}"
    connection = sqlite3.connect(
        name, uri=True, timeout=settings.busy_seconds, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = text_back
    for function, call in FUNCTIONS.items():
        connection.create_function(function, 2, call, deterministic=True)
    if mode == "ro":
        connection.set_progress_handler(_breathe, _STEPS)
    return Handle(connection, path, immutable, stamp)


def log(path: str) -> str:
    """The write-ahead log of a file."""
    return path + "-wal"


def _breathe() -> int:
    """Called in the midst of long statements, so that Ctrl-C need not wait for their end."""
    return 0


def look(path: str) -> tuple[int, ...]:
    """What tells a file from another, and from itself after a change: identity, size, time, whether it has a log."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return ()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, int(os.path.exists(log(path))))


def _stamp(path: str, immutable: bool) -> tuple[int, ...]:
    """As much of it as has to stay while a handle is used; empty where it is missing, or must not be read so."""
    found = look(path)
    if not immutable:
        return found[:2]
    return () if not found or found[-1] else found


def _is_made(handle: Handle) -> bool:
    """Tell whether the file has our schema; False = it is empty. Raises ConfigError where it is somebody else's."""
    found = version(handle.connection, handle.path)
    if found is not None and found != VERSION:
        raise Outdated(complaint(found, os.path.dirname(handle.path)), handle.path)
    return found is not None


def version(connection: sqlite3.Connection, path: str) -> int | None:
    """The schema of a file; none = it is empty. Raises ConfigError where it is somebody else's."""
    application, found, tables = connection.execute(_MARKS).fetchone()
    if application == APPLICATION_ID:
        return int(found)
    if application or found or tables:
        raise ConfigError("is another program's database; move it away", path)
    if 0 < os.path.getsize(path) < _LEAST_PAGE:  # SQLite would call it empty
        raise ConfigError(_FOREIGN, path)
    return None


def _prepare(handle: Handle) -> None:
    """Give an empty file the schema. Whoever comes second finds it."""
    made = _is_made(handle)
    (mode,) = handle.connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise ConfigError("this file system can't share the memory that SQLite's write-ahead log needs", handle.path)
    if made:
        return
    with transaction(handle.connection):
        if not _is_made(handle):
            for statement in SCHEMA:
                handle.connection.execute(statement)


def _retried(step: Callable[[], None], seconds: float) -> None:
    """SQLite does not wait by itself while a file changes its journal mode."""
    until = time.monotonic() + seconds
    while True:
        try:
            return step()
        except sqlite3.OperationalError as error:
            if _primary(error) not in _BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    with begun(connection):
        yield


@contextmanager
def begun(connection: sqlite3.Connection) -> Iterator[None]:
    """The rest of a transaction that has begun."""
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # what failed may have rolled back already; no handle is used after a failure
            connection.execute("ROLLBACK")
        raise


@contextmanager
def translated(path: str) -> Iterator[None]:
    """SQLite's and the system's errors as ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if _primary(error) == sqlite3.SQLITE_INTERRUPT or str(error) == _RAISED:
            raise KeyboardInterrupt from None  # a signal came while it worked: our functions raise nothing else
        raise _ours(error, path) from None
    except (Damaged, UnicodeDecodeError):
        raise ConfigError(_DAMAGED, path) from None
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from None


def _ours(error: sqlite3.DatabaseError, path: str) -> TtyscribeError:
    code = _primary(error)
    if code in _BUSY:
        return Busy(f"{path}: another process is writing")
    if code in _OUTAGES:
        return Unavailable(f"{path}: {_OUTAGES[code]}")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return ConfigError(_FOREIGN, path)
    if code == sqlite3.SQLITE_CORRUPT:
        return ConfigError(_DAMAGED, path)
    if "no such module" in str(error):
        return ConfigError("this Python's SQLite is built without FTS5, which the word index needs", path)
    return ConfigError(f"{_DAMAGED} ({' '.join(str(error).split())})", path)


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
