# SPDX-License-Identifier: Apache-2.0
"""The bulk protocol of Elasticsearch and OpenSearch without its network: bodies out of documents, outcomes out of
answers.

Refusals are told apart by what they hit: an index, a node or the cluster (an outage: hold everything back and try
again), or one document (rejected, so that it can't block the rest).
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import jsontext
from ttyscribe_store.base import DERIVED, DUPLICATE, STORED, Outcome
from ttyscribe_store.partition import MONTHLY, is_partition, place

DEFAULT_BYTES = 5 << 20
MAX_BYTES = 10 << 20
"""Proxies in front of engines refuse more."""
MAX_COUNT = 1000
_SHOWN = 500
_HEADS = 256
_CREATED = b'{"create":{"status":201}}'
_NO_ERRORS = re.compile(rb'\{(?:"errors":false,|"took":[0-9]{1,9},){1,2}')
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")

OUTAGES = (
    "index_not_found",
    "no_such_index",
    "cluster_block",
    "index_closed",
    "index_create_block",
    "unavailable_shards",
    "no_shard_available",
    "process_cluster_event_timeout",
    "master_not_discovered",
    "cluster_manager_not_discovered",
    "rejected_execution",
    "circuit_breaking",
    "security",
    "index_template_missing",
    "node_closed",
    "node_not_connected",
    "timeout",
)
"""Parts of error types that hit more than one document."""


def index_of(document: Document, layout: str = MONTHLY) -> str:
    """The index or data stream that a document belongs in, without a prefix. ValueError: it names none of ours."""
    own = document["ttyscribe"]
    kind, partition = own["kind"], own["partition"]
    if not is_partition(partition) or not _KIND.fullmatch(kind):
        raise ValueError(f"no partition or kind: {partition!r}, {kind!r}")
    if layout != MONTHLY and kind not in DERIVED:  # what is derived is written over, which data streams don't allow
        partition = place(partition, document["@timestamp"], layout)
    return f"ttyscribe-{kind}-{partition}"


class Encoder:
    """Makes both lines of one action: where to, and the document. `action`: `create`, or `index`, which overwrites."""

    def __init__(self, prefix: str, action: str = "create") -> None:
        self._prefix = prefix
        self._action = action
        self.layout = MONTHLY
        """Which indices there are; the same document always has the same one."""
        self._heads: dict[Hashable, bytes] = {}

    def lines(self, document: Document, dumps: Callable[[Any], bytes] = jsontext.dumps) -> bytes:
        """The lines. ValueError or TypeError: it names no index of ours, or is no JSON."""
        own = document["ttyscribe"]
        monthly = self.layout == MONTHLY  # then these two decide
        key = (own["kind"], own["partition"]) if monthly else index_of(document, self.layout)
        head = self._heads.get(key) or self._head(key, document)
        return b"".join((head, dumps(document["viaq_msg_id"]), b"}}\n", dumps(document), b"\n"))

    def _head(self, key: Hashable, document: Document) -> bytes:
        """The first line up to the id, the same for all documents of an index."""
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        index = self._prefix + index_of(document, self.layout)
        head = jsontext.dumps({self._action: {"_index": index}})[:-2] + b',"_id":'
        self._heads[key] = head
        return head


class Chunk(NamedTuple):
    """What one request carries."""

    positions: Sequence[int]
    """Which of the documents given."""
    body: bytes
    """Two lines of each."""

    def halves(self) -> "tuple[Chunk, Chunk]":
        """The same in two requests; there are at least two documents."""
        middle = len(self.positions) // 2
        lines = self.body.splitlines(keepends=True)
        first = Chunk(self.positions[:middle], b"".join(lines[: 2 * middle]))
        return first, Chunk(self.positions[middle:], b"".join(lines[2 * middle :]))


class Limits:
    """How large a request may be; it may change while requests are cut."""

    __slots__ = ("most_bytes", "most_count")

    def __init__(self, most_bytes: int = DEFAULT_BYTES, most_count: int = MAX_COUNT) -> None:
        self.most_bytes = min(most_bytes, MAX_BYTES)
        self.most_count = most_count


def cut(
    documents: Sequence[Document], encoder: Encoder, limits: Limits, refused: dict[int, Outcome]
) -> Iterator[Chunk]:
    """Cut into requests, in order, no sooner than each is asked for: at most so much in each, but always one document.

    `refused` gets the outcome of those that can't be sent.
    """
    encode, quickly = encoder.lines, jsontext.quick_dumps()
    positions: list[int] = []
    lines: list[bytes] = []
    size = 0
    for position, document in enumerate(documents):
        try:
            try:
                both = encode(document, quickly)
            except TypeError:
                both = encode(document)
        except (TypeError, ValueError, RecursionError) as error:
            refused[position] = Outcome("rejected", f"can't be sent: {error}"[:_SHOWN])
            continue
        if lines and (size + len(both) > limits.most_bytes or len(lines) >= limits.most_count):
            yield _chunk(documents, encoder, positions, lines)
            positions, lines, size = [], [], 0
        positions.append(position)
        lines.append(both)
        size += len(both)
    if lines:
        yield _chunk(documents, encoder, positions, lines)


def _chunk(documents: Sequence[Document], encoder: Encoder, positions: list[int], lines: list[bytes]) -> Chunk:
    """One request, with whatever has become null as it was."""
    body = b"".join(lines)
    if jsontext.NULL in body:  # one look at all of them costs less than one at each
        body = b"".join(encoder.lines(documents[position]) for position in positions)
    return Chunk(positions, body)


def _is_outage(status: int, kind: str, reason: str) -> bool:
    """Tell whether a refusal hits more than this document."""
    if status in (401, 403, 404, 429) or status >= 500:
        return True
    shard_limit = "maximum" in reason and "shards" in reason  # comes as 400
    return shard_limit or any(part in kind for part in OUTAGES)


def outcome(status: int, error: Any) -> Outcome:
    """What became of one document, by its item in the answer; `retry` = an outage hit it."""
    if 200 <= status < 300:
        return STORED
    if status == 409:
        return DUPLICATE
    kind, reason = "", _said(error)
    if isinstance(error, Mapping):
        kind, reason = _said(error.get("type", "")), _said(error.get("reason", ""))
        cause = error.get("caused_by")
        if isinstance(cause, Mapping) and cause.get("reason"):
            reason += f" ({_said(cause['reason'])})"
    text = f"{status} {kind}: {reason}"[:_SHOWN]
    return Outcome("retry" if _is_outage(status, kind, reason) else "rejected", text)


def all_created(answer: bytes, sent: int) -> bool:
    """Tell whether an answer's bytes say that every document was created: what is said of nearly all requests.

    Where it is, `read` would find the same in the parsed answer, at twenty times the cost.
    """
    tail = b'"items":[' + b",".join([_CREATED] * sent) + b"]}"
    return answer.endswith(tail) and _NO_ERRORS.fullmatch(answer, 0, len(answer) - len(tail)) is not None


def _said(value: object) -> str:
    return jsontext.shown(value, _SHOWN)


def read(answer: Any, sent: int, said: Callable[[object], str] = _said) -> list[Outcome]:
    """Outcomes out of a bulk answer, in the order sent. `said`: how messages repeat a part of it.

    Raises `Unavailable` where the answer is not one for as many documents as were sent: nothing is known then.
    """
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if not isinstance(items, list) or len(items) != sent:
        found = f"{len(items)} items" if isinstance(items, list) else "no items"
        raise Unavailable(f"the bulk answer has {found} for {sent} documents")
    return [_read_item(item, said) for item in items]


def _read_item(item: Any, said: Callable[[object], str]) -> Outcome:
    entry = next(iter(item.values()), None) if isinstance(item, Mapping) else None
    status = entry.get("status") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(status, int):
        raise Unavailable(f"the bulk answer has an item that is none: {said(item)}")
    return outcome(status, entry.get("error"))
