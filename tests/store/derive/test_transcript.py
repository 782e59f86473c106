# SPDX-License-Identifier: Apache-2.0
"""The lines that stood on a screen: joined, timed, each once; as an independent emulator shows them."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttyscribe_screen.screen import Screen
from ttyscribe_store.derive.transcript import AGAIN_MS, SETTLE_MS, Line, Transcript

DATA = Path(__file__).resolve().parents[2] / "data"


def transcript(*outputs: tuple[int, bytes], size: tuple[int, int] = (20, 5)) -> list[Line]:
    """The lines of a session, in the order of first sight."""
    found: list[Line] = []
    made = Transcript(found.append)
    made.resize(0, *size)
    for time_ms, data in outputs:
        made.output(time_ms, data)
    made.end(outputs[-1][0])
    assert sorted(line.number for line in found) == list(range(1, len(found) + 1))
    return sorted(found)


def texts(lines: Sequence[Line]) -> list[str]:
    """Their texts."""
    return [line.text for line in lines]


def test_a_line_that_is_typed_is_one_line_from_its_first_character() -> None:
    lines = transcript((0, b"$ "), (100, b"l"), (200, b"s"), (300, b"\r\n"), (400, b"file\r\n"), (900, b"$ "))
    assert lines == [Line(1, "$ ls", 0, 900), Line(2, "file", 400, 900), Line(3, "$", 900, 900)]


def test_what_the_terminal_wraps_is_joined() -> None:
    long = "the quick brown fox jumps over the lazy dog"
    assert texts(transcript((0, long.encode()), (100, b"\r\nnext"))) == [long, "next"]


def test_a_full_row_and_the_next_are_two_lines_where_the_program_says_so() -> None:
    assert texts(transcript((0, b"x" * 20 + b"\r\n" + b"y" * 20 + b"\r\n"))) == ["x" * 20, "y" * 20]


def test_wide_characters_and_marks_are_joined_too() -> None:
    wide = "日本語" * 8
    assert texts(transcript((0, f"{wide}\r\nmu\u0308ller 👩\u200d🚀".encode()))) == [wide, "müller 👩\u200d🚀"]


def test_lines_that_scroll_off_have_the_time_at_which_they_left() -> None:
    lines = transcript(*((i * 1000, f"line {i}\r\n".encode()) for i in range(8)))
    assert lines[0] == Line(1, "line 0", 0, 4000)
    assert lines[3] == Line(4, "line 3", 3000, 7000)
    assert lines[7] == Line(8, "line 7", 7000, 7000)


def test_everything_of_a_flood_is_there() -> None:
    count = 5000
    lines = transcript((0, b"".join(b"line %d%s\r\n" % (i, b"x" * (i % 50)) for i in range(count))), size=(30, 10))
    assert texts(lines) == [f"line {i}{'x' * (i % 50)}" for i in range(count)]


def test_a_line_that_is_partly_gone_is_whole() -> None:
    long = "abcdefghijklmnopqrstuvwxyz" * 6
    assert texts(transcript((0, b"first\r\n"), (100, long.encode()), (200, b"\r\nlast"))) == ["first", long, "last"]


def test_a_line_that_is_written_over_is_two() -> None:
    lines = transcript((0, b"10 %"), (1000, b"\r20 %"), (2000, b"\r\x1b[Kdone"))
    assert lines == [Line(1, "10 %", 0, 1000), Line(2, "20 %", 1000, 2000), Line(3, "done", 2000, 2000)]


def test_full_screen_programs_have_lines_of_their_own() -> None:
    lines = transcript((0, b"$ vi\r\n"), (1000, b"\x1b[?1049h\x1b[Hsecret plan\r\n~"), (5000, b"\x1b[?1049l$ "))
    assert lines == [
        Line(1, "$ vi", 0, 5000),
        Line(2, "secret plan", 1000, 5000),
        Line(3, "~", 1000, 5000),
        Line(4, "$", 5000, 5000),
    ]


def test_a_switch_of_screens_that_is_cut_is_seen() -> None:
    lines = transcript((0, b"a\x1b[?10"), (100, b"49h\x1b[Hfull"), (200, b"\x1b[?1049lb"))
    assert texts(lines) == ["ab", "full"]


def test_a_screen_that_is_drawn_again_is_written_down_once() -> None:
    frames = [(i * 1000, b"\x1b[H\x1b[2Jtop\r\ncpu %d\r\n" % (i % 2)) for i in range(10)]
    lines = transcript((0, b"\x1b[?1049h"), *frames)
    assert sorted(texts(lines)) == ["cpu 0", "cpu 1", "top"]
    assert {(line.first_ms, line.last_ms) for line in lines if line.text == "top"} == {(0, 9000)}


def test_what_comes_back_much_later_is_another_sight() -> None:
    back = 2 * AGAIN_MS
    lines = transcript((0, b"here"), (1000, b"\r\x1b[K"), (back, b"here"), (back + 1000, b"\r\n"))
    assert lines == [Line(1, "here", 0, 1000), Line(2, "here", back, back + 1000)]


def test_a_program_that_scrolls_by_itself_moves_its_lines() -> None:
    start = b"\x1b[?1049h\x1b[Hone\r\ntwo\r\nthree\r\nfour\r\nfive"
    lines = transcript((0, start), (1000, b"\x1b[5;1H\nsix"), (2000, b"\x1b[H\x1bMzero"))
    assert texts(lines) == ["one", "two", "three", "four", "five", "six", "zero"]
    assert [line.first_ms for line in lines] == [0, 0, 0, 0, 0, 1000, 2000]
    assert [line.last_ms for line in lines] == [1000, 2000, 2000, 2000, 2000, 2000, 2000]


def test_another_size_loses_and_doubles_no_line() -> None:
    found: list[Line] = []
    made = Transcript(found.append)
    made.resize(0, 40, 6)
    made.output(0, b"a line of more than twenty characters\r\nshort\r\n$ ")
    made.resize(1000, 20, 6)
    made.resize(2000, 40, 6)
    made.output(3000, b"ls\r\n")
    made.end(3000)
    assert texts(sorted(found)) == ["a line of more than twenty characters", "short", "$ ls"]
    assert {line.last_ms for line in found} == {3000}


def test_a_burst_is_one_look() -> None:
    lines = transcript((0, b"a"), (SETTLE_MS - 1, b"\rb"), (SETTLE_MS + 500, b"\r\nend"))
    assert texts(lines) == ["b", "end"]


# ---- beside an independent emulator


@pytest.mark.parametrize("name", ["vim", "htop", "less", "tmux"])
def test_it_is_what_xterm_shows(name: str) -> None:
    steps = json.loads((DATA / "terminal" / f"{name}.json").read_text())["steps"]
    wanted = {
        screen["step"]: screen for screen in json.loads((DATA / "screens" / f"{name}.json").read_text())["screens"]
    }
    found: list[Line] = []
    made = Transcript(found.append)
    time_ms, seen = 0, []
    for number, (kind, *values) in enumerate(steps):
        if kind == "size":
            made.resize(time_ms, *values)
        elif kind == "out":
            time_ms += values[0] * 10
            made.output(time_ms, base64.b64decode(values[1]))
        if number in wanted:
            made.settle()
            rows = [line.rstrip() for line in wanted[number]["lines"] if line.strip()]
            assert made.standing() == rows, (number, made.standing(), rows)
            seen += [(time_ms, row) for row in rows]
    made.end(time_ms)
    assert len(seen) > 20
    for time_ms, row in seen:
        assert any(line.first_ms <= time_ms <= line.last_ms and row in line.text for line in found), (time_ms, row)


PIECES = st.sampled_from(
    (
        *(b"abc ", b"x" * 25, "日本".encode(), b"\r\n", b"\n", b"\r", b"\t", b"\xff", b"$ "),
        *(b"\x1b[A", b"\x1b[2J", b"\x1b[H", b"\x1b[K", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1bc"),
        *(b"\x1bM", b"\x1b[3S", b"\x1b[2T", b"\x1b[L", b"\x1b[2;4r", b"\x1b["),
    )
)
SESSIONS = st.lists(
    st.tuples(st.integers(0, 3000), PIECES) | st.tuples(st.integers(1, 30), st.integers(1, 8)), max_size=40
)


@settings(deadline=None)
@given(SESSIONS)
def test_whatever_is_written_every_row_that_was_looked_at_is_in_a_line(session: list[tuple[int, bytes | int]]) -> None:
    found: list[Line] = []
    made, plain = Transcript(found.append), Screen(20, 5)
    made.resize(0, 20, 5)
    time_ms, seen = 0, []
    for number, what in session:
        if isinstance(what, int):
            made.resize(time_ms, number, what)
            plain.resize(number, what)
        else:
            time_ms += number
            made.output(time_ms, what)
            made.settle()
            plain.feed(what)
            assert made.screen.lines() == plain.lines()
            seen += [(time_ms, row.strip()) for row in plain.lines() if row.strip()]
    made.end(time_ms)
    assert [line.number for line in sorted(found)] == list(range(1, len(found) + 1))
    for at_ms, row in seen:
        assert any(line.first_ms <= at_ms <= line.last_ms and row in line.text for line in found), (at_ms, row, found)
