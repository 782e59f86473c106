# SPDX-License-Identifier: Apache-2.0
"""Preparing stores and dashboards."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import complaint, ok, run
from tests.kibana.double import Double, running


@pytest.fixture(params=[("kibana", "9.5.0"), ("opensearch-dashboards", "3.8.0")], ids=["kibana", "opensearch"])
def server(request: pytest.FixtureRequest) -> Iterator[Double]:
    """Each product's stand-in."""
    with running(*request.param) as double:
        yield double


def test_a_folder_is_made_once_and_then_nothing_changes(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'a' / 'store'}"
    assert ok("setup", "--store", url) == f"created {tmp_path}/a/store\n"
    assert ok("setup", "--store", url) == f"{url}: nothing to change, all is in place\n"


def test_dashboards_are_brought_once_and_then_nothing_changes(tmp_path: Path, server: Double) -> None:
    arguments = ["setup", "--store", f"sqlite:{tmp_path / 'store'}", "--kibana", server.url]
    text = ok(*arguments)
    assert "imported and read back" in text
    assert f"open {server.url}/app/dashboards" in text
    before = dict(server.places[""])
    assert ("dashboard", "ttyscribe-recordings") in before
    text = ok(*arguments)
    assert text.count("nothing to change") == 2
    assert server.places[""] == before


def test_a_player_makes_links(tmp_path: Path, server: Double) -> None:
    ok("setup", "--store", f"sqlite:{tmp_path}", "--kibana", server.url, "--player-url", "https://play.example")
    assert "https://play.example/" in str(server.places[""])


def test_dashboards_that_refuse_are_one_line_and_status_2(tmp_path: Path, server: Double) -> None:
    server.authorization = "Basic x"
    done = run("setup", "--store", f"sqlite:{tmp_path}", "--kibana", server.url)
    assert "401" in complaint(done, 2)


def test_dashboards_that_are_down_are_one_line_and_status_1(tmp_path: Path) -> None:
    complaint(run("setup", "--store", f"sqlite:{tmp_path}", "--kibana", "http://127.0.0.1:9"), 1)


def test_options_about_dashboards_need_dashboards(tmp_path: Path) -> None:
    assert "give --kibana" in complaint(run("setup", "--store", f"sqlite:{tmp_path}", "--space", "x"), 2)
    assert not os.listdir(tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("setup", "--store", f"sqlite:{tmp_path / 'file' / 'store'}")
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1
