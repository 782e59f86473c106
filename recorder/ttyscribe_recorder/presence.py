# SPDX-License-Identifier: Apache-2.0
"""Who records here: each recorder holds a lock on a small file, so that others can tell that it lives.

The lock is the kernel's (POSIX): it ends with the process, however that ends, and names its holder. A session is
recorded already where one of its own ancestors holds such a lock in the same audit session: true for a shell inside a
recorded one, never for a neighbour that only shares the audit session (or has none, as in containers). Files count
where they belong to us or to root.
"""

import os
from fcntl import F_GETLK, F_WRLCK, LOCK_EX, LOCK_NB, fcntl, lockf

from ttyscribe_recorder.header import read_small, to_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Recorder = tuple[int, str]
    """The process of a living recorder above us, and what it says of itself; empty while it starts."""

SESSION, COMMAND = "session", "command"
_FLOCK = "@hhqqi"  # struct flock: type, whence, start, length, process
_OPEN, _SHARED = 0o755, 0o1777


def folders(first: str) -> "Iterator[str]":
    """Where such files may lie: the host's folder, else the user's own."""
    uid = os.getuid()
    yield from (first, f"/run/user/{uid}/ttyscribe", f"/tmp/ttyscribe-{uid}")  # noqa: S108 # checked for its owner


class Presence:
    """Our own file, locked. Where none can be had, recording goes on without."""

    def __init__(self, folder: str, sort: str) -> None:
        self._path = ""
        self._fd = -1
        for number, place in enumerate(folders(folder)):
            if _prepare(place, shared=not number) and self._open(f"{place}/{sort}.{os.getpid()}"):
                return

    def _open(self, path: str) -> bool:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(path, flags, 0o644)
        except OSError:
            return False
        try:
            lockf(fd, LOCK_EX | LOCK_NB)
            os.ftruncate(fd, 0)
        except OSError:
            os.close(fd)
            return False
        self._path, self._fd = path, fd
        return True

    def tell(self, text: str) -> None:
        """Say what is recorded, in one line."""
        if self._fd >= 0:
            try:
                os.pwrite(self._fd, f"{text}\n".encode("utf-8", "replace"), 0)
            except OSError:
                pass

    def close(self) -> None:
        """We record no longer."""
        if self._fd >= 0:
            try:
                os.unlink(self._path)
            except OSError:
                pass
            os.close(self._fd)
            self._fd = -1


def _prepare(folder: str, *, shared: bool) -> bool:
    """Make sure that the folder is there and nobody else's trap."""
    try:
        about = os.lstat(folder)
    except OSError:
        try:
            _make(folder, shared=shared)
            about = os.lstat(folder)
        except OSError:
            return False
    return about.st_uid in (0, os.getuid()) and about.st_mode & 0o170000 == 0o040000


def _make(folder: str, *, shared: bool) -> None:
    if not shared or os.getuid():
        os.mkdir(folder, 0o700)
        return
    above = os.path.dirname(folder)
    if not os.path.isdir(above):
        os.mkdir(above)
        os.chmod(above, _OPEN)  # whatever our umask
    os.mkdir(folder)
    os.chmod(folder, _SHARED)


def ancestors() -> "Iterator[int]":
    """Our parent, its parent and so on."""
    pid = os.getppid()
    while pid > 0:
        yield pid
        fields = read_small(f"/proc/{pid}/stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0


def find(folder: str, sorts: tuple[str, ...]) -> "Recorder | None":
    """The nearest recorder of one of these sorts that we run under."""
    session = read_small("/proc/self/sessionid")
    places = [place for place in folders(folder) if os.path.isdir(place)]
    if not places:
        return None
    for pid in ancestors():
        for place in places:
            for sort in sorts:
                text = _held(f"{place}/{sort}.{pid}", pid)
                if text is not None and read_small(f"/proc/{pid}/sessionid") == session:
                    return pid, text
    return None


def _held(path: str, pid: int) -> str | None:
    """The file's text, if it is one that counts and the process holds its lock."""
    from _struct import pack, unpack

    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(fd).st_uid not in (0, os.getuid()):
            return None
        answer = fcntl(fd, F_GETLK, pack(_FLOCK, F_WRLCK, 0, 0, 0, 0) + bytes(4))
        kind, _, _, _, holder = unpack(_FLOCK, answer[:-4])
        return to_text(os.read(fd, 4096)).strip() if kind == F_WRLCK and holder == pid else None
    except OSError:
        return None
    finally:
        os.close(fd)
