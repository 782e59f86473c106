# SPDX-License-Identifier: Apache-2.0
"""Recordings leave as other programs' files and come back the same; files of every sort come in once."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, ok, run
from tests.peers import require_program
from tests.player.logs import play, write_log
from tests.recorder.recorder import AtTerminal
from tests.store.samples import make_recording, message
from ttyscribe_formats.tlog import encode
from ttyscribe_store.base import RecordingFilter
from ttyscribe_store.open import open_store

OUTPUTS = [b"one\r\n", b"\x1b[31mtwo\x1b[0m\r\n", "café 日\r\n".encode(), b"end"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file with one recording of four seconds."""
    return write_log(tmp_path / "session.log", make_recording("rec-1", OUTPUTS))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Where a store may be made."""
    return f"sqlite:{tmp_path / 'store'}"


def only_recording(url: str) -> str:
    """The name of the store's one recording."""
    opened = open_store(url)
    (found,) = opened.recordings(RecordingFilter())
    opened.close()
    return found.recording


@pytest.mark.parametrize("form", ["asciicast", "asciicast-v2"])
def test_a_recording_goes_out_as_a_cast_and_comes_back_the_same(
    log: Path, tmp_path: Path, store: str, form: str
) -> None:
    cast = str(tmp_path / "session.cast")
    assert ok("export", str(log), "--format", form, "-o", cast) == ""
    head = json.loads(Path(cast).read_text().partition("\n")[0])
    assert head["version"] == (2 if form.endswith("2") else 3)
    assert head["timestamp"] == 1795521600 or head["timestamp"] > 1_700_000_000
    said = ok("import", "--store", store, "--user", "alice", "--host", "web9", cast)
    assert "stored" in said
    name = only_recording(store)
    done = play("--store", store, name)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"".join(OUTPUTS), b"")
    assert "already there" in ok("import", "--store", store, "--user", "alice", "--host", "web9", cast)
    listed = ok("recordings", "--store", store)
    assert "alice" in listed
    assert "web9" in listed


def test_a_recording_goes_out_as_a_typescript_and_comes_back_byte_for_byte(tmp_path: Path, store: str) -> None:
    data = bytes(range(256)) * 40
    log = write_log(tmp_path / "log", make_recording("rec", [data[:5000], data[5000:]]))
    out, timing = str(tmp_path / "out"), str(tmp_path / "timing")
    ok("export", str(log), "-f", "typescript", "-t", timing, "-o", out)
    replay = [require_program("scriptreplay"), "-T", timing, "-O", out, "--cr-mode", "never", "-d", "1000"]
    done = subprocess.run(replay, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
    assert data in done.stdout
    ok("import", "--store", store, "--timing", timing, out)
    assert play("--store", store, only_recording(store)).stdout == data


def test_text_is_what_stood_on_the_screen(tmp_path: Path) -> None:
    outputs = [
        b"abc\x08\x08XY\r\n",
        b"12345",
        b"\x1b[2K\rline \x1b[1mtwo\x1b[0m\r\n",
        b"\x1b]0;t\x07" + b"n\r\n" * 40,
        b"last",
    ]
    log = write_log(tmp_path / "log", make_recording("rec", outputs))
    assert ok("export", str(log), "-f", "text") == "aXY\nline two\n" + "n\n" * 40 + "last\n"


def test_a_cast_of_pipes_has_its_lines_below_each_other(tmp_path: Path) -> None:
    piped = write_log(tmp_path / "piped", [message(1, "a\nb\r\n", timing=">5")])
    assert ok("export", str(piped)).splitlines()[1] == '[0.000000, "o", "a\\r\\nb\\r\\n"]'
    shown = write_log(tmp_path / "shown", [message(1, "a\nb\r\n", timing="=80x24>5")])
    assert ok("export", str(shown)).splitlines()[1] == '[0.000000, "o", "a\\nb\\r\\n"]'


def test_a_recording_in_a_store_is_exported_too(log: Path, store: str) -> None:
    ok("import", "--store", store, str(log))
    assert ok("export", "--store", store, "rec-1", "-f", "text") == "one\ntwo\ncafé 日\nend\n"
    assert "rec-1" in ok("recordings", env={"TTYSCRIBE_STORE": store})


def test_what_is_missing_and_what_is_no_text_is_said(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, "a"), *make_recording("rec-1", [b"x", b"y", b"\xff\xfez"])[2:]])
    log.write_bytes(log.read_bytes().replace(b'"user":"ada","term":"xterm",', b'"user":"ada","term":"xterm-256color",'))
    done = run("export", str(log), "--match", "rec-1")
    assert done.returncode == 1
    assert "message 2 is missing" in done.stderr
    assert "2 characters stand for bytes that are no text" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[2] == "\ufffd\ufffdz"


def test_files_of_messages_come_in_with_what_stands_among_them(tmp_path: Path, store: str) -> None:
    lines = [encode(item) for item in make_recording("rec-1", OUTPUTS)]
    log = write_log(
        tmp_path / "log", [lines[0], b"", b'{"MESSAGE":"a journal entry","_HOSTNAME":"h"}', *lines[1:], b"junk"]
    )
    done = run("import", "--store", store, str(log))
    assert done.returncode == 1
    assert "1 could not be stored: see" in done.stderr
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_standard_input_can_be_imported(log: Path, store: str) -> None:
    done = subprocess.run(
        [*COMMAND, "import", "--store", store, "-"], input=log.read_bytes(), capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_a_journal_comes_in(tmp_path: Path, store: str) -> None:
    entries = [
        {"MESSAGE": encode(item).decode(), "_HOSTNAME": "web7", "_UID": "0", "_PID": "7", "__CURSOR": f"c{number}"}
        for number, item in enumerate(make_recording("rec-1", OUTPUTS))
    ]
    fake = tmp_path / "bin" / "journalctl"
    fake.parent.mkdir()
    text = "\n".join(map(json.dumps, entries))
    fake.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/asked\ncat <<'END'\n{text}\nEND\n")
    fake.chmod(0o755)
    ok("import", "--store", store, "--journal", "A=b", env={"PATH": f"{fake.parent}:{os.environ['PATH']}"})
    assert (tmp_path / "asked").read_text().endswith("-- A=b\n")
    assert play("--store", store, "rec-1").stdout == b"".join(OUTPUTS)


def test_a_spoilt_cast_is_told_and_what_came_before_it_stays(tmp_path: Path, store: str) -> None:
    cast = tmp_path / "x.cast"
    cast.write_text(
        '{"version":2,"width":80,"height":24,"timestamp":1700000000}\n' + '[0.1,"o","good"]\n' * 900 + "[1]\n"
    )
    done = run("import", "--store", store, str(cast))
    assert complaint(done, 1).endswith(
        "line 902: an event is a list of time, code and data; what came before it is imported"
    )
    assert play("--store", store, only_recording(store)).stdout.startswith(b"good" * 100)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["import"], "what is to be imported"),
        (["import", "{tmp}/nothing"], "cannot be read"),
        (["import", "{tmp}/typescript"], "give its timing file"),
        (["import", "--timing", "x", "a", "b"], "one typescript"),
        (["export", "{tmp}/nothing"], "no recording '{tmp}/nothing'"),
        (["export", "{tmp}/empty"], "there is nothing to export"),
        (["export", "{tmp}/empty", "-f", "typescript"], "needs --timing"),
        (["export", "{tmp}/session.log", "-o", "{tmp}/no/x"], "cannot be written"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(
    arguments: list[str], error: str, tmp_path: Path, store: str, log: Path
) -> None:
    (tmp_path / "typescript").write_bytes(b"Script started on 2026-11-25 02:38:11+00:00\nx")
    (tmp_path / "empty").write_bytes(b"")
    open_store(store).setup()
    filled = [argument.format(tmp=tmp_path) for argument in arguments]
    done = run(*filled, env={"TTYSCRIBE_STORE": store})
    assert error.format(tmp=tmp_path) in complaint(done, 2)


def test_a_bar_shows_how_far_it_came_where_a_person_looks(log: Path, store: str) -> None:
    with open(os.devnull, "wb") as nothing:
        arguments = [*COMMAND, "import", "--store", store, str(log)]
        screen = AtTerminal(arguments, env={**os.environ, "TERM": "xterm"}, redirect={1: nothing.fileno()})
        try:
            assert screen.wait() == 0
            assert b"importing" in screen.seen
        finally:
            screen.close()
