# SPDX-License-Identifier: Apache-2.0
"""The measured tables of docs/delivery.md, out of the results that are kept in tests/data/faults.json."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypedDict

from tests.faults.cells import ALL, CONTROLS, MATRIX, ON_ENGINE, ON_SQLITE, Cell, limit
from tests.faults.drive import Result

_ROOT = Path(__file__).resolve().parents[2]
PAGE = _ROOT / "docs" / "delivery.md"
RESULTS = _ROOT / "tests" / "data" / "faults.json"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
_SPOOLS = {"none": "no", "spool": "yes"}


class Row(TypedDict):
    """One cell's result as it is kept."""

    sent: int
    lost: int
    twice: int
    dead: int
    hits: int
    date: str


def row(result: Result, date: str) -> Row:
    """What is kept of a result."""
    return Row(
        sent=result.sent,
        lost=len(result.lost),
        twice=len(result.doubled),
        dead=result.dead,
        hits=result.hits,
        date=date,
    )


def known() -> dict[str, Row]:
    """What is kept, by the cells' names."""
    if not RESULTS.exists():
        return {}
    found: dict[str, Row] = json.loads(RESULTS.read_text())
    names = {cell.name for cell in ALL}
    return {name: one for name, one in found.items() if name in names}


def write(rows: dict[str, Row]) -> None:
    """Keep the results and put the tables of them into the page."""
    lines = [f"{json.dumps(name)}: {json.dumps(rows[name])}" for name in sorted(rows)]
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    text = PAGE.read_text()
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{tables(rows)}\n{END}{after}")


def tables(rows: dict[str, Row]) -> str:
    """All tables, as far as their cells were measured."""
    parts = [_summary(rows)]
    for title, wanted in (
        ("Our program, with a store of the tests' own that misbehaves", MATRIX),
        ("The same on SQLite", ON_SQLITE),
        ("The same on a real Elasticsearch behind a proxy", ON_ENGINE),
        ("The control: a trivial program that writes each line to a file before it answers", CONTROLS),
    ):
        parts += ["", f"### {title}", "", *_table(wanted, rows)]
    return "\n".join(parts)


def _summary(rows: dict[str, Row]) -> str:
    ours = [cell for cell in ALL if cell.name in rows and cell.spool != "control"]
    promised = [cell for cell in ours if limit(cell) is None]
    sent = sum(rows[cell.name]["sent"] for cell in promised)
    lost, twice = (sum(rows[cell.name][key] for cell in promised) for key in ("lost", "twice"))
    also = sum(rows[cell.name]["twice"] for cell in ours if limit(cell) is not None)
    dates = sorted({rows[cell.name]["date"] for cell in ours}) or ["never"]
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return (
        f"Measured {when} with `python -m tests.faults --write`. In the {len(promised)} cells that promise it"
        f" **{lost} of {sent:,} lines were lost and {twice} stored twice**; in the {len(ours) - len(promised)} others"
        f" {also} were stored twice."
    )


def _table(wanted: Sequence[Cell], rows: dict[str, Row]) -> Iterable[str]:
    faults = list(dict.fromkeys(cell.fault for cell in wanted))
    ways = list(dict.fromkeys(cell.way for cell in wanted))
    control = wanted[0].spool == "control"
    head = ["mode", "queue"] if control else ["mode", "spool", "queue"]
    yield f"| {' | '.join([*head, *faults])} |"
    yield "|---" * len(head) + "|---:" * len(faults) + "|"
    for way in ways:
        names = [way.mode, way.queue] if control else [way.mode, _SPOOLS[way.spool], way.queue]
        shown = [_shown(way._replace(fault=fault), rows) for fault in faults]
        yield f"| {' | '.join([*names, *shown])} |"


def _shown(cell: Cell, rows: dict[str, Row]) -> str:
    found = rows.get(cell.name)
    if found is None:
        return "-"
    text = f"{found['lost']}/{found['twice']}"
    why = limit(cell)
    return text if why is None or cell.spool == "control" else f"{text} {why.mark}"
