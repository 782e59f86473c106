# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store upgrade` as an operator runs it."""

import shutil
from pathlib import Path

import pytest

from tests.cli.command import complaint, ok, run
from tests.store.care.test_upgrade import OLD


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A folder of schema 1; its URL."""
    shutil.copytree(OLD, tmp_path / "store")
    return f"sqlite:{tmp_path / 'store'}"


def test_an_old_folder_is_read_after_the_upgrade_that_every_verb_names(store: str) -> None:
    for verb in (("recordings",), ("search", "shadow"), ("store", "verify")):
        told = complaint(run(*verb, "--store", store), 2)
        assert told.endswith(f": run ttyscribe store upgrade --store {store}")
    assert "2026.11: 10 documents would be brought from schema 1" in ok(
        "store", "upgrade", "--store", store, "--dry-run"
    )
    done = ok("store", "upgrade", "--store", store)
    assert [line.split(":")[0] for line in done.splitlines()] == ["2026.11", "2026.10", "implausible-time"]
    assert "nothing to do" in ok("store", "upgrade", "--store", store)
    assert "3 hits" in ok("search", "shadow OR permission", "--store", store)
    assert "alpha" in ok("recordings", "--store", store)


def test_engines_are_upgraded_by_setup() -> None:
    told = complaint(run("store", "upgrade", "--store", "http://127.0.0.1:9"), 2)
    assert "run ttyscribe setup" in told
