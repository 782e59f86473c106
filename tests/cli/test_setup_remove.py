# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe setup`: trying it out, choosing how an engine keeps what it gets, and taking all of ours away again."""

import os
import pty
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, PATIENCE, complaint, fill, fill_store, ok, run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--retention", "400"], "not a number of days: '400' (wanted: as 400d, or forever)"),
        (["--retention", "0d"], "not a number of days"),
        (["--retention", "\u0661d"], "not a number of days"),
        (["--retention", "99999999d"], "not a number of days"),
        (["--layout", "yearly"], "invalid choice: 'yearly'"),
        (["--yes"], "go with --remove"),
        (["--keep-data"], "go with --remove"),
        (["--layout", "daily"], "are about engines"),
        (["--priority", "300"], "are about engines"),
    ],
)
def test_wrong_options_say_what_is_wanted(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = run("setup", "--store", f"sqlite:{tmp_path}", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


# ---- a folder


def test_a_dry_run_makes_no_folder(tmp_path: Path) -> None:
    assert "a folder is made" in ok("setup", "--store", f"sqlite:{tmp_path}/store", "--dry-run")
    assert not os.listdir(tmp_path)


def test_only_our_files_are_removed_and_not_without_a_yes(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    url = fill(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "other.sqlite").write_text("mine")
    before = sorted(os.listdir(folder))
    assert "give --yes, or --keep-data" in complaint(run("setup", "--store", url, "--remove"), 2)
    assert "nothing is there beside the data" in ok("setup", "--store", url, "--remove", "--keep-data")
    assert f"remove {folder}/2026.11.sqlite" in ok("setup", "--store", url, "--remove", "--dry-run")
    assert sorted(os.listdir(folder)) == before
    assert f"removed {folder}/2026.11.sqlite" in ok("setup", "--store", url, "--remove", "--yes")
    assert sorted(os.listdir(folder)) == ["notes.txt", "other.sqlite"]
    assert "nothing of ours is there" in ok("setup", "--store", url, "--remove", "--yes")


def test_an_empty_folder_goes_too(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "2026.11.sqlite").touch()
    ok("setup", "--store", f"sqlite:{folder}", "--remove", "--yes")
    assert os.listdir(tmp_path) == []


def test_what_others_made_under_a_name_of_ours_stays(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    url = fill(folder)
    (tmp_path / "kept").write_text("kept")
    (folder / "2026.10.sqlite").symlink_to(tmp_path / "kept")
    connection = sqlite3.connect(folder / "2026.09.sqlite")
    connection.execute("CREATE TABLE bookmarks (address TEXT)")
    connection.close()
    (folder / "2026.09.sqlite-journal").touch()
    said = ok("setup", "--store", url, "--remove", "--yes")
    others = ["2026.09.sqlite", "2026.09.sqlite-journal", "2026.10.sqlite"]
    assert [line for line in said.splitlines() if line.startswith("left ")] == [
        f"left {folder}/{name}: not a file of this store, or damaged; remove it by hand" for name in others
    ]
    assert sorted(os.listdir(folder)) == others
    assert (tmp_path / "kept").read_text() == "kept"


@pytest.mark.parametrize(("answer", "status"), [(b"remove\n", 0), (b"yes\n", 2), (b"\x04", 2)])
def test_at_a_terminal_a_word_is_typed(tmp_path: Path, answer: bytes, status: int) -> None:
    url = fill(tmp_path / "store")
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([*COMMAND, "setup", "--store", url, "--remove"], stdin=theirs, stdout=theirs) as process:
            said = b""
            while b"Type 'remove' to go on: " not in said:
                said += os.read(ours, 4096)
            os.write(ours, answer)
            assert process.wait(PATIENCE) == status
    finally:
        os.close(ours)
        os.close(theirs)
    assert (tmp_path / "store").exists() is (status != 0)


# ---- an engine


@pytest.mark.engine
def test_an_engine_is_tried_prepared_and_cleared(engine_url: str) -> None:
    tried = ok("setup", "--store", engine_url, "--dry-run", "--layout", "daily")
    name = engine_url.rpartition("/")[2]
    assert f"create index template {name}-ttyscribe-tlog, version " in tried
    assert f'+  "{name}-ttyscribe-tlog-*"' in tried
    assert tried.endswith("\nnothing was written (--dry-run)\n")
    ok("setup", "--store", engine_url, "--layout", "daily")
    assert ok("setup", "--store", engine_url, "--dry-run") == "nothing to change\n"
    fill_store(engine_url)
    done = run("setup", "--store", engine_url, "--retention", "30d")
    assert (done.returncode, "removed by age" in done.stderr) == (0, True)
    refused = complaint(run("setup", "--store", engine_url, "--remove"), 2)
    assert "documents in " in refused
    assert "give --yes, or --keep-data to leave them" in refused
    removed = ok("setup", "--store", engine_url, "--remove", "--yes")
    assert f"removed index {name}-ttyscribe-tlog-2026.11.24" in removed
    assert ok("setup", "--store", engine_url, "--remove") == f"{engine_url}: nothing of ours is there\n"
