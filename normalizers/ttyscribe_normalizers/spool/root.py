# SPDX-License-Identifier: Apache-2.0
"""The spool's root: one folder for each process, and those that dead processes have left."""

import os
import uuid
from pathlib import Path

from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers.spool import folder
from ttyscribe_normalizers.spool.folder import SEGMENT_SIZE, Folder


class Root:
    """`path` may be shared by any number of processes."""

    def __init__(self, path: Path, *, segment_size: int = SEGMENT_SIZE, sync: bool = False) -> None:
        self.path = path
        self._segment_size = segment_size
        self._sync = sync

    def check(self) -> None:
        """Raise ConfigError where nothing could be kept here."""
        try:
            self.path.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the spool can't be made: {error.strerror}", str(self.path)) from None
        if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
            raise ConfigError("the spool can't be written; name another folder with --spool", str(self.path))

    def own(self) -> Folder:
        """A new folder of our own. OSError where it can't be made."""
        path = self.path / uuid.uuid4().hex
        return Folder(path, folder.make(path), segment_size=self._segment_size, sync=self._sync)

    def adopt(self) -> Folder | None:
        """A folder that nobody owns any more and that still holds lines; empty ones are taken away on the way."""
        for name in sorted(os.listdir(self.path)):
            path = self.path / name
            lock = -1 if name.startswith(".") else folder.try_lock(path)
            if lock < 0:
                continue
            found = Folder(path, lock, segment_size=self._segment_size, sync=self._sync)
            if found.waiting:
                return found
            found.remove()
        return None
