# SPDX-License-Identifier: Apache-2.0
"""Which of an engine's nodes to ask next: by turns, those that failed avoided for a growing while. No network here."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 120.0
"""Seconds that a node is avoided: after its first failure, and at most."""

N = TypeVar("N")


class _State(Generic[N]):
    """One node."""

    __slots__ = ("failures", "node", "until")

    def __init__(self, node: N) -> None:
        self.node = node
        self.failures = 0
        """Since it last answered."""
        self.until = 0.0
        """Until when it is avoided; only meaningful after a failure."""


class Turns(Generic[N]):
    """Nodes by turns. `now` is a monotonic clock in seconds, `dice` gives 0 to 1. May be used in several threads."""

    def __init__(self, nodes: Sequence[N], now: Callable[[], float], dice: Callable[[], float]) -> None:
        self._states = [_State(node) for node in nodes]
        self._now = now
        self._dice = dice
        self._next = int(dice() * len(nodes)) % len(nodes)  # many processes don't all begin with the same
        self._lock = threading.Lock()

    def turn(self) -> Iterator[N]:
        """Each node once, the one to ask first first, those that are avoided last, for when no other is left."""
        with self._lock:
            now, count = self._now(), len(self._states)
            turned = [self._states[(self._next + at) % count] for at in range(count)]
            self._next = (self._next + 1) % count
            turned.sort(key=lambda state: state.until if state.failures and state.until > now else 0.0)
            first = turned[0]
            if first.failures:  # on trial: until it has answered, others need not wait for it as well
                first.until = max(first.until, now + self._pause(first))
        return iter([state.node for state in turned])

    def failed(self, node: N) -> float:
        """Avoid a node; for how many seconds."""
        with self._lock:
            state = self._state(node)
            state.failures += 1
            pause = self._pause(state)
            state.until = self._now() + pause
        return pause

    def answered(self, node: N) -> bool:
        """Take a node in again; whether it was avoided."""
        state = self._state(node)
        was, state.failures = state.failures > 0, 0
        return was

    def _pause(self, state: _State[N]) -> float:
        longest = min(FIRST_PAUSE * 2.0 ** min(state.failures - 1, 16), LONGEST_PAUSE)
        return longest * (0.5 + self._dice() / 2)

    def _state(self, node: N) -> _State[N]:
        return next(state for state in self._states if state.node == node)
