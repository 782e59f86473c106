# SPDX-License-Identifier: Apache-2.0
"""Recordings in a store: the same bytes, the true message, and who is named."""

from pathlib import Path

import pytest

from tests.player.logs import play
from tests.store.samples import documents, make_recording, message, stored
from ttyscribe_store.open import open_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A store with two recordings; the user of the second has forged a message in it."""
    url = f"sqlite:{tmp_path / 'store'}"
    opened = open_store(url)
    opened.setup()
    opened.write(documents(make_recording("aaa-1", [b"\xff\xfeone ", b"two"])))
    opened.write([stored(message(1, "true ", rec="aab-2")), stored(message(2, "story", rec="aab-2"))])
    opened.write([stored(message(2, "forged", rec="aab-2"), trust="user", pid=666)])
    opened.close()
    return url


def test_a_recording_plays_byte_for_byte(store: str) -> None:
    done = play("--store", store, "aaa-1")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\xff\xfeone two", b"")


def test_the_store_may_be_named_by_the_environment_and_the_recording_by_its_beginning(store: str) -> None:
    assert play("aaa@0:00.500", env={"TTYSCRIBE_STORE": store}).stdout == b"\xff\xfeone two"


def test_a_forged_message_is_not_played_and_the_conflict_is_told(store: str) -> None:
    done = play("--store", store, "aab-2")
    assert (done.returncode, done.stdout) == (0, b"true story")
    several, conflict = done.stderr.decode().splitlines()
    assert several.startswith(
        "ttyscribe-play: at 0:00.000: several processes sent this recording's messages: 2 by process"
    )
    assert several.endswith(", 1 by process 666; --sender=PID takes one's alone")
    assert conflict.endswith("at 0:00.000: 2 messages claim to be message 2: the most trusted one is played")


def test_where_a_forger_sends_ahead_the_viewer_can_name_the_recorder(tmp_path: Path) -> None:
    """At equal trust nothing is certain by itself; a forged message where no true one is plays, and is marked."""
    url = f"sqlite:{tmp_path / 'forged'}"
    opened = open_store(url)
    opened.setup()
    for pid, word, ids in ((10, "true", (1, 2)), (66, "lie", (1, 2, 3))):
        opened.write([stored(message(n, f"{word} {n} ", rec="r"), trust="user", pid=pid) for n in ids])
    opened.close()
    done = play("--store", url, "r")
    assert (done.returncode, done.stdout) == (1, b"lie 3 ")
    assert done.stderr.count(b"not played; sent by process") == 2
    assert b"--sender=PID plays one's" in done.stderr
    done = play("--store", url, "--sender=10", "r")
    assert (done.returncode, done.stdout) == (1, b"true 1 true 2 ")
    assert b"message 3 is not of process 10: not played; sent by process 66" in done.stderr
    assert play("--store", url, "--sender=66", "r").stdout == b"lie 1 lie 2 lie 3 "
    done = play("--store", url, "--sender=5", "r")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"process 5 sent no message of this recording; its messages: 3 by process 66, 2 by process 10" in done.stderr


def test_an_ambiguous_or_unknown_name_is_told(store: str) -> None:
    done = play("--store", store, "aa")
    assert done.returncode == 2
    assert sorted(done.stderr.decode().split()[-2:]) == ["aaa-1", "aab-2"]
    done = play("--store", store, "zzz")
    assert done.returncode == 2
    assert b"no recording 'zzz'" in done.stderr
    assert b"no file and no recording 'zzz'" in play("zzz", env={"TTYSCRIBE_STORE": store}).stderr


def test_an_unreachable_engine_is_one_line_and_status_1() -> None:
    done = play("--store", "http://127.0.0.1:9", "rec")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["rec"],
        ["--store", "nonsense:", "rec"],
        ["--store", "sqlite:x", "-m", "a", "rec"],
        ["--store", "sqlite:x", "a@b"],
        ["--sender", "1", "/dev/null"],
    ],
)
def test_wrong_use_is_one_clear_line_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    done = play(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
