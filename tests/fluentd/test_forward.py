# SPDX-License-Identifier: Apache-2.0
"""The forward protocol's sending side against a server written from its specification."""

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest
from fluent.sender import FluentSender

from tests.certificates import make_certificate
from tests.fluentd.in_forward import in_forward
from tests.normalizers.process import wait_for
from ttyscribe_fluentd.forward import Event, Forward, ForwardError, event_time

EVENTS = [Event(1_700_000_000_123_456_789, {"message": "a"}), Event(0, {"message": "b\udcff", "n": 2**70})]


def test_the_server_understands_an_independent_sender_too() -> None:
    """Else it would only prove that we understand ourselves."""
    with in_forward() as server:
        sender = FluentSender("app", host="127.0.0.1", port=server.port, nanosecond_precision=False)
        before = time.time()
        assert sender.emit("follow", {"from": "ada"})
        wait_for(lambda: server.events, "the event has come")
        sender.close()
    ((tag, seconds, record),) = server.events
    assert (tag, record) == ("app.follow", {"from": "ada"})
    assert abs(seconds - before) < 60


def test_events_come_whole_and_are_acknowledged() -> None:
    with in_forward() as server:
        link = Forward("127.0.0.1", server.port)
        link.send("some.tag", EVENTS)
        link.send("other", EVENTS[:1])
        link.close()
        assert server.connections == 1
        assert len(set(server.chunks)) == 2
    assert server.events == [
        ("some.tag", pytest.approx(1_700_000_000.123456789), {"message": "a"}),
        ("some.tag", 0.0, {"message": "b\ufffd", "n": str(2**70)}),
        ("other", pytest.approx(1_700_000_000.123456789), {"message": "a"}),
    ]


@pytest.mark.parametrize("what", ["other", "close", "nothing"])
def test_what_is_not_acknowledged_is_not_known_to_be_taken(what: str) -> None:
    """FLU-11: and the next try begins a new connection."""
    with in_forward(what) as server:
        link = Forward("127.0.0.1", server.port, timeout=1.0 if what == "nothing" else 20.0)
        with pytest.raises(ForwardError, match=f"127.0.0.1:{server.port}"):
            link.send("tag", EVENTS)
        link.send("tag", EVENTS)
        assert server.connections == 2
        link.close()


def test_a_connection_that_was_closed_meanwhile_is_made_again() -> None:
    with in_forward() as server:
        link = Forward("127.0.0.1", server.port)
        link.send("tag", EVENTS)
        for one in server._open:
            one.shutdown(2)
        time.sleep(0.05)
        link.send("tag", EVENTS)
        assert server.connections == 2
        link.close()


def test_nobody_there() -> None:
    with in_forward() as server:
        port = server.port
    link = Forward("127.0.0.1", port)
    with pytest.raises(ForwardError, match="refused"):
        link.send("tag", EVENTS)
    with pytest.raises(ForwardError, match="refused"):
        link.check()


def test_both_sides_prove_that_they_know_the_key() -> None:
    """FLU-12."""
    with in_forward(shared_key="secret") as server:
        link = Forward("127.0.0.1", server.port, shared_key="secret")
        link.check()
        link.send("tag", EVENTS)
        link.close()
        with pytest.raises(ForwardError, match="shared_key mismatch"):
            Forward("127.0.0.1", server.port, shared_key="wrong").check()
    assert len(server.events) == 2
    with in_forward() as server, pytest.raises(ForwardError):
        Forward("127.0.0.1", server.port, shared_key="secret", timeout=0.5).check()


def test_tls_is_verified(tmp_path: Path) -> None:
    made = make_certificate(tmp_path, "server")
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(*made)
    with in_forward(tls=server_side) as server:
        trusted = ssl.create_default_context(cafile=made.file)
        link = Forward("127.0.0.1", server.port, tls=trusted)
        link.send("tag", EVENTS)
        link.close()
        with pytest.raises(ForwardError, match=r"(?i)certificate"):
            Forward("127.0.0.1", server.port, tls=ssl.create_default_context()).check()
    assert len(server.events) == 2


def test_times_beyond_what_fluentd_can_say_are_its_limits() -> None:
    assert event_time(-1).data == b"\0" * 8
    assert event_time(10**30).data[:4] == b"\xff" * 4
    year = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)
    assert int.from_bytes(event_time(int(year.timestamp()) * 10**9).data[:4], "big") == int(year.timestamp())
