# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe setup --kibana`: where to, dry run, edits and removal, as an operator gives them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import complaint, ok, run
from tests.kibana.double import Double, running

PAGE = ("dashboard", "ttyscribe-recordings")


@pytest.fixture
def kibana() -> Iterator[Double]:
    """A Kibana with a space."""
    with running("kibana", "9.5.0") as double:
        double.places["/s/ops"] = {}
        yield double


@pytest.fixture
def opensearch() -> Iterator[Double]:
    """An OpenSearch Dashboards behind a base path."""
    with running("opensearch-dashboards", "3.8.0") as double:
        double.base = "/_dashboards"
        yield double


def test_what_would_be_done_is_told_edits_are_kept_and_all_of_it_goes_again(tmp_path: Path, kibana: Double) -> None:
    words = ["setup", "--store", f"sqlite:{tmp_path / 'store'}", "--kibana", kibana.url]
    told = ok(*words, "--dry-run")
    assert "would import dashboard ttyscribe-recordings" in told
    assert kibana.writes == []
    ok(*words)
    kibana.edit(*PAGE, title="Mine")
    assert "kept as edited: dashboard ttyscribe-recordings (title) (--overwrite takes edits back)" in ok(*words)
    assert "would take back the edit of dashboard ttyscribe-recordings" in ok(*words, "--overwrite", "--dry-run")
    assert "took back the edit of dashboard ttyscribe-recordings (title)" in ok(*words, "--overwrite")
    kibana.requests.clear()
    ok(*words)
    assert kibana.writes == []
    assert "would remove dashboard ttyscribe-recordings" in ok(*words, "--remove", "--keep-data", "--dry-run")
    assert kibana.writes == []
    assert "removed dashboard ttyscribe-recordings" in ok(*words, "--remove", "--keep-data")
    assert not kibana.places[""]
    assert "nothing of ours" in ok(*words, "--remove", "--keep-data")


def test_space_workspace_and_tenant_are_three_things(tmp_path: Path, kibana: Double, opensearch: Double) -> None:
    store = f"sqlite:{tmp_path / 'store'}"
    ok("setup", "--store", store, "--kibana", kibana.url, "--space", "ops")
    assert ("dashboard", "ops~ttyscribe-recordings") in kibana.places["/s/ops"]
    url = f"{opensearch.url}/_dashboards"
    opensearch.workspaces, opensearch.places["/w/9gt3vk"] = {"9gt3vk": "Operations"}, {}
    told = ok("setup", "--store", store, "--kibana", url, "--workspace", "Operations")
    assert f"open {url}/w/9gt3vk/app/dashboards#/view/9gt3vk~ttyscribe-recordings" in told
    opensearch.workspaces, opensearch.tenants, opensearch.places["tenant:audit"] = None, {"audit": True}, {}
    ok("setup", "--store", store, "--kibana", url, "--tenant", "audit")
    assert PAGE in opensearch.places["tenant:audit"]
    for words, says in (
        (["--kibana", url, "--space", "ops"], "workspaces and tenants, not spaces"),
        (["--kibana", kibana.url, "--tenant", "audit"], "Kibana 9.5.0 has spaces, not tenants"),
        (["--kibana", kibana.url, "--space", "nowhere"], "there is no space nowhere"),
        (["--workspace", "x"], "give --kibana URL too"),
    ):
        assert says in complaint(run("setup", "--store", store, *words), 2)
    both = run("setup", "--store", store, "--kibana", url, "--space", "a", "--workspace", "b")
    assert both.returncode == 2
    assert "not allowed with argument" in both.stderr


def test_links_to_the_player_come_stay_and_go(tmp_path: Path, kibana: Double) -> None:
    words = ["setup", "--store", f"sqlite:{tmp_path / 'store'}", "--kibana", kibana.url]
    ok(*words, "--player-url", "https://play.example")
    ok(*words)
    assert "https://play.example/{{value}}" in str(kibana.places[""]["index-pattern", "ttyscribe-tlog"])
    ok(*words, "--player-url", "")
    assert "play.example" not in str(kibana.places[""]["index-pattern", "ttyscribe-tlog"])
    assert "player's address" in complaint(run(*words, "--player-url", "javascript:alert(1)"), 2)
