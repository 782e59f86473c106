# SPDX-License-Identifier: Apache-2.0
"""Documents as rows of the store on SQLite, and back; pure.

A row keeps the whole document as compressed JSON; its other columns are what queries look at. The words are in there
too, because a word index without texts of its own needs them again to forget a document; they are not given out.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.document import Document
from ttyscribe_store import jsontext, sqlite_programs
from ttyscribe_store.base import Execution
from ttyscribe_store.conflict import rank
from ttyscribe_store.executions import of_document
from ttyscribe_store.partition import is_partition
from ttyscribe_store.query.sqlite import PARTED, indexed, pieces
from ttyscribe_store.sqlite_text import text, text_back
from ttyscribe_store.views import time_ns

MICROSECOND = 1000
_LEVEL = 1
_BITS = 63
_COUNT_BITS = 48
"""Sums of these stay within 64 bit."""

_PUNCTUATION = "".join(chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum())
_TOKENIZER = "ascii tokenchars '{}'".format(_PUNCTUATION.replace("'", "''"))
"""Splits at blanks and at nothing else: all that is beyond ASCII is part of a word to it."""

APPLICATION_ID = 0x54745363
VERSION = 6
"""Each has a step in sqlite_upgrade.py."""
BY_TIME = """CREATE INDEX document_by_time
    ON document (time_us, id, kind, host, level, trust, recording)"""
"""With every column that a query compares: who walks through it need not look at the rows."""
TABLES = {
    "words": "CREATE VIRTUAL TABLE words USING fts5 (text, content='', columnsize=0, tokenize=\"{}\")".format(
        _TOKENIZER.replace('"', '""')
    ),
    "piece": """CREATE TABLE piece (
        id INTEGER PRIMARY KEY,
        number INTEGER NOT NULL,
        field TEXT NOT NULL,
        text TEXT NOT NULL
    )""",
    "piece_by_number": "CREATE INDEX piece_by_number ON piece (number)",
    "trigrams": """CREATE VIRTUAL TABLE trigrams USING fts5 (
        text, content='piece', content_rowid='id', columnsize=0, detail=none, tokenize='trigram case_sensitive 1'
    )""",
    "value": "CREATE TABLE value (field TEXT, value, number INTEGER, PRIMARY KEY (field, value, number)) WITHOUT ROWID",
    "distinct_value": "CREATE TABLE distinct_value (id INTEGER PRIMARY KEY, value TEXT NOT NULL UNIQUE)",
    "value_trigrams": """CREATE VIRTUAL TABLE value_trigrams USING fts5 (
        text, content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1'
    )""",
}
"""What finds documents besides the table of documents; all of it is made from their bodies."""
DERIVING = (
    "CREATE INDEX document_row ON document (recording) WHERE kind = 'recording'",
    "CREATE TABLE waiting (recording TEXT PRIMARY KEY, changes INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE rules (version INTEGER NOT NULL)",
)
"""`waiting` names the recordings that got facts since they were derived, and counts how often they did; `rules` says
by which version of the rules all others were derived. Where it is empty, or says another, all are waiting."""
SCHEMA = (
    """CREATE TABLE document (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        time_us INTEGER NOT NULL,
        host TEXT NOT NULL,
        user TEXT,
        level TEXT,
        session INTEGER,
        recording TEXT,
        message_id,
        trust INTEGER NOT NULL,
        out_bytes INTEGER NOT NULL,
        in_bytes INTEGER NOT NULL,
        resizes INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        body BLOB NOT NULL
    )""",
    BY_TIME,
    """CREATE INDEX document_by_recording
        ON document (recording, message_id, id, trust, out_bytes, in_bytes, resizes, last_ms, time_us, user, host)
        WHERE recording IS NOT NULL""",
    *TABLES.values(),
    *DERIVING,
    sqlite_programs.TABLE,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
"""`recording` is NULL outside recordings; `message_id`, made by `ordered`, is NULL outside their messages. `user`,
`level` and `session` are NULL where a document has none; `value` is described in `query/sqlite.py`."""

COLUMNS = (
    *("id", "kind", "time_us", "host", "user", "level", "session", "recording"),
    *("message_id", "trust", "out_bytes", "in_bytes", "resizes", "last_ms"),
)
"""Of `document`, as `INSERT` takes them; `body` comes last."""
_NUMBERS = ("time_us", "session", *COLUMNS[8:])
INSERT = """INSERT INTO document VALUES (
    NULL, CAST(? AS TEXT), CAST(? AS TEXT), ?, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), ?, CAST(? AS TEXT),
    ?, ?, ?, ?, ?, ?, ?
    ) ON CONFLICT (id) DO NOTHING"""
CORRECT = "UPDATE document SET {} WHERE number = ?".format(  # noqa: S608 - our own names
    ", ".join(f"{name} = {'?' if name in _NUMBERS else 'CAST(? AS TEXT)'}" for name in COLUMNS)
)
"""Takes the values of `COLUMNS`, and the number."""


class Inserts(NamedTuple):
    """The statements that put what finds a document into tables; `value` is for `of_value`."""

    words: str
    value: str
    piece: str
    trigrams: str
    distinct_value: str
    value_trigrams: str


def inserts(prefix: str = "") -> Inserts:
    """Those of tables with this prefix."""
    return Inserts(
        f"INSERT INTO {prefix}words (rowid, text) VALUES (?, CAST(? AS TEXT))",  # noqa: S608 - our own names
        f"INSERT INTO {prefix}value VALUES (?, {{}}, ?)",  # noqa: S608
        f"INSERT INTO {prefix}piece (number, field, text) VALUES (?, ?, CAST(? AS TEXT))",  # noqa: S608
        f"INSERT INTO {prefix}trigrams (rowid, text) VALUES (?, CAST(? AS TEXT))",  # noqa: S608
        f"INSERT INTO {prefix}distinct_value (value) VALUES (CAST(? AS TEXT)) ON CONFLICT (value) DO NOTHING",  # noqa: S608
        f"INSERT INTO {prefix}value_trigrams (rowid, text) VALUES (?, CAST(? AS TEXT))",  # noqa: S608
    )


PIECES = "SELECT id, text FROM piece WHERE number = ?"
FORGET_TRIGRAMS = "INSERT INTO trigrams (trigrams, rowid, text) VALUES ('delete', ?, CAST(? AS TEXT))"
FORGET_PIECES = "DELETE FROM piece WHERE number = ?"
FORGET_VALUE = "DELETE FROM value WHERE field = ? AND value = {} AND number = ?"
_NO_MORE = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM value WHERE field = '{field}' AND value.value = distinct_value.value)"  # noqa: S608
    for field in PARTED
)
UNUSED = f"SELECT id FROM distinct_value WHERE value = CAST(? AS TEXT) AND {_NO_MORE}"  # noqa: S608
"""Which value this is, if no document has it any more."""
FORGET_VALUE_TRIGRAMS = "INSERT INTO value_trigrams (value_trigrams, rowid, text) VALUES ('delete', ?, CAST(? AS TEXT))"
FORGET_DISTINCT_VALUE = "DELETE FROM distinct_value WHERE id = ?"
FORGET_WORDS = "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, CAST(? AS TEXT))"


_RECORDING, _MESSAGE_ID = 7, 8
"""Places in a row's values."""


class Damaged(Exception):
    """A row is not what was written."""


class Row(NamedTuple):
    """What is inserted for one document."""

    values: tuple[Any, ...]
    """As `INSERT` takes them."""
    words: bytes
    listed: set[tuple[str, str | int | bytes]]
    """Rows of `value`, without the document's number."""
    pieces: list[tuple[str, str]]
    """Rows of `piece`: field and text."""
    execution: Execution | None = None
    """The program that audit saw start, where it tells of one."""

    @property
    def parted(self) -> set[str]:
        """Those of its values that are found by their parts."""
        return parted(self.listed)

    @property
    def document_id(self) -> str:
        """The document's id."""
        return text_back(self.values[0])

    def has(self, columns: Sequence[Any]) -> bool:
        """Tell whether a document has these columns, as they are read."""
        return [text(value) if isinstance(value, str) else value for value in columns] == list(self.values[:-1])

    @property
    def message_of(self) -> bytes:
        """The recording that the document is a message of, as it is bound; empty where it is none."""
        return self.values[_RECORDING] or b"" if self.values[_MESSAGE_ID] is not None else b""

    @property
    def body(self) -> bytes:
        """The whole document, as it is kept."""
        body: bytes = self.values[-1]
        return body


def parted(listed: Iterable[tuple[str, str | int | bytes]]) -> set[str]:
    """Of rows of `value`, the values that are found by their parts."""
    return {value for field, value in listed if field in PARTED and isinstance(value, str)}


def as_tokenized(value: bytes) -> bytes:
    """A text as its trigrams are made: SQLite would stop at the first NUL. No query asks for trigrams with one."""
    return value.replace(b"\0", b"\1")


def ordered(number: int) -> int | bytes:
    """A number of any size from -2**63 + 1 on as a value that SQLite orders rightly and keeps exactly."""
    if number.bit_length() <= _BITS:
        return number
    size = (number.bit_length() + 7) // 8
    if number < 0 or size >= 1 << 16:
        raise ValueError("tlog.id is out of range")
    return size.to_bytes(2, "big") + number.to_bytes(size, "big")


def ordered_back(value: int | bytes) -> int:
    """The number that `ordered` was given. Raises Damaged."""
    if not isinstance(value, (int, bytes)):
        raise Damaged("an id is no number")
    return value if isinstance(value, int) else int.from_bytes(value[2:], "big")


def to_row(document: Document) -> Row:
    """One document's row. Raises ValueError, TypeError or KeyError where it is none that can be kept."""
    own: Mapping[str, Any] = document["ttyscribe"]
    tlog: Mapping[str, Any] = document.get("tlog") or {}
    recording, kind = own.get("recording") or None, own["kind"]
    is_message = kind == "tlog" and recording is not None
    found = indexed(document)
    counts = [_count(own, name, _COUNT_BITS) for name in ("out_bytes", "in_bytes", "resizes")]
    values = (
        text(document["viaq_msg_id"]),
        text(kind),
        time_ns(document) // MICROSECOND,
        text(document["hostname"]),
        _text_or_none(tlog["user"] if tlog else found.columns["user"]),
        _text_or_none(found.columns["level"]),
        found.columns["session"],
        None if recording is None else text(recording),
        ordered(tlog["id"]) if is_message else None,
        rank(own["trust"]),
        *counts,
        _count(own, "last_ms", _BITS),
        zlib.compress(jsontext.dumps(document), _LEVEL),
    )
    execution = of_document(document)
    listed = found.listed | sqlite_programs.listed(document, execution)
    return Row(values, text(own["words"]), listed, pieces(document), execution)


def _text_or_none(value: str | None) -> bytes | None:
    return None if value is None else text(value)


def of_value(sql: str, row: tuple[str, str | int | bytes], number: int) -> tuple[str, tuple[Any, ...]]:
    """A statement about one row of `value`: texts are bound as bytes, numbers and addresses as they are."""
    field, value = row
    if isinstance(value, str):
        return sql.format("CAST(? AS TEXT)"), (field, text(value), number)
    return sql.format("?"), (field, value, number)


def _count(own: Mapping[str, Any], name: str, bits: int) -> int:
    number: int = own.get(name, 0)
    if number < 0 or number.bit_length() > bits:
        raise ValueError(f"ttyscribe.{name} is out of range")
    return number


def partition_of(document: Document) -> str:
    """The file that the document belongs into. Raises ValueError where it names none."""
    name = document["ttyscribe"]["partition"]
    if not is_partition(name):
        raise ValueError("ttyscribe.partition is neither YYYY.MM nor implausible-time")
    return name


def with_words(body: bytes) -> dict[str, Any]:
    """The document of a row with its words. Raises Damaged."""
    document, words = _opened(body)
    document["ttyscribe"]["words"] = words
    return document


def document_of(body: bytes) -> dict[str, Any]:
    """The document of a row, without its words. Raises Damaged."""
    document, _ = _opened(body)
    return document


def indexed_by(body: bytes) -> tuple[bytes, set[tuple[str, str | int | bytes]]]:
    """The words that a row's document was indexed by, and its rows of `value`. Raises Damaged."""
    document, words = _opened(body)
    return text(words), indexed(document).listed | sqlite_programs.listed(document, of_document(document))


def again(body: bytes) -> Row:
    """The row that a document which is kept gives now. Raises Damaged."""
    try:
        return to_row(whole(body))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise Damaged(str(error)) from None


def whole(body: bytes) -> Document:
    """The document of a row as it was written, its words included. Raises Damaged."""
    try:
        document: Document = jsontext.loads(zlib.decompress(body))
    except (zlib.error, ValueError, TypeError) as error:
        raise Damaged(str(error)) from None
    return document


def _opened(body: bytes) -> tuple[dict[str, Any], str]:
    try:
        document: dict[str, Any] = dict(whole(body))
        return document, document["ttyscribe"].pop("words")
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(str(error)) from None
