# SPDX-License-Identifier: Apache-2.0
"""A disk that gets full while a store is looked after: told in one line, nothing lost, and it goes on later."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.peers import require_root
from tests.store.care.test_sqlite_check import found
from tests.store.care.test_upgrade import OLD, grow
from tests.store.samples import make_tlog
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.care import rebuild, upgrade
from ttyscribe_store.sqlite import SqliteStore

pytestmark = pytest.mark.root
FULL = r"^[^\n]+: (the disk is full$|can't be read or written: [^\n]+full disk)"


def attempted(work: Callable[[str], object], disk: Path) -> None:
    """Let it run into a full disk with more and more space, until it has enough."""
    store, failed = disk / "store", 0
    for spare in range(0, 4 << 20, 96 << 10):
        ballast = disk / "ballast"
        fill(ballast)
        ballast.write_bytes(bytes(max(0, ballast.stat().st_size - spare)))
        try:
            work(str(store))
        except Unavailable as error:
            assert re.match(FULL, str(error))  # noqa: PT017 - it may go well too
            failed += 1
        else:
            break
        finally:
            ballast.unlink()
    assert failed >= 2, "at once and half way"


def test_an_upgrade_goes_on_when_there_is_space(tmp_path: Path) -> None:
    require_root()
    with small_disk(tmp_path / "disk", "4m") as disk:
        shutil.copytree(OLD, disk / "store")
        grow(disk / "store" / "2026.11.sqlite", 800)
        attempted(upgrade.upgrade, disk)
        store = SqliteStore(str(disk / "store"))
        assert store.count() == 815
        assert [message.tlog["id"] for message in store.messages("grown")] == list(range(1, 801))
        store.close()
        assert found(disk / "store") == []


def test_a_rebuild_goes_on_when_there_is_space(tmp_path: Path) -> None:
    require_root()
    with small_disk(tmp_path / "disk", "4m") as disk:
        store = SqliteStore(str(disk / "store"))
        store.write([make_tlog(n, f"common word{n} " * 9) for n in range(1, 800)])
        store.close()
        attempted(rebuild.rebuild, disk)
        assert found(disk / "store") == []
        store = SqliteStore(str(disk / "store"))
        assert store.count() == 799
        store.close()
