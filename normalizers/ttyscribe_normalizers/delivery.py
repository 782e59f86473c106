# SPDX-License-Identifier: Apache-2.0
"""From processed lines to what is durable: stored, already there, or in the dead letter; or `Unavailable`.

No loop and no sleep here: who holds back whom, and for how long, is the protocol's matter.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence

from ttyscribe_formats import timestamp
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_normalizers.deadletter import DeadLetter, Entry
from ttyscribe_normalizers.pipeline import Dead, Processed
from ttyscribe_store.base import STORED, Outcome, Sink

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
MOST = 1000
MOST_BYTES = 1 << 20
"""Documents of a batch, and bytes of its lines: documents take several times as many."""


class Backoff:
    """Growing pauses with jitter, so that many processes don't come back at once."""

    def __init__(self, dice: Callable[[], float] = random.random) -> None:
        self._dice = dice
        self._pause = FIRST_PAUSE

    def next(self, asked: float = 0.0) -> float:
        """Seconds to wait now; at least what the far side `asked` for, as far as that is sane."""
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        return max(FIRST_PAUSE, pause * (0.5 + self._dice() / 2), min(asked, LONGEST_PAUSE))

    def reset(self) -> None:
        """Begin anew: the far side is back."""
        self._pause = FIRST_PAUSE


class Batch:
    """Lines on their way, as far as they are not durable yet; small again with each attempt."""

    __slots__ = ("_size", "documents", "entries", "lines", "received")

    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.lines: list[bytes] = []
        """The line of each document."""
        self.entries: list[Entry] = []
        """What has to go to the dead letter."""
        self.received = ""
        """When the line that was added last was received; empty where that is not known."""
        self._size = 0

    @property
    def full(self) -> bool:
        """Whether it is to be delivered before more is added."""
        return len(self.documents) + len(self.entries) >= MOST or self._size >= MOST_BYTES

    def add(self, line: bytes, processed: Processed) -> None:
        """Take one line's documents, or its reason."""
        documents, dead, self.received = processed
        self._size += len(line)
        if dead is not None:
            self.entries.append(Entry(line, dead))
        if len(documents) == 1:
            self.documents.append(documents[0])
            self.lines.append(line)
            return
        self.documents += documents
        self.lines += [line] * len(documents)


class Delivery:
    """A sink and the dead letter behind it. `counters`: `stored`, `duplicate`, `rejected`, `retried`.

    Attempts are made in one thread at a time; what it counts may be read in others.
    """

    def __init__(self, sink: Sink, dead_letter: DeadLetter, now_ns: Callable[[], int]) -> None:
        self._sink = sink
        self._dead_letter = dead_letter
        self._now_ns = now_ns
        self.counters: Counter[str] = Counter()
        self.delivered = ("", 0)
        """When the line that was delivered last was received, as text, and when it was delivered (ns)."""
        self.held_since_ns = 0
        """Since when nothing can be delivered; 0 while it can."""

    def attempt(self, batch: Batch) -> None:
        """Make the batch durable. Raises Unavailable where some is not; call again with what is left of it then."""
        last = batch.received if batch.documents else ""
        try:
            self._attempt(batch)
        except Unavailable:
            self.counters["retried"] += len(batch.documents)
            self.held_since_ns = self.held_since_ns or self._now_ns()
            raise
        self.held_since_ns = 0
        if last:
            self.delivered = (last, self._now_ns())

    def _attempt(self, batch: Batch) -> None:
        held = self._store(batch) if batch.documents else None
        if batch.entries:
            try:
                self._dead_letter.append(batch.entries, timestamp.to_text(self._now_ns()))
            except OSError as error:
                raise Unavailable(f"the dead letter {self._dead_letter.path} can't be written: {error}") from error
            batch.entries.clear()
        if held is not None:
            raise held

    def _store(self, batch: Batch) -> Unavailable | None:
        """Write what is not stored yet and leave in the batch what must be tried again, with the reason."""
        try:
            outcomes = self._sink.write(batch.documents)
        except Unavailable as error:
            return error
        except ConfigError as error:  # nothing that a line could be blamed for
            return Unavailable(str(error))
        count = len(batch.documents)
        if outcomes.count(STORED) == len(outcomes) == count:
            self.counters["stored"] += count
            batch.documents, batch.lines = [], []
            return None
        return self._sort(batch, outcomes)

    def _sort(self, batch: Batch, outcomes: Sequence[Outcome]) -> Unavailable | None:
        held: Unavailable | None = None
        documents: list[Document] = []
        lines: list[bytes] = []
        for document, line, outcome in zip(batch.documents, batch.lines, outcomes, strict=True):
            self.counters[outcome.status] += 1
            if outcome.status == "rejected":
                dead = Dead("rejected", outcome.reason, document.get("ttyscribe", {}).get("received", ""))
                batch.entries.append(Entry(line, dead, document))
            elif outcome.status == "retry":
                held = held or Unavailable(outcome.reason, outcome.after)
                documents.append(document)
                lines.append(line)
        batch.documents, batch.lines = documents, lines
        return held
