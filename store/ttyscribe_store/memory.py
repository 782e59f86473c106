# SPDX-License-Identifier: Apache-2.0
"""The store in this process's memory: `memory:`. For tests, and as the cheapest sink for benchmarks.

Documents are kept as they are given (nothing is copied) and are gone with the process. Reads look at every document.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_store.base import (
    DERIVED,
    DUPLICATE,
    STORED,
    Derived,
    Hit,
    Outcome,
    Query,
    Recording,
    RecordingFilter,
    StoredMessage,
)
from ttyscribe_store.conflict import FIRST_ID, rank
from ttyscribe_store.partition import is_partition
from ttyscribe_store.query.matching import holds
from ttyscribe_store.recordings import Part, Seen, chief_of, fits, gaps, is_end, last_of, newest_first, recording
from ttyscribe_store.views import hit, stored_message, time_ns, to_derived

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
        groups: defaultdict[str, list[Any]] = defaultdict(list)
        for document in self._documents.values():
            if _is_message(document):
                groups[document["ttyscribe"]["recording"]].append(document)
        made = ((_recording(key, group), _seen(group, wanted)) for key, group in groups.items())
        yield from sorted((one for one, seen in made if fits(one, wanted, seen)), key=newest_first)

    def messages(self, recording: str) -> Iterator[StoredMessage]:
        """All messages of one recording, ordered by tlog id, then by document id."""
        found = [item for item in self._of(recording) if _is_message(item)]
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

    def derived(self) -> Iterator[Derived]:
        """What was derived of each recording."""
        for document in self._documents.values():
            if document["ttyscribe"]["kind"] == "recording":
                yield to_derived(document)

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


def _recording(key: str, group: list[Any]) -> Recording:
    owns = [document["ttyscribe"] for document in group]
    ids = [document["tlog"]["id"] for document in group]
    numbers = Part(
        messages=len(group),
        distinct_ids=len(set(ids)),
        first_id=min(ids),
        last_id=max(ids),
        out_bytes=sum(own.get("out_bytes", 0) for own in owns),
        in_bytes=sum(own.get("in_bytes", 0) for own in owns),
        resizes=sum(own.get("resizes", 0) for own in owns),
        last_ms=max(own.get("last_ms", 0) for own in owns),
        trust=min(rank(own["trust"]) for own in owns),
        below_first=sum(number < FIRST_ID for number in ids),
    )
    users, hosts = ({item["tlog"][name] for item in group} for name in ("user", "host"))
    return recording(
        key,
        numbers,
        chief_of(group),
        users=len(users),
        hosts=len(hosts),
        ended=is_end(last_of(group)),
        gaps=gaps(sorted(set(ids))),
    )


def _seen(group: list[Any], wanted: RecordingFilter) -> Seen:
    times = [time_ns(document) for document in group]
    return Seen(
        user=any(document["tlog"]["user"] == wanted.user for document in group),
        host=any(document["hostname"] == wanted.host for document in group),
        since=max(times) >= wanted.since_ns,
        until=min(times) < wanted.until_ns,
    )
