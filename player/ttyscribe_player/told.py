# SPDX-License-Identifier: Apache-2.0
"""What the recorder itself tells in a recording: masked input, skipped data, lost messages; pure.

Words are printable ASCII. Of the messages they hold numbers and, of a loss, the recorder's reason: short, and only what
is printable.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ttyscribe_formats.own import Lost, Own, read_object
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.conflict import Choice

_MS = 1_000_000
_AHEAD = 64
_MOST_LOSSES = 1024


class Hole(NamedTuple):
    """A run of ids that are not there; `why` is empty where nobody says why."""

    first: int
    last: int
    why: str = ""


def hole_text(hole: Hole) -> str:
    """Which messages are missing, in words, and why, where the recorder says so."""
    one = hole.first == hole.last
    numbers = f"message {hole.first}" if one else f"messages {hole.first} to {hole.last}"
    if hole.why:
        return f"{numbers} lost: {hole.why}"
    return f"{numbers} {'is' if one else 'are'} missing"


def marks(own: Own) -> list[tuple[int, str]]:
    """What a message says was left out, as (time in nanoseconds, words) in order of time."""
    found = [(mask.end_ms * _MS, "typed secret masked") for mask in own.masks]
    found += [(skip.ms * _MS, f"{skip.size} bytes of {skip.stream} skipped") for skip in own.skips]
    return sorted(found, key=lambda item: item[0])


class Losses:
    """Collects what messages say is lost, to explain holes with it. Bounded: a forger can't fill the memory."""

    def __init__(self) -> None:
        self._known: list[Lost] = []
        self._passed = 0

    def learn(self, message: StoredMessage | None) -> None:
        """Remember what this message says is lost."""
        own = message.tlog.get("ttyscribe") if message is not None else None
        if not isinstance(own, dict) or "lost" not in own:
            return
        if len(self._known) >= _MOST_LOSSES:
            self._known = [loss for loss in self._known if loss.last >= self._passed]
        for loss in read_object(own).losses:
            if len(self._known) < _MOST_LOSSES:
                insort(self._known, loss)

    def explained(self, first: int, last: int) -> Iterator[Hole]:
        """A hole in pieces: what is said to be lost, and what nobody explains; in order, each id once.

        Holes are asked for in order.
        """
        self._passed = first
        at = first
        for loss in self._known:
            if loss.last < at or loss.first > last:
                continue
            if loss.first > at:
                yield Hole(at, loss.first - 1)
                at = loss.first
            yield Hole(at, min(last, loss.last), loss.why or "no reason is given")
            at = loss.last + 1
            if at > last:
                return
        if at <= last:
            yield Hole(at, last)


def looking_ahead(choices: Iterable[Choice], losses: Losses) -> Iterator[Choice]:
    """The choices, each given out when some of those behind it have been learnt from.

    The recorder tells of a loss in the next message that goes out, or in one soon after.
    """
    window: deque[Choice] = deque()
    for choice in choices:
        losses.learn(choice.message)
        window.append(choice)
        if len(window) > _AHEAD:
            yield window.popleft()
    yield from window
