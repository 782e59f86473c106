# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.fuzz [--seconds N] [--write] [TARGET…]`: each target under the guided fuzzer, then for growth.

`python -m tests.fuzz --install` installs atheris, or says in one line that it can't be had here.
"""

import argparse
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.fuzz import growth, guided
from tests.fuzz.targets import BY_NAME, DATA, FOUND, TARGETS, Target

ROOT = Path(__file__).parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
PAGE = ROOT / "docs" / "fuzzing.md"
_BEGIN, _END = "<!-- run: begin -->\n", "<!-- run: end -->\n"
_SECONDS = 60
_GROWTH_PART = 0.2
_HANG_SECONDS = 20
_MEMORY_MB = 1500
_PATIENCE = 120
_COVERED = re.compile(r"cov: ([0-9]+) ft: ([0-9]+) corp: ([0-9]+)/")
_RUNS = re.compile(r"number_of_executed_units: ([0-9]+)")
_HEAD = "| target | what | seconds | executions | branches | inputs kept | tried for growth | findings | run on |"


class Row(NamedTuple):
    """What came out for one target."""

    target: Target
    runs: int = 0
    branches: int = 0
    kept: int = 0
    tried: int = 0
    found: tuple[str, ...] = ()


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 where something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=f"of {', '.join(BY_NAME)}; all by default")
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="for each target (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write the results into docs/fuzzing.md")
    parser.add_argument("--install", action="store_true", help="install atheris and end")
    wanted = parser.parse_args(arguments)
    unknown = [name for name in wanted.targets if name not in BY_NAME]
    if unknown:
        parser.error(f"no such target: {', '.join(unknown)}")
    if wanted.install:
        install()
        return 0
    if not guided.available():
        print("fuzz: atheris is not installed: the guided part is skipped, growth alone is looked at")
    rows = []
    for target in [BY_NAME[name] for name in wanted.targets] or TARGETS:
        rows.append(_run(target, wanted.seconds))
        print(_text(rows[-1]), flush=True)
    if wanted.write:
        _write(rows, wanted.seconds)
    return 1 if any(row.found for row in rows) else 0


def install() -> None:
    """Install what the group `fuzz` names, or say that it can't be had."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    if subprocess.run([*pip, *groups["fuzz"]], capture_output=True, check=False).returncode:
        print(f"fuzz: {', '.join(groups['fuzz'])} can't be installed for Python {platform.python_version()} here")


def _run(target: Target, seconds: int) -> Row:
    row = _guided(target, seconds) if guided.available() else Row(target)
    tried, steep = growth.search(target, seconds * _GROWTH_PART, Random(seconds))
    return row._replace(tried=tried, found=row.found + ((steep.text(),) if steep else ()))


def _guided(target: Target, seconds: int) -> Row:
    """One target in a process of its own. New inputs are kept in build/fuzz, and what breaks it lies there too."""
    corpus = BUILD / target.name
    corpus.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={seconds}", f"-timeout={_HANG_SECONDS}", f"-rss_limit_mb={_MEMORY_MB}"]
    more = ["-print_final_stats=1", f"-artifact_prefix={BUILD}/{target.name}-", str(corpus), str(DATA / target.name)]
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.guided", target.name, *limits, *more],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds + _PATIENCE,
        check=False,
    )
    said = run.stdout.decode("utf-8", "replace")
    covered = (_COVERED.findall(said) or [("0", "0", "0")])[-1]
    runs = _RUNS.search(said)
    found = () if run.returncode == 0 else (_finding(said, target),)
    return Row(target, int(runs[1]) if runs else 0, int(covered[0]), int(covered[2]), 0, found)


def _finding(said: str, target: Target) -> str:
    """What is wrong and where the input lies, in a few lines."""
    _, marker, trace = said.partition("=== Uncaught Python exception: ===")
    text = trace.partition("\n==")[0].strip() if marker else said[-2000:]
    kept = re.search(r"Test unit written to (\S+)", said)
    where = f"\n  input: {kept[1]}\n  once mended: keep it as tests/data/fuzz/{target.name}/{FOUND}…" if kept else ""
    return f"{text}{where}"


def _text(row: Row) -> str:
    head = f"{row.target.name}: {row.runs:,} executions, {row.branches} branches, {row.tried} tried for growth"
    return "\n".join([head, *row.found])


def _write(rows: Iterable[Row], seconds: int) -> None:
    """Put the rows into the page's table; those of targets that did not run stay."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    table, _, behind = rest.partition(_END)
    known = {line.split(" ")[1]: line for line in table.splitlines() if line.startswith("| ")}
    day = datetime.now(UTC).date().isoformat()
    for row in rows:
        numbers = f"{seconds} | {row.runs:,} | {row.branches} | {row.kept} | {row.tried} | {len(row.found)} | {day}"
        known[row.target.name] = f"| {row.target.name} | {row.target.what} | {numbers} |"
    lines = [_HEAD, "|---|---|---:|---:|---:|---:|---:|---:|---|"]
    lines += [known[target.name] for target in TARGETS if target.name in known]
    version = f"{platform.python_version()}, atheris {_version()}"
    body = "\n".join([*lines, "", f"By `tox -e fuzz -- --seconds N --write`, Python {version}."])
    PAGE.write_text(f"{before}{_BEGIN}{body}\n{_END}{behind}", encoding="utf-8")


def _version() -> str:
    return metadata.version("atheris") if guided.available() else "not installed"


if __name__ == "__main__":
    sys.exit(main())
