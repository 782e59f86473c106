# SPDX-License-Identifier: Apache-2.0
"""What stood at a place, what is missing there, and what is in doubt."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import COMMAND, PATIENCE, complaint, fill, ok, printable, run
from tests.normalizers.process import run as normalize
from tests.player.logs import from_store, ordered
from tests.store.samples import documents, make_recording, message, stored
from ttyscribe.show import around
from ttyscribe_formats.tlog import encode
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
    assert head["messages"] == "3, no gaps, no end"
    assert head["place"] == "alpha@0:01.000, 2026-11-24 13:00:01"
    assert head["end"].startswith("unknown")
    assert "--- message 2 at alpha@0:01.000, trust system, sent by process 4113\n    permission denied\n" in text


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
    part = around((from_store(message(n)) for n in range(1, 11)), ms, context)
    assert [choice.id for choice in part.choices] == ids
    assert part.before == before


def test_a_place_before_the_first_message_shows_the_first() -> None:
    part = around(ordered([from_store(message(3, pos=9000)), from_store(message(4, pos=9500))]), 0, 0)
    assert [choice.id for choice in part.choices] == [3]
    assert part.before == 0


def put(store: str, *made: Any) -> None:
    """More documents in the store."""
    opened = open_store(store)
    opened.write(list(made))
    opened.close()


def test_hidden_text_is_shown_escaped_and_bounded(store: str) -> None:
    text = "\x1b]0;secret\nof \u202eada\x07ok\r\nshown\r     \rkept"
    many = "".join(f"\x1b]0;{number}\x07" for number in range(50)) + "\x1b]1;" + "x" * 900
    put(store, stored(message(1, text, rec="hidden")), stored(message(2, many, rec="hidden", typed="a\rb\x1b_c\x1b")))
    out = ok("show", "hidden@0:00", "--store", store)
    assert "    ok\n    kept \n    [hidden: 0;secret]\n    [hidden: of \\u202eada]\n    [hidden: shown]\n" in out
    assert "    [hidden: 0;19]\n    [hidden: 31 more lines; --raw gives the exact bytes]\n" in out
    assert "    typed: a\n    typed: b\n    typed: [hidden: c]\n" in out
    assert printable(out)
    claim = shown(store, "hidden")["messages"][0]["claims"][0]
    assert claim["hidden"] == "0;secret\nof \u202eada\nshown"
    put(store, stored(message(1, "\x1bP" + "x" * 900, rec="hidden-2")))
    assert f"    [hidden: {'x' * 500} (400 more characters)]\n" in ok("show", "hidden-2", "--store", store)


def test_what_is_written_into_control_strings_is_found_and_shown(tmp_path: Path) -> None:
    """The whole way: a line that a recorder wrote, the normalizer, a search, the place."""
    url = f"sqlite:{tmp_path / 'new'}"
    text = "\x1b]0;root:hashed\r\n\x07overwritten\r\x1b[Kdone\x1bPlast\r\nnever ended"
    normalize(tmp_path, encode(message(1, text)) + b"\n", "--protocol=ndjson", f"--output={url}")
    for word in ("hashed", "overwritten", '"never ended"', "done"):
        assert "rec-1@0:00.000" in ok("search", "--store", url, word)
    out = ok("show", "rec-1", "--store", url)
    for line in ("done", "[hidden: 0;root:hashed]", "[hidden: overwritten]", "[hidden: never ended]"):
        assert f"    {line}\n" in out


def test_raw_gives_the_exact_bytes_and_nothing_else(store: str) -> None:
    outputs = [b"\xff\xfe\x1b]0;x\x07", b"two\r\n", b"three"]
    opened = open_store(store)
    opened.write(documents(make_recording("bytes", outputs)))
    opened.close()
    assert raw("bytes@0:00", store) == (0, b"".join(outputs), "")
    assert raw("bytes@0:00", store, "--context=0") == (0, outputs[0], "")
    status, data, said = raw("beta@0:04", store)
    assert (status, data) == (1, b"hello from bobrm -rf /srvthe end")
    assert said == "ttyscribe: messages 3 to 4 are missing\n"


def raw(place: str, store: str, *arguments: str) -> tuple[int, bytes, str]:
    """Status, bytes, and what is said."""
    command = [*COMMAND, "show", place, "--store", store, "--raw", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr.decode()


def forge(store: str) -> None:
    """A recording that process 10 recorded, while process 66 sent ahead under its name, at the same trust."""
    true = [stored(message(n, f"true {n}\n", rec="two"), trust="user", pid=10) for n in (1, 2)]
    put(store, *true, *(stored(message(n, f"lie {n}\n", rec="two"), trust="user", pid=66) for n in (1, 2, 3)))


def test_several_senders_are_told_and_one_can_be_chosen(store: str) -> None:
    forge(store)
    out = ok("show", "two", "--store", store)
    assert out.count("3 by process 66, 2 by process 10") == 1
    assert "claim to be message 1: none is certain or played; --sender=PID takes one's ===" in out
    out = ok("show", "two", "--store", store, "--sender=10")
    assert "2 messages claim to be message 1: that of process 10 is played, as asked for" in out
    assert out.index("true 1") < out.index("lie 1")
    assert "message 3 is not of process 10: not played; sent by process 66" in out
    found = shown(store, "two", "--sender=10")
    assert found["senders"] == [{"pid": 66, "messages": 3}, {"pid": 10, "messages": 2}]
    assert [one["certain"] for one in found["messages"]] == [True, True, False]
    status, data, said = raw("two", store, "--sender=10")
    assert (status, data) == (1, b"true 1\ntrue 2\n")
    assert said == "ttyscribe: message 3 is not of process 10: not played; sent by process 66\n"
    assert "process 5 sent no message" in complaint(run("show", "two", "--store", store, "--sender=5"), 2)
    assert "several processes" not in ok("show", "alpha", "--store", store)


def test_a_message_that_goes_back_in_time_is_told_once(store: str) -> None:
    put(store, *(stored(message(n, "x", rec="back", pos=ms)) for n, ms in ((1, 0), (2, 9000), (3, 1000), (4, 2000))))
    out = ok("show", "back@0:09", "--store", store, "--context=9")
    assert out.count("goes back in time") == 1
    assert "=== message 3 goes back in time: it says 0:01.000, what came before it 0:09.000 ===" in out
    part = around([from_store(message(n, pos=ms)) for n, ms in ((1, 8000), (2, 1000), (3, 2000))], 1500, 0)
    assert ([one.id for one in part.choices], part.before_ms) == ([2], 8000)
