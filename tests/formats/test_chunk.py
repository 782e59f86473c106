# SPDX-License-Identifier: Apache-2.0
"""Chunker and reader: exact payload accounting, round trips, hostile input."""

import json
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.formats.oracle import Slow, seen
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.reading import measure, message_packets, packets
from ttyscribe_formats.text import Utf8Splitter

HEADER = Header("h", "r", "u", "xterm", 7)
MS = 1_000_000

pieces = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from([b"\xe2\x82", b"\xf0\x9f", b"\x98\x80", b"\xff\xfe", b"\x00\x7f\x1b", b"a" * 120, b'"\\' * 30]),
)
steps = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 900_000, 1_000_000, 12_345_678, 3 * 10**9]),
        st.one_of(
            pieces.map(lambda data: ("o", data)),
            pieces.map(lambda data: ("i", data)),
            st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda size: ("w", size)),
        ),
    ),
    max_size=40,
)


def to_packets(found: list[tuple[int, tuple[str, object]]]) -> list[Packet]:
    """Packets of generated steps, on a clock that does not start at zero."""
    now, made = 5_000_000_123, list[Packet]()
    for delay, (sort, value) in found:
        now += delay
        if sort == "w":
            assert isinstance(value, tuple)
            made.append(Window(now, 80 + value[0] * 1000, 24 + value[1]))
        else:
            assert isinstance(value, bytes)
            made.append(Output(now, value) if sort == "o" else Input(now, value))
    return made


def chunked(found: list[Packet], payload: int = 2048, **options: bool) -> list[bytes]:
    """All messages of these packets."""
    chunker = Chunker(HEADER, payload, **options)
    return [message for packet in found for message in chunker.feed(packet, 1_700_000_000 * 1000 * MS)] + chunker.cut()


@settings(max_examples=400, deadline=None)
@given(steps, st.sampled_from([32, 33, 37, 40, 64, 100, 257, 2048]))
def test_same_messages_as_the_slow_oracle(found: list[tuple[int, tuple[str, object]]], payload: int) -> None:
    """The fast accounting is exact: message borders, timing and texts equal those of the plain rules."""
    oracle = Slow(payload)
    made = to_packets(found)
    for packet in made:
        oracle.feed(packet)
    oracle.cut()
    assert [seen(message) for message in chunked(made, payload)] == oracle.done


@settings(max_examples=300, deadline=None)
@given(steps, st.sampled_from([32, 50, 300, 2048]))
def test_bytes_and_windows_come_back(found: list[tuple[int, tuple[str, object]]], payload: int) -> None:
    """What was fed is what is read, byte for byte, and times never go back."""
    made = to_packets(found)
    messages = [tlog.decode(line) for line in chunked(made, payload)]
    read = list(packets(messages))
    for sort in (Input, Output):
        assert b"".join(p.data for p in read if isinstance(p, sort)) == b"".join(
            p.data for p in made if isinstance(p, sort)
        )
    sizes = [(p.columns, p.rows) for p in made if isinstance(p, Window)]
    wanted = [size for number, size in enumerate(sizes) if not number or sizes[number - 1] != size]
    got = [(p.columns, p.rows) for p in read if isinstance(p, Window)]
    assert [size for number, size in enumerate(got) if not number or got[number - 1] != size] == wanted
    for message in messages:
        numbers = measure(message)
        assert numbers.out_bytes == sum(len(p.data) for p in message_packets(message) if isinstance(p, Output))
        assert numbers.in_bytes == sum(len(p.data) for p in message_packets(message) if isinstance(p, Input))


@given(st.binary(max_size=300))
def test_byte_by_byte_is_the_same_as_at_once(data: bytes) -> None:
    """How the data is cut into reads does not matter when the clock stands still."""
    whole = chunked([Output(0, data)], 64)
    single = chunked([Output(0, data[i : i + 1]) for i in range(len(data))], 64)
    assert whole == single


@given(st.binary(max_size=2000))
@example(b"\xed\xa0")
@example(b"a\xff\xed\xbf")
@example(b"\xed\xa0\xed\xa0\xed")
def test_text_equals_pythons_replacement(data: bytes) -> None:
    """One U+FFFD for each maximal invalid prefix, as Unicode recommends."""
    text = "".join(json.loads(message)["out_txt"] for message in chunked([Output(0, data)], 100))
    assert text == data.decode("utf-8", "replace")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(min_size=1, max_size=20)), max_size=200))
def test_standard_error_is_told_apart(found: list[tuple[str, bytes]]) -> None:
    """The `err` stretches give back which bytes were standard error."""
    fed: list[Packet] = [Output(n * 10 * MS, data, stream) for n, (stream, data) in enumerate(found)]  # type: ignore[arg-type]
    messages = [tlog.decode(line) for line in chunked(fed, 128, marks=True)]
    wanted = [(p.stream == "stderr", byte) for p in fed if isinstance(p, Output) for byte in p.data]
    got = [(p.stream == "stderr", byte) for m in messages for p in message_packets(m) for byte in p.data]  # type: ignore[union-attr]
    assert got == wanted
    assert all(len(m.extra) <= 1024 for m in messages)


def test_end_mark_stands_in_the_last_message() -> None:
    """With data under way it joins it; without, a last message without events carries it."""
    chunker = Chunker(HEADER, marks=True)
    chunker.feed(Output(0, b"bye"), 0)
    (last,) = chunker.end(3, 5 * MS)
    assert last.endswith(b',"ttyscribe":{"v":1,"end":{"status":3}}}')
    chunker = Chunker(HEADER, marks=True)
    chunker.feed(Output(0, b"bye"), 0)
    chunker.flush()
    (last,) = chunker.end(0, 5 * MS)
    message = tlog.decode(last)
    assert (message.id, message.pos, message.timing, message.out_txt) == (2, 5, "", "")
    assert tlog.own_fields(message) == {"v": 1, "end": {"status": 0}}


def test_no_marks_under_tlogs_names() -> None:
    """Without marks the key is absent."""
    chunker = Chunker(HEADER)
    chunker.feed(Output(0, b"bye", "stderr"), 0)
    assert b"ttyscribe" not in chunker.end(3, 0)[0]


def test_latency_flush_keeps_an_incomplete_character() -> None:
    """A flush with only an incomplete prefix pending gives nothing."""
    chunker = Chunker(HEADER)
    assert chunker.feed(Output(0, b"\xf0\x9f"), 0) == []
    assert not chunker.has_data
    assert chunker.flush() == []
    chunker.feed(Output(2000 * MS, b"\x98\x80"), 0)
    message = tlog.decode(chunker.flush()[0])
    assert (message.pos, message.out_txt) == (2000, "\U0001f600")


@pytest.mark.parametrize("payload", range(32, 38))
def test_small_payloads_end(payload: int) -> None:
    """Where tlog-rec loops for ever: a cut character, a pause, another cut character, on a terminal."""
    made: list[Packet] = [
        Window(0, 80, 24),
        Output(0, b"\xe2\x82"),
        Output(5000 * MS, b"A\xf0\x9f"),
        Output(9000 * MS, b"\xff"),
    ]
    assert b"".join(
        p.data for m in chunked(made, payload) for p in message_packets(tlog.decode(m)) if isinstance(p, Output)
    ) == (b"\xe2\x82A\xf0\x9f\xff")


def test_random_300_kb_at_any_payload() -> None:
    """Hostile bytes come back exactly."""
    data = random.Random(7).randbytes(300_000)
    made: list[Packet] = [Output(i * 100, data[i : i + 4096]) for i in range(0, len(data), 4096)]
    for payload in (32, 2048):
        read = packets(tlog.decode(line) for line in chunked(made, payload))
        assert b"".join(p.data for p in read if isinstance(p, Output)) == data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"timing": "]1"}, "timing"),
        ({"timing": "=80x"}, "timing"),
        ({"timing": "=65536x1"}, "timing"),
        ({"timing": "+"}, "timing"),
        ({"timing": "+2147483648000"}, "timing"),
        ({"timing": ">" + "9" * 5000}, "timing"),
        ({"timing": ">3"}, "in_txt"),
        ({"timing": "]1/2", "out_bin": [1]}, "in_bin"),
    ],
    ids=str,
)
def test_bad_timing_is_refused_in_tlogs_words(change: dict[str, object], words: str) -> None:
    """The reader names the field as tlog does."""
    fields = tlog.to_fields(tlog.decode(chunked([Output(0, b"ab")])[0])) | change
    with pytest.raises(MessageError, match=words):
        message_packets(tlog.from_fields(fields))
    with pytest.raises(MessageError, match=words):
        measure(tlog.from_fields(fields))


def test_reader_extras() -> None:
    """White space, zero counts, skipped characters and text beyond the timing, as tlog's reader takes them."""
    fields = tlog.to_fields(tlog.decode(chunked([Output(0, b"ab")])[0]))
    fields |= {"timing": " > 1 +0>0 ]0/1 ]1/0", "out_bin": [255]}
    (packet,) = message_packets(tlog.from_fields(fields))
    assert packet == Output(0, b"a\xff")


def test_hostile_timing_is_read_in_linear_time() -> None:
    """A megabyte of records takes no more than seconds."""
    fields = tlog.to_fields(tlog.decode(chunked([Output(0, b"ab")])[0]))
    fields |= {
        "timing": "+1>1" * 100_000,
        "out_txt": "x" * 100_000,
        "ttyscribe": {"err": [[n, 1] for n in range(9000)]},
    }
    started = time.process_time()
    assert len(message_packets(tlog.from_fields(fields))) == 100_000
    assert time.process_time() - started < 20


def test_order_is_checked_as_tlog_play_does() -> None:
    """Ids must be consecutive, times must not go back."""
    one, two = (tlog.decode(m) for m in chunked([Output(0, b"x" * 20), Output(9 * MS, b"y" * 20)], 32)[:2])
    assert len(list(packets([one, two]))) >= 2
    with pytest.raises(MessageError, match="Message ID is out of order"):
        list(packets([one, two._replace(id=9)]))
    with pytest.raises(MessageError, match="timestamp is out of order"):
        list(packets([one._replace(pos=50), two._replace(id=one.id + 1)]))


def binary(seed: int, size: int) -> bytes:
    """Data with much that is invalid, of several sorts."""
    dice = random.Random(seed)
    hostile = b'\xe2\x82\xac\xed\xa0\x9f\x80\x8f\x90\xf0\x9f\xf4\x90\xc2\xe0\xf1A\x00\xff\xfe"\\'
    pieces = (b"text text", b"\xff" * 60, b"\xf0\x90\x80", b"\xed\xa0", b"x" * 49, b"y" * 47, b"\xe2\x82" * 30, b"\xff")
    sorts = (
        lambda: dice.randbytes(size),
        lambda: bytes(dice.choices(hostile, k=size)),
        lambda: bytes(dice.choices([0x41, 0xFF], weights=[dice.random() + 0.01, dice.random() + 0.01], k=size)),
        lambda: b"".join(dice.choices(pieces, k=size // 20 + 1)),
        lambda: "".join(dice.choices("aé日😀\ufffd\n", k=size // 3)).encode() + dice.randbytes(size // 2),
        lambda: (
            dice.randbytes(size // 2) + bytes([dice.choice([0, 65, 255])]) * (size // 4) + dice.randbytes(size // 4)
        ),
    )
    return dice.choice(sorts)()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1 << 30), st.integers(200, 5000), st.sampled_from([0, 0, 1, 3000]), st.booleans()),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([32, 40, 100, 300, 2048, 16_384]),
)
def test_long_binary_data_gives_the_oracles_messages(found: list[tuple[int, int, int, bool]], payload: int) -> None:
    """Where many runs are taken at once."""
    oracle, made, now = Slow(payload), list[Packet](), 0
    for seed, size, delay, typed in found:
        now += delay * MS
        made.append(Input(now, binary(seed, size)) if typed else Output(now, binary(seed, size)))
    for packet in made:
        oracle.feed(packet)
    oracle.cut()
    assert [seen(message) for message in chunked(made, payload)] == oracle.done


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([256, 300, 7999, 8000, 8003, 20_000]), st.sampled_from([1, 100, 5000]))
def test_runs_do_not_depend_on_the_pieces(seed: int, size: int, piece: int) -> None:
    """Long data is split as short data is, byte for byte; consecutive runs of a sort belong together."""
    data = binary(seed, size)
    parts: list[str | bytes] = []
    for whole in (False, True):
        splitter, found = Utf8Splitter(), list[str | bytes]()
        step = len(data) if whole else piece
        runs = [run for at in range(0, len(data), step) for run in splitter.feed(data[at : at + step])]
        for text, sequences in runs + splitter.cut():
            found += [*text, *sequences]
        if whole:
            assert found == parts
        parts = found
    assert b"".join(part.encode() if isinstance(part, str) else part for part in parts) == data


@pytest.mark.parametrize(
    "tail", [b"", b"\xe2", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0", b"\xc3", b"\xff", b"\x80\x80"]
)
def test_long_data_that_ends_within_a_character(tail: bytes) -> None:
    """What may still become a character waits, what can't does not."""
    splitter, data = Utf8Splitter(), b"\xffab" * 300 + tail
    runs = splitter.feed(data)
    waits = tail if tail in (b"\xe2", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3") else b""
    assert splitter.pending == waits
    assert b"".join(text.encode() + b"".join(sequences) for text, sequences in runs) + waits == data
