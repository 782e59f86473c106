# SPDX-License-Identifier: Apache-2.0
"""The store in a folder of SQLite files: `sqlite:DIR`. Needs nothing but the standard library.

Any number of processes write and read at once. What is `stored` or `duplicate` survives the death of every process;
with `sync="full"` the loss of power too.
"""

import heapq
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import starmap
from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store import sqlite_changes as changes
from ttyscribe_store import sqlite_programs as programs
from ttyscribe_store import sqlite_queries as queries
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store import sqlite_search
from ttyscribe_store.base import (
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
from ttyscribe_store.derive.lease import FolderLease
from ttyscribe_store.executions import belongs, in_days, of_document
from ttyscribe_store.partitions import Partition
from ttyscribe_store.query.nodes import Node
from ttyscribe_store.recordings import chosen, to_derived
from ttyscribe_store.sqlite_files import SUFFIX, Files
from ttyscribe_store.sqlite_handles import Busy, Settings, translated
from ttyscribe_store.sqlite_search import Found
from ttyscribe_store.sqlite_text import text
from ttyscribe_store.views import hit, stored_message

_SYNCHRONOUS = {"normal": "NORMAL", "full": "FULL"}
_SHOWN = 500
_PAGE = 200


class SqliteStore:
    """A folder with one file for each partition; nothing is opened or created before it is needed.

    `sync`: `normal` or `full` (each batch reaches the disk before it is `stored`). `busy_seconds`: how long to wait
    for another writer. `max_open`: how many files are kept open for writing, and as many for reading.
    """

    def __init__(self, folder: str, *, sync: str = "normal", busy_seconds: float = 5.0, max_open: int = 8) -> None:
        if sync not in _SYNCHRONOUS:
            raise ConfigError(f"sync is {sync!r}, wanted: normal or full")
        settings = Settings(busy_seconds, _SYNCHRONOUS[sync])
        self._files = Files(os.path.abspath(folder), settings, max(max_open, 1))
        self._lock = threading.RLock()
        self._seen = changes.Seen()

    @property
    def folder(self) -> str:
        """Where the files are."""
        return self._files.folder

    # ---- writing

    def setup(self) -> list[str]:
        """Make the folder, and those above it."""
        return [f"created {self._files.folder}"] if self._files.create(parents=True) else []

    def check(self) -> None:
        """Raise `Unavailable` where the folder can't be written; it is made where nothing but itself is missing."""
        self._files.create(parents=False)

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Store each document; those of one partition together or not at all, `retry` where it is busy."""
        found: dict[int, Outcome] = {}
        groups: defaultdict[str, list[tuple[int, rows.Row]]] = defaultdict(list)
        for position, document in enumerate(documents):
            try:
                groups[rows.partition_of(document)].append((position, rows.to_row(document)))
            except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
                found[position] = Outcome("rejected", f"can't be stored: {error}"[:_SHOWN])
        for partition, group in sorted(groups.items()):
            outcomes = self._insert(partition, [row for _, row in group])
            found.update(zip((position for position, _ in group), outcomes, strict=True))
        return [found[position] for position in range(len(documents))]

    def _insert(self, partition: str, group: list[rows.Row]) -> list[Outcome]:
        try:
            with self._lock:
                with self._files.writing(partition) as connection:
                    seen = self._seen.at_begin(connection)
                    outcomes = [STORED if changes.put(connection, row, seen) else DUPLICATE for row in group]
                    stored = [row for row, outcome in zip(group, outcomes, strict=True) if outcome is STORED]
                    changes.mark(connection, {row.message_of for row in stored} - {b""})
                    changes.mark_programs(connection, (row.execution for row in stored if row.execution))
                self._seen.at_end(connection)
                return outcomes
        except Busy as busy:
            return [Outcome("retry", str(busy))] * len(group)

    # ---- reading

    def recordings(self, wanted: RecordingFilter) -> Iterator[Recording]:
        """Every recording that fits, newest first."""
        statement = (queries.ROW, (text(wanted.recording),)) if wanted.recording else (queries.ROWS, ())
        found = (self._row(name, body) for name in self._files.names() for (body,) in self._read(name, *statement))
        return chosen(found, wanted)

    def messages(self, recording: str, after: int | None = None) -> Iterator[StoredMessage]:
        """All messages of one recording, ordered by tlog id, then by document id."""
        last = ""
        streams = (self._messages(name, recording, after) for name in self._files.names())
        for _, document_id, name, body in heapq.merge(*streams, key=lambda entry: entry[:2]):
            if document_id != last:
                yield stored_message(self._document(name, body, of=recording))
            last = document_id

    def _messages(self, name: str, recording: str, above: int | None) -> Iterator[tuple[int, str, str, bytes]]:
        """One file's messages, page after page, so that nothing is held open between them."""
        after: tuple[Any, ...] = (-1 << 63 if above is None else rows.ordered(above + 1), b"")
        while True:
            page = self._read(name, queries.MESSAGES, (text(recording), *after, _PAGE))
            for number, document_id, body in page:
                yield self._number(name, number), document_id, name, body
            if len(page) < _PAGE:
                return
            after = (page[-1][0], text(page[-1][1]))

    def search(self, query: Query) -> Iterator[Hit]:
        """Documents that fit, ordered by time, then by document id."""
        given, last = 0, ""
        for one in self._in_order(query.tree(), query.limit) if query.limit > 0 else ():
            if one.document_id != last:
                yield hit(one.document)
                given += 1
                if given >= query.limit:
                    return
            last = one.document_id

    def _in_order(self, node: Node, wanted: int) -> Iterator[Found]:
        """What the files find, by time and id. A file is asked only when its first document may be the next."""
        spans = ((self._read(name, queries.SPAN), name) for name in self._files.names())
        waiting = sorted((span[0][0], name) for span, name in spans if span and span[0][0] is not None)
        waiting.reverse()
        heap: list[tuple[int, str, str, Found, Iterator[Found]]] = []
        while heap or waiting:
            while waiting and (not heap or waiting[-1][0] <= heap[0][0]):
                name = waiting.pop()[1]
                stream = sqlite_search.found(node, partial(self._read, name), partial(self._found, name), wanted)
                for one in stream:
                    heapq.heappush(heap, (one.time_us, one.document_id, name, one, stream))
                    break
            if heap:
                _, _, name, one, stream = heap[0]
                yield one
                following = next(stream, None)
                if following is None:
                    heapq.heappop(heap)
                else:
                    heapq.heapreplace(heap, (following.time_us, following.document_id, name, following, stream))

    def _found(self, name: str, numbers: Sequence[int]) -> dict[int, Found]:
        """Documents by their numbers; without those that have gone."""
        found = self._read(name, queries.bodies(len(numbers)), numbers)
        with translated(self._files.path(name)):
            return {number: Found(time_us, key, rows.with_words(body)) for number, time_us, key, body in found}

    def _number(self, name: str, value: Any) -> int:
        with translated(self._files.path(name)):
            return rows.ordered_back(value)

    def _read(self, name: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._files.read(name, sql, values)

    def _document(self, name: str, body: bytes, of: str | None = None) -> dict[str, Any]:
        with translated(self._files.path(name)):
            document = rows.document_of(body)
            if of is not None and document["ttyscribe"].get("recording") != of:
                raise rows.Damaged("an index names another recording than the document")
            return document

    def _row(self, name: str, body: bytes) -> dict[str, Any]:
        document = self._document(name, body)
        with translated(self._files.path(name)):
            if document["ttyscribe"]["kind"] != "recording":
                raise rows.Damaged("an index calls a document a row that is none")
            return document

    # ---- care

    def replace(self, recording: str, documents: Sequence[Document]) -> None:
        """Have these as the derived documents of one recording, and no others; each file's change is whole."""
        groups = _by_partition(documents)
        last = rows.partition_of(documents[-1]) if documents else ""
        if not documents:
            self._mark(recording)  # whoever takes what was derived away wants it derived again
        names = {name for name in self._files.names() if self._read(name, queries.ANY_OF, (text(recording),))}
        for name in sorted(names | set(groups), key=lambda name: (name == last, name)):
            with self._lock, self._files.writing(name) as connection:
                changes.replace(connection, recording, groups[name])

    def amend(self, recording: str, known: Derived | None, documents: Sequence[Document]) -> bool:
        """Write these over those with their ids; each file's change is whole."""
        last = rows.partition_of(documents[-1])
        if known is not None:
            there = [to_derived(self._row(last, body)) for (body,) in self._read(last, queries.ROW, (text(recording),))]
            if there != [known]:
                return False
        groups = _by_partition(documents)
        for name in sorted(groups, key=lambda name: (name == last, name)):
            with self._lock, self._files.writing(name) as connection:
                changes.overwrite(connection, groups[name])
        return True

    def derived(self) -> Iterator[Derived]:
        """What was derived of each recording."""
        for name in self._files.names():
            for (body,) in self._read(name, queries.ROWS):
                yield to_derived(self._row(name, body))

    def counts(self) -> Iterator[Count]:
        """All recordings that have messages."""
        found: Counter[str] = Counter()
        for name in self._files.names():
            for recording, count in self._read(name, queries.COUNTS):
                found[recording] += count
        return (Count(*entry) for entry in found.items())

    def waiting(self, version: int) -> Iterator[Waiting]:
        """The recordings that are to be derived."""
        for name in self._files.names():
            if self._read(name, queries.RULES_IF_MADE) not in ([], [(version,)]):
                with self._lock, self._files.writing(name) as connection:
                    changes.adopt(connection, version)
        self._pass_marks_on()
        found: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for name in self._files.names():
            for recording, count in self._read(name, queries.MARKED):
                found[recording].append((name, count))
        return (Waiting(recording, self._count_of(recording), tuple(marks)) for recording, marks in found.items())

    def _pass_marks_on(self) -> None:
        """Have the recordings derived again that programs may belong to which started since."""
        for name in self._files.names():
            for mark in starmap(programs.Mark, self._read(name, programs.MARKED)):
                for recording in self._touched(mark):
                    self._mark(recording)
                with self._lock, self._files.writing(name) as connection:
                    connection.execute(programs.UNMARK, (*mark.bound, mark.changes))

    def _touched(self, mark: programs.Mark) -> set[str]:
        """The recordings that programs may belong to, as far as they have rows; all others have yet to be derived."""
        found: set[str] = set()
        for name in self._files.names():
            for field, key in programs.rows_of(mark):
                rows_there = (self._row(name, body) for (body,) in self._read(name, programs.ROWS, (field, key)))
                found.update(row["ttyscribe"]["recording"] for row in rows_there if programs.is_touched(row, mark))
        return found

    def executions(self, session: Session) -> Iterator[Execution]:
        """The programs that audit saw start in a session."""
        streams = (
            self._executions(name, stretch) for name in self._files.names() for stretch in programs.stretches(session)
        )
        for _, _, one in heapq.merge(*streams, key=lambda entry: entry[:2]):
            if belongs(one, session):
                yield one

    def _executions(self, name: str, stretch: tuple[str, bytes, bytes]) -> Iterator[tuple[int, str, Execution]]:
        """Those of one file, page after page."""
        field, first, end = stretch
        after: tuple[bytes, bytes] = (b"", b"")
        while True:
            page = self._read(name, programs.PAGE, (field, after[0] or first, end, *after, _PAGE))
            for time_us, document_id, body, *_ in page:
                one = of_document(self._document(name, body))
                if one is not None:
                    yield time_us, document_id, one
            if len(page) < _PAGE:
                return
            after = (page[-1][-1], text(page[-1][1]))

    def executed(self, session: Session) -> Executed:
        """How many these are."""
        return Executed(*(sum(map(self._executed, programs.stretches(one))) for one in (session, in_days(session))))

    def _executed(self, stretch: tuple[str, bytes, bytes]) -> int:
        return sum(self._read(name, programs.COUNT, stretch)[0][0] for name in self._files.names())

    def _count_of(self, recording: str) -> int:
        return sum(
            row[0] for name in self._files.names() for row in self._read(name, queries.COUNT_OF, (text(recording),))
        )

    def settle(self, waiting: Waiting) -> None:
        """It was derived from all messages that there were."""
        for name, count in waiting.marks:
            with self._lock, self._files.writing(name) as connection:
                connection.execute(queries.UNMARK, (text(waiting.recording), count))

    def lease(self) -> Lease:
        """The folder's lock."""
        return FolderLease(self._files.folder)

    def behind(self, version: int) -> list[str]:
        """The same by name."""
        found: set[str] = set()
        for name in self._files.names():
            statement = queries.MARKED if self._read(name, queries.RULES) == [(version,)] else queries.COUNTS
            found.update(row[0] for row in self._read(name, statement))
            for mark in starmap(programs.Mark, self._read(name, programs.MARKED)):
                found |= self._touched(mark)
        return sorted(found)

    def delete(self, recording: str) -> int:
        """Remove all documents of one recording. Their text and words are gone from the files too.

        Where another process writes or reads without pause, the last traces go with its next writes instead.
        """
        removed = 0
        for name in self._files.names():
            if self._read(name, queries.ANY_OF, (text(recording),)):
                removed += self._delete(name, recording)
                self._purge(name)
        return removed

    def _delete(self, name: str, recording: str) -> int:
        with self._lock, self._files.writing(name) as connection:
            numbers = connection.execute(queries.NUMBERS, (text(recording),)).fetchall()
            for (number,) in numbers:
                changes.forget(connection, number)
            connection.execute(queries.FORGET_MARK, (text(recording),))
            return len(numbers)

    def _purge(self, name: str) -> None:
        """Merge the full text indexes until nothing removed is in them, in steps that let other writers in."""
        with suppress(Busy):
            for table in queries.MERGED:
                pages, changes = -queries.MERGE_PAGES, 2
                while changes > 1:  # fewer: nothing was left to merge
                    with self._lock, self._files.writing(name) as connection:
                        before = connection.total_changes
                        connection.execute(queries.MERGE.format(table), (pages,))
                        pages, changes = queries.MERGE_PAGES, connection.total_changes - before
            with self._lock:
                self._files.empty_log(name)

    def partitions(self) -> list[Partition]:
        """The files, one a month."""
        files = self._files
        return [Partition(name, files.size(name), (name + SUFFIX,)) for name in files.names()]

    def drop(self, partition: Partition) -> None:
        """Take a whole file away. Raises Unavailable where another process has it open."""
        with self._lock:
            for (recording,) in self._read(partition.name, queries.RECORDINGS):
                self._mark(recording, except_for=partition.name)
            self._files.remove(partition.name)

    def _mark(self, recording: str, except_for: str = "") -> None:
        """Have a recording derived again, from what is left of its messages."""
        for name in self._files.names():
            if name != except_for and self._read(name, queries.SOME_OF, (text(recording),)):
                with self._lock, self._files.writing(name) as connection:
                    changes.mark(connection, [text(recording)])

    def count(self) -> int:
        """How many documents are stored."""
        return sum(row[0] for name in self._files.names() for row in self._read(name, queries.COUNT))

    def refresh(self) -> None:
        """What is written is visible at once."""

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            self._files.close()


def _by_partition(documents: Sequence[Document]) -> defaultdict[str, list[rows.Row]]:
    groups: defaultdict[str, list[rows.Row]] = defaultdict(list)
    for document in documents:
        groups[rows.partition_of(document)].append(rows.to_row(document))
    return groups
