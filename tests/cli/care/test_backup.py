# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store backup` and `rebuild` as an operator runs them."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.command import complaint, fill, ok, run
from tests.store.care.test_sqlite_check import change


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def test_the_copy_answers_as_the_store_does(store: str, tmp_path: Path) -> None:
    copy = f"sqlite:{tmp_path / 'copy'}"
    ok("index", "--store", store)
    for file in (tmp_path / "store").iterdir():  # what has just been written is copied again, as clocks have ticks
        os.utime(file, (1_700_000_000, 1_700_000_000))
    told = ok("store", "backup", "--store", store, str(tmp_path / "copy"))
    assert told.splitlines()[0].startswith("2026.11: 18 documents, ")
    assert told.splitlines()[0].endswith(", copied")
    for question in (["recordings"], ["show", "alpha@0:01"], ["search", "opened"]):
        assert ok(*question, "--store", copy) == ok(*question, "--store", store)
    assert ", unchanged" in ok("store", "backup", "--store", store, str(tmp_path / "copy"))
    assert "in the store itself" in complaint(run("store", "backup", "--store", store, str(tmp_path / "store")), 2)


def test_restored_as_the_how_to_says(store: str, tmp_path: Path) -> None:
    listed = ok("recordings", "--store", store)
    ok("store", "backup", "--store", store, str(tmp_path / "copy"))
    ok("store", "delete", "alpha", "--yes", "--store", store)
    (tmp_path / "store").rename(tmp_path / "before")
    shutil.copytree(tmp_path / "copy", tmp_path / "store")
    assert ok("recordings", "--store", store) == listed
    assert "4 findings" in run("store", "verify", "--store", store).stdout


def test_rebuild_mends_what_verify_found(store: str, tmp_path: Path) -> None:
    ok("index", "--store", store)
    change(tmp_path / "store", "INSERT INTO words (words) VALUES ('delete-all')")
    done = run("store", "verify", "--store", store)
    assert "the word index does not agree with the documents: run ttyscribe store rebuild" in done.stdout
    assert "nothing in" in run("search", "shadow", "--store", store).stderr
    assert "derived" in ok("store", "rebuild", "--store", store)
    assert "word index" not in run("store", "verify", "--store", store).stdout
    assert "shadow" in ok("search", "shadow", "--store", store)
    assert "of 1 recording" in ok("store", "rebuild", "--store", store, "alpha")
    assert "no recording 'x'" in complaint(run("store", "rebuild", "--store", store, "x"), 2)
