# SPDX-License-Identifier: Apache-2.0
"""JSON lines in, documents as JSON lines out, through the real program: events and megabytes a second of one core."""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output, Window

HERE = Path(__file__).resolve().parent

ROUNDS = 5
EVENTS = 200_000
"""So many that the program's start is a small part of an event's cost."""
SYSLOG_SHARE = 0.3
WALL = 1_795_521_600_000_000_000
NORMALIZE = str(Path(sys.executable).with_name("ttyscribe-normalize"))


class Run(NamedTuple):
    """One run over a file: CPU and wall seconds of the child, its start included."""

    cpu: float
    wall: float


def envelope(number: int, text: bytes, program: str = "ttyscribe") -> bytes:
    """A line as rsyslog's template writes it for this message."""
    at = f"2026-11-24T12:{number // 60000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}000+00:00"
    fields = {"v": 1, "id": f"{number:032X}", "received": at, "time": at, "host": "web7", "from": "127.0.0.1"}
    fields |= {"program": program, "tag": f"{program}:", "procid": "-", "facility": "10", "severity": "6"}
    fields |= {"input": "imuxsock", "uid": "0", "pid": "4113", "msg": " " + text.decode()}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def row(dice: random.Random) -> str:
    """One row of a coloured listing, as a terminal gets it."""
    mode = dice.choice(("01;34", "01;32", "0", "01;31"))
    name = "".join(dice.choices("abcdefghijklmnop_-.", k=dice.randrange(4, 24)))
    return f"-rw-r--r-- 1 ada ada {dice.randrange(1 << 20):8d} Nov 24 12:00 \x1b[{mode}m{name}\x1b[0m\x1b[K\r\n"


def session(dice: random.Random, name: str, count: int) -> list[bytes]:
    """A recording's messages, one for each latency period: a prompt, a few typed characters, some rows of output."""
    chunker = Chunker(Header("web7.example.com", name, "ada", "xterm-256color", 7))
    made = list(chunker.feed(Window(0, 80, 24), WALL))
    now = 0
    while len(made) < count:
        now += dice.randrange(40, 4000) * 1_000_000
        for key in dice.choice(("ls -l\r\n", "cat notes\r\n", "make\r\n", "\x7f\b \b")):
            now += 120_000_000
            made += chunker.feed(Output(now, key.encode()), WALL)
        shown = "".join(row(dice) for _ in range(dice.randrange(4))) + "ada@web7:~$ "
        made += chunker.feed(Output(now + 9_000_000, shown.encode()), WALL)
        made += chunker.flush()
    return made[:count]


def mixed() -> bytes:
    """Seven messages of recordings to three lines of daemons, a fifth of them equal to others."""
    dice = random.Random(7)
    sessions = [iter(session(dice, f"rec-{number}", EVENTS // 20 + 1)) for number in range(20)]
    lines = []
    for number in range(EVENTS):
        if dice.random() < SYSLOG_SHARE:
            who = dice.randrange(1 << 16) if dice.random() < 0.8 else 7
            text = f"Accepted publickey for ada from 192.0.2.7 port {who} ssh2: ED25519 SHA256:{who:043x}"
            lines.append(envelope(number, text.encode(), "sshd"))
        else:
            lines.append(envelope(number, next(sessions[number % 20])))
    return b"".join(lines)


def coloured() -> bytes:
    """Recordings of coloured listings, 2 KB of payload a message, bare as in a recorder's own file."""
    dice = random.Random(7)
    chunker = Chunker(Header("web7.example.com", "rec-1", "ada", "xterm-256color", 7))
    made = list(chunker.feed(Window(0, 80, 24), WALL))
    now = 0
    while len(made) < EVENTS // 4:
        now += 40_000_000
        made += chunker.feed(Output(now, row(dice).encode()), WALL)
    return b"".join(line + b"\n" for line in made)


def run(command: list[str], source: Path) -> Run:
    """Run a program with a file as input and nothing as output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with source.open("rb") as lines:
        subprocess.run(command, stdin=lines, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall)


ECHO = "import sys, {0} as j\nfor l in sys.stdin.buffer: {1}"
PROGRAMS = {
    "ttyscribe-normalize": [NORMALIZE, "--protocol", "ndjson", "--output", "-"],
    "orjson, loads and dumps only": [
        sys.executable,
        "-c",
        ECHO.format("orjson", "sys.stdout.buffer.write(j.dumps(j.loads(l)) + b'\\n')"),
    ],
    "json, loads and dumps only": [
        sys.executable,
        "-c",
        ECHO.format("json", "sys.stdout.buffer.write(j.dumps(j.loads(l)).encode() + b'\\n')"),
    ],
}
CORPORA: dict[str, Callable[[], bytes]] = {"mixed kinds": mixed, "2 KB coloured": coloured}


def main() -> int:
    """Measure, write the raw figures, print the section."""
    raw: dict[str, Any] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for corpus, make in CORPORA.items():
            source = Path(folder, "lines")
            data = make()
            source.write_bytes(data)
            count = data.count(b"\n")
            runs: dict[str, list[Run]] = {name: [] for name in PROGRAMS}
            for _ in range(ROUNDS):
                for name, command in PROGRAMS.items():
                    runs[name].append(run(command, source))
            for name, found in runs.items():
                cpu = statistics.median(one.cpu for one in found)
                wall = statistics.median(one.wall for one in found)
                rows.append(
                    f"| {corpus} | {len(data) // count} | {name} | {count / cpu:,.0f} | {cpu / count * 1e6:.1f} "
                    f"| {len(data) / cpu / 1e6:.1f} | {count / wall:,.0f} |"
                )
            raw[corpus] = {"events": count, "bytes": len(data), "runs": runs}
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "normalizer.json").write_text(json.dumps(raw, indent=1) + "\n")
    print("## Normalizer, lossless: a JSON line in, a document as a JSON line out\n")
    print(
        f"The real program over a file, its start included ({ROUNDS} runs in turn, medians). Mixed kinds: rsyslog's "
        "template, seven messages of recordings to three lines of daemons. Coloured: a recorder's own file, 2 KB of "
        "payload a message. Parsing and writing alone, without any work between, is the floor.\n"
    )
    print("| input | bytes a line | program | events/s of CPU | CPU µs an event | MB/s of CPU | events/s, wall |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    return 0


if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())
