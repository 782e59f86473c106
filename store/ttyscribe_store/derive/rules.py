# SPDX-License-Identifier: Apache-2.0
"""What readers need of deriving without doing it: the version of its rules, how far behind it is, a row by itself."""

from collections.abc import Iterable

from ttyscribe_store.base import Recording, Store, StoredMessage
from ttyscribe_store.conflict import by_id
from ttyscribe_store.derive.row import RowMaker

VERSION = 4
"""Goes up when the same messages give other documents than before: then all are derived again."""
ROW_ONLY = 0
"""The version of a row that was made without a terminal emulator: there are no lines and commands beside it."""


def behind(store: Store) -> list[str]:
    """The recordings of which messages are stored that nothing derived says yet, by name. Raises Unavailable.

    Costs next to nothing where there are none (SQLite: one small query a file; engines: two requests).
    """
    return store.behind(VERSION)


def lag(recordings: int) -> str:
    """How far behind the indexer is, in words for a person; empty where it is not."""
    if not recordings:
        return ""
    several = "recordings are" if recordings > 1 else "recording is"
    return f"index: {recordings} {several} not derived up to the last message; run ttyscribe index"


def computed(recording: str, messages: Iterable[StoredMessage]) -> Recording | None:
    """A recording's row from its messages, as the indexer makes it; none where there are none."""
    maker = RowMaker(recording)
    for group in by_id(messages):
        maker.feed(group)
    return maker.made() if maker.messages else None
