# SPDX-License-Identifier: Apache-2.0
"""Answers that are larger than any honest one, nested deeper, or repeat what they should not."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.store.elastic_samples import syslog
from tests.store.stand_in import Action, Handler, StandIn, answer, standing_in
from ttyscribe_formats.errors import TtyscribeError, Unavailable
from ttyscribe_store import bounded
from ttyscribe_store.base import STORED, Outcome, RecordingFilter
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.transport import TooLarge

MIB = 1 << 20
HEADS = {
    "announced": b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "one chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n280000000\r\n",
    "until the connection ends": b"HTTP/1.1 200 OK\r\n\r\n",
    "of an error": b"HTTP/1.1 500 Trouble\r\nContent-Length: 10737418240\r\n\r\n",
    "of a redirection": b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 10737418240\r\n\r\n",
}


class Endless:
    """Gives 10 GB, or as much as is taken; `sent` counts."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.sent = 0

    def __call__(self, handler: Handler, _: bytes) -> None:
        handler.close_connection = True
        part = b'{"a":"' + b"x" * 65_530
        if self._head.endswith(b"chunked\r\n\r\n"):
            part = b"10000\r\n" + part + b"\r\n"
        try:
            handler.wfile.write(self._head)
            while self.sent < 10 << 30:
                handler.wfile.write(part)
                self.sent += len(part)
        except OSError:
            pass  # who asked has had enough


@contextmanager
def _store(**options: Any) -> Iterator[tuple[ElasticStore, StandIn]]:
    with standing_in() as server:
        store = ElasticStore(server.url, **options)
        try:
            yield store, server
        finally:
            store.close()


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_an_answer_without_end_is_not_read_to_its_end(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", MIB)
    endless = Endless(head)
    with _store() as (store, server):
        server.always = endless
        for _ in range(10):  # more often than there are connections
            with pytest.raises(TooLarge, match=r"127.0.0.1:\d+ answers GET /ttyscribe-\*/_count with more than 1 MiB"):
                store.count()
        assert len(server.seen) == 10, "it is not asked for again"
        server.always = None
        assert store.write([syslog()]) == [STORED]
    assert endless.sent < 10 * 16 * MIB


def test_a_bulk_answer_without_end_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", MIB)
    with _store(chunk_count=1, flights=3) as (store, server):
        server.script = [Endless(HEADS["announced"]) for _ in range(3)]
        with pytest.raises(Unavailable, match="more than 1 MiB"):
            store.write([syslog(1), syslog(2), syslog(3)])
        server.script.clear()
        assert store.write([syslog(1), syslog(2), syslog(3)]) == [STORED] * 3


def test_the_limit_itself_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = json.dumps({"count": 3, "more": "x" * 200_000}).encode()
    with _store() as (store, server):
        server.always = answer(200, whole)
        monkeypatch.setattr(bounded, "MOST_BYTES", len(whole))
        assert store.count() == 3
        monkeypatch.setattr(bounded, "MOST_BYTES", len(whole) - 1)
        with pytest.raises(TooLarge):
            store.count()


def _paged(documents: list[dict[str, Any]], asked: list[int]) -> Action:
    """Answers searches as an engine would, page after page."""

    def act(handler: Handler, body: bytes) -> None:
        wanted = json.loads(body)
        asked.append(wanted["size"])
        first = wanted.get("search_after", [0])[0]
        hits = [{"_source": one, "sort": [at + 1]} for at, one in enumerate(documents)][first : first + wanted["size"]]
        answer(200, {"_shards": {"failed": 0}, "hits": {"hits": hits}})(handler, body)

    return act


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is recorded can make every message as large as one may be, and is played nevertheless."""
    documents = [
        {
            "@timestamp": "2026-11-24T12:00:00Z",
            "viaq_msg_id": f"tlog:r:{number}:0",
            "tlog": {"id": number, "out_txt": "x" * 100_000},
            "ttyscribe": {"trust": "none"},
        }
        for number in range(30)
    ]
    monkeypatch.setattr(bounded, "MOST_BYTES", MIB)
    asked: list[int] = []
    with _store() as (store, server):
        server.always = _paged(documents, asked)
        found = [message.tlog["id"] for message in store.messages("r")]
    assert found == list(range(30))
    assert asked == [200, 50, 13, 4, 4, 4, 4, 4, 4, 4, 4]
    monkeypatch.setattr(bounded, "MOST_BYTES", MIB // 16)
    with _store() as (store, server):
        server.always = _paged(documents, [])
        with pytest.raises(TooLarge):
            list(store.messages("r"))


def _nested(depth: int, what: bytes) -> bytes:
    return b'{"a":' * depth + what + b"}" * depth


def _written(store: ElasticStore) -> Outcome:
    try:
        return store.write([syslog()])[0]
    except Unavailable as error:
        return Outcome("retry", str(error))


@pytest.mark.parametrize("depth", [900, 980, 1000, 1015, 1200, 100_000])
def test_what_is_nested_deep_breaks_no_message(depth: int) -> None:
    """A little less deep than what is no JSON any more is deeper than Python writes it."""
    deep = _nested(depth, b"1")
    bodies = [
        deep,
        b'{"_shards":{"failed":1,"failures":' + deep + b"}}",
        b'{"error":' + deep + b"}",
        b'{"error":{"type":' + deep + b',"reason":' + deep + b"}}",
        b'{"items":[' + deep + b"]}",
        b'{"items":[{"create":{"status":400,"error":' + deep + b"}}]}",
        b'{"items":[{"create":{"status":400,"error":{"reason":"x","caused_by":{"reason":' + deep + b"}}}}]}",
    ]
    with _store() as (store, server):
        for status in (200, 400, 500):
            for body in bodies:
                server.always = answer(status, body)
                for read in (
                    lambda: list(store.recordings(RecordingFilter())),
                    store.count,
                    store.partitions,
                    store.lease().take,
                ):
                    with pytest.raises(TtyscribeError) as caught:
                        read()
                    assert len(str(caught.value)) < 1000
                server.always = None
                server.script = [answer(status, body)]
                found = _written(store)
                assert found.status in ("retry", "rejected")
                assert len(found.reason) < 1000


def test_an_item_that_is_none_is_told_short_and_without_the_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTYSCRIBE_STORE_USER", "ada")
    monkeypatch.setenv("TTYSCRIBE_STORE_PASSWORD", "correct-horse")
    sent = base64.b64encode(b"ada:correct-horse").decode()
    item = {"create": {"headers": f"Basic {sent}", "password": "correct-horse", "more": "y" * 5000}}
    with _store() as (store, server):
        server.script = [answer(200, {"items": [item]})]
        with pytest.raises(Unavailable, match="has an item that is none") as caught:
            store.write([syslog()])
        assert "Basic ..." in str(caught.value)
        assert sent not in str(caught.value)
        assert "correct-horse" not in str(caught.value)
        assert len(str(caught.value)) < 500
