# SPDX-License-Identifier: Apache-2.0
"""The transcript of recordings: bytes of terminal output a second, with the commands and what finds them."""

import json
import random
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from ttyscribe_store.derive.commands import Commands  # noqa: E402
from ttyscribe_store.derive.transcript import Transcript  # noqa: E402

SIZE = 8 << 20
ROUNDS = 5
PIECE = 4096
WORDS = ("alpha", "charlie", "/etc/shadow", "error", "0x7f3a", "root", "total", "drwxr-xr-x", "permission", "denied")


def text(dice: random.Random, length: int) -> str:
    """Some words."""
    made = ""
    while len(made) < length:
        made += dice.choice(WORDS) + " "
    return made[:length]


def plain(dice: random.Random) -> bytes:
    """What `cat` and compilers print."""
    return "".join(f"{text(dice, dice.randint(10, 110))}\r\n" for _ in range(40)).encode()


def coloured(dice: random.Random) -> bytes:
    """What `ls --color`, `grep --color` and a prompt print."""
    lines = (
        f"\x1b[01;3{dice.randint(1, 7)}m{text(dice, 20)}\x1b[0m  \x1b[K{text(dice, dice.randint(5, 60))}\r\n"
        for _ in range(40)
    )
    return "".join((*lines, "\x1b[32mada@web7\x1b[0m:~$ make\r\n")).encode()


def full_screen(dice: random.Random) -> bytes:
    """What an editor and a monitor draw: rows at places, and now and then a whole screen."""
    rows = "".join(
        f"\x1b[{dice.randint(1, 40)};1H\x1b[7m{text(dice, 12)}\x1b[0m {text(dice, 80)}\x1b[K" for _ in range(20)
    )
    return f"\x1b[?1049h\x1b[H{rows}".encode()


def corpus(make: object) -> list[bytes]:
    """Pieces as a recorder's messages have them."""
    dice, found = random.Random(4), bytearray()
    assert callable(make)
    while len(found) < SIZE:
        found += make(dice)
    return [bytes(found[at : at + PIECE]) for at in range(0, SIZE, PIECE)]


def rate(pieces: list[bytes]) -> tuple[float, int]:
    """MB/s of this process's CPU time, and how many lines there were."""
    lines = 0

    def count(_: object) -> None:
        nonlocal lines
        lines += 1

    made = Transcript(count, Commands(count))
    made.resize(0, 120, 40)
    start = time.process_time()
    for number, piece in enumerate(pieces):
        made.output(number * 20, piece)
        made.pause()
    made.end(len(pieces) * 20)
    return SIZE / 1e6 / (time.process_time() - start), lines


def main() -> int:
    """Measure, write the raw figures, print the section."""
    figures: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    for name, make in (("plain", plain), ("coloured", coloured), ("full screen", full_screen)):
        pieces = corpus(make)
        runs = [rate(pieces) for _ in range(ROUNDS)]
        figures[name], counts[name] = [run[0] for run in runs], runs[0][1]
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "transcript.json").write_text(json.dumps(figures, indent=1) + "\n")
    print("## Transcript: terminal output into lines and commands\n")
    print(f"{SIZE >> 20} MiB each in messages of {PIECE} bytes, 120x40, CPU of the one process, {ROUNDS} runs.\n")
    print("| output | MB/s, median | best | lines |")
    print("|---|---|---|---|")
    for name, found in figures.items():
        print(f"| {name} | {statistics.median(found):.1f} | {max(found):.1f} | {counts[name]:,} |")
    whole = statistics.median(3 / sum(1 / one for one in run) for run in zip(*figures.values(), strict=True))
    print(f"| equal parts of each | {whole:.1f} | | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
