# SPDX-License-Identifier: Apache-2.0
"""Documents into one file of the store on SQLite and out of it, with all that finds them; inside a transaction."""

import sqlite3
from collections.abc import Iterable

from ttyscribe_store import sqlite_programs as programs
from ttyscribe_store import sqlite_queries as queries
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store.base import Execution
from ttyscribe_store.sqlite_text import text

_INSERTS = rows.inserts()
_MOST_SEEN = 1 << 16


class Seen:
    """Values that are known to be in a file to be found by their parts: in the one written last, while no other
    connection changes it, and this one does nothing but what goes through here."""

    def __init__(self) -> None:
        self._stamp: tuple[sqlite3.Connection, int, int] | None = None
        self._values: set[str] = set()
        self._version = 0

    def at_begin(self, connection: sqlite3.Connection) -> set[str]:
        """What is known in a transaction that has begun, to be added to."""
        (self._version,) = connection.execute("PRAGMA data_version").fetchone()  # changes by others' commits alone
        if self._stamp != (connection, self._version, connection.total_changes) or len(self._values) > _MOST_SEEN:
            self._values = set()
        self._stamp = None
        return self._values

    def at_end(self, connection: sqlite3.Connection) -> None:
        """It was committed: what was added is known from now on."""
        self._stamp = connection, self._version, connection.total_changes


def put(connection: sqlite3.Connection, row: rows.Row, seen: set[str] | None = None) -> bool:
    """Insert a document; False = it is there already. `seen` is for `index`."""
    cursor = connection.execute(rows.INSERT, row.values)
    number = cursor.lastrowid
    if not cursor.rowcount or number is None:
        return False
    index(connection, number, row, _INSERTS, seen)
    return True


def index(
    connection: sqlite3.Connection,
    number: int,
    row: rows.Row,
    inserts: rows.Inserts,
    seen: set[str] | None = None,
) -> None:
    """Put in what finds a document.

    `seen` are values that this transaction has put in already; more are added. Where documents are forgotten in the
    same transaction, it has to be left out.
    """
    connection.execute(inserts.words, (number, row.words))
    for one in row.listed:
        connection.execute(*rows.of_value(inserts.value, one, number))
    for field, piece in row.pieces:
        added = connection.execute(inserts.piece, (number, field, text(piece)))
        connection.execute(inserts.trigrams, (added.lastrowid, text(piece)))
    parted = row.parted if seen is None else row.parted - seen
    for value in map(text, parted):
        added = connection.execute(inserts.distinct_value, (value,))
        if added.rowcount:
            connection.execute(inserts.value_trigrams, (added.lastrowid, rows.as_tokenized(value)))
    if seen is not None:
        seen |= parted


def mark(connection: sqlite3.Connection, recordings: Iterable[bytes]) -> None:
    """Note that these recordings, as they are bound, got messages."""
    connection.executemany(queries.MARK, ((recording,) for recording in recordings))


def mark_programs(connection: sqlite3.Connection, executions: Iterable[Execution]) -> None:
    """Note that these programs started."""
    for mark in programs.merged(executions):
        connection.execute(programs.MARK, (*mark.bound, mark.first_us, mark.last_us))


def adopt(connection: sqlite3.Connection, version: int) -> None:
    """From now on these are the rules: what was derived by others is waiting."""
    if connection.execute(queries.RULES).fetchall() != [(version,)]:
        connection.execute(queries.MARK_ALL)
        connection.execute(queries.FORGET_RULES)
        connection.execute(queries.SET_RULES, (version,))


def forget(connection: sqlite3.Connection, number: int) -> None:
    """Remove a document. Raises Damaged."""
    bodies = connection.execute(queries.BODY, (number,)).fetchall()
    if not bodies:
        raise rows.Damaged("an index names a document that is not there")
    words, listed = rows.indexed_by(bodies[0][0])
    connection.execute(rows.FORGET_WORDS, (number, words))
    for one in listed:
        connection.execute(*rows.of_value(rows.FORGET_VALUE, one, number))
    for value in map(text, rows.parted(listed)):
        for (unused,) in connection.execute(rows.UNUSED, (value,)).fetchall():
            connection.execute(rows.FORGET_VALUE_TRIGRAMS, (unused, rows.as_tokenized(value)))
            connection.execute(rows.FORGET_DISTINCT_VALUE, (unused,))
    for piece, content in connection.execute(rows.PIECES, (number,)).fetchall():
        connection.execute(rows.FORGET_TRIGRAMS, (piece, text(content)))
    connection.execute(rows.FORGET_PIECES, (number,))
    connection.execute(queries.REMOVE, (number,))


def overwrite(connection: sqlite3.Connection, wanted: Iterable[rows.Row]) -> None:
    """Have these documents, whatever was there under their ids."""
    for row in wanted:
        for number, body in connection.execute(queries.UNDER, (text(row.document_id),)).fetchall():
            if body == row.body:
                break
            forget(connection, number)
        else:
            put(connection, row)


def replace(connection: sqlite3.Connection, recording: str, wanted: Iterable[rows.Row]) -> None:
    """Have these as the derived documents of a recording, and no others; those that are there stay untouched."""
    there = {
        (document_id, body): number
        for number, document_id, body in connection.execute(queries.DERIVED_OF, (text(recording),)).fetchall()
    }
    missing = [row for row in wanted if there.pop((row.document_id, row.body), None) is None]
    for number in there.values():
        forget(connection, number)
    for row in missing:
        put(connection, row)
