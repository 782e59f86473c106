# SPDX-License-Identifier: Apache-2.0
"""Dashboards as bundles of saved objects: NDJSON that both products import.

Two levels. `kibana` (8.9 and later): Lens, by reference, versioned per type. `opensearch-dashboards` (any OpenSearch
Dashboards, and Kibana 7.10 to 8.8): aggregation-based, at the highest versions and with only the attributes that its
strict mapping has. The importer refuses whatever carries a newer version than its own, and migrates what is older: so
both bundles stand at the lowest level that holds what they say.
"""

import json
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from ttyscribe_kibana import aggs, lens
from ttyscribe_kibana.aggs import compact
from ttyscribe_kibana.dashboards import DASHBOARDS
from ttyscribe_kibana.mapping import field_list, field_mappings
from ttyscribe_kibana.panels import Dashboard, DataView, Panel

Bundle = Literal["kibana", "opensearch-dashboards"]
BUNDLES: tuple[Bundle, ...] = ("kibana", "opensearch-dashboards")

SavedObject = dict[str, Any]

NAME = "ttyscribe"
CORE_VERSION = "8.8.0"
"""The same for every Kibana from 8.8 on."""
KIBANA_VERSIONS = {"index-pattern": "8.0.0", "lens": "8.9.0", "visualization": "8.5.0", "dashboard": "8.9.0"}
OPENSEARCH_VERSIONS = {"index-pattern": "7.6.0", "visualization": "7.10.0", "dashboard": "7.9.3"}
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
    views = {dashboard.data.slug: dashboard.data for dashboard in DASHBOARDS}
    made = [_data_view(bundle, view, folder) for view in views.values()]
    for dashboard in DASHBOARDS:
        made += _panels(bundle, dashboard)
        made.append(_dashboard(bundle, dashboard))
    return made


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
    attributes: SavedObject = {"title": _id(view.kind), "timeFieldName": view.time_field}
    if bundle == "kibana":
        formats = {field: shown.kibana for field, shown in view.formats.items()}
        attributes |= {"name": view.title, "fields": "[]", "fieldAttrs": "{}", "runtimeFieldMap": "{}"}
    else:
        formats = {field: shown.opensearch for field, shown in view.formats.items()}
        attributes["fields"] = compact(field_list(field_mappings(view.kind, folder)))
    attributes["fieldFormatMap"] = compact(formats)
    return _saved(bundle, "index-pattern", _id(view.slug), attributes, [])


def _panels(bundle: Bundle, dashboard: Dashboard) -> Iterator[SavedObject]:
    view = dashboard.data
    for panel in dashboard.panels:
        name = _id(dashboard.slug, panel.slug)
        if _kind(bundle, panel) == lens.TYPE:
            attributes, reference = lens.attributes(panel, view.time_field), lens.REFERENCE
        else:
            attributes, reference = aggs.attributes(panel, view.time_field), aggs.INDEX_REFERENCE
        references = [_reference(reference, "index-pattern", _id(view.slug))]
        yield _saved(bundle, _kind(bundle, panel), name, attributes, references)


def _kind(bundle: Bundle, panel: Panel) -> str:
    return lens.TYPE if bundle == "kibana" and not panel.needs_aggs else aggs.TYPE


def _dashboard(bundle: Bundle, dashboard: Dashboard) -> SavedObject:
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    options: SavedObject = {"useMargins": True, "hidePanelTitles": False}
    if bundle == "kibana":
        options |= {"syncColors": True, "syncCursor": True, "syncTooltips": False}
    attributes = {
        "title": f"{NAME}: {dashboard.title}",
        "description": dashboard.description,
        "hits": 0,
        "panelsJSON": compact([_place(bundle, panel) for panel in dashboard.panels]),
        "optionsJSON": compact(options),
        "version": 1,
        "timeRestore": True,
        "timeFrom": dashboard.since,
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 60_000},
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact(source)},
    }
    references = [
        _reference(_panel_reference(bundle, panel), _kind(bundle, panel), _id(dashboard.slug, panel.slug))
        for panel in dashboard.panels
    ]
    return _saved(bundle, "dashboard", _id(dashboard.slug), attributes, references)


def _panel_reference(bundle: Bundle, panel: Panel) -> str:
    """Kibana 8 puts the panel's index before the name that the panel gives; the older level does not."""
    name = f"panel_{panel.slug}"
    return f"{panel.slug}:{name}" if bundle == "kibana" else name


def _place(bundle: Bundle, panel: Panel) -> SavedObject:
    place = {
        "version": _PANEL_VERSIONS[bundle],
        "gridData": {**panel.grid._asdict(), "i": panel.slug},
        "panelIndex": panel.slug,
        "embeddableConfig": {},
        "panelRefName": f"panel_{panel.slug}",
    }
    return place | {"type": _kind(bundle, panel)} if bundle == "kibana" else place
