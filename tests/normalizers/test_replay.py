# SPDX-License-Identifier: Apache-2.0
"""`--replay`: once the cause is mended, what a dead letter holds is stored, once; what still fails stays."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, run, wait_for
from tests.normalizers.samples import line, text
from tests.store.stand_in import answer, slow, standing_in
from ttyscribe_store.open import open_store


def entry(raw: bytes, status: str = "rejected", **more: Any) -> bytes:
    """One line of a dead letter."""
    fields = {"v": 1, "time": "2026-11-24T12:00:00.000000+00:00", "received": "2026-11-24T12:00:00.000000+00:00"}
    fields |= {"status": status, "reason": "because", "raw": base64.b64encode(raw).decode(), "document": None, **more}
    return json.dumps(fields).encode() + b"\n"


def held(path: Path) -> list[tuple[str, bytes]]:
    """Status and raw line of each entry."""
    found = [json.loads(row) for row in path.read_bytes().splitlines()] if path.exists() else []
    return [(one["status"], base64.b64decode(one["raw"])) for one in found]


def replay(folder: Path, status: int, output: str = "") -> str:
    """Replay the folder's dead letter; what the program said."""
    output = output or f"sqlite:{folder}/store"
    return run(folder, b"", "--replay", "dead", "--output", output, status=status).stderr.decode()


def count(folder: Path) -> int:
    """Documents in the store."""
    store = open_store(f"sqlite:{folder}/store")
    try:
        return store.count()
    finally:
        store.close()


def test_what_can_be_stored_now_is_stored_and_the_rest_stays(tmp_path: Path) -> None:
    letter = tmp_path / "dead"
    good = [line(text(id=number), id=f"s{number}") for number in range(1, 1501)]
    bad = [b"no envelope", line("y" * (300 << 10)), b"z" * (2 << 20)]
    letter.write_bytes(
        b"".join(map(entry, good[:700])) + b"".join(map(entry, bad)) + b"rubbish\n\n" + b"".join(map(entry, good[700:]))
    )
    said = replay(tmp_path, 1)
    assert "1500 stored" in said
    assert "4 of 1504 failed again: see dead" in said
    assert count(tmp_path) == 1500
    assert held(letter) == [
        ("unparsable", bad[0]),
        ("too-long", bad[1]),
        ("too-long", bad[2]),
        ("unparsable", b"rubbish"),
    ]
    assert sorted(os.listdir(tmp_path)) == ["dead", "store"]
    assert "4 of 4 failed again" in replay(tmp_path, 1)
    assert len(held(letter)) == 4


def test_a_letter_that_is_done_is_gone(tmp_path: Path) -> None:
    (tmp_path / "dead").write_bytes(entry(line("hello", id="a")) + entry(line("hello", id="b")))
    assert "2 lines: 2 stored" in replay(tmp_path, 0)
    assert sorted(os.listdir(tmp_path)) == ["store"]


def test_times_decide_the_place_as_they_did_at_first(tmp_path: Path) -> None:
    """The window is around the receipt that was stamped, not around the replay."""
    old = line("old", id="a", received="2020-01-02T00:00:00.000000+00:00", time="2020-01-02T00:00:00.000000+00:00")
    (tmp_path / "dead").write_bytes(entry(old))
    replay(tmp_path, 0)
    assert (tmp_path / "store" / "2020.01.sqlite").exists()


def test_an_outage_loses_nothing_and_the_next_replay_goes_on(tmp_path: Path) -> None:
    letter = tmp_path / "dead"
    letter.write_bytes(b"".join(entry(line("x", id=f"s{number}")) for number in range(10)) + entry(b"bad"))
    with standing_in(answer(503)) as engine:
        assert "give the same command again" in replay(tmp_path, 1, engine.url)
    assert not letter.exists()
    letter.write_bytes(entry(line("new", id="new")))  # a running program goes on with a new one
    said = replay(tmp_path, 1)
    assert "10 stored" in said
    assert count(tmp_path) == 10
    assert held(letter) == [("rejected", line("new", id="new")), ("unparsable", b"bad")]


def test_two_replays_at_once_are_one(tmp_path: Path) -> None:
    letter = tmp_path / "dead"
    letter.write_bytes(entry(line("x", id="a")))
    (tmp_path / "dead.replaying").write_bytes(entry(line("y", id="b")))
    with standing_in(slow(5)) as engine, Running(tmp_path, "--replay", "dead", "--output", engine.url) as first:
        wait_for(lambda: engine.seen, "the first replay asks its store")
        assert "another replay of it is at work" in replay(tmp_path, 2)
        assert first.process.poll() is None
    assert letter.exists()


def test_another_kind_of_file_is_left_alone(tmp_path: Path) -> None:
    """A mistyped name must not turn somebody's recording into a dead letter."""
    letter = tmp_path / "session.log"
    letter.write_bytes(text().encode() + b"\n")
    done = run(tmp_path, b"", "--replay", str(letter), "--output", "sqlite:store", status=2)
    assert b"is no dead letter" in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("session")] == ["session.log"]
    assert letter.read_bytes() == text().encode() + b"\n"


def test_no_such_letter(tmp_path: Path) -> None:
    assert "there is no such dead letter" in replay(tmp_path, 2)


@pytest.mark.parametrize("more", [("--protocol", "ndjson"), ("--spool", "x")])
def test_a_replay_reads_its_file_alone(tmp_path: Path, more: tuple[str, ...]) -> None:
    done = run(tmp_path, b"", "--replay", "dead", "--output", "sqlite:x", *more, status=2)
    assert b"leave --protocol and --spool out" in done.stderr


def test_kinds_are_listed_in_the_order_in_which_they_are_asked(tmp_path: Path) -> None:
    rows = run(tmp_path, b"", "--list-kinds").stdout.decode().splitlines()
    names = [row.split()[0] for row in rows]
    assert names[0] == "tlog"
    assert names[-1] == "syslog"
    assert all(len(row.split()) > 3 for row in rows)
