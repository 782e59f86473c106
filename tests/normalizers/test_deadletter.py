# SPDX-License-Identifier: Apache-2.0
"""The dead letter: nothing in it is lost, torn or deleted, whoever else writes to it."""

import base64
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers.deadletter import DeadLetter, Entry, encode
from ttyscribe_normalizers.pipeline import Dead

NOW = "2026-11-24T12:00:00.000000+00:00"
REASON = Dead("unparsable", "because")


def entry(number: int, size: int = 10) -> Entry:
    """One of many."""
    return Entry(f"{number} ".encode().ljust(size, b"x"), REASON)


def held(path: Path) -> list[Any]:
    """The entries of a file; every line must be whole."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def numbers(path: Path) -> list[int]:
    """Which entries a file holds."""
    return [int(base64.b64decode(found["raw"]).split()[0]) for found in held(path)]


def test_an_entry_holds_all_that_a_replay_needs(tmp_path: Path) -> None:
    document = cast("Document", {"viaq_msg_id": "a", "n": 2**70})
    line = b"\xff\x00raw"
    letter = DeadLetter(tmp_path / "dead")
    letter.append([Entry(line, Dead("rejected", "400", "2026-01-01T00:00:00.000000+00:00"), document)], NOW)
    letter.append([entry(1)], NOW)
    letter.close()
    first, second = held(tmp_path / "dead")
    assert first == {
        "v": 1,
        "time": NOW,
        "received": "2026-01-01T00:00:00.000000+00:00",
        "status": "rejected",
        "reason": "400",
        "raw": base64.b64encode(line).decode(),
        "document": {"viaq_msg_id": "a", "n": 2**70},
    }
    assert second["received"] == NOW
    assert second["document"] is None


def test_a_document_that_is_no_json_costs_no_entry() -> None:
    made = json.loads(encode(Entry(b"x", REASON, cast("Document", {"a": object()})), NOW))
    assert made["document"] is None
    assert made["raw"] == "eA=="


def test_others_may_not_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        DeadLetter(tmp_path / "dead").append([entry(1)], NOW)
    finally:
        os.umask(before)
    assert (tmp_path / "dead").stat().st_mode & 0o777 == 0o640


def test_half_a_line_of_a_killed_process_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    path.write_bytes(b'{"v":1,"ti')
    DeadLetter(path).append([entry(1)], NOW)
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"v":1,"ti'
    assert json.loads(whole)["raw"]


def test_a_file_that_would_grow_too_large_is_put_aside_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    letter = DeadLetter(path, max_size=1000)
    (tmp_path / "dead.7").write_bytes(b"{}\n")
    (tmp_path / "dead.old").write_bytes(b"{}\n")
    for number in range(30):
        letter.append([entry(number)], NOW)
    aside = sorted(tmp_path.glob("dead.[0-9]*"), key=lambda found: int(found.suffix[1:]))[1:]
    assert [int(found.suffix[1:]) for found in aside] == list(range(8, 8 + len(aside)))
    assert len(aside) > 3
    assert [number for found in [*aside, path] for number in numbers(found)] == list(range(30))
    assert all(found.stat().st_size <= 1000 for found in aside)
    assert (tmp_path / "dead.7").read_bytes() == b"{}\n"


def test_one_entry_larger_than_the_limit_is_written_all_the_same(tmp_path: Path) -> None:
    letter = DeadLetter(tmp_path / "dead", max_size=100)
    letter.append([entry(1, 5000)], NOW)
    letter.append([entry(2, 5000)], NOW)
    assert numbers(tmp_path / "dead.1") == [1]
    assert numbers(tmp_path / "dead") == [2]


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    letter = DeadLetter(path)
    letter.append([entry(1)], NOW)
    path.rename(tmp_path / "moved")
    letter.append([entry(2)], NOW)
    assert numbers(path) == [2]
    path.unlink()
    letter.append([entry(3)], NOW)
    assert numbers(path) == [3]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    letter = DeadLetter(path)
    letter.append([entry(1)], NOW)
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, before[1]))
    try:
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                letter.append([entry(2, 500)], NOW)
            assert path.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    letter.append([entry(2, 500)], NOW)
    assert numbers(path) == [1, 2]


WRITER = """
import sys
from pathlib import Path
from tests.normalizers.test_deadletter import NOW, entry
from ttyscribe_normalizers.deadletter import DeadLetter
letter = DeadLetter(Path(sys.argv[1]), max_size=5000)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 50):
    letter.append([entry(number, 300)], NOW)
"""


def test_processes_that_share_a_file_tear_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "dead"
    root = Path(__file__).resolve().parents[2]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], cwd=root) for first in (0, 50, 100)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = [number for file in tmp_path.iterdir() for number in numbers(file)]
    assert sorted(found) == list(range(150))
    assert len(list(tmp_path.iterdir())) > 3


def test_a_place_that_can_never_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "dead", Path("/dev/null")):
        with pytest.raises(ConfigError, match="--dead-letter"):
            DeadLetter(place).check()
    DeadLetter(tmp_path / "dead").check()
    assert not (tmp_path / "dead").exists()
