# SPDX-License-Identifier: Apache-2.0
"""Where a cell's lines end up, and how each of these places is made to fail."""

import contextlib
import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from tests.e2e.proxy import Proxy
from tests.engines.fixtures import Engine, clean
from tests.faults.keeper import Keeper
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import Query
from ttyscribe_store.open import open_store

Kept = list[tuple[str, str]]
"""Id and text of each document that is there."""
BUSY = 8.0
"""Seconds; more than a write to SQLite waits for the lock."""
CUT = 0.3
WINDOW = 1.5
GONE = 30.0
Read = TypeVar("Read")


class Place:
    """A store. `url` is what the program is given."""

    url = ""

    def count(self) -> int:
        """How many documents are there."""
        return len(self.kept())

    def kept(self) -> Kept:
        """All that is there."""
        raise NotImplementedError

    @contextlib.contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Fail in that way while entered."""
        raise NotImplementedError(name)
        yield

    def close(self) -> None:
        """End it."""


class Double(Place):
    """The tests' own store; a way that can be cut leads to it."""

    def __init__(self) -> None:
        self._keeper = Keeper()
        self._proxy = Proxy("127.0.0.1", self._keeper.server_port)
        self.url = self._keeper.url
        self.cuttable = f"http://127.0.0.1:{self._proxy.port}"

    def count(self) -> int:
        return len(self._keeper.kept)

    def kept(self) -> Kept:
        return [(f"{index}/{name}", text) for (index, name), text in list(self._keeper.kept.items())]

    @contextlib.contextmanager
    def fault(self, name: str) -> Iterator[None]:
        if name == "gone":
            self._proxy.down()
        else:
            self._keeper.fault = name
        yield
        if name == "gone":
            self._proxy.up()
        self._keeper.fault = ""

    def close(self) -> None:
        self._proxy.down()
        self._keeper.close()


class Real(Place):
    """A store of the product, read by its own readers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._store = open_store(url)
        self._store.setup()

    def count(self) -> int:
        return self._patiently(self._store.count)

    def kept(self) -> Kept:
        found = self._patiently(lambda: list(self._store.search(Query([], limit=1_000_000))))
        return [(hit.document_id, hit.message) for hit in found]

    def _patiently(self, read: Callable[[], Read]) -> Read:
        """What a read gives; an engine refuses for a moment after each new index."""
        end = time.monotonic() + 60
        while True:
            try:
                self._store.refresh()
                return read()
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def close(self) -> None:
        self._store.close()


class Sqlite(Real):
    """A folder of SQLite files, whose lock another process can hold."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"sqlite:{folder}")
        self._folder = folder

    @contextlib.contextmanager
    def fault(self, name: str) -> Iterator[None]:
        assert name == "busy", name
        with contextlib.ExitStack() as held:
            for path in self._folder.glob("*.sqlite"):
                other = held.enter_context(contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=60)))
                other.execute("BEGIN IMMEDIATE")
            yield


class OnEngine(Real):
    """Indices of one cell's own on a real engine, behind a way that can be cut."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._prefix = engine, f"t{uuid.uuid4().hex[:10]}"
        super().__init__(f"{engine.url}/{self._prefix}")
        address = urlsplit(engine.url)
        assert address.hostname is not None
        assert address.port is not None
        self._proxy = Proxy(address.hostname, address.port)
        self.url = f"http://127.0.0.1:{self._proxy.port}/{self._prefix}"

    @contextlib.contextmanager
    def fault(self, name: str) -> Iterator[None]:
        assert name in ("cut", "gone"), name
        self._proxy.down()
        yield
        self._proxy.up()

    def close(self) -> None:
        self._proxy.down()
        super().close()
        clean(self._engine, self._prefix)


class Lines(Place):
    """The file that the control writes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def kept(self) -> Kept:
        if not self.path.exists():
            return []
        lines = self.path.read_bytes().decode("utf-8", "replace").splitlines()
        return [(f"{number}", json.loads(line)["msg"]) for number, line in enumerate(lines)]


LASTS = {"gone": GONE, "busy": BUSY, "cut": CUT}


def lasts(fault: str) -> float:
    """Seconds that a store's fault lasts each time."""
    return LASTS.get(fault, WINDOW)
