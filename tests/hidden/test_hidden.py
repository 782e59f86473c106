# SPDX-License-Identifier: Apache-2.0
"""Real programs under the real recorder: no secret leaks, and not more is masked in vain than docs/secrets.md says."""

from collections.abc import Iterator

import pytest

from tests.hidden.__main__ import BEGIN, END, PAGE
from tests.hidden.drive import World, play
from tests.hidden.programs import CARRIERS, PROGRAMS
from tests.hidden.world import world_of_programs
from tests.peers import require_program

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

PART = [
    ("read -s", "here"), ("read -s -n 8", "here"), ("passwd", "here"), ("ssh, keyboard-interactive", "here"),
    ("raw prompt (as mysql)", "here"), ("bash, line editing", "here"), ("questions that echo", "here"), ("vim", "here"),
    ("sudo", "ssh"), ("su", "tmux+ssh"), ("read -s -n 8", "tmux+ssh"), ("given up by Ctrl-C", "tmux+ssh"),
]  # fmt: skip
TRIES = 3
"""Whether an echo comes within 300 ms is the machine's to say: what is masked in vain counts at its best."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One for all: its sessions leave nothing behind."""
    with world_of_programs() as made:
        yield made


def committed(name: str, carrier: str) -> int:
    """How many plain characters the committed table says are masked in vain."""
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    heads = next(line for line in table.splitlines() if line.startswith("| program |"))
    row = next(line for line in table.splitlines() if line.startswith(f"| {name} |"))
    column = [head.strip() for head in heads.split("|")].index(carrier)
    return int(row.split("|")[column].rpartition(",")[2].partition("/")[0])


@pytest.mark.parametrize(("name", "carrier"), PART)
def test_programs_as_in_the_table(world: World, name: str, carrier: str) -> None:
    """Not one character of a secret; what was typed in the clear is there."""
    program = next(program for program in PROGRAMS if program.name == name)
    for needed in (program.needs, *carrier.replace("here", "sh").split("+")):
        require_program(needed)
    count = None
    for _ in range(TRIES):
        count = play(world, carrier, program.act)
        assert count.leaked == 0
        assert bool(count.secret) == program.secret
        if count.lacking <= committed(name, carrier):
            return
    pytest.fail(f"masked in vain: {count}")


def test_the_table_is_whole() -> None:
    """Each program, everywhere, and no leak in it."""
    table = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert "**0 of " in table
    for program in PROGRAMS:
        for carrier in CARRIERS:
            assert committed(program.name, carrier) >= 0
