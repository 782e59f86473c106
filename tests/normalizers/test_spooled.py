# SPDX-License-Identifier: Apache-2.0
"""The real program with a spool, as rsyslog runs it: killed, held back, filled up, followed by another."""

import base64
import json
import os
import signal
import time
from pathlib import Path

import pytest

from tests.normalizers.process import Running, run, wait_for
from tests.normalizers.samples import line, text
from tests.store.stand_in import answer, standing_in
from ttyscribe_normalizers.spool.folder import Folder
from ttyscribe_normalizers.spool.root import Root
from ttyscribe_store.open import open_store

OK = b"OK\n"
DOWN = [answer(503)] * 10_000
DEFERRED = b"DEFER_COMMIT\n"


def message(number: int) -> bytes:
    """One line of a recording."""
    return line(text(id=number, pos=number), id=f"stamp-{number}")


def arguments(folder: Path, output: str = "") -> tuple[str, ...]:
    """The program's arguments: store, spool and dead letter beside each other."""
    return (
        *("--protocol", "omprog", "--output", output or f"sqlite:{folder}/store"),
        *("--spool", str(folder / "spool"), "--dead-letter", str(folder / "dead")),
    )


def stored_ids(folder: Path) -> list[int]:
    """Ids of the recording's messages in the store on SQLite."""
    store = open_store(f"sqlite:{folder}/store")
    try:
        return [found.tlog["id"] for found in store.messages("4113-13dda")]
    finally:
        store.close()


def folders(folder: Path) -> list[str]:
    """What stands in the spool."""
    return os.listdir(folder / "spool") if (folder / "spool").exists() else []


def ask_all(program: Running, first: int, last: int) -> None:
    """Send messages and take their confirmations."""
    for number in range(first, last + 1):
        assert program.ask(message(number)) == OK


def test_lines_are_delivered_behind_their_confirmation_and_the_spool_goes(tmp_path: Path) -> None:
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        ask_all(program, 1, 300)
        wait_for(lambda: len(stored_ids(tmp_path)) == 300, "300 messages stored while the source is silent")
        ask_all(program, 301, 310)
        assert program.finish() == 0
        assert "310 lines: 310 stored" in program.said()
    assert stored_ids(tmp_path) == list(range(1, 311))
    assert folders(tmp_path) == []


def test_a_program_that_gets_no_line_leaves_nothing(tmp_path: Path) -> None:
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        assert program.finish() == 0
    assert folders(tmp_path) == []


def test_what_a_killed_program_had_confirmed_is_delivered_by_the_next(tmp_path: Path) -> None:
    """The first one has no store that answers, so that all of it waits in the spool."""
    with standing_in(*DOWN) as dumb, Running(tmp_path, *arguments(tmp_path, dumb.url)) as program:
        assert program.answer() == OK
        ask_all(program, 1, 50)
        program.send(message(51)[:20])  # rsyslog dies with it
        program.kill()
    assert len(folders(tmp_path)) == 1
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        ask_all(program, 51, 60)
        wait_for(lambda: len(stored_ids(tmp_path)) == 60, "60 messages stored")
        assert program.finish() == 0
        assert "delivering what another process has left" in program.said()
    assert stored_ids(tmp_path) == list(range(1, 61))
    assert folders(tmp_path) == []


def test_kills_at_any_moment_lose_nothing_that_was_confirmed(tmp_path: Path) -> None:
    number = 0
    for round_ in range(12):
        with Running(tmp_path, *arguments(tmp_path)) as program:
            assert program.answer() == OK
            for _ in range(1 + 37 * round_ % 101):
                number += 1
                assert program.ask(message(number)) == OK
            time.sleep(0.007 * (round_ % 5))
            program.kill()
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        ask_all(program, number, number)  # sent again, as its answer may not have been read
        wait_for(lambda: len(stored_ids(tmp_path)) >= number, f"{number} messages stored")
        wait_for(lambda: len(folders(tmp_path)) == 1, "all left folders taken away")
        assert program.finish() == 0
    assert stored_ids(tmp_path) == list(range(1, number + 1))
    assert not (tmp_path / "dead").exists()


def test_an_outage_holds_nobody_back_before_the_spool_is_full(tmp_path: Path) -> None:
    small = ("--spool-size", "40K")
    with standing_in(*DOWN) as engine, Running(tmp_path, *arguments(tmp_path, engine.url), *small) as program:
        assert program.answer() == OK
        taken = 0
        while taken < 1000:
            program.send(message(taken + 1))
            try:
                assert program.answer(1.0).lstrip(b".") == OK
            except TimeoutError:
                break
            taken += 1
        assert 40 < taken < 80, program.said()
        program.wait_said("holding rsyslog back: the spool is full")
        assert "wait in the spool" in program.said()
        before = program.cpu_seconds()
        time.sleep(2)
        assert program.cpu_seconds() - before < 0.5
        engine.script.clear()
        assert program.answer().lstrip(b".") == OK
        ask_all(program, taken + 2, taken + 20)
        assert program.finish() == 0
        assert f"{taken + 20} lines: {taken + 20} stored" in program.said()
        assert program.said().count("going on") == 1
    assert folders(tmp_path) == []


def test_a_poison_line_is_dead_and_the_next_one_is_stored(tmp_path: Path) -> None:
    poison = [b"no envelope \xff", line("x", v=7), line("y" * (256 * 1024 + 1)), b"z" * (3 << 20)]
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        for number, bad in enumerate(poison, 1):
            assert program.ask(bad) == OK
            ask_all(program, number, number)
        assert program.finish() == 0
    assert stored_ids(tmp_path) == [1, 2, 3, 4]
    found = [json.loads(entry) for entry in (tmp_path / "dead").read_bytes().splitlines()]
    assert [base64.b64decode(entry["raw"]) for entry in found] == [*poison[:3], poison[3][: 2 << 20]]
    assert [entry["status"] for entry in found] == ["unparsable", "unparsable", "too-long", "too-long"]


def test_a_transaction_is_safe_line_by_line(tmp_path: Path) -> None:
    """rsyslog never sends a deferred line again when the program dies before COMMIT: it is in the spool by then."""
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        assert program.ask(b"BEGIN TRANSACTION") == OK
        for number in range(1, 21):
            assert program.ask(message(number)) == DEFERRED
        program.kill()
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        assert program.ask(b"BEGIN TRANSACTION") == OK
        assert program.ask(message(21)) == DEFERRED
        assert program.ask(b"COMMIT TRANSACTION") == OK
        wait_for(lambda: len(stored_ids(tmp_path)) == 21, "21 messages stored")
        assert program.finish() == 0
    assert stored_ids(tmp_path) == list(range(1, 22))


def test_a_damaged_segment_goes_to_the_dead_letter(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir()
    own: Folder = Root(tmp_path / "spool").own()
    for number in range(1, 4):
        own.append(message(number), time.time_ns(), len(message(number)))
    own.close()
    (segment,) = own.path.glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[-5] ^= 1
    segment.write_bytes(data)
    with Running(tmp_path, *arguments(tmp_path)) as program:
        assert program.answer() == OK
        ask_all(program, 4, 4)
        assert program.finish() == 0
        assert "00000001.seg" in program.said()
    assert stored_ids(tmp_path) == [1, 2, 4]
    (entry,) = [json.loads(entry) for entry in (tmp_path / "dead").read_bytes().splitlines()]
    assert entry["status"] == "damaged"
    assert base64.b64decode(entry["raw"]).endswith(bytes(data[-20:]))


def test_sigterm_leaves_to_the_next_what_the_store_does_not_take(tmp_path: Path) -> None:
    with standing_in(*DOWN) as engine, Running(tmp_path, *arguments(tmp_path, engine.url)) as program:
        assert program.answer() == OK
        ask_all(program, 1, 10)
        program.signal(signal.SIGTERM)
        assert program.finish() == 0
        assert "wait in the spool for the next start" in program.said()
    assert len(folders(tmp_path)) == 1


def test_a_sync_of_every_line(tmp_path: Path) -> None:
    with Running(tmp_path, *arguments(tmp_path), "--spool-sync") as program:
        assert program.answer() == OK
        ask_all(program, 1, 20)
        assert program.finish() == 0
    assert stored_ids(tmp_path) == list(range(1, 21))


@pytest.mark.parametrize("size", ["0", "-1", "x", "1T", "", "99999999999999999G"])
def test_a_size_that_is_none(tmp_path: Path, size: str) -> None:
    done = run(tmp_path, b"", *arguments(tmp_path), "--spool-size", size, status=2)
    assert b"is no size" in done.stderr


def test_a_spool_is_for_omprog_alone(tmp_path: Path) -> None:
    done = run(tmp_path, b"", "--protocol", "ndjson", "--spool", "x", status=2)
    assert b"--spool is for --protocol omprog" in done.stderr


def test_a_spool_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    there = ("--protocol", "omprog", "--output", f"sqlite:{tmp_path}/store", "--spool", f"{tmp_path}/file/spool")
    assert b"the spool can't be made" in run(tmp_path, b"", *there, "--check-config", status=2).stderr
