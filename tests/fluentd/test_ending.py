# SPDX-License-Identifier: Apache-2.0
"""How soon small records come out, and what is out when Fluentd ends its child, in each of its ways (the real program).

Fluentd closes the input and sends SIGTERM together, and kills what still runs three seconds later.
"""

import signal
import time
from pathlib import Path

import pytest

from tests.fluentd.exec_filter import ExecFilter
from tests.normalizers.process import PROGRAM

FORMS = pytest.mark.parametrize("form", ["json", "msgpack"])
TRIES = 10
SOON = 0.05
"""Seconds; of the best of several tries, as a busy machine delays everything now and then."""
GRACE = 3.0
"""Seconds that Fluentd leaves its child."""


def child(form: str, folder: Path) -> ExecFilter:
    """The normalizer as exec_filter runs it."""
    return ExecFilter([*PROGRAM, "--protocol", f"fluentd-{form}"], form, folder)


def ready(fluentd: ExecFilter) -> None:
    """It has begun: a SIGTERM before Python runs would end it."""
    fluentd.send({"message": "first"})
    fluentd.wait(1)


@FORMS
def test_two_small_records_are_out_within_fifty_milliseconds(form: str, tmp_path: Path) -> None:
    """The very first ones too: they wait for nothing but the start."""
    took = []
    with child(form, tmp_path) as fluentd:
        ready(fluentd)
        for number in range(TRIES):
            started = time.monotonic()
            fluentd.send({"message": f"a {number}"}, {"message": f"b {number}"})
            fluentd.wait(1 + 2 * (number + 1))
            took.append(time.monotonic() - started)
    assert min(took) < SOON, took


@FORMS
def test_all_that_was_read_is_out_within_three_seconds_of_the_end(form: str, tmp_path: Path) -> None:
    """Some thousand records wait in the pipe when it is closed and SIGTERM comes. Best of three, for busy machines."""
    for attempt in range(3):
        with child(form, tmp_path) as fluentd:
            ready(fluentd)
            for number in range(5000):
                fluentd.send({"message": f"text {number}"})
            started = time.monotonic()
            assert fluentd.stop() == 0
            took = time.monotonic() - started
            assert not fluentd.dead_reader
            assert [one["message"] for one in fluentd.records[1:]] == [f"text {number}" for number in range(5000)]
        if took < GRACE:
            return
        print(f"attempt {attempt}: {took:.1f} s")
    pytest.fail(f"the best of three took more than {GRACE} s")


@FORMS
def test_a_killed_child_leaves_whole_records_and_its_successor_works(form: str, tmp_path: Path) -> None:
    """What came out before is whole and in order; what was still in the pipe is lost (FLU: at most once)."""
    with child(form, tmp_path) as fluentd:
        ready(fluentd)
        fluentd.send(*({"message": f"read {number}"} for number in range(100)))
        fluentd.wait(101)
        for number in range(1000):
            fluentd.send({"message": f"more {number}"})
        fluentd.child.send_signal(signal.SIGKILL)
        assert fluentd.child.wait(30) == -signal.SIGKILL
        fluentd.join()
        assert not fluentd.dead_reader
        texts = [one["message"] for one in fluentd.records]
        assert texts[:101] == ["first", *(f"read {number}" for number in range(100))]
        assert texts[101:] == [f"more {number}" for number in range(len(texts) - 101)]
    with child(form, tmp_path) as fluentd:
        ready(fluentd)
        assert fluentd.stop() == 0


@FORMS
def test_killed_right_behind_the_end_nothing_that_was_answered_is_missing(form: str, tmp_path: Path) -> None:
    """The child is idle: all is out already, whatever comes next."""
    with child(form, tmp_path) as fluentd:
        ready(fluentd)
        fluentd.send({"message": "a"}, {"message": "b"})
        fluentd.wait(3)
        fluentd.child.send_signal(signal.SIGTERM)
        assert fluentd.child.stdin is not None
        fluentd.child.stdin.close()
        fluentd.child.kill()
        fluentd.join()
        assert [one["message"] for one in fluentd.records] == ["first", "a", "b"]
        assert not fluentd.dead_reader
