# SPDX-License-Identifier: Apache-2.0
"""Searching: hits are places, with the line around the match."""

import fcntl
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, fill, ok, printable, run
from tests.normalizers import samples as normalizer
from tests.player.logs import play
from tests.recorder.recorder import AtTerminal
from tests.store.samples import START_NS, make_execution, make_syslog, message, stored
from ttyscribe.search import query_of
from ttyscribe.text import width
from ttyscribe_screen.screen import available
from ttyscribe_store.base import STORED
from ttyscribe_store.open import open_store
from ttyscribe_store.query.fields import FIELDS

KNOWN = {**os.environ, "TERM": "xterm-256color"}
"""The environment at a terminal that knows control sequences."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def found(store: str, *arguments: str) -> list[dict[str, object]]:
    """Hits as JSON, without the end."""
    return [json.loads(line) for line in ok("search", "--store", store, "--json", *arguments).splitlines()[:-1]]


def test_a_hit_is_a_place_with_time_user_host_and_the_marked_line(store: str) -> None:
    assert ok("search", "denied", "--store", store).splitlines() == [
        "alpha@0:01.000  2026-11-24 13:00:01  ada@web7.example.com  trust system",
        "    permission >>denied<<",
        "1 hit; times in CET +01:00",
    ]


def test_show_and_play_take_the_place(store: str) -> None:
    place = ok("search", "denied", "--store", store).split()[0]
    assert "permission denied" in ok("show", place, "--store", store)
    assert b"permission" in play("--store", store, place).stdout


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["SHADOW"], ["alpha"]),
        (["/etc/shadow"], ["alpha"]),
        (["/shadow/etc"], []),
        (["cat", "shadow"], ["alpha"]),
        (["cat shadow"], []),
        (["rm -rf"], ["beta"]),
        (['"rm -rf" srv'], ["beta"]),
        (["opened"], [""]),
        (["nothing-of-the-kind"], []),
    ],
)
def test_words_and_phrases(store: str, words: list[str], wanted: list[str]) -> None:
    assert [hit["recording"] for hit in found(store, *words)] == wanted


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ([], 2),
        (["--kind=tlog"], 1),
        (["--kind=syslog"], 1),
        (["--user=ada"], 0),
        (["--host=db1"], 1),
        (["--limit=1"], 1),
    ],
)
def test_filters(store: str, options: list[str], count: int) -> None:
    opened = open_store(store)
    opened.write([stored(message(9, "sshd hello", rec="delta", user="carl", host="db1"))])
    opened.close()
    assert len(found(store, "sshd", *options)) == count


def test_bounds_of_time(store: str) -> None:
    assert not found(store, "bob", "--until", "2026-11-24T13:30")
    assert len(found(store, "bob", "--since", "2026-11-24T13:30")) == 1


def test_a_hit_outside_of_recordings_has_no_place(store: str) -> None:
    (hit,) = found(store, "opened")
    assert (hit["place"], hit["kind"]) == ("", "syslog")
    assert ok("search", "opened", "--store", store).startswith("syslog  2026-11-24 13:00:00  web7")


def test_json_has_the_place_and_the_lines(store: str) -> None:
    (hit,) = found(store, "shadow")
    assert list(hit) == [
        *("document_id", "kind", "time", "host", "user", "recording", "first_ms", "last_ms", "message", "typed"),
        *("trust", "session", "boot_id", "source", "place", "lines"),
    ]
    assert hit["place"] == "alpha@0:00.000"
    assert hit["lines"] == ["$ cat /etc/shadow"]
    assert hit["time"] == "2026-11-24T12:00:00.123000+00:00"


def test_a_command_of_audit_is_told_as_one(store: str) -> None:
    opened = open_store(store)
    opened.write([make_execution(1, ["curl", "-O", "http://192.0.2.1/x"], ms=2500)])
    opened.close()
    (hit,) = [hit for hit in found(store, "cmd:*curl*") if hit["recording"] == "alpha"]
    assert (hit["kind"], hit["source"], hit["place"]) == ("command", "audit", "alpha@0:02.500")
    text = ok("search", "rec:alpha", "cmd:curl", "--store", store)
    assert "  from audit  trust system\n    >>curl<< -O http://192.0.2.1/x\n" in text


def test_a_limit_that_was_reached_is_told(store: str) -> None:
    assert "there may be more: --limit 10" in ok("search", "denied", "--limit=1", "--store", store)


def test_a_match_over_two_lines_and_a_long_line_are_shown_in_short(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, "x" * 5000 + " needle\nin " + "y" * 5000, rec="long"))])
    opened.close()
    lines = ok("search", "needle in", "--store", store).splitlines()
    assert lines[1] == "    " + "x" * 59 + r" >>needle\x0ain<< " + "y" * 159


def test_what_folding_alone_finds_is_shown_too(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, "die STRASSE, die \ufb01ne", rec="folded"))])
    opened.close()
    assert "die >>STRASSE<<, die" in ok("search", "stra\u00dfe", "--store", store)
    assert "die STRASSE, die \ufb01ne" in ok("search", "fine", "--store", store)


def test_recorded_text_reaches_no_terminal_as_it_is(store: str) -> None:
    opened = open_store(store)
    hostile = stored(message(1, "needle", rec="hostile"))
    hostile["message"] = "a \x1b]0;x\x07 needle \u202e \x9b31m"
    hostile["ttyscribe"]["typed"] = "\x1b[2J"
    opened.write([hostile])
    opened.close()
    assert printable(ok("search", "needle", "--store", store))
    assert printable(ok("search", "boo", "--store", store))


def test_on_a_terminal_the_match_is_in_reverse_video(store: str) -> None:
    screen = AtTerminal([*COMMAND, "search", "denied", "--store", store], env=KNOWN)
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    assert b"permission \x1b[7mdenied\x1b[27m\r\n" in screen.seen


def test_nothing_found_is_said(store: str) -> None:
    assert "nothing in" in complaint(run("search", "absent", "--store", store), 0)


def test_a_search_without_a_word_is_refused(store: str) -> None:
    assert "there is no word in" in complaint(run("search", "--store", store, "--", "-", "//"), 2)


def test_an_argument_of_nothing_but_words_is_a_phrase() -> None:
    arguments = ["rm -rf", "/etc/shadow", 'a "b c"', "user:x y", "a OR b", "ANDY ORR", "*den (you*", "*x*"]
    assert query_of(arguments) == '"rm -rf" /etc/shadow a "b c" user:x y a OR b "ANDY ORR" "*den (you*" *x*'


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("user:bob", {"beta"}),
        ("user:b* kind:tlog", {"beta"}),
        ("host:db1 hello", {"beta"}),
        ("denied OR hello", {"alpha", "beta"}),
        ("kind:tlog !user:ada !user:bob", {"gamma"}),
        ("rec:alpha !denied", {"alpha"}),
        ("session:7 trust:user", {"beta"}),
        ("rec:beta until:2026-11-24T12:00:00Z", set()),
        ('user~"^(ada|bob)$"', {"alpha", "beta"}),
        ("level:err", set()),
    ],
)
def test_the_query_language(store: str, query: str, wanted: set[str]) -> None:
    assert {hit["recording"] for hit in found(store, query)} == wanted


def test_what_is_wrong_with_a_query_is_told_with_its_column(store: str) -> None:
    said = complaint(run("search", "--store", store, "user:alice", "(sudo OR"), 2)
    assert said == "ttyscribe: in the query 'user:alice (sudo OR', column 20: a term is missing here"


def test_a_hit_without_a_phrase_shows_its_beginning(store: str) -> None:
    lines = ok("search", "--store", store, "user:ada", "--limit", "1").splitlines()
    assert lines[1] == "    $ cat /etc/shadow"


def test_help_names_every_field() -> None:
    text = ok("search", "--help")
    assert all(f"  {name} " in text for name in FIELDS)


def test_one_recording_alone_is_searched(store: str) -> None:
    lines = ok("search", "--store", store, "--json", "--recording", "beta", "bob").splitlines()[:-1]
    assert {json.loads(line)["recording"] for line in lines} == {"beta"}
    assert "nothing in" in complaint(run("search", "--store", store, "--recording", "alpha", "bob"), 0)


def test_audit_events_and_sudos_log_are_found_by_their_words(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/audit"
    opened = open_store(url)
    opened.setup()
    ran = '"syscall":{"syscall":["execve","59"],"success":["yes"],"auid":["ada","1000"],"uid":["root","0"]}'
    data = f'{{{ran},"execve":["cat","{"x" * 5000} needle"]}}'
    event = f'{{"serial":880,"time":"2026-11-24T12:00:00.771+00:00","data":{data}}}'
    lines = [
        normalizer.line(event, program="aushape"),
        normalizer.line("ada : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/cat haystack", program="sudo", id="a"),
        normalizer.line(
            "type=CWD msg=audit(1795521600.771:881): cwd=2F746D702F6D7920686F757365", program="audispd", id="b"
        ),
    ]
    for line in lines:
        assert opened.write(normalizer.pipeline().process(line, normalizer.NOW_NS).documents) == [STORED]
    opened.close()
    (hit,) = found(url, "needle")
    assert (hit["kind"], hit["user"], hit["place"]) == ("aushape", "ada", "")
    assert ok("search", "needle", "--store", url).splitlines()[1].startswith("    ada ran cat ")
    assert [hit["kind"] for hit in found(url, "haystack", "--user", "ada")] == ["sudo"]
    assert [hit["kind"] for hit in found(url, "/tmp/my house")] == ["audit-line"]
    assert [hit["kind"] for hit in found(url, "needle", "user:ada")] == ["aushape"]


# ---- as a stream


@pytest.fixture
def large(tmp_path: Path) -> str:
    """A store whose hits fill more than a pipe holds."""
    url = f"sqlite:{tmp_path}/large"
    opened = open_store(url)
    opened.setup()
    items = [make_syslog(number, f"needle {'x' * 400}", time_ns=START_NS + number) for number in range(1500)]
    assert set(opened.write(items)) == {STORED}
    opened.close()
    return url


def started(url: str, *options: str) -> "subprocess.Popen[bytes]":
    """A search that has printed its first hit, and waits to be read on."""
    command = [*COMMAND, "search", "needle", "--store", url, "--limit", "100000", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert b"needle" in process.stdout.readline() + process.stdout.readline()
    assert process.poll() is None
    return process


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_first_hits_come_before_the_last_are_found_and_a_closed_pipe_ends_it(
    large: str, options: list[str]
) -> None:
    process = started(large, *options)
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert (process.wait(60), process.stderr.read()) == (-signal.SIGPIPE, b"")
    process.stderr.close()


def test_ctrl_c_ends_it_without_a_word(large: str) -> None:
    process = started(large)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (-signal.SIGINT, b"")


def test_json_ends_with_how_many_there_were(store: str) -> None:
    def end(*arguments: str) -> dict[str, object]:
        told: dict[str, dict[str, object]] = json.loads(
            ok("search", "--store", store, "--json", *arguments).splitlines()[-1]
        )
        assert list(told) == ["end"]
        return told["end"]

    assert end("denied") == {"hits": 1, "more": False, "behind": 0}
    assert end("denied", "--limit=1") == {"hits": 1, "more": True, "behind": 0}
    assert end("absent") == {"hits": 0, "more": False, "behind": 0}


def test_names_reach_no_terminal_as_they_are(tmp_path: Path) -> None:
    url = f"sqlite:{tmp_path}/hostile"
    opened = open_store(url)
    opened.setup()
    hostile = "\x1b]0;x\x07\u202e\x9b2J\r\n"
    opened.write([stored(message(1, "needle", rec=hostile, user=hostile, host=hostile))])
    opened.write([make_syslog(1, "needle", host=hostile)])
    opened.close()
    shown = ok("search", "needle", "--store", url)
    assert printable(shown)
    assert shown.count("\\x1b]0;x\\x07\\u202e\\x9b2J\\x0d\\x0a") >= 2
    assert ok("search", "needle", "--json", "--store", url).isascii()
    said = complaint(run("search", "--store", url, f"user:{hostile}("), 2)
    assert printable(said)


def test_lines_are_cut_to_the_width_of_the_terminal(store: str) -> None:
    opened = open_store(store)
    opened.write([stored(message(1, "\u65e5" * 70 + " needle " + "y" * 300, rec="wide"))])
    opened.close()
    screen = AtTerminal([*COMMAND, "search", "needle", "--store", store], env=KNOWN)
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    (line,) = [line for line in screen.seen.decode().splitlines() if "needle" in line]
    text = line.replace("\x1b[7m", "").replace("\x1b[27m", "")
    assert "\x1b" not in text
    assert "needle y" in text
    assert 60 <= width(text.rstrip("\r")) <= 80


def test_substrings_and_what_expressions_need_are_marked(store: str) -> None:
    if not available():
        pytest.skip("lines are made by the terminal emulator")
    assert ">>denie<<d" in ok("search", "*denie*", "--store", store)
    assert ">>mission d<<" in ok("search", 'line~"mission d[a-z]"', "--store", store)


def test_how_far_the_indexer_is_behind_is_told(store: str) -> None:
    ok("index", "--store", store)
    opened = open_store(store)
    opened.write([stored(message(1, "needle", rec="late"))])
    opened.close()
    folder = store.removeprefix("sqlite:")
    lock = os.open(folder, os.O_RDONLY)  # as an indexer that is at work holds it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("search", "needle", "--store", store)
        assert (done.returncode, "1 hit" in done.stdout) == (0, True)
        assert "index: 1 recording is not derived up to the last message" in done.stderr
        told = json.loads(run("search", "needle", "--store", store, "--json").stdout.splitlines()[-1])
        assert told == {"end": {"hits": 1, "more": False, "behind": 1}}
    finally:
        os.close(lock)
    assert run("search", "needle", "--store", store).stderr == ""
