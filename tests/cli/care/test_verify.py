# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store verify` as an operator runs it."""

import json
from pathlib import Path

import pytest

from tests.cli.command import HOSTILE, complaint, fill, ok, printable, rows, run
from tests.store.samples import documents, make_recording, make_tlog
from ttyscribe_store.open import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def test_gaps_conflicts_and_trust_are_listed_and_the_status_is_1(store: str) -> None:
    done = run("store", "verify", "--store", store)
    assert done.returncode == 1
    assert done.stderr == ""
    head, *table, last = rows(done.stdout)
    assert head == ["FOUND", "RECORDING", "WHERE", "WHAT"]
    assert [row[:3] for row in table[:2]] == [["gap", "beta", "3-4"], ["conflict", "beta", "2"]]
    assert [row[0] for row in table[2:]] == ["trust", "sender"]
    assert "2 missing, no mark says why" in table[0][3]
    assert "wins by its trust (user)" in table[1][3]
    assert last == [f"{store}: 4 findings in 8 messages of 3 recordings"]


def test_for_programs_each_finding_is_an_object(store: str) -> None:
    done = run("store", "verify", "--store", store, "--json", "beta")
    found = {line["kind"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert sorted(found) == ["conflict", "gap", "sender", "trust"]
    assert (found["gap"]["first_id"], found["gap"]["last_id"], found["gap"]["lost"]) == (3, 4, [])
    claims = found["conflict"]["claims"]
    assert [(claim["trust"], claim["wins"]) for claim in claims] == [("user", True), ("none", False)]
    assert found["sender"]["senders"] == [{"pid": 77, "messages": 3}, {"pid": -1, "messages": 1}]


def test_what_is_whole_gives_status_0(store: str) -> None:
    assert ok("store", "verify", "--store", store, "alpha") == f"{store}: nothing found in 3 messages of 1 recording\n"


def test_names_that_a_forger_chose_do_not_reach_the_terminal(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    opened = open_store(url)
    opened.setup()
    opened.write([make_tlog(2, rec=HOSTILE, user=HOSTILE)])
    opened.close()
    done = run("store", "verify", "--store", url)
    assert done.returncode == 1
    assert printable(done.stdout)


def test_a_flood_of_forged_gaps_is_cut_for_people_and_whole_for_programs(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    opened = open_store(url)
    opened.setup()
    opened.write([make_tlog(number * 2) for number in range(1, 101)])
    opened.close()
    assert "gap    rec-1" in run("store", "verify", "--store", url).stdout
    assert "and 80 more; --json lists all" in run("store", "verify", "--store", url).stdout
    assert len(run("store", "verify", "--store", url, "--json").stdout.splitlines()) == 100


def test_a_recording_that_is_not_there_is_a_complaint(store: str) -> None:
    assert "no recording 'delta'" in complaint(run("store", "verify", "--store", store, "delta"), 2)


def test_a_verb_is_needed(store: str) -> None:
    assert run("store", "--store", store).returncode == 2


def test_marks_of_loss_name_the_reason(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path / 'store'}"
    opened = open_store(url)
    opened.setup()
    messages = make_recording("alpha", [b"one\r\n", b"two\r\n", b"three\r\n"])
    found = documents([messages[0], messages[2]])
    found[1]["tlog"]["ttyscribe"] = {"v": 1, "lost": [{"from": 2, "to": 2, "why": "log full"}]}
    opened.write(found)
    opened.close()
    assert "1 missing, lost: log full" in run("store", "verify", "--store", url).stdout
