# SPDX-License-Identifier: Apache-2.0
"""What a recorder tells of itself, in every verb that shows a recording: what it left out, lost, and how it ended."""

import json
from pathlib import Path

import pytest

from tests.cli.command import ok, run
from tests.player.logs import PLAYER, play, write_log
from tests.recorder.recorder import AtTerminal
from tests.recorder.recorder import run as record
from tests.store.samples import stored
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output, Window
from ttyscribe_formats.tlog import Message
from ttyscribe_store.open import open_store

MS = 1_000_000
DIGEST = "0123456789abcdef" * 2


def recorded() -> list[Message]:
    """A session in which a password was typed, a disk was full for a while, and a file went through."""
    chunker = Chunker(Header("web7", "told-1", "ada", "xterm", 7), marks=True)
    wall_ns = 1_795_521_600 * 1000 * MS
    lines = chunker.feed(Window(0, 80, 24), wall_ns)
    lines += chunker.feed(Output(1000 * MS, b"Password: "), 0) + chunker.mask(1500 * MS, 2500 * MS)
    lines += chunker.feed(Output(2600 * MS, b"\r\nwelcome\r\n"), 0) + chunker.flush()
    for n in range(3):
        chunker.feed(Output((3000 + n) * MS, b"lost"), 0)
        chunker.flush()
    lines += chunker.lost(2, 3, "No space left on device") + chunker.skip(4000 * MS, "stdout", 5_000_000, DIGEST)
    lines += chunker.feed(Output(4500 * MS, b"bye\r\n"), 0) + chunker.end(3, 5000 * MS)
    return [tlog.decode(line) for line in lines]


@pytest.fixture
def log(tmp_path: Path) -> str:
    """It as a file."""
    return str(write_log(tmp_path / "log", recorded()))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """It in a store."""
    url = f"sqlite:{tmp_path / 'store'}"
    opened = open_store(url)
    opened.setup()
    opened.write([stored(item) for item in recorded()])
    opened.close()
    return url


def test_show(store: str) -> None:
    """Beside the text, with times and digest; explained losses apart from what is only missing."""
    text = ok("show", "told-1", "--store", store, "--context", "9")
    assert "\nend        exit status 3\n" in text
    assert "    welcome\n    [typed secret masked: 0:01.500 to 0:02.500]\n" in text
    assert f"    [5000000 bytes of stdout skipped at 0:04.000, BLAKE2b {DIGEST}]\n" in text
    assert "\n=== messages 2 to 3 lost: No space left on device ===\n\n=== message 4 is missing ===\n" in text
    found = json.loads(ok("show", "told-1", "--store", store, "--context", "9", "--json"))
    assert (found["missing"], found["end_status"]) == ([[2, 4]], 3)
    assert found["lost"] == [{"from": 2, "to": 3, "why": "No space left on device"}]
    first, last = (item["claims"][0] for item in found["messages"])
    assert (first["masked"], first["skipped"], last["masked"]) == ([[1500, 2500]], [], [])
    assert last["skipped"] == [{"ms": 4000, "stream": "stdout", "bytes": 5_000_000, "digest": DIGEST}]


def test_recordings(store: str) -> None:
    """It has its end, and gaps."""
    (found,) = (json.loads(line) for line in ok("recordings", "--store", store, "--json").splitlines())
    assert (found["ended"], found["missing"]) == (True, 3)
    listed = ok("recordings", "--store", store)
    assert "missing 2-4" in listed
    assert "no end" not in listed


def test_play(log: str, store: str) -> None:
    """Into a pipe the bytes alone; what is left out and lost is said at its time, and makes the status 1."""
    for words in ([log], ["--store", store, "told-1"]):
        done = play(*words)
        assert done.stdout == b"Password: \r\nwelcome\r\nbye\r\n"
        assert [line.partition(b": ")[2] for line in done.stderr.splitlines()] == [
            b"at 0:02.500: typed secret masked",
            b"at 0:02.600: messages 2 to 3 lost: No space left on device",
            b"at 0:02.600: message 4 is missing",
            b"at 0:04.000: 5000000 bytes of stdout skipped",
        ]
        assert done.returncode == 1


@pytest.mark.parametrize("options", [[], ["--raw"]])
def test_play_on_a_terminal(log: str, options: list[str]) -> None:
    """The viewer sees each as it comes."""
    screen = AtTerminal([*PLAYER, *options, "--speed=4", log])
    try:
        screen.wait_to_see(b"typed secret masked")
        screen.wait_to_see(b"messages 2 to 3 lost: No space left on device")
        screen.wait_to_see(b"message 4 is missing")
        screen.wait_to_see(b"5000000 bytes of stdout skipped")
        screen.wait_to_see(b"bye")
        screen.type(b"q")
        screen.wait()
    finally:
        screen.close()


def test_a_list_of_a_file_tells_complete_from_cut_off(tmp_path: Path) -> None:
    """By the last message: with its end mark, and without."""
    whole, cut = recorded(), recorded()[:-1]
    for found, end in ((whole, "exit status 3, missing 2-4"), (cut, "no end")):
        assert play("--list", str(write_log(tmp_path / "some", found))).stdout.decode().rstrip().endswith(f", {end}")


@pytest.mark.parametrize("form", ["asciicast", "asciicast-v2"])
def test_export(log: str, form: str) -> None:
    """A cast has them as markers; what comes back from it is what was shown."""
    done = run("export", log, "--format", form)
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    assert [text for _, code, text in events if code == "m"] == [
        "typed secret masked",
        "messages 2 to 3 lost: No space left on device",
        "message 4 is missing",
        "5000000 bytes of stdout skipped",
    ]
    assert "".join(text for _, code, text in events if code == "o") == "Password: \r\nwelcome\r\nbye\r\n"
    assert done.stderr.count("\n") == 4


def test_a_real_recorder_and_every_view_of_what_it_lost(tmp_path: Path) -> None:
    """From a limit that drops to the page: each id is there or explained, nothing is only missing."""
    log, url = tmp_path / "log", f"sqlite:{tmp_path / 'store'}"
    limit = ["--limit-action=drop", "--limit-rate=1000", "--limit-burst=1000", "--payload=200"]
    done = record(["-o", str(log), *limit, "--", "sh", "-c", "seq 1 3000; exit 3"])
    assert done.returncode == 3
    ok("import", "--store", url, str(log))
    (found,) = (json.loads(line) for line in ok("recordings", "--store", url, "--json").splitlines())
    assert found["ended"]
    assert found["missing"] > 10
    page = json.loads(ok("show", found["recording"], "--store", url, "--context", "999", "--json"))
    assert page["end_status"] == 3
    assert {item["why"] for item in page["lost"]} == {"over the rate limit"}
    assert sum(item["to"] - item["from"] + 1 for item in page["lost"]) == found["missing"]
    said = play(str(log)).stderr
    assert b"lost: over the rate limit" in said
    assert b"missing" not in said
