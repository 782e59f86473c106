# SPDX-License-Identifier: Apache-2.0
"""The folder of the store on SQLite: one file a partition, opened by itself, few at a time.

Each read is one statement, read whole, so that no handle is ever in the middle of something: a file may be removed or
replaced at any time, and few handles do for any number of files.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ttyscribe_formats.errors import ConfigError, TtyscribeError, Unavailable
from ttyscribe_store import sqlite_handles as handles
from ttyscribe_store.partition import is_partition

SUFFIX = ".sqlite"
_FOLDER_MODE = 0o750
_IDLE_SECONDS = 60.0
_BOUND_SECONDS = 5.0
_READ_TRIES = 8
_READ_PAUSE = 0.01


class Files:
    """All partitions of one folder."""

    def __init__(self, folder: str, settings: handles.Settings, max_open: int) -> None:
        self.folder = folder
        self._settings = settings
        self._max_open = max_open
        self._writers: dict[str, handles.Handle] = {}
        self._readers: dict[str, handles.Handle] = {}
        self._written: dict[str, float] = {}
        self._bounded = -_BOUND_SECONDS

    def create(self, *, parents: bool) -> bool:
        """Make the folder where it is missing; tell whether it was. Raises ConfigError, Unavailable."""
        made = False
        try:
            if not os.path.isdir(self.folder):
                (os.makedirs if parents else os.mkdir)(self.folder, _FOLDER_MODE)
                handles.sync_folder(os.path.dirname(self.folder))
                made = True
        except FileExistsError:
            if not os.path.isdir(self.folder):
                raise ConfigError("is a file; the store needs a folder", self.folder) from None
        except NotADirectoryError:
            raise ConfigError("a part of this path is a file; the store needs a folder", self.folder) from None
        except FileNotFoundError:
            text = f"{self.folder}: no such folder; run ttyscribe setup --store sqlite:{self.folder}"
            raise Unavailable(text) from None
        except OSError as error:
            raise Unavailable(f"{self.folder}: can't be created: {error.strerror}") from None
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise Unavailable(f"{self.folder}: can't be written: no permission, or a read-only file system")
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

    @contextmanager
    def writing(self, name: str) -> Iterator[sqlite3.Connection]:
        """One transaction on a partition: all of it or nothing. Raises Busy, Unavailable, ConfigError."""
        path = self.path(name)
        with handles.translated(path):
            handle = self._begun(name, path)
            try:
                with handles.begun(handle.connection):
                    yield handle.connection
            except BaseException:  # nothing of what went wrong is kept
                self._writers.pop(name).connection.close()
                raise
            self._bound_log(handle)
        self._close_idle(name)

    def _bound_log(self, handle: handles.Handle) -> None:
        """Keep readers that follow each other without a pause from making the log longer and longer."""
        now = time.monotonic()
        with suppress(OSError, sqlite3.Error):  # what was written is written
            if now - self._bounded > _BOUND_SECONDS and handles.has_long_log(handle):
                self._bounded = now
                handles.restart_log(handle)

    def _begun(self, name: str, path: str) -> handles.Handle:
        """A handle in a transaction, of a file that is still the partition's: it may have gone while we waited."""
        while True:
            handle = self._kept(self._writers, name)
            if handle is None:
                self.create(parents=False)
                handle = handles.writer(path, self._settings)
            try:
                handle.connection.execute("BEGIN IMMEDIATE")
                if handle.is_current():
                    self._keep(self._writers, name, handle)
                    return handle
                handle.connection.execute("ROLLBACK")
            except BaseException:
                self._writers.pop(name, None)
                handle.connection.close()
                raise

    def _close_idle(self, name: str) -> None:
        """Let go of files that were not written for a while, so that others can take them away."""
        now = self._written[name] = time.monotonic()
        for other in [other for other, when in self._written.items() if now - when > _IDLE_SECONDS]:
            del self._written[other]
            if other in self._writers:
                self._writers.pop(other).connection.close()

    def empty_log(self, name: str) -> None:
        """Bring all that was written into the file itself, and the log to nothing, as far as readers let us."""
        with handles.translated(self.path(name)):
            handle = self._kept(self._writers, name)
            if handle is not None:
                handle.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def read(self, name: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of one statement; none where the partition has gone. Raises Unavailable, ConfigError."""
        path = self.path(name)
        for tries in range(1, _READ_TRIES + 1):
            handle = self._kept(self._readers, name)
            seen = () if handle else handles.look(path)
            try:
                with handles.translated(path):
                    handle = handle or handles.reader(path, self._settings)
                    if handle is None:
                        return []
                    self._keep(self._readers, name, handle)
                    rows = handle.connection.execute(sql, values).fetchall()
            except TtyscribeError:
                same = handles.look(path) == seen if handle is None else handle.is_current()
                if same or tries == _READ_TRIES:
                    raise
                time.sleep(_READ_PAUSE)
            else:
                if handle.is_current():
                    return rows
        raise Unavailable(f"{path}: changes faster than it can be read")

    def size(self, name: str) -> int:
        """Bytes that a partition takes, its log included."""
        found = 0
        for path in (self.path(name), handles.log(self.path(name))):
            with suppress(FileNotFoundError):
                found += os.stat(path).st_size
        return found

    def remove(self, name: str) -> None:
        """Take a partition away. Raises Busy where another process has it open, ConfigError where it is not ours."""
        for kept in (self._writers, self._readers):
            if name in kept:
                kept.pop(name).connection.close()
        with handles.translated(self.path(name)):
            handles.remove(self.path(name), self._settings)

    def path(self, name: str) -> str:
        """The file of a partition."""
        return os.path.join(self.folder, name + SUFFIX)

    @staticmethod
    def _kept(kept: dict[str, handles.Handle], name: str) -> handles.Handle | None:
        """An open handle, if its file is still the one that was opened."""
        handle = kept.get(name)
        if handle is None or handle.is_current():
            return handle
        kept.pop(name).connection.close()
        return None

    def _keep(self, kept: dict[str, handles.Handle], name: str, handle: handles.Handle) -> None:
        """Keep it as the last one used; close those that were not used for longest."""
        kept.pop(name, None)
        kept[name] = handle
        while len(kept) > self._max_open:
            kept.pop(next(iter(kept))).connection.close()

    def close(self) -> None:
        """Close every file; who may write comes last, and takes the log away."""
        for kept in (self._readers, self._writers):
            while kept:
                kept.popitem()[1].connection.close()


def _is_ours(name: str) -> bool:
    return name.endswith(SUFFIX) and is_partition(name.removesuffix(SUFFIX))
