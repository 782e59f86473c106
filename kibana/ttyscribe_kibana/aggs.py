# SPDX-License-Identifier: Apache-2.0
"""Panels as aggregation-based visualizations, at the level that OpenSearch Dashboards and Kibana 7.10 know.

Kibana 8 and 9 take them too; there they serve what Lens cannot ask.
"""

import json
from typing import Any

from ttyscribe_kibana.panels import CHARTS, Group, Measure, Panel

TYPE = "visualization"
INDEX_REFERENCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
_OPERATIONS = {
    "count": "count",
    "unique": "cardinality",
    "sum": "sum",
    "min": "min",
    "max": "max",
    "average": "avg",
}
_VISUALIZATION = {
    "metric": "metric",
    "bar": "histogram",
    "area": "area",
    "line": "line",
    "ranking": "horizontal_bar",
    "table": "table",
}
_SEGMENT = "segment"
STEP_MS = 10_000
"""Interval of a chart along a number; the user interfaces widen it where there would be too many bars."""

Json = dict[str, Any]


def compact(value: object) -> str:
    """JSON inside JSON: saved objects keep these parts as text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def attributes(panel: Panel, time_field: str) -> Json:
    """The attributes of the saved object; only names that the strict mapping of OpenSearch Dashboards has."""
    state = {
        "title": panel.title,
        "type": _VISUALIZATION[panel.kind],
        "aggs": _aggregations(panel, time_field),
        "params": _params(panel),
    }
    source = {
        "query": {"query": panel.query, "language": "kuery"},
        "filter": [],
        "indexRefName": INDEX_REFERENCE,
    }
    return {
        "title": panel.title,
        "description": panel.description,
        "visState": compact(state),
        "uiStateJSON": "{}",
        "version": 1,
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact(source)},
    }


def _aggregations(panel: Panel, time_field: str) -> list[Json]:
    """Measures first, as their numbers are what groups are ranked by; then groups, then time.

    The group stands before the time, so that its top values are those of the whole range.
    """
    found = [_measure(n + 1, measure) for n, measure in enumerate(panel.measures)]
    for index, group in enumerate(panel.groups):
        found.append(_terms(len(found) + 1, group, _schema(panel, index)))
    if panel.kind in CHARTS:
        number = len(found) + 1
        found.append(_ranges(number, panel.along) if panel.along else _histogram(number, time_field))
    return found


def _schema(panel: Panel, index: int) -> str:
    """What a group is for: a table's column, the line of a ranking, or the split of a chart."""
    if panel.kind == "table":
        return "bucket"
    return _SEGMENT if panel.kind == "ranking" and index == 0 else "group"


def _measure(number: int, measure: Measure) -> Json:
    params = {"customLabel": measure.label}
    if measure.field:
        params = {"field": measure.field} | params
    return {
        "id": str(number),
        "enabled": True,
        "type": _OPERATIONS[measure.operation],
        "schema": "metric",
        "params": params,
    }


def _terms(number: int, group: Group, schema: str) -> Json:
    params: Json = {
        "field": group.field,
        "orderBy": str(group.by + 1),
        "order": "desc",
        "size": group.size,
        "otherBucket": False,
        "otherBucketLabel": "Other",
        "missingBucket": group.missing,
        "missingBucketLabel": "Missing",
        "customLabel": group.label,
    }
    if group.at_least > 1:
        # "JSON input" of the editor: merged into the aggregation's body.
        params["json"] = compact({"min_doc_count": group.at_least})
    return {"id": str(number), "enabled": True, "type": "terms", "schema": schema, "params": params}


def _histogram(number: int, time_field: str) -> Json:
    params = {"field": time_field, "interval": "auto", "drop_partials": False, "min_doc_count": 1}
    params["extended_bounds"] = {}
    return {"id": str(number), "enabled": True, "type": "date_histogram", "schema": _SEGMENT, "params": params}


def _ranges(number: int, field: str) -> Json:
    params = {"field": field, "interval": STEP_MS, "min_doc_count": False, "has_extended_bounds": False}
    params["extended_bounds"] = {"min": "", "max": ""}
    return {"id": str(number), "enabled": True, "type": "histogram", "schema": _SEGMENT, "params": params}


def _params(panel: Panel) -> Json:
    if panel.kind == "metric":
        return _metric_params()
    if panel.kind == "table":
        return {
            "perPage": 10,
            "showPartialRows": False,
            "showMetricsAtAllLevels": False,
            "sort": {"columnIndex": None, "direction": None},
            "showTotal": False,
            "totalFunc": "sum",
            "percentageCol": "",
        }
    return _chart_params(panel)


def _metric_params() -> Json:
    return {
        "addTooltip": True,
        "addLegend": False,
        "type": "metric",
        "metric": {
            "percentageMode": False,
            "useRanges": False,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{"from": 0, "to": 10000}],
            "labels": {"show": True},
            "invertColors": False,
            "style": {"bgFill": "#000", "bgColor": False, "labelColor": False, "subText": "", "fontSize": 36},
        },
    }


def _chart_params(panel: Panel) -> Json:
    lying = panel.kind == "ranking"
    shape = "histogram" if lying else _VISUALIZATION[panel.kind]
    return {
        "type": shape,
        "grid": {"categoryLines": False},
        "categoryAxes": [_axis("CategoryAxis-1", "category", "left" if lying else "bottom") | {"title": {}}],
        "valueAxes": [
            _axis("ValueAxis-1", "value", "bottom" if lying else "left")
            | {"name": "BottomAxis-1" if lying else "LeftAxis-1", "title": {"text": _value_title(panel)}}
        ],
        "seriesParams": [
            {
                "show": True,
                "type": shape,
                "mode": "stacked" if panel.groups and panel.kind != "line" else "normal",
                "data": {"label": measure.label, "id": str(n + 1)},
                "valueAxis": "ValueAxis-1",
                "drawLinesBetweenPoints": True,
                "lineWidth": 2,
                "interpolate": "linear",
                "showCircles": True,
            }
            for n, measure in enumerate(panel.measures)
        ],
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
        "labels": {"show": False},
        "thresholdLine": {"show": False, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
    }


def _value_title(panel: Panel) -> str:
    return panel.measures[0].label if len(panel.measures) == 1 else ""


def _axis(name: str, kind: str, position: str) -> Json:
    scale = {"type": "linear"} if kind == "category" else {"type": "linear", "mode": "normal"}
    labels = {"show": True, "filter": kind == "category", "truncate": 100}
    return {
        "id": name,
        "type": kind,
        "position": position,
        "show": True,
        "style": {},
        "scale": scale,
        "labels": labels if kind == "category" else labels | {"rotate": 0},
    }
