# SPDX-License-Identifier: Apache-2.0
"""What the verbs that look after a store share."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from ttyscribe.progress import Advance, progress
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


def confirmed(question: str) -> bool:
    """Whether a person says yes. ConfigError where there is none to ask."""
    if not sys.stdin.isatty():
        raise ConfigError("nobody can be asked here: give --yes if that is what you want")
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextlib.contextmanager
def told(what: str) -> Iterator[Callable[[int, int], None]]:
    """Takes how much is done and how much there is to do, and shows it to whom it may concern."""
    with contextlib.ExitStack() as stack:
        bars: list[Advance] = []

        def tell(done: int, total: int) -> None:
            if not total:
                return
            if not bars:
                bars.append(stack.enter_context(progress(what, total)))
            bars[0](done)

        yield tell
