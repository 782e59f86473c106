# SPDX-License-Identifier: Apache-2.0
"""What the verbs share that look after a folder of SQLite files."""

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import Store
from ttyscribe_store.sqlite import SqliteStore


def folder_of(url: str, store: Store, otherwise: str) -> str:
    """The store's folder. ConfigError where it is none; `otherwise` says what to do there."""
    if not isinstance(store, SqliteStore):
        raise ConfigError(f"{url} is no folder of SQLite files: {otherwise}")
    return store.folder


def size(count: int) -> str:
    """Bytes for people: `1.5 GiB`."""
    number, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        del units[0]
    return f"{number:.0f} {units[0]}" if units[0] == "B" else f"{number:.1f} {units[0]}"
