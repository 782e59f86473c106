# SPDX-License-Identifier: Apache-2.0
"""One host's file system, perhaps below a folder (`--root`): every change is whole or not there at all."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

_NEW = ".ttyscribe-new"
_NOBODY = "65534:65534"
_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}


class Machine:
    """Paths are the host's own; `root` is where that host's / is."""

    def __init__(self, root: str = "/") -> None:
        self.root = Path(os.path.abspath(root))
        self.live = self.root == Path("/")
        """This very host, not a tree for another."""
        self.privileged = os.geteuid() == 0

    def at(self, path: str) -> Path:
        """Where a path of the host is for us."""
        return self.root / path.lstrip("/")

    def there(self, path: str) -> bool:
        """Whether anything has this name, a dangling link too."""
        return os.path.lexists(self.at(path))

    def read(self, path: str) -> bytes | None:
        """A plain file's content; None where there is none."""
        place = self.at(path)
        return place.read_bytes() if place.is_file() and not place.is_symlink() else None

    def target(self, path: str) -> str | None:
        """Where a link leads; None where there is no link."""
        place = self.at(path)
        return os.readlink(place) if place.is_symlink() else None

    def mode(self, path: str) -> int:
        """Permission bits."""
        return stat.S_IMODE(self.at(path).lstat().st_mode)

    def write(self, path: str, data: bytes, mode: int) -> None:
        """Put a file in place by one rename."""
        new = self._new(path)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(data)
            os.fchmod(fd, mode)
            if self.privileged:
                os.fchown(fd, 0, 0)
                file.flush()
                os.fsync(fd)
        os.rename(new, self.at(path))

    def link(self, path: str, target: str) -> None:
        """Put a symbolic link in place by one rename."""
        new = self._new(path)
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        os.rename(new, self.at(path))

    def folder(self, path: str, mode: int = 0o755) -> None:
        """Make a folder."""
        place = self.at(path)
        if not place.is_dir():
            place.mkdir()
        place.chmod(mode)

    def missing_folders(self, paths: Iterable[str]) -> list[str]:
        """Folders above these paths that are not there yet, outermost first."""
        found: list[str] = []
        for path in paths:
            above = [str(parent) for parent in Path(path).parents][:-1]
            found += [parent for parent in reversed(above) if parent not in found and not self.at(parent).is_dir()]
        return found

    def tree(self, path: str, files: dict[str, bytes]) -> Path:
        """Write a whole tree under a name beside its own; `settle` gives it its name."""
        new = self._new(path)
        shutil.rmtree(new, ignore_errors=True)
        for name, data in files.items():
            place = new / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(0o644)
        for folder, _, _ in os.walk(new):
            Path(folder).chmod(0o755)  # whatever our umask
        return new

    def settle(self, path: str) -> None:
        """Let a tree that is complete have its name."""
        if self.privileged:
            os.sync()
        os.rename(self._new(path), self.at(path))

    def remove(self, path: str) -> bool:
        """Remove a file, a link or a tree; whether there was any."""
        self.clear(path)
        return _remove(self.at(path))

    def clear(self, path: str) -> None:
        """Remove what an interrupted change of a path left."""
        _remove(self._new(path))

    def remove_folder(self, path: str) -> bool:
        """Remove a folder if it is empty."""
        try:
            self.at(path).rmdir()
        except OSError:
            return False
        return True

    def run(self, command: Sequence[str], *, nobody: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program of that host, where we may with an ordinary user's rights."""
        words = list(command)
        if self.privileged and (nobody or not self.live):
            words = ["chroot", *([f"--userspec={_NOBODY}", "--groups="] if nobody else []), str(self.root), *words]
        return subprocess.run(
            words,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=_CLEAN,
            stdin=subprocess.DEVNULL,
            cwd="/",
        )

    @property
    def runs(self) -> bool:
        """Whether programs of that host can be run."""
        return self.live or self.privileged

    def program(self, *paths: str) -> str | None:
        """The first of these programs that the host has."""
        return next((path for path in paths if self.runs and os.access(self.at(path), os.X_OK)), None)

    def _new(self, path: str) -> Path:
        place = self.at(path)
        return place.with_name(f".{place.name}{_NEW}")


def _remove(place: Path) -> bool:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif os.path.lexists(place):
        place.unlink()
    else:
        return False
    return True
