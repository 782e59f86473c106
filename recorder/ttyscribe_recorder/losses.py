# SPDX-License-Identifier: Apache-2.0
"""Which messages are gone, and why: noted where they are dropped, told by the recording in the next that goes out."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Loss(NamedTuple):
        """A run of messages."""

        first: int
        last: int
        why: str
else:
    from collections import namedtuple

    Loss = namedtuple("Loss", "first last why")

MOST = 64
"""Runs that are kept apart; of more, neighbours become one, and may hold ids that were not lost."""
_ID = b',"id":'
_OWN = b',"ttyscribe":{"v":1'
_LOST = b'"lost":[{"from":'
_NEXT = b',{"from":'


def message_id(message: bytes) -> int:
    """The id of an encoded message; 0 where it is none of ours."""
    at = message.find(_ID) + len(_ID)
    return int(message[at : message.index(b",", at)]) if at >= len(_ID) else 0


def told_in(message: bytes) -> "list[Loss]":
    """The losses that a message of ours tells of. Inside a value a quote is escaped: only keys look like this."""
    begin = message.rfind(_OWN)
    at = message.find(_LOST, begin) if begin >= 0 else -1
    if at < 0:
        return []
    at += len(_LOST)
    found = []
    for item in message[at : message.index(b'"}]', at)].split(_NEXT):
        first, _, rest = item.partition(b',"to":')
        last, _, why = rest.partition(b',"why":"')
        found.append(Loss(int(first), int(last), why.removesuffix(b'"}').decode()))
    return found


class Losses:
    """Runs of lost messages that wait to be told, in order."""

    __slots__ = ("_runs", "count", "failed", "why")

    def __init__(self) -> None:
        self._runs: list[Loss] = []
        self.count = 0
        """Messages lost so far."""
        self.why = ""
        """Why the last one was."""
        self.failed = ""
        """Why the first one was that nobody wanted to lose: one over the rate limit does not count."""

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, message: bytes, why: str, *, meant: bool = False) -> None:
        """This message is gone, and with it what it told of earlier ones. `meant`: the operator wants it so."""
        for loss in told_in(message):
            self._append(loss)
        number = message_id(message)
        self._append(Loss(number, number, why))
        self.count += 1
        self.why = why
        if not meant:
            self.failed = self.failed or why

    def take(self) -> "list[Loss]":
        """What waits to be told; it is up to the caller now."""
        runs, self._runs = self._runs, []
        return runs

    def _append(self, loss: "Loss") -> None:
        last = self._runs[-1] if self._runs else None
        if last is not None and (len(self._runs) >= MOST or (last.why == loss.why and last.last + 1 == loss.first)):
            self._runs[-1] = Loss(last.first, max(last.last, loss.last), last.why)
        else:
            self._runs.append(loss)
