# SPDX-License-Identifier: Apache-2.0
"""A host's files as a value, so that before and after can be compared byte for byte."""

import hashlib
import os
import stat
from collections.abc import Collection
from pathlib import Path

Entry = tuple[str, int, int, int, str]
"""Kind, mode, uid, gid, and a link's target or a digest of the content."""


def snapshot(root: Path, without: Collection[str] = ()) -> dict[str, Entry]:
    """Everything below a folder but what is mounted there, and but the paths (below it) of `without`."""
    found: dict[str, Entry] = {}
    device = root.stat().st_dev
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        for name in [*folders, *files]:
            path = Path(folder, name)
            shown = os.path.normpath(f"{inside}/{name}")
            about = path.lstat()
            if shown in without or about.st_dev != device:
                if name in folders:
                    folders.remove(name)
                continue
            said = ""
            if stat.S_ISLNK(about.st_mode):
                said = os.readlink(path)
            elif stat.S_ISREG(about.st_mode):
                said = hashlib.blake2b(path.read_bytes()).hexdigest()
            kind = oct(stat.S_IFMT(about.st_mode))
            found[shown] = (kind, stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid, said)
    return found


def difference(before: dict[str, Entry], after: dict[str, Entry]) -> list[str]:
    """Paths that differ, each with what it was and is."""
    return [
        f"{path}: {before.get(path)} -> {after.get(path)}"
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
