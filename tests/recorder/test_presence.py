# SPDX-License-Identifier: Apache-2.0
"""Who records here: the lock file, the folders it may lie in, whom we believe."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests import peers
from ttyscribe_recorder import presence
from ttyscribe_recorder.presence import COMMAND, SESSION, Presence, ancestors, find

FIND = """
import sys
from ttyscribe_recorder.presence import COMMAND, SESSION, find
if sys.argv[2:]:
    open('/proc/self/loginuid', 'w').write(sys.argv[2])
print(find(sys.argv[1], (SESSION, COMMAND)))
"""


def ask_child(folder: Path, *loginuid: str) -> str:
    """What a child of ours finds."""
    done = subprocess.run(
        [sys.executable, "-c", FIND, str(folder), *loginuid], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the folder that is named."""
    monkeypatch.setattr(presence, "folders", lambda first: iter([first]))


def test_a_recorder_is_found_while_it_lives(tmp_path: Path) -> None:
    """By its children, with what it says of itself; the file goes with it."""
    folder = tmp_path / "run"
    assert ask_child(folder) == "None"
    here = Presence(str(folder), SESSION)
    assert ask_child(folder) == f"({os.getpid()}, '')"
    here.tell("rec program writer")
    assert ask_child(folder) == f"({os.getpid()}, 'rec program writer')"
    assert find(str(folder), (COMMAND,)) is None
    here.close()
    here.close()
    assert ask_child(folder) == "None"
    assert list(folder.iterdir()) == []


@pytest.mark.root
def test_the_folder_of_the_host_is_for_all(tmp_path: Path) -> None:
    """Made by root like /tmp, so that recorders of ordinary users can leave word, and remove only their own."""
    peers.require_root()
    old = os.umask(0o077)
    try:
        Presence(str(tmp_path / "above" / "run"), SESSION).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "above").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "above" / "run").stat().st_mode) == 0o1777


@pytest.mark.root
def test_another_audit_session_is_another_session(tmp_path: Path) -> None:
    """A login below a recorded shell that started the SSH server by hand is not recorded by it."""
    peers.require_root()
    here = Presence(str(tmp_path / "run"), SESSION)
    try:
        assert ask_child(tmp_path / "run").startswith("(")
        assert ask_child(tmp_path / "run", "0") == "None"
    finally:
        here.close()


@pytest.mark.root
def test_a_file_of_another_user_counts_for_nothing(tmp_path: Path) -> None:
    """Or anyone could keep another's session from being recorded: root is believed, others are not."""
    peers.require_root()
    here = Presence(str(tmp_path / "run"), SESSION)
    try:
        os.chown(tmp_path / "run" / f"session.{os.getpid()}", 65534, 65534)
        assert ask_child(tmp_path / "run") == "None"
    finally:
        here.close()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("obstacle", ["file", "link", "other", "taken"])
def test_without_a_place_recording_goes_on(tmp_path: Path, obstacle: str) -> None:
    """No folder, a link that leads elsewhere, a folder of somebody else, a link in the file's place: no word left."""
    folder, target = tmp_path / "run", tmp_path / "target"
    target.mkdir()
    if obstacle == "file":
        folder.write_text("")
    elif obstacle == "link":
        folder.symlink_to(target)
    elif obstacle == "other":
        peers.require_root()
        folder.mkdir()
        os.chown(folder, 65534, 65534)
    else:
        folder.mkdir()
        (folder / f"session.{os.getpid()}").symlink_to(tmp_path / "victim")
    here = Presence(str(folder), SESSION)
    here.tell("x")
    here.close()
    assert find(str(folder), (SESSION,)) is None
    assert list(target.iterdir()) == []
    assert not (tmp_path / "victim").exists()


def test_ancestors_end_with_the_first_process() -> None:
    """Nearest first."""
    found = list(ancestors())
    assert found[0] == os.getppid()
    assert len(found) == len(set(found))
    assert 0 not in found
