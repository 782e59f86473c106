# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store retention` and `delete`: what goes is told, asked about and recorded; the rest stays."""

import json
import os
import syslog
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import HOSTILE, complaint, fill, ok, printable, run
from tests.disks import fill as fill_disk
from tests.disks import small_disk
from tests.peers import require_root
from tests.store.care.test_sqlite_check import change
from tests.store.samples import make_syslog, make_tlog
from ttyscribe.care import trail
from ttyscribe_store.base import STORED
from ttyscribe_store.open import open_store
from ttyscribe_store.sqlite import SqliteStore

YES = ("--yes", "--store")


@pytest.fixture
def months(tmp_path: Path) -> str:
    """Two old months, the current one and `implausible-time`; its URL."""
    url = f"sqlite:{tmp_path / 'store'}"
    store = open_store(url)
    store.setup()
    for name in ("2020.01", "2020.02", time.strftime("%Y.%m", time.gmtime()), "implausible-time"):
        assert store.write([make_tlog(n, f"text{n}", rec=name, partition=name) for n in range(1, 50)]) == [STORED] * 49
    store.close()
    return url


def files(url: str) -> list[str]:
    """What is in the folder."""
    return sorted(os.listdir(url.removeprefix("sqlite:")))


def test_old_months_go_and_what_goes_is_told_first(months: str) -> None:
    before = files(months)
    told = ok("store", "retention", "--store", months, "--older-than", "400d", "--dry-run")
    assert [line.split(":")[0] for line in told.splitlines()[:2]] == ["2020.01", "2020.02"]
    assert "would be freed (--dry-run)" in told
    assert files(months) == before
    assert "give --yes" in complaint(run("store", "retention", "--store", months, "--older-than", "400d"), 2)
    assert files(months) == before
    assert " freed\n" in ok("store", "retention", "--older-than", "400d", *YES, months)
    assert files(months) == before[2:]
    assert "nothing has to go" in ok("store", "retention", "--older-than", "400d", *YES, months)


def test_by_size_the_current_month_is_never_taken(months: str) -> None:
    done = run("store", "retention", "--larger-than", "1K", *YES, months)
    assert done.returncode == 1
    assert "the current month and implausible-time are never taken away" in done.stdout
    assert len(files(months)) == 2


def test_a_month_that_another_process_holds_is_told_and_stays(months: str) -> None:
    """This one, which goes on to write into it and finds it whole."""
    store = SqliteStore(months.removeprefix("sqlite:"))
    store.write([make_tlog(77, rec="late", partition="2020.02")])
    done = run("store", "retention", "--older-than", "400d", *YES, months)
    assert done.returncode == 1
    assert "2020.02.sqlite: another process is writing; 1 month gone before that" in done.stderr
    assert store.write([make_tlog(78, rec="late", partition="2020.02")]) == [STORED]
    assert store.write([make_tlog(1, rec="late", partition="2020.01")]) == [STORED], "it is begun anew"
    store.close()
    assert "2020.01.sqlite" in files(months)


@pytest.mark.root
def test_on_a_full_disk_it_says_what_to_do(tmp_path: Path) -> None:
    require_root()
    with small_disk(tmp_path / "disk", "2m") as disk:
        url = f"sqlite:{disk / 'store'}"
        with closing(open_store(url)) as store:
            store.write([make_tlog(1, "text", rec="a", partition="2020.01")])
        fill_disk(disk / "ballast")
        done = run("store", "retention", "--older-than", "400d", *YES, url)
        assert done.returncode == 1
        assert "2020.01.sqlite: the disk is full; make some room, or end what writes, remove " in done.stderr
        assert "1 recording is not derived" in run("recordings", "--store", url).stderr, "it can still be read"
        (disk / "ballast").unlink()
        assert " freed\n" in ok("store", "retention", "--older-than", "400d", *YES, url)


@pytest.mark.parametrize("arguments", [[], ["--older-than", "0d"], ["--older-than", "400"], ["--larger-than", "x"]])
def test_a_rule_is_needed_that_can_be_understood(months: str, arguments: list[str]) -> None:
    done = run("store", "retention", *arguments, *YES, months)
    assert done.returncode == 2


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def recordings(url: str) -> list[str]:
    """The ids that are listed."""
    found = map(json.loads, ok("recordings", "--json", "--store", url).splitlines())
    return sorted(one["recording"] for one in found)


def test_a_recording_goes_with_all_that_was_derived_and_the_rest_stays(store: str) -> None:
    assert "shadow" in ok("search", "shadow", "--store", store)
    assert "give --yes" in complaint(run("store", "delete", "alpha", "--store", store), 2)
    assert recordings(store) == ["alpha", "beta", "gamma"]
    done = ok("store", "delete", "alpha", *YES, store)
    assert done.startswith("alpha: ada@web7.example.com, 2026-11-24 13:00:00, 0:02.000, 3 messages\n")
    assert "documents deleted" in done
    assert recordings(store) == ["beta", "gamma"]
    assert "nothing in" in run("search", "shadow", "--store", store).stderr
    assert "1 hit" in ok("search", "opened", "--store", store), "log lines stay"
    assert run("store", "verify", "--store", store, "gamma").returncode == 0


def test_of_several_none_goes_where_one_is_not_there(store: str) -> None:
    assert "no recording 'delta'" in complaint(run("store", "delete", "alpha", "delta", *YES, store), 2)
    assert recordings(store) == ["alpha", "beta", "gamma"]


def test_names_that_a_forger_chose_do_not_reach_the_terminal(store: str) -> None:
    done = run("store", "delete", "gamma", *YES, store)
    assert done.returncode == 0
    assert printable(done.stdout)
    assert printable(done.stderr)


def test_the_deed_is_one_line_for_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, text: said.append((level, text)))
    trail.record("delete", "sqlite:/x", recording=HOSTILE)
    ((level, text),) = said
    assert level == syslog.LOG_NOTICE
    assert text.startswith(f"store delete by uid={os.getuid()} (")
    assert text.isascii()
    assert text.isprintable()
    assert '" recording="eve\\u001b[31m\\u202egnp.\\n' in text


def test_the_deed_names_who_logged_in() -> None:
    text = trail.line("retention", 0, 4711, "sqlite:/x", partition="2020.01", bytes=7)
    assert text == 'store retention by uid=0 (root) login=4711: store="sqlite:/x" partition="2020.01" bytes=7'
    assert len(trail.line("delete", 0, None, "x" * 5000)) <= 900


def test_what_dangles_can_be_deleted(store: str, tmp_path: Path) -> None:
    ok("index", "--store", store)
    change(tmp_path / "store", "DELETE FROM document WHERE recording = 'gamma' AND kind = 'tlog'")
    assert "dangling  gamma" in run("store", "verify", "--store", store).stdout
    assert "no messages, only what was derived" in ok("store", "delete", "gamma", *YES, store)
    assert "dangling" not in run("store", "verify", "--store", store).stdout


@pytest.mark.engine
def test_on_engines_it_is_the_same(engine_url: str) -> None:
    store = open_store(engine_url)
    store.setup()
    this = time.strftime("%Y.%m", time.gmtime())
    for name in ("2020.01", "2020.02", this):
        store.write([make_tlog(n, rec=name, partition=name) for n in (1, 2, 4)])
    store.write([make_syslog(1, partition="2020.01"), make_syslog(2, partition="implausible-time")])
    store.refresh()
    found = map(json.loads, run("store", "verify", "--json", "--store", engine_url).stdout.splitlines())
    assert [(one["kind"], one["recording"], one["where"]) for one in found] == [
        ("gap", name, "3") for name in ("2020.01", "2020.02", this)
    ]
    store.write([make_tlog(1, rec="2020.01", partition="2020.02")])
    store.refresh()
    doubles = [json.loads(line) for line in run("store", "verify", "--json", "--store", engine_url).stdout.splitlines()]
    assert [one["kind"] for one in doubles].count("double") == 1
    told = ok("store", "retention", "--older-than", "400d", "--dry-run", "--store", engine_url)
    assert "ttyscribe-syslog-2020.01" in told
    ok("store", "retention", "--older-than", "400d", *YES, engine_url)
    store.refresh()
    assert [one.recording for one in store.counts()] == [this]
    assert store.count() == 4
    assert "3 documents deleted" in ok("store", "delete", this, *YES, engine_url)
    store.close()
    for verb in (["backup", "/nowhere"], ["upgrade"]):
        assert "is no folder of SQLite files" in complaint(run("store", *verb, "--store", engine_url), 2)
    ok("store", "rebuild", "--store", engine_url)
