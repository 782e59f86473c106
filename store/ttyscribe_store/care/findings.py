# SPDX-License-Identifier: Apache-2.0
"""What is not as it should be in one recording's stored messages; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ttyscribe_formats.own import Lost, read_object
from ttyscribe_store.base import StoredMessage
from ttyscribe_store.conflict import FIRST_ID, TRUSTS, Choice, choose, rank

KINDS = {
    "gap": "messages that the ids say should be there and are not",
    "conflict": "several messages claim one id",
    "number": "a message has an id that no recorder gives",
    "trust": "messages are of less trust than others of the recording",
    "sender": "several processes sent the recording's messages",
    "double": "one document is stored more than once",
    "dangling": "something is derived of messages that are not there",
    "damage": "a file is damaged",
    "index": "an index does not agree with the documents",
}
"""What each kind of finding says."""


class Finding(NamedTuple):
    """One thing that was found."""

    kind: str
    recording: str
    """Empty where it is about none."""
    where: str
    """Ids of messages, a document's id, or a file."""
    text: str
    details: dict[str, Any]
    """The same for programs."""


class Checked(NamedTuple):
    """How one recording was found."""

    messages: int
    findings: list[Finding]


def check(recording: str, messages: Iterable[StoredMessage]) -> Checked:
    """Look at one recording. Takes its messages as `Store.messages` gives them."""
    seen = _Seen(recording)
    for choice in choose(seen.passed(messages)):
        seen.add(choice)
    return Checked(seen.count, list(seen.findings()))


class _Seen:
    """What is remembered of the messages that went by."""

    def __init__(self, recording: str) -> None:
        self._recording = recording
        self.count = 0
        self._found: list[Finding] = []
        self._gaps: list[tuple[int, int]] = []
        self._losses: list[Lost] = []
        self._trusts: Counter[str] = Counter()
        self._lower: dict[str, list[int]] = {trust: [] for trust in TRUSTS}
        self._senders: Counter[int] = Counter()
        self._expected = FIRST_ID

    def passed(self, messages: Iterable[StoredMessage]) -> Iterator[StoredMessage]:
        """The messages, counted on their way; each once."""
        last = ""
        for message in messages:
            self.count += 1
            if message.document_id == last:
                self._add("double", str(message.tlog["id"]), "stored more than once", document=last)
                continue
            last = message.document_id
            trust = TRUSTS[rank(message.trust)]
            self._trusts[trust] += 1
            if len(self._lower[trust]) < _NAMED:
                self._lower[trust].append(message.tlog["id"])
            self._senders[message.sender_pid] += 1
            yield message

    def add(self, choice: Choice) -> None:
        """One id of the recording, in order."""
        if choice.id < FIRST_ID:
            self._add("number", str(choice.id), "an id below 1, which no recorder gives", id=choice.id)
        elif choice.id > self._expected:
            self._gaps.append((self._expected, choice.id - 1))
        self._expected = max(self._expected, choice.id + 1)
        if choice.others:
            self._conflict(choice)
        for message in (choice.message, *choice.others):
            if message is not None:
                self._losses += read_object(message.tlog.get("ttyscribe")).losses

    def _conflict(self, choice: Choice) -> None:
        claims = [*([choice.message] if choice.message else []), *choice.others]
        told = [
            {
                "document": claim.document_id,
                "trust": claim.trust,
                "sender_pid": claim.sender_pid,
                "wins": claim is choice.message,
            }
            for claim in claims
        ]
        why = _why(choice)
        text = f"{len(claims)} messages claim it: {why}"
        self._add("conflict", str(choice.id), text, id=choice.id, claims=told, why=why)

    def findings(self) -> Iterator[Finding]:
        """All that was found, when the last message has gone by."""
        for first, last in self._gaps:
            reasons = sorted({loss.why for loss in self._losses if loss.first <= last and first <= loss.last})
            why = f"lost: {', '.join(reasons)}" if reasons else "no mark says why"
            text = f"{last - first + 1} missing, {why}"
            yield self._finding("gap", _run(first, last), text, first_id=first, last_id=last, lost=reasons)
        yield from self._found
        best = max(map(rank, self._trusts), default=0)
        for trust in TRUSTS[:best]:
            if self._trusts[trust]:
                count, ids = self._trusts[trust], self._lower[trust]
                text = f"{count} of trust {trust}, others have {TRUSTS[best]}"
                named = ", ".join(map(str, ids)) + (" and more" if count > len(ids) else "")
                yield self._finding("trust", named, text, trust=trust, messages=count, best=TRUSTS[best])
        if len(self._senders) > 1:
            senders = self._senders.most_common()
            named = ", ".join(f"{f'pid {pid}' if pid >= 0 else 'not attested'} ({count})" for pid, count in senders)
            processes = [{"pid": pid, "messages": count} for pid, count in senders]
            yield self._finding("sender", "", f"several senders: {named}", senders=processes)

    def _add(self, kind: str, where: str, text: str, **details: Any) -> None:
        self._found.append(self._finding(kind, where, text, **details))

    def _finding(self, kind: str, where: str, text: str, **details: Any) -> Finding:
        return Finding(kind, self._recording, where, text, details)


_NAMED = 5
"""Ids that are named of many."""


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _why(choice: Choice) -> str:
    """Which message wins, and by what."""
    if choice.message is None:
        return "it can't be told which is true, none is played as such"
    winner = choice.message
    if all(rank(other.trust) < rank(winner.trust) for other in choice.others):
        return f"{winner.document_id} wins by its trust ({winner.trust})"
    return f"{winner.document_id} wins: its sender, pid {winner.sender_pid}, sent all that came before"
