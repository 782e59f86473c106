# SPDX-License-Identifier: Apache-2.0
"""The bundles as shipped: whole, at the right versions, and about fields that exist."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.kibana.double import STRICT
from ttyscribe_formats.errors import ConfigError
from ttyscribe_kibana import kql
from ttyscribe_kibana.bundle import BUNDLES, Bundle, committed, generated, ndjson
from ttyscribe_kibana.dashboards import DASHBOARDS
from ttyscribe_kibana.fit import fitted, link_template
from ttyscribe_kibana.mapping import aggregatable, field_list
from ttyscribe_kibana.panels import COLUMNS, Dashboard
from ttyscribe_kibana.queries import asks
from ttyscribe_kibana.views import view_mappings

Json = dict[str, Any]

IDS = Path(__file__).with_name("ids.txt")
"""Every object by type and id, in the order of Kibana's bundle: one that changes stays behind in installations."""
NESTED = {
    "search": (),
    "dashboard": ("panelsJSON", "optionsJSON"),
    "visualization": ("visState", "uiStateJSON"),
    "index-pattern": ("fields", "fieldFormatMap", "fieldAttrs", "runtimeFieldMap"),
    "lens": (),
}
KIBANA_8_9 = {
    "index-pattern": (8, 0, 0),
    "search": (8, 0, 0),
    "lens": (8, 9, 0),
    "visualization": (8, 5, 0),
    "dashboard": (8, 9, 0),
}
OPENSEARCH = {"index-pattern": (7, 6, 0), "search": (7, 9, 3), "visualization": (7, 10, 0), "dashboard": (7, 9, 3)}
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "img"
README = Path(__file__).resolve().parents[2] / "kibana" / "README.md"
OF_PRODUCT = {"controls"}
"""Panels of OpenSearch Dashboards alone: Kibana keeps controls in the dashboard."""
NUMBERS = ("long", "double")
TIMES = ("date", "date_nanos")
ALLOWED = {
    "terms": ("keyword", "ip", *NUMBERS, *TIMES),
    "cardinality": ("keyword", "ip", *NUMBERS, *TIMES),
    "sum": NUMBERS,
    "min": (*NUMBERS, *TIMES),
    "max": (*NUMBERS, *TIMES),
    "avg": NUMBERS,
    "histogram": NUMBERS,
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
    if one["type"] == "search":
        return []
    if one["type"] == "lens":
        names = {"unique_count": "cardinality", "average": "avg", "range": "histogram"}
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
    return [one for one in saved if one["type"] not in ("index-pattern", "dashboard")]


def _asking(saved: list[Json]) -> list[Json]:
    return [one for one in _panels(saved) if asks(one)]


def _pages(saved: list[Json]) -> list[Json]:
    return [one for one in saved if one["type"] == "dashboard"]


def _places(page: Json) -> list[Json]:
    places: list[Json] = json.loads(page["attributes"]["panelsJSON"])
    return places


def _fields(one: Json) -> dict[str, Json]:
    """What the documents that a panel or control reads have, as the templates say."""
    views = {
        f"ttyscribe-{view.slug}": view for d in DASHBOARDS for view in (d.data, *(p.data for p in d.panels)) if view
    }
    (name,) = {reference["id"] for reference in one["references"] if reference["type"] == "index-pattern"}
    return view_mappings(views[name])


def test_what_is_shipped_is_what_the_panels_and_templates_give(bundle: Bundle) -> None:
    assert ndjson(committed(bundle)) == generated()[f"{bundle}.ndjson"]


def test_ids_are_stable_and_unique(bundle: Bundle, saved: list[Json]) -> None:
    """An id that changes would leave the old object behind at the next upgrade."""
    kinds = {"lens": "panel", "search": "panel", "visualization": "panel"}
    names = [f"{kinds.get(one['type'], one['type'])} {one['id']}" for one in saved]
    assert len({one["id"] for one in saved}) == len(saved)
    if bundle == "opensearch-dashboards":
        names = [name for name in names if name.rpartition("-")[2] not in OF_PRODUCT]
    assert names == IDS.read_text("utf-8").splitlines()


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
    for page in _pages(saved):
        names = [one["name"] for one in page["references"] if not one["name"].startswith("controlGroup_")]
        places = _places(page)
        fronts = [f"{place['panelIndex']}:" if bundle == "kibana" else "" for place in places]
        assert names == [front + place["panelRefName"] for front, place in zip(fronts, places, strict=True)]
        assert all(place["panelIndex"] == place["gridData"]["i"] for place in places)
    assert sum(len(_places(page)) for page in _pages(saved)) == len(_panels(saved))


def test_each_panel_that_asks_names_its_data_view(saved: list[Json]) -> None:
    for one in _asking(saved):
        (reference,) = one["references"]
        if one["type"] == "lens":
            (layer,) = one["attributes"]["state"]["datasourceStates"]["formBased"]["layers"]
            assert reference["name"] == f"indexpattern-datasource-layer-{layer}"
        else:
            source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            assert source["indexRefName"] == reference["name"] == "kibanaSavedObjectMeta.searchSourceJSON.index"


def test_the_grid_has_no_overlap_no_hole_and_48_columns(saved: list[Json]) -> None:
    for page in _pages(saved):
        cells: Counter[tuple[int, int]] = Counter()
        for place in _places(page):
            grid = place["gridData"]
            cells.update((grid["x"] + dx, grid["y"] + dy) for dx in range(grid["w"]) for dy in range(grid["h"]))
        assert set(cells.values()) == {1}, page["id"]
        height = 1 + max(y for _, y in cells)
        assert set(cells) == {(x, y) for x in range(COLUMNS) for y in range(height)}, page["id"]


def test_each_field_exists_with_a_type_that_its_aggregation_allows(saved: list[Json]) -> None:
    for one in _asking(saved):
        mappings = _fields(one)
        for aggregation, field in _uses(one):
            assert aggregatable(mappings[field]), field
            assert mappings[field]["type"] in ALLOWED[aggregation], (one["id"], aggregation, field)


def test_each_filter_reads_fields_that_can_be_searched(saved: list[Json]) -> None:
    for one in _asking(saved):
        mappings, asked = _fields(one), kql.fields(_query(one))
        assert all(mappings[field].get("index", True) for field in asked), (one["id"], asked)
        # A phrase means the whole value only where the field is not cut into words.
        assert all(mappings[field]["type"] != "text" for field in asked), (one["id"], asked)


def test_each_column_of_a_list_exists_and_can_be_shown(saved: list[Json]) -> None:
    lists = [one for one in saved if one["type"] == "search"]
    assert lists
    for one in lists:
        shown = {*one["attributes"]["columns"], *(field for field, _ in one["attributes"]["sort"])}
        assert shown <= {field["name"] for field in field_list(_fields(one))}, one["id"]
        assert all(aggregatable(_fields(one)[field]) for field, _ in one["attributes"]["sort"])


def test_controls_are_of_fields_that_can_be_listed(bundle: Bundle, saved: list[Json]) -> None:
    """Kibana keeps them in the dashboard, the other product in a panel; both say the same."""
    declared = {
        f"ttyscribe-{page.slug}": [(one.field, one.label, one.single) for one in page.controls] for page in DASHBOARDS
    }
    found = {}
    for page in _pages(saved):
        controls = _kibana_controls(page) if bundle == "kibana" else _opensearch_controls(page, saved)
        found[page["id"]] = [(field, label, single) for field, label, single, _ in controls]
        holder = page if bundle == "kibana" else next(one for one in saved if one["id"] == f"{page['id']}-controls")
        names = {reference["name"] for reference in holder["references"]}
        assert all(name in names for *_, name in controls)
        assert all(aggregatable(_fields(holder)[field]) for field, *_ in controls)
    assert found == declared


def _kibana_controls(page: Json) -> list[tuple[str, str, bool, str]]:
    group = page["attributes"]["controlGroupInput"]
    assert isinstance(json.loads(group["ignoreParentSettingsJSON"]), dict)
    controls = json.loads(group["panelsJSON"])
    assert [one["order"] for one in controls.values()] == list(range(len(controls)))
    inputs = {key: one["explicitInput"] for key, one in controls.items()}
    return [
        (one["fieldName"], one["title"], one["singleSelect"], f"controlGroup_{key}:optionsListDataView")
        for key, one in inputs.items()
    ]


def _opensearch_controls(page: Json, saved: list[Json]) -> list[tuple[str, str, bool, str]]:
    panel = next(one for one in saved if one["id"] == f"{page['id']}-controls")
    controls = json.loads(panel["attributes"]["visState"])["params"]["controls"]
    return [
        (one["fieldName"], one["label"], not one["options"]["multiselect"], one["indexPatternRefName"])
        for one in controls
    ]


def test_each_page_links_to_every_other_one(saved: list[Json]) -> None:
    """By the fragment alone, so that it holds in any space, workspace and below any path."""
    pages = {page["id"] for page in _pages(saved)}
    assert len(pages) == len(DASHBOARDS)
    for page in pages:
        panel = next(one for one in saved if one["id"] == f"{page}-links")
        text = json.loads(panel["attributes"]["visState"])["params"]["markdown"]
        assert set(re.findall(r"\]\(#/view/([^)]*)\)", text)) == pages - {page}
        moved = next(one for one in fitted(saved, prefix="/t1") if one["id"] == f"t1-{page}-links")
        text = json.loads(moved["attributes"]["visState"])["params"]["markdown"]
        assert set(re.findall(r"\]\(#/view/([^)]*)\)", text)) == {f"t1-{other}" for other in pages - {page}}


def test_formats_are_for_fields_that_exist(saved: list[Json]) -> None:
    for one in saved:
        if one["type"] == "index-pattern":
            mappings = _fields({"references": [one]})
            assert set(json.loads(one["attributes"]["fieldFormatMap"])) <= set(mappings)
            assert mappings[one["attributes"]["timeFieldName"]]["type"] in TIMES


def test_nothing_is_computed_by_scripts(saved: list[Json]) -> None:
    """Clusters may forbid them, and over many documents they are slow: what panels measure is stored."""
    text = json.dumps(saved)
    for word in ("painless", "doc[", "emit(", '\\"scripted\\":true'):
        assert word not in text
    views = [one["attributes"] for one in saved if one["type"] == "index-pattern"]
    assert all(json.loads(view.get("runtimeFieldMap", "{}")) == {} for view in views)
    assert all(not field["scripted"] for view in views for field in json.loads(view["fields"]))


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.slug)
def test_each_page_has_a_picture_that_shows_all_of_its_panels(page: Dashboard) -> None:
    text = (PICTURES / f"{page.slug}-dashboard.svg").read_text("utf-8")
    assert f"docs/img/{page.slug}-dashboard.svg" in README.read_text("utf-8")
    words = {element.text for element in ET.fromstring(text).iter("{http://www.w3.org/2000/svg}text")}
    assert {panel.title for panel in page.panels} <= words
    assert {other.title for other in DASHBOARDS} <= words
    assert "No results" not in words


def test_kinds_that_differ_over_a_field_are_refused(tmp_path: Path) -> None:
    """One data view over all kinds is possible only while a name means one type."""
    for kind, shape in (("a", "keyword"), ("b", "long")):
        mappings = {"properties": {"x": {"type": shape}}}
        text = json.dumps({"composed_of": [], "template": {"mappings": mappings}})
        (tmp_path / f"index.ttyscribe-{kind}.json").write_text(text, "utf-8")
    view = DASHBOARDS[0].data._replace(kind="*")
    with pytest.raises(ValueError, match="x is long in kind b and keyword"):
        view_mappings(view, tmp_path)


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
    view = next(one for one in committed("opensearch-dashboards") if one["id"] == "ttyscribe-tlog")
    fields = {field["name"]: field for field in json.loads(view["attributes"]["fields"])}
    assert fields["@timestamp"]["type"] == "date"
    assert fields["tlog.user"]["aggregatable"]
    assert fields["user.name"]["esTypes"] == ["keyword"]
    assert not fields["message"]["aggregatable"]
    assert not fields["tlog.out_txt"]["searchable"]
    assert "tlog.out_bin" not in fields
    saved = {one["id"]: one for one in committed("opensearch-dashboards")}
    for one in _asking(list(saved.values())):
        listed = json.loads(saved[one["references"][0]["id"]]["attributes"]["fields"])
        assert {field for _, field in _uses(one)} <= {field["name"] for field in listed}


def test_both_bundles_show_the_same_panels_in_the_same_places() -> None:
    """Beside the row of links and controls, which each product has in its own way."""

    def pages(bundle: Bundle) -> dict[str, list[tuple[str, Json]]]:
        saved = {one["id"]: one for one in committed(bundle)}
        return {
            page["id"]: [
                (saved[f"{page['id']}-{place['panelIndex']}"]["attributes"]["title"], place["gridData"])
                for place in _places(page)
                if place["panelIndex"] not in {"links", *OF_PRODUCT}
            ]
            for page in _pages(list(saved.values()))
        }

    assert pages("kibana") == pages("opensearch-dashboards")


def test_both_bundles_ask_for_the_same_numbers() -> None:
    def asked(bundle: Bundle) -> dict[str, tuple[str, Counter[tuple[str, str]]]]:
        return {one["id"]: (_query(one), Counter(_uses(one))) for one in _asking(committed(bundle))}

    assert asked("kibana") == asked("opensearch-dashboards")


def test_a_prefix_reaches_ids_references_and_pattern(bundle: Bundle, saved: list[Json]) -> None:
    moved = fitted(saved, prefix="/t1")
    for before, after in zip(saved, moved, strict=True):
        assert after["id"] == "t1-" + before["id"]
        assert [r["id"] for r in after["references"]] == ["t1-" + r["id"] for r in before["references"]]
    titles = {one["id"]: one["attributes"]["title"] for one in moved}
    assert titles["t1-ttyscribe-tlog"] == "t1-ttyscribe-tlog-*"
    assert titles["t1-ttyscribe-all"] == "t1-ttyscribe-*"
    assert titles["t1-ttyscribe-recordings"] == "t1-ttyscribe: Recordings"
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


def test_recordings_are_links_in_every_data_view_once_there_is_a_player(saved: list[Json]) -> None:
    def formats(moved: list[Json]) -> list[Json]:
        return [json.loads(one["attributes"]["fieldFormatMap"]) for one in moved if one["type"] == "index-pattern"]

    assert all("ttyscribe.recording" not in shown for shown in formats(fitted(saved)))
    for shown in formats(fitted(saved, player_url="https://play.example")):
        assert shown["ttyscribe.recording"]["params"]["urlTemplate"] == "https://play.example/{{value}}"


def test_the_field_list_says_what_the_engine_would() -> None:
    listed = field_list({"a": {"type": "keyword"}, "b": {"type": "object", "enabled": False}, "c": {"type": "text"}})
    assert [field["name"] for field in listed] == ["_id", "_index", "_score", "_source", "a", "c"]
    assert all(one["name"] != other["name"] for one, other in combinations(listed, 2))
