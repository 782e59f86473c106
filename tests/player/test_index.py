# SPDX-License-Identifier: Apache-2.0
"""Recordings in an index, as tlog's users have them, played: against an engine of our own, and against real ones."""

import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.engines.fixtures import Engine, call
from tests.player.engine import Handler, running
from tests.player.logs import play
from tests.store.samples import make_recording, message
from ttyscribe_formats.tlog import to_fields


def documents(count: int, *, nested: bool = False, rec: str = "rec-1") -> list[dict[str, Any]]:
    """A recording of so many messages."""
    made = [to_fields(message(number, f"{number},", rec=rec)) for number in range(1, count + 1)]
    return [{"tlog": fields} for fields in made] if nested else made


def played(count: int) -> bytes:
    """What it prints."""
    return "".join(f"{number}," for number in range(1, count + 1)).encode()


def ask(place: str, *more: str, query: str = "x", **options: Any) -> Any:
    """Play what an engine holds."""
    return play("-r", "es", "--es-baseurl", f"http://{place}/tlog/_search", "--es-query", query, *more, **options)


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_it_is_played_page_by_page(nested: bool) -> None:
    with running(documents(2500, nested=nested)) as server:
        done = ask(server.place, query="rec:a")
        assert done.stdout == played(2500)
        assert (done.returncode, done.stderr) == (0, b"")
        assert {one["query"]["bool"]["must"][0]["query_string"]["query"] for one in server.asked} == {"rec:a"}
        assert max(one["size"] for one in server.asked) <= 1000
        assert not any("from" in one for one in server.asked)


def test_more_than_a_page_of_messages_with_one_id() -> None:
    """Each recording has a message 1; 1,500 recordings and none is lost, listed one by one."""
    held = [to_fields(message(1, "x", rec=f"rec-{number}")) for number in range(1500)]
    with running(held) as server:
        listed = ask(server.place, "--list")
        assert (listed.returncode, len(listed.stdout.splitlines())) == (0, 1500)
        assert ask(server.place, "-m", "rec-1499").stdout == b"x"
        refused = ask(server.place)
        assert refused.returncode == 2
        assert b"the index holds 1500 recordings, choose one with --match" in refused.stderr


def test_a_query_that_matches_too_much_is_told() -> None:
    with running([to_fields(message(1, "x", rec=f"rec-{number}")) for number in range(10_001)]) as server:
        done = ask(server.place)
        assert done.returncode == 2
        assert b"matches more than 10000 recordings: let it name fewer" in done.stderr


def test_what_shippers_make_of_numbers() -> None:
    """tlog-play takes neither a whole `time` nor an id with a point."""
    held = documents(3)
    for fields in held:
        fields |= {"id": float(fields["id"]), "pos": float(fields["pos"]), "session": 3.0, "time": int(fields["time"])}
    with running(held) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout, done.stderr) == (0, played(3), b"")


def test_documents_in_any_form_beside_each_other_and_some_that_are_none() -> None:
    held = documents(2)[:1] + documents(2, nested=True)[1:]
    with running([*held, {"id": 3, "text": "no message"}, {"message": "a log line"}]) as server:
        done = ask(server.place)
        assert done.stdout == played(2)
        assert b"document '2' is no message of a recording" in done.stderr
        assert b"1 documents that match are no messages of a recording" in done.stderr


def test_a_gap_is_told_and_what_stands_behind_it_is_played() -> None:
    """tlog-play ends at a gap, silently and with status 0, --lax or not."""
    held = documents(5)
    del held[2]
    with running(held) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout) == (1, b"1,2,4,5,")
        assert b"message 3 is missing" in done.stderr


def test_who_sent_a_message_is_known_where_our_own_documents_say_it() -> None:
    held: list[dict[str, Any]] = documents(3, nested=True)
    for document in held:
        document["ttyscribe"] = {"trust": "system", "sender_pid": 7}
    forged = {"tlog": to_fields(message(2, "forged")), "ttyscribe": {"trust": "user", "sender_pid": 66}}
    with running([*held, forged]) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout) == (0, played(3))
        assert b"2 messages claim to be message 2: the most trusted one is played" in done.stderr
        assert ask(server.place, "--sender=66").stdout == b"forged"


def test_nothing_found_is_told() -> None:
    """tlog-play ends with status 0 and without a word."""
    with running([]) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"the index holds no message of a recording that fits" in done.stderr


BAD_DAYS = {
    "no JSON": (200, b"<html>proxy error</html>"),
    "no object": (200, []),
    "no hits": (200, {"took": 1}),
    "hits are no list": (200, {"hits": {"hits": {"a": 1}}}),
    "hits are no objects": (200, {"hits": {"hits": [1]}}),
    "ids are no numbers": (200, {"hits": {"hits": [{"_id": "x", "sort": ["a"], "_source": {}}] * 1000}}),
    "an id is infinite": (200, b'{"hits":{"hits":[{"_id":"x","sort":[1e999],"_source":{}}]}}'),
    "an id is nothing": (200, b'{"hits":{"hits":[{"_id":"x","sort":[NaN],"_source":{}}]}}'),
    "a part is missing": (200, {"_shards": {"failed": 1}, "hits": {"hits": []}}),
    "timed out": (200, {"timed_out": True, "hits": {"hits": []}}),
    "busy": (429, {"error": {"root_cause": [{"reason": "too many requests"}]}}),
    "an error in words": (500, {"error": "it hurts\x1b[31m"}),
    "no index": (404, {"error": {"root_cause": [], "reason": "no such index [tlog]"}}),
    "deep": (200, b"[" * 100_000),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_is_one_line_and_status_1(day: str) -> None:
    status, body = BAD_DAYS[day]

    def rule(handler: Handler) -> bool:
        handler.answer(status, body)
        return True

    with running([], rule) as server:
        done = ask(server.place)
        assert (done.returncode, done.stdout) == (1, b"")
        assert len(done.stderr.splitlines()) == 1
        assert b"\x1b" not in done.stderr


def test_an_answer_that_breaks_off_and_one_that_never_comes() -> None:
    def broken(handler: Handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"{")
        handler.close_connection = True
        return True

    with running([], broken) as server:
        done = ask(server.place)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    with running([]) as server:
        server.shutdown()  # it is connected to, and nobody answers
        done = ask(server.place, env={"TTYSCRIBE_ES_TIMEOUT": "0.5"})
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert b"timed out" in done.stderr


def put(engine: Engine, index: str, held: Iterable[dict[str, Any]]) -> None:
    """Store documents with no mapping but the engine's own guess, as a simple shipper does."""
    lines = "".join(f'{{"index":{{}}}}\n{json.dumps(document)}\n' for document in held)
    request = urllib.request.Request(
        f"{engine.url}/{index}/_bulk?refresh=true", lines.encode(), {"Content-Type": "application/x-ndjson"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert not json.load(answer)["errors"]


@pytest.mark.engine
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_real_engines(engine: Engine, engine_prefix: str, nested: bool) -> None:
    """More messages than a page, in an index that gives at most 1,000 hits to `from`; others in it; both stop tlog."""
    index = f"{engine_prefix}-tlog"
    call(engine, "PUT", f"/{index}", {"settings": {"index.max_result_window": 1000}})
    put(engine, index, [*documents(2500, nested=nested), *documents(3, nested=nested, rec="other"), {"message": "log"}])
    place = engine.url.removeprefix("http://")
    field = "tlog.rec" if nested else "rec"
    arguments = ["-r", "es", "--es-baseurl", f"http://{place}/{index}/_search", "--es-query"]
    done = play(*arguments, f'{field}:"rec-1"')
    assert (done.stdout, done.returncode, done.stderr) == (played(2500), 0, b"")
    assert play(*arguments, f'{field}:"other"').stdout == played(3)
    listed = play(*arguments, "*", "--list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [b"rec-1", b"other"]
    assert b"1 documents that match are no messages" in listed.stderr
    refused = play(*arguments, "(")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    absent = play("-r", "es", "--es-baseurl", f"http://{place}/{index}-none/_search", "--es-query", "*")
    assert (absent.returncode, len(absent.stderr.splitlines())) == (1, 1)


@pytest.mark.engine
def test_our_own_index_on_real_engines(engine_url: str, tmp_path: Path) -> None:
    """What our normalizer stored is nested, and its senders are known."""
    from tests.cli.command import fill, fill_store

    fill_store(engine_url)
    base, _, prefix = engine_url.rpartition("/")
    arguments = ["-r", "es", "--es-baseurl", f"{base}/{prefix}-ttyscribe-tlog/_search"]
    here = play("--store", fill(tmp_path / "store"), "alpha")
    there = play(*arguments, "--es-query", 'tlog.rec:"alpha"')
    assert here.stdout
    assert (there.stdout, there.returncode) == (here.stdout, here.returncode)


def test_the_recordings_of_the_samples_are_what_they_seem() -> None:
    assert [fields["id"] for fields in documents(2)] == [1, 2]
    assert len(make_recording("r", [b"x"])) == 1
