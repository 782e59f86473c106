# SPDX-License-Identifier: Apache-2.0
"""Looks whether files of the store on SQLite are sound: their pages, and whether all that finds documents agrees with
them.

What an index holds, and what it should hold by the documents, are each added up to one number, in any order; the two
are equal or the index is wrong. So a large file takes no more memory than a small one.
"""

import heapq
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count, groupby, repeat
from typing import Any

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import sqlite_handles as handles
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store.base import DERIVED
from ttyscribe_store.care.findings import Finding
from ttyscribe_store.care.lock import alone
from ttyscribe_store.query.sqlite import PARTED
from ttyscribe_store.sqlite_files import SUFFIX, Files
from ttyscribe_store.sqlite_text import text

Tell = Callable[[int, int], None]
"""Takes how much is done, and how much there is to do."""
_SETTINGS = handles.Settings(busy_seconds=10.0, synchronous="NORMAL")
_PATIENCE = 600.0
_TRIES = 5
_PAUSE = 0.1
_SAID = 3
"""Complaints of SQLite that are passed on for one file."""
_EVERY = 1000
_PAGE = 5000
_TRIGRAM = 3
_BLANKS = re.compile(rb"[\x00-\x20\x7f]+")
"""What the tokenizer of the words splits at."""
_ODD = re.compile("[\0\ud800-\udfff\ufffe\uffff]")
"""What SQLite takes for another character: trigrams of such texts are not looked at."""
_COLUMNS = ", ".join(rows.COLUMNS)
_DOCUMENTS = f"SELECT number, {_COLUMNS}, body FROM document ORDER BY number"  # noqa: S608 - our own words
_IDS = "SELECT id FROM document WHERE id > CAST(? AS TEXT) ORDER BY id LIMIT ?"
_INTEGRITY = f"PRAGMA integrity_check({_SAID})"
_VOCABULARY = "CREATE VIRTUAL TABLE temp.vocabulary_{0} USING fts5vocab ('main', '{0}', 'instance')"
REMEDY = "run ttyscribe store rebuild"


class Derivations:
    """Recordings by what is stored of them, over all files."""

    def __init__(self) -> None:
        self.messages: set[str] = set()
        self.derived: set[str] = set()


def check(folder: str, tell: Tell, *, quick: bool = False) -> Iterator[Finding]:
    """Look at all files; `quick`: at their pages alone. Raises ConfigError, Unavailable."""
    files = Files(folder, _SETTINGS, 1)
    names, seen = files.names(), Derivations()
    sound = []
    for place, name in enumerate(names):

        def advance(done: int, total: int, place: int = place) -> None:
            tell(int(_EVERY * (place + min(1, done / max(total, 1)))), _EVERY * len(names))

        found = _file(files.path(name), name + SUFFIX, advance, None if quick else seen)
        yield from found
        if all(finding.kind != "damage" for finding in found):
            sound.append(name)
    tell(_EVERY * len(names), _EVERY * len(names))
    if not quick:
        for recording in sorted(seen.derived - seen.messages) if sound == names else ():
            yield dangling(recording)
        yield from _doubles(files, sound)
    files.close()


def _file(path: str, name: str, tell: Tell, seen: Derivations | None) -> list[Finding]:
    """One file as it is at one moment; once more where it changed in a way that leaves that unknown."""
    failure = Unavailable(f"{path}: changes faster than it can be read")
    for tries in range(_TRIES):
        time.sleep(_PAUSE * tries)
        with alone(path.rpartition("/")[0], _PATIENCE):  # nobody takes anything away meanwhile
            try:
                with handles.translated(path):
                    handle = handles.reader(path, _SETTINGS)
            except handles.Outdated:
                raise
            except ConfigError as error:
                return [_damage(name, str(error))]
            except Unavailable as error:
                failure = error
                continue
            if handle is None:
                return []
            try:
                with handles.translated(path):
                    found = list(_looked_at(handle.connection, name, tell, seen))
            except ConfigError as error:
                found = [_damage(name, str(error))]
            finally:
                current = handle.is_current()
                handle.connection.close()
            if current:
                return found
    raise failure


def _damage(name: str, why: str) -> Finding:
    return Finding("damage", "", name, why, {"file": name})


def _looked_at(connection: sqlite3.Connection, name: str, tell: Tell, seen: Derivations | None) -> Iterator[Finding]:
    connection.execute("BEGIN")  # all reads see the same
    said = [str(row[0]) for row in connection.execute(_INTEGRITY)]
    if said != ["ok"]:
        for line in said:
            yield _damage(name, " ".join(line.split()))
        return
    if seen is None:
        return
    wanted = _Sums()
    most = connection.execute("SELECT max(number) FROM document").fetchone()[0] or 0
    for number, *columns, body in connection.execute(_DOCUMENTS):
        if number % _EVERY == 0:
            tell(number, most)
        if not wanted.add(number, columns, body, seen):
            text = f"its columns do not agree with the document {columns[0]}: {REMEDY}"
            yield Finding("index", "", name, text, {"file": name, "document": columns[0]})
    for index, about in _INDEXES.items():
        if not _agrees(connection, index, wanted.sums):
            text = f"{about} does not agree with the documents: {REMEDY}"
            yield Finding("index", "", name, text, {"file": name, "index": index})


_INDEXES = {
    "value": "the table of fields",
    "piece": "the table of lines and commands",
    "words": "the word index",
    "trigrams": "the index of parts of lines and commands",
    "distinct_value": "the table of paths and programs",
    "value_trigrams": "the index of parts of paths and programs",
}


_TEXTS = {"trigrams": "SELECT id, text FROM piece", "value_trigrams": "SELECT id, value FROM distinct_value"}
"""What trigrams are of."""
_DISTINCT = "SELECT value FROM distinct_value"
_PARTED = " UNION ".join(f"SELECT value FROM value WHERE field = '{field}'" for field in PARTED)  # noqa: S608


class _Sums:
    """What the indexes should hold, added up."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys(_INDEXES, 0)

    def add(self, number: int, columns: list[Any], body: bytes, seen: Derivations) -> bool:
        """One document; tells whether its columns are right. Raises Damaged."""
        row = rows.again(body)
        kind, recording, message = columns[1], columns[_RECORDING], columns[_MESSAGE]
        if recording is not None and message is not None:
            seen.messages.add(recording)
        elif kind in DERIVED and recording is not None:
            seen.derived.add(recording)
        words = [word for word in _BLANKS.split(row.words.lower()) if word]
        self.sums["words"] += sum(map(hash, zip(words, repeat(number), count())))
        self.sums["value"] += sum(hash((field, value, number)) for field, value in row.listed)
        self.sums["piece"] += sum(hash((number, field, piece)) for field, piece in row.pieces)
        return row.has(columns)


_RECORDING, _MESSAGE = rows.COLUMNS.index("recording"), rows.COLUMNS.index("message_id")


def _agrees(connection: sqlite3.Connection, index: str, wanted: dict[str, int]) -> bool:
    """Tell whether an index holds what it should."""
    if index == "value":
        return wanted[index] == sum(map(hash, connection.execute("SELECT field, value, number FROM value")))
    if index == "piece":
        return wanted[index] == sum(map(hash, connection.execute("SELECT number, field, text FROM piece")))
    if index == "distinct_value":
        wanted_values, found_values = (sum(map(hash, connection.execute(sql))) for sql in (_PARTED, _DISTINCT))
        return wanted_values == found_values
    connection.execute(_VOCABULARY.format(index))
    factory = connection.text_factory
    try:
        if index in _TEXTS:
            odd, sum_wanted = _trigrams(connection.execute(_TEXTS[index]))
            connection.text_factory = bytes
            found = connection.execute(f"SELECT term, doc FROM vocabulary_{index}")  # noqa: S608 - our own words
            return sum_wanted == sum(hash(row) for row in found if row[1] not in odd)
        connection.text_factory = bytes
        return wanted[index] == sum(map(hash, connection.execute("SELECT term, doc, offset FROM vocabulary_words")))
    finally:
        connection.text_factory = factory


def _trigrams(texts: Iterable[tuple[int, str]]) -> tuple[set[int], int]:
    """The texts that are not looked at, and what the index of the others should hold, added up."""
    odd: set[int] = set()
    total = 0
    for number, piece in texts:
        if _ODD.search(piece):
            odd.add(number)
        else:
            parts = {piece[at : at + _TRIGRAM] for at in range(len(piece) - _TRIGRAM + 1)}
            total += sum(hash((part.encode(), number)) for part in parts)
    return odd, total


def dangling(recording: str) -> Finding:
    """Something is derived of a recording that has no messages."""
    text = "something is derived of it, and none of its messages is there: ttyscribe store delete removes it"
    return Finding("dangling", recording, "", text, {})


def _doubles(files: Files, names: list[str]) -> Iterator[Finding]:
    """Documents that are in two files."""
    streams = [_ids(files, name) for name in names]
    for document, group in groupby(heapq.merge(*streams), key=lambda entry: entry[0]):
        where = [name for _, name in group]
        if len(where) > 1:
            yield Finding("double", "", document, f"is in {' and '.join(where)}", {"document": document})


def _ids(files: Files, name: str) -> Iterator[tuple[str, str]]:
    after = b""
    while page := files.read(name, _IDS, (after, _PAGE)):
        yield from ((document, name) for (document,) in page)
        after = text(page[-1][0])
