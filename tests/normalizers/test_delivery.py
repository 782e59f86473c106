# SPDX-License-Identifier: Apache-2.0
"""From outcomes to what is durable: nothing is written twice that is done, and nothing is forgotten that is not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.samples import NOW_NS, line, pipeline
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_normalizers.deadletter import DeadLetter
from ttyscribe_normalizers.delivery import FIRST_PAUSE, LONGEST_PAUSE, Backoff, Batch, Delivery
from ttyscribe_normalizers.logs import Seldom
from ttyscribe_normalizers.logs import line as report_line
from ttyscribe_store.base import DUPLICATE, STORED, Outcome

Answer = list[Outcome] | Exception


class Scripted:
    """A sink that answers as it was told."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.seen: list[list[str]] = []

    def write(self, documents: Sequence[Document]) -> list[Outcome]:
        self.seen.append([document["message"] for document in documents])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def check(self) -> None: ...
    def close(self) -> None: ...


def batch(*texts: str) -> Batch:
    """Lines on their way; `!` makes one that is unparsable."""
    made, subject = Batch(), pipeline()
    for number, text in enumerate(texts):
        raw = b"!" if text == "!" else line(text, id=str(number))
        made.add(raw, subject.process(raw, NOW_NS))
    return made


def dead(path: Path) -> list[Any]:
    """What the dead letter holds."""
    return [json.loads(entry) for entry in path.read_bytes().splitlines()] if path.exists() else []


@pytest.fixture
def delivery(tmp_path: Path) -> Callable[[Scripted], Delivery]:
    """Makes a delivery to a sink, with its dead letter at `dead`."""
    return lambda sink: Delivery(sink, DeadLetter(tmp_path / "dead"), lambda: NOW_NS)


Deliver = Callable[[Scripted], Delivery]


def test_each_document_goes_where_its_outcome_says(tmp_path: Path, delivery: Deliver) -> None:
    sink = Scripted([STORED, DUPLICATE, Outcome("rejected", "bad field")])
    subject = delivery(sink)
    way = batch("a", "b", "!", "c")
    subject.attempt(way)
    assert subject.counters == {"stored": 1, "duplicate": 1, "rejected": 1}
    assert [(entry["status"], entry["reason"]) for entry in dead(tmp_path / "dead")][1] == ("rejected", "bad field")
    assert dead(tmp_path / "dead")[1]["document"]["message"] == "c"
    subject.attempt(way)
    assert len(sink.seen) == 1
    assert len(dead(tmp_path / "dead")) == 2


def test_only_what_is_not_done_is_tried_again(tmp_path: Path, delivery: Deliver) -> None:
    held = Outcome("retry", "busy", 3.0)
    sink = Scripted([STORED, held, Outcome("rejected", "bad"), held], [held, STORED], [STORED])
    subject = delivery(sink)
    way = batch("a", "b", "c", "d")
    for expected in (["b", "d"], ["b"]):
        with pytest.raises(Unavailable, match="busy") as caught:
            subject.attempt(way)
        assert caught.value.after == 3.0
        assert [document["message"] for document in way.documents] == expected
    subject.attempt(way)
    assert sink.seen == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert len(dead(tmp_path / "dead")) == 1


@pytest.mark.parametrize("error", [Unavailable("down"), ConfigError("refused credentials")])
def test_an_outage_of_the_whole_store_blames_no_document(tmp_path: Path, delivery: Deliver, error: Exception) -> None:
    subject = delivery(Scripted(error, [STORED]))
    way = batch("a", "!")
    with pytest.raises(Unavailable):
        subject.attempt(way)
    assert [entry["status"] for entry in dead(tmp_path / "dead")] == ["unparsable"]
    subject.attempt(way)
    assert len(dead(tmp_path / "dead")) == 1
    assert subject.counters == {"stored": 1, "retried": 1}


def test_a_dead_letter_that_cannot_be_written_is_an_outage(tmp_path: Path, delivery: Deliver) -> None:
    subject = delivery(Scripted([STORED]))
    way = batch("a", "!")
    (tmp_path / "dead").mkdir()
    with pytest.raises(Unavailable, match=r"the dead letter .* can't be written"):
        subject.attempt(way)
    assert not way.documents
    (tmp_path / "dead").rmdir()
    subject.attempt(way)
    assert len(dead(tmp_path / "dead")) == 1


def test_a_sink_that_answers_too_little_loses_nothing(delivery: Deliver) -> None:
    subject = delivery(Scripted([STORED]))
    way = batch("a", "b")
    with pytest.raises(ValueError, match="shorter"):
        subject.attempt(way)
    assert len(way.documents) == 2


def test_pauses_grow_from_half_a_second_to_a_minute_with_jitter() -> None:
    for dice in (0.0, 0.5, 1.0):
        backoff = Backoff(lambda dice=dice: dice)  # type: ignore[misc]
        pauses = [backoff.next() for _ in range(12)]
        assert pauses[0] == FIRST_PAUSE
        assert pauses == sorted(pauses)
        assert pauses[-1] == LONGEST_PAUSE * (0.5 + dice / 2)
        backoff.reset()
        assert backoff.next() == FIRST_PAUSE


def test_the_far_side_may_ask_for_more_but_not_for_ever() -> None:
    assert Backoff().next(20.0) == 20.0
    assert Backoff().next(1e9) == LONGEST_PAUSE


def test_an_outage_is_reported_once_a_minute() -> None:
    now, said = [100.0], list[str]()
    report = Seldom(said.append, lambda: now[0])
    for step in (0.0, 1.0, 58.0, 2.0):
        now[0] += step
        report(f"at {now[0]:g}")
    assert said == ["at 100", "at 161"]
    report.reset()
    report("again")
    assert said[-1] == "again"


def test_a_report_is_one_line_whatever_is_in_it() -> None:
    made = report_line("a\nb\x1b[2J\ud800" + "\U0001f600" * 5000)
    assert made.count(b"\n") == 1
    assert made.endswith(b"\n")
    assert len(made) <= 4001
    assert b"\x1b" not in made
