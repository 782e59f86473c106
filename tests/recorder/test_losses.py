# SPDX-License-Identifier: Apache-2.0
"""What is dropped is told: every id is in the log, or in a mark of a message that is."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.losses import MOST, Loss, Losses, message_id, told_in
from ttyscribe_recorder.recording import Recording
from ttyscribe_recorder.writers.limit import LimitedWriter
from ttyscribe_recorder.writers.memory import MemoryWriter

SECOND = 1_000_000_000
HEADER = Header("h", 'r","id":9,', "u", "xterm", 7)


def made(number: int, *told: Loss, text: bytes = b"x") -> bytes:
    """A message with this id that tells of these losses."""
    chunker = Chunker(HEADER, marks=True)
    for n in range(1, number):
        chunker.feed(Output(n, b"x"), 0)
        chunker.flush()
    chunker.feed(Output(number, text, "stderr"), 0)
    for loss in told:
        chunker.lost(*loss)
    return chunker.flush()[0]


def test_ids_and_marks_are_read_from_the_message_itself() -> None:
    """Recorded bytes and names that look like them deceive nobody."""
    forged = b'","id":77,"ttyscribe":{"v":1,"lost":[{"from":1,"to":2,"why":"x"}]}'
    told = [Loss(1, 2, "no space"), Loss(5, 5, "too large")]
    assert message_id(made(3)) == 3
    assert message_id(b"no message") == 0
    assert told_in(made(3)) == told_in(made(3, text=forged)) == []
    assert told_in(made(6, *told, text=forged)) == told


def test_neighbours_are_one_run() -> None:
    """With one reason; a message that told of others brings them back."""
    losses = Losses()
    for number in (3, 4):
        losses.add(made(number), "no space")
    losses.add(made(5), "over the rate limit", meant=True)
    losses.add(made(9, Loss(6, 8, "no space")), "no space")
    assert (losses.count, losses.failed, losses.why) == (4, "no space", "no space")
    assert losses.take() == [Loss(3, 4, "no space"), Loss(5, 5, "over the rate limit"), Loss(6, 9, "no space")]
    assert not losses


def test_runs_are_bounded() -> None:
    """What is too much to be told apart is told together."""
    losses = Losses()
    for number in range(2, 4 * MOST, 2):
        losses.add(b',"id":%d,' % number, "x")
    runs = losses.take()
    assert len(runs) == MOST
    assert (runs[0].first, runs[-1].last) == (2, 4 * MOST - 2)


class Fickle(MemoryWriter):
    """Takes what it is told to, and refuses what is larger than it likes."""

    largest = 1 << 30

    def write(self, messages: Sequence[bytes]) -> int:
        for count, message in enumerate(messages):
            if self.room == 0:
                return count
            if len(message) > self.largest:
                self.losses.add(message, "too large")
            else:
                super().write([message])
        return len(messages)


moods = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 3, None]),  # room
        st.sampled_from(["", "No space left on device"]),  # trouble
        st.sampled_from([1 << 30, 1 << 30, 300]),  # the largest message taken
        st.lists(st.integers(1, 400), max_size=12),  # sizes of output
        st.sampled_from([0, SECOND // 2, 11 * SECOND]),  # time that passes
    ),
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(moods, st.sampled_from([600, 3000, 100_000]), st.booleans())
def test_every_message_is_there_or_told(
    found: list[tuple[int | None, str, int, list[int], int]], limit: int, limited: bool
) -> None:
    """Whatever the log does meanwhile, if it takes the end: the ids that are there and those in marks are all ids."""
    writer, alarms, now = Fickle(), list[str](), 5 * SECOND
    outer = LimitedWriter(writer, 500, 500, delay=False, clock=lambda: now) if limited else writer
    log = Log(outer, SECOND, alarms.append, limit)
    recording = Recording(Header("h", "r", "u", "t", 7), log, 2 * SECOND, 128)
    shown = b""
    for room, trouble, largest, sizes, pause in found:
        writer.room, writer.trouble, writer.largest = room, trouble, largest
        for size in sizes:
            recording.output(b"x" * size, "terminal", now, 1)
            shown += b"x" * size
            now += 1
        now += pause
        recording.tick(now)
    writer.room, writer.trouble, writer.largest = None, "", 1 << 30
    log.room(now)
    outer.lift()
    recording.end(0, now + 1)
    log.room(now)
    assert recording.broken == ""
    messages = [tlog.decode(line) for line in writer.messages]
    if not shown:
        assert messages == []
        return
    ids = [message.id for message in messages]
    assert ids == sorted(set(ids))
    told = {
        number
        for message in messages
        for item in tlog.own_fields(message).get("lost", [])
        for number in range(item["from"], item["to"] + 1)
    }
    assert set(ids) | told == set(range(1, ids[-1] + 1))
    assert not set(ids) & told
    assert "end" in tlog.own_fields(messages[-1])
    kept = b"".join(message.out_txt.encode() for message in messages)
    assert (kept == shown) == (not told or len(kept) == len(shown))
    assert log.losses.count == len(told)


def test_an_idle_session_that_lost_something_does_not_tell_it_for_ever() -> None:
    """A message that only tells of losses, and is lost to the limit itself, is not made again and again."""
    inner, now = MemoryWriter(), 0
    log = Log(LimitedWriter(inner, 0, 0, delay=False, clock=lambda: now), SECOND, lambda _: None)
    recording = Recording(Header("h", "r", "u", "t", 7), log, SECOND)
    for text in (b"one", b"two"):
        recording.output(text, "terminal", now, 1)
        now += 2 * SECOND
        recording.tick(now)
    for _ in range(20):
        now += 2 * SECOND
        recording.tick(now)
    assert recording.due_ns is None
    assert len(inner.messages) == 1
    assert log.losses.count == 2
    recording.end(0, now)


def test_the_last_small_message_says_what_the_log_did_not_take() -> None:
    """Where nothing more is waited for, it is tried once, and promises nothing."""
    writer = Fickle(room=1, trouble="No space left on device")
    log = Log(writer, SECOND, lambda _: None)
    recording = Recording(Header("h", "r", "u", "t", 7), log, SECOND, 64)
    recording.output(b"x" * 300, "terminal", 0, 1)
    recording.end(3, 1)
    waiting = log.waiting
    writer.room = 1
    recording.give_up(3, 2)
    log.close()
    last = tlog.decode(writer.messages[-1])
    assert len(writer.messages) == 2
    told = [{"from": 2, "to": 1 + waiting, "why": "No space left on device"}]
    assert tlog.own_fields(last) == {"v": 1, "end": {"status": 3}, "lost": told}
    assert (last.id, log.losses.count) == (2 + waiting, waiting)


def test_an_end_that_is_too_large_is_told_by_one_that_is_small() -> None:
    """The last data takes the end mark with it where the log's socket refuses it: the mark comes again, alone."""
    writer = Fickle()
    writer.largest = 400
    recording = Recording(Header("h", "r", "u", "t", 7), Log(writer, SECOND, lambda _: None), SECOND)
    recording.output(b"x" * 1000, "terminal", 0, 1)
    recording.end(3, 1)
    (last,) = (tlog.decode(line) for line in writer.messages)
    assert (last.id, last.timing) == (2, "")
    assert tlog.own_fields(last) == {
        "v": 1,
        "end": {"status": 3},
        "lost": [{"from": 1, "to": 1, "why": "too large"}],
    }


def test_a_failure_is_seen_before_anything_is_lost() -> None:
    """So that a session which must be kept whole can end in time; a trouble that has just begun is none."""
    writer = Fickle(room=0, trouble="No space left on device")
    log = Log(writer, SECOND, lambda _: None)
    recording = Recording(Header("h", "r", "u", "t", 7), log, SECOND)
    read = 0
    while not recording.failed and read < 4 << 20:
        recording.output(b"\xff" * 65536, "terminal", 0, 1)
        read += 65536
    assert recording.failed == "No space left on device"
    assert log.losses.count == 0
    assert read > 4 * 65536
    recording.output(b"\xff" * 65536, "terminal", 0, 1)  # what was under way
    assert log.losses.count == 0
