# SPDX-License-Identifier: Apache-2.0
"""The real program in a pipe: in bulk and in trickles, drained, interrupted, held back."""

import base64
import contextlib
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import PATIENCE, PROGRAM, Running, run, wait_for
from tests.normalizers.samples import MESSAGE, line, text
from tests.store.stand_in import answer, standing_in
from ttyscribe_normalizers.main import main
from ttyscribe_store.open import open_store

NDJSON = ("--protocol", "ndjson", "--output")
RECORDING = "4113-13dda"


def bare(number: int, shown: str = "hi\n") -> bytes:
    """One line of a recorder's own file."""
    return text(id=number, pos=number, out_txt=shown, timing=f">{len(shown)}").encode()


def lines(*numbers: int) -> bytes:
    """Lines of a recorder's own file."""
    return b"".join(bare(number) + b"\n" for number in numbers)


def stored(folder: Path) -> list[int]:
    """Ids of the recording's messages in the store on SQLite."""
    store = open_store(f"sqlite:{folder}")
    try:
        return [found.tlog["id"] for found in store.messages(RECORDING)]
    finally:
        store.close()


def dead_letters(folder: Path) -> list[Any]:
    """What the dead letter in a folder holds."""
    path = folder / "dead-letter.ndjson"
    return [json.loads(entry) for entry in path.read_bytes().splitlines()] if path.exists() else []


def test_a_recorders_file_is_imported_and_a_second_time_is_already_there(tmp_path: Path) -> None:
    data = lines(*range(1, 2501))
    done = run(tmp_path, data, *NDJSON, "sqlite:store")
    assert done.stderr.decode() == "ttyscribe-normalize: 2500 lines: 2500 stored\n"
    assert done.stdout == b""
    assert stored(tmp_path / "store") == list(range(1, 2501))
    done = run(tmp_path, data, *NDJSON, "sqlite:store")
    assert done.stderr.decode() == "ttyscribe-normalize: 2500 lines: 2500 already there\n"
    assert not dead_letters(tmp_path / "store")


def test_an_old_file_finds_its_own_months(tmp_path: Path) -> None:
    done = run(tmp_path, text(time=1e9).encode(), *NDJSON, "-")
    document = json.loads(done.stdout)
    assert document["@timestamp"] == "2001-09-09T01:46:40.000000+00:00"
    assert document["ttyscribe"]["partition"] == "2001.09"


def test_documents_go_to_standard_output_as_json_lines(tmp_path: Path) -> None:
    done = run(tmp_path, bare(1) + b"\n" + line("hello") + b"\n" + b'{"message":"x"}', *NDJSON, "-")
    documents = [json.loads(entry) for entry in done.stdout.splitlines()]
    assert [document["ttyscribe"]["kind"] for document in documents] == ["tlog", "syslog", "syslog"]
    assert documents[0]["tlog"] == MESSAGE | {"id": 1, "pos": 1, "timing": ">3"}
    assert documents[1]["viaq_msg_id"] == "log:E59101DB99164E47B6CAAF8A93598736"
    assert documents[2]["viaq_msg_id"] != documents[1]["viaq_msg_id"]


def test_a_trickle_waits_for_nothing(tmp_path: Path) -> None:
    with Running(tmp_path, *NDJSON, "-") as program:
        for number in (1, 2, 3):
            program.send(bare(number))
            assert json.loads(program.answer())["tlog"]["id"] == number
        assert program.finish() == 0


def test_what_cannot_be_stored_is_dead_and_the_status_says_so(tmp_path: Path) -> None:
    data = b"junk\n\n" + bare(1) + b"\n" + bare(2)[:50] + b"\n\xff\xfe\n" + b"x" * (3 << 20) + b"\n" + bare(3)
    done = run(tmp_path, data, *NDJSON, "sqlite:store", status=1)
    said = done.stderr.decode()
    assert "7 lines: 3 stored, 1 broken recordings' messages among them, 1 empty, 2 unparsable, 1 too-long" in said
    assert "3 could not be stored: see store/dead-letter.ndjson" in said
    assert stored(tmp_path / "store") == [1, 3]
    raws = [base64.b64decode(entry["raw"]) for entry in dead_letters(tmp_path / "store")]
    assert raws == [b"junk", b"\xff\xfe", b"x" * (2 << 20)]


def test_sigterm_drains_what_is_in_the_pipe(tmp_path: Path) -> None:
    with Running(tmp_path, *NDJSON, "sqlite:store") as program:
        program.send_raw(lines(1))
        wait_for(lambda: (tmp_path / "store").is_dir() and stored(tmp_path / "store") == [1], "the first line")
        program.signal(signal.SIGSTOP)
        program.send_raw(lines(*range(2, 101)))
        program.signal(signal.SIGTERM)
        program.signal(signal.SIGCONT)
        assert program.status() == 0
    assert stored(tmp_path / "store") == list(range(1, 101))


def test_sigterm_inside_a_line_leaves_the_line_and_says_how_far_it_came(tmp_path: Path) -> None:
    with Running(tmp_path, *NDJSON, "sqlite:store") as program:
        program.send_raw(lines(1, 2) + bare(3)[:20])
        wait_for(lambda: (tmp_path / "store").is_dir() and stored(tmp_path / "store") == [1, 2], "two lines")
        program.signal(signal.SIGTERM)
        assert program.status() == 1
        assert "the first 2 lines are stored" in program.said()
    assert stored(tmp_path / "store") == [1, 2]


def test_sigkill_loses_nothing_that_a_second_run_does_not_find(tmp_path: Path) -> None:
    data = lines(*range(1, 5001))
    with Running(tmp_path, *NDJSON, "sqlite:store") as program:
        program.send_raw(data[: len(data) // 2])
        wait_for(lambda: (tmp_path / "store").is_dir() and stored(tmp_path / "store"), "the first lines")
        program.kill()
    run(tmp_path, data, *NDJSON, "sqlite:store")
    assert stored(tmp_path / "store") == list(range(1, 5001))


def test_an_outage_holds_the_source_back(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *NDJSON, engine.url) as program:
        program.send(bare(1))
        wait_for(lambda: engine.bulks, "the first line")
        engine.always = answer(503, {"error": "down"})
        program.send(bare(2))
        program.wait_said("holding the input back")
        fcntl.fcntl(program._in, fcntl.F_SETFL, os.O_NONBLOCK)
        with contextlib.suppress(BlockingIOError):
            for number in range(3, 10_000):
                os.write(program._in, bare(number, "x" * 1000) + b"\n")
        assert not program.takes_input()
        assert program.cpu_seconds() < 2
        engine.always = None
        wait_for(program.takes_input, "room in the pipe")
        assert any(b'"id":2,' in bulk for bulk in engine.bulks)
    assert not dead_letters(tmp_path)


def test_ctrl_c_in_an_outage_ends_it_and_says_how_far_it_came(tmp_path: Path) -> None:
    with standing_in() as engine, Running(tmp_path, *NDJSON, engine.url) as program:
        program.send(bare(1))
        wait_for(lambda: engine.bulks, "the first line")
        engine.always = answer(503)
        program.send(bare(2))
        program.wait_said("holding the input back")
        program.signal(signal.SIGINT)
        assert program.status() == 1
        assert "the first 1 lines are stored" in program.said()
        assert "Traceback" not in program.said()


def test_a_store_that_is_not_there_yet_holds_the_input_back(tmp_path: Path) -> None:
    with standing_in() as engine:
        engine.installed = False
        with Running(tmp_path, *NDJSON, engine.url) as program:
            program.send(bare(1))
            program.wait_said(f"run `ttyscribe setup --store {engine.url}`")
            engine.installed = True
            wait_for(lambda: engine.bulks, "the line")
            assert program.finish() == 0


def on_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run it with standard error on a terminal and no input: its exit status, and what it said."""
    near, far = pty.openpty()
    process = subprocess.Popen([*PROGRAM, *arguments], stdin=subprocess.DEVNULL, stderr=far, cwd=folder)
    os.close(far)
    said = b""
    with contextlib.suppress(OSError):
        while data := os.read(near, 4096):
            said += data
    os.close(near)
    return process.wait(PATIENCE), said.decode()


def test_from_a_terminal_a_forgotten_setup_is_the_operators_to_mend(tmp_path: Path) -> None:
    with standing_in() as engine:
        engine.installed = False
        status, said = on_terminal(tmp_path, *NDJSON, engine.url)
    assert status == 2
    assert said.count("\n") == 1
    assert f"run `ttyscribe setup --store {engine.url}`" in said


def test_a_reader_that_goes_away_ends_it_without_a_traceback(tmp_path: Path) -> None:
    with Running(tmp_path, *NDJSON, "-") as program:
        program.send(bare(1))
        program.answer()
        program.close_output()
        program.send(bare(2))
        assert program.status() == 1
        assert "standard output is closed" in program.said()
        assert "Traceback" not in program.said()


def test_a_full_disk_under_standard_output_is_one_clear_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, *NDJSON, "-"], input=bare(1), stdout=full, stderr=subprocess.PIPE, cwd=tmp_path
        )
    assert done.returncode == 1
    assert b"can't go on after 0 lines" in done.stderr
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_full_disk_under_the_dead_letter_holds_the_input_back(tmp_path: Path) -> None:
    junk = b"junk " * 200
    with Running(tmp_path, *NDJSON, "-", file_limit=500) as program:
        program.send(junk, bare(1))
        program.wait_said("can't be written")
        program.lift_limit()
        assert json.loads(program.answer())["tlog"]["id"] == 1
        assert program.finish() == 1
    assert [base64.b64decode(entry["raw"]) for entry in dead_letters(tmp_path)] == [junk]


def test_memory_stays_bounded_however_much_comes(tmp_path: Path) -> None:
    part = b"".join(bare(number, "x" * 1500) + b"\n" for number in range(2000)) + b"junk\n" * 2000
    with Running(tmp_path, *NDJSON, "-") as program:
        threading.Thread(target=lambda: [*iter(program.answer, b"")], daemon=True).start()
        program.send_raw(part * 3)
        first = program.peak_megabytes()
        program.send_raw(part * 20)
        assert program.peak_megabytes() < first + 60
        assert program.finish() == 1


def test_check_config_says_that_all_is_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--protocol", "omprog", "--output", f"sqlite:{tmp_path}/store", "--check-config"]) == 0
    assert capsys.readouterr().out == (
        f"in order: omprog to sqlite:{tmp_path}/store, dead letter {tmp_path}/store/dead-letter.ndjson\n"
    )
    assert list((tmp_path / "store").glob("*.sqlite")) == []


@pytest.mark.parametrize("option", ["--metrics=nowhere", "--journal-cursor=/proc/nowhere/cursor"])
def test_check_config_looks_at_what_only_some_use(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*NDJSON, f"sqlite:{tmp_path}/store", option, "--check-config"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("installed", "status"), [(True, 0), (False, 2)])
def test_check_config_asks_the_engine(tmp_path: Path, installed: bool, status: int) -> None:
    with standing_in() as engine:
        engine.installed = installed
        done = run(tmp_path, b"", *NDJSON, engine.url, "--check-config", status=status)
    assert bool(done.stdout) == installed
    assert ("ttyscribe setup" in done.stderr.decode()) != installed


def test_check_config_fails_where_nobody_answers(tmp_path: Path) -> None:
    done = run(tmp_path, b"", *NDJSON, "http://127.0.0.1:1", "--check-config", status=1)
    assert done.stderr.decode().count("\n") == 1


def test_reports_go_to_the_log_file(tmp_path: Path) -> None:
    done = run(tmp_path, bare(1), *NDJSON, "sqlite:store", "--log-file", "log")
    assert done.stderr == b""
    assert (tmp_path / "log").read_text().endswith("ttyscribe-normalize: 1 line: 1 stored\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_end_well(tmp_path: Path, option: str) -> None:
    said = run(tmp_path, b"", option).stdout.decode()
    assert said.startswith(("usage: ttyscribe-normalize", "ttyscribe-normalize "))
    assert sys.executable not in said


def test_a_folder_that_comes_later_holds_the_input_back(tmp_path: Path) -> None:
    """A mount that is not there yet, for example."""
    (tmp_path / "mount").symlink_to(tmp_path / "target")
    with Running(tmp_path, *NDJSON, "sqlite:mount/store") as program:
        program.send(bare(1))
        program.wait_said("holding the input back")
        (tmp_path / "target").mkdir()
        wait_for(lambda: (tmp_path / "target/store").is_dir() and stored(tmp_path / "target/store") == [1], "the line")
        assert program.finish() == 0
        assert "Traceback" not in program.said()
