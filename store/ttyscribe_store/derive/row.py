# SPDX-License-Identifier: Apache-2.0
"""The row of a recording out of its messages, fed id after id; pure. Its memory does not grow with the recording.

What names a recording (user, host, terminal, session, start) is read from one message, its chief. Of those with the
highest trust it is, in this order: one with an id of 1 or more, one whose id no other of them claims, the one with the
lowest id, with the lowest document id. See docs/decisions/0005-what-names-a-recording.md.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ttyscribe_formats.own import Lost, read_object
from ttyscribe_store.base import Recording, StoredMessage
from ttyscribe_store.conflict import FIRST_ID, TRUSTS, rank

GAPS = 4
"""Runs of missing ids that a row names."""
NAMES = 1000
"""Users, and hosts, that a row lists; where messages name more, every filter by one has to find the recording."""
MOST_NS = 2**63 - 1
"""The latest time that every store can hold."""
_MS = 1_000_000
_LOSSES = 64
_MOST = 2**63 - 1


class Names:
    """The different names that messages claim, in order; no more than `NAMES` are kept."""

    def __init__(self) -> None:
        self.kept: dict[str, None] = {}
        self.more = False

    def add(self, name: str) -> None:
        """Take one more."""
        if name not in self.kept:
            if len(self.kept) < NAMES:
                self.kept[name] = None
            else:
                self.more = True

    def listed(self, first: str) -> tuple[str, ...]:
        """All that are kept, this one first whether it is or not."""
        return (first, *(name for name in sorted(self.kept) if name != first))


class _Chief(NamedTuple):
    """Who may name the recording; the first by this order does."""

    is_below_first: bool
    is_disputed: bool
    id: int
    document_id: str
    message: StoredMessage


def _candidate(claims: Sequence[StoredMessage]) -> _Chief:
    first, number = claims[0], _id(claims[0])
    return _Chief(number < FIRST_ID, len(claims) > 1, number, first.document_id, first)


class _OfTrust:
    """What is kept of the messages of one trust."""

    def __init__(self, claims: Sequence[StoredMessage]) -> None:
        self.chief = _candidate(claims)
        self.last = claims[-1]
        self.losses: list[Lost] = []

    def feed(self, claims: Sequence[StoredMessage]) -> None:
        """All of this trust that have one id, ordered by document id."""
        chief = _candidate(claims)
        if chief[:4] < self.chief[:4]:
            self.chief = chief
        self.last = claims[-1]
        for claim in claims:
            if len(self.losses) < _LOSSES and isinstance(own := claim.tlog.get("ttyscribe"), dict) and "lost" in own:
                self.losses += read_object(own).losses


class RowMaker:
    """Counts the messages of one recording. `made` may be asked for at any time."""

    def __init__(self, recording: str) -> None:
        self._recording = recording
        self._trusts: dict[int, _OfTrust] = {}
        self.messages = self._distinct = self._below = 0
        self._first_id = self.last_id = 0
        self._expected = FIRST_ID
        self._gaps: list[tuple[int, int]] = []
        self._sums: Counter[str] = Counter()
        self._last_ms = 0
        self._first_ns, self._last_ns = MOST_NS, 0
        self.users, self.hosts = Names(), Names()

    def feed(self, group: Sequence[StoredMessage]) -> None:
        """All messages of one id, higher than the one before, ordered by document id."""
        number = _id(group[0])
        self._first_id = self._first_id if self._distinct else number
        self.last_id = number
        self._distinct += 1
        self._below += len(group) if number < FIRST_ID else 0
        if number > self._expected and len(self._gaps) < GAPS:
            self._gaps.append((self._expected, number - 1))
        self._expected = max(self._expected, number + 1)
        trusts: dict[int, list[StoredMessage]] = {}
        for message in group:
            self._count(message)
            trusts.setdefault(rank(message.trust), []).append(message)
        for trust, claims in trusts.items():
            if trust not in self._trusts:
                self._trusts[trust] = _OfTrust(claims)
            self._trusts[trust].feed(claims)

    def _count(self, message: StoredMessage) -> None:
        self.messages += 1
        for name in ("out_bytes", "in_bytes", "resizes"):
            self._sums[name] += getattr(message, name)
        self._last_ms = max(self._last_ms, message.last_ms)
        self._first_ns = min(self._first_ns, message.time_ns)
        self._last_ns = max(self._last_ns, message.time_ns)
        self.users.add(message.tlog["user"])
        self.hosts.add(message.tlog["host"])

    @property
    def chief(self) -> StoredMessage:
        """The message that names the recording."""
        return self._trusts[max(self._trusts)].chief.message

    def made(self) -> Recording:
        """The row of what was fed so far: one message at least. Times and sums are kept within 63 bits."""
        best = self._trusts[max(self._trusts)]
        chief, tlog = self.chief, self.chief.tlog
        start_ns = _clamped(chief.time_ns - tlog["pos"] * _MS)
        duration_ms = min(self._last_ms, _MOST)
        status = read_object(best.last.tlog.get("ttyscribe")).status
        return Recording(
            recording=self._recording,
            user=tlog["user"],
            host=tlog["host"],
            term=tlog["term"],
            session=tlog["session"],
            start_ns=start_ns,
            duration_ms=duration_ms,
            messages=self.messages,
            first_id=self._first_id,
            last_id=self.last_id,
            distinct_ids=self._distinct,
            out_bytes=min(self._sums["out_bytes"], _MOST),
            in_bytes=min(self._sums["in_bytes"], _MOST),
            resizes=min(self._sums["resizes"], _MOST),
            trust=TRUSTS[min(self._trusts)],
            users=len(self.users.kept) + self.users.more,
            hosts=len(self.hosts.kept) + self.hosts.more,
            below_first=self._below,
            ended=status is not None,
            gaps=tuple(self._gaps),
            gap_causes=tuple(_cause(gap, best.losses) for gap in self._gaps),
            status=status,
            boot_id=chief.boot_id,
            first_ns=min(_clamped(self._first_ns), start_ns),
            last_ns=max(_clamped(self._last_ns), _clamped(start_ns + duration_ms * _MS)),
        )


def _id(message: StoredMessage) -> int:
    number: int = message.tlog["id"]
    return number


def _clamped(time_ns: int) -> int:
    return min(max(time_ns, 0), MOST_NS) // 1000 * 1000


def _cause(gap: tuple[int, int], losses: Sequence[Lost]) -> str:
    """What the recorder says of a run of missing ids: of the first of them that it names."""
    told = [loss for loss in losses if loss.first <= gap[1] and loss.last >= gap[0]]
    return min(told).why if told else ""
