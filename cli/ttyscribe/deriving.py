# SPDX-License-Identifier: Apache-2.0
"""Brings what is derived of recordings up to date, for the verbs that read it and for `ttyscribe index`."""

import sys
import time
from typing import TYPE_CHECKING

from ttyscribe.care.folders import told
from ttyscribe.text import clean
from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_store.base import Store
from ttyscribe_store.derive.lease import SECONDS
from ttyscribe_store.derive.rules import behind, lag

if TYPE_CHECKING:
    from ttyscribe_store.derive.indexer import Done

_PAUSE = 0.5
_PATIENCE = 2.5
"""Times a lease's length: whoever was killed is found out meanwhile."""


def tell_refused(recording: str, why: str) -> None:
    """Say on standard error that the store refuses what is derived of a recording."""
    text = f"recording {recording}: its lines and commands are not complete, the store refuses some: {why}"
    print(f"ttyscribe: {clean(text)}", file=sys.stderr, flush=True)


def derive(url: str, store: Store, *, again: bool = False, patient: bool = False) -> "Done | None":
    """Bring what is derived up to date; a bar shows how far it is. None: another indexer is at it, and goes on.

    `patient`: wait as long as it takes to tell another one that works from one that was killed. What the store
    refuses is told. Raises Unavailable.
    """
    lease = store.lease()
    until = time.monotonic() + (_PATIENCE * SECONDS if patient and not url.startswith("sqlite:") else 0.0)
    while not lease.take():
        if time.monotonic() >= until:
            return None
        time.sleep(_PAUSE)
    try:
        from ttyscribe_store.derive.indexer import Indexer  # with the terminal emulator, which no other verb needs

        with told("deriving") as tell:
            indexer = Indexer(store, tell, lease.sure, tell_refused)
            done = indexer.round(again=again)
            if done.recordings:
                indexer.sweep()
            return done
    finally:
        lease.release()


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
