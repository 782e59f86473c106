# SPDX-License-Identifier: Apache-2.0
"""The rate limit: the bucket by itself, and what a program and its user feel of it."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recorder.recorder import RECORDER, at_terminal, end_status, messages, recorded, run, wait_for
from ttyscribe_formats import tlog
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.writers.limit import LimitedWriter
from ttyscribe_recorder.writers.memory import MemoryWriter

SECOND = 1_000_000_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND

    def __call__(self) -> int:
        return self.now_ns


def make(rate: int, burst: int, *, delay: bool = False) -> tuple[LimitedWriter, MemoryWriter, Clock]:
    """A limit around memory, at a clock of ours."""
    inner, clock = MemoryWriter(), Clock()
    return LimitedWriter(inner, rate, burst, delay=delay, clock=clock), inner, clock


def test_the_bucket_holds_rate_and_burst_and_drains_at_the_rate() -> None:
    """Whole lines are weighed, newline included; it is empty at the start."""
    writer, inner, clock = make(100, 50)
    assert writer.write([b"x" * 49] * 5) == 5
    assert (len(inner.messages), writer.losses.count) == (3, 2)
    clock.now_ns += SECOND // 4
    assert writer.write([b"y" * 24, b"z"]) == 2
    assert (len(inner.messages), inner.messages[-1], writer.losses.count) == (4, b"y" * 24, 3)


def test_delay_takes_no_more_and_says_when() -> None:
    """To the nanosecond at which the message fits, and not before."""
    writer, inner, clock = make(100, 50, delay=True)
    assert writer.write([b"x" * 99] * 2) == 1
    assert (writer.trouble, writer.wait_fd, writer.due_ns) == ("", -1, clock.now_ns + SECOND // 2 + 1)
    clock.now_ns = writer.due_ns - 2
    assert writer.write([b"x" * 99]) == 0
    clock.now_ns += 2
    assert writer.write([b"x" * 99]) == 1
    assert (len(inner.messages), writer.losses.count, writer.due_ns) == (2, 0, 0)


@pytest.mark.parametrize("delay", [True, False])
def test_a_message_larger_than_the_bucket_passes_an_empty_one(delay: bool) -> None:
    """tlog drops each of them, or waits for ever."""
    writer, inner, clock = make(10, 10, delay=delay)
    assert writer.write([b"x" * 1000]) == 1
    clock.now_ns += 200 * SECOND
    assert writer.write([b"y" * 1000]) == 1
    assert len(inner.messages) == 2


def test_a_message_let_through_is_not_weighed_again() -> None:
    """The writer did not take it: a torn line must be completed, whatever the limit says by then."""
    writer, inner, _ = make(10, 10)
    inner.room = 0
    assert writer.write([b"x" * 19]) == 0
    assert writer.write([b"x" * 19, b"y"]) == 0
    inner.room = None
    assert writer.write([b"x" * 19, b"y"]) == 2
    assert (inner.messages, writer.losses.count) == ([b"x" * 19], 1)


def test_without_a_rate_only_the_burst_passes() -> None:
    """rate 0: nothing drains, nothing is divided by it."""
    writer, inner, clock = make(0, 10)
    writer.write([b"x" * 9, b"y"])
    clock.now_ns += 1000 * SECOND
    writer.write([b"z"])
    assert (inner.messages, writer.losses.count) == ([b"x" * 9], 2)


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2 * SECOND)), max_size=60),
    st.integers(1, 50),
    st.integers(0, 50),
)
def test_no_more_than_the_limit_passes(steps: list[tuple[int, int]], rate: int, burst: int) -> None:
    """In any stretch from the start: capacity, what drained, and one message of any size at an empty bucket."""
    writer, inner, clock = make(rate, burst)
    start_ns = clock.now_ns
    for size, pause_ns in steps:
        writer.write([b"x" * size])
        passed = sum(len(message) + 1 for message in inner.messages)
        largest = max((len(message) + 1 for message in inner.messages), default=0)
        drained = (clock.now_ns - start_ns) * rate / SECOND
        assert passed <= max(rate + burst, largest) + drained + 1
        clock.now_ns += pause_ns
    assert len(inner.messages) + writer.losses.count == len(steps)


def test_a_log_behind_a_delay_holds_the_session_until_then() -> None:
    """However long: no trouble, no alarm, nothing lost."""
    writer, inner, clock = make(1, 9, delay=True)
    alarms: list[str] = []
    log = Log(writer, SECOND, alarms.append)
    log.put([b"x" * 9, b"y" * 9], clock.now_ns)
    assert (log.holding, log.due_ns, log.trouble) == (True, clock.now_ns + 10 * SECOND + 1, "")
    log.put([b"z"], clock.now_ns + 1)
    assert log.holding
    for _ in range(3):
        assert log.due_ns is not None
        clock.now_ns = log.due_ns
        log.tick(clock.now_ns)
        if log.due_ns is None:
            break
    assert (inner.messages, log.holding, log.losses.count, alarms) == ([b"x" * 9, b"y" * 9, b"z"], False, 0, [])


def limited(log: Path, action: str, *more: str) -> list[str]:
    """Options for a limit of 2000 bytes, of which 1000 drain a second."""
    return [
        "-o",
        str(log),
        "--payload=200",
        "--limit-rate=1000",
        "--limit-burst=1000",
        f"--limit-action={action}",
        *more,
    ]


def test_pass_is_no_limit(tmp_path: Path) -> None:
    """The default, with rate and burst given."""
    done = run([*limited(tmp_path / "log", "pass"), "seq", "1", "2000"])
    assert recorded(tmp_path / "log") == done.stdout


def test_drop_leaves_a_gap_and_says_so(tmp_path: Path) -> None:
    """The program is not slowed; the ids show what is missing; tlog says nothing of it."""
    log = tmp_path / "log"
    done = run([*limited(log, "drop"), "sh", "-c", "seq 1 2000; exit 3"])
    assert (done.returncode, done.stdout.count(b"\n")) == (3, 2000)
    assert b"lacks" in done.stderr
    assert b"over the rate limit" in done.stderr
    assert log.stat().st_size <= 2000 + 1000 * 60
    ids = [message.id for message in messages(log)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("action", ["drop", "delay"])
def test_a_message_larger_than_the_limit_is_recorded(tmp_path: Path, action: str) -> None:
    """It passes when the bucket is empty. tlog drops each such message, or waits for ever."""
    log = tmp_path / "log"
    options = ["-o", str(log), f"--limit-action={action}", "--limit-rate=100", "--limit-burst=100"]
    done = run([*options, "printf", "%01500d", "7"])
    assert (done.returncode, done.stderr) == (0, b"")
    assert recorded(log) == b"%01500d" % 7
    assert end_status(log) == 0


def test_what_a_limit_drops_is_told_in_the_recording(tmp_path: Path) -> None:
    """By the next messages that pass, the last of them with the end: it comes whatever the limit says.

    tlog leaves holes, and nobody can tell them from messages that a log service lost.
    """
    log = tmp_path / "log"
    script = "for i in 1 2 3 4 5 6; do seq 1 500; sleep 0.4; done; exit 3"
    assert run([*limited(log, "drop", "--latency=1"), "sh", "-c", script]).returncode == 3
    found = messages(log)
    own = [tlog.own_fields(message) for message in found]
    lost = [item for key in own for item in key.get("lost", [])]
    told = {number for item in lost for number in range(item["from"], item["to"] + 1)}
    assert told == set(range(1, found[-1].id + 1)) - {message.id for message in found}
    assert {item["why"] for item in lost} == {"over the rate limit"}
    assert len([key for key in own if "lost" in key]) > 1
    assert own[-1]["end"] == {"status": 3}


def test_delay_slows_the_program_down_and_loses_nothing(tmp_path: Path) -> None:
    """The program has to wait for its output to be logged; all of it is there, the status too.

    tlog loses the end where the program ends while it waits, and exits with 1.
    """
    log = tmp_path / "log"
    script = "for i in 1 2 3 4 5 6 7 8 9; do printf '%0300d\\n' $i; sleep 0.02; done; exit 5"
    started = time.monotonic()
    done = run([*limited(log, "delay"), "sh", "-c", script])
    assert (done.returncode, done.stderr) == (5, b"")
    assert recorded(log) == done.stdout
    assert end_status(log) == 5
    assert time.monotonic() - started < 60


def test_the_end_of_a_session_waits_for_no_limit(tmp_path: Path) -> None:
    """What is left is written at once: the prompt comes back."""
    log = tmp_path / "log"
    command = [*RECORDER, *limited(log, "delay"), "--limit-rate=1", "seq", "1", "3000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as recorder:
        out, _ = recorder.communicate(timeout=60)
    assert recorder.returncode == 0
    assert recorded(log) == out


def test_a_signal_ends_a_session_that_the_limit_holds(tmp_path: Path) -> None:
    """And what was shown is written."""
    log = tmp_path / "log"
    command = [*RECORDER, *limited(log, "delay"), "--limit-rate=1", "yes"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as recorder:
        wait_for(lambda: log.exists() and log.stat().st_size > 500, "some of the log")
        recorder.terminate()
        recorder.communicate(timeout=60)
    assert recorder.returncode == -15
    assert end_status(log) == 143


def test_a_key_stops_what_the_limit_holds(tmp_path: Path) -> None:
    """Interrupt reaches the program although its output waits; in tlog's delay no key passes."""
    with at_terminal([*limited(tmp_path / "log", "delay"), "--limit-rate=1", "yes"]) as screen:
        screen.wait_to_see(b"y\r\ny\r\n")
        wait_for(lambda: (tmp_path / "log").stat().st_size > 500, "some of the log")
        time.sleep(0.5)
        screen.type(b"\x03")
        assert screen.wait() == 130
    assert end_status(tmp_path / "log") == 130


def test_delay_without_a_rate_is_refused() -> None:
    """It would stop the session for ever; tlog divides by zero."""
    done = run(["-o", "/dev/null", "--limit-action=delay", "--limit-rate=0", "echo", "ran"])
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"limit.rate 0 with limit.action delay" in done.stderr
