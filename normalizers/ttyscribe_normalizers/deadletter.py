# SPDX-License-Identifier: Apache-2.0
"""The dead letter: a file that keeps what can't be stored, with the reason, until somebody looks.

One JSON object a line; docs/contracts/envelope.md names its keys. Any number of processes may append to one file.
"""

import fcntl
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers.pipeline import Dead
from ttyscribe_store import jsontext

MAX_SIZE = 64 << 20
"""Bytes after which a file is put aside under the next number; none is ever deleted."""
_MODE = 0o640


class Entry(NamedTuple):
    """One line that could not be stored, or one of its documents."""

    line: bytes
    dead: Dead
    document: Document | None = None


def fields_of(entry: Entry, time: str) -> dict[str, Any]:
    """An entry as one object. `time` is now."""
    return {
        "v": 1,
        "time": time,
        "received": entry.dead.received or time,
        "status": entry.dead.status,
        "reason": entry.dead.reason,
        "raw": b64encode(entry.line).decode(),
        "document": entry.document,
    }


def encode(entry: Entry, time: str) -> bytes:
    """One line of the file, with its LF. `time` is now."""
    fields = fields_of(entry, time)
    try:
        return jsontext.dumps(fields) + b"\n"
    except (TypeError, ValueError):  # a document that can't be written as JSON: the raw line makes it again
        fields["document"] = None
        return json.dumps(fields).encode() + b"\n"


def read_entry(line: bytes) -> tuple[bytes, int, dict[str, Any]]:
    """Of a line of the file the raw line, the time of receipt in ns, and the whole entry. Raises MessageError."""
    try:
        entry = json.loads(line)
        return b64decode(entry["raw"], validate=True), timestamp.parse(entry["received"]), entry
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MessageError("no entry of a dead letter") from None


class DeadLetter:
    """Appends to `path`; what `append` returned from is on the disk."""

    def __init__(self, path: Path, max_size: int = MAX_SIZE) -> None:
        self.path = path
        self._max_size = max_size
        self._file = -1

    def check(self) -> None:
        """Raise ConfigError where the file could never be written."""
        there = self.path.exists()
        if there and not self.path.is_file():
            problem = "no plain file"
        elif not self.path.parent.is_dir():
            problem = "its folder does not exist"
        elif not os.access(self.path if there else self.path.parent, os.W_OK):
            problem = "can't be written"
        else:
            return
        raise ConfigError(f"the dead letter: {problem}; name another file with --dead-letter", str(self.path))

    def append(self, entries: Sequence[Entry], time: str) -> None:
        """Write and sync. OSError (a full disk): nothing of it is in the file."""
        self.append_encoded([encode(entry, time) for entry in entries])

    def append_encoded(self, lines: Sequence[bytes]) -> None:
        """The same for entries that are lines already, each with its LF."""
        data = b"".join(lines)
        size = self._locked(len(data))
        try:
            self._write(data, size)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _locked(self, adding: int) -> int:
        """Open and lock the file that is in use now; its size. Puts it aside first where it would grow too large."""
        while True:
            if self._file < 0:
                self._open()
            fcntl.flock(self._file, fcntl.LOCK_EX)
            size = os.fstat(self._file).st_size
            if not self._is_current():
                self.close()  # another process has put it aside
            elif size and size + adding > self._max_size:
                self._put_aside()
            else:
                return size

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        self._sync_folder()

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _put_aside(self) -> None:
        """Rename to the next free number. Called with the lock, so that one process only does it."""
        pattern = re.compile(re.escape(self.path.name) + r"\.([0-9]{1,9})")
        numbers = [int(match[1]) for name in os.listdir(self.path.parent) if (match := pattern.fullmatch(name))]
        os.rename(self.path, f"{self.path}.{max(numbers, default=0) + 1}")
        self.close()

    def _write(self, data: bytes, size: int) -> None:
        """Append all of it, on a line of its own: a process that died in the middle may have left half a line."""
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            data = b"\n" + data
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
