# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe index`: once, following, killed; and what search makes of it."""

import fcntl
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, complaint, fill, ok, run
from tests.store.samples import documents, make_recording
from ttyscribe import index
from ttyscribe_store.base import Waiting
from ttyscribe_store.open import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The filled store's URL."""
    return fill(tmp_path / "store")


def add(store: str, rec: str, *outputs: bytes) -> None:
    """Store one more recording."""
    opened = open_store(store)
    opened.write(documents(make_recording(rec, outputs)))
    opened.close()


def found(store: str, *arguments: str) -> list[dict[str, object]]:
    """Hits as JSON, without the end."""
    return [json.loads(line) for line in ok("search", "--store", store, "--json", *arguments).splitlines()[:-1]]


def test_it_derives_once_and_then_what_is_new(store: str) -> None:
    assert ok("index", "--store", store).endswith("of 3 recordings\n")
    assert ok("index", "--store", store) == f"{store}: nothing to do, all is derived\n"
    add(store, "delta", b"$ ", b"whoami", b"\r\n")
    assert ok("index", "--store", store).endswith("of 1 recording\n")
    assert ok("index", "--store", store, "--again").endswith("of 4 recordings\n")


def test_search_derives_by_itself_and_gives_one_hit_for_one_sight(store: str) -> None:
    (hit,) = found(store, "shadow")
    assert (hit["kind"], hit["place"], hit["lines"]) == ("line", "alpha@0:00.000", ["$ cat /etc/shadow"])
    add(store, "delta", b"$ ", b"echo one ", b"two", b"\r\n$ ")
    (hit,) = found(store, '"one two"')
    assert (hit["kind"], hit["recording"]) == ("line", "delta")
    assert [hit["message"] for hit in found(store, "cmd:echo")] == ["echo one two"]
    assert found(store, 'line:"*one two*"')[0]["place"] == "delta@0:00.000"
    assert [hit["kind"] for hit in found(store, "kind:tlog", "shadow")] == ["tlog"]


def test_commands_have_a_place_that_show_takes(store: str) -> None:
    add(store, "delta", b"$ ", b"id", b"\r\nuid=0\r\n$ ")
    (hit,) = found(store, "cmd:id")
    assert hit["place"] == "delta@0:02.000"
    assert "uid=0" in ok("show", "delta@0:02.000", "--store", store)


def test_two_at_once_do_not_disturb_each_other(store: str, tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "store", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert "another indexer is at work" in ok("index", "--store", store)
    assert found(store, "shadow")[0]["kind"] == "tlog"
    os.close(descriptor)
    assert found(store, "shadow")[0]["kind"] == "line"


def test_following_derives_what_comes_and_ends_in_order(store: str) -> None:
    command = [*COMMAND, "index", "--store", store, "--follow", "--seconds", "0.1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().endswith("of 3 recordings\n")
        add(store, "delta", b"$ ", b"id", b"\r\n")
        assert process.stdout.readline().endswith("of 1 recording\n")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_signal_ends_it_in_the_middle_of_a_long_round(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the recording that it is at, not behind all that wait; those are derived by the next run."""
    ended, opened = threading.Event(), open_store(store)
    settle = opened.settle

    def signalled(one: Waiting) -> None:
        settle(one)
        ended.set()

    monkeypatch.setattr(opened, "settle", signalled)
    index._follow(store, opened, ended, 0.1, again=False)
    assert len(list(opened.derived())) == 1
    opened.close()
    assert ok("index", "--store", store).endswith("of 2 recordings\n")


def test_killed_at_any_moment_it_goes_on_where_it_was(store: str) -> None:
    for number in range(12):
        add(store, f"rec{number}", b"$ ", b"echo %d" % number, b"\r\n" + b"x" * 2000, b"\r\n$ ")
    whole = ok("search", "--store", store, "--json", "kind:command OR kind:line", "--limit", "9999")
    ok("index", "--store", store, "--again")
    for tries in range(10):
        with subprocess.Popen([*COMMAND, "index", "--store", store, "--again"], stdout=subprocess.DEVNULL) as process:
            time.sleep(0.15 + 0.02 * tries)
            process.kill()
    assert ok("search", "--store", store, "--json", "kind:command OR kind:line", "--limit", "9999") == whole


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("index", "--store", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "no such folder" in complaint(run("index", "--store", f"sqlite:{tmp_path}/none"), 2)
    assert run("index", "--seconds", "0").returncode == 2
