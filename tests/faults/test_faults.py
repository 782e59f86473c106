# SPDX-License-Identifier: Apache-2.0
"""The cells of the fault matrix that bite most; `tox -e faults` runs all of them."""

import pytest

from tests.faults import page
from tests.faults.cells import ALL, BITING, BY_NAME, FAULTS, MATRIX_FAULTS, MODES, QUEUES, SPOOLS, Cell, limit
from tests.faults.drive import run


@pytest.mark.slow
@pytest.mark.rsyslogd
@pytest.mark.timeout(400)
@pytest.mark.parametrize("cell", BITING, ids=lambda cell: cell.name)
def test_nothing_is_lost_and_nothing_stored_twice(cell: Cell) -> None:
    assert limit(cell) is None
    result = run(cell)
    assert (result.lost, result.doubled) == ([], [])
    assert result.hits >= 2
    assert result.dead <= result.hits * (cell.fault == "413")


def test_the_subset_has_every_way_and_fault_at_least_once() -> None:
    """But the store that is gone for half a minute."""
    assert {cell.mode for cell in BITING} == set(MODES)
    assert {cell.spool for cell in BITING} == set(SPOOLS)
    assert {cell.queue for cell in BITING} == set(QUEUES)
    assert set(MATRIX_FAULTS) - {cell.fault for cell in BITING} == {"gone"}
    assert {cell.fault for cell in ALL} == set(FAULTS)
    assert len(BY_NAME) == len(ALL)


def test_the_page_has_every_cell_and_its_tables_are_those_of_the_results() -> None:
    rows = page.known()
    assert set(rows) == set(BY_NAME)
    assert page.tables(rows) in page.PAGE.read_text()


def test_what_was_measured_keeps_every_promise() -> None:
    """A result that breaks one can't be committed."""
    rows = page.known()
    broken = [
        name
        for name, row in rows.items()
        if BY_NAME[name].spool != "control" and (row["twice"] or (row["lost"] and limit(BY_NAME[name]) is None))
    ]
    assert broken == []
