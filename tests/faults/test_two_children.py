# SPDX-License-Identifier: Apache-2.0
"""Several programs under one queue, of which a part is on disk, on one spool: one dies with its folder full."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.cells import Cell
from tests.faults.drive import Run
from tests.faults.places import Double, Place, Sqlite
from tests.rsyslog.daemon import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.rsyslogd]

LINES = 600
FULL = "the spool is full"
SEVERAL = {
    'forceSingleInstance="on"': 'forceSingleInstance="off"',
    'queue.size="10000"': 'queue.size="10000" queue.workerThreads="3" queue.workerThreadMinimumMessages="20"',
}


class Several(Run):
    """Up to three programs, each with room for some dozens of lines in its folder."""

    def _settings(self) -> dict[str, str]:
        return super()._settings() | SEVERAL

    def _command(self) -> list[str]:
        return [*super()._command(), "--spool-size", "20K"]

    def all_said(self) -> str:
        """What the programs reported."""
        return self.daemon.output.read_text(errors="replace") if self.daemon.output.exists() else ""

    def folders(self) -> list[Path]:
        """Folders of the spool with 20 KB in them."""
        return [one for one in self.spool.iterdir() if sum(f.stat().st_size for f in one.glob("*.seg")) >= 20 << 10]


def owner(folder: Path, pids: list[int]) -> int:
    """The program that has the folder open."""
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if os.path.samefile(entry, folder / "lock"):
                return pid
    raise LookupError(folder)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["confirm", "transactions"])
@pytest.mark.parametrize("store", ["double", "sqlite"])
def test_a_full_folder_of_a_dead_program_is_adopted(store: str, mode: str, tmp_path: Path) -> None:
    place: Place = Double() if store == "double" else Sqlite(tmp_path / "store")
    run = Several(Cell(mode, "spool", "assisted", "several", store), tmp_path, place)
    with ExitStack() as ends:
        ends.callback(place.close)
        ends.enter_context(run.daemon)
        run.daemon.send(run.lines(20))
        wait_until(lambda: place.count() == 20, 60, "the first lines")
        with place.fault("503" if store == "double" else "busy"):
            run.daemon.send(run.lines(LINES))
            wait_until(lambda: len(run.folders()) >= 2, 60, f"two full folders\n{run.all_said()}")
            wait_until(lambda: run.all_said().count(FULL) >= 2, 60, f"two that are held back\n{run.all_said()}")
            assert list(run.daemon.spool.glob("ttyscribe.*")), "no part of the queue is on disk"
            pids = run.daemon.child_pids()
            assert len(pids) >= 2
            left = run.folders()[0]
            dead = owner(left, pids)
            os.kill(dead, signal.SIGKILL)
            wait_until(lambda: dead not in run.daemon.child_pids(), 60, "its end")
        run.daemon.send(run.lines(LINES // 4))
        wait_until(lambda: not left.exists(), 90, f"the dead one's folder to be emptied\n{run.all_said()}")
        result = run.result(0)
        assert (result.lost, result.doubled) == ([], [])
        assert "delivering what another process has left" in run.all_said()
        assert list(run.spool.iterdir()) == []
