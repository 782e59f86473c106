# SPDX-License-Identifier: Apache-2.0
"""The bulk protocol of Elasticsearch and OpenSearch without its network: bodies out of documents, outcomes out of
answers.

Refusals are told apart by what they hit: an index, a node or the cluster (an outage: hold everything back and try
again), or one document (rejected, so that it can't block the rest).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import jsontext
from ttyscribe_store.base import DUPLICATE, STORED, Outcome
from ttyscribe_store.partition import is_partition

DEFAULT_BYTES = 5 << 20
MAX_BYTES = 10 << 20
"""Proxies in front of engines refuse more."""
MAX_COUNT = 1000
_SHOWN = 500
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


class Item(NamedTuple):
    """One document on its way."""

    position: int
    """Which of the documents given."""
    lines: bytes
    """Its two lines of the body."""


def index_of(document: Document) -> str:
    """The index that a document belongs in, without a prefix. ValueError: it names none of ours."""
    own = document["ttyscribe"]
    if not is_partition(own["partition"]) or not _KIND.fullmatch(own["kind"]):
        raise ValueError(f"no partition or kind: {own['partition']!r}, {own['kind']!r}")
    return f"ttyscribe-{own['kind']}-{own['partition']}"


def encode(document: Document, prefix: str, action: str = "create") -> bytes:
    """Both lines of one action: where to, and the document. ValueError: it names no index of ours."""
    head = jsontext.dumps({action: {"_index": prefix + index_of(document), "_id": document["viaq_msg_id"]}})
    return b"".join((head, b"\n", jsontext.dumps(document), b"\n"))


def prepare(
    documents: Sequence[Document], prefix: str, refused: dict[int, Outcome], action: str = "create"
) -> Iterator[Item]:
    """Each document's lines, one after the other; `refused` gets the outcome of those that can't be sent."""
    for position, document in enumerate(documents):
        try:
            lines = encode(document, prefix, action)
        except (TypeError, ValueError, RecursionError) as error:
            refused[position] = Outcome("rejected", f"can't be sent: {error}"[:_SHOWN])
        else:
            yield Item(position, lines)


def chunks(items: Iterable[Item], max_bytes: int = DEFAULT_BYTES, max_count: int = MAX_COUNT) -> Iterator[list[Item]]:
    """Cut into requests, in order: at most so many bytes and documents, but always one document."""
    chunk: list[Item] = []
    size = 0
    for item in items:
        if chunk and (size + len(item.lines) > max_bytes or len(chunk) >= max_count):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += len(item.lines)
    if chunk:
        yield chunk


def body(chunk: Sequence[Item]) -> bytes:
    """The request's body."""
    return b"".join(item.lines for item in chunk)


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
    kind, reason = "", str(error)
    if isinstance(error, Mapping):
        kind, reason = str(error.get("type", "")), str(error.get("reason", ""))
        cause = error.get("caused_by")
        if isinstance(cause, Mapping) and cause.get("reason"):
            reason += f" ({cause['reason']})"
    text = f"{status} {kind}: {reason}"[:_SHOWN]
    return Outcome("retry" if _is_outage(status, kind, reason) else "rejected", text)


def read(answer: Any, sent: int) -> list[Outcome]:
    """Outcomes out of a bulk answer, in the order sent.

    Raises `Unavailable` where the answer is not one for as many documents as were sent: nothing is known then.
    """
    items = answer.get("items") if isinstance(answer, Mapping) else None
    if not isinstance(items, list) or len(items) != sent:
        found = f"{len(items)} items" if isinstance(items, list) else "no items"
        raise Unavailable(f"the bulk answer has {found} for {sent} documents")
    return [_read_item(item) for item in items]


def _read_item(item: Any) -> Outcome:
    entry = next(iter(item.values()), None) if isinstance(item, Mapping) else None
    status = entry.get("status") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(status, int):
        raise Unavailable(f"the bulk answer has an item that is none: {str(item)[:_SHOWN]}")
    return outcome(status, entry.get("error"))


def send(
    documents: Sequence[Document],
    prefix: str,
    post: Callable[[list[Item]], list[Outcome] | str],
    max_bytes: int = DEFAULT_BYTES,
    max_count: int = MAX_COUNT,
    action: str = "create",
) -> list[Outcome]:
    """Send documents and give their outcomes, in order. `action`: `create`, or `index`, which overwrites.

    `post` sends one request and gives its outcomes, or the reason where the request as a whole is refused for what is
    in it (too large, unparsable): it is halved until one document is left, which is rejected.
    """
    found: dict[int, Outcome] = {}
    for whole in chunks(prepare(documents, prefix, found, action), min(max_bytes, MAX_BYTES), max_count):
        waiting = [whole]
        while waiting:
            chunk = waiting.pop()
            answer = post(chunk)
            if not isinstance(answer, str):
                found.update(zip((item.position for item in chunk), answer, strict=True))
            elif len(chunk) == 1:
                text = f"refused whole, {len(chunk[0].lines)} bytes: {answer}"
                found[chunk[0].position] = Outcome("rejected", text[:_SHOWN])
            else:
                middle = len(chunk) // 2
                waiting += [chunk[middle:], chunk[:middle]]
    return [found[position] for position in range(len(documents))]
