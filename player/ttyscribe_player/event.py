# SPDX-License-Identifier: Apache-2.0
"""Stored messages in, what a player shows out; pure.

Where the messages do not tell one certain story, a mark says so in place of what is missing or in doubt: nothing
uncertain is played as true.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.own import Own, read_own
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.place import format_time
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import from_fields
from ttyscribe_player import senders, told
from ttyscribe_player.told import Hole, Losses, hole_text, looking_ahead
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.conflict import FIRST_ID, Choice, choose, rank

_MS = 1_000_000
_MARK_BEHIND_NS = 60 * 1_000_000_000
_HOLES = 64


class Mark(NamedTuple):
    """A place that a viewer has to know of."""

    time_ns: int
    text: str
    """Printable ASCII of ours; of what is recorded it holds numbers, and a short reason for a loss."""
    is_loss: bool
    """Whether something that belongs here is not played."""


Event = Output | Window | Mark


def events(messages: Iterable[StoredMessage], sender: int = senders.NOBODY) -> Iterator[Event]:
    """What to show of one recording, in time order; takes messages ordered by id, as `Store.messages` gives them.

    Times are nanoseconds from the recording's start and never go back. A mark stands at the time of what was played
    before it: what is in doubt can't hold the clock. With a `sender` what this process sent is played, and nothing
    else.
    """
    losses = Losses()
    story = _Story(sender, losses)
    choices = (senders.preferred(one, sender) for one in choose(messages))
    for choice in looking_ahead(choices, losses):
        yield from story.take(choice)


def following(messages: Iterable[StoredMessage | None], sender: int = senders.NOBODY) -> Iterator[Event | None]:
    """The same of a recording that still runs: what comes between two None is put in order, and told up to there.

    A message that comes late is played late, and it is said. One whose id was told already is left out; if it says
    something else, a mark stands in its place.
    """
    losses = Losses()
    story = _Story(sender, losses)
    seen: dict[int, set[int]] = {}
    batch: list[StoredMessage] = []
    for message in messages:
        if message is not None:
            batch.append(message)
            continue
        batch.sort(key=lambda item: (item.tlog["id"], item.document_id))
        again = [item for item in batch if item.tlog["id"] in seen]
        fresh = choose(item for item in batch if item.tlog["id"] not in seen)
        choices = [senders.preferred(one, sender) for one in fresh]
        for choice in choices:
            losses.learn(choice.message)
        for choice in choices:
            seen[choice.id] = set(map(_content, [*([choice.message] if choice.message else []), *choice.others]))
            yield from story.take(choice)
        for item in again:
            number: int = item.tlog["id"]
            if _content(item) not in seen[number]:
                seen[number].add(_content(item))
                yield Mark(story.now, f"another message claims to be message {number}, late: not played", True)
        batch.clear()
        yield None


def _content(message: StoredMessage) -> int:
    return hash(repr(sorted(message.tlog.items(), key=itemgetter(0))))


class _Story:
    """Turns one choice after the other into events; remembers the time."""

    def __init__(self, sender: int, losses: Losses) -> None:
        self._teller = _Teller(sender, losses)
        self.now = 0

    def take(self, choice: Choice) -> Iterator[Event]:
        """The events of what a recording has for one id."""
        yield from self._teller.marks(choice, self.now)
        if choice.message is None:
            return
        try:
            message = from_fields(choice.message.tlog)
            packets = message_packets(message)
        except MessageError as error:
            yield Mark(self.now, f"message {choice.id} can't be read: {_printable(str(error))}", True)
            return
        if message.extra:
            own = read_own(message)
            yield from self._teller.late(own, self.now)
            yield from self._with_marks(packets, told.marks(own), message.pos * _MS)
        else:
            yield from self._played(packets)

    def _with_marks(self, packets: Sequence[Packet], marks: list[tuple[int, str]], start_ns: int) -> Iterator[Event]:
        """A forged time may hold the clock for so long as a recorder's mark can be behind its message, no longer."""
        latest_ns = (packets[-1].time_ns if packets else start_ns) + _MARK_BEHIND_NS
        at = 0
        for time_ns, text in marks:
            before = at
            while at < len(packets) and packets[at].time_ns < time_ns:
                at += 1
            yield from self._played(packets[before:at])
            self.now = max(self.now, min(time_ns, latest_ns))
            yield Mark(self.now, text, False)
        yield from self._played(packets[at:])

    def _played(self, packets: Iterable[Packet]) -> Iterator[Event]:
        for packet in packets:
            self.now = now = max(self.now, packet.time_ns)
            if not isinstance(packet, Input):
                yield packet if packet.time_ns == now else packet._replace(time_ns=now)


class _Teller:
    """Remembers who sent what came before, and says where the story breaks."""

    def __init__(self, sender: int, losses: Losses) -> None:
        self._sender = sender
        self._losses = losses
        self._unexplained: deque[Hole] = deque(maxlen=_HOLES)
        self._expected = FIRST_ID
        self._pid = -1
        self._rank = 0
        self._pos = 0

    def marks(self, choice: Choice, now: int) -> Iterator[Mark]:
        """What is to be said before this choice is played."""
        if choice.id > self._expected:
            for hole in self._losses.explained(self._expected, choice.id - 1):
                yield Mark(now, hole_text(hole), True)
                if not hole.why:
                    self._unexplained.append(hole)
        is_late = FIRST_ID <= choice.id < self._expected
        if is_late:
            yield Mark(now, f"message {choice.id} comes late", False)
        self._expected = max(self._expected, choice.id + 1)
        if choice.message is None:
            yield Mark(now, conflict_text(choice, self._sender), True)
            return
        if choice.others:
            yield Mark(now, conflict_text(choice, self._sender), False)
        pos = choice.message.tlog["pos"]
        if not is_late:  # else its time is not where it stands anyway
            if pos < self._pos:
                yield Mark(now, backwards_text(choice.id, self._pos, pos), False)
            self._pos = pos
        yield from self._doubts(choice.id, choice.message, now)

    def late(self, own: Own, now: int) -> Iterator[Mark]:
        """What explains a hole that was told before anybody explained it: in a recording that is followed."""
        for loss in own.losses if self._unexplained else ():
            for hole in [one for one in self._unexplained if one.first <= loss.last and loss.first <= one.last]:
                self._unexplained.remove(hole)
                first, last = max(hole.first, loss.first), min(hole.last, loss.last)
                yield Mark(now, hole_text(Hole(first, last, loss.why or "no reason is given")), False)

    def _doubts(self, number: int, message: StoredMessage, now: int) -> Iterator[Mark]:
        """Told where the sender changes, and not again at each message: else one forged message would mark them all."""
        trust = rank(message.trust)
        if trust < self._rank:
            yield Mark(now, f"message {number} is less trusted than what came before it", False)
        elif self._pid >= 0 and message.sender_pid != self._pid:
            yield Mark(now, f"message {number} comes from another process than what came before it", False)
        self._rank, self._pid = trust, message.sender_pid


def backwards_text(number: int, before_ms: int, ms: int) -> str:
    """Which message begins earlier than the one before it, in words."""
    return (
        f"message {number} goes back in time: it says {format_time(ms)}, what came before it {format_time(before_ms)}"
    )


def conflict_text(choice: Choice, sender: int = senders.NOBODY) -> str:
    """What stands against each other, in words; `sender` is the one that alone is believed."""
    if sender >= 0:
        return _sender_text(choice, sender)
    if choice.message is not None:
        return f"{len(choice.others) + 1} messages claim to be message {choice.id}: the most trusted one is played"
    text = f"{len(choice.others)} messages claim to be message {choice.id}, none is certain: not played"
    names = senders.names(choice.others)
    return f"{text}; sent by {names}: --sender=PID plays one's" if names else text


def _sender_text(choice: Choice, sender: int) -> str:
    if choice.message is not None:
        others = len(choice.others)
        return (
            f"{others + 1} messages claim to be message {choice.id}: that of process {sender} is played, as asked for"
        )
    if any(claim.sender_pid == sender for claim in choice.others):
        return f"process {sender} sent several messages that claim to be message {choice.id}: not played"
    names = senders.names(choice.others) or "nobody attested"
    return f"message {choice.id} is not of process {sender}: not played; sent by {names}"


def _printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:120]
