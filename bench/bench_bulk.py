# SPDX-License-Identifier: Apache-2.0
"""Random bytes and text through the recorder on pipes: ours with and without elision, tlog-rec, no recorder."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_recorder import (  # noqa: E402
    BARE,
    OURS,
    PEER,
    Command,
    build_launcher,
    bulk_text,
    commands,
    table,
)

BYTES = 100_000_000
ROUNDS = 3
LOOKS = f"{OURS} that records no output"
KEEPS = f"{OURS}, log.bulk=keep"


def ways(launcher: Path) -> dict[str, Command]:
    """How each program records a command to a log."""
    plain = commands(launcher)
    options = ["--payload=2048", "--latency=10"]
    return {
        OURS: plain[OURS],
        KEEPS: lambda log, command: [str(launcher), "-o", str(log), "--log-bulk=keep", *options, "--", *command],
        LOOKS: lambda log, command: [str(launcher), "-o", str(log), "--log-output=no", *options, "--", *command],
        PEER: plain[PEER],
        BARE: plain[BARE],
    }


def through(argv: list[str], size: int) -> float:
    """Seconds that it takes until all has come out of a pipe."""
    started = time.perf_counter()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        came = 0
        while data := process.stdout.read(1 << 20):
            came += len(data)
        if process.wait() or came != size:
            sys.exit(f"{argv[0]}: status {process.returncode}, {came} of {size} bytes")
    return time.perf_counter() - started


def measure(folder: Path, found: dict[str, Command], data: Path) -> dict[str, dict[str, list[float]]]:
    """Seconds and bytes of log of each way, in turns."""
    raw: dict[str, dict[str, list[float]]] = {way: {"seconds": [], "log_bytes": []} for way in found}
    for _ in range(ROUNDS):
        for way, command in found.items():
            log = folder / "log"
            log.unlink(missing_ok=True)
            raw[way]["seconds"].append(through(command(log, ["cat", str(data)]), data.stat().st_size))
            raw[way]["log_bytes"].append(log.stat().st_size if log.exists() else 0)
    return raw


def rows(raw: dict[str, dict[str, list[float]]], size: int) -> list[tuple[str, ...]]:
    """Medians."""
    lines: list[tuple[str, ...]] = []
    for way, figures in raw.items():
        seconds, log = (statistics.median(figures[name]) for name in ("seconds", "log_bytes"))
        lines.append((way, f"{seconds:.2f} s", f"{size / seconds / 1e6:,.1f}", f"{log / 1e6:,.2f} MB"))
    return lines


def main() -> int:
    """Measure, keep the raw figures, print the section."""
    for program in (PEER, "cc"):
        if shutil.which(program) is None:
            sys.exit(f"this benchmark needs {program}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = ways(build_launcher(folder))
        noise, text = folder / "noise", bulk_text(folder)
        noise.write_bytes(os.urandom(BYTES))
        raw = {data.name: measure(folder, found, data) for data in (noise, text)}
        size = text.stat().st_size
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "bulk.json").write_text(json.dumps(raw, indent=1) + "\n")
    head = ("", "wall", "MB/s", "log")
    what = f"`cat` of {BYTES // 1_000_000} MB of random bytes into a pipe, start included; file writer, payload 2048, "
    what += f"latency 10 s, {ROUNDS} rounds in turns, medians. "
    what += "Ours leaves the middle out ([the rule](../docs/recorder.md#bulk-data)):"
    print("\n\n".join([
        "## Recorder: bulk data on pipes",
        what,
        table(head, rows(raw["noise"], BYTES)),
        f"The same with {size // 1_000_000} MB of text, of which nothing is left out:",
        table(head, rows(raw["text"], size)),
    ]))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
