# SPDX-License-Identifier: Apache-2.0
"""Upgrade in place, operators' edits, dry run and removal, against stand-ins of both products."""

import json
from typing import Any

import pytest

from tests.kibana.conftest import Start
from tests.kibana.double import Double, Fault
from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana import bundle as bundles
from ttyscribe_kibana import load as loader
from ttyscribe_kibana.client import Client
from ttyscribe_kibana.load import Where, load, unload

Json = dict[str, Any]
PAGE = ("dashboard", "ttyscribe-recordings")
VIEW = ("index-pattern", "ttyscribe-tlog")
MEMORY = ("visualization", "ttyscribe-installed")


def release(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Ship something else from now on: `change` takes and gives the list of objects."""
    monkeypatch.setattr(loader, "committed", lambda which: change(bundles.committed(which)))


def retitle(objects: list[Json], title: str) -> list[Json]:
    """The next release calls its page otherwise."""
    return [
        {**one, "attributes": {**one["attributes"], "title": title}} if (one["type"], one["id"]) == PAGE else one
        for one in objects
    ]


def title(server: Double, place: str = "") -> str:
    """What the page is called on the server."""
    return str(server.places[place][PAGE]["attributes"]["title"])


def test_the_second_run_writes_nothing(server: Double) -> None:
    load(Where(server.url))
    before = dict(server.places[""])
    server.requests.clear()
    done = load(Where(server.url))
    assert "nothing to change" in done[0]
    assert server.writes == []
    assert server.places[""] == before


def test_what_nobody_edited_follows_the_release_under_its_id(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    load(Where(server.url))
    before = set(server.places[""])
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    done = load(Where(server.url))
    assert "upgraded dashboard ttyscribe-recordings (title)" in done[0]
    assert title(server) == "Better"
    assert set(server.places[""]) == before
    server.requests.clear()
    load(Where(server.url))
    assert server.writes == []


def test_scripts_of_an_earlier_release_go(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lag was computed when asked: by a runtime field, or by a scripted one."""
    view = ("index-pattern", "ttyscribe-received")

    def scripted(objects: list[Json]) -> list[Json]:
        found = next(one["attributes"] for one in objects if (one["type"], one["id"]) == view)
        if "runtimeFieldMap" in found:
            found["runtimeFieldMap"] = '{"lag_ms":{"type":"long","script":{"source":"emit(1)"}}}'
        else:
            fields = json.loads(found["fields"])
            script = {"name": "lag_ms", "type": "number", "scripted": True, "lang": "painless", "script": "return 1"}
            found["fields"] = json.dumps([*fields, script])
        return objects

    release(monkeypatch, scripted)
    load(Where(server.url))
    assert "lag_ms" in json.dumps(server.places[""][view]).replace("ttyscribe.lag_ms", "")
    release(monkeypatch, lambda objects: objects)
    assert "upgraded index-pattern ttyscribe-received" in load(Where(server.url))[0]
    assert "lag_ms" not in json.dumps(server.places[""][view]).replace("ttyscribe.lag_ms", "")


def test_an_edit_is_kept_and_told_until_overwrite_takes_it_back(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(Where(server.url))
    server.edit(*PAGE, title="Mine")
    for change in (lambda objects: objects, lambda objects: retitle(objects, "Better")):
        release(monkeypatch, change)
        server.requests.clear()
        done = load(Where(server.url))
        assert any("kept as edited: dashboard ttyscribe-recordings (title) (--overwrite" in line for line in done)
        assert server.writes == []
        assert title(server) == "Mine"
    done = load(Where(server.url), overwrite=True)
    assert "took back the edit of dashboard ttyscribe-recordings (title)" in done[0]
    assert title(server) == "Better"
    assert "nothing to change" in load(Where(server.url))[0]


def test_an_edit_that_was_undone_is_none(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    load(Where(server.url))
    was = title(server)
    server.edit(*PAGE, title="Mine")
    load(Where(server.url))
    server.edit(*PAGE, title=was)
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    assert "upgraded" in load(Where(server.url))[0]


def test_an_upgrade_beside_an_edit_does_the_one_and_keeps_the_other(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(Where(server.url))
    server.edit(*VIEW, timeFieldName="received")
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    done = load(Where(server.url))
    assert "upgraded dashboard" in done[0]
    assert any("kept as edited: index-pattern ttyscribe-tlog (timeFieldName)" in line for line in done)
    assert server.places[""][VIEW]["attributes"]["timeFieldName"] == "received"


def test_counters_of_the_products_are_no_edit(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    load(Where(server.url))
    server.edit(*VIEW, fields='[{"name":"message","count":7}]', fieldAttrs='{"message":{"count":7}}')
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    assert not any("kept" in line for line in load(Where(server.url)))
    server.edit(*VIEW, fieldAttrs='{"message":{"customLabel":"Text","count":9}}')
    assert any("kept as edited: index-pattern" in line for line in load(Where(server.url)))


def test_what_was_removed_is_put_back(server: Double) -> None:
    load(Where(server.url))
    del server.places[""][PAGE]
    assert "imported and read back 1 objects" in load(Where(server.url))[0]
    assert PAGE in server.places[""]


def test_what_no_release_ships_any_more_goes_unless_it_was_edited(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(Where(server.url))
    panels = sorted(key for key in server.shipped() if key not in (PAGE, VIEW))
    gone, edited = panels[:2]
    server.edit(*edited, title="Mine")
    release(monkeypatch, lambda objects: [one for one in objects if (one["type"], one["id"]) not in (gone, edited)])
    load(Where(server.url))
    assert gone not in server.places[""]
    assert edited in server.places[""]
    server.requests.clear()
    load(Where(server.url))
    assert server.writes == []


def test_a_server_that_rewrites_objects_is_told_and_not_taken_for_an_editor(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = start("kibana", "9.5.0")
    double.rewrites = True
    release(monkeypatch, lambda objects: [{**o, "attributes": {**o["attributes"], "description": ""}} for o in objects])
    assert any("in the form of its own version" in line for line in load(Where(double.url)))
    double.requests.clear()
    assert "nothing to change" in load(Where(double.url))[0]
    assert double.writes == []


def test_a_servers_own_upgrade_is_no_edit(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    double = start("kibana", "8.19.9")
    load(Where(double.url))
    double.version = "9.5.0"
    double.upgrade()
    for one in double.places[""].values():  # its new version has an attribute more
        one["attributes"]["more"] = "x"
    assert "nothing to change" in load(Where(double.url))[0]
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    assert "upgraded" in load(Where(double.url))[0]


def test_kibana_upgraded_to_one_that_has_lens_gets_the_other_bundle_in_place(start: Start) -> None:
    double = start("kibana", "8.8.2")
    load(Where(double.url))
    double.version, double.known = "9.5.0", start("kibana", "9.5.0").known
    load(Where(double.url))
    assert double.shipped() == {(one["type"], one["id"]) for one in bundles.committed("kibana")}


def test_an_attribute_that_is_not_kept_is_told(server: Double) -> None:
    server.drop = {"timeFieldName"}
    with pytest.raises(ConfigError, match=r"something else than what was sent: index-pattern .* \(timeFieldName\)"):
        load(Where(server.url))


class Killed(BaseException):
    """The process is no more: nobody catches this."""


def cut(monkeypatch: pytest.MonkeyPatch, at: int, *, before: bool) -> None:
    """End the loader at a request, before or after the server has it."""
    real, count = Client.request, iter(range(10_000))

    def request(self: Client, *arguments: Any, **more: Any) -> Any:
        is_last = next(count) == at
        if is_last and before:
            raise Killed
        answer = real(self, *arguments, **more)
        if is_last:
            raise Killed
        return answer

    monkeypatch.setattr(Client, "request", request)


@pytest.mark.parametrize("before", [True, False])
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(
    server: Double, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the install, then an upgrade, each cut at every request in turn."""
    server.rewrites = server.flavour == "kibana"
    for objects in (lambda them: them, lambda them: retitle(them[:-1], "Better")):
        release(monkeypatch, objects)
        for at in range(100):
            start = {place: dict(held) for place, held in server.places.items()}
            with monkeypatch.context() as patch:
                cut(patch, at, before=before)
                try:
                    load(Where(server.url))
                except Killed:
                    done = False
                else:
                    done = True
            if done:
                break
            told = load(Where(server.url))
            assert not any("kept as edited" in line for line in told), (at, told)
            server.requests.clear()
            assert "nothing to change" in load(Where(server.url))[0]
            assert server.writes == []
            assert server.shipped() == {(one["type"], one["id"]) for one in objects(bundles.committed(bundle(server)))}
            server.places |= start
        assert at > 5


def bundle(server: Double) -> bundles.Bundle:
    """The bundle that the server takes."""
    return "kibana" if server.flavour == "kibana" else "opensearch-dashboards"


def test_an_edit_after_an_interrupted_run_was_finished_is_kept(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        cut(patch, len(["status", "place", "memory", "objects", "note", "noted"]), before=False)
        with pytest.raises(Killed):
            load(Where(server.url))
    load(Where(server.url))
    server.edit(*PAGE, title="Mine")
    assert any("kept as edited: dashboard" in line for line in load(Where(server.url)))


def test_links_that_a_server_adds_are_its_own_matter(server: Double) -> None:
    """As OpenSearch Dashboards does for its data sources."""
    server.link = {"name": "dataSource", "type": "data-source", "id": "elsewhere"}
    load(Where(server.url))
    server.requests.clear()
    assert "nothing to change" in load(Where(server.url))[0]
    assert server.writes == []


def test_what_is_not_kept_whole_does_not_hide_behind_the_memory(server: Double) -> None:
    server.drop = {"timeFieldName"}
    for _ in range(2):
        with pytest.raises(ConfigError, match="something else than what was sent"):
            load(Where(server.url), overwrite=True)
    server.drop = set()
    load(Where(server.url), overwrite=True)
    assert "nothing to change" in load(Where(server.url))[0]


def test_without_the_memory_what_differs_counts_as_an_edit(server: Double) -> None:
    load(Where(server.url))
    server.edit(*PAGE, title="Mine")
    del server.places[""][MEMORY]
    assert any("kept as edited: dashboard" in line for line in load(Where(server.url)))
    assert MEMORY in server.places[""]
    server.requests.clear()
    load(Where(server.url))
    assert server.writes == []


@pytest.mark.parametrize(
    "state", ["", "{", "[]", '{"ttyscribe":7}', '{"ttyscribe":{"objects":{"a b":[1],"c":["x"],"":null}}}', "[" * 9999]
)
def test_a_memory_that_was_damaged_is_written_anew(server: Double, state: str) -> None:
    load(Where(server.url))
    server.edit(*MEMORY, uiStateJSON=state)
    assert "nothing to change" in load(Where(server.url))[0]
    assert "ttyscribe-recordings" in server.places[""][MEMORY]["attributes"]["uiStateJSON"]


def test_the_players_address_is_kept_until_another_is_given_or_it_is_taken_away(server: Double) -> None:
    def template() -> object:
        formats = json.loads(server.places[""][VIEW]["attributes"]["fieldFormatMap"])
        return formats.get("ttyscribe.recording", {}).get("params", {}).get("urlTemplate")

    load(Where(server.url), player_url="https://one.example")
    server.requests.clear()
    load(Where(server.url))
    assert server.writes == []
    assert template() == "https://one.example/{{value}}"
    load(Where(server.url), player_url="https://two.example")
    assert template() == "https://two.example/{{value}}"
    load(Where(server.url), player_url="")
    assert template() is None


def test_a_dry_run_tells_and_writes_nothing(server: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    told = load(Where(server.url), dry_run=True)
    assert "would import index-pattern ttyscribe-tlog" in told[0]
    assert server.writes == []
    load(Where(server.url))
    server.edit(*VIEW, timeFieldName="x")
    release(monkeypatch, lambda objects: retitle(objects, "Better"))
    server.requests.clear()
    told = load(Where(server.url), dry_run=True)
    assert told[0].endswith("would upgrade dashboard ttyscribe-recordings (title)")
    assert any("kept as edited: index-pattern" in line for line in told)
    assert any("would take back the edit of" in t for t in load(Where(server.url), dry_run=True, overwrite=True))
    assert server.writes == []
    told = unload(Where(server.url), dry_run=True)
    assert any("would remove" in line for line in told)
    assert server.writes == []


def test_removal_leaves_nothing_and_can_be_repeated(server: Double) -> None:
    load(Where(server.url))
    load(Where(server.url, prefix="t1"))
    done = unload(Where(server.url))
    assert "removed" in done[0]
    assert all("t1-" in name for _, name in server.places[""])
    server.requests.clear()
    assert "nothing of ours" in unload(Where(server.url))[0]
    assert server.writes == []


def test_removal_keeps_an_edit_and_what_it_needs(server: Double) -> None:
    load(Where(server.url))
    panel = next(key for key in sorted(server.shipped()) if key[1] == "ttyscribe-recordings-count")
    server.edit(*panel, title="Mine")
    done = unload(Where(server.url))
    assert set(server.shipped()) == {panel, VIEW}
    assert any("kept as edited" in line and panel[1] in line for line in done)
    unload(Where(server.url), overwrite=True)
    assert not server.places[""]


def test_what_cannot_be_removed_is_named_with_what_to_do(server: Double) -> None:
    load(Where(server.url))
    server.undeletable = {PAGE[1]}
    with pytest.raises(ConfigError, match=r"cannot remove dashboard ttyscribe-recordings \(400: Unable.*by hand"):
        unload(Where(server.url))
    server.undeletable = set()
    server.faults = [Fault("", 404, b'{"message":"Not Found"}', method="DELETE")]  # a server without the interface
    with pytest.raises(ConfigError, match=r"cannot remove dashboard ttyscribe-recordings.*by hand"):
        unload(Where(server.url))
