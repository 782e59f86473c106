# SPDX-License-Identifier: Apache-2.0
"""Whoever answers in place of the server: the loader ends with one clear line, in bounded time and memory."""

import itertools
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kibana.conftest import Start
from tests.kibana.double import Double, Fault, running
from ttyscribe_formats.errors import ConfigError, TtyscribeError, Unavailable
from ttyscribe_kibana.client import MOST
from ttyscribe_kibana.load import Access, Where, load, unload

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
STATUS = b'{"version":{"number":"9.5.0"}}'
PATIENCE = 30.0
"""Seconds that a test waits for what takes less than one."""


@contextmanager
def saying(pieces: Iterable[bytes], pause: float = 0.0) -> Iterator[str]:
    """A server that answers one request with these bytes, as long as somebody reads; its address."""

    def answer(listening: socket.socket) -> None:
        with suppress(OSError):
            peer, _ = listening.accept()
            with peer:
                peer.settimeout(PATIENCE)
                peer.recv(65_536)
                for piece in pieces:
                    peer.sendall(piece)
                    if pause and ended.wait(pause):
                        return

    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            thread.join(PATIENCE)
            assert not thread.is_alive()


def one_line(error: TtyscribeError) -> str:
    """Its text, which any terminal can show."""
    text = str(error)
    assert text.isprintable(), text
    assert len(text) < 2000
    return text


def forever(piece: bytes) -> Iterator[bytes]:
    """The same bytes without end."""
    return itertools.repeat(piece)


@pytest.mark.parametrize(
    ("pieces", "says"),
    [
        ([b"\x00\xff\xfe\r\n\r\n" * 9], "does not speak HTTP"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "does not speak HTTP"),
        ([b""], "ended before the answer"),
        ([OK + b"\r\n" + STATUS[:11]], "no status page"),
        ([OK + b"Content-Length: 100\r\n\r\n{"], "ended before the answer"),
        ([OK + b"\r\n\xff\xfe\x00\xd8"], "no status page"),
        ([OK + b"\r\n" + b"[" * 200_000], "no status page"),
        ([OK + b"\r\n" + b"9" * 200_000], "no status page"),
        ([OK + b"\r\nnull"], "no status page"),
        ([OK + b'\r\n{"version":{"number":"9.\\u001b[31m"}}'], "tells its version only to those who sign in"),
        ([OK + b'\r\n{"version":{"number":' + b"9" * 5000 + b"}}"], "no status page"),
        ([OK + b'\r\n{"version":{"number":"' + b"9" * 5000 + b'"}}'], "tells its version only to"),
        ([OK + b'\r\n{"version":{"number":"9..1"}}'], "tells its version only to"),
        ([b"HTTP/1.1 999 \x1b[31mred\r\n\r\n"], "not ready"),
        ([b"HTTP/1.1 301 x\r\nLocation: /\x1b[2J\r\nContent-Length: 0\r\n\r\n"], "redirects to"),
        ([OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00"], "no status page"),
        ([OK, *(b"X-%d: y\r\n" % n for n in range(200))], "does not speak HTTP"),
        ([OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"], "does not speak HTTP"),
        ([CHUNKED + b"fffffffffffffffffff\r\nabc"], "ended before the answer"),
        ([CHUNKED + b"zz\r\nabc"], "ended before the answer"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else repr(value[0][-24:]),
)
def test_what_no_such_server_says_is_one_line(pieces: list[bytes], says: str) -> None:
    with saying(pieces) as url, pytest.raises((ConfigError, Unavailable), match=says) as seen:
        load(Where(url))
    one_line(seen.value)


@pytest.mark.parametrize(
    "pieces",
    [
        itertools.chain([OK + b"\r\n"], forever(b"[" * 65_536)),
        itertools.chain([OK + b"Content-Length: 999999999999\r\n\r\n"], forever(b" " * 65_536)),
        itertools.chain([CHUNKED], forever(b"10000\r\n" + b'"' * 65_536 + b"\r\n")),
    ],
    ids=["no-length", "huge-length", "chunks"],
)
def test_an_answer_without_end_is_left_in_bounded_memory(pieces: Iterable[bytes]) -> None:
    with saying(pieces) as url:
        tracemalloc.start()
        try:
            with pytest.raises(ConfigError, match="answers with more than 8 MiB") as seen:
                load(Where(url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    one_line(seen.value)
    assert peak < 6 * MOST


@pytest.mark.parametrize(
    "pieces",
    [
        itertools.chain([OK + b"\r\n"], forever(b" ")),
        forever(b"HTTP/1.1 100 Continue\r\n\r\n"),
        itertools.chain([OK], forever(b"X")),
        itertools.chain([CHUNKED], forever(b"1\r\n \r\n")),
        itertools.chain([CHUNKED + b"0\r\n"], forever(b"X: y\r\n")),
    ],
    ids=["body", "continue", "header", "chunks", "trailers"],
)
def test_an_answer_that_drips_is_left_when_the_time_is_over(pieces: Iterable[bytes]) -> None:
    """Each read is quick; all together never end."""
    began = time.monotonic()
    with (
        saying(pieces, pause=0.02) as url,
        pytest.raises(Unavailable, match=r"no whole answer within 0\.4 sec") as seen,
    ):
        load(Where(url, access=Access(timeout=0.4)))
    one_line(seen.value)
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_left_when_the_time_is_over(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable) as seen:
        load(Where(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", access=Access(timeout=0.4)))
    one_line(seen.value)


def test_a_redirect_is_never_followed(start: Start) -> None:
    target = start("kibana", "9.5.0")
    double = start("kibana", "9.5.0")
    double.faults = [Fault("", 307, b"", (("Location", f"{target.url}/api/status"),))]
    with pytest.raises(ConfigError, match="redirects to"):
        load(Where(double.url))
    assert target.requests == []


def test_another_content_type_does_not_matter_where_it_is_json(server: Double) -> None:
    body = json.dumps({"version": {"number": server.version}}).encode()
    server.faults = [Fault("status", 200, body, (("Content-Type", "text/plain"),))]
    assert "imported" in load(Where(server.url))[0]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://" + "a" * 70 + ".example", "no name that a host can have"),
        ("http://xn--\udc80", "percent-encoded"),
        ("http://127.0.0.1:1/a b", "percent-encoded"),
        ("http://127.0.0.1:1/ä", "percent-encoded"),
        ("http://[::1", "not an address"),
        ("http://127.0.0.1:99999", "not an address"),
    ],
)
def test_an_address_that_is_none_is_one_line(url: str, says: str) -> None:
    with pytest.raises((ConfigError, Unavailable), match=says) as seen:
        load(Where(url, access=Access(timeout=5)))
    one_line(seen.value)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(
    [
        *("type", "id", "error", "errors", "success", "successCount", "successResults", "destinationId", "attributes"),
        *("objects", "references", "message", "statusCode", "destinations", "updated_at", "migrationVersion"),
        *("number", "version", "tenants", "result", "workspaces"),
    ]
)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["conflict", "missing_references", "ambiguous_conflict", "dashboard", "\x1b[2J\u202e"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=12,
)
BODIES = st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode())
PATHS = st.sampled_from(["/api/status", "_import", "_export", "workspaces/_list", "space/ops", "authinfo"])


@pytest.fixture(scope="module")
def doubles() -> Iterator[list[Double]]:
    """Both products; their state does not matter here."""
    with running("kibana", "9.5.0") as kibana, running("opensearch-dashboards", "3.8.0") as opensearch:
        kibana.places["/s/ops"] = {}
        opensearch.tenants, opensearch.places["tenant:ops"] = {"ops": True}, {}
        yield [kibana, opensearch]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 1),
    path=PATHS,
    body=BODIES,
    status=st.sampled_from([200, 200, 200, 400, 404, 409, 415, 422]),
    removes=st.booleans(),
)
def test_no_answer_is_taken_for_its_documented_shape(
    doubles: list[Double], number: int, path: str, body: bytes, status: int, removes: bool
) -> None:
    double = doubles[number]
    double.faults = []
    where: dict[str, Any] = {"space": "ops"} if number == 0 else {"tenant": "ops"}
    if path == "_import":
        unload(Where(double.url, **where), overwrite=True)
    double.faults = [Fault(path, status, body)]
    try:
        (unload if removes else load)(Where(double.url, **where))
    except TtyscribeError as error:
        one_line(error)
