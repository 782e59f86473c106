# SPDX-License-Identifier: Apache-2.0
"""The real program as rsyslog runs it: over pipes, killed, held back, fed with what it can't take."""

import base64
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, run
from tests.normalizers.samples import line, text
from tests.store.stand_in import answer, created, reset, standing_in
from ttyscribe_normalizers.pipeline import MAX_LINE
from ttyscribe_store.base import Query
from ttyscribe_store.open import open_store

OK = b"OK\n"
OMPROG = ("--protocol", "omprog", "--output")


def message(number: int) -> bytes:
    """One line of a recording."""
    return line(text(id=number, pos=number), id=f"stamp-{number}")


def stored_ids(folder: Path) -> list[int]:
    """Ids of the recording's messages in the store on SQLite."""
    store = open_store(f"sqlite:{folder}")
    try:
        return [found.tlog["id"] for found in store.messages("4113-13dda")]
    finally:
        store.close()


def dead_letters(path: Path) -> list[Any]:
    """What the dead letter holds."""
    return [json.loads(entry) for entry in path.read_bytes().splitlines()] if path.exists() else []


def test_a_confirmed_line_survives_a_sigkill_at_once(tmp_path: Path) -> None:
    for number in range(1, 6):
        with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
            assert program.answer() == OK
            assert program.ask(message(number)) == OK
            program.kill()
        assert stored_ids(tmp_path / "store") == list(range(1, number + 1))


def test_a_line_that_is_sent_again_is_stored_once(tmp_path: Path) -> None:
    for _ in range(2):
        with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
            assert program.answer() == OK
            for number in (1, 2, 2, 1):
                assert program.ask(message(number)) == OK
            assert program.ask(line("plain", id="a")) == OK
            program.kill()
    store = open_store(f"sqlite:{tmp_path}/store")
    assert store.count() == 3
    store.close()


def test_a_poison_line_is_dead_and_the_next_one_is_stored(tmp_path: Path) -> None:
    poison = [b"no envelope \xff", line("x", v=7), line("y" * (256 * 1024 + 1)), b"\x00" * 100]
    found: list[Any] = []
    with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
        assert program.answer() == OK
        for number, bad in enumerate(poison, 1):
            assert program.ask(bad) == OK
            assert program.ask(message(number)) == OK
            found = dead_letters(tmp_path / "store" / "dead-letter.ndjson")
            assert [base64.b64decode(entry["raw"]) for entry in found] == poison[:number]
            assert stored_ids(tmp_path / "store") == list(range(1, number + 1))
        assert program.finish() == 0
        assert "8 lines: 4 stored, 3 unparsable, 1 too-long" in program.said()
    assert [entry["status"] for entry in found] == ["unparsable", "unparsable", "too-long", "unparsable"]
    assert os.stat(tmp_path / "store" / "dead-letter.ndjson").st_mode & 0o137 == 0


def test_a_line_beyond_the_limit_is_dead_and_takes_no_memory(tmp_path: Path) -> None:
    with Running(tmp_path, *OMPROG, "memory:") as program:
        assert program.answer() == OK
        before = program.peak_megabytes()
        for _ in range(60):
            program.send_raw(b"x" * (1 << 20))
        assert program.ask(b"") == OK
        assert program.peak_megabytes() < before + 40
        assert program.ask(message(1)) == OK
        assert program.finish() == 0
    (entry,) = dead_letters(tmp_path / "dead-letter.ndjson")
    assert entry["status"] == "too-long"
    assert str(60 << 20) in entry["reason"]
    assert base64.b64decode(entry["raw"]) == b"x" * MAX_LINE


def test_an_outage_holds_the_line_and_costs_no_cpu(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        assert program.answer() == OK
        assert program.ask(message(1)) == OK
        engine.always = answer(503, {"error": "no"})
        program.send(message(2))
        program.wait_dots(1)
        before, start = program.cpu_seconds(), time.monotonic()
        program.wait_dots(3)
        share = (program.cpu_seconds() - before) / (time.monotonic() - start)
        assert share < 0.05
        assert program.said().count("holding rsyslog back") == 1
        engine.always = None
        assert program.answer().lstrip(b".") == OK
        assert program.ask(message(3)) == OK
        assert program.finish() == 0
        assert "3 lines: 3 stored" in program.said()
        assert len([bulk for bulk in engine.bulks if b'"id":3' in bulk]) == 1
    assert not dead_letters(tmp_path / "dead-letter.ndjson")


@pytest.mark.parametrize("trouble", [answer(429), answer(401), answer(403), answer(500, b"<html>"), reset])
def test_an_outage_of_any_sort_is_none_of_the_lines_fault(tmp_path: Path, trouble: Any) -> None:
    with standing_in(trouble, trouble, trouble) as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        assert program.answer() == OK
        assert program.ask(message(1)) == OK
        assert program.finish() == 0
        assert "1 line: 1 stored" in program.said()
    assert not dead_letters(tmp_path / "dead-letter.ndjson")


def test_a_forgotten_setup_holds_the_line_and_says_what_to_do(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        engine.installed = False
        assert program.answer() == OK
        program.send(message(1))
        program.wait_said(f"run `ttyscribe setup --store {engine.url}`")
        assert not engine.bulks
        engine.installed = True
        assert program.answer().lstrip(b".") == OK
        assert len(engine.bulks) == 1
        assert program.finish() == 0
    assert not dead_letters(tmp_path / "dead-letter.ndjson")


def test_a_document_that_the_store_refuses_for_itself_is_dead_with_the_document(tmp_path: Path) -> None:
    error = {"type": "mapper_parsing_exception", "reason": "a bad field"}
    refused = answer(200, {"errors": True, "items": [{"create": {"status": 400, "error": error}}]})
    with standing_in(refused, created) as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        assert program.answer() == OK
        assert program.ask(message(1)) == OK
        assert program.ask(message(2)) == OK
        assert program.finish() == 0
    (entry,) = dead_letters(tmp_path / "dead-letter.ndjson")
    assert entry["status"] == "rejected"
    assert "a bad field" in entry["reason"]
    assert base64.b64decode(entry["raw"]) == message(1)
    assert entry["document"]["tlog"]["id"] == 1
    assert entry["received"] == entry["document"]["ttyscribe"]["received"]


def test_a_full_disk_under_the_dead_letter_holds_the_line_back(tmp_path: Path) -> None:
    with Running(tmp_path, *OMPROG, "memory:", file_limit=1000) as program:
        assert program.answer() == OK
        assert program.ask(b"first") == OK
        program.send(b"second " + b"x" * 1000)
        program.wait_said("the dead letter")
        assert len(dead_letters(tmp_path / "dead-letter.ndjson")) == 1
        program.lift_limit()
        assert program.answer().lstrip(b".") == OK
        assert program.ask(b"third") == OK
        assert program.finish() == 0
    found = [base64.b64decode(entry["raw"])[:6] for entry in dead_letters(tmp_path / "dead-letter.ndjson")]
    assert found == [b"first", b"second", b"third"]


def test_sigterm_and_the_end_of_the_input_end_it_after_the_last_line(tmp_path: Path) -> None:
    with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
        assert program.answer() == OK
        program.send(message(1), message(2))
        program.signal(signal.SIGTERM)
        program.send(message(3))
        assert [program.answer() for _ in range(3)] == [OK] * 3
        assert program.finish() == 0
    assert stored_ids(tmp_path / "store") == [1, 2, 3]


def test_sigterm_in_an_outage_leaves_the_line_with_rsyslog(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        assert program.answer() == OK
        engine.always = answer(503)
        program.send(message(1))
        program.wait_said("holding rsyslog back")
        program.signal(signal.SIGTERM)
        assert program.finish() == 0
        assert program.answer().strip(b".") == b""


def test_a_transaction_is_stored_at_its_commit(tmp_path: Path) -> None:
    """OMP-17: before it nothing is done, so that as little time as can be passes in which a death loses lines."""
    with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
        assert program.answer() == OK
        assert program.ask(b"BEGIN TRANSACTION") == OK
        for number in range(1, 6):
            assert program.ask(message(number)) == b"DEFER_COMMIT\n"
        assert stored_ids(tmp_path / "store") == []
        assert program.ask(b"COMMIT TRANSACTION") == OK
        assert stored_ids(tmp_path / "store") == [1, 2, 3, 4, 5]
        assert program.ask(message(6)) == OK
        assert program.finish() == 0
        assert "6 lines: 6 stored" in program.said()


def test_a_transaction_larger_than_memory_allows_is_ended_early(tmp_path: Path) -> None:
    large = line("x" * (200 << 10), id="large")
    with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
        assert program.answer() == OK
        assert program.ask(b"BEGIN TRANSACTION") == OK
        answers = [program.ask(large) for _ in range(41)]
        assert answers == [b"DEFER_COMMIT\n"] * 40 + [OK]
        assert program.finish() == 0


def test_an_outage_at_commit_holds_it_and_nothing_is_stored_twice(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *OMPROG, engine.url) as program:
        assert program.answer() == OK
        assert program.ask(message(1)) == OK
        engine.script += [answer(503), reset, answer(429)]
        assert program.ask(b"BEGIN TRANSACTION") == OK
        assert [program.ask(message(number)) for number in (2, 3)] == [b"DEFER_COMMIT\n"] * 2
        assert program.ask(b"COMMIT TRANSACTION") == OK
        assert program.finish() == 0
        assert "3 lines: 3 stored" in program.said()


def test_what_a_program_of_rsyslogs_can_find_is_found(tmp_path: Path) -> None:
    with Running(tmp_path, *OMPROG, f"sqlite:{tmp_path}/store") as program:
        assert program.answer() == OK
        assert program.ask(line("first#011second")) == OK
        assert program.finish() == 0
    store = open_store(f"sqlite:{tmp_path}/store")
    assert [hit.message for hit in store.search(Query([["second"]]))] == ["first#011second"]
    store.close()


WRONG = {
    "no store": ("--output", "ftp://x"),
    "a folder that is a file": ("--output", "sqlite:said/x"),
    "standard output": ("--output", "-"),
    "a uid that is none": ("--output", "memory:", "--trusted-uid", "root"),
    "a dead letter nowhere": ("--output", "memory:", "--dead-letter", "none/such"),
    "a dead letter that is a folder": ("--output", "memory:", "--dead-letter", "."),
    "a log file nowhere": ("--output", "memory:", "--log-file", "none/such"),
    "an unknown option": ("--output", "memory:", "--nonsense"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_a_wrong_configuration_ends_it_with_two_and_one_clear_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """It says OK all the same, because old rsyslogds crash where a program ends without a word (OMP-1)."""
    (tmp_path / "said").touch()
    done = run(tmp_path, message(1) + b"\n", "--protocol", "omprog", *arguments, status=2)
    assert done.stdout == OK
    said = done.stderr.decode().strip().splitlines()
    assert said[-1].startswith("ttyscribe-normalize: ")
    assert "Traceback" not in done.stderr.decode()
    assert len(said) == 1 or said[0].startswith("usage:")
