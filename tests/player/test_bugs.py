# SPDX-License-Identifier: Apache-2.0
"""Defects of tlog-play that this player must not have. Each is shown on the real one where that is cheap.

Those of its Elasticsearch reader (it ends at a gap with status 0, stops at `max_result_window`, refuses whole numbers
as `time`, takes a redirect for an empty answer, mixes up recordings) are in test_index.py and test_client.py.
"""

import os
import resource
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.peers import require_program
from tests.player.logs import PLAYER, play, write_log
from tests.recorder.recorder import AtTerminal
from tests.store.samples import make_recording, message
from ttyscribe_formats.tlog import encode

ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"}


def tlog_play(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Debian's, with a silent keyboard that is open: without it, it never ends."""
    command = [require_program("tlog-play"), *map(str, arguments)]
    with subprocess.Popen(["sleep", "60"], stdout=subprocess.PIPE) as keyboard:
        try:
            return subprocess.run(command, stdin=keyboard.stdout, capture_output=True, env=ENVIRONMENT, timeout=60)
        finally:
            keyboard.kill()


@pytest.mark.tlog
def test_no_stray_bytes_at_the_end(tmp_path: Path) -> None:
    """tlog-play adds colours off, a cursor, a line feed and a NUL: after playing, after --version, after an error."""
    log = write_log(tmp_path / "log", [message(1, "played")])
    assert tlog_play("-i", log).stdout == b"played\x1b[0m\x1b[?25h\n\0"
    assert play(log).stdout == b"played"
    assert play("--version").stdout.startswith(b"ttyscribe-play ")
    for arguments in (["--version"], ["--help"], ["--nonsense"], ["-i", "/nonexistent"], ["--configuration"]):
        done = play(*arguments)
        assert b"\0" not in done.stdout + done.stderr
        assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.tlog
@pytest.mark.parametrize("name", ["two recordings", "twice", "out of order", "a gap", "whole time", "text before it"])
def test_files_that_it_breaks_off_in(tmp_path: Path, name: str) -> None:
    """It says `Message ID is out of order` (or of the type, or the start) and plays no more; --lax helps with gaps."""
    one, two, three = make_recording("rec", [b"one,", b"two,", b"three"])
    other = make_recording("other", [b"OTHER"])[0]
    lines: dict[str, list[Any]] = {
        "two recordings": [one, other, two, three],
        "twice": [one, one, two, two, three],
        "out of order": [one, three, two],
        "a gap": [one, three],
        "whole time": [one, encode(two).replace(encode(two).partition(b'"time":')[2].partition(b",")[0], b"17"), three],
        "text before it": [b"Nov 25 04:00:00 h tlog: " + encode(item) for item in (one, two, three)],
    }
    log = write_log(tmp_path / "log", lines[name])
    assert tlog_play("-i", log).returncode == 1
    done = play("-m", "rec", log)
    whole = b"one,three" if name == "a gap" else b"one,two,three"
    assert (done.stdout, done.returncode) == (whole, int(name == "a gap"))
    assert (b"message 2 is missing" in done.stderr) is (name == "a gap")


def test_a_recording_that_is_not_there_is_told(tmp_path: Path) -> None:
    """tlog-play plays nothing, with status 0."""
    log = write_log(tmp_path / "log", [message(1, "x")])
    done = play("-m", "nobody", log)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"none that begins with 'nobody'\n  rec-1 ada@" in done.stderr


KEYBOARDS = {"nothing": "</dev/null", "closed": "<&-", "a file": "<log", "an ended pipe": ""}


@pytest.mark.parametrize(
    ("options", "keyboard"), [*(("", name) for name in KEYBOARDS), ("-g end", "nothing"), ("-f", "closed")]
)
def test_without_a_keyboard_it_ends_and_does_not_spin(tmp_path: Path, options: str, keyboard: str) -> None:
    """tlog-play spins for ever without writing a byte: from cron, in a pipe, under a program."""
    write_log(tmp_path / "log", make_recording("rec", [b"one", b"two"]))
    head = "true | " if keyboard == "an ended pipe" else ""
    limit = "timeout 3 " if options == "-f" else ""
    command = f"{head}{limit}{' '.join(PLAYER)} {options} log {KEYBOARDS[keyboard]}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=tmp_path, env=ENVIRONMENT, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (done.stdout, done.stderr) == (b"onetwo", b"")
    assert done.returncode == (124 if options == "-f" else 0)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.5


@pytest.mark.parametrize("keyboard", ["</dev/null", "<&-", "<log"])
def test_at_a_terminal_without_a_keyboard_it_plays_to_the_end(tmp_path: Path, keyboard: str) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"one", b"two"], step_ms=300))
    screen = AtTerminal(["sh", "-c", f"cd {tmp_path}; exec {' '.join(PLAYER)} {log} {keyboard}"], env=ENVIRONMENT)
    try:
        assert screen.wait() == 0
        assert b"onetwo" in screen.seen
        assert screen.attributes() == screen.found
    finally:
        screen.close()


def test_a_full_or_closed_output_ends_it(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", [b"x" * 100_000] * 5))
    done = subprocess.run(
        ["sh", "-c", f"{{ {' '.join(PLAYER)} {log}; echo $? >&2; }} | head -c 10"], capture_output=True, timeout=60
    )
    assert (done.stdout, done.stderr) == (b"x" * 10, b"141\n")  # as any program in a pipe: killed by SIGPIPE
    with open("/dev/full", "wb") as full:
        done = play(log, stdout=full, capture_output=False, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"ttyscribe-play: cannot go on: No space left on device\n")
    done = subprocess.run(["sh", "-c", f"{' '.join(PLAYER)} {log} >&-"], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, b"ttyscribe-play: cannot go on: Bad file descriptor\n")


def test_sizes_that_change_are_followed(tmp_path: Path) -> None:
    """tlog-play ignores them: text that was wrapped at another width then lies about what was seen."""
    items = [message(1, "x" * 30, timing="=20x5>30"), message(2, "\r\nend", pos=1, timing="=40x5>5")]
    screen = AtTerminal([*PLAYER, str(write_log(tmp_path / "log", items))], env=ENVIRONMENT)
    try:
        assert screen.wait() == 0
        parting = screen.seen.rpartition(b"\x1b[?1049l")[2]
        assert b"x" * 20 in parting or b"x" * 30 in parting
    finally:
        screen.close()
