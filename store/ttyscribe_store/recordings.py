# SPDX-License-Identifier: Apache-2.0
"""Recordings out of their messages; pure. What stores share that compute them on reading.

What names a recording (user, host, terminal, session, start) is read from one message, its chief. Of those with the
highest trust it is, in this order: one with an id of 1 or more, one whose id no other of them claims, the one with the
lowest id, with the lowest document id. A filter holds if any message fits, or the row does: a forger can add to what a
filter finds, and take nothing away. See docs/decisions/0005-what-names-a-recording.md.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ttyscribe_formats.own import read_object
from ttyscribe_store.base import Recording, RecordingFilter
from ttyscribe_store.conflict import FIRST_ID, TRUSTS, rank
from ttyscribe_store.views import time_ns

_MS = 1_000_000
GAPS = 4
"""Runs of missing ids that a row names."""
SLACK_NS = 3600 * 1_000_000_000
"""How far before `since_ns` stores look for messages whose recording may still reach it; a message lasts seconds."""


class Part(NamedTuple):
    """The numbers of one recording's messages in one partition."""

    messages: int
    distinct_ids: int
    first_id: int
    last_id: int
    out_bytes: int
    in_bytes: int
    resizes: int
    last_ms: int
    trust: int
    """Rank of the lowest trust."""
    below_first: int = 0


class Seen(NamedTuple):
    """Whether any message of a recording fits each condition of a filter (any answer where there is none)."""

    user: bool
    host: bool
    since: bool
    until: bool


class Claim(NamedTuple):
    """Who may be chief: one message, and how many of the same trust have its id."""

    id: int
    document_id: str
    claims: int


def joined(parts: Sequence[Part], distinct_ids: int) -> Part:
    """One part out of several; only who has seen all ids knows how many differ."""
    return Part(
        messages=sum(part.messages for part in parts),
        distinct_ids=distinct_ids,
        first_id=min(part.first_id for part in parts),
        last_id=max(part.last_id for part in parts),
        out_bytes=sum(part.out_bytes for part in parts),
        in_bytes=sum(part.in_bytes for part in parts),
        resizes=sum(part.resizes for part in parts),
        last_ms=max(part.last_ms for part in parts),
        trust=min(part.trust for part in parts),
        below_first=sum(part.below_first for part in parts),
    )


def precedence(claim: Claim) -> tuple[bool, bool, int, str]:
    """The chief is the first by this, among the messages of the highest trust."""
    return (claim.id < FIRST_ID, claim.claims > 1, claim.id, claim.document_id)


def chief_of(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The document that names the recording, of all of its messages."""
    best = max(rank(item["ttyscribe"]["trust"]) for item in documents)
    trusted = [item for item in documents if rank(item["ttyscribe"]["trust"]) == best]
    claims = Counter(item["tlog"]["id"] for item in trusted)

    def place(item: Mapping[str, Any]) -> tuple[bool, bool, int, str]:
        number = item["tlog"]["id"]
        return precedence(Claim(number, item["viaq_msg_id"], claims[number]))

    return min(trusted, key=place)


def last_of(documents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The last message by its id, of those with the highest trust."""
    return max(documents, key=lambda item: (rank(item["ttyscribe"]["trust"]), item["tlog"]["id"], item["viaq_msg_id"]))


def is_end(document: Mapping[str, Any]) -> bool:
    """Tell whether a message carries the mark of an end in order."""
    return read_object(document["tlog"].get("ttyscribe")).status is not None


def gaps(ids: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """The first runs of ids that are missing, from 1 on; takes the ids that are there, in order."""
    return tuple(islice(_gaps(ids), GAPS))


def _gaps(ids: Iterable[int]) -> Iterator[tuple[int, int]]:
    expected = FIRST_ID
    for number in ids:
        if number > expected:
            yield expected, number - 1
        expected = max(expected, number + 1)


def recording(key: str, numbers: Part, chief: Mapping[str, Any], **more: Any) -> Recording:
    """A recording from its numbers and the document that names it; `more` are its `users`, `hosts`, `ended`, `gaps`."""
    tlog = chief["tlog"]
    return Recording(
        recording=key,
        user=tlog["user"],
        host=tlog["host"],
        term=tlog["term"],
        session=tlog["session"],
        start_ns=time_ns(chief) - tlog["pos"] * _MS,
        duration_ms=numbers.last_ms,
        messages=numbers.messages,
        first_id=numbers.first_id,
        last_id=numbers.last_id,
        distinct_ids=numbers.distinct_ids,
        out_bytes=numbers.out_bytes,
        in_bytes=numbers.in_bytes,
        resizes=numbers.resizes,
        trust=TRUSTS[numbers.trust],
        below_first=numbers.below_first,
        **more,
    )


def fits(found: Recording, wanted: RecordingFilter, seen: Seen) -> bool:
    """Tell whether a recording is wanted: it or a message of it is at or after `since_ns`, begins before `until_ns`."""
    if wanted.recording and found.recording != wanted.recording:
        return False
    return (
        (not wanted.user or seen.user or found.user == wanted.user)
        and (not wanted.host or seen.host or found.host == wanted.host)
        and (not wanted.since_ns or seen.since or found.start_ns + found.duration_ms * _MS >= wanted.since_ns)
        and (not wanted.until_ns or seen.until or found.start_ns < wanted.until_ns)
    )


def newest_first(found: Recording) -> tuple[int, str]:
    """The order in which recordings are listed."""
    return (-found.start_ns, found.recording)
