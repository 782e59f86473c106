# SPDX-License-Identifier: Apache-2.0
"""An end in the middle of work, with a store that does not answer at all: soon, and with nothing lost."""

import signal
import time
from pathlib import Path

from tests.faults.keeper import Keeper
from tests.normalizers.process import Running, wait_for
from tests.normalizers.samples import line
from tests.store.stand_in import Handler, answer

CLOSE_TIMEOUT = 10.0
"""Seconds that the shipped rsyslog configuration leaves the program at its end (closeTimeout)."""
COUNT = 50


def never(handler: Handler, body: bytes) -> None:
    """Take a bulk request and say nothing for a minute."""
    if handler.path.startswith("/_bulk"):
        time.sleep(60)
    elif "_simulate_index" in handler.path:
        answer(200, handler.server.in_force(handler.path))(handler, body)
    else:
        answer(200, {})(handler, body)


def test_a_spool_leaves_a_stuck_store_to_the_next_program(tmp_path: Path) -> None:
    """signalOnClose="on": SIGTERM and the end of the input come together."""
    store = Keeper()
    good = store.always
    try:
        arguments = ("--protocol", "omprog", "--output", store.url, "--dead-letter", str(tmp_path / "dead"))
        with Running(tmp_path, *arguments, "--spool", "spool") as program:
            store.always = never
            assert program.answer() == b"OK\n"
            for number in range(COUNT):
                assert program.ask(line(f"line {number}", id=f"stamp-{number}")) == b"OK\n"
            time.sleep(0.5)  # a request is on its way
            started = time.monotonic()
            program.signal(signal.SIGTERM)
            assert program.finish() == 0
            assert time.monotonic() - started < CLOSE_TIMEOUT
            assert "wait in the spool for the next start" in program.said()
        store.always = good
        with Running(tmp_path, *arguments, "--spool", "spool") as program:
            assert program.answer() == b"OK\n"
            assert program.ask(line("last", id="stamp-last")) == b"OK\n"
            wait_for(lambda: len(store.kept) == COUNT + 1, f"{COUNT + 1} documents")
            assert program.finish() == 0
        assert sorted(name for _, name in store.kept) == sorted(f"log:stamp-{name}" for name in (*range(COUNT), "last"))
    finally:
        store.close()
