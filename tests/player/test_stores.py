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
    assert (
        done.stderr
        == b"ttyscribe-play: at 0:00.000: 2 messages claim to be message 2: the most trusted one is played\n"
    )


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
    ],
)
def test_wrong_use_is_one_clear_line_and_status_2(arguments: list[str], tmp_path: Path) -> None:
    done = play(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
