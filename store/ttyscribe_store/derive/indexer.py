# SPDX-License-Identifier: Apache-2.0
"""Brings what is derived up to date with the facts: recording by recording, each by itself.

What was done is told by the document of kind `recording`, which is written last: whoever is killed in between leaves a
recording that is derived again. Facts are never changed, only added, so that their number tells whether some came; on
SQLite a mark that writers leave does, so that nothing has to be counted.
"""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_screen.screen import available
from ttyscribe_store.base import Store, StoredMessage, Waiting
from ttyscribe_store.derive.derivation import Derivation
from ttyscribe_store.derive.programs import Programs
from ttyscribe_store.derive.rules import ROW_ONLY, VERSION
from ttyscribe_store.executions import session_during
from ttyscribe_store.recordings import to_derived

Tell = Callable[[int, int], None]
"""Takes how many recordings are done, and how many there are to do."""
Refused = Callable[[str, str], None]
"""Takes a recording of which the store refuses a derived document, and why; called once for each."""
_OFTEN = 100
REST_S = 600.0
"""How long a recording is left alone of which the store refused something."""
LIVE = 64
"""Recordings that grow and are kept in memory, so that what comes is derived by itself."""


class Done(NamedTuple):
    """What one run did."""

    recordings: int
    documents: int
    refused: int = 0
    """Recordings that could not be derived whole, because the store refuses something of them."""


def _nothing(*_: object) -> None:
    """Nobody looks, and nothing is in the way."""


class Indexer:
    """Derives what a store's messages say. It remembers the recordings that grow: keep it while you follow.

    `sure` is called before each change of the store; it raises where another indexer has taken over.
    """

    def __init__(
        self,
        store: Store,
        tell: Tell = _nothing,
        sure: Callable[[], None] = _nothing,
        refused: Refused = _nothing,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._tell, self._sure, self._refused, self._now = store, tell, sure, refused, now
        self._resting: dict[str, float] = {}
        self._live: OrderedDict[str, tuple[Derivation, Programs]] = OrderedDict()
        self._rows_only = not available()

    def round(self, *, again: bool = False) -> Done:
        """Derive whatever is not derived from all of its facts; `again`: all of it. Raises Unavailable."""
        waiting = self._again() if again else self._rested(self._waiting())
        if waiting:
            self._store.refresh()  # what is to be replaced has to be seen
        recordings = documents = refused = 0
        for number, one in enumerate(waiting):
            self._tell(number, len(waiting))
            try:
                documents += self._bring(one)
            except MessageError as error:
                self._leave(one.recording, str(error))
                refused += 1
            else:
                recordings += 1
                self._resting.pop(one.recording, None)
        self._tell(len(waiting), len(waiting))
        if waiting:
            self._store.refresh()
        return Done(recordings, documents, refused)

    def sweep(self) -> None:
        """Remove what was derived of recordings that somebody deleted meanwhile: for who makes no further round."""
        for one in list(self._store.waiting(VERSION)):
            if not one.messages:
                self._bring(one)

    def _rested(self, waiting: list[Waiting]) -> list[Waiting]:
        """Without those that were left not long ago: the others shall not wait for them in each round."""
        now = self._now()
        return [one for one in waiting if self._resting.get(one.recording, now) <= now]

    def _leave(self, recording: str, why: str) -> None:
        """Leave a recording for a while. Its row shows what there is, and that lines and commands are not derived."""
        is_news = recording not in self._resting
        self._resting[recording] = self._now() + REST_S
        if is_news:
            self._refused(recording, why)
        row = Derivation(recording, rows_only=True)
        row.feed(self._messages(recording))
        self._sure()
        with contextlib.suppress(MessageError):
            self._store.amend(recording, None, row.all())

    def _waiting(self) -> list[Waiting]:
        found = list(self._store.waiting(VERSION))
        if not self._rows_only or not found:
            return found
        made = {one.recording: one.messages for one in self._store.derived() if one.version == ROW_ONLY}
        return [one for one in found if made.get(one.recording) != one.messages]

    def _again(self) -> list[Waiting]:
        self._live.clear()
        known = {one.recording: one for one in self._store.waiting(VERSION)}
        names = {one.recording for one in self._store.counts()} | {one.recording for one in self._store.derived()}
        return [*known.values(), *(Waiting(name, 0) for name in sorted(names - known.keys()))]

    def _bring(self, one: Waiting) -> int:
        """Bring one recording up to date; how many documents were written."""
        live = self._live.pop(one.recording, None)
        made = self._grown(*live, one) if live is not None else None
        if made is None:
            made, live = self._anew(one)
        if live is not None:
            self._live[one.recording] = live
        if len(self._live) > LIVE:
            self._live.popitem(last=False)
        if not self._rows_only:
            self._store.settle(one)
        return made

    def _grown(self, live: Derivation, programs: Programs, one: Waiting) -> int | None:
        """Take what came behind all that is known; none where that is not all that came, or some was deleted."""
        if live.written is not None and one.messages < live.written.messages:
            return None
        live.feed(self._messages(one.recording, live.row.last_id))
        if live.row.messages < one.messages:  # one has a lower id, or one that was there already
            return None
        if not self._feed_programs(live, programs):
            return None
        changes = live.changes()
        if changes is None:
            return None
        self._sure()
        if not self._store.amend(one.recording, live.written, changes):
            return None
        live.written = to_derived(changes[-1])
        return len(changes)

    def _feed_programs(self, live: Derivation, programs: Programs) -> bool:
        """Take what audit says since; whether that is all that came. Beside messages alone it says nothing."""
        if self._rows_only or not live.row.messages:
            return True
        found = programs.look(session_during(live.row.made()))
        if found is not None:
            live.feed_programs(*found)
        return found is not None

    def _messages(self, recording: str, after: int | None = None) -> Iterator[StoredMessage]:
        """What comes of a recording; whoever reads a long one keeps his right to meanwhile."""
        for number, message in enumerate(self._store.messages(recording, after)):
            if number % _OFTEN == 0:
                self._sure()
            yield message

    def _anew(self, one: Waiting) -> tuple[int, tuple[Derivation, Programs] | None]:
        live, programs = Derivation(one.recording, rows_only=self._rows_only), Programs(self._store)
        live.feed(self._messages(one.recording))
        self._feed_programs(live, programs)
        documents = live.all()
        self._sure()
        if self._rows_only and documents:  # lines that somebody else derived are better than none
            self._store.amend(one.recording, None, documents)
        else:
            self._store.replace(one.recording, documents)
        if not documents or live.row.made().ended:
            return len(documents), None
        live.written = to_derived(documents[-1])
        return len(documents), (live, programs)


def bring_up_to_date(store: Store, tell: Tell = _nothing, *, again: bool = False) -> Done:
    """Derive whatever is not derived from all of its facts; `again`: all of it. Raises Unavailable."""
    return Indexer(store, tell).round(again=again)
