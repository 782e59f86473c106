# SPDX-License-Identifier: Apache-2.0
"""A program that lives takes over what one that has died has left, without a start of anybody."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.keeper import Keeper
from tests.normalizers import process
from tests.normalizers.process import Running, wait_for
from tests.normalizers.samples import line

OK = b"OK\n"
SOON = "from ttyscribe_normalizers.spool import shipper; shipper.ADOPT_EVERY = 0.5; "
"""It looks once a minute; half a second proves the same."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    """A store, and programs that look for others' folders often."""
    code = f"import sys; {SOON}from ttyscribe_normalizers.main import main; sys.exit(main())"
    monkeypatch.setattr(process, "PROGRAM", [sys.executable, "-c", code])
    with contextlib.closing(Keeper()) as keeper:
        yield keeper


def start(folder: Path, store: Keeper) -> Running:
    """A program on the one spool; room for some dozens of lines."""
    arguments = ("--protocol", "omprog", "--output", store.url, "--dead-letter", str(folder / "dead"))
    return Running(folder, *arguments, "--spool", str(folder / "spool"), "--spool-size", "20K")


def fill(program: Running) -> int:
    """Send lines until the spool is full; how many were confirmed."""
    for taken in range(1000):
        program.send(line(f"line {taken}", id=f"stamp-{taken}"))
        wait_for(lambda: program.answers() or "the spool is full" in program.said(), "an answer, or a full spool")
        if not program.answers():
            return taken
        assert program.answer().lstrip(b".") == OK
    raise AssertionError("it is never full")


def test_of_three_programs_one_dies_with_its_spool_full_and_one_of_the_others_adopts_it(
    store: Keeper, tmp_path: Path
) -> None:
    """Both others live on, idle; exactly one of them delivers what is left, each line once."""
    with start(tmp_path, store) as dying, start(tmp_path, store) as one, start(tmp_path, store) as other:
        for name, program in (("one", one), ("other", other)):
            assert program.answer() == OK
            assert program.ask(line(f"of {name}", id=f"stamp-{name}")) == OK
        assert dying.answer() == OK
        assert dying.ask(line("before", id="stamp-before")) == OK
        wait_for(lambda: len(store.kept) == 3, "the first lines")
        store.fault = "503"
        taken = fill(dying)
        assert taken > 20
        dying.kill()
        store.fault = ""
        wait_for(lambda: len(store.kept) == 3 + taken, f"{3 + taken} documents")
        wait_for(lambda: len(list((tmp_path / "spool").iterdir())) == 2, "two folders")
        assert one.finish() == other.finish() == 0
    said = (tmp_path / "said").read_text()
    assert said.count("delivering what another process has left") == 1
    assert {f"log:stamp-{number}" for number in range(taken)} <= {name for _, name in store.kept}
    assert list((tmp_path / "spool").iterdir()) == []
