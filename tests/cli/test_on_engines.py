# SPDX-License-Identifier: Apache-2.0
"""Every verb over a real OpenSearch and a real Elasticsearch: the same answers as over SQLite."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import complaint, fill, fill_store, ok, run
from tests.player.logs import play
from tests.store.samples import message
from ttyscribe_formats.tlog import encode

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


def test_what_was_imported_is_seen_at_once_and_that_it_waits_for_the_indexer(engine_url: str, tmp_path: Path) -> None:
    ok("setup", "--store", engine_url)
    for name in ("alpha", "beta"):
        log = tmp_path / name
        log.write_bytes(encode(message(1, "Hello", rec=name)) + b"\n")
        assert ok("import", str(log), "--store", engine_url) == "1 line: 1 stored\n"
        waiting = len(list(tmp_path.iterdir()))
        are = "1 recording is" if waiting == 1 else "2 recordings are"
        for question in (["recordings"], ["search", "nothing"]):
            done = run(*question, "--store", engine_url)
            assert f"ttyscribe: index: {are} not derived up to the last message; run ttyscribe index" in done.stderr
        assert answers(engine_url, "search", "nothing") == [{"end": {"hits": 0, "more": False, "behind": waiting}}]
    ok("index", "--store", engine_url)
    assert "index" not in run("recordings", "--store", engine_url).stderr
    assert answers(engine_url, "search", "nothing") == [{"end": {"hits": 0, "more": False, "behind": 0}}]
