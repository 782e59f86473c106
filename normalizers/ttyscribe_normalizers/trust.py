# SPDX-License-Identifier: Apache-2.0
"""Who vouches for a message: decided by the uid that the kernel attests for its sender; pure."""

from collections.abc import Callable, Collection
from functools import lru_cache

from ttyscribe_normalizers.envelope import NOBODY

NameOf = Callable[[int], str]
"""A uid's user name on this host; empty where it has none."""


class Trust:
    """The operator's list of trusted uids, and a way to look up names.

    Names are asked by uid, never the other way round: uids are attested, so a sender can't make us look up names that
    it invents.
    """

    def __init__(self, trusted: Collection[int], name_of: NameOf) -> None:
        self._trusted = frozenset(trusted)
        self._name_of = name_of

    def of(self, uid: int, user: str = "") -> str:
        """`system`: the sender is trusted; `user`: it is `user`, who is recorded; else `none`."""
        if uid in self._trusted:
            return "system"
        if uid != NOBODY and user and self._name_of(uid) == user:
            return "user"
        return "none"


def cached(name_of: NameOf, clock: Callable[[], float], seconds: float = 300.0) -> NameOf:
    """The same, remembering each answer for at most `seconds`; user databases may be far away."""

    @lru_cache(maxsize=4096)
    def ask(uid: int, period: int) -> str:  # noqa: ARG001 - a new period is a new question
        return name_of(uid)

    return lambda uid: ask(uid, int(clock() / seconds))
