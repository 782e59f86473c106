# SPDX-License-Identifier: Apache-2.0
"""From a store's URL to the store."""

import os
from typing import Any

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.address import shown
from ttyscribe_store.base import Store

FORMS = "sqlite:DIR, http(s)://host:port[,host:port...][/prefix], memory:"


def open_store(url: str, **options: Any) -> Store:
    """The store that a URL names: `sqlite:DIR`, `http(s)://host:port[,host:port…][/prefix]`, `memory:`.

    `options` are the settings of its class. Nothing is read or written yet. Raises ConfigError where the URL names no
    store, or holds a password: these belong into files or the environment.
    """
    scheme, colon, rest = url.partition(":")
    if scheme == "sqlite" and rest:
        from ttyscribe_store.sqlite import SqliteStore

        return _made(SqliteStore, os.path.expanduser(rest), url, options)  # shells leave `sqlite:~` alone
    if scheme in ("http", "https") and rest.startswith("//"):
        from ttyscribe_store.elastic import ElasticStore

        return ElasticStore(url, **options)
    if url == "memory:":
        from ttyscribe_store.memory import MemoryStore

        return MemoryStore()
    if scheme == "sqlite" and colon:
        raise ConfigError("sqlite: needs a folder: sqlite:DIR")
    raise ConfigError(f"not a store: {shown(url)!r} (wanted: {FORMS})")


def _made(kind: type[Any], folder: str, url: str, options: dict[str, Any]) -> Store:
    try:
        store: Store = kind(folder, **options)
    except TypeError as error:
        raise ConfigError(f"unknown setting for {url}: {error}") from None
    return store
