# SPDX-License-Identifier: Apache-2.0
"""Policies, retention and removal on engines that bare nodes are not: on paper, by what is published of them."""

from typing import Any

import pytest

from tests.store.install.paper import Paper, valid
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.install import apply, lifecycle
from ttyscribe_store.install.probe import Abilities
from ttyscribe_store.install.settings import Settings, Wishes
from ttyscribe_store.install.verify import verify

ELASTIC = ("ilm", "streams", "stream_lifecycle")
"""As a licensed or basic Elasticsearch is."""
OPEN = ("ism", "streams")
"""As a whole OpenSearch is."""


def setup(paper: Paper, **wishes: Any) -> list[str]:
    """What is told; afterwards a second run writes nothing."""
    paper.writes.clear()
    lines = [step.line() for step in apply.applied(paper, "x-", apply.planned(paper, "x-", Wishes(**wishes)))]
    again = apply.planned(paper, "x-")
    assert again.writes == 0, [step.line() for step in again.steps if step.requests]
    return lines


@pytest.mark.parametrize("layout", ["monthly", "daily", "data-stream"])
@pytest.mark.parametrize("days", [0, 1, 400])
def test_policies_are_what_is_published_of_them(layout: str, days: int) -> None:
    for kind in ("ilm", "ism"):
        abilities = Abilities(ilm=kind == "ilm", ism=kind == "ism", streams=True)
        made = lifecycle.policies("x-", Settings(layout, 250, days), abilities, 2)
        wanted = {"x-ttyscribe-monthly"} if days else set()
        wanted |= {"x-ttyscribe-daily"} if days and layout == "daily" else set()
        wanted |= {"x-ttyscribe-stream"} if layout == "data-stream" else set()
        assert {asset.name for asset in made} == wanted
        for asset in made:
            valid(f"{kind}-policy", asset.body)
            assert asset.mark["managed_by"] == "ttyscribe"


@pytest.mark.parametrize("has", [ELASTIC, OPEN, ()])
@pytest.mark.parametrize("layout", ["monthly", "daily"])
def test_a_retention_is_off_until_asked_for_and_what_is_there_comes_under_it(has: tuple[str, ...], layout: str) -> None:
    paper = Paper(*has)
    setup(paper, layout=layout)
    assert paper.policies == {}
    fact = "x-ttyscribe-tlog-2026.11" + (".25" if layout == "daily" else "")
    names = (fact, "x-ttyscribe-line-2026.11", "x-ttyscribe-tlog-implausible-time", "x-ttyscribe-fail2ban-2026.11")
    for name in names:
        paper.make(name)
    setup(paper, retention_days=400)
    if not has:
        assert paper.policies == {}
        (warning,) = apply.planned(paper, "x-").warnings
        assert warning.startswith("the engine has neither ILM nor ISM: nothing is removed by age")
        return
    key = "index.lifecycle.name" if "ilm" in has else "policy"
    under = {name: index.settings.get(key) for name, index in paper.indices.items()}
    assert under == {
        fact: f"x-ttyscribe-{layout}",
        "x-ttyscribe-line-2026.11": "x-ttyscribe-monthly",
        "x-ttyscribe-fail2ban-2026.11": "x-ttyscribe-monthly",
        "x-ttyscribe-tlog-implausible-time": None,
    }
    for name, days in (("x-ttyscribe-monthly", 431), ("x-ttyscribe-daily", 401)):
        assert name not in paper.policies or f"'{days}d'" in str(paper.policies[name])
    setup(paper, retention_days=30)
    assert "'61d'" in str(paper.policies["x-ttyscribe-monthly"])
    setup(paper, retention_days=0)
    assert paper.policies == {}
    assert {index.settings.get(key) for index in paper.indices.values()} == {None}


def test_new_indices_are_made_under_the_policy_but_not_what_has_an_implausible_time() -> None:
    paper = Paper(*ELASTIC)
    setup(paper, retention_days=10)
    for name, policy in {
        "x-ttyscribe-tlog-2026.12": "x-ttyscribe-monthly",
        "x-ttyscribe-recording-1999.12": "x-ttyscribe-monthly",
        "x-ttyscribe-fail2ban-2026.12": "x-ttyscribe-monthly",
        "x-ttyscribe-fail-2ban-implausible-time": None,
        "x-ttyscribe-tlog-implausible-time": None,
    }.items():
        paper.make(name)
        assert paper.indices[name].settings.get("index.lifecycle.name") == policy, name
    assert verify(paper, "x-") == "monthly"


def test_an_index_under_an_operators_own_policy_stays_there() -> None:
    paper = Paper(*ELASTIC)
    setup(paper)
    paper.make("x-ttyscribe-tlog-2026.11")
    paper.indices["x-ttyscribe-tlog-2026.11"].settings["index.lifecycle.name"] = "theirs"
    setup(paper, retention_days=10)
    assert paper.indices["x-ttyscribe-tlog-2026.11"].settings["index.lifecycle.name"] == "theirs"


@pytest.mark.parametrize("has", [ELASTIC, OPEN])
def test_an_edited_policy_is_kept_and_taken_back(has: tuple[str, ...]) -> None:
    paper = Paper(*has)
    setup(paper, retention_days=10)
    policy = paper.policies["x-ttyscribe-monthly"]["policy"]
    if "ilm" in has:
        policy["phases"]["delete"]["min_age"] = "999d"
    else:
        policy["states"][0]["transitions"][0]["conditions"]["min_index_age"] = "999d"
    title = f"{'ILM' if 'ilm' in has else 'ISM'} policy x-ttyscribe-monthly"
    assert setup(paper) == [f"kept {title}, which has been edited: --overwrite takes it back"]
    assert paper.writes == []
    assert setup(paper, overwrite=True)[0].startswith(f"took back {title}")
    assert "'41d'" in str(paper.policies["x-ttyscribe-monthly"])


@pytest.mark.parametrize("has", [ELASTIC, ("ilm", "streams"), OPEN, ("streams",)])
def test_data_streams_are_begun_anew_by_what_the_engine_has(has: tuple[str, ...]) -> None:
    paper = Paper(*has)
    lines = setup(paper, layout="data-stream", retention_days=400)
    assert any("index template x-ttyscribe-tlog-stream" in line for line in lines)
    assert verify(paper, "x-") == "data-stream"
    for name in ("x-ttyscribe-tlog-stream", "x-ttyscribe-fail2ban-stream", "x-ttyscribe-tlog-implausible-time"):
        paper.make(name)
    assert sorted(paper.streams) == ["x-ttyscribe-fail2ban-stream", "x-ttyscribe-tlog-stream"]
    setup(paper, retention_days=500)
    template = paper.templates["index"]["x-ttyscribe-tlog-stream"]["template"]
    warnings = apply.planned(paper, "x-").warnings
    backing = paper.indices[".ds-x-ttyscribe-tlog-stream-000001"].settings
    if "stream_lifecycle" in has:
        assert template["lifecycle"] == {"data_retention": "500d"}
        assert {one["retention"] for one in paper.streams.values()} == {"500d"}
        assert "x-ttyscribe-stream" not in paper.policies
        assert backing == {}
    elif has == ("streams",):
        assert "roll the streams over yourself" in warnings[0]
    else:
        assert "rollover" in str(paper.policies["x-ttyscribe-stream"])
        assert "'500d'" in str(paper.policies["x-ttyscribe-stream"])
        key = "index.lifecycle.name" if "ilm" in has else "policy"
        assert backing[key] == "x-ttyscribe-stream"


def test_an_engine_without_data_streams_is_told_by_name() -> None:
    with pytest.raises(ConfigError, match="has no data streams: give --layout monthly or daily"):
        setup(Paper("ilm"), layout="data-stream")


def test_a_missing_stream_template_is_an_outage_and_not_an_index() -> None:
    paper = Paper(*OPEN)
    setup(paper, layout="data-stream")
    del paper.templates["index"]["x-ttyscribe-tlog-stream"]
    with pytest.raises(Exception, match="x-ttyscribe-tlog would make no data stream"):
        verify(paper, "x-")


def test_layout_and_priority_change_in_any_order_without_a_clash() -> None:
    """The engine refuses templates that overlap at equal priorities, at every moment between."""
    paper = Paper(*ELASTIC)
    setup(paper, layout="data-stream")
    for priority in (251, 250, 252, 249, 400, 250):
        setup(paper, priority=priority)
    setup(paper, layout="daily", priority=251, retention_days=7)
    setup(paper, layout="monthly", priority=250)
    assert not [name for name in paper.templates["index"] if name.endswith("-stream")]


# ---- removal


def remove(paper: Paper, *, keep_data: bool) -> list[str]:
    """What is told."""
    todo = apply.planned_removal(paper, "x-", keep_data=keep_data)
    return [step.line() for step in apply.applied(paper, "x-", todo)]


@pytest.mark.parametrize("has", [ELASTIC, ("ilm", "streams"), OPEN, ()])
@pytest.mark.parametrize("layout", ["monthly", "data-stream"])
def test_removal_leaves_nothing_of_ours_and_all_of_others(has: tuple[str, ...], layout: str) -> None:
    paper = Paper(*has)
    if layout == "data-stream" and not has:
        layout = "monthly"
    setup(paper, layout=layout, retention_days=10)
    for name in ("x-ttyscribe-tlog-2026.11", "x-ttyscribe-line-2026.11"):
        paper.make(name)
    if layout == "data-stream":
        paper.make("x-ttyscribe-tlog-stream")
    paper.templates["component"]["x-ttyscribe-theirs"] = {"template": {}}
    paper.make("x-ttyscribe-theirs-2026.11")
    paper.indices["x-ttyscribe-theirs-2026.11"].mappings.pop("_meta")
    lines = remove(paper, keep_data=False)
    assert "not done: removing index x-ttyscribe-theirs-2026.11, it was not made by our templates" in lines
    assert "not done: removing component template x-ttyscribe-theirs, it is not ours" in lines
    assert list(paper.indices) == ["x-ttyscribe-theirs-2026.11"]
    assert paper.templates == {"component": {"x-ttyscribe-theirs": {"template": {}}}, "index": {}}
    assert (paper.streams, paper.policies) == ({}, {})
    paper.writes.clear()
    assert len(remove(paper, keep_data=False)) == 2
    assert paper.writes == []


@pytest.mark.parametrize("has", [ELASTIC, ("ilm", "streams"), OPEN])
def test_data_that_is_kept_is_under_no_policy_that_goes(has: tuple[str, ...]) -> None:
    paper = Paper(*has)
    setup(paper, retention_days=10)
    paper.make("x-ttyscribe-tlog-2026.11")
    setup(paper, retention_days=11)
    remove(paper, keep_data=True)
    assert {name: index.settings for name, index in paper.indices.items()} == {"x-ttyscribe-tlog-2026.11": {}}
    assert paper.templates == {"component": {}, "index": {}}
    assert paper.policies == {}


def test_what_a_kept_data_stream_needs_stays_and_is_named() -> None:
    paper = Paper("ilm", "streams")
    setup(paper, layout="data-stream")
    paper.make("x-ttyscribe-tlog-stream")
    lines = remove(paper, keep_data=True)
    template = "index template x-ttyscribe-tlog-stream"
    assert f"not done: removing {template}, data stream x-ttyscribe-tlog-stream is made by it" in lines
    assert sorted(paper.templates["index"]) == ["x-ttyscribe-others-stream", "x-ttyscribe-tlog-stream"]
    assert "x-ttyscribe-fields-tlog" in paper.templates["component"]
    assert list(paper.policies) == ["x-ttyscribe-stream"]
