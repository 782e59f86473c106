# SPDX-License-Identifier: Apache-2.0
"""Without a terminal: three pipes, told apart, every byte intact."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.recorder.recorder import RECORDER, end_status, messages, recorded, run
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input


def test_streams_stay_apart_and_are_told_apart(tmp_path: Path) -> None:
    """Standard error goes to standard error, and the log says which bytes it was."""
    log = tmp_path / "log"
    done = run(["-o", str(log), "--", "sh", "-c", "printf out; sleep 0.1; printf error >&2; exit 3"])
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out", b"error")
    assert recorded(log) == b"outerror"
    assert tlog.own_fields(messages(log)[-1])["err"] == [[3, 5]]
    assert end_status(log) == 3


@pytest.mark.parametrize("options", [[], ["--log-input"], ["--log-input=yes", "--log-output=no"]])
def test_binary_passes_intact_and_its_end_is_passed_on(tmp_path: Path, options: list[str]) -> None:
    """Any bytes, much more than a pipe holds; `cat` ends because standard input does."""
    log, data = tmp_path / "log", os.urandom(3_000_000)
    done = run(["-o", str(log), *options, "--", "cat"], stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == data
    if "--log-output=no" not in options:
        assert recorded(log) == data
    if options:
        assert recorded(log, Input) == data


def test_a_reader_that_leaves_early_harms_nothing(tmp_path: Path) -> None:
    """`yes | ttyscribe-rec head` gives head's output, always."""
    for number in range(20):
        log = tmp_path / f"log{number}"
        with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as source:
            done = subprocess.run(
                [*RECORDER, "-o", str(log), "--", "head", "-c", "10"], stdin=source.stdout, capture_output=True
            )
            assert source.stdout is not None
            source.stdout.close()
        assert (done.returncode, done.stdout, done.stderr) == (0, b"y\n" * 5, b"")
        assert recorded(log) == b"y\n" * 5


def test_a_program_whose_reader_left_dies_of_it(tmp_path: Path) -> None:
    """`ttyscribe-rec yes | head`: the pipe breaks for the program as it would without us."""
    log = tmp_path / "log"
    with subprocess.Popen([*RECORDER, "-o", str(log), "--", "yes"], stdout=subprocess.PIPE) as recorder:
        assert recorder.stdout is not None
        assert recorder.stdout.read(10) == b"y\n" * 5
        recorder.stdout.close()
        assert recorder.wait(30) == 141
    assert end_status(log) == 141
