# SPDX-License-Identifier: Apache-2.0
"""Spaces, workspaces and tenants: where the objects go, and what wrong names do."""

import pytest

from tests.kibana.conftest import Start
from tests.kibana.double import Double, Fault
from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana.load import Where, load

PAGE = ("dashboard", "ttyscribe-recordings")


@pytest.fixture
def kibana(start: Start) -> Double:
    """A Kibana with two spaces of its own."""
    double = start("kibana", "9.5.0")
    double.places |= {"/s/ops": {}, "/s/audit": {}}
    return double


@pytest.fixture
def opensearch(start: Start) -> Double:
    """An OpenSearch Dashboards without plugins."""
    return start("opensearch-dashboards", "3.8.0")


@pytest.fixture
def workspaces(opensearch: Double) -> Double:
    """The same, with workspaces enabled."""
    opensearch.workspaces = {"9gt3vk": "Operations", "aB_c-1": "Audit"}
    opensearch.places |= {"/w/9gt3vk": {}, "/w/aB_c-1": {}}
    return opensearch


def test_objects_land_in_the_named_space_and_nowhere_else(kibana: Double) -> None:
    done = load(Where(kibana.url, space="ops"))
    assert not kibana.places[""]
    assert ("dashboard", "ops~ttyscribe-recordings") in kibana.places["/s/ops"]
    assert done[-1].startswith(f"open {kibana.url}/s/ops/app/dashboards#/view/ops~ttyscribe-")
    assert "space ops" in done[0]


def test_each_space_has_ids_of_its_own_that_stay(kibana: Double) -> None:
    for space in ("", "ops", "audit"):
        load(Where(kibana.url, space=space))
    before = {name: dict(held) for name, held in kibana.places.items()}
    kibana.requests.clear()
    for space in ("default", "ops", "audit"):
        assert "nothing to change" in load(Where(kibana.url, space=space))[0]
    assert kibana.writes == []
    assert kibana.places == before
    assert not any("copy" in name for held in before.values() for _, name in held)


def test_kibanas_default_space_has_no_path(kibana: Double) -> None:
    load(Where(kibana.url, space="default"))
    assert PAGE in kibana.places[""]


def test_a_space_that_is_not_there_is_said_before_anything_is_written(kibana: Double) -> None:
    with pytest.raises(ConfigError, match=r"Kibana 9\.5\.0 .*there is no space nowhere: make it first"):
        load(Where(kibana.url, space="nowhere"))
    assert kibana.writes == []


@pytest.mark.parametrize("space", ["../s/ops", "Ops", "ops team", "a/b", "ops?x", "%2e%2e", "ops\n", "ö"])
def test_a_space_that_none_can_be_is_refused(kibana: Double, space: str) -> None:
    with pytest.raises(ConfigError, match="not a space's identifier"):
        load(Where(kibana.url, space=space))
    assert kibana.requests == ["GET /api/status"]


def test_an_id_that_another_space_has_gets_a_new_one_which_is_told(kibana: Double) -> None:
    load(Where(kibana.url))
    kibana.places["/s/audit"] = kibana.places.pop("")
    kibana.places[""] = {}
    done = load(Where(kibana.url))
    assert any("note: another place has these ids already" in line and "as copy-" in line for line in done)
    assert "view/copy-" in done[-1]


def test_the_products_have_not_each_others_places(kibana: Double, opensearch: Double) -> None:
    for where, says in (
        (Where(kibana.url, tenant="x"), "spaces, not tenants"),
        (Where(kibana.url, workspace="x"), "spaces, not workspaces"),
        (Where(opensearch.url, space="x"), "workspaces and tenants, not spaces"),
        (Where(opensearch.url, tenant="x", workspace="y"), "one of tenant and workspace"),
    ):
        with pytest.raises(ConfigError, match=says):
            load(where)


def test_a_tenant_is_named_in_each_request(opensearch: Double) -> None:
    opensearch.tenants = {"audit": True, "ada": True}
    opensearch.places["tenant:audit"] = {}
    done = load(Where(opensearch.url, tenant="audit"))
    assert PAGE in opensearch.places["tenant:audit"]
    assert not opensearch.places[""]
    assert "tenant audit" in done[0]
    opensearch.requests.clear()
    assert "nothing to change" in load(Where(opensearch.url, tenant="audit"))[0]
    assert opensearch.writes == []


def test_a_tenant_that_would_silently_become_the_global_one_is_said(opensearch: Double) -> None:
    opensearch.tenants = {"audit": True, "ops": False}
    with pytest.raises(ConfigError, match=r"no tenant adit for this user; there are audit, ops"):
        load(Where(opensearch.url, tenant="adit"))
    with pytest.raises(ConfigError, match="may read tenant ops, not write"):
        load(Where(opensearch.url, tenant="ops"))
    opensearch.tenants = None
    with pytest.raises(ConfigError, match="has no tenants"):
        load(Where(opensearch.url, tenant="audit"))
    assert not opensearch.places[""]


@pytest.mark.parametrize("tenant", ["a\r\nX-Evil: 1", "ö", "a\x00"])
def test_a_tenant_that_no_header_can_carry_is_refused(opensearch: Double, tenant: str) -> None:
    with pytest.raises(ConfigError, match="not a tenant's name"):
        load(Where(opensearch.url, tenant=tenant))


def test_a_workspace_is_found_by_id_or_by_name(workspaces: Double) -> None:
    done = load(Where(workspaces.url, workspace="Operations"))
    assert ("dashboard", "9gt3vk~ttyscribe-recordings") in workspaces.places["/w/9gt3vk"]
    assert f"{workspaces.url}/w/9gt3vk/app/dashboards#/view/9gt3vk~ttyscribe-" in done[-1]
    workspaces.requests.clear()
    assert "nothing to change" in load(Where(workspaces.url, workspace="9gt3vk"))[0]
    assert workspaces.writes == []


def test_each_workspace_has_ids_of_its_own_so_that_nothing_is_doubled(workspaces: Double) -> None:
    """An import gives an id that another workspace has a new one each time, overwrite or not."""
    for _ in range(2):
        for name in ("9gt3vk", "aB_c-1"):
            load(Where(workspaces.url, workspace=name), overwrite=True)
    for name in ("/w/9gt3vk", "/w/aB_c-1"):
        assert not any("copy" in id_ for _, id_ in workspaces.places[name])


def test_with_workspaces_one_must_be_named(workspaces: Double) -> None:
    with pytest.raises(ConfigError, match=r"--workspace with one of 9gt3vk \(Operations\), aB_c-1 \(Audit\)"):
        load(Where(workspaces.url))
    assert workspaces.writes == []


def test_workspaces_enabled_and_none_made_is_the_default_place(opensearch: Double) -> None:
    opensearch.workspaces = {}
    load(Where(opensearch.url))
    assert PAGE in opensearch.places[""]


def test_a_workspace_that_is_not_there_is_said(workspaces: Double, start: Start) -> None:
    with pytest.raises(ConfigError, match=r"there is no workspace nowhere; there are 9gt3vk"):
        load(Where(workspaces.url, workspace="nowhere"))
    workspaces.workspaces = {"a": "Same", "b": "Same"}
    with pytest.raises(ConfigError, match="several workspaces have the name Same"):
        load(Where(workspaces.url, workspace="Same"))
    with pytest.raises(ConfigError, match="has no workspaces"):
        load(Where(start("opensearch-dashboards", "2.11.0").url, workspace="x"))
    assert workspaces.writes == []


def test_hostile_names_of_workspaces_cannot_lead_elsewhere(workspaces: Double) -> None:
    workspaces.workspaces = {"../../api": "x", "\x1b[31m": "red\n"}
    for name in ("x", "../../api", "\x1b[31m"):
        with pytest.raises(ConfigError, match="there is no workspace") as seen:
            load(Where(workspaces.url, workspace=name))
        assert str(seen.value).isprintable()
    assert workspaces.writes == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"success":true,"result":7}', b'{"success":true,"result":{"workspaces":[3]}}']
)
def test_a_list_of_workspaces_that_is_none_is_taken_for_none(opensearch: Double, body: bytes) -> None:
    opensearch.faults = [Fault("workspaces/_list", 200, body)]
    load(Where(opensearch.url))
    assert PAGE in opensearch.places[""]
