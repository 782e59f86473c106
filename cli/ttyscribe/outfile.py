# SPDX-License-Identifier: Apache-2.0
"""Files that are there whole or not at all: written without a name, and named when all is in them.

What is written to is no file (a pipe, a device, standard output) is written at once.
"""

import os
import stat
import sys
from contextlib import ExitStack, suppress
from typing import BinaryIO, Self

from ttyscribe_formats.errors import ConfigError

_DESCRIPTORS = "/proc/self/fd"


class Outputs:
    """Some of them. Use as a context manager, and call `finish` when all is written; else nothing is there."""

    def __init__(self, *, force: bool) -> None:
        self._force = force
        self._opened = ExitStack()
        self._waiting: list[tuple[BinaryIO, str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file, temporary, _path in self._waiting:
            file.close()
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
        self._opened.close()

    def open(self, path: str) -> BinaryIO:
        """To write to. ConfigError where a file is there already (without force), or none can be made."""
        if path == "-":
            return sys.stdout.buffer
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return self._opened.enter_context(open(path, "wb"))
            if not self._force:
                raise ConfigError("is there already; --force writes over it", path)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise _refused(error, path) from None
        path = os.path.realpath(path)  # what a link leads to is written, not the link
        if path in (name for _, _, name in self._waiting):
            raise ConfigError("is named twice", path)
        file, temporary = _nameless(path)
        self._waiting.append((file, temporary, path))
        return file

    def finish(self) -> None:
        """Give all of them their names. ConfigError where that can't be."""
        for file, _, path in self._waiting:
            try:
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise _refused(error, path) from None
        for file, temporary, path in self._waiting:
            try:
                self._name(file, temporary, path)
            except FileExistsError:
                raise ConfigError("is there already; --force writes over it", path) from None
            except OSError as error:
                raise _refused(error, path) from None

    def _name(self, file: BinaryIO, temporary: str, path: str) -> None:
        if not self._force:
            _link(file, temporary, path)
            return
        if not temporary:
            temporary = _beside(path)
            _link(file, "", temporary)
        os.replace(temporary, path)


def _link(file: BinaryIO, temporary: str, path: str) -> None:
    """Give a file one more name; FileExistsError where that is taken."""
    if temporary:
        os.link(temporary, path)
        return
    folder = os.open(_DESCRIPTORS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(str(file.fileno()), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _refused(error: OSError, path: str) -> ConfigError:
    return ConfigError(f"cannot be written: {error.strerror or error}", path)


def _beside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)[:200]}.{os.getpid()}")


def _nameless(path: str) -> tuple[BinaryIO, str]:
    """A file in the folder of `path`, and its name where it has to have one."""
    folder = os.path.dirname(path) or "."
    try:
        if not os.path.isdir(_DESCRIPTORS):
            raise OSError
        return open(os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666), "wb"), ""
    except OSError:
        pass  # the file system has no such files
    try:
        return open(_beside(path), "xb"), _beside(path)
    except OSError as error:
        raise _refused(error, path) from None
