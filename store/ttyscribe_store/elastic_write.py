# SPDX-License-Identifier: Apache-2.0
"""The writing half of the store on Elasticsearch and OpenSearch: bulk requests under the watch over our templates."""

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, MessageError, Unavailable
from ttyscribe_store import bulk, jsontext
from ttyscribe_store.base import STORED, Outcome
from ttyscribe_store.flights import Crew, send
from ttyscribe_store.install.verify import verify
from ttyscribe_store.transport import NDJSON, Answer, Transport

_LOG = logging.getLogger("ttyscribe.store")
_BULK = "/_bulk?filter_path=errors,took,items.*.status,items.*.error"
_EQUAL_REJECTIONS = 50
WRITER_DEFAULTS = {"chunk_bytes": bulk.DEFAULT_BYTES, "chunk_count": bulk.MAX_COUNT, "flights": 2}
"""Settings of a writer, in the order in which it takes them."""
_LEAST_BYTES = 16 << 10


class Writer:
    """Writes documents by bulk requests of at most so many bytes and documents, up to `flights` of them at once."""

    def __init__(self, transport: Transport, prefix: str, most_bytes: int, most_count: int, flights: int) -> None:
        self._transport = transport
        self._prefix = prefix
        self._limits = bulk.Limits(most_bytes, most_count)
        self._wanted_bytes = self._limits.most_bytes
        self._create, self._overwrite = bulk.Encoder(prefix), bulk.Encoder(prefix, "index")
        self._crew = Crew("bulk")
        self._most_flights = self._flights = max(1, flights)
        self._in_force = False
        self._rejection = ""
        self._rejections = 0

    def check(self) -> None:
        """Raise `Unavailable` while the engine does not answer, refuses us, or would use another template than ours."""
        self._in_force = False
        try:
            self._create.layout = verify(self._transport, self._prefix)
        except ConfigError as error:
            raise Unavailable(str(error)) from None
        self._in_force = True
        self._limits.most_bytes = self._wanted_bytes  # the limit may be another one now

    def make_sure(self) -> None:
        """Check, unless nothing has happened since the last check that went well."""
        if not self._in_force:
            self.check()

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        """Create each document. Where an outage hit only some of them, those are `retry`."""
        self.make_sure()
        outcomes = self._send(documents, self._create)
        self._watch(outcomes)
        return outcomes

    def overwrite(self, documents: Sequence[Document]) -> None:
        """Write each document whether it is there or not.

        Raises `Unavailable` where one can't be written now, `MessageError` where one is refused for itself; the others
        are written then.
        """
        outcomes = self._send(documents, self._overwrite)
        held = next((outcome for outcome in outcomes if outcome.status == "retry"), None)
        if held is not None:
            self._in_force = False
            raise Unavailable(f"{self._transport.address}: {held.reason}", held.after)
        refused = [number for number, outcome in enumerate(outcomes) if outcome.status == "rejected"]
        if refused:
            self.check()  # with another template than ours it would be no wonder
            which, why = documents[refused[0]]["viaq_msg_id"], outcomes[refused[0]].reason
            more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
            raise MessageError(f"{self._transport.address} refuses {which}{more}: {why}")

    def close(self) -> None:
        """Let go of the threads."""
        self._crew.close()

    def _send(self, documents: Sequence[Document], encode: bulk.Encoder) -> list[Outcome]:
        """Send all; after trouble fewer requests at once, and one more after each success."""
        try:
            outcomes = send(documents, encode, self._limits, self._post, self._crew, self._flights)
        except Unavailable:
            self._in_force = False
            self._flights = 1
            raise
        if any(outcome.status == "retry" for outcome in outcomes):
            self._flights = max(1, self._flights // 2)
        else:
            self._flights = min(self._most_flights, self._flights + 1)
        return outcomes

    def remove(self, hits: Sequence[dict[str, Any]]) -> int:
        """Delete by `_index` and `_id`; how many were there. Raises `Unavailable` where one can't be removed.

        Where a hit says of which version it is (`_seq_no`), another one stays: a request of a process that was killed
        may arrive late, and what was written since then is not meant.
        """
        lines = [json.dumps({"delete": _meant(hit)}) for hit in hits]
        answer = self._transport.request("POST", _BULK, ("\n".join(lines) + "\n").encode(), NDJSON)
        if answer.status != 200:
            raise Unavailable(f"{self._transport.address} delete: {answer.reason()}", answer.retry_after)
        said = answer.json()
        bulk.read(said, len(hits), self._transport.said)  # raises where it is no answer to this
        entries = [next(iter(item.values())) for item in said["items"]]
        failed = [entry for entry in entries if entry["status"] not in (200, 404, 409)]
        if failed:
            said = self._transport.said(failed[0].get("error"))
            raise Unavailable(f"{self._transport.address} delete: {failed[0]['status']} {said}")
        return sum(entry["status"] == 200 for entry in entries)

    def _post(self, chunk: bulk.Chunk) -> list[Outcome] | str:
        """Send one bulk request; text = it is refused for what is in it. Called in several threads."""
        answer = self._transport.request("POST", _BULK, chunk.body, NDJSON)
        count = len(chunk.positions)
        if answer.status == 413 and count > 1:  # what comes next need not find out again
            self._limits.most_bytes = max(min(self._limits.most_bytes, len(chunk.body) // 2), _LEAST_BYTES)
        return understood(answer, count, self._transport.address, self._transport.said)

    def _watch(self, outcomes: list[Outcome]) -> None:
        """Raise `Unavailable` where an outage hit all; look at the template again after many equal rejections."""
        if outcomes.count(STORED) == len(outcomes):
            self._rejection, self._rejections = "", 1
            return
        held = [outcome for outcome in outcomes if outcome.status == "retry"]
        if held:
            self._in_force = False
            if all(outcome.status in ("retry", "rejected") for outcome in outcomes):
                where = f"{self._transport.address}"
                reason = held[0].reason if held[0].reason.startswith(where) else f"{where}: {held[0].reason}"
                raise Unavailable(reason, held[0].after)
        for outcome in outcomes:
            cause = outcome.reason.partition(":")[0] if outcome.status == "rejected" else ""
            self._rejections = self._rejections + 1 if cause and cause == self._rejection else 1
            self._rejection = cause
            if cause and self._rejections == _EQUAL_REJECTIONS:
                self._rejections = 0  # where this raises, counting begins anew
                self.check()
                self._rejections = _EQUAL_REJECTIONS
                _LOG.error("%s rejects document after document: %s", self._transport.address, outcome.reason)


def understood(answer: Answer, count: int, address: object, said: Callable[[object], str]) -> list[Outcome] | str:
    """What an answer says of so many documents; text = the request is refused for what is in it.

    `said`: how messages repeat a part of it.
    Raises `Unavailable` where it says nothing of them.
    """
    if answer.status == 413 or (answer.status == 400 and _is_json(answer)):
        return answer.reason()
    if answer.status != 200:
        raise Unavailable(f"{address} bulk: {answer.reason()}", answer.retry_after)
    if bulk.all_created(answer.body, count):
        return [STORED] * count
    return bulk.read(answer.json(), count, said)


def _is_json(answer: Answer) -> bool:
    """Tell whether the engine itself refuses, and no proxy in front of it."""
    try:
        return isinstance(jsontext.loads(answer.body), dict)
    except ValueError:
        return False


def _meant(hit: dict[str, Any]) -> dict[str, Any]:
    found = {"_index": hit["_index"], "_id": hit["_id"]}
    if "_seq_no" in hit:
        found |= {"if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
    return found
