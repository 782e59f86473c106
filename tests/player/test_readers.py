# SPDX-License-Identifier: Apache-2.0
"""The journal and an index of tlog's users, played; against programs that answer as the real ones do."""

import contextlib
import json
import os
import re
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.player.logs import play
from tests.store.samples import make_recording, message
from ttyscribe_formats.tlog import encode, to_fields

OUTPUTS = [b"one ", b"\xfftwo ", b"three"]


def journal(folder: Path, entries: list[Any]) -> dict[str, str]:
    """A journalctl that prints these entries and remembers what it was asked; the environment that finds it."""
    program = folder / "bin" / "journalctl"
    program.parent.mkdir()
    (folder / "entries").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder}/asked\ncat {folder}/entries\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def test_messages_of_the_journal_are_played_in_their_order(tmp_path: Path) -> None:
    first, second, third = (encode(item).decode() for item in make_recording("rec", OUTPUTS))
    entries = [{"MESSAGE": second}, {"MESSAGE": list(first.encode())}, {"MESSAGE": third}]
    done = play(
        *("-r", "journal", "-S", "1700000000", "-U", "1700009999", "-N", "rec", "-M", "A=b", "-M", "OR", "-M", "C=d"),
        env=journal(tmp_path, entries),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"".join(OUTPUTS), b"")
    asked = (tmp_path / "asked").read_text().split("\n")
    assert asked[-5:] == ["--", "A=b", "+", "C=d", ""]
    assert {"--since=@1700000000", "--until=@1700009999", "--namespace=rec", "--output=json"} <= set(asked)


def test_an_entry_that_is_no_message_is_told(tmp_path: Path) -> None:
    good = encode(message(1, "good")).decode()
    done = play(
        "-r", "journal", env=journal(tmp_path, [{"MESSAGE": None}, {"MESSAGE": good}, {}, [], {"MESSAGE": [999]}])
    )
    assert (done.returncode, done.stdout) == (1, b"good")
    assert len(done.stderr.splitlines()) == 4


def test_several_recordings_in_the_journal_are_listed(tmp_path: Path) -> None:
    entries = [{"MESSAGE": encode(message(1, name, rec=name)).decode()} for name in ("aaa", "bbb")]
    env = journal(tmp_path, entries)
    assert b"the journal holds 2 recordings, choose one" in play("-r", "journal", env=env).stderr
    assert play("-r", "journal", "-m", "bbb", env=env).stdout == b"bbb"
    assert [line.split()[0] for line in play("-r", "journal", "--list", env=env).stdout.splitlines()] == [
        b"aaa",
        b"bbb",
    ]


def test_without_journalctl_it_is_told() -> None:
    done = play("-r", "journal", env={"PATH": "/nonexistent"})
    assert done.returncode == 2
    assert b"journalctl: No such file" in done.stderr


class Engine(ThreadingHTTPServer):
    """Answers a `_search` as an engine does: sorted by id, at most `size` hits, with `id:>=N` in the query."""

    documents: list[dict[str, Any]]
    nested: bool
    asked: list[str]
    authorization: str | None


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.server.asked.append(asked["q"][0])
        self.server.authorization = self.headers["Authorization"]
        field = "tlog.id" if self.server.nested else "id"
        if asked["sort"] != [f"{field}:asc"]:
            self.send_error(400, "No mapping found")
            return
        least = re.search(rf"{re.escape(field)}:>=(\d+)", asked["q"][0])
        found = [item for item in self.server.documents if item["id"] >= (int(least[1]) if least else -1)]
        found.sort(key=lambda item: item["id"])
        hits = [
            {"_index": "i", "_id": str(item["id"]), "_source": {"tlog": item} if self.server.nested else item}
            for item in found[: int(asked["size"][0])]
        ]
        body = json.dumps({"hits": {"hits": hits}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def engine(count: int, *, nested: bool) -> Iterator[tuple[Engine, str]]:
    """One with a recording of so many messages, and the address of its search."""
    server = Engine(("127.0.0.1", 0), Handler)
    server.documents = [to_fields(message(number, f"{number},")) for number in range(1, count + 1)]
    server.nested, server.asked, server.authorization = nested, [], None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"127.0.0.1:{server.server_address[1]}/tlog/_search"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_an_index_is_played_page_by_page(nested: bool) -> None:
    with engine(2500, nested=nested) as (server, address):
        done = play("-r", "es", "--es-baseurl", f"http://{address}", "--es-query", "rec:a")
        assert done.stdout == "".join(f"{number}," for number in range(1, 2501)).encode()
        assert (done.returncode, done.stderr) == (0, b"")
        assert server.asked[0] == "rec:a"
        assert server.asked[-1].startswith("(rec:a) AND ")


def test_who_asks_is_told_to_the_engine_and_not_shown() -> None:
    with engine(1, nested=False) as (server, address):
        done = play("-r", "es", "--es-baseurl", f"http://ada:s%40crt@{address}", "--es-query", "x", "--es-verbose")
        assert done.stdout == b"1,"
        assert server.authorization == "Basic YWRhOnNAY3J0"
        assert b"asking http://127.0.0.1" in done.stderr
        assert b"crt" not in done.stderr
        play("-r", "es", "--es-baseurl", f"http://{address}", "--es-query", "x", env={"TLOG_CURL_USERPWD": "ada:x"})
        assert server.authorization == "Basic YWRhOng="


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-r", "es"], 2),
        (["-r", "es", "--es-baseurl", "http://127.0.0.1:9/_search", "--es-query", "x"], 1),
        (["-r", "es", "--es-baseurl", "http://127.0.0.1:9/?a", "--es-query", "x"], 2),
        (["-r", "es", "--es-baseurl", "nonsense", "--es-query", "x"], 1),
        (["-r", "journal", "a-file"], 2),
        (["-r", "journal", "-M", "nonsense"], 2),
        (["-r", "journal", "-M", "A=b", "-M", "OR", "-M", "B=c", "-M", "AND", "-M", "C=d"], 2),
    ],
)
def test_wrong_use_and_outages_are_one_line(arguments: list[str], status: int, tmp_path: Path) -> None:
    done = play(*arguments, env=journal(tmp_path, []))
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1
    assert b"Traceback" not in done.stderr


def test_the_file_may_be_named_by_tlogs_option(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(encode(message(1, "here")) + b"\n")
    assert play("--lax", "--reader=file", "-i", str(log)).stdout == b"here"
    assert play("--list", log).stdout.startswith(b"rec-1 ada@web7.example.com, 1 message\n")
