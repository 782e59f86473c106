# SPDX-License-Identifier: Apache-2.0
"""Every verb over a real OpenSearch and a real Elasticsearch: the same answers as over SQLite."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import complaint, fill, fill_store, ok, run
from tests.player.logs import play

pytestmark = pytest.mark.engine


def answers(url: str, *arguments: str) -> list[Any]:
    """What a verb says as JSON."""
    return [json.loads(line) for line in ok(*arguments, "--json", "--store", url).splitlines()]


def test_setup_tells_each_template_and_run_again_changes_nothing(engine_url: str) -> None:
    first = ok("setup", "--store", engine_url).splitlines()
    assert len(first) > 1
    assert all(line.startswith("installed ") for line in first)
    assert ok("setup", "--store", engine_url) == f"{engine_url}: nothing to change, all is in place\n"


def test_a_search_before_setup_and_over_nothing_is_quiet(engine_url: str) -> None:
    assert "nothing in" in complaint(run("search", "x", "--store", engine_url), 0)
    assert "no recordings" in complaint(run("recordings", "--store", engine_url), 0)


def test_all_verbs_answer_as_over_sqlite(engine_url: str, tmp_path: Path) -> None:
    local = fill(tmp_path / "store")
    fill_store(engine_url)
    ok("index", "--store", engine_url)
    for question in (
        ["recordings"],
        ["recordings", "--user", "bob", "--since", "2026-11-24T14:00"],
        ["search", "rm -rf"],
        ["search", "/etc/shadow", "--kind", "tlog"],
        ["search", "opened"],
        ["show", "alpha@0:01"],
        ["show", "bet@0:04"],
    ):
        found = answers(engine_url, *question)
        assert found
        assert found == answers(local, *question)
    for name in ("alpha", "beta", "gamma"):
        here, there = play("--store", local, name), play("--store", engine_url, name)
        assert here.stdout
        assert (here.stdout, here.stderr, here.returncode) == (there.stdout, there.stderr, there.returncode)
