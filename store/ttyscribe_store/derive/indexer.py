# SPDX-License-Identifier: Apache-2.0
"""Brings what is derived up to date with the facts: recording by recording, each by itself.

What was done is told by the document of kind `recording`, which is written last: whoever is killed in between leaves a
recording that is derived again. Facts are never changed, only added, so that their number tells whether some came.
"""

from collections.abc import Callable
from typing import NamedTuple

from ttyscribe_store.base import RecordingFilter, Store
from ttyscribe_store.derive.documents import derived, stale

Tell = Callable[[int, int], None]
"""Takes how many recordings are done, and how many there are to do."""


class Done(NamedTuple):
    """What one run did."""

    recordings: int
    documents: int


def _say_nothing(_: int, __: int) -> None:
    """Nobody looks."""


def bring_up_to_date(store: Store, tell: Tell = _say_nothing, *, again: bool = False) -> Done:
    """Derive whatever is not derived from all of its facts; `again`: all of it. Raises Unavailable."""
    known = {} if again else {one.recording: (one.messages, one.version) for one in store.derived()}
    waiting = list(stale(store.recordings(RecordingFilter()), known))
    documents = 0
    for number, row in enumerate(waiting):
        tell(number, len(waiting))
        made = derived(row.recording, store.messages(row.recording))
        store.replace(row.recording, made)
        documents += len(made)
    tell(len(waiting), len(waiting))
    if waiting:
        store.refresh()
    return Done(len(waiting), documents)
