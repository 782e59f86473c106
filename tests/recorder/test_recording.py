# SPDX-License-Identifier: Apache-2.0
"""A recording as an object that is told the time: latency, sorts of packets, its end, its bugs."""

import pytest

from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Header
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.recording import Recording
from ttyscribe_recorder.secrets import HIDDEN, RAW, Guard
from ttyscribe_recorder.writers.memory import MemoryWriter

SECOND = 1_000_000_000
HEADER = Header("h", "r-1-2", "u", "xterm", 7)


def make(**options: object) -> tuple[Recording, MemoryWriter, list[str]]:
    """A recording into memory, with a latency of ten seconds."""
    writer, alarms = MemoryWriter(), list[str]()
    log = Log(writer, 10 * SECOND, alarms.append)
    return Recording(HEADER, log, 10 * SECOND, **options), writer, alarms  # type: ignore[arg-type]


def test_data_waits_at_most_the_latency() -> None:
    """Counted from the first data of the message; without data nothing is due."""
    recording, writer, _ = make()
    assert recording.due_ns is None
    recording.output(b"a", "terminal", 5 * SECOND, 1)
    recording.output(b"b", "terminal", 9 * SECOND, 1)
    assert recording.due_ns == 15 * SECOND
    recording.tick(15 * SECOND - 1)
    assert writer.messages == []
    recording.tick(15 * SECOND)
    assert tlog.decode(writer.messages[0]).out_txt == "ab"
    assert recording.due_ns is None


def test_what_is_left_after_a_full_message_waits_its_own_time() -> None:
    """The rest came with the packet that filled the message."""
    recording, writer, _ = make(payload=32)
    recording.output(b"a", "terminal", 0, 1)
    recording.output(b"b" * 40, "terminal", 8 * SECOND, 1)
    assert writer.messages
    assert recording.due_ns == 18 * SECOND


def test_an_incomplete_character_is_never_due() -> None:
    """It can't be written before it is whole or cut: no timer, no wake-up."""
    recording, writer, _ = make()
    recording.output(b"\xe2\x82", "terminal", 0, 1)
    assert recording.due_ns is None
    recording.end(0, SECOND)
    assert tlog.decode(writer.messages[0]).out_bin == b"\xe2\x82"


@pytest.mark.parametrize("what", ["input", "output", "window"])
def test_only_what_was_asked_for_is_recorded(what: str) -> None:
    """Each sort by itself."""
    recording, writer, _ = make(what=frozenset([what]))
    recording.window(80, 24, 0, 1)
    recording.input(b"in", 0, 1)
    recording.output(b"out", "terminal", 0, 1)
    recording.flush(1)
    message = tlog.decode(writer.messages[0])
    found = (message.timing, message.in_txt, message.out_txt)
    assert found == {"input": ("<2", "in", ""), "output": (">3", "", "out"), "window": ("=80x24", "", "")}[what]


def test_the_end_is_marked_once() -> None:
    """In the last message, with the status; nothing is due behind it."""
    recording, writer, _ = make()
    recording.output(b"x", "stderr", 0, 1)
    recording.end(143, SECOND)
    assert tlog.own_fields(tlog.decode(writer.messages[-1])) == {"v": 1, "end": {"status": 143}, "err": [[0, 1]]}
    assert recording.due_ns is None


def test_a_bug_of_ours_stops_the_recording_and_not_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to syslog at once, nothing more is fed, and there is no end mark that would claim completeness."""
    recording, writer, alarms = make()
    recording.output(b"good", "terminal", 0, 1)
    recording.flush(0)
    monkeypatch.setattr(recording._chunker, "_split_out", None, raising=False)
    recording.output(b"bad", "terminal", 1, 1)
    recording.output(b"more", "terminal", 2, 1)
    recording.end(0, 3)
    assert recording.broken.startswith("AttributeError")
    assert len(alarms) == 1
    assert HEADER.rec in alarms[0]
    assert [tlog.decode(message).out_txt for message in writer.messages] == ["good"]


def test_hidden_typing_leaves_a_mark_and_nothing_else() -> None:
    """In the message in which it ends, in milliseconds from the recording's start; under tlog's names not even that."""
    for marks in (True, False):
        recording, writer, _ = make(what=frozenset(["input", "output"]), guard=Guard(), marks=marks)
        recording.output(b"Password: ", "terminal", 0, 1)
        recording.input(b"sec", 100_000_000, 1, HIDDEN)
        recording.input(b"ret\r", 900_000_000, 1, HIDDEN)
        recording.input(b"ls\r", SECOND, 1)
        recording.flush(SECOND)
        message = tlog.decode(writer.messages[0])
        assert message.in_txt == "ls\r"
        assert tlog.own_fields(message) == ({"v": 1, "mask": [[100, 900]]} if marks else {})


def test_what_waits_for_an_echo_is_due_by_itself() -> None:
    """300 ms after the key, whatever else is due later."""
    recording, writer, _ = make(what=frozenset(["input", "output"]), guard=Guard())
    recording.output(b"Password: ", "terminal", 0, 1)
    recording.input(b"s", 1_000_000, 1, RAW)
    assert recording.due_ns == 301_000_000
    recording.tick(301_000_000)
    assert recording.due_ns == 10 * SECOND
    recording.output(b"\r\n", "terminal", 400_000_000, 1)
    recording.end(0, SECOND)
    assert tlog.decode(writer.messages[0]).out_txt == "Password: \r\n"


def test_a_bug_of_ours_in_the_guard_reveals_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input is recorded no more, and syslog is told; all that was shown is there."""
    guard = Guard()
    recording, writer, alarms = make(what=frozenset(["input", "output"]), guard=guard)
    recording.output(b"Password: ", "terminal", 0, 1)
    recording.input(b"secret", 1, 1, RAW)
    recording.output(b"a", "terminal", 2, 1)
    monkeypatch.setattr(guard._rows, "feed", None)
    recording.output(b"b", "terminal", 3, 1)
    recording.input(b"more", 4, 1)
    recording.end(0, 5)
    message = tlog.decode(writer.messages[0])
    assert (message.out_txt, message.in_txt, recording.broken) == ("Password: ab", "", "")
    assert len(alarms) == 1
