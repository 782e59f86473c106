# SPDX-License-Identifier: Apache-2.0
"""Panels that compute nothing: the row of links and controls above each page, text, and lists of documents.

Links from page to page are of the address's fragment alone, so that they hold below any path, space, tenant or
workspace.
"""

from collections.abc import Sequence
from typing import Any

from ttyscribe_kibana.aggs import INDEX_REFERENCE, compact
from ttyscribe_kibana.panels import COLUMNS, Control, Dashboard, Grid, Panel

SEARCH = "search"
LINKS, CONTROLS = "links", "controls"
HEAD = 5
"""Height of the row of links and controls; what a page declares stands below it."""
PAGE_LINK = "#/view/"

Json = dict[str, Any]


def links(page: Dashboard, pages: Sequence[Dashboard], name: str, *, width: int) -> Panel:
    """The panel with a link to each other page; `name` is the beginning of the pages' ids."""
    parts = [
        f"**{other.title}**" if other.slug == page.slug else f"[{other.title}]({PAGE_LINK}{name}-{other.slug})"
        for other in pages
    ]
    text = " | ".join(parts) + (f"\n\n{page.hint}" if page.hint else "")
    return Panel(LINKS, "Pages", "text", Grid(0, 0, width, HEAD), text=text)


def markdown(panel: Panel) -> Json:
    """The attributes of a text; it refers to nothing."""
    params = {"markdown": panel.text, "fontSize": 12, "openLinksInNewTab": False}
    return _visualization(panel.title, panel.description, "markdown", params)


def control_panel(page: Dashboard) -> tuple[Json, list[str]]:
    """The attributes of OpenSearch Dashboards' panel of controls, and the names of its references."""
    names = [f"control_{number}_index_pattern" for number in range(len(page.controls))]
    controls = [
        {
            "id": control.slug,
            "fieldName": control.field,
            "parent": "",
            "label": control.label,
            "type": "list",
            "options": {
                "type": "terms",
                "multiselect": not control.single,
                "dynamicOptions": True,
                "size": 100,
                "order": "desc",
            },
            "indexPatternRefName": name,
        }
        for control, name in zip(page.controls, names, strict=True)
    ]
    params = {"controls": controls, "updateFiltersOnChange": True, "useTimeFilter": True, "pinFilters": False}
    return _visualization("Choose", "Filters the whole page.", "input_control_vis", params), names


def control_group(page: Dashboard) -> tuple[Json, list[str]]:
    """What Kibana keeps of controls in the dashboard itself, and the names of its references."""
    panels = {control.slug: _control(order, control) for order, control in enumerate(page.controls)}
    ignored = {"ignoreFilters": False, "ignoreQuery": False, "ignoreTimerange": False, "ignoreValidations": False}
    group = {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "panelsJSON": compact(panels),
        "ignoreParentSettingsJSON": compact(ignored),
    }
    return group, [f"controlGroup_{control.slug}:optionsListDataView" for control in page.controls]


def _control(order: int, control: Control) -> Json:
    """One control, as Kibana 8.9 and later read it."""
    return {
        "type": "optionsListControl",
        "order": order,
        "width": "medium",
        "grow": True,
        "explicitInput": {
            "id": control.slug,
            "fieldName": control.field,
            "title": control.label,
            "selectedOptions": [],
            "singleSelect": control.single,
            "sort": {"by": "_count", "direction": "desc"},
        },
    }


def control_place() -> Grid:
    """Where OpenSearch Dashboards' controls stand: to the right of the links."""
    return Grid(COLUMNS - COLUMNS // 2, 0, COLUMNS // 2, HEAD)


def documents(panel: Panel, time_field: str, *, strict: bool) -> Json:
    """The attributes of a saved search; `strict` gives the older level, whose mapping knows no more than these."""
    source = {
        "query": {"query": panel.query, "language": "kuery"},
        "filter": [],
        "highlightAll": True,
        "version": True,
        "indexRefName": INDEX_REFERENCE,
    }
    found: Json = {
        "title": panel.title,
        "description": panel.description,
        "columns": list(panel.columns),
        "sort": [[time_field, "asc" if panel.oldest_first else "desc"]],
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact(source)},
    }
    return found | ({"hits": 0, "version": 1} if strict else {"grid": {}, "hideChart": True})


def _visualization(title: str, description: str, kind: str, params: Json) -> Json:
    source = {"query": {"query": "", "language": "kuery"}, "filter": []}
    return {
        "title": title,
        "description": description,
        "visState": compact({"title": title, "type": kind, "aggs": [], "params": params}),
        "uiStateJSON": "{}",
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact(source)},
    }
