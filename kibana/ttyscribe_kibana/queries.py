# SPDX-License-Identifier: Apache-2.0
"""What the user interface asks the engine for each panel of a bundle, and the table that it makes of the answer.

Read from the saved objects alone, Lens columns and aggregation lists, never from our own description: what is executed
here is what was shipped.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ttyscribe_kibana import kql
from ttyscribe_kibana.intervals import automatic, of_numbers, widened

Json = dict[str, Any]

_LENS_OPERATIONS = {"unique_count": "cardinality", "sum": "sum", "min": "min", "max": "max", "average": "avg"}
SAMPLE = 500
"""How many documents a list of them asks for."""
MISSING = "__missing__"
"""The key of the group of documents without the field; the user interfaces show words for it."""
_SHAPES = {
    "bar_stacked": "bar",
    "histogram": "bar",
    "area": "area",
    "line": "line",
    "bar_horizontal_stacked": "ranking",
    "horizontal_bar": "ranking",
}
_LOW, _HIGH = "low", "high"


class Span(NamedTuple):
    """The time range of the page, ms since the epoch; both ends are in it."""

    since_ms: int
    until_ms: int


class Column(NamedTuple):
    """One aggregation as a column of the panel's table."""

    key: str
    """Its number or column id in the saved object, and its name in the request."""
    label: str
    body: Json
    """The aggregation without what is nested in it; empty = the count of documents."""


class Panel(NamedTuple):
    """One panel as a question."""

    name: str
    """Id of the saved object."""
    title: str
    pattern: str
    """Title of the data view: the index, alias or pattern that is asked."""
    body: Json
    """For `POST /<pattern>/_search`."""
    groups: tuple[Column, ...]
    measures: tuple[Column, ...]
    columns: tuple[str, ...] = ()
    """Fields of a list of documents; it has no groups and no measures."""
    shape: str = ""
    """What it is drawn as: `bar`, `area`, `line`, `ranking`, or nothing of these."""
    probe: Json | None = None
    """To be asked first, where the interval depends on the values; `settled` takes the answer."""


class _Parts(NamedTuple):
    """What the kinds of saved object boil down to."""

    query: str
    groups: tuple[Column, ...] = ()
    measures: tuple[Column, ...] = ()
    columns: tuple[str, ...] = ()
    sort: tuple[Json, ...] = ()


class _View(NamedTuple):
    """What a data view reads, and the field by which its time range goes."""

    pattern: str
    time: str


def panels(saved: Sequence[Json], dashboard: str, span: Span, where: str = "") -> list[Panel]:
    """Every panel of a dashboard that asks, in the order of the page; `where` is what a control has added, as KQL.

    KeyError where a reference leads nowhere.
    """
    by_id = {(one["type"], one["id"]): one for one in saved}
    page = by_id["dashboard", dashboard]
    targets = {reference["name"]: reference for reference in page["references"]}
    found = []
    for place in json.loads(page["attributes"]["panelsJSON"]):
        name = place["panelRefName"]
        reference = targets.get(f"{place['panelIndex']}:{name}") or targets[name]
        one = by_id[reference["type"], reference["id"]]
        if asks(one):
            found.append(_panel(by_id, one, span, where))
    return found


def asks(one: Json) -> bool:
    """Tell whether a panel's object computes something: texts and controls do not."""
    if one["type"] != "visualization":
        return one["type"] in ("lens", "search")
    return json.loads(one["attributes"]["visState"])["type"] not in ("markdown", "input_control_vis")


def _panel(by_id: dict[tuple[str, str], Json], one: Json, span: Span, where: str) -> Panel:
    (reference,) = one["references"]
    attributes = by_id[reference["type"], reference["id"]]["attributes"]
    view = _View(attributes["title"], attributes["timeFieldName"])
    parts = _parts(one, span, view)
    filters = [kql.translate(parts.query), _range(view.time, span)] + ([kql.translate(where)] if where else [])
    body: Json = {"size": 0, "track_total_hits": True, "query": {"bool": {"filter": filters}}}
    probe = None
    if parts.columns:
        body |= {"size": SAMPLE, "sort": list(parts.sort), "fields": list(parts.columns), "_source": False}
    else:
        along = [column.body["histogram"] for column in parts.groups if "histogram" in column.body]
        probe = _probe(body, along[0]["field"]) if along else None
        body["aggs"] = _nest(parts.groups, parts.measures)
    title = one["attributes"]["title"]
    return Panel(one["id"], title, view.pattern, body, parts.groups, parts.measures, parts.columns, _shape(one), probe)


def _shape(one: Json) -> str:
    attributes = one["attributes"]
    if one["type"] == "lens":
        kind = attributes["state"]["visualization"].get("preferredSeriesType", "")
    else:
        kind = json.loads(attributes.get("visState", "{}")).get("type", "")
    return _SHAPES.get(kind, "")


def _parts(one: Json, span: Span, view: _View) -> _Parts:
    if one["type"] == "lens":
        return _lens(one, span)
    return _search(one, view) if one["type"] == "search" else _aggregations(one, span)


def _probe(body: Json, field: str) -> Json:
    return {**body, "aggs": {_LOW: {"min": {"field": field}}, _HIGH: {"max": {"field": field}}}}


def settled(panel: Panel, answer: Json) -> Panel:
    """The panel with its interval, after `probe` was asked."""
    low, high = (answer["aggregations"][name]["value"] or 0 for name in (_LOW, _HIGH))
    groups = tuple(_with_interval(column, low, high) for column in panel.groups)
    return panel._replace(groups=groups, probe=None, body={**panel.body, "aggs": _nest(groups, panel.measures)})


def _with_interval(column: Column, low: float, high: float) -> Column:
    if "histogram" not in column.body:
        return column
    body = dict(column.body["histogram"])
    bars = body.pop("bars", None)
    body["interval"] = of_numbers(low, high, bars) if bars else widened(low, high, body["interval"])
    return column._replace(body={"histogram": body})


def _range(field: str, span: Span) -> Json:
    return {"range": {field: {"gte": span.since_ms, "lte": span.until_ms, "format": "epoch_millis"}}}


def _search(one: Json, view: _View) -> _Parts:
    attributes = one["attributes"]
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    sort = tuple({field: {"order": order, "unmapped_type": "boolean"}} for field, order in attributes["sort"])
    # The user interfaces put the time before the columns.
    return _Parts(source["query"]["query"], columns=(view.time, *attributes["columns"]), sort=sort)


def _lens(one: Json, span: Span) -> _Parts:
    state = one["attributes"]["state"]
    (layer,) = state["datasourceStates"]["formBased"]["layers"].values()
    groups: list[Column] = []
    measures: list[Column] = []
    for key in layer["columnOrder"]:
        column = layer["columns"][key]
        made = Column(key, column["label"], _lens_body(column, layer["columns"], span))
        (groups if column["isBucketed"] else measures).append(made)
    return _Parts(state["query"]["query"], tuple(groups), tuple(measures))


def _lens_body(column: Json, columns: Json, span: Span) -> Json:
    operation, field, params = column["operationType"], column["sourceField"], column["params"]
    if operation == "count":
        return {}
    if operation == "date_histogram":
        body = {"field": field, **automatic(span.until_ms - span.since_ms), "time_zone": "UTC", "min_doc_count": 1}
        if params["includeEmptyRows"]:
            bounds = {"min": span.since_ms, "max": span.until_ms}
            body |= {"min_doc_count": 0, "extended_bounds": bounds}
        return {"date_histogram": body}
    if operation == "range":
        return {"histogram": {"field": field, "bars": params["maxBars"], "min_doc_count": 1}}
    if operation == "terms":
        by = params["orderBy"]["columnId"]
        rank = "_count" if columns[by]["operationType"] == "count" else by
        terms = {"field": field, "size": params["size"], "order": {rank: params["orderDirection"]}}
        return {"terms": terms | _missing(params)}
    return {_LENS_OPERATIONS[operation]: {"field": field}}


def _aggregations(one: Json, span: Span) -> _Parts:
    state = json.loads(one["attributes"]["visState"])
    source = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    kinds = {agg["id"]: agg["type"] for agg in state["aggs"]}
    groups: list[Column] = []
    measures: list[Column] = []
    for agg in state["aggs"]:
        label = agg["params"].get("customLabel") or agg["params"].get("field", agg["type"])
        made = Column(agg["id"], label, _aggregation_body(agg, kinds, span))
        (measures if agg["schema"] == "metric" else groups).append(made)
    return _Parts(source["query"]["query"], tuple(groups), tuple(measures))


def _aggregation_body(agg: Json, kinds: dict[str, str], span: Span) -> Json:
    kind, params = agg["type"], agg["params"]
    if kind == "count":
        return {}
    if kind == "date_histogram":
        least = {"time_zone": "UTC", "min_doc_count": params["min_doc_count"]}
        return {kind: {"field": params["field"], **automatic(span.until_ms - span.since_ms), **least}}
    if kind == "histogram":
        return {kind: {"field": params["field"], "interval": params["interval"], "min_doc_count": 1}}
    if kind == "terms":
        rank = "_count" if kinds[params["orderBy"]] == "count" else params["orderBy"]
        body = {"field": params["field"], "size": params["size"], "order": {rank: params["order"]}}
        return {kind: body | _missing(params) | json.loads(params.get("json", "{}"))}
    return {kind: {"field": params["field"]}}


def _missing(params: Json) -> Json:
    return {"missing": MISSING} if params["missingBucket"] else {}


def _nest(groups: Sequence[Column], measures: Sequence[Column]) -> Json:
    """Groups inside each other; at each level the measure that ranks it, at the innermost all of them."""
    if not groups:
        return {measure.key: measure.body for measure in measures if measure.body}
    first, rest = groups[0], groups[1:]
    inside = _nest(rest, measures)
    ranks = first.body.get("terms", {}).get("order", {})
    inside |= {measure.key: measure.body for measure in measures if measure.key in ranks}
    return {first.key: {**first.body, "aggs": inside} if inside else first.body}


def rows(panel: Panel, answer: Json) -> list[Json]:
    """The panel's table: one row for each innermost bucket, values by label; times in ms since the epoch.

    Of a list of documents, one row for each, values by field, several ones joined by a comma.
    """
    if panel.columns:
        hits = answer["hits"]["hits"]
        return [{name: ", ".join(map(str, hit["fields"].get(name, []))) for name in panel.columns} for hit in hits]
    top = {**answer.get("aggregations", {}), "doc_count": answer["hits"]["total"]["value"]}
    return list(_rows(panel.groups, panel.measures, top, {}))


def _rows(groups: Sequence[Column], measures: Sequence[Column], bucket: Json, above: Json) -> Iterator[Json]:
    if not groups:
        values = {m.label: bucket[m.key]["value"] if m.body else bucket["doc_count"] for m in measures}
        yield {**above, **values}
        return
    for inner in bucket[groups[0].key]["buckets"]:
        yield from _rows(groups[1:], measures, inner, {**above, groups[0].label: inner["key"]})
