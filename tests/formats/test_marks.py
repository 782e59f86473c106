# SPDX-License-Identifier: Apache-2.0
"""Our own key: every mark comes out once, in order, in at most 1 KiB, and tlog's reader takes it."""

import json
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorder.test_interop import play
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.marks import MAX_OWN, plain
from ttyscribe_formats.packet import Input, Output, Window
from ttyscribe_formats.reading import message_packets, packets

HEADER = Header("h", "r", "u", "xterm", 7)
MS = 1_000_000
DIGEST = "0123456789abcdef" * 2
START = 5_000_000_123

steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1_000_000, 999_999, 12_345_678, 3 * 10**9]),
        st.one_of(
            st.binary(max_size=60).map(lambda data: ("o", data)),
            st.binary(max_size=60).map(lambda data: ("e", data)),
            st.binary(max_size=10).map(lambda data: ("i", data)),
            st.integers(0, 3).map(lambda size: ("w", size)),
            st.integers(0, 10**10).map(lambda back: ("mask", back)),
            st.integers(0, 2**63).map(lambda size: ("skip", size)),
            st.text(max_size=200).map(lambda why: ("lost", why)),
            st.just(("flush", 0)),
        ),
    ),
    max_size=80,
)


def fed(found: list[tuple[int, tuple[str, Any]]], payload: int) -> tuple[list[bytes], list[tuple[str, Any]]]:
    """The messages of these steps, and the marks that they ask for."""
    chunker = Chunker(HEADER, payload, marks=True)
    now, lines, wanted = START, list[bytes](), list[tuple[str, Any]]()
    chunker.begin(now, 1_700_000_000 * 1000 * MS)
    for delay, (sort, value) in found:
        now += delay
        ms = (now - START) // MS
        if sort in "oe":
            lines += chunker.feed(Output(now, value, "stderr" if sort == "e" else "stdout"), 0)
        elif sort == "i":
            lines += chunker.feed(Input(now, value), 0)
        elif sort == "w":
            lines += chunker.feed(Window(now, 80 + value, 24), 0)
        elif sort == "mask":
            lines += chunker.mask(now - value, now)
            wanted.append(("mask", [max(0, now - value - START) // MS, ms]))
        elif sort == "skip":
            lines += chunker.skip(now, "stdin", value, DIGEST)
            wanted.append(("skip", {"ms": ms, "stream": "stdin", "bytes": value, "digest": DIGEST}))
        elif sort == "lost":
            lines += chunker.lost(3, 2**31, value)
            wanted.append(("lost", {"from": 3, "to": 2**31, "why": plain(value)}))
        else:
            lines += chunker.flush()
            assert not chunker.has_data
    return lines + chunker.end(0, now), wanted


@settings(max_examples=300, deadline=None)
@given(steps, st.sampled_from([32, 64, 300, 2048, 2**31]))
def test_any_interleaving_of_packets_and_marks(found: list[tuple[int, tuple[str, Any]]], payload: int) -> None:
    """All bytes and all marks come back once and in order; keys are small, ids and times only grow."""
    lines, wanted = fed(found, payload)
    messages = [tlog.decode(line) for line in lines]
    assert [m.id for m in messages] == list(range(1, len(messages) + 1))
    assert [m.pos for m in messages] == sorted(m.pos for m in messages)
    read = list(packets(messages))
    assert [p.time_ns for p in read] == sorted(p.time_ns for p in read)
    outs = [
        (p.stream == "stderr", byte)
        for m in messages
        for p in message_packets(m)
        if isinstance(p, Output)
        for byte in p.data
    ]
    assert outs == [(sort == "e", byte) for _, (sort, value) in found if sort in "oe" for byte in value]
    keys = [tlog.own_fields(m) for m in messages]
    for name in ("mask", "skip", "lost"):
        assert [item for key in keys for item in key.get(name, [])] == [item for sort, item in wanted if sort == name]
    assert [key["end"] for key in keys if "end" in key] == [{"status": 0}]
    assert "end" in keys[-1]
    for line, message in zip(lines, messages, strict=True):
        own = line[line.rindex(b',"ttyscribe":') :] if message.extra else b"}"
        assert len(own) - 1 <= MAX_OWN
        assert own.isascii()
        assert tlog.encode(message) == line  # our own encoder agrees about order and blanks


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=30)), max_size=300))
def test_marks_change_nothing_else(found: list[tuple[bool, bytes]]) -> None:
    """With a mark before every packet the texts and timings are those without any, and so are the messages' borders."""
    with_marks, without = Chunker(HEADER, 256, marks=True), Chunker(HEADER, 256)
    lines, plain_lines = list[bytes](), list[bytes]()
    for number, (typed, data) in enumerate(found):
        packet = Input(number * MS, data) if typed else Output(number * MS, data)
        if number and not number % 7:
            assert with_marks.mask((number - 3) * MS, number * MS) == []
            assert without.mask(0, 1) == without.skip(0, "stdout", 1, DIGEST) == without.lost(1, 2, "x") == []
        lines += with_marks.feed(packet, 0)
        plain_lines += without.feed(packet, 0)
    lines += with_marks.cut()
    plain_lines += without.cut()
    assert [tlog.decode(line)._replace(extra=b"") for line in lines][: len(plain_lines)] == [
        tlog.decode(line) for line in plain_lines
    ]
    assert all(tlog.decode(line).timing == "" for line in lines[len(plain_lines) :])


def test_a_mark_alone_is_a_message_without_events() -> None:
    """It stands where the mark was made, and times after it don't go back."""
    chunker = Chunker(HEADER, marks=True)
    chunker.feed(Window(0, 80, 24), 1000 * MS)
    chunker.flush()
    assert not chunker.has_data
    assert chunker.skip(1500 * MS, "stdout", 70_000, DIGEST) == []
    assert chunker.has_data
    assert not chunker.has_events
    message = tlog.decode(chunker.flush()[0])
    assert (message.id, message.pos, message.time_ms, message.timing) == (2, 1500, 2500, "")
    chunker.feed(Output(1400 * MS, b"late"), 0)
    message = tlog.decode(chunker.flush()[0])
    assert (message.id, message.pos, message.timing) == (3, 1500, "=80x24>4")


def test_a_loss_alone_stands_where_the_recording_is() -> None:
    """A loss has no time of its own."""
    chunker = Chunker(HEADER, marks=True)
    chunker.feed(Output(0, b"x"), 0)
    chunker.feed(Output(700 * MS, b"x"), 0)
    chunker.flush()
    chunker.lost(1, 1, "no space left")
    message = tlog.decode(chunker.flush()[0])
    assert (message.id, message.pos) == (2, 700)
    assert tlog.own_fields(message) == {"v": 1, "lost": [{"from": 1, "to": 1, "why": "no space left"}]}


def test_a_mark_before_the_first_packet_waits_for_it() -> None:
    """Without a beginning there is no wall clock to give: the mark counts from the start that comes later."""
    chunker = Chunker(HEADER, marks=True)
    chunker.mask(5 * MS, 9 * MS)
    assert not chunker.has_data
    assert chunker.flush() == []
    chunker.feed(Output(10 * MS, b"x"), 7000 * MS)
    message = tlog.decode(chunker.flush()[0])
    assert (message.pos, message.time_ms) == (0, 7000)
    assert tlog.own_fields(message)["mask"] == [[0, 0]]


def test_a_recording_of_masked_input_alone_is_a_recording() -> None:
    """Where the beginning is told, a mark is enough for a message."""
    chunker = Chunker(HEADER, marks=True)
    chunker.begin(5 * MS, 7000 * MS)
    chunker.mask(5 * MS, 1009 * MS)
    (last,) = chunker.end(0, 1100 * MS)
    message = tlog.decode(last)
    assert (message.id, message.pos, message.time_ms, message.timing) == (1, 1095, 8095, "")
    assert tlog.own_fields(message) == {"v": 1, "end": {"status": 0}, "mask": [[0, 1004]]}


@given(st.text(max_size=300))
def test_a_reason_is_printable_and_short(text: str) -> None:
    """It stays valid JSON whatever it was made of."""
    assert json.loads(f'"{plain(text)}"').isprintable()
    assert len(plain(text)) <= 96
    assert plain("a" * 97) == "a" * 93 + "..."


MARKS = {
    "mask": lambda chunker: chunker.mask(0, 5 * MS),
    "skip": lambda chunker: chunker.skip(5 * MS, "stdout", 10**12, DIGEST),
    "lost": lambda chunker: chunker.lost(1, 2**40, "the disk is full"),
    "end": lambda chunker: chunker.end(255, 6 * MS),
    "err": lambda chunker: chunker.feed(Output(6 * MS, b"", "stderr"), 0),
}


@pytest.mark.tlog
@pytest.mark.parametrize("name", MARKS)
def test_tlog_plays_messages_with_every_mark(name: str, tmp_path: Path) -> None:
    """In a message with events and in one without, and many of them at once."""
    chunker = Chunker(HEADER, marks=True)
    lines = chunker.feed(Output(0, b"one"), 10**18) + chunker.feed(Output(1, b" two", "stderr"), 0)
    lines += MARKS[name](chunker) + chunker.flush()
    for _ in range(1 if name == "end" else 30):
        lines += MARKS[name](chunker)
    lines += chunker.flush() + chunker.feed(Output(9 * MS, b" three"), 0) + chunker.end(0, 10 * MS)
    assert sum(f'"{name}":'.encode() in line for line in lines) >= 1
    log = tmp_path / "log"
    log.write_bytes(b"".join(line + b"\n" for line in lines))
    assert play(log) == b"one two three"


def test_many_marks_at_once_are_several_messages() -> None:
    """At the end, too: none is left behind, and the end stands in the last."""
    chunker = Chunker(HEADER, marks=True)
    chunker.feed(Output(0, b"x"), 0)
    lines = [line for n in range(40) for line in chunker.skip(n * MS, "stdin", 2**40, DIGEST)]
    assert lines  # what one key can't take does not wait
    lines += chunker.end(0, 50 * MS)
    keys = [tlog.own_fields(tlog.decode(line)) for line in lines]
    assert [item["ms"] for key in keys for item in key.get("skip", [])] == list(range(40))
    assert [number for number, key in enumerate(keys) if "end" in key] == [len(keys) - 1]
    assert all(len(line) < MAX_OWN + 300 for line in lines)


@pytest.mark.parametrize("masks", [0, 15])
@pytest.mark.parametrize("payload", [2048, 10**9])
def test_many_stretches_of_standard_error_end_a_message(payload: int, masks: int) -> None:
    """However large it may be: the key takes no more."""
    chunker = Chunker(HEADER, payload, marks=True)
    lines = []
    for n in range(300):
        stream: Literal["stderr", "stdout"] = "stderr" if n % 2 else "stdout"
        lines += chunker.feed(Output(0, b"%d" % (n % 10), stream), 0)
        if n % 20 == 0 and n // 20 < masks:
            lines += chunker.mask(0, 2**50)
    lines += chunker.end(0, 0)
    own = [line[line.rindex(b',"ttyscribe":') : -1] for line in lines]
    assert max(map(len, own)) <= MAX_OWN
    assert len(lines) < 15
    found = [p for line in lines for p in message_packets(tlog.decode(line)) if isinstance(p, Output)]
    assert [(p.data, p.stream == "stderr") for p in found] == [(b"%d" % (n % 10), n % 2 == 1) for n in range(300)]
    assert sum(len(tlog.own_fields(tlog.decode(line)).get("mask", [])) for line in lines) == masks
