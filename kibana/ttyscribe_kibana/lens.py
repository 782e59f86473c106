# SPDX-License-Identifier: Apache-2.0
"""Panels as Lens visualizations of Kibana 8.9 and later (data source `formBased`)."""

from typing import Any

from ttyscribe_kibana.panels import CHARTS, Group, Measure, Panel

LAYER = "layer"
TIME = "time"
TYPE = "lens"
REFERENCE = f"indexpattern-datasource-layer-{LAYER}"
_RECORDS = "___records___"
_OPERATIONS = {
    "count": "count",
    "unique": "unique_count",
    "sum": "sum",
    "min": "min",
    "max": "max",
    "average": "average",
}
_SERIES = {"bar": "bar_stacked", "area": "area", "line": "line", "ranking": "bar_horizontal_stacked"}
_VISUALIZATION = {"metric": "lnsMetric", "table": "lnsDatatable"} | dict.fromkeys(_SERIES, "lnsXY")
BARS = 60
"""Most bars of a chart along a number."""

TIMES = ("@timestamp", "ttyscribe.received")
"""Fields whose least and greatest value is shown as a time."""

Json = dict[str, Any]


def attributes(panel: Panel, time_field: str) -> Json:
    """The attributes of the saved object."""
    columns = _columns(panel, time_field)
    layer = {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}, "sampling": 1}
    return {
        "title": panel.title,
        "description": panel.description,
        "visualizationType": _VISUALIZATION[panel.kind],
        "state": {
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}},
            "visualization": _visualization(panel),
            "query": {"query": panel.query, "language": "kuery"},
            "filters": [],
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def _group_id(index: int) -> str:
    return f"group-{index}"


def _measure_id(index: int) -> str:
    return f"measure-{index}"


def _columns(panel: Panel, time_field: str) -> dict[str, Json]:
    """Columns in the order in which Lens nests them: groups, then time, then measures.

    The group stands before the time, so that its top values are those of the whole range.
    """
    columns = {_group_id(n): _terms(group) for n, group in enumerate(panel.groups)}
    if panel.kind in CHARTS:
        columns[TIME] = _ranges(panel.along) if panel.along else _histogram(time_field)
    columns.update((_measure_id(n), _measure(measure, time_field)) for n, measure in enumerate(panel.measures))
    return columns


def _terms(group: Group) -> Json:
    return {
        "label": group.label,
        "customLabel": True,
        # Lens shows the number type by the field; `string` is what it writes for every terms column of keywords.
        "dataType": "string",
        "operationType": "terms",
        "scale": "ordinal",
        "sourceField": group.field,
        "isBucketed": True,
        "params": {
            "size": group.size,
            "orderBy": {"type": "column", "columnId": _measure_id(group.by)},
            "orderDirection": "desc",
            "otherBucket": False,
            "missingBucket": group.missing,
            "parentFormat": {"id": "terms"},
            "include": [],
            "exclude": [],
            "includeIsRegex": False,
            "excludeIsRegex": False,
            "secondaryFields": [],
        },
    }


def _histogram(time_field: str) -> Json:
    return {
        "label": time_field,
        "dataType": "date",
        "operationType": "date_histogram",
        "sourceField": time_field,
        "isBucketed": True,
        "scale": "interval",
        "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
    }


def _ranges(field: str) -> Json:
    """Intervals of a number, which Lens makes as wide as the values ask for."""
    return {
        "label": field,
        "dataType": "number",
        "operationType": "range",
        "sourceField": field,
        "isBucketed": True,
        "scale": "interval",
        "params": {
            "type": "histogram",
            "ranges": [{"from": 0, "to": 1000, "label": ""}],
            "maxBars": BARS,
            "includeEmptyRows": True,
        },
    }


def _measure(measure: Measure, time_field: str) -> Json:
    return {
        "label": measure.label,
        "customLabel": True,
        "dataType": "date" if measure.field in (time_field, *TIMES) else "number",
        "operationType": _OPERATIONS[measure.operation],
        "scale": "ratio",
        "sourceField": measure.field or _RECORDS,
        "isBucketed": False,
        # An empty range shows 0, not a dash: nothing was recorded is an answer.
        "params": {"emptyAsNull": False},
    }


def _visualization(panel: Panel) -> Json:
    measures = [_measure_id(n) for n in range(len(panel.measures))]
    if panel.kind == "metric":
        return {"layerId": LAYER, "layerType": "data", "metricAccessor": measures[0]}
    if panel.kind == "table":
        shown = [_group_id(n) for n in range(len(panel.groups))] + measures
        return {
            "layerId": LAYER,
            "layerType": "data",
            "columns": [{"columnId": column} for column in shown],
            "paging": {"size": 10, "enabled": True},
        }
    layer: Json = {
        "layerId": LAYER,
        "layerType": "data",
        "seriesType": _SERIES[panel.kind],
        "xAccessor": TIME if panel.kind in CHARTS else _group_id(0),
        "accessors": measures,
        "position": "top",
        "showGridlines": False,
    }
    splits = panel.groups if panel.kind in CHARTS else panel.groups[1:]
    if splits:
        layer["splitAccessor"] = _group_id(panel.groups.index(splits[0]))
    return {
        "preferredSeriesType": _SERIES[panel.kind],
        "layers": [layer],
        "legend": {"isVisible": panel.kind in CHARTS or bool(splits), "position": "right"},
        "valueLabels": "hide",
        "fittingFunction": "None",
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": False, "yRight": False},
    }
