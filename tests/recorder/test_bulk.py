# SPDX-License-Identifier: Apache-2.0
"""What is left out of binary data, and that nothing else is: against the rule written down plainly."""

import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recorder.test_printable import SCRIPTS
from ttyscribe_formats.packet import Input, Output
from ttyscribe_recorder.bulk import BLOCK, END, PIECES, RATE, WAITING, Bulk, Event, Skip
from ttyscribe_recorder.printable import TEXT, text_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ttyscribe_recorder.bulk import Name

SECOND = 1_000_000_000
MS = 1_000_000
Feed = tuple[int, bytes]
"""What came of one stream, and when."""

WORDS = b"All of the text that a person or a program writes is kept as it is.\r\n"
TEXT_BLOCK = (WORDS * 60)[:BLOCK]


def noise(size: int, seed: int = 1) -> bytes:
    """Random bytes without any text that is long enough to stay."""
    data = bytearray(random.Random(seed).randbytes(size))
    data[::8] = b"\xff" * len(data[::8])
    return bytes(data)


def cut(data: bytes, size: int, start: int = 0, step: int = 0) -> list[Feed]:
    """The data in pieces of one size, that come at equal intervals."""
    return [(start + n * step, data[at : at + size]) for n, at in enumerate(range(0, len(data), size))]


# -- the rule once more, slowly ---------------------------------------------------------------------------------------


def paid(feeds: Iterable[Feed]) -> Iterator[bytes]:
    """The stretches of a stream that come at RATE or faster, without a pause of a second."""
    stretch, until, last = b"", -1, 0
    for now, data in feeds:
        # In units of 2**-20 ns, in which a byte pays for 10**9.
        if now << 20 > until or now - last >= SECOND:
            yield stretch
            stretch, until = b"", now << 20
        until = min(until + len(data) * SECOND, now + SECOND << 20)
        stretch, last = stretch + data, now
    yield stretch


def elided_of(stretch: bytes) -> bytearray:
    """One for each byte that is left out, else zero."""
    mask = text_mask(stretch)
    wanted, begin = bytearray(len(stretch)), 0
    for at in range(0, len(stretch) + BLOCK, BLOCK):
        inside = mask[at : at + BLOCK][3:-3]
        if len(inside) < BLOCK - 6 or inside.count(0) <= 1228:
            if at - END > begin + END:
                wanted[begin + END : at - END] = b"\1" * (at - begin - 2 * END)
            begin = at + BLOCK
    at = mask.find(TEXT * 16)
    while at >= 0:
        end = mask.find(0, at)
        end = len(mask) if end < 0 else end
        wanted[at:end] = bytes(end - at)
        at = mask.find(TEXT * 16, end)
    return wanted


def rule(feeds: Sequence[Feed]) -> tuple[bytes, bytes]:
    """What stays, and what is left out."""
    stays, out = bytearray(), bytearray()
    for stretch in paid(feeds):
        wanted = elided_of(stretch)
        out += bytes(itertools.compress(stretch, wanted))
        stays += bytes(itertools.compress(stretch, (not left for left in wanted)))
    return bytes(stays), bytes(out)


# -- what the sieve does ----------------------------------------------------------------------------------------------


def feed(bulk: Bulk, stream: "Name", data: bytes, now_ns: int) -> list[Event]:
    """This came of one of the streams."""
    return bulk.feed(Input(now_ns, data) if stream == "stdin" else Output(now_ns, data, stream))


def sift(feeds: Sequence[Feed], stream: "Name" = "stdout", *, ticks: bool = True) -> list[Event]:
    """All events of one stream, with the calls that a driver makes when they are due."""
    bulk, events = Bulk(), list[Event]()
    for now, data in feeds:
        while ticks and (due := bulk.due_ns) is not None and due <= now:
            events += bulk.tick(due)
        events += feed(bulk, stream, data, now) + bulk.tick(now)
        assert bulk._fed - bulk._given - sum(each.elided for each in bulk._streams.values()) <= END + 2 * BLOCK
    return events + bulk.release()


def data_of(events: Iterable[Event], stream: "Name" = "stdout") -> bytes:
    """What stays of a stream."""
    kinds = {"stdin": Input}.get(stream, Output)
    return b"".join(e.data for e in events if isinstance(e, kinds) and getattr(e, "stream", "stdin") == stream)


def marks_of(events: Iterable[Event]) -> list[Skip]:
    """The marks."""
    return [event for event in events if isinstance(event, Skip)]


def check_marks(marks: Iterable[Skip], left_out: bytes) -> None:
    """The marks account for all that is left out, in order."""
    at = 0
    for mark in marks:
        assert mark.digest == blake2b(left_out[at : at + mark.size], digest_size=16).hexdigest()
        assert mark.size > 0
        at += mark.size
    assert at == len(left_out)


def check(feeds: Sequence[Feed]) -> tuple[bytes, list[Skip]]:
    """The sieve does what the rule says; what stays and the marks."""
    events = sift(feeds)
    stays, left_out = rule(feeds)
    assert data_of(events) == stays
    check_marks(marks_of(events), left_out)
    times = [event.time_ns for event in events]
    assert times == sorted(times)
    return stays, marks_of(events)


def test_the_middle_of_binary_data_is_left_out() -> None:
    """Of a megabyte the first and last 32 KiB stay, with one mark between them."""
    data = noise(1 << 20)
    events = sift(cut(data, 65536))
    assert data_of(events) == data[:END] + data[-END:]
    (mark,) = marks_of(events)
    assert (mark.size, mark.stream) == ((1 << 20) - 2 * END, "stdout")
    assert mark.digest == blake2b(data[END:-END], digest_size=16).hexdigest()
    assert isinstance(events[events.index(mark) - 1], Output)
    assert data_of(events[: events.index(mark)]) == data[:END]


blocks = st.lists(
    st.tuples(st.sampled_from(["noise", "text", "zero", "script", "mixed", "stretches"]), st.integers(1, 24)),
    min_size=1,
    max_size=5,
)


def build(found: list[tuple[str, int]], dice: random.Random, *, shift: int) -> bytes:
    """Data of these sorts; `shift` bytes of text before it."""
    data = bytearray(b"x" * shift)
    for sort, count in found:
        for _ in range(count):
            if sort == "noise":
                data += dice.randbytes(BLOCK)
            elif sort == "zero":
                data += bytes(BLOCK)
            elif sort == "text":
                data += TEXT_BLOCK
            elif sort == "script":
                data += ("".join(dice.choices(SCRIPTS, k=400)).encode())[:BLOCK]
            elif sort == "mixed":  # around the limit
                data += TEXT_BLOCK[: BLOCK - (bad := dice.randrange(1220, 1240))] + bytes(bad)
            else:
                data += b"".join(b"\0" * 9 + b"t" * dice.randrange(12, 20) for _ in range(160))[:BLOCK]
    return bytes(data)


@settings(max_examples=60, deadline=None)
@given(
    blocks,
    st.sampled_from([0, 0, 1, 2000]),
    st.sampled_from([1000, 4096, 5000, 65536, 300_000]),
    st.integers(0, 1 << 30),
)
def test_the_sieve_does_what_the_rule_says(found: list[tuple[str, int]], shift: int, size: int, seed: int) -> None:
    """Whatever the data and the reads; nothing is lost between what stays and the marks."""
    dice = random.Random(seed)
    data = build(found, dice, shift=shift)
    stays, marks = check(cut(data, size, start=dice.randrange(1 << 40)))
    assert len(stays) + sum(mark.size for mark in marks) == len(data)


@settings(max_examples=30, deadline=None)
@given(
    blocks,
    st.lists(st.tuples(st.integers(1, 70_000), st.sampled_from([0, 1, 9, 70, 300, 999, 1000])), min_size=1, max_size=6),
    st.integers(0, 1 << 30),
)
def test_the_sieve_does_what_the_rule_says_at_any_rate(
    found: list[tuple[str, int]], reads: list[tuple[int, int]], seed: int
) -> None:
    """Bursts, trickles and pauses, milliseconds between the reads."""
    dice = random.Random(seed)
    data, feeds, now, at = build(found, dice, shift=0), list[Feed](), 5, 0
    while at < len(data):
        size, delay = dice.choice(reads)
        now += delay * MS
        feeds.append((now, data[at : at + size]))
        at += size
    check(feeds)


def test_byte_by_byte_is_the_same() -> None:
    """How data is cut into reads does not matter, only when it came."""
    data = noise(20 * BLOCK) + WORDS + noise(20 * BLOCK, 2) + TEXT_BLOCK * 2
    whole, single = sift(cut(data, 1 << 20)), sift(cut(data, 1))
    assert data_of(single) == data_of(whole) == rule([(0, data)])[0]
    assert marks_of(single) == marks_of(whole)


# -- what is no run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SCRIPTS)
@pytest.mark.parametrize("size", [4095, 4096, 65536])
def test_text_of_any_script_stays_whole(text: str, size: int) -> None:
    """Also where reads and blocks cut its characters."""
    data = b"x" + (text.encode() * 40_000)[:300_000]
    events = sift(cut(data, size))
    assert data_of(events) == data
    assert marks_of(events) == []


@pytest.mark.parametrize(("bad", "elided"), [(1228, False), (1229, True)])
def test_the_limit_of_binary(bad: int, elided: bool) -> None:
    """More than 30 % of 4,096 bytes is 1,229."""
    block = b"abc" + (b"\0" + b"ab") * bad
    block = block + b"a" * (BLOCK - len(block))
    events = sift(cut(block * 64, 65536))
    assert bool(marks_of(events)) is elided
    if not elided:
        assert data_of(events) == block * 64


def test_sixteen_bytes_of_text_stay_and_fifteen_do_not() -> None:
    """Wherever blocks and reads cut them, and where what stays anyway begins or ends."""
    for place in (END - 8, END, END + BLOCK - 9, END + 5 * BLOCK + 7, END + 20_000 - 3):
        for count in (15, 16, 17):
            data = bytearray(64 * BLOCK)
            data[place : place + count] = b"t" * count
            for size in (1000, 65536):
                events = sift(cut(bytes(data), size))
                wanted = count if count > 15 else max(0, END - place)
                assert data_of(events).count(b"t") == wanted, (place, count, size)


def test_small_or_slow_data_is_no_run() -> None:
    """64 KiB and less lose nothing, nor does anything below 1 MiB/s."""
    for feeds in (
        cut(noise(2 * END), 65536),
        cut(noise(3 * RATE), BLOCK, step=4 * MS),
        cut(noise(RATE), 65536, step=63 * MS),
    ):
        events = sift(feeds)
        assert data_of(events) == b"".join(data for _, data in feeds)
        assert marks_of(events) == []


def test_exactly_the_rate_is_a_run() -> None:
    """A block each 1/256 s is 1 MiB/s; one nanosecond more is too slow."""
    step = SECOND // 256
    data = noise(RATE)
    assert step * 256 == SECOND
    assert data_of(sift(cut(data, BLOCK, step=step))) == data[:END] + data[-END:]
    assert data_of(sift(cut(data, BLOCK, step=step + 1))) == data


def test_a_slow_start_does_not_matter() -> None:
    """A trickle for ten seconds, then all at once."""
    slow = cut(noise(100 * 1000), 1000, step=100 * MS)
    fast = cut(noise(RATE, 2), 65536, start=20 * SECOND)
    assert data_of(sift(slow + fast)) == noise(100 * 1000) + noise(RATE, 2)[:END] + noise(RATE, 2)[-END:]


def test_a_pause_ends_a_run() -> None:
    """What is held comes out when a second has passed, with its own time, and a new run begins with its own end."""
    bulk, data = Bulk(), noise(2 * RATE)
    events = feed(bulk, "stdout", data, 7) + bulk.tick(7)
    assert bulk.due_ns == SECOND + 7
    assert bulk.tick(SECOND + 6) == []
    events += bulk.tick(SECOND + 7)
    assert bulk.due_ns is None
    assert data_of(events) == data[:END] + data[-END:]
    assert {event.time_ns for event in events} == {7}
    again = feed(bulk, "stdout", data, SECOND + 7) + bulk.release()
    assert data_of(again) == data[:END] + data[-END:]


def test_a_pause_just_short_of_a_second_does_not() -> None:
    """After a second's worth of data."""
    data = noise(2 * RATE)
    feeds = [(0, data[:RATE]), (SECOND - 1, data[RATE:])]
    assert data_of(sift(feeds)) == data[:END] + data[-END:]


def test_time_that_the_recorder_is_busy_does_not_count() -> None:
    """It reads no more while it works or the log is full: the program waits for it then, not it for the program."""
    bulk, data, events, now = Bulk(), noise(RATE), list[Event](), 0
    for _, piece in cut(data, 65536):
        events += feed(bulk, "stdout", piece, now) + bulk.tick(now + 5 * SECOND)
        now += 5 * SECOND + MS
        events += bulk.tick(now, busy=True)
        assert bulk.due_ns is None
        now += 7 * SECOND
        events += bulk.tick(now)
        assert bulk.due_ns is not None
    events += bulk.tick(bulk.due_ns or 0)
    assert data_of(events) == data[:END] + data[-END:]
    assert [event.time_ns for event in events[-2:]] == [15 * (12 * SECOND + MS)] * 2


def test_nothing_is_due_without_held_data() -> None:
    """No timer for text, nor for what is too short."""
    bulk = Bulk()
    feed(bulk, "stdout", WORDS * 2000, 0)
    bulk.tick(0)
    feed(bulk, "stdout", noise(END), SECOND * 3)
    bulk.tick(SECOND * 3)
    assert bulk.due_ns is None


# -- several streams --------------------------------------------------------------------------------------------------


def test_what_came_behind_held_data_stays_behind_it() -> None:
    """Order and times of the streams are true, and a word on standard error does not end a run."""
    bulk, data, events = Bulk(), noise(40 * BLOCK), list[Event]()
    for n in range(40):
        events += feed(bulk, "stdout", data[n * BLOCK : (n + 1) * BLOCK], n * MS)
        events += feed(bulk, "stderr", b"line %d\n" % n, n * MS + 1)
        events += feed(bulk, "stdin", b"key %d\n" % n, n * MS + 2)
    events += bulk.release()
    assert data_of(events) == data[:END] + data[-END:]
    assert data_of(events, "stderr") == b"".join(b"line %d\n" % n for n in range(40))
    assert data_of(events, "stdin") == b"".join(b"key %d\n" % n for n in range(40))
    times = [event.time_ns for event in events]
    assert times == sorted(times)
    for event in events:
        if isinstance(event, Output) and event.stream == "stderr":
            assert event.time_ns == int(event.data.split()[1]) * MS + 1
    (mark,) = marks_of(events)
    assert mark.time_ns == 32 * MS


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([3_000, 70_000]))
def test_streams_are_sifted_each_by_itself(seed: int, most: int) -> None:
    """Whatever the others do (as long as it is not too much to wait for)."""
    dice, bulk, events, now = random.Random(seed), Bulk(), list[Event](), 0
    fed: dict[Name, list[Feed]] = {"stdin": [], "stdout": [], "stderr": []}
    for _ in range(dice.randrange(100)):
        now += dice.choice([0, 0, 1000, MS, 20 * MS, 990 * MS])
        name: Name = dice.choice(["stdin", "stdout", "stderr"])
        size = dice.randrange(1, most)
        data = dice.randbytes(size) if dice.random() < 0.8 else (WORDS * 2000)[:size]
        fed[name].append((now, data))
        events += feed(bulk, name, data, now) + bulk.tick(now)
    events += bulk.release()
    times = [event.time_ns // MS for event in events]
    assert times == sorted(times)
    for name, feeds in fed.items():
        stays, left_out = rule(feeds)
        assert data_of(events, name) == stays
        check_marks((mark for mark in marks_of(events) if mark.stream == name), left_out)


def test_what_waits_is_bounded() -> None:
    """A run that crawls on beside a flood gives way to it; many small pieces count too."""
    for piece in (b"flood\n" * 10_000, b"!"):
        bulk, most = Bulk(), 0
        feed(bulk, "stdout", noise(RATE), 0)
        for n in range(20_000 if len(piece) == 1 else 100):
            names: tuple[Name, Name] = ("stderr", "stdin")
            feed(bulk, names[n % 2], piece, n)
            most = max(
                most, sum(len(each.data) + sum(map(len, each.out)) for each in bulk._queue), 100 * len(bulk._queue)
            )
        assert END <= most <= WAITING + 2 * RATE + 100 * PIECES
        assert not bulk._queue


# -- hostile data -----------------------------------------------------------------------------------------------------


def test_marks_stay_few_among_many_stretches() -> None:
    """Text each twenty-odd bytes: all of it stays, and one mark covers many parts."""
    data = (b"\0" * 8 + b"sixteen letters." + b"\xff") * 20_000
    stays, marks = check(cut(data, 65536))
    assert stays.count(b"sixteen letters.") == 20_000
    assert 2 <= len(marks) <= len(data) / 65536 + 1


def test_marks_come_each_second() -> None:
    """However long a run is, what is left out is told soon, if need be between two reads."""
    marks = marks_of(sift(cut(noise(8 * RATE), 65536, step=50 * MS)))
    assert len(marks) == 7
    times = [mark.since_ns for mark in marks]
    assert all(SECOND * 0.9 <= later - time <= 2 * SECOND for time, later in itertools.pairwise(times))


def test_blocks_of_text_and_noise_by_turns_lose_nothing() -> None:
    """No run is ever long enough."""
    data = b"".join(noise(7 * BLOCK, n) + TEXT_BLOCK for n in range(12))
    stays, marks = check(cut(data, 65536))
    assert (stays, marks) == (data, [])


def test_text_among_noise_is_all_there() -> None:
    """A shell's words between and behind the noise."""
    data = noise(30 * BLOCK) + b"uid=0(root) gid=0(root)\n" + noise(30 * BLOCK, 2) + b"$ id\n"
    stays, marks = check(cut(data, 65536))
    assert b"uid=0(root) gid=0(root)\n" in stays
    assert stays.endswith(b"$ id\n")
    assert marks


def test_what_is_left_out_is_told_in_time() -> None:
    """A second after the first of it, though the run goes on without a read."""
    bulk, data = Bulk(), noise(4 * RATE)
    events = feed(bulk, "stdout", data[: 2 * RATE], 0) + bulk.tick(0)
    events += feed(bulk, "stdout", data[2 * RATE : 3 * RATE], SECOND // 2) + bulk.tick(SECOND // 2)
    assert marks_of(events) == []
    assert bulk.due_ns == SECOND
    (mark,) = bulk.tick(SECOND)
    assert isinstance(mark, Skip)
    assert (mark.size, mark.since_ns, mark.time_ns) == (3 * RATE - 2 * END, 0, SECOND // 2)
    assert bulk.due_ns == SECOND // 2 + SECOND
    events = feed(bulk, "stdout", data[3 * RATE :], SECOND) + bulk.release()
    assert data_of(events) == data[-END:]
    assert [mark.size for mark in marks_of(events)] == [RATE]


@pytest.mark.parametrize("size", [4096, 5000, 65536, RATE])
@pytest.mark.parametrize("count", [7, 8, 9, 15, 16, 17, 18, 25])
def test_the_shortest_run_that_loses_anything(count: int, size: int) -> None:
    """Sixteen blocks before text lose nothing, seventeen do, wherever reads cut them."""
    _, marks = check(cut(noise(count * BLOCK) + TEXT_BLOCK * 3, size))
    assert bool(marks) is (count > 16)


def test_characters_that_reads_cut_within_a_run() -> None:
    """A text of eighteen bytes, three a character, over every place of a border between two reads."""
    border = END + 5 * BLOCK
    for place in range(border - 20, border + 3):
        data = bytearray(noise(40 * BLOCK))
        data[place - 1 : place + 19] = b"\xff" + "日本語日本語".encode() + b"\xff"
        for size in (1000, BLOCK, border):
            stays, _ = check(cut(bytes(data), size))
            assert "日本語日本語".encode() in stays
