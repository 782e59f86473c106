# SPDX-License-Identifier: Apache-2.0
"""The omprog state machine (docs/contracts/omprog.md), without a process."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrsyslog_omprog import Kind, Line, Marks, Protocol, ProtocolError
from pyrsyslog_omprog.protocol import MAX_DOTS

SMALL = 32  # a limit that short examples cross
BEGIN, COMMIT = Marks()

lines_of_bytes = st.lists(
    st.one_of(
        st.binary(max_size=3 * SMALL).map(lambda data: data.replace(b"\n", b"")),
        st.sampled_from([b"", b"\r", BEGIN, COMMIT, b"x" * SMALL, b"x" * (SMALL + 1), BEGIN + b"\r"]),
    ),
    max_size=20,
)


def ready(max_line: int = SMALL, marks: Marks | None = Marks()) -> Protocol:  # noqa: B008 - immutable
    """A protocol whose first answer has been given."""
    protocol = Protocol(max_line, marks)
    protocol.confirm()
    return protocol


def feed_all(protocol: Protocol, chunks: Iterable[bytes]) -> list[Line]:
    """All lines out of several reads."""
    return [line for chunk in chunks for line in protocol.feed(chunk)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` cut at the places given (modulo its length)."""
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(lines_of_bytes, st.lists(st.integers(0, 10_000), max_size=12))
def test_how_reads_are_cut_changes_nothing(lines: list[bytes], places: list[int]) -> None:
    """OMP-12."""
    stream = b"".join(line + b"\n" for line in lines)
    whole = ready().feed(stream)
    assert feed_all(ready(), cut(stream, places)) == whole
    assert feed_all(ready(), (stream[i : i + 1] for i in range(len(stream)))) == whole


@given(lines_of_bytes)
def test_every_line_comes_out_once_in_order_with_its_bytes(lines: list[bytes]) -> None:
    """OMP-2, OMP-12: a CR belongs to the line, an empty line is one."""
    got = ready(marks=None, max_line=4 * SMALL).feed(b"".join(line + b"\n" for line in lines))
    assert got == [Line(Kind.MESSAGE, line, len(line)) for line in lines]


@given(lines_of_bytes, st.binary(max_size=20).map(lambda data: data.replace(b"\n", b"")))
def test_bytes_after_the_last_lf_are_no_line(lines: list[bytes], rest: bytes) -> None:
    """OMP-10."""
    protocol = ready()
    got = protocol.feed(b"".join(line + b"\n" for line in lines) + rest)
    assert (len(got), protocol.partial, protocol.owed) == (len(lines), len(rest), len(lines))


@pytest.mark.parametrize("size", [SMALL - 1, SMALL, SMALL + 1, 5 * SMALL])
def test_the_head_of_a_line_over_the_limit_is_kept_with_the_whole_length(size: int) -> None:
    """OMP-13."""
    data = bytes(range(32, 96)) * 3
    expected = Line(Kind.LONG if size > SMALL else Kind.MESSAGE, data[: min(size, SMALL)], size)
    assert ready().feed(data[:size] + b"\nnext\n") == [expected, Line(Kind.MESSAGE, b"next", 4)]


def test_memory_stays_bounded_under_an_endless_line() -> None:
    """OMP-13: no more than the limit is held, however much comes."""
    protocol = ready()
    for _ in range(1000):
        assert protocol.feed(b"y" * 1000) == []
        assert sum(map(len, protocol._parts)) <= SMALL
    assert protocol.feed(b"\n") == [Line(Kind.LONG, b"y" * SMALL, 1_000_000)]


def test_the_first_answer_is_owed_before_any_line() -> None:
    """OMP-1."""
    protocol = Protocol()
    assert protocol.keep_alive() == b"."
    assert protocol.confirm() == b"OK\n"


@given(st.lists(st.integers(0, 3), max_size=30))
def test_no_answer_without_a_line(steps: list[int]) -> None:
    """OMP-2, OMP-3: one answer a line, `OK` and LF always, and never one more."""
    protocol = Protocol()
    owed = 1
    for lines in steps:
        protocol.feed(b"line\n" * lines)
        owed += lines
        if owed:
            assert protocol.confirm() == b"OK\n"
            owed -= 1
        else:
            with pytest.raises(ProtocolError):
                protocol.confirm()
        assert protocol.owed == owed


def test_dots_only_while_an_answer_is_owed() -> None:
    """OMP-6, OMP-7: none after an answer, none for half a line."""
    protocol = ready()
    assert protocol.keep_alive() == b""
    protocol.feed(b"half")
    assert protocol.keep_alive() == b""
    protocol.feed(b" and half\n")
    assert protocol.keep_alive() == b"."
    protocol.confirm()
    assert protocol.keep_alive() == b""


def test_an_answer_with_its_dots_stays_below_the_limit() -> None:
    """OMP-5."""
    protocol = ready()
    for _ in range(2):  # counted anew for each answer
        protocol.feed(b"line\n")
        dots = b"".join(protocol.keep_alive() for _ in range(2 * MAX_DOTS))
        assert len(dots + protocol.confirm()) <= 4095
        assert len(dots) == MAX_DOTS
        assert not protocol.exhausted


def test_exhausted_after_the_last_dot() -> None:
    """OMP-5: and not one dot earlier."""
    protocol = Protocol()
    for _ in range(MAX_DOTS):
        assert not protocol.exhausted
        protocol.keep_alive()
    assert protocol.exhausted


def kinds(lines: Iterable[Line]) -> list[Kind]:
    """What each line is."""
    return [line.kind for line in lines]


def test_marks_are_no_messages() -> None:
    """OMP-14: BEGIN always, COMMIT only after it; each is owed an answer."""
    protocol = ready()
    got = protocol.feed(b"\n".join([COMMIT, BEGIN, b"a", BEGIN, b"b", COMMIT, COMMIT, b""]))
    message, begin, commit = Kind.MESSAGE, Kind.BEGIN, Kind.COMMIT
    assert kinds(got) == [message, begin, message, begin, message, commit, message]
    assert protocol.owed == 7
    assert not protocol.in_transaction


def test_marks_are_compared_whole() -> None:
    """OMP-14: with a CR, a blank or in a longer line they are text."""
    got = ready(max_line=100).feed(BEGIN + b"\r\n" + BEGIN + b" \n x" + BEGIN + b"\n" + BEGIN.lower() + b"\n")
    assert kinds(got) == [Kind.MESSAGE] * 4


def test_marks_can_be_named_or_turned_off() -> None:
    """OMP-14."""
    assert kinds(ready(marks=Marks(b"<", b">")).feed(b"<\n>\n" + BEGIN + b"\n")) == [
        Kind.BEGIN,
        Kind.COMMIT,
        Kind.MESSAGE,
    ]
    assert kinds(ready(marks=None).feed(BEGIN + b"\n" + COMMIT + b"\n")) == [Kind.MESSAGE] * 2
