# SPDX-License-Identifier: Apache-2.0
"""The store in this process's memory: `memory:`. For tests, and as the cheapest sink for benchmarks.

Documents are kept as they are given (nothing is copied) and are gone with the process. Reads look at every document.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_store.base import (
    DERIVED,
    DUPLICATE,
    STORED,
    Count,
    Derived,
    Executed,
    Execution,
    Hit,
    Lease,
    Outcome,
    Query,
    Recording,
    RecordingFilter,
    Session,
    StoredMessage,
    Waiting,
)
from ttyscribe_store.derive.lease import NoLease
from ttyscribe_store.executions import belongs, grouped, in_days, of_document
from ttyscribe_store.partition import is_partition
from ttyscribe_store.query.matching import holds
from ttyscribe_store.recordings import chosen, compared, to_derived
from ttyscribe_store.views import hit, stored_message, time_ns

_NO_PARTITION = Outcome("rejected", "ttyscribe.partition is neither YYYY.MM nor implausible-time")


class MemoryStore:
    """`memory:`; each instance is a store of its own."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Keep each document that is new."""
        known = self._documents
        outcomes = []
        for document in documents:
            key = document["viaq_msg_id"]
            if key in known:
                outcomes.append(DUPLICATE)
            elif is_partition(document["ttyscribe"]["partition"]):
                known[key] = document
                outcomes.append(STORED)
            else:
                outcomes.append(_NO_PARTITION)
        return outcomes

    def setup(self) -> list[str]:
        """Nothing to prepare."""
        return []

    def check(self) -> None:
        """Always ready."""

    def refresh(self) -> None:
        """What is written is visible at once."""

    def close(self) -> None:
        """Forget everything."""
        self._documents.clear()

    def count(self) -> int:
        """How many documents are kept."""
        return len(self._documents)

    def recordings(self, wanted: RecordingFilter) -> Iterator[Recording]:
        """Every recording that fits, newest first."""
        return chosen((item for item in self._documents.values() if item["ttyscribe"]["kind"] == "recording"), wanted)

    def messages(self, recording: str, after: int | None = None) -> Iterator[StoredMessage]:
        """All messages of one recording, ordered by tlog id, then by document id."""
        found: list[Any] = [item for item in self._of(recording) if _is_message(item)]
        found = [item for item in found if after is None or item["tlog"]["id"] > after]
        for document in sorted(found, key=lambda item: (item["tlog"]["id"], item["viaq_msg_id"])):
            yield stored_message(document)

    def search(self, query: Query) -> Iterator[Hit]:
        """Documents that fit, ordered by time, then by document id."""
        node = query.tree()
        found = [(time_ns(item), key, item) for key, item in self._documents.items() if holds(node, item)]
        for _, _, document in sorted(found, key=lambda entry: entry[:2])[: max(query.limit, 0)]:
            yield hit(document)

    def replace(self, recording: str, documents: Sequence[Document]) -> None:
        """Have these as the derived documents of one recording, and no others."""
        for document in self._of(recording):
            if document["ttyscribe"]["kind"] in DERIVED:
                del self._documents[document["viaq_msg_id"]]
        self._documents |= {document["viaq_msg_id"]: document for document in documents}

    def amend(self, recording: str, known: Derived | None, documents: Sequence[Document]) -> bool:
        """Write these over those with their ids."""
        there = next((one for one in self.derived() if one.recording == recording), None)
        if known is not None and there != known:
            return False
        self._documents |= {document["viaq_msg_id"]: document for document in documents}
        return True

    def derived(self) -> Iterator[Derived]:
        """What was derived of each recording."""
        for document in self._documents.values():
            if document["ttyscribe"]["kind"] == "recording":
                yield to_derived(document)

    def counts(self) -> Iterator[Count]:
        """All recordings that have messages."""
        found = Counter(item["ttyscribe"]["recording"] for item in self._documents.values() if _is_message(item))
        return (Count(*entry) for entry in found.items())

    def waiting(self, version: int) -> Iterator[Waiting]:
        """The recordings that are to be derived."""
        return compared(self.counts(), self.derived(), version, grouped(self._executions()))

    def executions(self, session: Session) -> Iterator[Execution]:
        """The programs that audit saw start in a session, by time and id."""
        found = (one for one in self._executions() if belongs(one, session))
        return iter(sorted(found, key=lambda one: (one.time_ns, one.document_id)))

    def executed(self, session: Session) -> Executed:
        """How many these are."""
        found = list(self._executions())
        return Executed(*(sum(belongs(one, during) for one in found) for during in (session, in_days(session))))

    def _executions(self) -> Iterator[Execution]:
        return filter(None, map(of_document, self._documents.values()))

    def settle(self, waiting: Waiting) -> None:
        """Its row says it."""

    def lease(self) -> Lease:
        """Nobody shares it."""
        return NoLease()

    def behind(self, version: int) -> list[str]:
        """The same by name."""
        return [one.recording for one in self.waiting(version)]

    def delete(self, recording: str) -> int:
        """Forget all documents of one recording."""
        keys = [document["viaq_msg_id"] for document in self._of(recording)]
        for key in keys:
            del self._documents[key]
        return len(keys)

    def _of(self, recording: str) -> list[Document]:
        return [item for item in self._documents.values() if item["ttyscribe"].get("recording") == recording]


def _is_message(document: Document) -> bool:
    own = document["ttyscribe"]
    return own["kind"] == "tlog" and bool(own.get("recording"))
