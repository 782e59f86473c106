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

from ttyscribe_kibana.queries import MISSING, Panel

Json = dict[str, Any]
Rows = Sequence[Json]
Box = tuple[float, float, float, float]

CELL = 26
ROW = 20
FONT = "Inter, DejaVu Sans, sans-serif"
GAP = 5
COLOURS = ("#54b399", "#6092c0", "#d36086", "#9170b8", "#ca8eae", "#d6bf57", "#b9a888", "#da8b45", "#aa6556", "#e7664c")
BAD, GOOD = "#d36086", "#54b399"
MEANT = {"failure": BAD, "success": GOOD, "none": BAD, "user": "#6092c0", "system": GOOD, "no": BAD, "yes": GOOD}
"""Values that have a colour of their own on every page."""
TIMES = ("First time", "Last time", "Last event", "Last received")
SIZES = ("Shown", "Typed")
SPANS = (
    "Duration",
    "command.ms",
    "line.first_ms",
    "line.last_ms",
    "tlog.pos",
    "Average lag",
    "Greatest lag",
    "Least lag",
)
NAMES = {"@timestamp": "Time", "ttyscribe.received": "Received"}
PAGE = "Look into"
"""A link whose text is the same in each row."""
WIDE = ("process.title", "command.text", "process.command_line", "line.text", "message")


def draw(saved: Sequence[Json], dashboard: str, shown: Mapping[str, tuple[Panel, Rows]]) -> str:
    """The page as SVG; `shown` gives each panel's question and rows by the id of its saved object.

    A line each: a panel that was not asked is a line less.
    """
    by_id = {one["id"]: one["attributes"] for one in saved}
    page = by_id[dashboard]
    places = json.loads(page["panelsJSON"])
    height = max(place["gridData"]["y"] + place["gridData"]["h"] for place in places) * ROW + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{48 * CELL}" height="{height}" font-family="{FONT}">',
        f'<rect width="100%" height="100%" fill="#eef1f6"/>{_text(14, 32, page["title"], size=20, weight=600)}',
    ]
    for place in places:
        name, grid = f"{dashboard}-{place['panelIndex']}", place["gridData"]
        box = (grid["x"] * CELL + GAP, grid["y"] * ROW + 50, grid["w"] * CELL - 2 * GAP, grid["h"] * ROW - 2 * GAP)
        if name in shown:
            parts.append(_panel(*shown[name], box))
        elif "markdown" in by_id[name].get("visState", ""):
            parts.append(_markdown(json.loads(by_id[name]["visState"])["params"]["markdown"], page, box))
    return "\n".join([*parts, "</svg>"]) + "\n"


INK, LINK = "#1a1c21", "#006bb8"


def _text(
    x: float, y: float, text: str, *, size: int = 12, weight: int = 400, anchor: str = "start", colour: str = INK
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(_printable(text))}</text>'
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _frame(box: Box) -> str:
    x, y, w, h = box
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="6" fill="#fff" stroke="#d3dae6"/>'


def _panel(panel: Panel, rows: Rows, box: Box) -> str:
    x, y, w, h = box
    inside = (x + 12, y + 34, w - 24, h - 44)
    if panel.columns:
        body = _lines(panel.columns, rows, inside)
    elif not panel.groups:
        body = _metric(panel, rows, box)
    elif any("histogram" in kind for group in panel.groups for kind in group.body):
        body = _chart(panel, rows, inside)
    elif panel.shape == "ranking":
        body = _ranking(panel, rows, inside)
    else:
        body = _lines([column.label for column in (*panel.groups, *panel.measures)], rows, inside)
    return f"<g>{_frame(box)}{_text(x + 12, y + 20, panel.title, size=13, weight=600)}{body}</g>"


def _markdown(text: str, page: Json, box: Box) -> str:
    """The row of links, and Kibana's controls to its right, which stand above the page there."""
    x, y, w, _ = box
    links, _, hint = text.partition("\n\n")
    parts, at = [_frame(box)], x + 12
    for part in links.split(" | "):
        bold = part.startswith("**")
        name = part.strip("*") if bold else part[1:].partition("]")[0]
        parts.append(_text(at, y + 26, name, size=13, weight=600 if bold else 400, colour=INK if bold else LINK))
        at += len(name) * (8.3 if bold else 7.2) + 26
    parts.append(_text(x + 12, y + 56, hint.replace("*", "")))
    controls = json.loads(page.get("controlGroupInput", {}).get("panelsJSON", "{}"))
    for number, control in enumerate(reversed(controls.values())):
        left = x + w - 12 - (number + 1) * 168
        parts.append(f'<rect x="{left}" y="{y + 10}" width="160" height="26" rx="4" fill="#f5f7fa" stroke="#d3dae6"/>')
        parts.append(_text(left + 8, y + 27, control["explicitInput"]["title"], size=11))
        parts.append(_text(left + 150, y + 27, "Any", size=11, anchor="end", colour="#69707d"))
    return "".join(parts)


def _metric(panel: Panel, rows: Rows, box: Box) -> str:
    x, y, w, h = box
    label = panel.measures[0].label
    return _text(x + w - 14, y + h - 18, show(label, rows[0][label]), size=30, weight=600, anchor="end")


def show(label: str, value: Any) -> str:
    """A value as the data view's format shows it."""
    if value is None:
        return "-"
    if label in NAMES:
        value = datetime.fromisoformat(value).timestamp() * 1000
    if label == PAGE:
        return "One recording"
    if label in TIMES or label in NAMES:
        return datetime.fromtimestamp(value / 1000, UTC).strftime("%b %d %H:%M:%S")
    if label in SIZES:
        return f"{value:,.0f} B" if value < 1024 else f"{value / 1024:,.1f} KiB"
    if label in SPANS:
        return _span(float(value))
    if value == MISSING:
        return "(none)"
    return value if isinstance(value, str) else f"{value:,.0f}"


def _span(ms: float) -> str:
    if abs(ms) >= 60_000:
        return f"{ms / 60_000:,.1f} min"
    return f"{ms / 1000:,.1f} s" if abs(ms) >= 1000 else f"{ms:,.0f} ms"


def _lines(labels: Sequence[str], rows: Rows, box: Box) -> str:
    """Columns as wide as what they hold asks for; cut where the panel ends."""
    x, y, w, h = box
    if not rows:
        return _text(x, y + 18, "No results")
    lines = [[show(label, row[label]) for label in labels] for row in rows[: int((h - 22) / 22)]]
    heads = [NAMES.get(label, label) for label in labels]
    widths = _widths(labels, heads, lines, w)
    edges = [x + sum(widths[:n]) for n in range(len(labels))]
    parts = [_text(edge, y + 12, head, weight=600) for edge, head in zip(edges, heads, strict=True)]
    for number, line in enumerate(lines):
        below = y + 34 + number * 22
        parts.append(f'<line x1="{x}" x2="{x + w}" y1="{below - 16}" y2="{below - 16}" stroke="#e6ebf2"/>')
        for edge, label, cell, width in zip(edges, labels, line, widths, strict=True):
            colour = LINK if label in ("Recording", "ttyscribe.recording", PAGE) else INK
            parts.append(_text(edge, below, _cut(cell, int((width - 8) / 7)), colour=colour))
    return "".join(parts)


def _widths(labels: Sequence[str], heads: Sequence[str], lines: Sequence[Sequence[str]], room: float) -> list[float]:
    """As much as each column asks for; where that is too much, the widest give, but none below its head."""
    least = [len(head) * 7.9 + 12 for head in heads]
    least = [max(low, 117.0) if label in (*TIMES, *NAMES) else low for label, low in zip(labels, least, strict=True)]
    most = [(60 if label in WIDE else 26) * 7 + 12 for label in labels]
    asked = [max((len(line[n]) * 7 + 12 for line in lines), default=0.0) for n in range(len(labels))]
    widths = [max(low, min(want, high)) for low, want, high in zip(least, asked, most, strict=True)]
    while sum(widths) > room:
        n = max(range(len(widths)), key=lambda n: widths[n] - least[n])
        if widths[n] - least[n] < 1:
            break
        widths[n] -= min(8, widths[n] - least[n])
    spare = max(room - sum(widths), 0) / len(widths)
    return [width + spare for width in widths]


def _cut(text: str, most: int = 22) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _ranking(panel: Panel, rows: Rows, box: Box) -> str:
    """Lying bars, the longest first; stacked where there is a second group."""
    x, y, w, h = box
    head, measure = panel.groups[0].label, panel.measures[0].label
    split = panel.groups[1].label if len(panel.groups) > 1 else ""
    bars: dict[str, dict[str, float]] = {}
    for row in rows:
        bars.setdefault(str(row[head]), {})[str(row[split]) if split else measure] = row[measure] or 0
    names = list(dict.fromkeys(name for values in bars.values() for name in values))
    top = max(sum(values.values()) for values in bars.values())
    left, wide, high = x + 216, w - 216 - 96 * bool(split) - 40, h / len(bars)
    parts = []
    for number, (name, values) in enumerate(bars.items()):
        at, middle = left, y + number * high + high / 2
        parts.append(_text(left - 8, middle + 4, _cut(name, 30), size=11, anchor="end"))
        for part in names:
            length = wide * values.get(part, 0) / top
            if length:
                colour = _colour(part, names.index(part))
                parts.append(
                    f'<rect x="{at:.1f}" y="{middle - high * 0.35:.1f}" width="{length:.1f}" '
                    f'height="{high * 0.7:.1f}" fill="{colour}"/>'
                )
            at += length
        parts.append(_text(at + 5, middle + 4, show(measure, sum(values.values())), size=11))
    return "".join(parts) + (_legend(x + w - 84, y + 8, names) if split else "")


def _legend(x: float, y: float, names: Sequence[str]) -> str:
    parts = []
    for number, name in enumerate(names):
        at = y + number * 18
        parts.append(f'<rect x="{x}" y="{at - 8}" width="10" height="10" fill="{_colour(name, number)}"/>')
        parts.append(_text(x + 14, at + 1, _cut(name, 13), size=11))
    return "".join(parts)


def _colour(name: str, number: int) -> str:
    return MEANT.get(name, COLOURS[number % len(COLOURS)])


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
    """Bars on top of each other for a split chart or a bar chart, else lines, or lines with an area below."""
    x, y, w, h = box
    times, series = _series(panel, rows)
    stacked = panel.shape == "bar"
    plot = (x + 56, y, w - 56 - 104, h - 22)
    tops = [sum(values.get(t, 0) for values in series.values()) for t in times]
    top = max(tops if stacked else [v for values in series.values() for v in values.values()]) or 1
    parts = [_axes(plot, times, top, panel)]
    base = dict.fromkeys(times, 0.0)
    for number, (name, values) in enumerate(series.items()):
        colour = _colour(name, number)
        if stacked:
            parts.append(_bars(plot, times, base, values, top, colour))
        else:
            parts.append(_area(plot, times, values, top, colour, filled=panel.shape == "area"))
    return "".join(parts) + _legend(x + w - 92, plot[1] + 8, list(series))


def _axes(plot: Box, times: Sequence[float], top: float, panel: Panel) -> str:
    x, y, w, h = plot
    label, along = panel.measures[0].label, panel.groups[-1].label
    parts = []
    for part in range(3):
        at = y + h - h * part / 2
        parts.append(f'<line x1="{x}" x2="{x + w}" y1="{at}" y2="{at}" stroke="#e6ebf2"/>')
        if part != 1 or top >= 10 or top % 2 == 0:  # no rounded half
            parts.append(_text(x - 6, at + 4, show(label, top * part / 2), size=10, anchor="end"))
    for number in range(0, len(times), max(1, math.ceil(len(times) / (w // 90)))):
        at = x + w * number / len(times)
        parts += [_text(at, y + h + 16, _tick(along, times[number]), size=10)]
    return "".join(parts)


def _tick(along: str, value: float) -> str:
    """A time of the day, or a place in a recording."""
    if along in SPANS:
        return f"{value // 60_000:.0f}:{value // 1000 % 60:02.0f}"
    return datetime.fromtimestamp(value / 1000, UTC).strftime("%b %d %H:%M")


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


def _area(
    plot: Box, times: Sequence[float], values: Mapping[float, float], top: float, colour: str, *, filled: bool
) -> str:
    x, y, w, h = plot
    width = w / len(times)
    points = [(x + (n + 0.5) * width, y + h - h * max(values.get(time, 0), 0) / top) for n, time in enumerate(times)]
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    closed = f"{points[0][0]:.1f},{y + h:.1f} {line} {points[-1][0]:.1f},{y + h:.1f}"
    area = f'<polygon points="{closed}" fill="{colour}" fill-opacity="0.25"/>' if filled else ""
    return f'{area}<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
