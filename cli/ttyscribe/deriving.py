# SPDX-License-Identifier: Apache-2.0
"""Brings what is derived of recordings up to date, for the verbs that read it and for `ttyscribe index`."""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator

from ttyscribe.progress import Advance, progress
from ttyscribe.text import clean
from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_store.base import Store
from ttyscribe_store.derive.indexer import Done, bring_up_to_date
from ttyscribe_store.derive.rules import behind, lag


def derive(url: str, store: Store, *, again: bool = False) -> Done:
    """Bring what is derived up to date, one process at a time; a bar shows how far it is. Raises Unavailable."""
    with _alone(url) as first, contextlib.ExitStack() as stack:
        if not first:
            return Done(0, 0)  # another one does it
        bars: list[Advance] = []

        def tell(done: int, total: int) -> None:
            if total and not bars:
                bars.append(stack.enter_context(progress("deriving", total)))
            if bars:
                bars[0](done)

        return bring_up_to_date(store, tell, again=again)


def derive_if_local(url: str, store: Store) -> None:
    """On SQLite, bring what is derived up to date before it is read; elsewhere an indexer does."""
    if not url.startswith("sqlite:"):
        return
    try:
        derive(url, store)
    except ConfigError:
        pass  # whoever reads says what is wrong with the store
    except (TtyscribeError, OSError) as error:
        print(f"ttyscribe: rows, lines and commands may be behind: {clean(str(error))}", file=sys.stderr)


def tell_lag(store: Store) -> None:
    """Say on standard error how many recordings are behind their messages, if any are."""
    if text := lag(len(behind(store))):
        print(f"ttyscribe: {text}", file=sys.stderr)


@contextlib.contextmanager
def _alone(url: str) -> Iterator[bool]:
    """Hold the lock of a folder's indexer: False where another process holds it. Stores elsewhere have none."""
    folder = os.path.expanduser(url.removeprefix("sqlite:"))
    if not url.startswith("sqlite:") or not os.path.isdir(folder):
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
