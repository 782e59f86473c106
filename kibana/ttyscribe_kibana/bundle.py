# SPDX-License-Identifier: Apache-2.0
"""Dashboards as bundles of saved objects: NDJSON that both products import.

Two levels. `kibana` (8.9 and later): Lens, by reference, versioned per type. `opensearch-dashboards` (any OpenSearch
Dashboards, and Kibana 7.10 to 8.8): aggregation-based, at the highest versions and with only the attributes that its
strict mapping has. The importer refuses whatever carries a newer version than its own, and migrates what is older: so
both bundles stand at the lowest level that holds what they say.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, NamedTuple

from ttyscribe_kibana import aggs, lens, pages
from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.dashboards import DASHBOARDS
from ttyscribe_kibana.mapping import field_list
from ttyscribe_kibana.panels import COLUMNS, Dashboard, DataView, Grid, Panel
from ttyscribe_kibana.views import ALL, view_mappings

Bundle = Literal["kibana", "opensearch-dashboards"]
BUNDLES: tuple[Bundle, ...] = ("kibana", "opensearch-dashboards")

SavedObject = dict[str, Any]

NAME = "ttyscribe"
CORE_VERSION = "8.8.0"
"""The same for every Kibana from 8.8 on."""
KIBANA_VERSIONS = {
    "index-pattern": "8.0.0",
    "search": "8.0.0",
    "lens": "8.9.0",
    "visualization": "8.5.0",
    "dashboard": "8.9.0",
}
OPENSEARCH_VERSIONS = {"index-pattern": "7.6.0", "search": "7.9.3", "visualization": "7.10.0", "dashboard": "7.9.3"}
"""The last versions that OpenSearch Dashboards knows, in every release of it."""
_PANEL_VERSIONS: dict[Bundle, str] = {"kibana": "8.9.0", "opensearch-dashboards": "7.10.0"}


def text(bundle: Bundle, folder: Traversable | None = None) -> str:
    """One bundle as NDJSON, ready to be imported; the same input gives the same bytes."""
    return ndjson(objects(bundle, folder))


def ndjson(saved: Iterable[SavedObject]) -> str:
    """One object a line."""
    return "".join(compact(one) + "\n" for one in saved)


def generated(folder: Traversable | None = None) -> dict[str, str]:
    """File name in `bundles/` and text of each bundle; `folder` holds the index templates, else those installed."""
    return {f"{bundle}.ndjson": text(bundle, folder) for bundle in BUNDLES}


def committed(bundle: Bundle) -> list[SavedObject]:
    """The objects of a bundle as they are shipped."""
    shipped = files("ttyscribe_kibana").joinpath("bundles", f"{bundle}.ndjson").read_text("utf-8")
    return [json.loads(line) for line in shipped.splitlines()]


def objects(bundle: Bundle, folder: Traversable | None = None) -> list[SavedObject]:
    """All objects of a bundle, each after what it refers to."""
    views = {view.slug: view for dashboard in DASHBOARDS for view in _views(dashboard)}
    made = [_data_view(bundle, view, folder) for view in views.values()]
    for dashboard in DASHBOARDS:
        placed = list(_placed(bundle, dashboard))
        made += [one.saved for one in placed]
        made.append(_dashboard(bundle, dashboard, placed))
    return made


def _views(dashboard: Dashboard) -> Iterator[DataView]:
    yield dashboard.data
    yield from (panel.data for panel in dashboard.panels if panel.data)


class _Placed(NamedTuple):
    """A panel's object and where it stands."""

    slug: str
    saved: SavedObject
    grid: Grid


def _covered(kind: str) -> str:
    """The names that a view reads: indices and data streams, which have no alias in common on Elasticsearch."""
    return _id(kind) if kind == ALL else f"{_id(kind)}-*"


def _id(*parts: str) -> str:
    return "-".join((NAME, *parts))


def _saved(bundle: Bundle, kind: str, name: str, attributes: SavedObject, references: list[SavedObject]) -> SavedObject:
    """A saved object with its version as the product writes it."""
    saved: SavedObject = {"type": kind, "id": name, "attributes": attributes, "references": references}
    if bundle == "kibana":
        return saved | {"coreMigrationVersion": CORE_VERSION, "typeMigrationVersion": KIBANA_VERSIONS[kind]}
    return saved | {"migrationVersion": {kind: OPENSEARCH_VERSIONS[kind]}}


def _reference(name: str, kind: str, target: str) -> SavedObject:
    return {"name": name, "type": kind, "id": target}


def _data_view(bundle: Bundle, view: DataView, folder: Traversable | None) -> SavedObject:
    """The documents to read. Kibana asks the engine for the fields each time; the other product has to be told."""
    attributes: SavedObject = {"title": _covered(view.kind), "timeFieldName": view.time_field}
    if bundle == "kibana":
        formats = {field: shown.kibana for field, shown in view.formats.items()}
        attributes |= {"name": view.title, "fields": "[]", "fieldAttrs": "{}", "runtimeFieldMap": "{}"}
    else:
        formats = {field: shown.opensearch for field, shown in view.formats.items()}
        attributes["fields"] = compact(field_list(view_mappings(view, folder)))
    attributes["fieldFormatMap"] = compact(formats)
    return _saved(bundle, "index-pattern", _id(view.slug), attributes, [])


def _placed(bundle: Bundle, dashboard: Dashboard) -> Iterator[_Placed]:
    """The row of links and controls, and below it what the page declares."""
    alone = bundle == "kibana" or not dashboard.controls
    shown = pages.links(dashboard, DASHBOARDS, NAME, width=COLUMNS if alone else COLUMNS // 2)
    yield _Placed(shown.slug, _panel(bundle, dashboard, shown), shown.grid)
    if not alone:
        attributes, names = pages.control_panel(dashboard)
        references = [_reference(name, "index-pattern", _id(dashboard.data.slug)) for name in names]
        saved = _saved(bundle, aggs.TYPE, _id(dashboard.slug, pages.CONTROLS), attributes, references)
        yield _Placed(pages.CONTROLS, saved, pages.control_place())
    for panel in dashboard.panels:
        grid = panel.grid._replace(y=panel.grid.y + pages.HEAD)
        yield _Placed(panel.slug, _panel(bundle, dashboard, panel), grid)


def _panel(bundle: Bundle, dashboard: Dashboard, panel: Panel) -> SavedObject:
    view = panel.data or dashboard.data
    name, reference = _id(dashboard.slug, panel.slug), aggs.INDEX_REFERENCE
    if panel.kind == "text":
        return _saved(bundle, aggs.TYPE, name, pages.markdown(panel), [])
    if panel.kind == "documents":
        kind = pages.SEARCH
        attributes = pages.documents(panel, view.time_field, strict=bundle != "kibana")
    elif bundle == "kibana" and not panel.needs_aggs:
        kind, attributes, reference = lens.TYPE, lens.attributes(panel, view.time_field), lens.REFERENCE
    else:
        kind, attributes = aggs.TYPE, aggs.attributes(panel, view.time_field)
    return _saved(bundle, kind, name, attributes, [_reference(reference, "index-pattern", _id(view.slug))])


def _dashboard(bundle: Bundle, dashboard: Dashboard, placed: Sequence[_Placed]) -> SavedObject:
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    options: SavedObject = {"useMargins": True, "hidePanelTitles": False}
    if bundle == "kibana":
        options |= {"syncColors": True, "syncCursor": True, "syncTooltips": False}
    attributes: SavedObject = {
        "title": f"{NAME}: {dashboard.title}",
        "description": dashboard.description,
        "hits": 0,
        "panelsJSON": compact([_place(bundle, one) for one in placed]),
        "optionsJSON": compact(options),
        "version": 1,
        "timeRestore": True,
        "timeFrom": dashboard.since,
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 60_000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact(source)},
    }
    references = [_reference(_panel_reference(bundle, one.slug), one.saved["type"], one.saved["id"]) for one in placed]
    if bundle == "kibana" and dashboard.controls:
        attributes["controlGroupInput"], names = pages.control_group(dashboard)
        references += [_reference(name, "index-pattern", _id(dashboard.data.slug)) for name in names]
    return _saved(bundle, "dashboard", _id(dashboard.slug), attributes, references)


def _panel_reference(bundle: Bundle, slug: str) -> str:
    """Kibana 8 puts the panel's index before the name that the panel gives; the older level does not."""
    name = f"panel_{slug}"
    return f"{slug}:{name}" if bundle == "kibana" else name


def _place(bundle: Bundle, one: _Placed) -> SavedObject:
    place = {
        "version": _PANEL_VERSIONS[bundle],
        "gridData": {**one.grid._asdict(), "i": one.slug},
        "panelIndex": one.slug,
        "embeddableConfig": {"hidePanelTitles": True} if one.slug in (pages.LINKS, pages.CONTROLS) else {},
        "panelRefName": f"panel_{one.slug}",
    }
    return place | {"type": one.saved["type"]} if bundle == "kibana" else place
