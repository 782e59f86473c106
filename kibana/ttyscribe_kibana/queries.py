# SPDX-License-Identifier: Apache-2.0
"""What the user interface asks the engine for each panel of a bundle, and the table that it makes of the answer.

Read from the saved objects alone, Lens columns and aggregation lists, never from our own description: what is executed
here is what was shipped.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ttyscribe_kibana import kql
from ttyscribe_kibana.intervals import automatic

Json = dict[str, Any]

_LENS_OPERATIONS = {"unique_count": "cardinality", "sum": "sum", "min": "min", "max": "max"}


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


class _Parts(NamedTuple):
    """What both kinds of saved object boil down to."""

    query: str
    groups: tuple[Column, ...]
    measures: tuple[Column, ...]


def panels(saved: Sequence[Json], dashboard: str, span: Span) -> list[Panel]:
    """Every panel of a dashboard, by its id, in the order of the page. KeyError where a reference leads nowhere."""
    by_id = {(one["type"], one["id"]): one for one in saved}
    page = by_id["dashboard", dashboard]
    targets = {reference["name"]: reference for reference in page["references"]}
    found = []
    for place in json.loads(page["attributes"]["panelsJSON"]):
        name = place["panelRefName"]
        reference = targets.get(f"{place['panelIndex']}:{name}") or targets[name]
        found.append(_panel(by_id, by_id[reference["type"], reference["id"]], span))
    return found


def _panel(by_id: dict[tuple[str, str], Json], one: Json, span: Span) -> Panel:
    (reference,) = one["references"]
    view = by_id[reference["type"], reference["id"]]["attributes"]
    parts = (_lens if one["type"] == "lens" else _aggregations)(one, span)
    body = {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [kql.translate(parts.query), _range(view["timeFieldName"], span)]}},
        "aggs": _nest(parts.groups, parts.measures),
    }
    return Panel(one["id"], one["attributes"]["title"], view["title"], body, parts.groups, parts.measures)


def _range(field: str, span: Span) -> Json:
    return {"range": {field: {"gte": span.since_ms, "lte": span.until_ms, "format": "epoch_millis"}}}


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
    if operation == "terms":
        by = params["orderBy"]["columnId"]
        rank = "_count" if columns[by]["operationType"] == "count" else by
        return {"terms": {"field": field, "size": params["size"], "order": {rank: params["orderDirection"]}}}
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
    if kind == "terms":
        rank = "_count" if kinds[params["orderBy"]] == "count" else params["orderBy"]
        body = {"field": params["field"], "size": params["size"], "order": {rank: params["order"]}}
        return {kind: body | json.loads(params.get("json", "{}"))}
    return {kind: {"field": params["field"]}}


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
    """The panel's table: one row for each innermost bucket, values by label; times in ms since the epoch."""
    top = {**answer.get("aggregations", {}), "doc_count": answer["hits"]["total"]["value"]}
    return list(_rows(panel.groups, panel.measures, top, {}))


def _rows(groups: Sequence[Column], measures: Sequence[Column], bucket: Json, above: Json) -> Iterator[Json]:
    if not groups:
        values = {m.label: bucket[m.key]["value"] if m.body else bucket["doc_count"] for m in measures}
        yield {**above, **values}
        return
    for inner in bucket[groups[0].key]["buckets"]:
        yield from _rows(groups[1:], measures, inner, {**above, groups[0].label: inner["key"]})
