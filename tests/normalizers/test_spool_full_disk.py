# SPDX-License-Identifier: Apache-2.0
"""A spool on a disk that fills up: rsyslog is held back, and what is delivered makes the room again."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import fill, small_disk
from tests.faults.keeper import Keeper
from tests.normalizers.process import Running, wait_for
from tests.normalizers.samples import line
from tests.peers import require_root

pytestmark = [pytest.mark.root, pytest.mark.slow]
OK = b"OK\n"
SIZE = 3 << 20


@pytest.fixture
def store() -> Iterator[Keeper]:
    """A store that is down."""
    with contextlib.closing(Keeper()) as keeper:
        keeper.fault = "503"
        yield keeper


def message(number: int, size: int = 10_000) -> bytes:
    """One line of that size."""
    return line(f"line {number} " + "x" * size, id=f"stamp-{number}")


def program(folder: Path, store: Keeper, spool: Path) -> Running:
    """The program with its spool there."""
    return Running(
        folder,
        *("--protocol", "omprog", "--output", store.url),
        *("--spool", str(spool), "--dead-letter", str(folder / "dead")),
    )


def test_a_disk_that_the_spool_has_filled_is_emptied_by_delivery_alone(tmp_path: Path, store: Keeper) -> None:
    """Nobody makes room: the segment that fills the disk has to go while it is the last one."""
    require_root()
    with small_disk(tmp_path / "disk", f"{SIZE}") as disk, program(tmp_path, store, disk / "spool") as running:
        assert running.answer() == OK
        count = SIZE // 10_000 * 3
        sender = threading.Thread(target=lambda: running.send(*map(message, range(count))), daemon=True)
        sender.start()
        running.wait_said("holding rsyslog back: the spool can't be written: ")
        assert store.kept == {}
        store.fault = ""
        for _ in range(count):
            assert running.answer().lstrip(b".") == OK
        wait_for(lambda: len(store.kept) == count, f"{count} documents")
        assert running.finish() == 0
        assert list((disk / "spool").iterdir()) == []
    sender.join(30)


def test_a_disk_that_others_have_filled_holds_rsyslog_back_until_there_is_room(tmp_path: Path, store: Keeper) -> None:
    """Full before the first line: not even the program's folder can be made. And full again in the middle."""
    require_root()
    with small_disk(tmp_path / "disk", f"{SIZE}") as disk, program(tmp_path, store, disk / "spool") as running:
        (disk / "spool").mkdir(exist_ok=True)
        fill(disk / "filler")
        assert running.answer() == OK
        running.send(message(0))
        running.wait_said("holding rsyslog back: the spool can't be ")
        (disk / "filler").unlink()
        assert running.answer().lstrip(b".") == OK
        fill(disk / "filler")
        running.send(message(1))
        store.fault = ""
        wait_for(lambda: len(store.kept) >= 1, "what was kept to be delivered from a full disk")
        (disk / "filler").unlink()
        assert running.answer().lstrip(b".") == OK
        wait_for(lambda: len(store.kept) == 2, "both")
        assert running.finish() == 0
        assert list((disk / "spool").iterdir()) == []
