# SPDX-License-Identifier: Apache-2.0
"""Sessions as scripts: captured ones (tests/data/terminal) and made ones, how to record them, what a log says of them.

A step is `["out", pause in ms, base64]`, `["err", pause, base64]` (pipes only), `["in", base64]` or
`["size", columns, rows]`; the first step of a terminal's script is its size.
"""

import base64
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.recorder.recorder import PATIENCE, AtTerminal, wait_for
from tests.recorder.replay import GAP_S
from ttyscribe_formats.packet import Input, Output, Packet, Window

REPLAY = Path(__file__).with_name("replay.py")
CAPTURED = Path(__file__).parents[1] / "data" / "terminal"

Steps = list[list[object]]
Event = tuple[str, bytes | tuple[int, int]]
"""What a recording says: `out` and `in` with all bytes up to the next event of another sort, `size` with the size."""


def out(data: bytes, pause: int = 0, sort: str = "out") -> list[object]:
    """One step of output."""
    return [sort, pause, base64.b64encode(data).decode()]


def pieces(data: bytes, dice: random.Random, largest: int, pauses: float = 0.02) -> Steps:
    """The data as many writes, cut anywhere."""
    steps: Steps = []
    at = 0
    while at < len(data):
        size = dice.randrange(1, largest)
        steps.append(out(data[at : at + size], dice.randrange(1, 4) if dice.random() < pauses else 0))
        at += size
    return steps


def storm() -> Steps:
    """UTF-8 of every length, cut everywhere, valid and not, with keys of that sort."""
    dice = random.Random(21)
    ranges = ((0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x10000), (0x10000, 0x110000))
    points = [chr(dice.randrange(*dice.choice(ranges))) for _ in range(9000)]
    data = "".join(points).encode()
    torn = bytearray(data)
    for _ in range(400):
        torn[dice.randrange(len(torn))] = dice.randrange(256)
    keys = "ż€😀\x00\x7f".encode() + b"\xff\xc3\xe2\x82("
    return [
        ["size", 80, 24], *pieces(data, dice, 200), ["in", base64.b64encode(keys).decode()],
        *pieces(bytes(torn), dice, 9, 0.01), out(b"\xf0\x9f\x98", 3),
    ]  # fmt: skip


def resizes() -> Steps:
    """Every size at once: text in between, the same size again, the ends of what the kernel can say."""
    dice = random.Random(22)
    steps: Steps = [["size", 80, 24], out(b"begin ")]
    for number in range(30):
        size = dice.choice(
            [(1, 1), (65535, 65535), (80, 24), (132, 43), (dice.randrange(1, 300), dice.randrange(1, 99))]
        )
        if steps[-1][0] == "size" or [*size] != [step for step in steps if step[0] == "size"][-1][1:]:
            steps.append(["size", *size])
        steps.append(out(b"%d \xc5\xbc\xff" % number))
    return steps


def hostile(size: int = 300_000) -> bytes:
    """Random bytes, torn UTF-8, control sequences, text."""
    dice = random.Random(23)
    sorts = [
        b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe2\x82", b"\xf0\x9f\x98", b"\x00\x7f", b'"\\/\b\f',
        "é😀日\u2028\ufeff".encode(), b"\x1b]52;c;eA==\x07\x1b[31m", b"plain text\r\n" * 3,
    ]  # fmt: skip
    made = bytearray()
    while len(made) < size:
        made += (
            dice.randbytes(dice.randrange(1, 400)) if dice.random() < 0.3 else dice.choice(sorts) * dice.randrange(1, 9)
        )
    return bytes(made[:size])


def streams() -> Steps:
    """Without a terminal: both streams, far enough apart for their order to be plain."""
    dice = random.Random(24)
    data = hostile(20_000)
    steps: Steps = []
    for number in range(0, len(data), 700):
        steps.append(out(data[number : number + 700], 5, dice.choice(["out", "out", "err"])))
    return steps


def at_terminals() -> dict[str, Steps]:
    """All sessions at a terminal, by name."""
    found = {path.stem: json.loads(path.read_text())["steps"] for path in sorted(CAPTURED.glob("*.json"))}
    dice = random.Random(25)
    return {
        **found,
        "storm": storm(),
        "resizes": resizes(),
        "hostile": [["size", 80, 24], *pieces(hostile(), dice, 5000)],
    }


def expected(steps: Steps) -> list[Event]:
    """What a recording of it has to say."""
    found: list[Event] = []
    for sort, *rest in steps:
        if sort == "size":
            found.append(("size", (int(str(rest[0])), int(str(rest[1])))))
        else:
            _add(found, "in" if sort == "in" else "out", base64.b64decode(str(rest[-1])))
    return found


def events(packets: Iterable[Packet]) -> list[Event]:
    """What a recording says."""
    found: list[Event] = []
    size = (-1, -1)
    for packet in packets:
        if isinstance(packet, Window):
            # Each message repeats the size at its front.
            if (packet.columns, packet.rows) != size:
                size = (packet.columns, packet.rows)
                found.append(("size", size))
        elif isinstance(packet, Input | Output):
            _add(found, "in" if isinstance(packet, Input) else "out", packet.data)
    return found


def _add(found: list[Event], sort: str, data: bytes) -> None:
    last = found[-1] if found else ("", b"")
    if last[0] == sort and isinstance(last[1], bytes):
        found[-1] = (sort, last[1] + data)
    else:
        found.append((sort, data))


def write_script(folder: Path, name: str, steps: Steps) -> Path:
    """The script as a file."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"steps": steps}))
    return path


def replayer(script: Path) -> list[str]:
    """The command that plays it."""
    return [sys.executable, "-I", "-S", str(REPLAY), str(script)]


def play_at_terminal(recorder: Sequence[str], script: Path, steps: Steps, env: Mapping[str, str]) -> bytes:
    """Record it at a terminal of our own; what was shown. Each key and size comes when all before it was seen."""
    columns, rows = (int(str(number)) for number in steps[0][1:])
    screen = AtTerminal([*recorder, "--", *replayer(script)], size=(columns, rows), env=env)
    shown = 0
    try:
        for sort, *rest in steps[1:]:
            if sort == "out":
                shown += len(base64.b64decode(str(rest[1])))
                continue
            wait_for(lambda: len(screen.look(0.002)) >= shown, f"{shown} bytes on the screen")  # noqa: B023
            time.sleep(GAP_S)
            if sort == "in":
                screen.type(base64.b64decode(str(rest[0])))
            else:
                screen.resize((int(str(rest[0])), int(str(rest[1]))))
        assert screen.wait() == 0, screen.seen
    finally:
        screen.close()
    return screen.seen


def play_on_pipes(recorder: Sequence[str], script: Path, env: Mapping[str, str]) -> bytes:
    """Record it on pipes; what came on both."""
    done = subprocess.run(
        [*recorder, "--", *replayer(script)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=env,
        timeout=2 * PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def environment(term: str) -> dict[str, str]:
    """For one recording: its TERM names it."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "TERM": term}
