# SPDX-License-Identifier: Apache-2.0
"""Memory stays under 100 MB whatever waits: behind a slow store, in a fast source, inside a transaction.

With TTYSCRIBE_TEST_LONG the backlog has 500 MB, and is of other kinds of lines too.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.normalizers.process import PROGRAM, Running, wait_for
from tests.normalizers.samples import line, text
from tests.store.stand_in import Handler, StandIn, answer, created, standing_in
from ttyscribe_normalizers.spool.root import Root

pytestmark = pytest.mark.slow

BOUND = 100.0
"""Megabytes."""
LONG = bool(os.environ.get("TTYSCRIBE_TEST_LONG"))
BACKLOG = (500 if LONG else 40) << 20
SHORT = b'"id":"s"'
LINES = {
    "short": line("a short line", id="s"),
    "recording": line(text(out_txt="\x1b[1mbold\x1b[0m words\r\n" * 100, timing=">2300"), id="s"),
    # The sign that NFKC makes longest: eighteen characters, four words, of three bytes.
    "swelling": line("\ufdfa" * 86_000, id="s"),
}
KINDS = pytest.mark.parametrize("kind", LINES if LONG else ["swelling"])


def numbered(kind: str, number: int) -> bytes:
    """A line with an id of its own."""
    return LINES[kind].replace(SHORT, b'"id":"%d"' % number)


def slow(handler: Handler, body: bytes) -> None:
    """A store that takes its time, and does not remember."""
    handler.server.seen.clear()
    if handler.path.startswith("/_bulk"):
        time.sleep(0.3)
        created(handler, body)
    elif "_simulate_index" in handler.path:
        answer(200, handler.server.in_force(handler.path))(handler, body)
    else:
        answer(200, {})(handler, body)


@pytest.fixture
def store() -> Iterator[StandIn]:
    """That store; `bulks` would be empty: it counts in `count`."""
    with standing_in() as server:
        server.always = slow
        yield server


def start(folder: Path, store: StandIn, protocol: str, *more: str) -> Running:
    """The program in front of it."""
    return Running(folder, "--protocol", protocol, "--output", store.url, "--dead-letter", str(folder / "dead"), *more)


@KINDS
def test_a_backlog_in_the_spool(kind: str, store: StandIn, tmp_path: Path) -> None:
    """Left by a process that died; adopted by one that gets lines of its own besides."""
    root = Root(tmp_path / "spool")
    root.check()
    left = root.own()
    number = 0
    while left.size < BACKLOG:
        number += 1
        data = numbered(kind, number)
        left.append(data, time.time_ns(), len(data))
    left.close()
    with start(tmp_path, store, "omprog", "--spool", str(root.path), "--stats", "1") as program:
        assert program.answer() == b"OK\n"
        for again in range(1, 50):
            assert program.ask(numbered(kind, number + again)) == b"OK\n"
        before = left.size
        time.sleep(20 if LONG else 4)
        assert sum(path.stat().st_size for path in root.path.glob("*/*.seg")) > before / 4, "nothing is left to wait"
        assert "delivering what another process has left" in program.said()
        peak = program.peak_megabytes()
    print(f"{kind}: {peak:.0f} MB")
    assert peak < BOUND


@KINDS
def test_a_source_that_is_faster_than_the_store(kind: str, store: StandIn, tmp_path: Path) -> None:
    with start(tmp_path, store, "ndjson") as program:
        data = b"".join(numbered(kind, number) + b"\n" for number in range(50))

        def feed() -> None:
            try:
                while True:
                    program.send_raw(data)
            except OSError:
                pass  # it is over

        sender = threading.Thread(target=feed, daemon=True)
        sender.start()
        time.sleep(4)
        store.always = answer(503)
        program.wait_said("holding the input back")
        wait_for(lambda: not program.takes_input(), "the source to be held back")
        peak = program.peak_megabytes()
        program.kill()
        sender.join(10)
    print(f"{kind}: {peak:.0f} MB")
    assert peak < BOUND


# A process begins with the peak of the one that it was spawned by: that has to be a small one.
_SMALL = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(pid, 0)
print(status, used.ru_maxrss)
"""


@KINDS
def test_a_large_chunk_of_fluentds(kind: str, store: StandIn, tmp_path: Path) -> None:
    store.always = None
    message = json.loads(LINES[kind])["msg"]
    record = json.dumps({"message": message}, ensure_ascii=False).encode() + b"\n"
    chunk = tmp_path / "chunk"
    chunk.write_bytes(record * (-(-BACKLOG // 2 // len(record)) if LONG else 20))
    arguments = ("--output", store.url, "--dead-letter", str(tmp_path / "dead"), str(chunk))
    command = [sys.executable, "-c", _SMALL, *PROGRAM, "--protocol", "fluentd-chunk", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    status, peak = map(int, done.stdout.split())
    assert status == 0
    print(f"{kind}: {peak >> 10} MB")
    assert peak / 1024 < BOUND


@KINDS
def test_transactions_without_an_end(kind: str, store: StandIn, tmp_path: Path) -> None:
    """Ended early, with a confirmation in place of DEFER_COMMIT, once 8 MiB are kept."""
    store.always = None
    with start(tmp_path, store, "omprog") as program:
        assert program.answer() == b"OK\n"
        assert program.ask(b"BEGIN TRANSACTION") == b"OK\n"
        size = ended = number = 0
        while ended < 2 and number < 20_000:
            number += 1
            data = numbered(kind, number)
            size += len(data)
            if program.ask(data) == b"OK\n":
                ended += 1
                assert program.ask(b"BEGIN TRANSACTION") == b"OK\n"
        assert ended == size // (8 << 20)
        assert program.ask(b"COMMIT TRANSACTION") == b"OK\n"
        peak = program.peak_megabytes()
        assert program.finish() == 0
        assert f"{number} lines: {number} stored" in program.said()
    print(f"{kind}: {peak:.0f} MB")
    assert peak < BOUND
