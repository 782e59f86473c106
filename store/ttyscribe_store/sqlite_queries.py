# SPDX-License-Identifier: Apache-2.0
"""What the store on SQLite asks of one file; pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_store.base import DERIVED, RecordingFilter
from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.partition import IMPLAUSIBLE
from ttyscribe_store.recordings import Part, Seen
from ttyscribe_store.sqlite_rows import MICROSECOND, Damaged, ordered_back
from ttyscribe_store.sqlite_text import text

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
MERGE = "INSERT INTO words (words, rank) VALUES ('merge', ?)"
MERGE_PAGES = 500
"""At once; negative in the first step, which has everything merged into one."""

_OF = "FROM document WHERE recording = CAST(? AS TEXT) AND message_id IS NOT NULL"
IDS = f"SELECT DISTINCT message_id {_OF}"
CLAIM = f"SELECT message_id, id, 1 {_OF} AND message_id >= ? AND trust = ? ORDER BY message_id, id LIMIT 1"
CLAIMS = f"SELECT message_id, min(id), count(*) {_OF} AND trust = ? GROUP BY message_id"
CHIEF = "SELECT body FROM document WHERE id = CAST(? AS TEXT)"
LAST = f"SELECT message_id, id, body {_OF} AND trust = ? ORDER BY message_id DESC, id DESC LIMIT 1"
USERS = f"SELECT DISTINCT user {_OF}"
HOSTS = f"SELECT DISTINCT host {_OF}"
KEYS = "SELECT DISTINCT recording FROM document WHERE recording IS NOT NULL AND message_id IS NOT NULL"
KEYS_SINCE = "SELECT DISTINCT recording FROM document WHERE time_us >= ? AND message_id IS NOT NULL"
AT_ONCE = 500
"""Recordings that one statement names."""
MESSAGES = (
    f"SELECT message_id, id, body {_OF} AND (message_id, id) > (?, CAST(? AS TEXT)) ORDER BY message_id, id LIMIT ?"
)
_SUMMARY = """SELECT recording, count(*), count(DISTINCT message_id), min(message_id), max(message_id),
    min(user), max(user), min(host), max(host),
    sum(out_bytes), sum(in_bytes), sum(resizes), max(last_ms), min(trust), max(trust),
    sum(message_id < 1), min(time_us), max(time_us), max(user = CAST(? AS TEXT)), max(host = CAST(? AS TEXT))
    FROM document WHERE recording IS NOT NULL AND message_id IS NOT NULL {} GROUP BY recording"""


class Found(NamedTuple):
    """What one file has of one recording."""

    file: str
    recording: str
    numbers: Part
    best_trust: int
    """Rank of the highest trust."""
    users: frozenset[str]
    """The first and the last by name of the users that its messages name."""
    hosts: frozenset[str]
    first_us: int
    last_us: int
    """Times of its first and last message, µs since the epoch."""
    has_user: bool
    has_host: bool
    """Whether one of its messages names the user, the host that is wanted."""


def summary(user: str, host: str, recordings: Sequence[str] | None) -> Statement:
    """The numbers of each of these recordings (none = of all), and whether they name the user and the host."""
    who = (text(user), text(host))
    if recordings is None:
        return _SUMMARY.format(""), who
    places = ", ".join(["CAST(? AS TEXT)"] * len(recordings))
    return _SUMMARY.format(f"AND recording IN ({places})"), (*who, *map(text, recordings))


def keys(file: str, since_ns: int) -> Statement | None:
    """The recordings that have a message in the file from then on; none where the file's month is over before."""
    month = timestamp.partition(max(since_ns, 0), None)
    if file < month:  # `implausible-time` is after all months
        return None
    return (KEYS_SINCE, (since_ns // MICROSECOND,)) if file in (month, IMPLAUSIBLE) else (KEYS, ())


def to_found(file: str, row: Sequence[Any]) -> Found:
    """A row of the summary. Raises Damaged."""
    key, messages, distinct, first, last, *names = row[:9]
    out_bytes, in_bytes, resizes, last_ms, trust, best, below, first_us, last_us, has_user, has_host = row[9:]
    if {type(value) for value in row[3:5]} - {int, bytes} or {type(value) for value in row[9:]} != {int}:
        raise Damaged("a column holds what was not written there")
    if not 0 <= trust <= best < len(TRUSTS):
        raise Damaged("there is no such trust")
    first_id, last_id = ordered_back(first), ordered_back(last)
    part = Part(messages, distinct, first_id, last_id, out_bytes, in_bytes, resizes, last_ms, trust, below)
    users, hosts = frozenset(names[:2]), frozenset(names[2:])
    return Found(file, key, part, best, users, hosts, first_us, last_us, bool(has_user), bool(has_host))


def seen(parts: Sequence[Found], wanted: RecordingFilter) -> Seen:
    """Whether any message of a recording fits each condition."""
    return Seen(
        user=any(part.has_user for part in parts),
        host=any(part.has_host for part in parts),
        since=max(part.last_us for part in parts) * MICROSECOND >= wanted.since_ns,
        until=min(part.first_us for part in parts) * MICROSECOND < wanted.until_ns,
    )


def overlap(parts: Sequence[Found]) -> bool:
    """Tell whether two parts may have an id in common."""
    spans = sorted((part.numbers.first_id, part.numbers.last_id) for part in parts)
    return any(here[1] >= there[0] for here, there in pairwise(spans))


def bodies(count: int) -> str:
    """Numbers and bodies of so many documents."""
    places = ", ".join("?" * count)
    return f"SELECT number, body FROM document WHERE number IN ({places})"  # noqa: S608 - no text of others
