# SPDX-License-Identifier: Apache-2.0
"""The store on Elasticsearch (7.10 to 9) or OpenSearch (1 to 3): indices or data streams for each kind.

Nothing here asks for product or version: what both have is enough. Writing checks first, and again after each outage,
that our index template is in force, since an index made without it would hold documents that can't be found.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import bulk, elastic_programs, elastic_queries
from ttyscribe_store.access import Access
from ttyscribe_store.address import parse_address
from ttyscribe_store.base import (
    DERIVED,
    Count,
    Derived,
    Executed,
    Execution,
    Hit,
    Lease,
    Outcome,
    Query,
    Recording,
    RecordingFilter,
    Session,
    StoredMessage,
    Waiting,
)
from ttyscribe_store.derive.lease import EngineLease, Indexed
from ttyscribe_store.elastic_waiting import Asks, Comparison
from ttyscribe_store.elastic_write import WRITER_DEFAULTS, Writer
from ttyscribe_store.executions import of_document
from ttyscribe_store.install import apply
from ttyscribe_store.partitions import Partition, period
from ttyscribe_store.recordings import chosen, to_derived
from ttyscribe_store.shape import each, made, sound
from ttyscribe_store.transport import TooLarge, Transport, borrow, connect
from ttyscribe_store.views import hit as to_hit
from ttyscribe_store.views import stored_message

_LENIENT = "ignore_unavailable=true&allow_no_indices=true"
_PAGE = 200
_TOO_COMPLEX = b"Determinizing automaton"
"""What the engines say of shards that give a regular expression up."""
_DELETE_PAGE = 1000


class ElasticStore:
    """`http(s)://host:port[,host:port…][/prefix]`, or an `elasticsearch.Elasticsearch` object and a `prefix`.

    Settings: `chunk_bytes`, `chunk_count` = how much goes in one request at most; `flights` = requests under way at
    once. With a URL also those of `access.Access`; a client object has its own.
    """

    def __init__(self, far: Any, **options: Any) -> None:
        sizes = [int(options.pop(name, default)) for name, default in WRITER_DEFAULTS.items()]
        self._transport = _transport(far, options)
        self._address = self._transport.address
        self._prefix = self._address.prefix
        self._writer = Writer(self._transport, self._prefix, *sizes)
        asks = Asks(self._search, self._hits, self._buckets)
        self._comparison = Comparison(asks, Indexed(self._transport, self._prefix))

    # ---- writing

    def check(self) -> None:
        """Raise `Unavailable` while the engine does not answer, refuses us, or would use another template than ours."""
        self._writer.check()

    def setup(self) -> list[str]:
        """Install our templates where they are missing or older; one line for each that was written or kept."""
        return apply.setup(self._transport, self._prefix)

    def installation(self) -> tuple[Transport, str]:
        """What `install` works on: the way to the engine, and what all our names begin with."""
        return self._transport, self._prefix

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Create each document. Where an outage hit only some of them, those are `retry`."""
        return self._writer.write(documents)

    # ---- reading

    def recordings(self, wanted: RecordingFilter) -> Iterator[Recording]:
        """Every recording that fits, newest first."""
        rows = made(self._transport, _row, self._hits("recording-*", elastic_queries.rows_body(wanted)))
        return each(self._transport, chosen(rows, wanted))

    def counts(self) -> Iterator[Count]:
        """All recordings that have messages."""
        return each(self._transport, self._comparison.counts())

    def waiting(self, version: int) -> Iterator[Waiting]:
        """The recordings that are to be derived. A few small requests where nothing changed."""
        with sound(self._transport):
            return iter(self._comparison.waiting(version))

    def executions(self, session: Session) -> Iterator[Execution]:
        """The programs that audit saw start in a session, by time and id."""
        hits = self._hits(elastic_programs.KINDS, elastic_programs.session_body(session))
        return filter(None, made(self._transport, of_document, hits))

    def executed(self, session: Session) -> Executed:
        """How many these are."""
        answer = self._search(elastic_programs.KINDS, elastic_programs.executed_body(session))
        with sound(self._transport):
            return elastic_programs.executed(answer)

    def settle(self, waiting: Waiting) -> None:
        """Its row says it."""

    def lease(self) -> Lease:
        """The lease in a document."""
        return EngineLease(self._transport, self._prefix)

    def behind(self, version: int) -> list[str]:
        """The same by name."""
        with sound(self._transport):
            return [one.recording for one in self._comparison.behind(version)]

    def _buckets(self, kinds: str, name: str, body: Callable[[Any], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """All buckets of a composite aggregation, page after page."""
        after: dict[str, Any] | None = None
        while True:
            asked = body(after)
            page = self._search(kinds, asked).get("aggregations", {}).get(name, {})
            buckets = page.get("buckets", [])
            yield from buckets
            after = page.get("after_key")
            if not after or len(buckets) < asked["aggs"][name]["composite"]["size"]:
                return

    def messages(self, recording: str, after: int | None = None) -> Iterator[StoredMessage]:
        """All messages of one recording, ordered by tlog id, then by document id."""
        hits = self._hits("tlog-*", elastic_queries.messages_body(recording, _PAGE, after))
        return made(self._transport, stored_message, hits)

    def search(self, query: Query) -> Iterator[Hit]:
        """Documents that fit, ordered by time, then by document id."""
        hits = self._hits("*", elastic_queries.search_body(query, min(_PAGE, max(query.limit, 1))))
        return islice(made(self._transport, to_hit, hits), max(query.limit, 0))

    def _hits(self, kinds: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """All hits of a sorted query, page after page; there is no limit of 10,000 this way."""
        while True:
            try:
                hits = self._search(kinds, body)["hits"]["hits"]
            except TooLarge:
                if body["size"] == 1:
                    raise
                body = {**body, "size": -(-body["size"] // 4)}
                continue
            yield from hits
            if len(hits) < body["size"]:
                return
            body = {**body, "search_after": hits[-1]["sort"]}

    def _search(self, kinds: str, body: dict[str, Any]) -> dict[str, Any]:
        """Search the indices of these kinds, patterns divided by commas."""
        names = ",".join(f"{self._prefix}ttyscribe-{kind}" for kind in kinds.split(","))
        target = f"/{names}/_search?{_LENIENT}"
        given = self._transport.request("POST", target, json.dumps(body).encode())
        if given.status == 400 or (given.status == 200 and _TOO_COMPLEX in given.body):
            what = elastic_queries.refusal(given.body)
            raise ConfigError(f"{self._address} can't answer this search: {what or given.reason()}")
        answer = self._transport.accepted("POST", target, given)
        shards, hits = (answer.get(name) if isinstance(answer, dict) else None for name in ("_shards", "hits"))
        if isinstance(shards, dict) and (answer.get("timed_out") or shards.get("failed")):
            failures = self._transport.said(shards.get("failures", "timed out"))
            raise Unavailable(f"{self._address}: the search answers in part only: {failures}")
        if not isinstance(shards, dict) or not isinstance(hits, dict) or not isinstance(hits.get("hits"), list):
            raise Unavailable(f"{self._address}: the answer to a search is none: {self._transport.said(answer)}")
        return dict(answer)

    # ---- care

    def replace(self, recording: str, documents: Sequence[Document]) -> None:
        """Have these as the derived documents of one recording, and no others. The row comes last, by itself.

        A row that is not wanted goes first: whoever is killed leaves none that promises more than there is.
        """
        self._writer.make_sure()
        found = self._hits(",".join(f"{kind}-*" for kind in DERIVED), elastic_queries.ids_of_body(recording))
        there = {(hit["_index"], hit["_id"]): hit for hit in each(self._transport, found)}
        for document in documents:
            there.pop((self._prefix + bulk.index_of(document), document["viaq_msg_id"]), None)
        rows = [hit for hit in there.values() if hit["_id"] == recording]
        others = [hit for hit in there.values() if hit["_id"] != recording]
        if rows:
            self._writer.remove(rows)
        self._writer.overwrite(documents[:-1])
        for at in range(0, len(others), _DELETE_PAGE):
            self._writer.remove(others[at : at + _DELETE_PAGE])
        self._writer.overwrite(documents[-1:])

    def amend(self, recording: str, known: Derived | None, documents: Sequence[Document]) -> bool:
        """Write these over those with their ids. The row comes last, by itself."""
        self._writer.make_sure()
        if known is not None:
            body = elastic_queries.ROWS | {"query": elastic_queries.term("ttyscribe.recording", recording)}
            if list(made(self._transport, to_derived, self._hits("recording-*", body))) != [known]:
                return False
        for some in (documents[:-1], documents[-1:]):
            self._writer.overwrite(some)
        return True

    def derived(self) -> Iterator[Derived]:
        """What was derived of each recording."""
        return made(self._transport, to_derived, self._hits("recording-*", elastic_queries.ROWS))

    def delete(self, recording: str) -> int:
        """Remove all documents of one recording, found and removed by their ids, until none is left.

        Messages go first and the row last: an indexer then sees what a deletion left that was ended in between.
        """
        every = elastic_queries.term("ttyscribe.recording", recording)
        rest = {"bool": {"filter": [every], "must_not": [elastic_queries.term("ttyscribe.kind", "recording")]}}
        return sum(self._delete(*one) for one in (("tlog-*", every), ("*", rest), ("*", every)))

    def _delete(self, kinds: str, query: dict[str, Any]) -> int:
        removed = 0
        body = {"size": _DELETE_PAGE, "query": query, "_source": False, "sort": ["_doc"]}
        while True:
            self.refresh()
            hits = self._search(kinds, body)["hits"]["hits"]
            if not hits:
                return removed
            with sound(self._transport):
                removed += self._writer.remove(hits)

    def doubles(self) -> Iterator[str]:
        """The ids of documents that are in more than one index."""
        buckets = self._buckets("*", "ids", elastic_queries.documents_body)
        return each(self._transport, (bucket["key"]["id"] for bucket in buckets if bucket["doc_count"] > 1))

    def partitions(self) -> list[Partition]:
        """Our indices by month, or day. Those of data streams are left to their lifecycle."""
        target = f"/_cat/indices/{self._prefix}ttyscribe-*?format=json&bytes=b&h=index,store.size"
        answer = self._transport.call("GET", target)
        if not isinstance(answer, list) or not all(isinstance(one, dict) and "index" in one for one in answer):
            raise Unavailable(
                f"{self._address}: the answer to a list of indices is none: {self._transport.said(answer)}"
            )
        found: dict[str, list[tuple[str, int]]] = {}
        for line in answer:
            name = str(line["index"])
            if period(name) and name.startswith(f"{self._prefix}ttyscribe-"):
                found.setdefault(period(name), []).append((name, int(line.get("store.size") or 0)))
        return [
            Partition(name, sum(size for _, size in parts), tuple(sorted(index for index, _ in parts)))
            for name, parts in sorted(found.items())
        ]

    def drop(self, partition: Partition) -> None:
        """Delete all indices of a month, or day."""
        for index in partition.parts:
            self._transport.call("DELETE", f"/{quote(index, safe='')}?ignore_unavailable=true")

    def count(self) -> int:
        """How many documents are stored, as far as they are visible."""
        answer = self._transport.call("GET", f"/{self._prefix}ttyscribe-*/_count?{_LENIENT}")
        if not isinstance(answer, dict) or not isinstance(answer.get("count"), int):
            raise Unavailable(f"{self._address}: the answer to a count is none: {self._transport.said(answer)}")
        return int(answer["count"])

    def refresh(self) -> None:
        """Make everything written so far visible to the reads."""
        self._transport.call("POST", f"/{self._prefix}ttyscribe-*/_refresh?{_LENIENT}")

    def close(self) -> None:
        """Close the connections."""
        self._writer.close()
        self._transport.close()


def _row(document: dict[str, Any]) -> dict[str, Any]:
    """The document, where it has what a row has to have. KeyError, TypeError."""
    return document if document["recording"]["messages"] and document["ttyscribe"]["recording"] else {}


def _transport(far: Any, options: dict[str, Any]) -> Transport:
    """The way to a URL, or that of a client object. ConfigError for what it does not know."""
    try:
        if isinstance(far, str):
            return connect(parse_address(far), Access(**options))
        if hasattr(far, "transport"):
            return borrow(far, **options)
    except TypeError as error:
        raise ConfigError(f"unknown setting for {far if isinstance(far, str) else 'the client'}: {error}") from None
    raise ConfigError("neither a store URL nor an elasticsearch.Elasticsearch")
