# SPDX-License-Identifier: Apache-2.0
"""What becomes of documents when the engine, or what stands before it, answers badly or not at all."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.store.elastic_samples import syslog
from tests.store.stand_in import Action, Handler, StandIn, answer, created, reset, slow, standing_in
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.base import STORED, Query, RecordingFilter
from ttyscribe_store.elastic import ElasticStore


@contextmanager
def _store(*script: Action, **options: Any) -> Iterator[tuple[ElasticStore, StandIn]]:
    with standing_in(*script) as server:
        store = ElasticStore(server.url, **options)
        try:
            yield store, server
        finally:
            store.close()


def _items(*statuses: int, kind: str = "mapper_parsing_exception") -> Action:
    error = {"type": kind, "reason": "x"}
    items = [{"create": {"status": status, **({"error": error} if status >= 300 else {})}} for status in statuses]
    return answer(200, {"errors": True, "items": items})


OUTAGES: dict[str, tuple[Action, str]] = {
    "503, JSON without items": (answer(503, {"error": {"type": "x", "reason": "no master"}}), "no master"),
    "502, a proxy's page": (answer(502, b"<html>Bad Gateway</html>", "text/html"), "Bad Gateway"),
    "504, empty": (answer(504), "HTTP 504"),
    "429": (answer(429, {"error": {"type": "circuit_breaking_exception", "reason": "too large"}}), "too large"),
    "401": (answer(401, {"error": {"type": "security_exception", "reason": "missing credentials"}}), "missing cred"),
    "403": (answer(403, {"error": {"type": "security_exception", "reason": "unauthorized"}}), "unauthorized"),
    "404": (answer(404, {"error": "no handler"}), "no handler"),
    "406, media type": (answer(406, {"error": "Content-Type header is not supported"}), "not supported"),
    "400, a proxy's page": (answer(400, b"<html>plain HTTP to HTTPS port</html>", "text/html"), "HTTPS port"),
    "200, a login page": (answer(200, b"<html>log in</html>", "text/html"), "no JSON"),
    "200, empty": (answer(200), "no JSON"),
    "200, nested without end": (answer(200, b"[" * 100_000), "no JSON"),
    "200, an item too few": (_items(201), "1 items for 2"),
    "200, no items": (answer(200, {"took": 1}), "no items"),
    "302": (answer(302, b"", Location="/elsewhere"), "HTTP 302"),
    "all items refused for the index": (_items(403, 403, kind="cluster_block_exception"), "cluster_block"),
}


@pytest.mark.parametrize(("action", "text"), OUTAGES.values(), ids=OUTAGES)
def test_an_outage_holds_everything_back_and_says_why(action: Action, text: str) -> None:
    with _store(action) as (store, server):
        with pytest.raises(Unavailable, match=text):
            store.write([syslog(1), syslog(2)])
        assert [found.status for found in store.write([syslog(1), syslog(2)])] == ["stored", "stored"]
        assert len(server.bulks) == 2


def test_retry_after_is_passed_on() -> None:
    with _store(answer(429, {"error": "busy"}, Retry_After="17")) as (store, _):
        with pytest.raises(Unavailable) as caught:
            store.write([syslog()])
        assert caught.value.after == 17.0


def test_an_outage_of_one_index_does_not_hide_what_was_stored() -> None:
    with _store(_items(201, 503, 409)) as (store, _):
        found = store.write([syslog(1), syslog(2), syslog(3)])
        assert [one.status for one in found] == ["stored", "retry", "duplicate"]


def test_a_413_without_a_body_is_split_down_to_the_document_that_is_too_large() -> None:
    def small_only(handler: Any, body: bytes) -> None:
        (answer(413, b"") if b"BIG" in body else created)(handler, body)

    with _store(*[small_only] * 20) as (store, _):
        documents = [syslog(number, text="BIG" if number == 5 else "small") for number in range(8)]
        found = store.write(documents)
    assert [one.status for one in found] == ["stored"] * 5 + ["rejected"] + ["stored"] * 2
    assert "413" in found[5].reason


def test_a_limit_that_was_found_once_is_kept_until_the_next_outage() -> None:
    """Requests are cut to it from then on: none is sent in vain."""
    refused: list[int] = []

    def limited(handler: Any, body: bytes) -> None:
        if len(body) > 100_000:
            refused.append(len(body))
        (answer(413, b"") if len(body) > 100_000 else created)(handler, body)

    many = [syslog(number, text="x" * 2000) for number in range(200)]
    with _store() as (store, server):
        server.script = [limited] * 1000
        assert {one.status for one in store.write(many)} == {"stored"}
        found_out = len(refused)
        assert found_out >= 3
        assert {one.status for one in store.write(many)} == {"stored"}
        assert len(refused) == found_out
        store.check()
        store.write(many)
        assert len(refused) > found_out


_CREATED = b'{"errors":false,"items":[{"create":{"status":201}}]}'
GARBAGE = {
    "no HTTP": b"\x00\xff\x80 garbage \r\n\r\n",
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(_CREATED) + _CREATED[:-9],
    "a body that is whole too soon": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + _CREATED,
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + _CREATED[:20],
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + _CREATED,
    "chunks without an end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + _CREATED[:5] + b"\r\n",
    "said to be gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000 + b"\r\n",
    "a status that is none": b"HTTP/1.1 OK\r\n\r\n" + _CREATED,
    "random": random.Random(7).randbytes(5000),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("flights", [1, 3])
def test_what_is_no_answer_is_an_outage(data: bytes, flights: int) -> None:
    def garbage(handler: Handler, _: bytes) -> None:
        handler.wfile.write(data)
        handler.wfile.flush()
        handler.close_connection = True

    with _store(*[garbage] * 8, chunk_count=1, flights=flights) as (store, server):
        with pytest.raises(Unavailable) as caught:
            store.write([syslog(1), syslog(2), syslog(3)])
        assert len(str(caught.value)) < 1000
        assert "\n" not in str(caught.value)
        server.script.clear()
        assert store.write([syslog(1), syslog(2), syslog(3)]) == [STORED] * 3


def test_an_outage_in_the_middle_keeps_what_is_known_and_sends_the_rest_alone_again() -> None:
    with _store(created, created, answer(503), flights=1, chunk_count=2) as (store, server):
        documents = [syslog(number) for number in range(8)]
        found = store.write(documents)
        assert [one.status for one in found] == ["stored"] * 4 + ["retry"] * 4
        assert "503" in found[-1].reason
        assert store.write(documents[4:]) == [STORED] * 4
        assert len(server.bulks) == 5


def test_after_trouble_fewer_requests_are_under_way_and_after_success_more_again() -> None:
    lock, at_once = threading.Lock(), [0, 0]

    def counted(handler: Handler, body: bytes) -> None:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        time.sleep(0.03)
        with lock:
            at_once[0] -= 1
        created(handler, body)

    documents = [syslog(number) for number in range(24)]
    with _store(answer(503), chunk_count=1, flights=3) as (store, server):
        most = []
        for number in range(4):
            server.script += [counted] * len(documents)
            try:
                store.write(documents)
            except Unavailable:
                assert number == 0
            most.append(at_once[1])
            server.script.clear()
            at_once[1] = 0
        assert most[1] == 1
        assert most[1] <= most[2] <= 2
        assert most[2] <= most[3] <= 3
        assert most[3] > 1, "requests are never under way at once again"


def test_a_413_before_the_body_is_read_is_one() -> None:
    """As nginx and the engines give it; what is left of the body runs against a closed connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse_unread, args=(listener,), daemon=True).start()
        store = ElasticStore(f"http://127.0.0.1:{listener.getsockname()[1]}")
        store._writer._in_force = True
        found = store.write([syslog(1, text="x" * 300_000), syslog(2, text="y" * 300_000)])
        store.close()
        assert [one.status for one in found] == ["rejected"] * 2
        assert all("413" in one.reason for one in found)


def _refuse_unread(listener: socket.socket) -> None:
    for _ in range(3):
        connection, _address = listener.accept()
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(1024)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def test_a_cut_connection_is_tried_once_more_at_once_then_an_outage() -> None:
    with _store(reset) as (store, server):
        assert [found.status for found in store.write([syslog()])] == ["stored"]
        assert len(server.bulks) == 2
    with _store(reset, reset) as (store, _), pytest.raises(Unavailable):
        store.write([syslog()])


def test_a_slow_answer_is_an_outage_after_the_timeout_and_is_not_sent_again() -> None:
    with _store(slow(3), timeout=0.3) as (store, server):
        began = time.monotonic()
        with pytest.raises(Unavailable, match="timed out"):
            store.write([syslog()])
        assert time.monotonic() - began < 2
        assert len(server.bulks) == 1


def test_nobody_listening_is_an_outage_in_one_line_without_addresses_of_objects() -> None:
    with standing_in() as server:
        url = server.url
    store = ElasticStore(url)
    with pytest.raises(Unavailable, match="refused") as caught:
        store.write([syslog()])
    assert "object at" not in str(caught.value)
    assert "\n" not in str(caught.value)
    store.close()


def test_a_missing_template_holds_back_and_says_what_to_run() -> None:
    with _store() as (store, server):
        server.installed = False
        with pytest.raises(Unavailable, match="run `ttyscribe setup --store http://127"):
            store.write([syslog()])
        assert server.bulks == []


def test_the_template_is_looked_at_again_after_an_outage() -> None:
    with _store(created, answer(503)) as (store, server):
        store.write([syslog(1)])
        with pytest.raises(Unavailable):
            store.write([syslog(2)])
        server.installed = False
        with pytest.raises(Unavailable, match="ttyscribe setup"):
            store.write([syslog(2)])


def test_fifty_equal_rejections_make_it_look_at_the_template_again(caplog: pytest.LogCaptureFixture) -> None:
    with _store(_items(*[400] * 49), _items(400), *[_items(*[400] * 60)] * 3) as (store, server):
        store.write([syslog(number) for number in range(49)])
        server.installed = False
        with pytest.raises(Unavailable, match="ttyscribe setup"):
            store.write([syslog(50)])
        server.installed = True
        caplog.clear()
        for _ in range(3):
            found = store.write([syslog(number) for number in range(60)])
            assert {one.status for one in found} == {"rejected"}
    alarms = [record for record in caplog.records if "rejects document after document" in record.message]
    assert len(alarms) == 1


def test_large_batches_go_in_requests_of_bounded_size() -> None:
    with _store(chunk_bytes=20_000, chunk_count=7) as (store, server):
        found = store.write([syslog(number, text="x" * 1000) for number in range(40)])
        assert {one.status for one in found} == {"stored"}
        assert all(len(body) <= 20_000 and len(body.splitlines()) <= 14 for body in server.bulks)


def test_plain_media_types_and_the_credential_go_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTYSCRIBE_STORE_TOKEN", "tok")
    with _store() as (store, server):
        store.write([syslog()])
        path, headers, _ = next(entry for entry in server.seen if entry[0].startswith("/_bulk"))
    named = {name.lower(): value for name, value in headers.items()}
    assert named["content-type"] == "application/x-ndjson"
    assert named["accept"] == "application/json"
    assert named["authorization"] == "Bearer tok"
    assert "tok" not in path


def test_refused_credentials_are_the_operators_matter_when_reading() -> None:
    with _store() as (store, server):
        server.always = answer(401, {"error": {"type": "security_exception", "reason": "no"}})
        with pytest.raises(ConfigError, match="refuses POST"):
            list(store.recordings(RecordingFilter()))
        with pytest.raises(Unavailable, match="refuses"):
            store.check()


def test_a_partial_answer_is_no_answer() -> None:
    with _store() as (store, server):
        server.always = answer(200, {"timed_out": False, "_shards": {"failed": 1, "failures": [{"reason": "gone"}]}})
        with pytest.raises(Unavailable, match="in part only"):
            list(store.messages("r"))


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'"x"', b"[" * 100_000, b"<html>log in</html>", b'{"_shards":{"failed":0},"hits":{"hits":[{'],
    ids=["empty", "list", "object", "text", "nested without end", "a login page", "cut off"],
)
def test_what_is_no_engines_answer_gives_nothing_to_read(body: bytes) -> None:
    with _store() as (store, server):
        server.always = answer(200, body)
        for read in (
            lambda: list(store.recordings(RecordingFilter())),
            lambda: list(store.messages("r")),
            lambda: list(store.search(Query([["x"]]))),
            lambda: store.delete("r"),
            store.count,
        ):
            with pytest.raises(Unavailable):
                read()


def test_an_unknown_setting_is_said() -> None:
    with pytest.raises(ConfigError, match="unknown setting"):
        ElasticStore("http://127.0.0.1:1", colour="red")


@pytest.mark.parametrize("said", [b"{}", b"[]", b'{"items":[]}', b'{"items":[7]}', b'{"items":[{"delete":{}}]}', b"x"])
def test_what_is_no_answer_to_a_removal_is_an_outage(said: bytes) -> None:
    with _store(answer(200, said)) as (store, server), pytest.raises(Unavailable):
        store._writer.remove([{"_index": "i", "_id": "1"}])
    assert len(server.bulks) == 1


def test_no_request_is_larger_than_proxies_take_whatever_is_asked_for() -> None:
    with _store(chunk_bytes=10**9) as (store, server):
        for _ in range(2):
            store.check()
            store.write([syslog(number, text="x" * 400_000) for number in range(60)])
        assert len(server.bulks) >= 6
        assert all(len(body) <= 10 << 20 for body in server.bulks)
