# SPDX-License-Identifier: Apache-2.0
"""Keeps the cursor of the last journal entry that is delivered, for `journalctl --after-cursor`.

journalctl's own --cursor-file tells what was printed: what stood in the pipe when a program was killed would be left
out. An older cursor costs nothing but time: the entry's cursor is its identity, and nothing is stored twice.
"""

import os
from pathlib import Path

from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import exact
from ttyscribe_normalizers.logs import Report, Seldom


class JournalCursor:
    """Called with the last line of each batch that is delivered; what can't be written is reported, and no more."""

    def __init__(self, path: Path, report: Report) -> None:
        self._path = path
        self._report = Seldom(report)

    def check(self) -> None:
        """Raise ConfigError where the file could never be written."""
        if not os.access(self._path.parent, os.W_OK) or self._path.is_dir():
            raise ConfigError(
                "can't keep the journal's cursor here: no file in a folder that can be written", str(self._path)
            )

    def __call__(self, line: bytes) -> None:
        """Keep a line's cursor, if it has one, in the place of the one before."""
        cursor = cursor_of(line)
        if not cursor:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(cursor)
            new.replace(self._path)
        except OSError as error:
            self._report(f"can't keep the journal's cursor in {self._path}: {error.strerror}")


def cursor_of(line: bytes) -> str:
    """The cursor of a journal entry; empty where it has none that could be one."""
    try:
        fields = exact.fast_loads(line)
    except ValueError:
        return ""
    cursor = fields.get("__CURSOR") if type(fields) is dict else None
    return cursor if type(cursor) is str and cursor.isascii() and cursor.isprintable() else ""
