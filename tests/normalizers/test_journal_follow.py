# SPDX-License-Identifier: Apache-2.0
"""docs/howto/journal.md under a real journald: its script, word for word, followed, stopped and killed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import peers
from tests.normalizers.process import Running, run, wait_for
from ttyscribe_normalizers.cursor import JournalCursor, cursor_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "howto" / "journal.md"
INSIDE = Path(__file__).with_name("journal_inside.py")
JOURNALD = Path("/lib/systemd/systemd-journald")
ENTRY = '{"__CURSOR":"s=%s;i=1","__REALTIME_TIMESTAMP":"1795521604218000","MESSAGE":"m %s","_HOSTNAME":"h"}'


def script(folder: Path) -> str:
    """The page's script over a folder of ours."""
    found = re.search(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    text = found[1]
    program = str(Path(sys.executable).with_name("ttyscribe-normalize"))
    for old, new in (("/var/lib/ttyscribe", str(folder)), ("/usr/bin/ttyscribe-normalize", program)):
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.root
def test_a_real_journald_is_followed_and_nothing_is_doubled(tmp_path: Path) -> None:
    peers.require_root()
    if not JOURNALD.exists():
        peers.absent("systemd-journald is not installed: apt-get install systemd")
    folder, path = tmp_path / "store", tmp_path / "script"
    folder.mkdir()
    path.write_text(script(folder))
    command = ["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", sys.executable, str(INSIDE)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TZ": "UTC"}
    done = subprocess.run([*command, str(folder), str(path)], capture_output=True, env=environment, timeout=110)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["stored"] == found["said"]
    assert len(found["stored"]) == 3 + 5 + 5 + 150 + 1
    assert found["moved"]
    assert min(found["waits"]) < 1  # within a second; a loaded machine may be late now and then


def entries(*names: str) -> bytes:
    """Journal entries, each with a cursor and a text of its name."""
    return b"".join((ENTRY % (name, name)).encode() + b"\n" for name in names)


def test_the_cursor_is_that_of_the_last_entry_delivered(tmp_path: Path) -> None:
    options = ("--protocol", "ndjson", "--output", "sqlite:store", "--journal-cursor", "cursor")
    run(tmp_path, entries("a", "b"), *options)
    assert (tmp_path / "cursor").read_text() == "s=b;i=1"
    with Running(tmp_path, *options) as program:
        program.send_raw(entries("c"))
        wait_for(lambda: (tmp_path / "cursor").read_text() == "s=c;i=1", "the third entry's cursor")
        program.send_raw(b'{"message":"no entry"}\n')
        program.send_raw(entries("d")[:-10])
        assert program.finish() == 1  # half an entry: nothing of it is stored
    assert (tmp_path / "cursor").read_text() == "s=c;i=1"


def test_no_cursor_runs_ahead_of_the_store(tmp_path: Path) -> None:
    """The store can't be made: nothing is delivered, and no cursor kept."""
    (tmp_path / "mount").symlink_to(tmp_path / "nowhere")
    with Running(
        tmp_path, "--protocol", "ndjson", "--output", "sqlite:mount/store", "--journal-cursor", "cursor"
    ) as program:
        program.send_raw(entries("a"))
        program.wait_said("holding the input back")
        assert not (tmp_path / "cursor").exists()
        (tmp_path / "nowhere").mkdir()
        wait_for((tmp_path / "cursor").exists, "the cursor")
        assert program.finish() == 0


@pytest.mark.parametrize("path", ["/nowhere/cursor", "/"])
def test_a_place_that_can_never_be_written_is_refused(tmp_path: Path, path: str) -> None:
    options = ("--protocol", "ndjson", "--output", "sqlite:store", "--journal-cursor", path)
    assert b"can't keep the journal's cursor" in run(tmp_path, b"", *options, status=2).stderr


def test_a_full_disk_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "cursor.new").mkdir()
    keep = JournalCursor(tmp_path / "cursor", said.append)
    keep(entries("a"))
    keep(entries("b"))
    assert len(said) == 1


@pytest.mark.parametrize(
    "line", [b"", b"x", b"[]", b"{}", b'{"__CURSOR":1}', b'{"__CURSOR":"a\\nb"}', b'{"__CURSOR":""}']
)
def test_what_is_no_cursor_is_not_kept(line: bytes) -> None:
    assert cursor_of(line) == ""


def test_the_option_is_for_a_pipe(tmp_path: Path) -> None:
    options = ("--protocol", "omprog", "--output", "sqlite:store", "--journal-cursor", "x")
    assert b"--journal-cursor is for --protocol ndjson" in run(tmp_path, b"", *options, status=2).stderr
