# SPDX-License-Identifier: Apache-2.0
"""Small disks, and full ones (root)."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file:
        while _fits(file):
            pass


def _fits(file: FileIO) -> bool:
    try:
        return file.write(bytes(4096)) > 0
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - which of its errors it was
        return False
