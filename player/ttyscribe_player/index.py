# SPDX-License-Identifier: Apache-2.0
"""The `es` reader: messages out of an index of Elasticsearch or OpenSearch, as tlog's users have it.

tlog's fields stand at the top of the documents, or under `tlog`. Pages follow each other by id and not by number, so
that there may be any number of messages; the query may match several recordings.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_player import feed
from ttyscribe_player.client import VARIABLES, Client
from ttyscribe_store.access import Access

PAGE = 1000
_MOST = 10_000
"""What engines give at once, unless an index says otherwise."""
_FIELDS = ("id", "tlog.id")
_WHOLE = ("id", "pos", "session")
_ASK_SECONDS = 2.0
Complain = Callable[[str], None]


class Wanted(NamedTuple):
    """The address of a `_search`, and a query string."""

    base: str
    query: str
    verbose: bool = False
    ca: str = ""
    api_key_file: str = ""


class Index:
    """A `Feed`. `say` takes remarks."""

    name = "the index"

    def __init__(self, wanted: Wanted, say: Complain) -> None:
        access = Access(ca=wanted.ca, api_key_file=wanted.api_key_file, environment=VARIABLES)
        self._client = Client(wanted.base, access, say if wanted.verbose else None)
        self._query = wanted.query
        self._say = say
        self._seen: set[int] = set()
        self._asked = time.monotonic()
        self._is_down = False
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 # its reader closes it
        for field in _FIELDS:
            self._load(field, -1)
        self._tell_others()
        self.file.seek(0)

    def _load(self, field: str, first: int) -> None:
        for hit in self._hits(field, first):
            key = hash((hit.get("_index"), hit.get("_id")))
            if key in self._seen:
                continue
            self._seen.add(key)
            message, pid, trust = _message(hit)
            if not message:
                self._say(f"document {str(hit.get('_id'))[:80]!r} is no message of a recording")
            self.file.write(feed.line(message, pid, trust))

    def _hits(self, field: str, first: int) -> Iterator[dict[str, Any]]:
        """What has this field, ordered by it, page after page; some twice."""
        size = PAGE
        while True:
            hits = self._page(field, first, size)
            last = _number(hits[-1]) if hits else first
            yield from hits
            if len(hits) < size:
                return
            if last > first:
                first, size = last, PAGE
            elif size < _MOST:
                size = _MOST
            else:
                raise ConfigError(f"--es-query matches more than {_MOST} recordings: let it name fewer")

    def _page(self, field: str, first: int, size: int) -> list[dict[str, Any]]:
        has: list[dict[str, Any]] = [{"exists": {"field": field}}]
        if first >= 0:
            has.append({"range": {field: {"gte": first}}})
        order = {field: {"order": "asc", "unmapped_type": "long"}}
        answer = self._client.ask({"size": size, "query": self._matching(filter=has), "sort": [order]})
        try:
            hits = answer["hits"]["hits"]
        except (KeyError, TypeError):
            hits = None
        if not isinstance(hits, list) or not all(isinstance(hit, dict) for hit in hits):
            raise Unavailable(f"{self.name}: the answer has no hits")
        return hits

    def _matching(self, **more: Any) -> dict[str, Any]:
        return {"bool": {"must": [{"query_string": {"query": self._query}}], **more}}

    def _tell_others(self) -> None:
        """Say how many documents match that are no messages: else a wrong query would look like an empty index."""
        others = self._matching(must_not=[{"exists": {"field": field}} for field in _FIELDS])
        answer = self._client.ask({"size": 0, "query": others}).get("hits")
        total = answer.get("total") if isinstance(answer, dict) else 0
        if isinstance(total, dict):  # engines before version 7 give the number alone
            total = total.get("value")
        if isinstance(total, int) and total:
            self._say(f"{total} documents that match are no messages of a recording")

    def more(self, first: int) -> None:
        """Ask again, every few seconds; an outage is told once and waited for."""
        if time.monotonic() - self._asked < _ASK_SECONDS:
            return
        self.file.seek(0, 2)
        try:
            for field in _FIELDS:
                self._load(field, first)
            self._is_down = False
        except Unavailable as error:
            if not self._is_down:
                self._say(f"{error}; asking again")
            self._is_down = True
        self._asked = time.monotonic()

    def close(self) -> None:
        """Nothing runs on."""


def _number(hit: dict[str, Any]) -> int:
    values = hit.get("sort")
    value = values[0] if isinstance(values, list) and values else None
    if not isinstance(value, int | float) or not -1 < value < 2**63:  # neither infinite nor no number
        raise Unavailable("the index: its ids are no numbers")
    return int(value)


def _message(hit: dict[str, Any]) -> tuple[bytes, int, str]:
    """The message of one hit, or nothing; the pid that sent it and its trust, where our own documents tell them."""
    source = hit.get("_source")
    fields = source.get("tlog", source) if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(fields, dict) or "timing" not in fields:
        return b"", feed.NOBODY, "none"
    for name in _WHOLE:
        value = fields.get(name)
        if isinstance(value, float) and value.is_integer():  # as shippers write them that know no whole numbers
            fields[name] = int(value)
    own = source.get("ttyscribe")
    if fields is source or not isinstance(own, dict):
        return json.dumps(fields).encode(), feed.NOBODY, "none"
    pid, trust = own.get("sender_pid"), own.get("trust")
    known = pid if isinstance(pid, int) and 0 <= pid < 2**31 else feed.NOBODY
    return json.dumps(fields).encode(), known, trust if isinstance(trust, str) else "none"
