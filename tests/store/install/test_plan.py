# SPDX-License-Identifier: Apache-2.0
"""What is to be done on an engine: values in, steps out."""

import copy
import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.install import indices, objects, render, settings, show
from ttyscribe_store.install.objects import Asset
from ttyscribe_store.install.patterns import Other, overlap
from ttyscribe_store.install.plan import State, plan
from ttyscribe_store.install.probe import Abilities
from ttyscribe_store.install.settings import Settings, Wishes

PLAIN = Settings()
VERSION = objects.load()[0].mark["version"]
WANTED = render.rendered("x-", PLAIN, Abilities())


def back(asset: Asset) -> dict[str, Any]:
    """A body as engines give it back: settings as texts, moments of their own beside."""
    body = copy.deepcopy(asset.body)
    template = body["template"]
    if "settings" in template:
        template["settings"] = {"index": _texts(template["settings"]["index"])}
    if "mappings" in template and "dynamic" in template["mappings"]:
        template["mappings"]["dynamic"] = str(template["mappings"]["dynamic"]).lower()
    return {**body, "created_date_millis": 1, "modified_date_millis": 2}


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _texts(entry) for name, entry in value.items()}
    return str(value).lower()


def installed() -> dict[tuple[str, str], dict[str, Any]]:
    """An engine that has everything."""
    return {(asset.kind, asset.name): back(asset) for asset in WANTED}


def made(state: State, wishes: Wishes = Wishes()) -> list[tuple[str, str, int]]:  # noqa: B008 - a constant
    """Action, object and number of requests of each step."""
    found = plan(WANTED, state, PLAIN, wishes)
    return [(step.action, step.what, len(step.requests)) for step in found.steps]


SETTINGS = ("component", "x-ttyscribe-settings")
TLOG = ("index", "x-ttyscribe-tlog")


def test_nothing_there_means_that_all_is_created_components_first() -> None:
    found = plan(WANTED, State(), PLAIN, Wishes())
    assert {step.action for step in found.steps} == {"create"}
    assert {step.requests[0].target for step in found.steps} == {asset.path for asset in WANTED}
    kinds = [step.what.split()[0] for step in found.steps]
    assert kinds == sorted(kinds)


def test_all_there_means_nothing_to_do() -> None:
    assert made(State(installed())) == []


def _edit(there: dict[tuple[str, str], dict[str, Any]], key: tuple[str, str]) -> None:
    if key == SETTINGS:
        there[key]["template"]["settings"]["index"]["number_of_replicas"] = "2"
    else:
        there[key]["template"]["aliases"]["mine"] = {}


@pytest.mark.parametrize("key", [SETTINGS, TLOG])
def test_an_edit_is_kept_and_told_until_it_is_taken_back(key: tuple[str, str]) -> None:
    there = installed()
    _edit(there, key)
    what = f"{key[0]} template {key[1]}"
    assert made(State(there)) == [("keep", what, 0)]
    assert made(State(there), Wishes(overwrite=True)) == [("overwrite", what, 1)]


def test_an_edit_is_kept_even_where_a_newer_version_of_ours_waits() -> None:
    there = installed()
    _edit(there, SETTINGS)
    there[SETTINGS]["_meta"]["version"] = 0
    assert made(State(there)) == [("keep", "component template x-ttyscribe-settings", 0)]


def test_an_older_one_that_nobody_edited_is_updated() -> None:
    there = installed()
    older = Asset(*TLOG, {**there[TLOG], "version": 0, "_meta": {**there[TLOG]["_meta"], "version": 0}})
    there[TLOG] = back(objects.marked(older))
    assert made(State(there)) == [("update", "index template x-ttyscribe-tlog", 1)]
    del there[TLOG]["_meta"][objects.WRITTEN]  # as versions wrote it that could not tell
    there[TLOG]["template"]["aliases"] = {}
    assert made(State(there)) == [("update", "index template x-ttyscribe-tlog", 1)]


def test_a_newer_one_is_left_alone() -> None:
    there = installed()
    there[TLOG]["_meta"]["version"] = 99
    there[TLOG]["priority"] = 1
    for wishes in (Wishes(), Wishes(overwrite=True)):
        assert made(State(there), wishes) == [("keep", "index template x-ttyscribe-tlog", 0)]


@pytest.mark.parametrize("meta", [None, {}, {"managed_by": "somebody"}, "ours", {"ttyscribe": {}}])
def test_what_is_not_ours_is_not_written_over(meta: object) -> None:
    there = installed()
    there[SETTINGS]["_meta"] = meta
    found = plan(WANTED, State(there), PLAIN, Wishes(overwrite=True))
    assert "x-ttyscribe-settings exists and is not ours" in found.refusals[0]
    assert all(step.what != "component template x-ttyscribe-settings" for step in found.steps)


@pytest.mark.parametrize("version", ["9", None, [], 9.5, True])
def test_a_version_that_is_no_number_is_older_than_all(version: object) -> None:
    there = installed()
    there[TLOG]["_meta"]["version"] = version
    assert made(State(there)) == [("update", "index template x-ttyscribe-tlog", 1)]


@pytest.mark.parametrize("template", [None, {}, {"mappings": None}, {"settings": {}}])
def test_a_body_that_somebody_emptied_is_an_edit(template: object) -> None:
    there = installed()
    there[SETTINGS]["template"] = template
    assert made(State(there)) == [("keep", "component template x-ttyscribe-settings", 0)]


def test_what_is_no_longer_needed_is_removed_unless_it_was_edited() -> None:
    there = installed()
    for name in ("old", "older"):
        asset = Asset("component", f"x-ttyscribe-fields-{name}", copy.deepcopy(there[SETTINGS]))
        there["component", asset.name] = back(objects.marked(asset))
    there["component", "x-ttyscribe-fields-older"]["template"]["settings"]["index"]["codec"] = "default"
    there["component", "x-ttyscribe-mine"] = {"template": {}}
    assert made(State(there)) == [
        ("remove", "component template x-ttyscribe-fields-old", 1),
        ("keep", "component template x-ttyscribe-fields-older", 0),
    ]


# ---- in each other's way


@pytest.mark.parametrize(
    ("pattern", "priority", "refused"),
    [
        ("x-ttyscribe-tlog-*", 250, True),
        ("x-*", 250, True),
        ("x-ttyscribe-tlog-2*", 900, True),
        ("*", 247, False),
        ("*", 248, True),  # that of other packages' kinds
        ("x-ttyscribe", 900, False),
        ("y-*", 900, False),
        ("logs-*-*", 250, False),
    ],
)
def test_templates_in_the_way_are_named_before_anything_is_written(pattern: str, priority: int, refused: bool) -> None:
    found = plan(WANTED, State(others=[Other("their\x1b[31m", (pattern,), priority)]), PLAIN, Wishes())
    assert bool(found.refusals) is refused
    if refused:
        assert f"their?[31m ({pattern}; priority {priority})" in found.refusals[0]
        assert f"give --priority {priority + 3}" in found.refusals[0]
        chosen = settings.resolved(Wishes(priority=priority + 3), PLAIN)
        again = render.rendered("x-", chosen, Abilities())
        others = [Other("their", (pattern,), priority)]
        assert plan(again, State(others=others), chosen, Wishes()).refusals == ()


PATTERN = st.text("ab*", max_size=5)


@given(PATTERN, PATTERN)
def test_two_patterns_overlap_where_a_name_fits_both(one: str, other: str) -> None:
    names = ("".join(signs) for size in range(9) for signs in product("ab", repeat=size))
    both = any(fnmatchcase(name, one) and fnmatchcase(name, other) for name in names)
    assert overlap(one, other) is both


# ---- what is remembered


def test_choices_are_remembered_and_only_what_is_asked_for_changes() -> None:
    chosen = Settings("monthly", 400, 0)
    bodies = [asset.body for asset in render.rendered("", chosen, Abilities()) if asset.kind == "index"]
    assert settings.remembered(bodies) == chosen
    assert settings.resolved(Wishes(), chosen) == chosen
    assert settings.resolved(Wishes(priority=300), chosen).priority == 300


@pytest.mark.parametrize("choices", [None, 7, {}, {"layout": "yearly", "priority": "x", "retention_days": 0}])
def test_choices_that_somebody_spoiled_are_the_defaults(choices: object) -> None:
    meta = {"managed_by": "ttyscribe", "version": 1, "choices": choices}
    assert settings.remembered([{"_meta": meta}]) == PLAIN


@pytest.mark.parametrize(
    "wishes", [Wishes(layout="yearly"), Wishes(priority=1), Wishes(priority=2**40), Wishes(retention_days=-1)]
)
def test_what_no_engine_takes_is_refused(wishes: Wishes) -> None:
    with pytest.raises(ConfigError):
        settings.resolved(wishes, PLAIN)


# ---- indices that are there


def mapping(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The mapping of an older index of recordings' messages."""
    parts = {asset.name: asset for asset in WANTED if asset.kind == "component"}
    template = next(asset for asset in WANTED if asset.name == TLOG[1])
    tree = indices.tree(objects.fields_of(template, parts))
    change(tree)
    mark = {"managed_by": "ttyscribe", "version": 0, "sha256": "0", "template": "tlog"}
    return {"properties": tree, "_meta": {"ttyscribe": mark}}


INDEX = "x-ttyscribe-tlog-2020.01"


def test_new_fields_are_added_to_an_index_that_is_there() -> None:
    old = mapping(lambda tree: tree["tlog"]["properties"].pop("pos"))
    (step,) = plan(WANTED, State(installed(), indices={INDEX: old}), PLAIN, Wishes()).steps
    (request,) = step.requests
    assert (request.method, request.target) == ("PUT", f"/{INDEX}/_mapping")
    assert request.body["properties"] == {"tlog": {"properties": {"pos": {"type": "long"}}}}
    assert request.body["_meta"]["ttyscribe"]["version"] == VERSION
    assert step.line() == f"extended index {INDEX}, fields tlog.pos"


def test_a_changed_type_is_named_and_a_stream_is_begun_anew_when_asked() -> None:
    old = mapping(lambda tree: tree["tlog"]["properties"].update(pos={"type": "keyword"}))
    (step,) = plan(WANTED, State(installed(), indices={INDEX: old}), PLAIN, Wishes()).steps
    assert step.requests == ()
    assert "tlog.pos is keyword there and long now: the next one will be right" in step.line()
    backing = ".ds-x-ttyscribe-tlog-stream-000001"
    state = State(installed(), indices={backing: old}, streams=["x-ttyscribe-tlog-stream"])
    (step,) = plan(WANTED, state, PLAIN, Wishes()).steps
    assert "--rollover writes on in a new one" in step.line()
    (step,) = plan(WANTED, state, PLAIN, Wishes(rollover=True)).steps
    assert [request.target for request in step.requests] == ["/x-ttyscribe-tlog-stream/_rollover"]


def test_a_field_where_an_object_is_is_a_change_and_never_sent() -> None:
    old = mapping(lambda tree: tree.update(tlog={"type": "keyword"}))
    (step,) = plan(WANTED, State(installed(), indices={INDEX: old}), PLAIN, Wishes()).steps
    assert (step.action, step.requests) == ("name", ())


def test_an_index_that_another_template_made_is_only_named() -> None:
    found = plan(WANTED, State(installed(), strange=[INDEX]), PLAIN, Wishes())
    assert [(step.action, step.requests) for step in found.steps] == [("name", ())]


# ---- types, and what is shown


def test_types_that_the_engine_lacks_are_replaced_and_named() -> None:
    abilities = Abilities(types={"flattened": {"type": "object", "enabled": False}, "wildcard": {"type": "keyword"}})
    bodies = json.dumps([asset.body for asset in render.rendered("", PLAIN, abilities)])
    assert '"flattened"' not in bodies
    assert [line.split(": ")[1] for line in abilities.warnings()] == [
        "what stands in them is kept whole, and not found",
        "keyword is taken in their place",
    ]
    assert Abilities(types={"flattened": {"type": "flat_object"}}).warnings() == []


def test_a_plan_is_shown_with_names_and_differences() -> None:
    there = installed()
    _edit(there, SETTINGS)
    del there[TLOG]
    lines = list(show.shown(plan(WANTED, State(there), PLAIN, Wishes(overwrite=True))))
    assert f"create index template x-ttyscribe-tlog, version {VERSION}" in lines
    assert "--- /dev/null" in lines
    assert '+  "x-ttyscribe-tlog-*"' in lines
    assert '-   "index.number_of_replicas": "2",' in lines
    assert list(show.shown(plan(WANTED, State(installed()), PLAIN, Wishes()))) == ["nothing to change"]
