# SPDX-License-Identifier: Apache-2.0
"""What the store on SQLite asks of one file; pure."""

from typing import Any

from ttyscribe_store.base import DERIVED

Statement = tuple[str, tuple[Any, ...]]

COUNT = "SELECT count(*) FROM document"
SPAN = "SELECT min(time_us) FROM document"
BODY = "SELECT body FROM document WHERE number = ?"
ANY_OF = "SELECT 1 FROM document WHERE recording = CAST(? AS TEXT) LIMIT 1"
NUMBERS = "SELECT number FROM document WHERE recording = CAST(? AS TEXT)"
_KINDS = ", ".join(f"'{kind}'" for kind in DERIVED)
DERIVED_OF = f"""SELECT number, id, body FROM document
    WHERE recording = CAST(? AS TEXT) AND message_id IS NULL AND kind IN ({_KINDS})"""  # noqa: S608 - our own words
ROWS = "SELECT body FROM document WHERE kind = 'recording'"
REMOVE = "DELETE FROM document WHERE number = ?"
MERGE = "INSERT INTO {0} ({0}, rank) VALUES ('merge', ?)"
MERGED = ("words", "trigrams", "value_trigrams")
MERGE_PAGES = 500
"""At once; negative in the first step, which has everything merged into one."""

_OF = "FROM document WHERE recording = CAST(? AS TEXT) AND message_id IS NOT NULL"
UNDER = "SELECT number, body FROM document WHERE id = CAST(? AS TEXT)"
ROW = "SELECT body FROM document WHERE kind = 'recording' AND recording = CAST(? AS TEXT)"
COUNTS = """SELECT recording, count(*) FROM document WHERE recording IS NOT NULL AND message_id IS NOT NULL
    GROUP BY recording"""
RECORDINGS = "SELECT DISTINCT recording FROM document WHERE recording IS NOT NULL"
SOME_OF = f"SELECT 1 {_OF} LIMIT 1"
COUNT_OF = f"SELECT count(*) {_OF}"
MARK = """INSERT INTO waiting VALUES (CAST(? AS TEXT), 1)
    ON CONFLICT (recording) DO UPDATE SET changes = changes + 1"""
MARK_ALL = """INSERT INTO waiting SELECT DISTINCT recording, 1 FROM document
    WHERE recording IS NOT NULL AND (message_id IS NOT NULL OR kind = 'recording')
    ON CONFLICT (recording) DO UPDATE SET changes = changes + 1"""
MARKED = "SELECT recording, changes FROM waiting"
UNMARK = "DELETE FROM waiting WHERE recording = CAST(? AS TEXT) AND changes = ?"
FORGET_MARK = "DELETE FROM waiting WHERE recording = CAST(? AS TEXT)"
RULES = "SELECT version FROM rules"
RULES_IF_MADE = "SELECT (SELECT version FROM rules)"
"""NULL where none is told; no row where the file is just being made."""
FORGET_RULES = "DELETE FROM rules"
SET_RULES = "INSERT INTO rules VALUES (?)"
MESSAGES = (
    f"SELECT message_id, id, body {_OF} AND (message_id, id) > (?, CAST(? AS TEXT)) ORDER BY message_id, id LIMIT ?"
)


def bodies(count: int) -> str:
    """Numbers, times, ids and bodies of so many documents."""
    places = ", ".join("?" * count)
    return f"SELECT number, time_us, id, body FROM document WHERE number IN ({places})"  # noqa: S608 - no text of others
