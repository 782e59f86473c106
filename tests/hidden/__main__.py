# SPDX-License-Identifier: Apache-2.0
"""Measures over the whole corpus what leaks and what is masked in vain: `python -m tests.hidden [--write]`, as root.

With `--write` the table goes into docs/secrets.md.
"""

import argparse
import datetime as dt
import sys
from pathlib import Path

from tests.hidden.drive import Count, World, play
from tests.hidden.programs import CARRIERS, PROGRAMS, Program
from tests.hidden.world import world_of_programs
from tests.peers import find_program

PAGE = Path(__file__).resolve().parents[2] / "docs" / "secrets.md"
BEGIN, END = "<!-- rates: begin -->", "<!-- rates: end -->"


def cell(count: Count, program: Program) -> str:
    """What a table's cell says: leaked of the secrets' characters, lacking of the plain ones."""
    lacking = f"{count.lacking}/{count.plain}"
    return f"{count.leaked}/{count.secret}, {lacking}" if program.secret else lacking


def measure(world: World, names: list[str], where: tuple[str, ...]) -> str:
    """The table."""
    lines = [f"| program | {' | '.join(where)} |", "|---" * (len(where) + 1) + "|"]
    sums = Count(0, 0, 0, 0)
    for program in PROGRAMS:
        if names and program.name not in names:
            continue
        cells = []
        for carrier in where:
            missing = [
                name for name in (program.needs, *carrier.split("+")) if name != "here" and not find_program(name)
            ]
            if missing:
                cells.append(f"no {missing[0]}")
                continue
            try:
                count = play(world, carrier, program.act)
            except AssertionError as error:
                print(f"{program.name}, {carrier}: {error}", file=sys.stderr)
                cells.append("?")
                continue
            print(program.name, carrier, count, file=sys.stderr)
            sums = Count(*(a + b for a, b in zip(sums, count, strict=True)))
            cells.append(cell(count, program))
        lines.append(f"| {program.name} | {' | '.join(cells)} |")
    date = dt.datetime.now(dt.UTC).date().isoformat()
    total = (
        f"Measured {date} with `python -m tests.hidden --write`: **{sums.leaked} of {sums.secret}** characters of"
        f" secrets leaked ({rate(sums.leaked, sums.secret)}), **{sums.lacking} of {sums.plain}** plain characters were"
        f" masked in vain ({rate(sums.lacking, sums.plain)})."
    )
    return "\n".join([total, "", *lines])


def rate(part: int, whole: int) -> str:
    """Per cent."""
    return f"{100 * part / max(1, whole):.2f} %"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.hidden", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="programs, as in the table (all by default)")
    parser.add_argument("--carrier", action="append", choices=CARRIERS, help="where (everywhere by default)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/secrets.md")
    given = parser.parse_args()
    with world_of_programs() as world:
        table = measure(world, given.names, tuple(given.carrier or CARRIERS))
    print(table)
    if given.write:
        text = PAGE.read_text()
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
