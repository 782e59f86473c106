# SPDX-License-Identifier: Apache-2.0
"""Copies a folder of SQLite files while others write into it: each file as it is at one moment, then verified.

The copy is a store itself. Months that have not changed since the last copy are left as they are; a list beside the
files says what each was copied from.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import quote

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import sqlite_handles as handles
from ttyscribe_store.sqlite_files import SUFFIX, Files

Tell = Callable[[int, int], None]
"""Takes how many bytes are done, and how many there are."""
LIST = "backup.json"
_SETTINGS = handles.Settings(busy_seconds=10.0, synchronous="NORMAL")
_FOLDER_MODE = 0o750
_FILE_MODE = 0o640
_ENTRY = {"source", "documents", "size", "copy"}
_PAGES = 2000
_TICK_NS = 100_000_000
_TRIES = 5
_COUNT = "SELECT count(*) FROM document"


class Copied(NamedTuple):
    """What became of one file."""

    name: str
    documents: int
    size: int
    status: str
    """`copied`, `unchanged`, or `kept`: it is in the copy and no longer in the store."""


def backup(folder: str, target: str, tell: Tell = lambda _, __: None) -> Iterator[Copied]:
    """Copy all files that changed. Raises ConfigError, Unavailable; what was copied before stays then.

    A damaged file is left alone and told at the end: it keeps no other month from being copied.
    """
    files = Files(folder, _SETTINGS, 1)
    names = files.names()
    _prepare(folder, target)
    known = _load(target)
    total, done = sum(map(files.size, names)), 0
    damage: ConfigError | None = None
    for name in names:
        stamp = _stamp(files.path(name))
        size = files.size(name)
        entry = known.get(name)
        if stamp and entry and entry["source"] == stamp and _copy_is(target, name, entry):
            yield Copied(name, entry["documents"], entry["size"], "unchanged")
        else:

            def advance(part: float, before: int = done, whole: int = size) -> None:
                tell(before + int(whole * part), total)

            try:
                known[name] = entry = _copied(files.path(name), target, name, advance)
            except ConfigError as error:
                damage = damage or error
            else:
                _save(target, known)
                yield Copied(name, entry["documents"], entry["size"], "copied")
        done += size
        tell(done, total)
    for name in sorted(set(known) - set(names)):
        yield Copied(name, known[name]["documents"], known[name]["size"], "kept")
    if damage:
        raise damage


def _prepare(folder: str, target: str) -> None:
    here, there = os.path.realpath(folder), os.path.realpath(target)
    if there == here or os.path.commonpath([here, there]) == here:
        raise ConfigError("is in the store itself; name another folder", target)
    try:
        os.makedirs(target, _FOLDER_MODE, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"can't be created: {error.strerror}", target) from None


def _load(target: str) -> dict[str, Any]:
    """What was copied before; a list that can't be read is none, so that all is copied again."""
    try:
        with open(os.path.join(target, LIST), encoding="utf-8") as file:
            found = json.load(file)["files"]
            return {name: entry for name, entry in found.items() if set(entry) >= _ENTRY}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _save(target: str, known: dict[str, Any]) -> None:
    path = os.path.join(target, LIST)
    with handles.translated(path):
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"files": known}, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)
        handles.sync_folder(target)


def _stamp(path: str) -> list[int]:
    """What tells whether a file or its log has changed; empty where they have just been: a clock has its ticks."""
    found = os.stat(path)
    stamp, newest = [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns], found.st_mtime_ns
    with suppress(FileNotFoundError):
        log = os.stat(handles.log(path))
        if log.st_size:
            stamp, newest = [*stamp, log.st_ino, log.st_size, log.st_mtime_ns], max(newest, log.st_mtime_ns)
    return stamp if newest < time.time_ns() - _TICK_NS else []


def _copy_is(target: str, name: str, entry: dict[str, Any]) -> bool:
    """Tell whether the copy is still the one that was made."""
    try:
        found = os.stat(os.path.join(target, name + SUFFIX))
    except OSError:
        return False
    return bool([found.st_size, found.st_mtime_ns] == entry["copy"])


def _copied(path: str, target: str, name: str, tell: Callable[[float], None]) -> dict[str, Any]:
    """Copy one file beside the old copy, verify it, and put it in place."""
    final = os.path.join(target, name + SUFFIX)
    partial = final + ".partial"
    try:
        with handles.translated(final):
            for _ in range(_TRIES):
                stamp = _stamp(path)
                with _source_named(path):
                    documents = _copy(path, partial, tell)
                if documents is not None:
                    break
            else:
                raise Unavailable(f"{path}: changes faster than it can be read")
            _verify(path, partial, documents)
            with open(partial, "rb") as file:
                os.fsync(file.fileno())
            os.replace(partial, final)
            handles.sync_folder(target)
            found = os.stat(final)
    finally:
        for left in (partial, partial + "-journal", partial + "-wal", partial + "-shm"):
            with suppress(OSError):
                os.unlink(left)
    return {
        "source": stamp,
        "documents": documents,
        "size": found.st_size,
        "copy": [found.st_size, found.st_mtime_ns],
    }


def _copy(path: str, partial: str, tell: Callable[[float], None]) -> int | None:
    """Copy a file as it is at one moment; how many documents that are, none where it must be tried again."""
    with suppress(FileNotFoundError):
        os.unlink(partial)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE))
    try:
        handle = handles.reader(path, _SETTINGS, any_version=True)
    except Unavailable:
        return None
    if handle is None:
        raise Unavailable(f"{path}: has just gone")
    with closing(handle.connection) as source, closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # it is synced when it is whole
        source.execute("BEGIN")  # the copy is of one moment, however long it takes, and holds no writer up
        documents = int(source.execute(_COUNT).fetchone()[0])
        source.backup(copy, pages=_PAGES, progress=lambda _, left, whole: tell(1 - left / max(whole, 1)), sleep=0)
        source.execute("ROLLBACK")
        return documents if handle.is_current() else None


@contextmanager
def _source_named(path: str) -> Iterator[None]:
    """Damage is the source's; anything else, such as a full disk, the copy's."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        with handles.translated(path):
            raise


def _verify(path: str, partial: str, documents: int) -> None:
    """Raise ConfigError where the copy of a file is not whole."""
    name = f"file:{quote(os.fsencode(partial))}?mode=ro&immutable=1"
    with closing(sqlite3.connect(name, uri=True)) as copy:
        said = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(1)")]
        found = copy.execute(_COUNT).fetchone()[0] if said == ["ok"] else 0
    if said != ["ok"] or found != documents:
        raise ConfigError(f"is damaged, or its copy is ({' '.join(said[0].split())}); run ttyscribe store verify", path)
