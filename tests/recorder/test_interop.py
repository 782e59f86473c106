# SPDX-License-Identifier: Apache-2.0
"""The real tlog-play plays what we write, byte for byte."""

import os
import random
import subprocess
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import at_terminal, messages, run

TAIL = b"\x1b[0m\x1b[?25h\n\x00"
"""What tlog-play writes at its end, whatever it played."""

pytestmark = pytest.mark.tlog


def play(log: Path, *options: str) -> bytes:
    """What tlog-play writes. It loops for ever on an ended standard input, so it gets a silent open one."""
    player = peers.require_program("tlog-play")
    silent, keep_open = os.pipe()
    try:
        done = subprocess.run(
            [player, "--reader=file", f"--file-path={log}", "--goto=end", *options],
            stdin=silent, capture_output=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    finally:
        os.close(silent)
        os.close(keep_open)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(TAIL)
    return done.stdout.removesuffix(TAIL)


def hostile(size: int) -> bytes:
    """Text and all that is none."""
    source = random.Random(3)
    pieces = [b"text ", "zażółć 😀 \ufffd\u2028".encode(), b"\x1b[1m", b"\x00\x7f\x80", b"\xff\xfe", b"\xe2\x82"]
    pieces += [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'"\\/\b\f\n\r\t', bytes(range(256))]
    return b"".join(source.choice(pieces) for _ in range(size))


@pytest.mark.parametrize("payload", [32, 100, 2048, 65536])
def test_tlog_plays_hostile_bytes_from_pipes(tmp_path: Path, payload: int) -> None:
    """Standard error and our own key in between do not disturb it."""
    log, data = tmp_path / "log", hostile(5000)
    options = ["-o", str(log), f"--payload={payload}", "--log-bulk=keep"]
    done = run([*options, "--", "sh", "-c", "cat; sleep 0.1; echo error >&2"], stdin=data)
    assert done.stdout == data
    assert play(log) == data + b"error\n"
    assert any(message.extra for message in messages(log))


def test_tlog_plays_a_terminal_session(tmp_path: Path) -> None:
    """With input, resizes and colours."""
    log = tmp_path / "log"
    script = "printf '\\033[31mred\\033[0m\\n'; read line; echo \"got $line\"; stty size"
    with at_terminal(["-o", str(log), "--log-input", "--latency=1", "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"red")
        screen.resize((100, 30))
        screen.type(b"za\xc5\xbc\r")
        assert screen.wait() == 0
        assert b"30 100" in screen.seen
        assert play(log) == screen.seen


def test_tlog_finds_one_of_several_recordings_in_a_file(tmp_path: Path) -> None:
    """By the recording's id."""
    log = tmp_path / "log"
    run(["-o", str(log), "--", "echo", "first"])
    run(["-o", str(log), "--", "echo", "second"])
    first, second = messages(log)
    assert play(log, f"--file-match={second.rec}") == b"second\n"
    assert play(log, f"--file-match={first.rec}") == b"first\n"
