# SPDX-License-Identifier: Apache-2.0
"""Draws a dashboard from its saved objects and the rows that its queries returned, as one SVG.

It is evidence and illustration, not a copy of either product's looks: same places, same titles, same numbers.
"""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from ttyscribe_kibana.queries import Panel

Json = dict[str, Any]
Rows = Sequence[Json]
Box = tuple[float, float, float, float]

CELL = 26
ROW = 20
FONT = "Inter, DejaVu Sans, sans-serif"
GAP = 5
COLOURS = ("#54b399", "#6092c0", "#d36086", "#9170b8", "#ca8eae", "#d6bf57")
TIMES = ("First time", "Last time")
SIZES = ("Shown", "Typed")


def draw(saved: Sequence[Json], dashboard: str, shown: Mapping[str, tuple[Panel, Rows]]) -> str:
    """The page as SVG; `shown` gives each panel's question and rows by the id of its saved object."""
    page = next(one for one in saved if one["id"] == dashboard)["attributes"]
    places = json.loads(page["panelsJSON"])
    height = max(place["gridData"]["y"] + place["gridData"]["h"] for place in places) * ROW + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{48 * CELL}" height="{height}" font-family="{FONT}">',
        f'<rect width="100%" height="100%" fill="#eef1f6"/>{_text(14, 32, page["title"], size=20, weight=600)}',
    ]
    for place in places:
        panel, rows = shown[f"{dashboard}-{place['panelIndex']}"]
        grid = place["gridData"]
        box = (grid["x"] * CELL + GAP, grid["y"] * ROW + 50, grid["w"] * CELL - 2 * GAP, grid["h"] * ROW - 2 * GAP)
        parts.append(_panel(panel, rows, box))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, size: int = 12, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="#1a1c21">{escape(_printable(text))}</text>'
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _panel(panel: Panel, rows: Rows, box: Box) -> str:
    x, y, w, h = box
    frame = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="#fff" stroke="#d3dae6"/>'
    inside = (x + 12, y + 34, w - 24, h - 44)
    if not panel.groups:
        body = _metric(panel, rows, box)
    elif any("date_histogram" in group.body for group in panel.groups):
        body = _chart(panel, rows, inside)
    else:
        body = _table(panel, rows, inside)
    return f"<g>{frame}{_text(x + 12, y + 20, panel.title, size=13, weight=600)}{body}</g>"


def _metric(panel: Panel, rows: Rows, box: Box) -> str:
    x, y, w, h = box
    label = panel.measures[0].label
    return _text(x + w - 14, y + h - 18, show(label, rows[0][label]), size=30, weight=600, anchor="end")


def show(label: str, value: Any) -> str:
    """A value as the data view's format shows it."""
    if value is None:
        return "-"
    if label in TIMES:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%b %d %H:%M:%S")
    if label in SIZES:
        return f"{value:,.0f} B" if value < 1024 else f"{value / 1024:,.1f} KiB"
    if label == "Duration":
        return f"{value / 60_000:,.1f} min" if value >= 60_000 else f"{value / 1000:,.1f} s"
    return value if isinstance(value, str) else f"{value:,.0f}"


def _table(panel: Panel, rows: Rows, box: Box) -> str:
    """Columns as wide as what they hold asks for; cut where the panel ends."""
    x, y, w, h = box
    labels = [column.label for column in (*panel.groups, *panel.measures)]
    if not rows:
        return _text(x, y + 18, "No results")
    lines = [[_cut(show(label, row[label])) for label in labels] for row in rows[: int((h - 22) / 22)]]
    needs = [max(len(label), *(len(line[n]) for line in lines)) + 2 for n, label in enumerate(labels)]
    edges = [x + w * sum(needs[:n]) / sum(needs) for n in range(len(labels))]
    parts = [_text(edge, y + 12, label, weight=600) for edge, label in zip(edges, labels, strict=True)]
    for number, line in enumerate(lines):
        below = y + 34 + number * 22
        parts.append(f'<line x1="{x}" x2="{x + w}" y1="{below - 16}" y2="{below - 16}" stroke="#e6ebf2"/>')
        parts += [_text(edge, below, cell) for edge, cell in zip(edges, line, strict=True)]
    return "".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= 22 else text[:21] + "…"


def _series(panel: Panel, rows: Rows) -> tuple[list[float], dict[str, dict[float, float]]]:
    """Times of all buckets, and each series' values by time."""
    time = panel.groups[-1].label
    splits = panel.groups[:-1]
    found: dict[str, dict[float, float]] = {}
    for row in rows:
        for measure in panel.measures:
            name = str(row[splits[0].label]) if splits else measure.label
            found.setdefault(name, {})[row[time]] = row[measure.label] or 0
    return sorted({row[time] for row in rows}), found


def _chart(panel: Panel, rows: Rows, box: Box) -> str:
    """Stacked bars for a split chart, lines with an area for several measures."""
    x, y, w, h = box
    times, series = _series(panel, rows)
    stacked = len(panel.groups) > 1
    plot = (x + 56, y, w - 56 - 96, h - 22)
    tops = [sum(values.get(t, 0) for values in series.values()) for t in times]
    top = max(tops if stacked else [v for values in series.values() for v in values.values()]) or 1
    parts = [_axes(plot, times, top, panel.measures[0].label)]
    base = dict.fromkeys(times, 0.0)
    for number, (name, values) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(
            _bars(plot, times, base, values, top, colour) if stacked else _area(plot, times, values, top, colour)
        )
        legend = plot[1] + 8 + number * 18
        parts.append(f'<rect x="{x + w - 84}" y="{legend - 8}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(x + w - 70, legend + 1, _cut(name)[:11], size=11))
    return "".join(parts)


def _axes(plot: Box, times: Sequence[float], top: float, label: str) -> str:
    x, y, w, h = plot
    parts = []
    for part in range(3):
        at = y + h - h * part / 2
        parts.append(f'<line x1="{x}" x2="{x + w}" y1="{at}" y2="{at}" stroke="#e6ebf2"/>')
        if top >= 2 or part != 1:
            parts.append(_text(x - 6, at + 4, show(label, top * part / 2), size=10, anchor="end"))
    for number in range(0, len(times), max(1, math.ceil(len(times) / (w // 90)))):
        day = datetime.fromtimestamp(times[number] / 1000, UTC).strftime("%b %d %H:%M")
        parts.append(_text(x + w * number / len(times), y + h + 16, day, size=10))
    return "".join(parts)


def _bars(
    plot: Box,
    times: Sequence[float],
    base: dict[float, float],
    values: Mapping[float, float],
    top: float,
    colour: str,
) -> str:
    x, y, w, h = plot
    width = w / len(times)
    parts = []
    for number, time in enumerate(times):
        value = values.get(time, 0)
        high = h * value / top
        below = y + h - h * base[time] / top
        base[time] += value
        if value:
            parts.append(
                f'<rect x="{x + number * width + 1:.1f}" y="{below - high:.1f}" width="{width - 2:.1f}" '
                f'height="{high:.1f}" fill="{colour}"/>'
            )
    return "".join(parts)


def _area(plot: Box, times: Sequence[float], values: Mapping[float, float], top: float, colour: str) -> str:
    x, y, w, h = plot
    width = w / len(times)
    points = [(x + (n + 0.5) * width, y + h - h * values.get(time, 0) / top) for n, time in enumerate(times)]
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    closed = f"{points[0][0]:.1f},{y + h:.1f} {line} {points[-1][0]:.1f},{y + h:.1f}"
    return (
        f'<polygon points="{closed}" fill="{colour}" fill-opacity="0.25"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
    )
