# SPDX-License-Identifier: Apache-2.0
"""Runs the fault matrix under a real rsyslogd: `python -m tests.faults [--write] [CELL...]`.

CELL is a name as `--list` gives them, or a pattern of the shell (`'*-spool-disk-*'`). Ends with 1 where a cell that
promises it lost a line or stored one twice. With `--write` the results go into docs/delivery.md.
"""

import argparse
import datetime as dt
import fnmatch
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager

from tests.engines import nodes
from tests.engines.fixtures import Engine
from tests.faults import page
from tests.faults.cells import ALL, Cell, limit
from tests.faults.drive import Result, run

JOBS = 2


def chosen(patterns: list[str]) -> list[Cell]:
    """The cells that are meant; SystemExit for a pattern that fits none."""
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(cell.name, pattern) for cell in ALL):
            raise SystemExit(f"no cell {pattern}: see --list")
    return [cell for cell in ALL if not patterns or any(fnmatch.fnmatchcase(cell.name, one) for one in patterns)]


@contextmanager
def engine_for(cells: list[Cell]) -> Iterator[Engine | None]:
    """A real engine, where a cell needs one."""
    if all(cell.store != "elasticsearch" for cell in cells):
        yield None
        return
    named = os.environ.get("TTYSCRIBE_TEST_ELASTICSEARCH", "").rstrip("/")
    if named:
        yield Engine("elasticsearch", named)
        return
    node = nodes.start("elasticsearch")
    try:
        yield Engine(node.name, node.url)
    finally:
        nodes.stop(node)


def verdict(cell: Cell, result: Result) -> str:
    """What is wrong; empty where the promise holds."""
    if cell.spool == "control":
        return ""
    if result.doubled:
        return f"STORED TWICE: {result.doubled}"
    if result.lost and limit(cell) is None:
        return f"LOST: {result.lost}"
    return ""


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cells", nargs="*", metavar="CELL", help="names or patterns (all by default)")
    parser.add_argument("--list", action="store_true", help="name the cells and end")
    parser.add_argument("--write", action="store_true", help="put the results into docs/delivery.md")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"cells at once ({JOBS} by default)")
    given = parser.parse_args()
    cells = chosen(given.cells)
    if given.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    rows, date, wrong = page.known(), dt.datetime.now(dt.UTC).date().isoformat(), 0
    with engine_for(cells) as engine, ThreadPoolExecutor(max(1, given.jobs)) as pool:
        running = {pool.submit(run, cell, engine): cell for cell in cells}
        for number, done in enumerate(as_completed(running), 1):
            cell = running[done]
            try:
                result = done.result()
            except Exception as error:  # noqa: BLE001 - one cell that can't be run must not end the others
                wrong += 1
                print(f"{number}/{len(cells)} {cell.name}: FAILED: {error}", flush=True)
                continue
            problem = verdict(cell, result)
            wrong += bool(problem)
            rows[cell.name] = page.row(result, date)
            print(
                f"{number}/{len(cells)} {cell.name}: {result.text} of {result.sent}, {result.hits} hits,"
                f" {result.dead} dead, {result.seconds:.1f} s {problem}",
                flush=True,
            )
            if given.write:
                page.write(rows)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
