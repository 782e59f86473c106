# SPDX-License-Identifier: Apache-2.0
"""The list of recordings."""

import json
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, fill, ok, printable, rows, run
from tests.recorder.recorder import AtTerminal
from tests.store.samples import message, stored
from ttyscribe_store.open import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def test_the_table_says_who_where_when_how_long_and_what_is_wrong(store: str) -> None:
    found = rows(ok("recordings", "--store", store))
    assert found[0] == ["RECORDING", "USER", "HOST", "START", "DURATION", "MESSAGES", "STATE", "TRUST"]
    listed = {row[0]: row[1:] for row in found[1:4]}
    assert listed["alpha"] == [
        "ada",
        "web7.example.com",
        "2026-11-24 13:00:00",
        "0:02.000",
        "3",
        "no gaps, no end",
        "system",
    ]
    assert listed["beta"][:2] == ["bob", "db1"]
    assert listed["beta"][4:] == ["4", "missing 3-4, 1 in conflict, no end", "none"]
    assert found[1][0] == "beta"
    assert found[-1] == ["3 recordings; times in CET +01:00"]


def test_recorded_names_reach_no_terminal_as_they_are(store: str) -> None:
    text = ok("recordings", "--store", store)
    assert printable(text)
    assert r"eve\x1b[31m\u202egnp.\x0a[bold]x[/bold]" in text


def test_rich_takes_names_for_text_and_not_for_markup(store: str) -> None:
    pytest.importorskip("rich")
    screen = AtTerminal([*COMMAND, "recordings", "--store", store], size=(300, 50))
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    assert b"[bold]x[/bold]" in screen.seen
    assert b"\x1b[31m" not in screen.seen


def test_a_name_is_whole_also_at_a_narrow_terminal(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:{tmp_path}")
    opened.setup()
    opened.write([stored(message(1, "x", rec="r" * 70, user="u" * 1000))])
    opened.close()
    screen = AtTerminal([*COMMAND, "recordings", "--store", f"sqlite:{tmp_path}"], size=(40, 20))
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    assert b"r" * 70 in screen.seen
    assert b"u" * 200 not in screen.seen


def test_without_rich_a_terminal_gets_the_plain_table(store: str) -> None:
    code = "import sys; sys.modules['rich'] = None; from ttyscribe.main import main; sys.exit(main())"
    screen = AtTerminal([sys.executable, "-c", code, "recordings", "--store", store], size=(300, 50))
    try:
        assert screen.wait() == 0
    finally:
        screen.close()
    assert b"RECORDING  USER" in screen.seen
    assert b"\x1b" not in screen.seen


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--user", "bob"], ["beta"]),
        (["--host", "web7.example.com"], ["alpha"]),
        (["--since", "2026-11-24T14:00"], ["beta"]),
        (["--until", "2026-11-24T12:30:00Z"], ["alpha", "gamma"]),
        (["--since", "2026-11-24T12:30:00Z", "--until", "2026-11-25"], ["beta"]),
        (["--user", "nobody"], []),
    ],
)
def test_filters(store: str, options: list[str], wanted: list[str]) -> None:
    lines = ok("recordings", "--store", store, "--json", *options).splitlines()
    assert [json.loads(line)["recording"] for line in lines] == wanted


def test_json_has_every_number_and_times_in_utc(store: str) -> None:
    found = {
        one["recording"]: one for one in map(json.loads, ok("recordings", "--store", store, "--json").splitlines())
    }
    assert found["alpha"]["start"] == "2026-11-24T12:00:00.123000+00:00"
    assert found["alpha"]["duration_ms"] == 2000
    beta = found["beta"]
    assert (beta["messages"], beta["missing"], beta["conflicts"], beta["trust"]) == (4, 2, 1, "none")
    assert found["gamma"]["user"].startswith("eve\x1b[31m")


def test_the_store_may_be_named_by_the_environment(store: str) -> None:
    assert "alpha" in ok("recordings", env={"TTYSCRIBE_STORE": store})


def test_nothing_that_fits_is_said(store: str) -> None:
    told = complaint(run("recordings", "--store", store, "--user", "nobody"), 0)
    assert told == f"ttyscribe: no recordings in {store} that fit"


def test_nothing_at_all_is_said(tmp_path: Path) -> None:
    ok("setup", "--store", f"sqlite:{tmp_path / 'empty'}")
    told = complaint(run("recordings", "--store", f"sqlite:{tmp_path / 'empty'}"), 0)
    assert told == f"ttyscribe: no recordings in sqlite:{tmp_path / 'empty'}"


def test_a_wrong_time_is_told_with_the_forms(store: str) -> None:
    done = run("recordings", "--store", store, "--since", "yesterday-ish")
    assert done.returncode == 2
    assert "2h, 3d" in done.stderr


@pytest.mark.parametrize("number", [0, 1, 10**15])
def test_the_recorded_user_hides_his_recording_from_no_filter(tmp_path: Path, number: int) -> None:
    """One message of the same trust from another host, in 1970, of each id that once took the recording over."""
    url, now_ms = f"sqlite:{tmp_path / 'store'}", time.time_ns() // 1_000_000
    true = [message(n, "x", host="vm", time_ms=now_ms - 60_000 + n * 1000) for n in (1, 2, 5)]
    fakes = [message(number, f"f{n}", host="elsewhere", time_ms=1000, pos=0) for n in range(4)]
    opened = open_store(url)
    opened.setup()
    opened.write([stored(item, trust="user") for item in true])
    opened.write([stored(item, trust="user", partition="implausible-time") for item in fakes])
    opened.close()
    for options in (["--since", "1d"], ["--host", "vm"], ["--since", "1h", "--user", "ada", "--host", "vm"], []):
        cells = rows(ok("recordings", "--store", url, *options))[1]
        assert (cells[0], cells[2]) == ("rec-1", "vm"), options
        assert cells[3][:4] != "1970"
        assert cells[6].endswith("2 hosts claimed, no end")
        assert "no gaps" not in cells[6]
        assert cells[6].startswith("missing 3-4")
        assert ("4 with an id below 1" in cells[6]) == (number == 0)
        assert ("in conflict" in cells[6]) is True
    (line,) = ok("recordings", "--store", url, "--json", "--host", "vm").splitlines()
    assert (json.loads(line)["hosts"], json.loads(line)["gaps"][0]) == (2, [3, 4])


def test_a_long_name_widens_no_row_but_its_own(tmp_path: Path) -> None:
    opened = open_store(f"sqlite:{tmp_path}")
    opened.setup()
    opened.write([stored(message(1, "x", rec="long", user="u" * 120)), stored(message(1, "x", rec="short"))])
    opened.close()
    lines = {line.split()[0]: line for line in ok("recordings", "--store", f"sqlite:{tmp_path}").splitlines()}
    assert "u" * 120 + "  web7" in lines["long"]
    assert len(lines["short"]) < 150
    assert lines["short"].index("web7") == lines["RECORDING"].index("HOST")
