# SPDX-License-Identifier: Apache-2.0
"""The bundles as shipped: whole, at the right versions, and about fields that exist."""

import json
from collections import Counter
from itertools import combinations
from typing import Any

import pytest

from tests.kibana.double import STRICT
from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana import kql
from ttyscribe_kibana.bundle import BUNDLES, Bundle, committed, generated, ndjson
from ttyscribe_kibana.fit import fitted, link_template
from ttyscribe_kibana.mapping import aggregatable, field_list, field_mappings
from ttyscribe_kibana.panels import COLUMNS

Json = dict[str, Any]

NESTED = {
    "dashboard": ("panelsJSON", "optionsJSON"),
    "visualization": ("visState", "uiStateJSON"),
    "index-pattern": ("fields", "fieldFormatMap", "fieldAttrs", "runtimeFieldMap"),
    "lens": (),
}
KIBANA_8_9 = {"index-pattern": (8, 0, 0), "lens": (8, 9, 0), "visualization": (8, 5, 0), "dashboard": (8, 9, 0)}
OPENSEARCH = {"index-pattern": (7, 6, 0), "visualization": (7, 10, 0), "dashboard": (7, 9, 3)}
NUMBERS = ("long", "double")
TIMES = ("date", "date_nanos")
ALLOWED = {
    "terms": ("keyword", "ip", *NUMBERS, *TIMES),
    "cardinality": ("keyword", "ip", *NUMBERS, *TIMES),
    "sum": NUMBERS,
    "min": (*NUMBERS, *TIMES),
    "max": (*NUMBERS, *TIMES),
    "date_histogram": TIMES,
}
"""Aggregation -> field types that both engines and both editors take."""


@pytest.fixture(params=BUNDLES)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    """Each bundle."""
    found: Bundle = request.param
    return found


@pytest.fixture
def saved(bundle: Bundle) -> list[Json]:
    """The objects of each bundle."""
    return committed(bundle)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _uses(one: Json) -> list[tuple[str, str]]:
    """Aggregation and field of everything that a panel asks."""
    if one["type"] == "lens":
        names = {"unique_count": "cardinality"}
        (layer,) = one["attributes"]["state"]["datasourceStates"]["formBased"]["layers"].values()
        columns = [c for c in layer["columns"].values() if c["operationType"] != "count"]
        return [(names.get(c["operationType"], c["operationType"]), c["sourceField"]) for c in columns]
    state = json.loads(one["attributes"]["visState"])
    return [(agg["type"], agg["params"]["field"]) for agg in state["aggs"] if agg["type"] != "count"]


def _query(one: Json) -> str:
    if one["type"] == "lens":
        return str(one["attributes"]["state"]["query"]["query"])
    return str(json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"])


def _panels(saved: list[Json]) -> list[Json]:
    return [one for one in saved if one["type"] in ("lens", "visualization")]


def test_what_is_shipped_is_what_the_panels_and_templates_give(bundle: Bundle) -> None:
    assert ndjson(committed(bundle)) == generated()[f"{bundle}.ndjson"]


def test_ids_are_stable_and_unique(saved: list[Json]) -> None:
    """An id that changes would leave the old object behind at the next upgrade."""
    names = [one["id"] for one in saved]
    panels = (
        *("count", "users", "hosts", "messages", "shown", "untrusted", "active", "trust", "newest"),
        *("top-users", "top-hosts", "longest", "biggest", "sizes", "conflicts"),
    )
    expected = ["ttyscribe-tlog", *(f"ttyscribe-recordings-{slug}" for slug in panels), "ttyscribe-recordings"]
    assert names == expected


def test_every_reference_resolves_inside_the_bundle_to_an_earlier_object(saved: list[Json]) -> None:
    seen: set[tuple[str, str]] = set()
    for one in saved:
        assert {(reference["type"], reference["id"]) for reference in one["references"]} <= seen
        seen.add((one["type"], one["id"]))


def test_json_inside_json_parses(saved: list[Json]) -> None:
    for one in saved:
        attributes = one["attributes"]
        nested = [attributes[name] for name in NESTED[one["type"]] if name in attributes]
        if "kibanaSavedObjectMeta" in attributes:
            nested.append(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
        for text in nested:
            assert isinstance(text, str)
            assert isinstance(json.loads(text), dict | list)


def test_each_panel_on_the_page_names_its_reference(bundle: Bundle, saved: list[Json]) -> None:
    """By-reference panels: Kibana 8 puts the panel's index before the name, the older level does not."""
    (page,) = [one for one in saved if one["type"] == "dashboard"]
    names = [reference["name"] for reference in page["references"]]
    places = json.loads(page["attributes"]["panelsJSON"])
    fronts = [f"{place['panelIndex']}:" if bundle == "kibana" else "" for place in places]
    assert names == [front + place["panelRefName"] for front, place in zip(fronts, places, strict=True)]
    assert all(place["panelIndex"] == place["gridData"]["i"] for place in places)
    assert len(places) == len(_panels(saved))


def test_each_visualization_names_its_data_view(saved: list[Json]) -> None:
    for one in _panels(saved):
        (reference,) = one["references"]
        if one["type"] == "lens":
            (layer,) = one["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
            assert reference["name"] == f"indexpattern-datasource-layer-{layer}"
        else:
            source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            assert source["indexRefName"] == reference["name"] == "kibanaSavedObjectMeta.searchSourceJSON.index"


def test_the_grid_has_no_overlap_no_hole_and_48_columns(saved: list[Json]) -> None:
    (page,) = [one for one in saved if one["type"] == "dashboard"]
    cells: Counter[tuple[int, int]] = Counter()
    for place in json.loads(page["attributes"]["panelsJSON"]):
        grid = place["gridData"]
        cells.update((grid["x"] + dx, grid["y"] + dy) for dx in range(grid["w"]) for dy in range(grid["h"]))
    assert set(cells.values()) == {1}
    height = 1 + max(y for _, y in cells)
    assert set(cells) == {(x, y) for x in range(COLUMNS) for y in range(height)}


def test_each_field_exists_with_a_type_that_its_aggregation_allows(saved: list[Json]) -> None:
    mappings = field_mappings("tlog")
    for one in _panels(saved):
        for aggregation, field in _uses(one):
            assert aggregatable(mappings[field]), field
            assert mappings[field]["type"] in ALLOWED[aggregation], (one["id"], aggregation, field)


def test_each_filter_reads_fields_that_can_be_searched(saved: list[Json]) -> None:
    mappings = field_mappings("tlog")
    asked = {field for one in _panels(saved) for field in kql.fields(_query(one))}
    assert asked == {"ttyscribe.trust"}
    assert all(mappings[field].get("index", True) for field in asked)


def test_formats_are_for_fields_that_exist(saved: list[Json]) -> None:
    mappings = field_mappings("tlog")
    for one in saved:
        if one["type"] == "index-pattern":
            assert set(json.loads(one["attributes"]["fieldFormatMap"])) <= set(mappings)
            assert mappings[one["attributes"]["timeFieldName"]]["type"] in TIMES


def test_kibanas_versions_are_those_of_8_9() -> None:
    """What 8.9 takes, every later one takes; a higher version would be refused by it with 422."""
    for one in committed("kibana"):
        assert one["coreMigrationVersion"] == "8.8.0"
        assert _version(one["typeMigrationVersion"]) == KIBANA_8_9[one["type"]]
        assert "migrationVersion" not in one


def test_opensearch_dashboards_versions_are_at_its_ceiling() -> None:
    for one in committed("opensearch-dashboards"):
        assert {kind: _version(text) for kind, text in one["migrationVersion"].items()} == {
            one["type"]: OPENSEARCH[one["type"]]
        }
        assert "coreMigrationVersion" not in one
        assert "typeMigrationVersion" not in one


def test_opensearch_dashboards_gets_only_what_its_strict_mapping_has() -> None:
    for one in committed("opensearch-dashboards"):
        assert one["type"] in OPENSEARCH
        assert set(one["attributes"]) <= STRICT.get(one["type"], set(one["attributes"]))
        assert set(one) == {"type", "id", "attributes", "references", "migrationVersion"}


def test_opensearch_dashboards_gets_the_field_list_that_it_no_longer_makes_itself() -> None:
    view = committed("opensearch-dashboards")[0]
    fields = {field["name"]: field for field in json.loads(view["attributes"]["fields"])}
    assert fields["@timestamp"]["type"] == "date"
    assert fields["tlog.user"]["aggregatable"]
    assert fields["user.name"]["esTypes"] == ["keyword"]
    assert not fields["message"]["aggregatable"]
    assert not fields["tlog.out_txt"]["searchable"]
    assert "tlog.out_bin" not in fields
    for one in _panels(committed("opensearch-dashboards")):
        assert {field for _, field in _uses(one)} <= set(fields)


def test_both_bundles_show_the_same_panels_in_the_same_places() -> None:
    def page(bundle: Bundle) -> list[tuple[str, Json]]:
        saved = {one["id"]: one for one in committed(bundle)}
        places = json.loads(saved["ttyscribe-recordings"]["attributes"]["panelsJSON"])
        titles = [saved[f"ttyscribe-recordings-{place['panelIndex']}"]["attributes"]["title"] for place in places]
        return list(zip(titles, (place["gridData"] for place in places), strict=True))

    assert page("kibana") == page("opensearch-dashboards")


def test_both_bundles_ask_for_the_same_numbers() -> None:
    def asked(bundle: Bundle) -> dict[str, Counter[tuple[str, str]]]:
        return {one["id"]: Counter(_uses(one)) for one in _panels(committed(bundle))}

    assert asked("kibana") == asked("opensearch-dashboards")


def test_a_prefix_reaches_ids_references_and_pattern(bundle: Bundle, saved: list[Json]) -> None:
    moved = fitted(saved, prefix="/t1")
    for before, after in zip(saved, moved, strict=True):
        assert after["id"] == "t1-" + before["id"]
        assert [r["id"] for r in after["references"]] == ["t1-" + r["id"] for r in before["references"]]
    assert moved[0]["attributes"]["title"] == "t1-ttyscribe-tlog"
    assert moved[-1]["attributes"]["title"] == "t1-ttyscribe: Recordings"
    assert fitted(saved) == saved


@pytest.mark.parametrize(
    ("address", "template"),
    [
        ("https://play.example", "https://play.example/{{value}}"),
        ("http://play.example/r/", "http://play.example/r/{{value}}"),
        ("https://play.example/?rec={{value}}&t=0", "https://play.example/?rec={{value}}&t=0"),
    ],
)
def test_the_players_address_becomes_a_template(address: str, template: str) -> None:
    assert link_template(address) == template


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/relative", "https://", "https://ada:pw@play.example"])
def test_a_players_address_that_is_no_plain_link_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as seen:
        link_template(address)
    assert "pw@" not in str(seen.value)


def test_without_a_player_recordings_are_plain_text(saved: list[Json]) -> None:
    assert "ttyscribe.recording" not in json.loads(fitted(saved)[0]["attributes"]["fieldFormatMap"])


def test_the_field_list_says_what_the_engine_would() -> None:
    listed = field_list({"a": {"type": "keyword"}, "b": {"type": "object", "enabled": False}, "c": {"type": "text"}})
    assert [field["name"] for field in listed] == ["_id", "_index", "_score", "_source", "a", "c"]
    assert all(one["name"] != other["name"] for one, other in combinations(listed, 2))
