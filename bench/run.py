# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks and writes their tables into bench/README.md.

Each `bench_*.py` prints one Markdown section with its command, its peer, medians and ratios, and writes its raw
figures to bench/data/. Run all, or name some: `python bench/run.py recorder omprog`.
"""

import argparse
import datetime as dt
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"


def sections() -> list[str]:
    """Names of the benchmarks, as in bench_NAME.py."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def machine() -> str:
    """What the figures were measured on, without names of hosts."""
    cores = os.cpu_count()
    return f"{cores} cores, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"


def run(name: str) -> str:
    """The section that one benchmark prints."""
    script = HERE / f"bench_{name}.py"
    done = subprocess.run([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, check=True, cwd=HERE.parent)
    date = dt.datetime.now(dt.UTC).date().isoformat()
    return f"{done.stdout.strip()}\n\nMeasured {date} with `python bench/bench_{name}.py` on {machine()}.\n"


def insert(text: str, name: str, section: str) -> str:
    """The README with one section replaced, or added at its end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    block = f"{begin}\n{section}{end}"
    found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if found.search(text):
        return found.sub(lambda _: block, text)
    return f"{text.rstrip()}\n\n{block}\n"


def main() -> int:
    """Run what was named and update the README after each."""
    parser = argparse.ArgumentParser(description="run the benchmarks and write their tables into bench/README.md")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(sections())} (all by default)")
    names = parser.parse_args().names or sections()
    for unknown in set(names) - set(sections()):
        parser.error(f"no benchmark named {unknown}; there are: {', '.join(sections())}")
    for number, name in enumerate(names, 1):
        print(f"[{number}/{len(names)}] {name}", file=sys.stderr)
        README.write_text(insert(README.read_text(), name, run(name)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
