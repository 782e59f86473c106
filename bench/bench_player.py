# SPDX-License-Identifier: Apache-2.0
"""Seeking in an hour-long recording: how long until the screen of any place is painted, beside tlog-play's way there.

tlog-play goes forward only: its way to a place is to play everything before it, which `--goto=end` does at once.
"""

import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from ttyscribe_formats.chunk import Chunker, Header  # noqa: E402
from ttyscribe_formats.packet import Output, Packet, Window  # noqa: E402
from ttyscribe_player.event import events  # noqa: E402
from ttyscribe_player.files import Recordings  # noqa: E402
from ttyscribe_player.search import Search  # noqa: E402
from ttyscribe_player.tape import Tape  # noqa: E402
from ttyscribe_screen import Screen, paint_screen  # noqa: E402

HOUR_NS = 3600 * 1_000_000_000
SIZE = 10 << 20
SEEKS = 200
ROUNDS = 5


def session(size: int) -> Iterator[Packet]:
    """An hour at a shell of 120x40: commands and their output, an editor that scrolls, a monitor that redraws."""
    dice = random.Random(11)
    words = "".join(chr(dice.randrange(97, 123)) if dice.random() < 0.8 else " " for _ in range(60_000))

    def text(length: int) -> str:
        start = dice.randrange(len(words) - length)
        return words[start : start + length]

    pieces: list[bytes] = []
    total = 0
    while total < size:
        kind = dice.random()
        if kind < 0.4:
            piece = "".join(f"{text(60)}\r\n" for _ in range(dice.randint(1, 12)))
        elif kind < 0.7:
            row = dice.randint(1, 40)
            piece = f"\x1b[{row};1H\x1b[K\x1b[1;3{dice.randint(1, 7)}m{text(50)}\x1b[0m {text(40)}"
        elif kind < 0.95:
            piece = f"\x1b[32mada@web7\x1b[0m:~$ {text(20)}\r\n"
        else:
            rows = "".join(f"\x1b[{row};1H{text(10)}\x1b[7m{text(80)}\x1b[0m\x1b[K" for row in range(1, 41))
            piece = f"\x1b[?1049h\x1b[H\x1b[2J{rows}\x1b[?1049l"
        pieces.append(piece.encode())
        total += len(piece)
    yield Window(0, 120, 40)
    for number, data in enumerate(pieces):
        yield Output(HOUR_NS * number // len(pieces), data)


def write(path: Path) -> None:
    """The session as a file of messages."""
    chunker = Chunker(Header("web7", "bench-1", "ada", "xterm-256color", 1))
    with path.open("wb") as file:
        for packet in session(SIZE):
            file.writelines(line + b"\n" for line in chunker.feed(packet, 1_700_000_000 * 10**9))
        file.writelines(line + b"\n" for line in chunker.cut())


def opened(path: Path) -> Tape:
    """A tape on the file."""
    recordings = Recordings(str(path), print)
    found = recordings.choose("")
    assert found
    return Tape(events(recordings.messages(found)), Screen(120, 40, newline=True))


def milliseconds(start: float) -> float:
    """Since then."""
    return (time.perf_counter() - start) * 1000


def seeks(tape: Tape) -> list[float]:
    """Milliseconds from the wish to be somewhere to the bytes that paint it."""
    dice = random.Random(12)
    taken = []
    for _ in range(SEEKS):
        start = time.perf_counter()
        paint_screen(tape.screen(tape.index_at(dice.randrange(HOUR_NS))))
        taken.append(milliseconds(start))
    return sorted(taken)


def peer(path: Path) -> float | None:
    """Milliseconds that tlog-play takes to the end; none where it is not installed."""
    program = shutil.which("tlog-play")
    if program is None:
        return None
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        with subprocess.Popen(
            [program, "-i", str(path), "-g", "end"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        ) as process:
            assert process.wait() == 0
        taken.append(milliseconds(start))
    return statistics.median(taken)


def main() -> int:
    """Measure, write the raw figures, print the section."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        write(path)
        start = time.perf_counter()
        tape = opened(path)
        tape.load(0)
        first = milliseconds(start)
        start = time.perf_counter()
        while not tape.complete:
            tape.load(1)
        index = milliseconds(start)
        taken = seeks(tape)
        start = time.perf_counter()
        none = [hit for hit in Search(tape, "nowhere at all").forward(0) if hit is not None]
        search = milliseconds(start)
        theirs = peer(path)
    assert not none
    figures = {
        "first event ms": first,
        "index ms": index,
        "seek median ms": statistics.median(taken),
        "seek worst ms": taken[-1],
        "search of all ms": search,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "tlog-play to the end ms": theirs,
    }
    (HERE / "data").mkdir(exist_ok=True)
    (HERE / "data" / "player.json").write_text(json.dumps(figures | {"seeks ms": taken}, indent=1) + "\n")
    print("## Player: seeking in an hour\n")
    print(f"{SIZE >> 20} MiB of output in {len(tape):,} packets over one hour, 120x40, {SEEKS} places at random.\n")
    print("| what | |")
    print("|---|---|")
    print(f"| until the first packet is there | {first:.0f} ms |")
    print(f"| until all is read and has keyframes (while it plays) | {index / 1000:.1f} s |")
    middle = statistics.median(taken)
    print(f"| any place, both ways, screen painted: median, worst | {middle:.1f} ms, {taken[-1]:.1f} ms |")
    print(f"| the whole searched for what was never on the screen | {search / 1000:.1f} s |")
    print(f"| memory of the process | {figures['peak MiB']:.0f} MiB |")
    if theirs is not None:
        print(f"| tlog-play, to the end through all before it, into /dev/null without a terminal | {theirs:.0f} ms |")
    return 0


if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())
