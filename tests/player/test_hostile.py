# SPDX-License-Identifier: Apache-2.0
"""Hostile recordings on a real terminal: byte for byte, what the player writes is on a list of what is harmless."""

import os
import random
import re
import sys
import time
from pathlib import Path

import pytest

from tests.player.logs import PLAYER, write_log
from tests.player.test_painted import SAFE, WITHOUT
from tests.recorder.recorder import AtTerminal
from tests.store.samples import make_recording, message

SECRET = b"cm0gLXJm"
STRINGS = [
    b"]52;c;" + SECRET, b"]0;" + SECRET, b"]1337;File=name=x;inline=1:" + SECRET, b"]8;;http://" + SECRET, b"]10;?",
    b"]777;notify;a;" + SECRET, b"]9;" + SECRET, b"P$q" + SECRET, b"Pq#0;2;0;0;0#0~~@@" + SECRET, b"P+q" + SECRET,
    b"P1;1|17/" + SECRET, b"_Ga=T,f=100;" + SECRET, b"^" + SECRET, b"X" + SECRET, b"]2;" + SECRET * 2000,
]  # fmt: skip
SEQUENCES = [
    b"c", b"=c", b">c", b"6n", b"?6n", b"5n", b"21t", b"20t", b"18t", b"8;500;500t", b"3;0;0t", b"2t", b"9;1t", b"5i",
    b"4i", b"?1000h", b"?1003h", b"?1006h", b"?2004h", b"?1004h", b"?9h", b"?3h", b"?1049h", b"?47h", b"20h", b"4h",
    b"2h", b">1u", b"?u", b">4;2m", b"!p", b'"p', b'61"p', b"0$}", b"1$~", b'2"q', b"99999999999999999999A",
    b"4294967296;18446744073709551616H", b"-1;5H", b"1;2;3;4;5;6;7;8;9;0;1;2;3;4;5;6;7;8;9m", b"65535b",
    b"1000000@", b"1000000L", b"5;3r", b"?6h", b"1;1;5;5$r", b"1;1;24;80;1;1;1;1$v", b"?7l", b"?25l", b"?5h", b"?12$p",
    b"x", b"1y", b"?1;2S", b">q", b"#{", b" q", b"38:2::1:2:3m", b"58:5:9m",
]  # fmt: skip
OTHERS = [
    b"\x05", b"\x07", b"\x1bZ", b"\x1bc", b"\x1b#8", b"\x1b#3", b"\x1b%G", b"\x1b%@", b"\x1b(0", b"\x1b)A", b"\x1bn",
    b"\x1b|", b"\x1b>", b"\x1b=", b"\x1b[\x18", b"\x1b\x1b[6n", b"\x7f", b"\0", b"\x0e\x0f", b"\x11\x13\x14", b"\x1bN",
    "\u202e\u2066\u200f\ufeff\U000e0041".encode(), b"\xc2\x85\xc2\x84\xc2\x88\xc2\x8d", b"\x9b6n\x9d0;x\x07\x90\x9c",
    b"\xff\xfe\xed\xa0\x80", "e\u0301\u0301\u200d\U0001f468\u200d\U0001f469".encode(),
]  # fmt: skip
FILTERED = re.compile(
    "(?:[\x20-\x7e\xa0-\u200d\u2010-\u2029\u202f-\u2065\u206a-\U0010ffff\t\n\x0b\x0c\r\b\x0e\x0f]"
    "|\x1b\\[[0-9;:]*[@A-HJ-MPSTXZ`a-bd-gmrsu]"
    "|\x1b\\[\\?(?:6|7|25|47|1047|1048|1049)(?:;(?:6|7|25|47|1047|1048|1049))*[hl]"
    "|\x1b[78DEMH]|\x1b[()][0AB]"
    "|\x1b\\]2;ttyscribe: [\x20-\x7e]*\x07|\x1b\\[22;0t)*"
)
"""What may stand before the player's own end: the filter's list, and a title of ours."""


def corpus(seed: int) -> list[bytes]:
    """Everything above, in 7 and in 8 bits, ended and not, in random order and cut anywhere."""
    dice = random.Random(seed)
    pieces = [b"\x1b" + text + end for text in STRINGS for end in (b"\x07", b"\x1b\\", b"\xc2\x9c", b"\x18", b"\x1b[m")]
    for text in STRINGS:
        pieces += [
            b"\xc2" + bytes([text[0] + 0x40]) + text[1:] + b"\xc2\x9c",
            bytes([text[0] + 0x40]) + text[1:] + b"\x9c",
        ]
    for text in SEQUENCES:
        pieces += [b"\x1b[" + text, b"\xc2\x9b" + text, b"\x9b" + text, b"\x1b[\x0d" + text]
    pieces += OTHERS * 3
    dice.shuffle(pieces)
    data = b"".join(piece + dice.choice([b"", b"text", b"\r\n", b"\x1b[0m"]) for piece in pieces) + b"\x1b]0;no end"
    cuts = sorted(dice.sample(range(len(data)), 300))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def seen_at_a_terminal(command: list[str]) -> bytes:
    """All that the player writes there; it ends by itself and leaves the terminal as it was."""
    screen = AtTerminal(command, env={**os.environ, "TERM": "xterm"})
    try:
        assert screen.wait() == 0
        assert screen.attributes() == screen.found
        return bytes(screen.seen)
    finally:
        screen.close()


@pytest.mark.parametrize("seed", range(2))
def test_painted(tmp_path: Path, seed: int) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", corpus(seed), step_ms=1))
    seen = seen_at_a_terminal([*PLAYER, str(log)])
    assert SAFE.fullmatch(seen)
    assert not re.search(rb"\xc2[\x80-\x9f]", seen)


@pytest.mark.parametrize("seed", range(2))
def test_filtered(tmp_path: Path, seed: int) -> None:
    log = write_log(tmp_path / "log", make_recording("rec", corpus(seed), step_ms=1))
    code = f"{WITHOUT}; from ttyscribe_player.play import main; sys.exit(main())"
    played, end, rest = seen_at_a_terminal([sys.executable, "-c", code, str(log)]).partition(b"\x18\x1b\\")
    assert end
    assert FILTERED.fullmatch(played.decode())
    assert SECRET not in rest


def test_a_storm_of_sizes(tmp_path: Path) -> None:
    """Ten thousand recorded ones, and the viewer's own window changes all the while."""
    windows = "".join(f"+1={20 + n % 300}x{5 + n % 90}>1" for n in range(10_000))
    # The last word begins a line: whichever window the viewer has at the end cuts off only what stands to the right.
    messages = [message(1, "x" * 10_000, timing=windows), message(2, "\r\nend", pos=11_000)]
    log = write_log(tmp_path / "log", messages)
    screen = AtTerminal([*PLAYER, "--speed", "16", "--resize", str(log)], env={**os.environ, "TERM": "xterm"})
    try:
        screen.wait_to_see(b"\x1b[?1049h")
        for number in range(300):
            screen.resize((30 + number % 200, 10 + number % 60))
            screen.look(0.002)
        start = time.monotonic()
        assert screen.wait() == 0
        assert screen.attributes() == screen.found
        assert time.monotonic() - start < 60
        assert b"end" in screen.seen.rpartition(b"\x1b[?1049l")[2]
    finally:
        screen.close()
