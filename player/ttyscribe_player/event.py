# SPDX-License-Identifier: Apache-2.0
"""Stored messages in, what a player shows out; pure.

Where the messages do not tell one certain story, a mark says so in place of what is missing or in doubt: nothing
uncertain is played as true.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Window
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import from_fields
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.conflict import FIRST_ID, Choice, choose, rank


class Mark(NamedTuple):
    """A place that a viewer has to know of."""

    time_ns: int
    text: str
    """Printable ASCII of ours; nothing recorded is in it."""
    is_loss: bool
    """Whether something that belongs here is not played."""


Event = Output | Window | Mark


def events(messages: Iterable[StoredMessage]) -> Iterator[Event]:
    """What to show of one recording, in time order; takes messages ordered by id, as `Store.messages` gives them.

    Times are nanoseconds from the recording's start and never go back. A mark stands at the time of what was played
    before it: what is in doubt can't hold the clock.
    """
    story = _Story()
    for choice in choose(messages):
        yield from story.take(choice)


def following(messages: Iterable[StoredMessage | None]) -> Iterator[Event | None]:
    """The same of a recording that still runs: what comes between two None is put in order, and told up to there.

    A message that comes late is played late, and it is said; one whose id was told already is left out.
    """
    story = _Story()
    told: set[int] = set()
    batch: list[StoredMessage] = []
    for message in messages:
        if message is not None:
            batch.append(message)
            continue
        batch.sort(key=lambda item: (item.tlog["id"], item.document_id))
        for choice in choose(item for item in batch if item.tlog["id"] not in told):
            told.add(choice.id)
            yield from story.take(choice)
        batch.clear()
        yield None


class _Story:
    """Turns one choice after the other into events; remembers the time."""

    def __init__(self) -> None:
        self._teller = _Teller()
        self._now = 0

    def take(self, choice: Choice) -> Iterator[Event]:
        yield from self._teller.marks(choice, self._now)
        if choice.message is None:
            return
        try:
            packets = message_packets(from_fields(choice.message.tlog))
        except MessageError as error:
            yield Mark(self._now, f"message {choice.id} can't be read: {_printable(str(error))}", True)
            return
        for packet in packets:
            self._now = now = max(self._now, packet.time_ns)
            if not isinstance(packet, Input):
                yield packet if packet.time_ns == now else packet._replace(time_ns=now)


class _Teller:
    """Remembers who sent what came before, and says where the story breaks."""

    def __init__(self) -> None:
        self._expected = FIRST_ID
        self._pid = -1
        self._rank = 0

    def marks(self, choice: Choice, now: int) -> Iterator[Mark]:
        """What is to be said before this choice is played."""
        if choice.id > self._expected:
            yield Mark(now, missing_text(self._expected, choice.id - 1), True)
        elif FIRST_ID <= choice.id < self._expected:
            yield Mark(now, f"message {choice.id} comes late", False)
        self._expected = max(self._expected, choice.id + 1)
        if choice.message is None:
            yield Mark(now, conflict_text(choice), True)
            return
        if choice.others:
            yield Mark(now, conflict_text(choice), False)
        yield from self._doubts(choice.id, choice.message, now)

    def _doubts(self, number: int, message: StoredMessage, now: int) -> Iterator[Mark]:
        """Told where the sender changes, and not again at each message: else one forged message would mark them all."""
        trust = rank(message.trust)
        if trust < self._rank:
            yield Mark(now, f"message {number} is less trusted than what came before it", False)
        elif self._pid >= 0 and message.sender_pid != self._pid:
            yield Mark(now, f"message {number} comes from another process than what came before it", False)
        self._rank, self._pid = trust, message.sender_pid


def missing_text(first: int, last: int) -> str:
    """Which messages are missing, in words."""
    return f"message {first} is missing" if first == last else f"messages {first} to {last} are missing"


def conflict_text(choice: Choice) -> str:
    """What stands against each other, in words."""
    if choice.message is None:
        return f"{len(choice.others)} messages claim to be message {choice.id}, none is certain: not played"
    return f"{len(choice.others) + 1} messages claim to be message {choice.id}: the most trusted one is played"


def _printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:120]
