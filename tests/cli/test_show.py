# SPDX-License-Identifier: Apache-2.0
"""What stood at a place, what is missing there, and what is in doubt."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import complaint, fill, ok, printable, run
from tests.player.logs import from_store, ordered
from tests.store.samples import message, stored
from ttyscribe.show import around
from ttyscribe_store.conflict import choose
from ttyscribe_store.open import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def shown(store: str, *arguments: str) -> Any:
    """As JSON."""
    return json.loads(ok("show", "--store", store, "--json", *arguments))


def test_the_text_and_who_and_when(store: str) -> None:
    text = ok("show", "alpha@0:01", "--store", store)
    head = dict(line.split(maxsplit=1) for line in text.splitlines()[:11])
    assert head["user"] == "ada"
    assert head["host"] == "web7.example.com"
    assert head["terminal"] == "xterm"
    assert head["session"] == "7"
    assert head["start"] == "2026-11-24 13:00:00 CET +01:00"
    assert head["duration"] == "0:02.000"
    assert head["messages"] == "3, complete"
    assert head["place"] == "alpha@0:01.000, 2026-11-24 13:00:01"
    assert head["end"].startswith("unknown")
    assert "--- message 2 at 0:01.000, trust system, sent by process 4113\n    permission denied\n" in text


def test_what_is_missing_is_named(store: str) -> None:
    text = ok("show", "beta@0:04", "--store", store)
    assert "\n=== messages 3 to 4 are missing ===\n" in text
    assert shown(store, "beta@0:04")["missing"] == [[3, 4]]


def test_in_a_conflict_both_are_offered_with_trust_and_process(store: str) -> None:
    text = ok("show", "beta@0:01", "--store", store)
    assert "=== 2 messages claim to be message 2: the first is the most trusted and is played ===" in text
    assert text.index("trust user, sent by process 77\n    rm -rf /srv") < text.index("trust none\n    ls")
    found = next(one for one in shown(store, "beta@0:01")["messages"] if one["id"] == 2)
    assert found["certain"]
    assert [(one["trust"], one["pid"], one["text"]) for one in found["claims"]] == [
        ("user", 77, "rm -rf /srv"),
        ("none", -1, "ls"),
    ]


def test_what_cannot_be_decided_is_said_to_be(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, text, rec="split"), trust="none", pid=-1) for text in ("heads", "tails")])
    opened.close()
    text = ok("show", "split", "--store", store)
    assert "none is certain or played" in text
    assert "heads" in text
    assert "tails" in text
    assert not shown(store, "split")["messages"][0]["certain"]


def test_the_exit_status_is_told(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, "x", rec="ended", extra=b'{"v":1,"end":{"status":3}}'))])
    opened.close()
    assert "exit status 3" in ok("show", "ended", "--store", store)
    assert shown(store, "ended")["end_status"] == 3


def test_typed_text_is_told_apart(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, "out", rec="typed", typed="ls\r"))])
    opened.close()
    assert "    out\n    typed: ls\n" in ok("show", "typed", "--store", store)


def test_a_recording_may_be_named_by_its_beginning(store: str) -> None:
    assert "alpha@0:00.000" in ok("show", "al", "--store", store)
    opened = open_store(store)
    opened.write([stored(message(1, "x", rec="alpine"))])
    opened.close()
    done = run("show", "al", "--store", store)
    assert done.returncode == 2
    assert sorted(done.stderr.split()[-2:]) == ["alpha", "alpine"]
    assert "alpha@" in ok("show", "alpha", "--store", store)


def test_an_unknown_recording_and_a_wrong_place_are_told(store: str) -> None:
    assert "no recording 'zeta'" in complaint(run("show", "zeta", "--store", store), 2)
    assert "not a time in a recording" in complaint(run("show", "alpha@noon", "--store", store), 2)


def test_recorded_text_reaches_no_terminal_as_it_is(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(2, "\x1b]0;x\x07\u202e\x9b31m\r\n\x1b[?1049h", rec="gamma"))])
    opened.close()
    assert printable(ok("show", "gamma@0:01", "--store", store))


@pytest.mark.parametrize(
    ("ms", "context", "ids", "before"),
    [
        (0, 1, [1, 2], 0),
        (4000, 1, [4, 5, 6], 3),
        (4999, 0, [5], 4),
        (99_000, 2, [8, 9, 10], 7),
        (5500, 100, list(range(1, 11)), 0),
    ],
)
def test_the_messages_around_a_place(ms: int, context: int, ids: list[int], before: int) -> None:
    part = around(choose(from_store(message(n)) for n in range(1, 11)), ms, context)
    assert [choice.id for choice in part.choices] == ids
    assert part.before == before


def test_a_place_before_the_first_message_shows_the_first() -> None:
    part = around(choose(ordered([from_store(message(3, pos=9000)), from_store(message(4, pos=9500))])), 0, 0)
    assert [choice.id for choice in part.choices] == [3]
    assert part.before == 0
