# SPDX-License-Identifier: Apache-2.0
"""One process's folder of the spool: appended to by its owner, read in order, forgotten once delivered.

It holds `lock` (a kernel lock, free as soon as the owner is dead), segment files `00000001.seg` and on, and `done`: how
far it is delivered. Only the owner appends. Whoever holds the lock may read and commit; where `done` is behind the
truth, lines are delivered twice, which stores them once.
"""

import errno
import fcntl
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_normalizers.spool import record
from ttyscribe_normalizers.spool.record import Record

SEGMENT_SIZE = 16 << 20
READ_SIZE = 1 << 20
_MODE = 0o640
_LOCK, _DONE, _SUFFIX = "lock", "done", ".seg"
_DONE_FORM = struct.Struct("<QQI")


class Position(NamedTuple):
    """A place in a folder: the segment's number and the bytes into it."""

    segment: int
    offset: int


class Batch(NamedTuple):
    """Lines read from a folder, and how far the folder is delivered once they are."""

    records: list[Record]
    end: Position
    damage: str = ""
    """Why the rest of the segment can't be read; `records` then holds one: that rest."""


class Folder:
    """A folder whose lock we hold. Not for several threads at once.

    With `sync` an appended line is on the disk when `append` returns, not only with the kernel.
    """

    def __init__(self, path: Path, lock: int, *, segment_size: int = SEGMENT_SIZE, sync: bool = False) -> None:
        self.path = path
        self._lock = lock
        self._segment_size = segment_size
        self._sync = sync
        self._sizes = {number: os.stat(self._file(number)).st_size for number in _numbers(path)}
        """Bytes of each segment file."""
        self._bytes = sum(self._sizes.values())
        self._last = max(self._sizes, default=0)
        self._done = self._at = self._read_done()
        self._write = self._read = -1
        self._reading = 0

    @property
    def size(self) -> int:
        """Bytes of its files that are not delivered."""
        return self._bytes - (self._done.offset if self._done.segment in self._sizes else 0)

    @property
    def waiting(self) -> bool:
        """Whether there is something behind what was read."""
        return self._next() is not None

    # -- writing ---------------------------------------------------------------------------------------------------

    def append(self, data: bytes, now_ns: int, size: int) -> None:
        """Keep one line (of `size` bytes when it came). OSError (a full disk): nothing of it is kept."""
        encoded = record.encode(data, now_ns, size)
        if self._write < 0 or self._sizes[self._last] + len(encoded) > self._segment_size:
            self._begin_segment()
        before = self._sizes[self._last]
        try:
            _write_whole(self._write, encoded)
            if self._sync:
                os.fdatasync(self._write)
        except OSError:
            os.ftruncate(self._write, before)
            if before > len(record.MAGIC):
                self._close_writing()  # so that it can go, and make room, as soon as it is delivered
            raise
        self._sizes[self._last] = before + len(encoded)
        self._bytes += len(encoded)

    def _begin_segment(self) -> None:
        number = self._last + 1
        path = self._file(number)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
        try:
            _write_whole(fd, record.MAGIC)
            if self._sync:
                _sync_folder(self.path)
        except OSError:
            os.close(fd)
            path.unlink()
            raise
        self._close_writing()
        self._write, self._last = fd, number
        self._sizes[number] = len(record.MAGIC)
        self._bytes += len(record.MAGIC)

    # -- reading ---------------------------------------------------------------------------------------------------

    def read(self, most: int, most_bytes: int = READ_SIZE) -> Batch:
        """The next lines, up to `most` of about `most_bytes` together; none where nothing waits."""
        while (at := self._next()) is not None:
            if not self._open(at.segment):
                return self._damaged(Position(at.segment, 0), "it does not begin as a segment does")
            rest = self._sizes[at.segment] - at.offset
            buffer = os.pread(self._read, min(rest, most_bytes), at.offset)
            wanted = record.needed(buffer)
            if len(buffer) < wanted <= rest:
                buffer = os.pread(self._read, wanted, at.offset)
            try:
                found, taken = record.decode(buffer, most)
            except MessageError as error:
                return self._damaged(at, str(error))
            if found:
                self._at = Position(at.segment, at.offset + taken)
                return Batch(found, self._at)
            # A record that its writer did not live to finish: it was never confirmed.
            self._at = Position(at.segment, self._sizes[at.segment])
        return Batch([], self._at)

    def rewind(self) -> None:
        """Read again what is not committed."""
        self._at = self._done

    def commit(self, end: Position) -> None:
        """What was read up to here is delivered: forget it.

        OSError (a full disk): the next owner may deliver some of it again. What is delivered whole goes all the same,
        before anything is written, because it may be what the disk is full of.
        """
        self._done = end
        for number in sorted(self._sizes):
            if number > end.segment or (number == self._last and self._write >= 0):
                break
            if number == end.segment and end.offset < self._sizes[number]:
                break
            if number == self._reading:
                self._close_reading()  # an open file keeps its place on the disk
            self._file(number).unlink()
            self._bytes -= self._sizes.pop(number)
        self._write_done(end)

    def _next(self) -> Position | None:
        """Where to read next; None where nothing waits."""
        for number in sorted(self._sizes):
            offset = max(self._at.offset if number == self._at.segment else 0, len(record.MAGIC))
            if number >= self._at.segment and self._sizes[number] > offset:
                return Position(number, offset)
        return None

    def _open(self, number: int) -> bool:
        """Have the segment open; False where it is none."""
        if self._reading != number:
            self._close_reading()
            self._read = os.open(self._file(number), os.O_RDONLY | os.O_CLOEXEC)
            self._reading = number
        return os.pread(self._read, len(record.MAGIC), 0) == record.MAGIC

    def _damaged(self, at: Position, why: str) -> Batch:
        """The rest of a segment of which a record can't be read, as one line."""
        rest = os.pread(self._read, min(self._sizes[at.segment] - at.offset, record.MAX_SIZE), at.offset)
        self._at = Position(at.segment, at.offset + len(rest))
        return Batch([Record(rest, 0, len(rest))], self._at, f"{self._file(at.segment)}, byte {at.offset}: {why}")

    # -- how far it is delivered -------------------------------------------------------------------------------------

    def _read_done(self) -> Position:
        first = Position(min(self._sizes, default=0), 0)
        try:
            segment, offset, check = _DONE_FORM.unpack((self.path / _DONE).read_bytes())
        except (OSError, struct.error):
            return first
        head = struct.pack("<QQ", segment, offset)
        return Position(segment, offset) if zlib.crc32(head) == check and segment >= first.segment else first

    def _write_done(self, position: Position) -> None:
        head = struct.pack("<QQ", *position)
        fd = os.open(self.path / _DONE, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            os.pwrite(fd, head + struct.pack("<I", zlib.crc32(head)), 0)
        finally:
            os.close(fd)

    def _file(self, number: int) -> Path:
        return self.path / f"{number:08d}{_SUFFIX}"

    # -- the end -----------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Take the folder away, lock last; only where nothing waits."""
        for name in os.listdir(self.path):
            if name != _LOCK:
                (self.path / name).unlink()
        (self.path / _LOCK).unlink()
        self.close()
        self.path.rmdir()

    def close(self) -> None:
        """Let go of files and lock; what waits is for whoever takes the folder over."""
        self._close_reading()
        self._close_writing()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _close_writing(self) -> None:
        """End the segment; the next line begins one."""
        if self._write >= 0:
            os.close(self._write)
            self._write = -1

    def _close_reading(self) -> None:
        if self._read >= 0:
            os.close(self._read)
            self._read, self._reading = -1, 0


def _write_whole(fd: int, data: bytes) -> None:
    """Write all of it, or raise OSError; what a short write has left is the caller's to cut."""
    if os.write(fd, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _numbers(path: Path) -> list[int]:
    stems = (name.removesuffix(_SUFFIX) for name in os.listdir(path) if name.endswith(_SUFFIX))
    return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdecimal())


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def try_lock(path: Path) -> int:
    """The folder's lock, held; -1 where somebody else has it, or the folder is gone."""
    try:
        fd = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(fd), os.stat(path / _LOCK)):
            return fd
    except OSError:
        pass
    os.close(fd)
    return -1


def make(path: Path) -> int:
    """Make the folder with its lock held, so that nobody ever sees it without; the lock."""
    new = path.with_name(f".{path.name}")
    new.mkdir(mode=0o750)
    try:
        fd = os.open(new / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    except OSError:
        new.rmdir()  # it is tried again
        raise
    fcntl.flock(fd, fcntl.LOCK_EX)
    new.rename(path)
    return fd
