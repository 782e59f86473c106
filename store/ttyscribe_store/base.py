# SPDX-License-Identifier: Apache-2.0
"""What every store is: a Sink that takes documents, and reads over them.

SQLite, Elasticsearch/OpenSearch and memory implement `Store` and pass one shared suite
(`tests/store/suite.py`).

Errors of every method: `Unavailable` (the far side is down or holds writes back: retry), `ConfigError` (the operator
must act: wrong address, refused credentials, template missing).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from ttyscribe_formats.document import Document
from ttyscribe_store.query import nodes

Status = Literal["stored", "duplicate", "rejected", "retry"]


class Outcome(NamedTuple):
    """What became of one document."""

    status: Status
    reason: str = ""
    after: float = 0.0
    """Seconds that the far side asked us to wait (only with `retry`; 0 = our own back-off)."""


STORED = Outcome("stored")
DUPLICATE = Outcome("duplicate")


class Sink(Protocol):
    """Takes documents. Writing one twice stores it once: identity is `viaq_msg_id`."""

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Store each document; the answer has one outcome for each, in order.

        A `stored` or `duplicate` document survives the death of this process. An outage of the whole far side is
        `Unavailable`, raised before or instead of any outcome; then nothing is known to be stored.
        """

    def check(self) -> None:
        """Raise `Unavailable` while documents can't be stored rightly (far side down, our template not in force)."""

    def close(self) -> None:
        """Release connections and files."""


class RecordingFilter(NamedTuple):
    """Which recordings; empty means any. Times are ns since the epoch.

    Each condition holds if any message of the recording fits it, or what names the recording does: whoever adds
    forged messages can make a recording fit, and never keep it from fitting.
    """

    recording: str = ""
    user: str = ""
    host: str = ""
    since_ns: int = 0
    until_ns: int = 0


class Recording(NamedTuple):
    """One recording, derived of its stored messages."""

    recording: str
    user: str
    host: str
    term: str
    session: int
    start_ns: int
    """Wall clock of the first event."""
    duration_ms: int
    messages: int
    """Stored messages, conflicting ones counted too."""
    first_id: int
    last_id: int
    distinct_ids: int
    out_bytes: int
    in_bytes: int
    resizes: int
    trust: str
    """The lowest trust of any of its messages."""
    users: int = 1
    """How many users its messages name; more than one: somebody forged."""
    hosts: int = 1
    """How many hosts its messages name."""
    below_first: int = 0
    """Messages with an id below 1, which no recorder gives."""
    ended: bool = False
    """Whether its last message carries the mark of an end in order. Otherwise it still runs, was cut off, or was
    written by tlog, which makes no such mark."""
    gaps: tuple[tuple[int, int], ...] = ()
    """The first ids that are missing, as first and last of each run; no more than a few runs."""
    gap_causes: tuple[str, ...] = ()
    """Why each of these runs is missing, as the recorder says; empty where it does not."""
    status: int | None = None
    """The shell's exit status, where it ended."""
    boot_id: str = ""
    """The kernel's id of the boot, where it is known."""
    first_ns: int = 0
    """The earliest time that any message says, or `start_ns`."""
    last_ns: int = 0
    """The latest time that any message says, or the end by `start_ns` and `duration_ms`."""

    @property
    def missing(self) -> int:
        """Messages that the ids say should be there and are not."""
        return max(0, self.last_id - min(self.first_id, 1) + 1 - self.distinct_ids) if self.distinct_ids else 0

    @property
    def conflicts(self) -> int:
        """Messages that claim an id which another one has too."""
        return self.messages - self.distinct_ids

    @property
    def complete(self) -> bool:
        """The verdict: it ended, nothing is missing or in conflict, and all messages name one user and host."""
        forged = self.conflicts or self.below_first or self.users > 1 or self.hosts > 1
        return self.ended and not self.missing and not forged


class StoredMessage(NamedTuple):
    """One stored tlog message as the reading side gets it."""

    document_id: str
    tlog: dict[str, Any]
    """The message's fields, complete and exact."""
    trust: str
    sender_pid: int
    """-1 where nobody attested it."""
    partition: str = ""
    """The partition that it is stored in."""
    time_ns: int = 0
    """The document's own time."""
    out_bytes: int = 0
    in_bytes: int = 0
    resizes: int = 0
    last_ms: int = 0
    """Its last event, from the recording's start."""
    boot_id: str = ""


DERIVED = ("line", "command", "recording")
"""Kinds of documents that are derived of others, in the order in which they are written."""


class Count(NamedTuple):
    """How many messages of one recording are stored."""

    recording: str
    messages: int


class Waiting(NamedTuple):
    """A recording whose derived documents do not follow from all of its facts, or not by the rules in force."""

    recording: str
    messages: int
    """Stored messages that it has now; 0: it has none left, and what was derived of them is to go."""
    marks: tuple[tuple[str, int], ...] = ()
    """What the store knows it by; `settle` wants it back."""


class Session(NamedTuple):
    """An audit session of a host during a time: what audit tells of one recording."""

    session: int
    host: str
    boot_id: str
    """Empty where it is not known: then the host has to do."""
    since_ns: int
    until_ns: int
    """The first ns that is no part of it."""


class Execution(NamedTuple):
    """A program that started, as an audit event says."""

    document_id: str
    time_ns: int
    host: str
    boot_id: str
    session: int
    text: str
    """The command line, quoted as a shell would need it."""
    trust: str
    partition: str


class Executed(NamedTuple):
    """How many programs started in a session."""

    within: int
    """At its time."""
    days: int
    """On the days (UTC) that its time reaches into."""


class Derived(NamedTuple):
    """How far one recording was derived."""

    recording: str
    messages: int
    """Stored messages of it that there were."""
    version: int
    """Of the rules."""
    session: Session | None = None
    """Whose programs belong to it."""
    executed: Executed = Executed(0, 0)
    """The programs that there were."""


class Hit(NamedTuple):
    """One document that a search found."""

    document_id: str
    kind: str
    time_ns: int
    host: str
    user: str
    recording: str
    """Empty where the document is not part of a recording."""
    first_ms: int
    """Where in the recording the found message begins, ms from its start."""
    last_ms: int
    message: str
    typed: str
    trust: str
    """Who vouches for it: `system`, `user` or `none`."""
    session: int = -1
    """The kernel's audit session; -1 where it is not known, or unset."""
    boot_id: str = ""
    """During which boot of its host it happened; empty where nobody attested it."""
    source: str = ""
    """Of a command: `screen`, `marks` of the shell, or `audit`."""


class Query(NamedTuple):
    """What to find; all of it must hold. Empty means any."""

    terms: Sequence[Sequence[str]] = ()
    """Each term is the list of its words under the word rule; several stand next to each other."""
    kind: str = ""
    user: str = ""
    host: str = ""
    recording: str = ""
    since_ns: int = 0
    until_ns: int = 0
    limit: int = 1000
    where: nodes.Node = nodes.Everything()
    """What a person wrote in the query language."""

    def tree(self) -> nodes.Node:
        """All of it, without the limit."""
        exact = {"kind": self.kind, "user": self.user, "host": self.host, "rec": self.recording}
        found: list[nodes.Node] = [nodes.Phrase(tuple(term)) for term in self.terms]
        found += [nodes.Exact(field, value) for field, value in exact.items() if value]
        found += [nodes.Since(self.since_ns)] if self.since_ns else []
        found += [nodes.Until(self.until_ns)] if self.until_ns else []
        found += self.where.nodes if isinstance(self.where, nodes.And) else [self.where]
        return nodes.And(tuple(found)) if len(found) > 1 else found[0]


class Lease(Protocol):
    """The right to derive what a store holds."""

    def take(self) -> bool:
        """Have it, if nobody else does. Never waits: ask again. Raises Unavailable."""

    def sure(self) -> None:
        """Make sure of it before a change. Raises Unavailable where another has taken over."""

    def rest(self) -> None:
        """Nothing is to be done for a while: let others have it where that costs nothing."""

    def release(self) -> None:
        """Give it up."""


class Store(Sink, Protocol):
    """A Sink that can be read."""

    def setup(self) -> list[str]:
        """Prepare the far side (templates, files); say what was written, one line each; nothing to do = empty."""

    def recordings(self, wanted: RecordingFilter) -> Iterator[Recording]:
        """Every recording that fits, newest first: what the indexer derived, see `behind`."""

    def messages(self, recording: str, after: int | None = None) -> Iterator[StoredMessage]:
        """All messages of one recording, ordered by tlog id, then by document id; conflicting ones included.

        `after`: only those with a higher id.
        """

    def search(self, query: Query) -> Iterator[Hit]:
        """Documents that fit, ordered by time, then by document id."""

    def replace(self, recording: str, documents: Sequence[Document]) -> None:
        """Have these as the derived documents of one recording, and no others.

        Readers may see some of the old and some of the new meanwhile. The document of kind `recording` comes last:
        while it is the old one, or missing, the rest is not complete. MessageError: one was refused for itself.
        """

    def amend(self, recording: str, known: Derived | None, documents: Sequence[Document]) -> bool:
        """Write these derived documents over those with their ids, and leave the others; the row comes last.

        `known`: only if the row that is there says this. False = it does not, and nothing is written. MessageError: one
        was refused for itself.
        """

    def derived(self) -> Iterator[Derived]:
        """What was derived of each recording; in no order."""

    def counts(self) -> Iterator[Count]:
        """All recordings that have messages, by these themselves; in no order. Looks at every message."""

    def executions(self, session: Session) -> Iterator[Execution]:
        """The programs that audit saw start in a session, ordered by time, then by document id."""

    def executed(self, session: Session) -> Executed:
        """How many these are. Costs little."""

    def waiting(self, version: int) -> Iterator[Waiting]:
        """The recordings that are to be derived, where these are the rules in force. Only the indexer asks."""

    def settle(self, waiting: Waiting) -> None:
        """A recording was derived from all messages that there were when `waiting` named it."""

    def lease(self) -> Lease:
        """The right to derive, not taken yet; one indexer at a time has it."""

    def behind(self, version: int) -> list[str]:
        """The same recordings by name, for readers: changes nothing, and costs little where there are none."""

    def delete(self, recording: str) -> int:
        """Remove all documents of one recording; answers how many there were."""

    def count(self) -> int:
        """How many documents are stored."""

    def refresh(self) -> None:
        """Make everything written so far visible to the reads."""
