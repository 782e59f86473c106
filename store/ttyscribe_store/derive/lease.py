# SPDX-License-Identifier: Apache-2.0
"""One indexer at a time: a lock of the kernel's on a folder, a lease in a document on engines.

No clock of another machine counts. Who waits for a lease looks whether it has changed for as long as it lasts, by his
own clock, and takes it over if not; who holds one makes sure of it before he writes, and learns there that another
took it while he was stopped. The engine lets one of several who try win (`if_seq_no`).
"""

import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ttyscribe_formats.errors import Unavailable

if TYPE_CHECKING:
    from ttyscribe_store.transport import Transport

SECONDS = 10.0
"""How long a lease lasts that nobody renews."""
_CONFLICT = 409
_NO_SHARD = "no_shard_available"
_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between looks for a lease whose index has no shard yet."""
INDEX = "ttyscribe.indexer"
"""Holds the lease, behind the store's prefix; outside of `ttyscribe-*`, so that no search meets it."""
_INDEX_BODY = {
    "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "hidden": True}},
    "mappings": {"dynamic": False},
}


class Lost(Unavailable):
    """Another indexer has taken over; what is to be written is his now."""


class NoLease:
    """Of a store that nobody shares."""

    def take(self) -> bool:
        """Always."""
        return True

    def sure(self) -> None:
        """Always."""

    def rest(self) -> None:
        """Nothing to do."""

    def release(self) -> None:
        """Nothing to do."""


class FolderLease:
    """The kernel's lock on a folder; it goes with its process. A folder that is not there needs none."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._descriptor = -1

    def take(self) -> bool:
        """Have it, if nobody else does."""
        if self._descriptor >= 0:
            return True
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            raise Unavailable(f"{self._folder}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def sure(self) -> None:
        """Whoever has it keeps it."""

    def rest(self) -> None:
        """The next who reads may derive."""
        self.release()

    def release(self) -> None:
        """Give it up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _now() -> float:
    """Seconds that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class EngineLease:
    """A document that says who derives; its sequence number says whether he still renews it."""

    def __init__(
        self, transport: "Transport", prefix: str, seconds: float = SECONDS, now: Callable[[], float] = _now
    ) -> None:
        self._transport, self._now, self._seconds = transport, now, seconds
        self._index = f"/{prefix}{INDEX}"
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"
        self._held: tuple[int, int] | None = None
        self._renewed = 0.0
        self._seen: tuple[int, int] | None = None
        self._seen_at = 0.0

    def take(self) -> bool:
        """Have it: where there is none, where it was given up, or where it has not changed for as long as it lasts."""
        if self._held is not None:
            try:
                self.sure()
            except Lost:
                return False
            return True
        found = self._read()
        if not isinstance(found, dict) or not found.get("found"):
            return self._create()
        version = self._version(found)
        source = found.get("_source") or {}
        if source.get("owner") not in ("", self._owner):
            if version != self._seen:
                self._seen, self._seen_at = version, self._now()
            if self._now() - self._seen_at < max(float(source.get("seconds", 0)), self._seconds):
                return False
        return self._put(version)

    def _read(self) -> Any:
        """The document, if there is one. Where another is just making its index, that has no shard yet: 503."""
        for pause in _PAUSES:
            try:
                return self._transport.call("GET", f"{self._index}/_doc/lease", absent=True)
            except Unavailable as error:
                if _NO_SHARD not in str(error):
                    raise
            time.sleep(pause)
        return self._transport.call("GET", f"{self._index}/_doc/lease", absent=True)

    def _create(self) -> bool:
        _have_index(self._transport, self._index)
        return self._put(None)

    def _put(self, version: tuple[int, int] | None, owner: str | None = None) -> bool:
        """Write the document over this version of it; False = another one was faster."""
        start = self._now()
        how = "op_type=create" if version is None else f"if_seq_no={version[0]}&if_primary_term={version[1]}"
        target = f"{self._index}/_doc/lease?{how}"
        body = {"owner": self._owner if owner is None else owner, "seconds": self._seconds}
        answer = self._transport.request("PUT", target, _json(body))
        if answer.status == _CONFLICT:
            return False
        self._held, self._renewed = self._version(self._transport.accepted("PUT", target, answer)), start
        return True

    def _version(self, answer: Any) -> tuple[int, int]:
        """Sequence number and primary term of the document; Unavailable where the answer has none."""
        try:
            return int(answer["_seq_no"]), int(answer["_primary_term"])
        except (KeyError, TypeError, ValueError):
            said = self._transport.said(answer)
            raise Unavailable(f"{self._transport.address}: no answer to a lease: {said}") from None

    def sure(self) -> None:
        """Renew it where a third of its time is over; where that fails, another has it."""
        if self._held is None:
            raise Lost("another indexer has taken over")
        if self._now() - self._renewed < self._seconds / 3:
            return
        if not self._put(self._held):
            self._held = None
            raise Lost("another indexer has taken over")

    def rest(self) -> None:
        """It is kept: taking it again would let two take turns, each with nothing in memory."""

    def release(self) -> None:
        """Give it up, so that the next one need not wait."""
        if self._held is not None:
            self._put(self._held, owner="")
            self._held = None


class Told(NamedTuple):
    """How far all is derived."""

    started: int = 0
    """How many programs had started when all was found to be."""
    since_ms: int = 0
    """What was received before is; 0 where nobody knows."""
    older: int = 0
    """How many facts that were."""


class Indexed:
    """A document beside the lease that tells readers, and the next indexer, how far all is derived."""

    def __init__(self, transport: "Transport", prefix: str) -> None:
        self._transport = transport
        self._index = f"/{prefix}{INDEX}"
        self._target = f"{self._index}/_doc/derived"

    def told(self) -> Told:
        """What it says; nothing where nobody wrote it, or we may not read it. Raises Unavailable."""
        answer = self._transport.request("GET", self._target)
        if answer.status in (403, 404):
            return Told()
        found = self._transport.accepted("GET", self._target, answer)
        source = found.get("_source") if isinstance(found, dict) else None
        values = [source.get(name) for name in Told._fields] if isinstance(source, dict) else []
        numbers = [value for value in values if isinstance(value, int)]
        return Told(*numbers) if len(numbers) == len(Told._fields) else Told()

    def tell(self, told: Told) -> None:
        """Write it, if it is something else. Raises Unavailable."""
        known = self.told()
        if told == known:
            return
        if known == Told():  # nobody wrote it, perhaps for want of the index
            _have_index(self._transport, self._index)
        self._transport.call("PUT", self._target, told._asdict())


def _have_index(transport: "Transport", index: str) -> None:
    made = transport.request("PUT", index, _json(_INDEX_BODY))
    if made.status != 400:  # it is there already
        transport.accepted("PUT", index, made)


def _json(body: object) -> bytes:
    return json.dumps(body).encode()
