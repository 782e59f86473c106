# SPDX-License-Identifier: Apache-2.0
"""Which of several messages with one id is the true one; pure.

The rule has to hold against the recorded user, who can log any message in the recording's name: it may at worst leave
a place undecided, it never makes a forged message the true one in place of the recorder's. See
docs/decisions/0003-who-wins-a-conflict.md.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from ttyscribe_store.base import StoredMessage

TRUSTS = ("none", "user", "system")
"""From the lowest to the highest."""
FIRST_ID = 1
"""Recorders number their messages from here; what claims a lower id is no recorder's and is no witness."""

_RANK = {trust: rank for rank, trust in enumerate(TRUSTS)}


class Choice(NamedTuple):
    """What a recording has for one id."""

    id: int
    message: StoredMessage | None
    """The true one; none where it can't be told."""
    others: list[StoredMessage]
    """All the rest that claim the id, the likelier first; empty where there is no conflict."""


def rank(trust: str) -> int:
    """A trust as a number, 0 the lowest; unknown words count as none."""
    return _RANK.get(trust, 0)


def choose(messages: Iterable[StoredMessage]) -> Iterator[Choice]:
    """One choice for each id, in order. Takes messages as `Store.messages` gives them, ordered by id; streams."""
    chooser = Chooser()
    for group in by_id(messages):
        yield chooser.choose(group)


def by_id(messages: Iterable[StoredMessage]) -> Iterator[list[StoredMessage]]:
    """The messages of each id, in order; takes them ordered by id. Streams."""
    for _, group in groupby(messages, key=_id):
        yield list(group)


def _id(message: StoredMessage) -> int:
    number: int = message.tlog["id"]
    return number


class Chooser:
    """Chooses among the messages of one id after another, each id higher than the one before."""

    def __init__(self) -> None:
        self._witnesses: set[int] = set()

    def choose(self, group: Iterable[StoredMessage]) -> Choice:
        """The choice for all messages of one id."""
        claims = list({item.document_id: item for item in group}.values())
        number = _id(claims[0])
        if len(claims) > 1:
            return _decide(number, claims, self._witnesses)
        if number >= FIRST_ID:
            self._witnesses.add(claims[0].sender_pid)
        return Choice(number, claims[0], [])


def _decide(number: int, claims: list[StoredMessage], witnesses: set[int]) -> Choice:
    """By trust; then by the pid that alone sent every undisputed message with a lower id."""
    claims.sort(key=lambda item: -rank(item.trust))
    best = [item for item in claims if rank(item.trust) == rank(claims[0].trust)]
    if len(best) > 1:
        pid = next(iter(witnesses)) if len(witnesses) == 1 else -1
        best = [item for item in best if pid >= 0 and item.sender_pid == pid]
    if len(best) != 1:
        return Choice(number, None, claims)
    return Choice(number, best[0], [item for item in claims if item is not best[0]])
