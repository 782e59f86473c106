# SPDX-License-Identifier: Apache-2.0
"""The filter lets through what shows something, however it is cut, and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.streams import stream
from ttyscribe_player.filter import Filter

SAFE = re.compile(
    "(?:[\x20-\x7e\xa0-\U0010ffff\t\n\x0b\x0c\r\b\x0e\x0f]"
    "|\x1b\\[[0-9;:]*[@A-HJ-MPSTXZ`a-bd-gmrsu]|\x1b\\[\\?[0-9;]+[hl]|\x1b[78DEMH]|\x1b[()][0AB])*"
)


@pytest.mark.parametrize(
    "data",
    [
        "text é日👩\r\n\t\b",
        "\x1b[1;31mred\x1b[0m",
        "\x1b[2J\x1b[3;3H\x1b[K\x1b[?1049h\x1b[?25l",
        "\x1b(0lqk\x1b(B\x1b7\x1b8\x1bM",
    ],
)
def test_what_shows_something_passes_unchanged(data: str) -> None:
    assert Filter().feed(data.encode()).decode() == data


@pytest.mark.parametrize(
    "data",
    [
        "\x1b]52;c;aGk=\x07",
        "\x1b]0;title\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1b_x\x9c",
        "\x1b^x\x18",
        "\x05",
        "\x07",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[21t",
        "\x9b21t",
        "\x9d0;x\x07",
        "\x1b[?1003h",
        "\x1b[?2004h",
        "\x1b[5i",
        "\x1bZ",
        "\x1b=",
        "\x1b[!p",
        "\x1b[ q",
        "\x1b[20h",
        "\x1b[>1u",
        "\u202e",
        "\x1b[2\n1t",
    ],
)
def test_what_does_more_is_dropped_however_it_is_cut(data: str) -> None:
    assert Filter().feed(f"a{data}b".encode()) == b"ab"
    cut = Filter()
    assert b"".join(cut.feed(bytes([byte])) for byte in f"a{data}b".encode()) == b"ab"


def test_a_mixed_mode_keeps_its_safe_part() -> None:
    assert Filter().feed(b"\x1b[?25;1003l") == b"\x1b[?25l"


def test_a_reset_clears_the_screen_alone() -> None:
    assert Filter().feed(b"\x1bc") == b"\x1b[0m\x1b[r\x1b[H\x1b[2J"


@given(stream)
def test_nothing_else_ever_gets_through(pieces: list[bytes]) -> None:
    item = Filter()
    passed = "".join(item.feed(piece).decode() for piece in pieces)
    assert SAFE.fullmatch(passed)


@given(st.binary(max_size=300))
def test_random_bytes_neither(data: bytes) -> None:
    assert SAFE.fullmatch(Filter().feed(data).decode())


@pytest.mark.parametrize(
    "data", [b"\x1b[" * 100_000, b"\x1b[" + b"1;" * 100_000, b"\x1b]" * 100_000, b"\x1b" * 200_000]
)
def test_hostile_streams_take_linear_time(data: bytes) -> None:
    item = Filter()
    for start in range(0, len(data), 1000):
        item.feed(data[start : start + 1000])
