# SPDX-License-Identifier: Apache-2.0
"""Several recordings in one place: asked for where a person sits, told where not; and what a list says of each."""

import os
from pathlib import Path

import pytest

from tests.player.logs import PLAYER, play, write_log
from tests.recorder.recorder import AtTerminal
from tests.store.samples import make_recording, message

ENVIRONMENT = {**os.environ, "TERM": "xterm", "TZ": "UTC"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three recordings; the names of one were made to harm."""
    hostile = [message(1, "three", rec="ccc", user="\x1b]52;c;eA==\x07", host="\x9b6n")]
    return write_log(
        tmp_path / "log", [*make_recording("aaa", [b"one"]), *make_recording("bbb", [b"two", b"more"]), *hostile]
    )


@pytest.mark.parametrize(
    ("typed", "status", "seen"),
    [
        (b"2\n", 0, b"twomore"),
        (b"0\n4\nx\n\xff\n 1 \n", 0, b"one"),
        (b"\n", 2, b"choose one with --match"),
        (b"\x04", 2, b"choose one with --match"),
    ],
)
def test_a_person_is_asked(log: Path, typed: bytes, status: int, seen: bytes) -> None:
    screen = AtTerminal([*PLAYER, str(log)], env=ENVIRONMENT)
    try:
        screen.wait_to_see(b"Which one? 1 to 3")
        assert b"\x1b" not in screen.seen
        assert b"\xc2\x9b" not in screen.seen
        screen.type(typed)
        assert screen.wait() == status, screen.seen
        assert seen in screen.seen.rpartition(b"\x1b[?1049l")[2]
        assert screen.attributes() == screen.found
    finally:
        screen.close()


def test_control_c_at_the_question_ends_it(log: Path) -> None:
    screen = AtTerminal([*PLAYER, str(log)], env=ENVIRONMENT)
    try:
        screen.wait_to_see(b"Which one?")
        screen.type(b"\x03")
        assert screen.wait() == -2
        assert b"Traceback" not in screen.seen
    finally:
        screen.close()


def test_nobody_is_asked_in_a_pipe(log: Path) -> None:
    done = play(log)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"holds 3 recordings, choose one with --match=RECORDING\n  aaa ada@" in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_beginning_that_fits_several_lists_these(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, rec=name) for name in ("aa1", "aa2", "b")])
    said = play("-m", "aa", log).stderr.decode()
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["aa1", "aa2"]


def test_a_list_says_what_is_missing_and_in_doubt(tmp_path: Path) -> None:
    """Lines that stand twice are no doubt."""
    one = make_recording("aaa", [b"1", b"2", b"3", b"4", b"5", b"6"])
    forged = message(2, "forged", rec="aaa", pos=1000)
    log = write_log(tmp_path / "log", [one[5], one[1], one[1], forged, b"junk", *make_recording("bbb", [b"x"]) * 2])
    done, begin = play("--list", log), "ada@web7.example.com, 2026-11-24 12:00:00+0000"
    assert done.returncode == 1
    assert done.stdout.decode().splitlines() == [
        f"aaa {begin}, 0:05.000, 4 messages, no end, missing 1, 3-5, 1 in conflict",
        f"bbb {begin}, 0:00.000, 2 messages, no end",
    ]
    assert b"log:5: " in done.stderr


def test_times_that_no_calendar_has_are_listed(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, time_ms=2**50), message(1, rec="b", time_ms=None)])
    done = play("--list", log)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)


def test_of_very_many_the_first_are_shown(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [message(1, rec=f"rec-{number}") for number in range(60)])
    screen = AtTerminal([*PLAYER, str(log)], env=ENVIRONMENT)
    try:
        screen.wait_to_see(b"Which one? 1 to 50")
        assert b"and 10 more: --match=RECORDING takes" in screen.seen
        screen.type(b"\n")
        assert screen.wait() == 2
    finally:
        screen.close()
