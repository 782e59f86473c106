# SPDX-License-Identifier: Apache-2.0
"""What a dashboard is, in words that are neither Kibana's nor OpenSearch Dashboards'.

A panel is declared once as a small value: what is counted or measured, grouped by what, and where it stands.
`lens.py` and `aggs.py` turn it into saved objects; `pages.py` those that ask nothing.
"""

from typing import Literal, NamedTuple

COLUMNS = 48
"""Width of the grid of both products."""

Operation = Literal["count", "unique", "sum", "min", "max", "average"]
Kind = Literal["metric", "bar", "area", "line", "ranking", "table", "documents", "text"]
CHARTS: tuple[Kind, ...] = ("bar", "area", "line")
"""Kinds that run along time, or along another number."""


class Measure(NamedTuple):
    """One number for each group: `count` counts documents, `unique` distinct values of the field."""

    label: str
    operation: Operation = "count"
    field: str = ""


class Group(NamedTuple):
    """The top values of a field."""

    label: str
    field: str
    size: int
    by: int = 0
    """Index of the measure that ranks the values, largest first."""
    at_least: int = 1
    """Only values that this many documents share. Above 1 the panel is aggregation-based in Kibana too: Lens has no
    way to ask it, and a table of the most frequent values would list innocent ones."""
    missing: bool = False
    """Documents without the field are a group too."""


class Grid(NamedTuple):
    """Place and size, in cells of a grid 48 wide."""

    x: int
    y: int
    w: int
    h: int


class Format(NamedTuple):
    """How values of a field are shown: formatter id and parameters, for each product as JSON values."""

    kibana: dict[str, object]
    opensearch: dict[str, object]


class DataView(NamedTuple):
    """The documents that panels read."""

    slug: str
    kind: str
    """Kind of the documents: they are in `ttyscribe-<kind>-*`; `*` reads all kinds."""
    title: str
    time_field: str
    formats: dict[str, Format]
    recording_field: str
    """The field whose values link to the player."""


class Panel(NamedTuple):
    """One panel. `bar`, `area` and `line` run along time and may be split by one group; a `ranking` is of its first
    group, split by the second; a table nests its groups; `documents` lists them as they are; `text` asks nothing."""

    slug: str
    """Makes the saved object's id: never changed, or an upgrade would leave the old object behind."""
    title: str
    kind: Kind
    grid: Grid
    measures: tuple[Measure, ...] = ()
    groups: tuple[Group, ...] = ()
    query: str = ""
    """KQL; only documents that fit are counted."""
    description: str = ""
    data: DataView | None = None
    """Read these, not those of the page."""
    along: str = ""
    """A field in ms that a chart runs along, from a recording's start, in place of time."""
    columns: tuple[str, ...] = ()
    """Fields of `documents`, from left to right."""
    oldest_first: bool = False
    text: str = ""
    """Markdown."""

    @property
    def needs_aggs(self) -> bool:
        """Tell whether Lens cannot ask this."""
        return any(group.at_least > 1 for group in self.groups)


class Control(NamedTuple):
    """A list of a field's values to choose from, which filters the whole page."""

    slug: str
    label: str
    field: str
    single: bool = False


class Dashboard(NamedTuple):
    """One page of panels over one data view; the row of links and controls above them is made for each."""

    slug: str
    title: str
    description: str
    data: DataView
    since: str
    """Where its time range starts, in date math."""
    panels: tuple[Panel, ...]
    controls: tuple[Control, ...] = ()
    hint: str = ""
    """A sentence below the links: how to begin."""
