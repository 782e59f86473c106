# SPDX-License-Identifier: Apache-2.0
"""What Debian's tlog-rec recorded, played by us byte for byte."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import absent, require_program
from tests.player.logs import play
from tests.recorder.recorder import AtTerminal

pytestmark = pytest.mark.tlog
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
WRITER = """
import os, sys, time
data = open(sys.argv[1], "rb").read()
for start in range(0, len(data), 700):
    os.write(1, data[start:start + 700])
    if start % 2100 == 0:
        time.sleep(0.003)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bytes of every sort: text, invalid UTF-8, cut characters, control sequences."""
    dice = random.Random(4)
    hostile = b"\xed\xa0\x80\xf4\x90\x80\x80\xc0\xaf\xe2\x82" + "é😀日\u2028".encode() + b'\x00\x7f\x1b[31m"\\/'
    path = tmp_path / "data"
    path.write_bytes(dice.randbytes(20_000) + hostile * 100 + b"plain text\n" * 500)
    return path


def test_a_recording_of_pipes_plays_byte_for_byte(tmp_path: Path, data: Path) -> None:
    log = tmp_path / "log"
    command = [require_program("tlog-rec"), "-o", str(log), "--", sys.executable, "-c", WRITER, str(data)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, done.stderr
    played = play(log)
    assert played.stdout == data.read_bytes()
    assert (played.returncode, played.stderr) == (0, b"")


def test_two_recordings_in_one_file_are_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for word in ("first", "second"):
        command = [require_program("tlog-rec"), "-o", str(log), "--", "echo", word]
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=ENVIRONMENT, check=True, timeout=60
        )
    refused = play(log)
    assert refused.returncode == 2
    listed = [line.split()[0] for line in refused.stderr.decode().splitlines()[1:]]
    assert [play("-m", name, log).stdout for name in listed] == [b"first\n", b"second\n"]


def test_a_recording_of_a_terminal_plays_what_the_terminal_showed(tmp_path: Path, data: Path) -> None:
    if not Path("/run/utmp").exists():
        absent("Debian's tlog-rec records terminals only where /run/utmp exists: touch it")
    log = tmp_path / "log"
    command = [require_program("tlog-rec"), "-o", str(log), "--", sys.executable, "-c", WRITER, str(data)]
    screen = AtTerminal(command, env=ENVIRONMENT)
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    played = play(log)
    assert played.returncode == 0
    assert played.stdout == data.read_bytes().replace(b"\n", b"\r\n")
    assert screen.seen.startswith(played.stdout)
