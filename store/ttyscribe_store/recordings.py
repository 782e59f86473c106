# SPDX-License-Identifier: Apache-2.0
"""Recordings out of their messages; pure. What stores share that compute them on reading.

What names a recording (user, host, terminal, session, start) is read from its most trusted message, of these the
one with the lowest id: a forged message can't rename a recording or hide it from a filter.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_store.base import Recording, RecordingFilter
from ttyscribe_store.conflict import TRUSTS
from ttyscribe_store.views import time_ns

_MS = 1_000_000


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
    )


def recording(key: str, numbers: Part, chief: Mapping[str, Any]) -> Recording:
    """A recording from its numbers and the document that names it."""
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
    )


def fits(found: Recording, wanted: RecordingFilter) -> bool:
    """Tell whether a recording is wanted: it runs at or after `since_ns`, and begins before `until_ns`."""
    if wanted.recording and found.recording != wanted.recording:
        return False
    if wanted.user and found.user != wanted.user:
        return False
    if wanted.host and found.host != wanted.host:
        return False
    if wanted.since_ns and found.start_ns + found.duration_ms * _MS < wanted.since_ns:
        return False
    return not wanted.until_ns or found.start_ns < wanted.until_ns


def newest_first(found: Recording) -> tuple[int, str]:
    """The order in which recordings are listed."""
    return (-found.start_ns, found.recording)
