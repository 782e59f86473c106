# SPDX-License-Identifier: Apache-2.0
"""The bounded store between recording and writer."""

from ttyscribe_recorder.log import HIGH, STANDSTILL_NS, Log
from ttyscribe_recorder.writers.memory import MemoryWriter

SECOND = 1_000_000_000
RETRY = 10 * SECOND


def make(writer: MemoryWriter, limit: int = 1000) -> tuple[Log, list[str]]:
    """A log and what its alarm was told."""
    alarms: list[str] = []
    return Log(writer, RETRY, alarms.append, limit), alarms


def test_a_willing_writer_gets_everything_at_once() -> None:
    """Nothing waits and nothing is due."""
    writer = MemoryWriter()
    log, alarms = make(writer)
    log.put([b"1", b"2"], 0)
    assert writer.messages == [b"1", b"2"]
    assert (log.waiting, log.due_ns, log.holding, log.wait_fd, alarms) == (0, None, False, -1, [])


def test_trouble_keeps_what_fits_and_tries_again_each_period() -> None:
    """Order is kept; what does not fit is dropped, and all behind it; the alarm is told once; nobody is held back."""
    writer = MemoryWriter(room=1, trouble="No space left on device")
    log, alarms = make(writer, limit=10)
    log.put([b"1", b"22222", b"333"], 0)
    log.put([b"4444"], 1)
    log.put([b"55"], 2)
    assert writer.messages == [b"1"]
    assert (log.waiting, log.losses.count, log.due_ns, log.holding, log.full) == (2, 2, RETRY, False, True)
    log.tick(RETRY - 1)
    log.tick(RETRY)
    assert (log.waiting, log.due_ns) == (2, 2 * RETRY)
    writer.room = 1
    log.tick(2 * RETRY)
    assert (log.waiting, log.full) == (1, False)  # room for a good many again
    log.put([b"66"], 2 * RETRY + 1)
    writer.room = None
    log.tick(3 * RETRY)
    assert writer.messages == [b"1", b"22222", b"333", b"66"]
    assert (log.waiting, log.due_ns, log.trouble, log.full) == (0, None, "", False)
    assert log.losses.why == log.losses.failed == "No space left on device"
    assert len(alarms) == 1
    assert "No space left on device" in alarms[0]


def test_a_slow_writer_holds_the_session_until_it_has_room() -> None:
    """Only full: watch its descriptor, read no more above the mark, lose nothing."""
    writer = MemoryWriter(room=0, wait_fd=7)
    log, alarms = make(writer, limit=4 << 20)
    log.put([b"x" * 1000], 0)
    assert (log.wait_fd, log.holding) == (7, False)
    log.put([b"x" * HIGH], 1)
    assert (log.wait_fd, log.holding, log.due_ns) == (7, True, STANDSTILL_NS)
    writer.room = 1
    log.room(2)
    assert log.holding  # one went, the other is still above the mark
    writer.room = None
    log.room(3)
    assert (log.holding, log.waiting, log.wait_fd, log.due_ns, log.losses.count) == (False, 0, -1, None, 0)
    assert alarms == []


def test_a_writer_that_stands_still_holds_nobody() -> None:
    """After a second without progress it counts as trouble."""
    writer = MemoryWriter(room=0, wait_fd=7)
    log, alarms = make(writer, limit=4 << 20)
    log.put([b"x" * HIGH], 0)
    assert log.holding
    log.tick(STANDSTILL_NS)
    assert not log.holding
    assert log.due_ns == STANDSTILL_NS + RETRY
    assert "takes nothing" in alarms[0]
    log.put([b"y" * HIGH], STANDSTILL_NS + 1)
    assert not log.holding


def test_what_waits_at_the_end_is_lost_and_counted() -> None:
    """Closing lets the writer go."""
    writer = MemoryWriter(room=0, trouble="gone")
    log, _ = make(writer)
    log.put([b"1", b"2"], 0)
    log.close()
    assert (log.losses.count, log.waiting, writer.closed) == (2, 0, True)


def test_the_last_messages_are_kept_whatever_waits() -> None:
    """A recording's end must not be what does not fit."""
    writer = MemoryWriter(room=0, trouble="gone")
    log, _ = make(writer, limit=10)
    log.put([b"x" * 8, b"dropped"], 0)
    log.put([b"the end of it"], 1, last=True)
    writer.room = None
    log.room(2)
    assert writer.messages == [b"x" * 8, b"the end of it"]
    assert log.losses.count == 1
