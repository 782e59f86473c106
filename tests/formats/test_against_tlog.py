# SPDX-License-Identifier: Apache-2.0
"""The writing half against the real tlog-rec: what it recorded, read and written again by us, is the same text.

Reading gives milliseconds, so `time`, which tlog makes out of nanoseconds, may be one off. Writes are of one size that
divides tlog's reads and end with a whole character: where a read ends inside one, tlog wants room for what is cut and
the next item together, which in small payloads never ends.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import require_program
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets
from ttyscribe_formats.tlog import Message

PROGRAM = """
import os, random, sys, time
dice = random.Random(int(sys.argv[1]))
mixed = "é😀日\\u2028\\x7f\\x00\\t\\"\\\\/".encode()
for _ in range(300):
    data = dice.choice([
        dice.randbytes(63),
        ((mixed * 30)[:63].decode("utf-8", "ignore") + "A" * 63).encode()[:63],
        b"plain \\\\ text\\r\\n" * 9,
        bytes(dice.choices(b"\\xe2\\x82\\xac\\xed\\xa0\\xf0\\x9f\\xf4\\x90A", k=63)),
    ])[:63] + b"A"
    os.write(1, data)
    if dice.random() < 0.3:
        time.sleep(dice.random() * 0.006)
"""


def record(folder: Path, payload: int, seed: int) -> tuple[list[bytes], bytes]:
    """What tlog-rec logs of the program above, and what the program wrote."""
    log = folder / "session.log"
    options = ["--latency=3600", f"--payload={payload}", "-o", str(log)]
    done = subprocess.run(
        [require_program("tlog-rec"), *options, "--", sys.executable, "-c", PROGRAM, str(seed)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=True,
        timeout=60,
    )
    return log.read_bytes().splitlines(), done.stdout


def rewritten(messages: list[Message], payload: int) -> list[Message]:
    """The same recording, from its packets, by our own chunker."""
    first = messages[0]
    chunker = Chunker(Header(first.host, first.rec, first.user, first.term, first.session), payload)
    lines: list[bytes] = []
    for packet in packets(messages):
        lines += chunker.feed(packet, (first.time_ms or 0) * 1_000_000)
    return [tlog.decode(line) for line in lines + chunker.cut()]


@pytest.mark.tlog
@pytest.mark.parametrize("payload", [40, 100, 2048, 20_000])
def test_a_recording_of_tlog_rec_written_again_is_the_same(tmp_path: Path, payload: int) -> None:
    lines, wrote = record(tmp_path, payload, random.randrange(1 << 30))
    messages = [tlog.decode(line) for line in lines]
    assert [tlog.encode(message) for message in messages] == lines, "one message survives decoding and encoding"
    assert b"".join(packet.data for packet in packets(messages) if isinstance(packet, Output)) == wrote
    again = rewritten(messages, payload)
    assert [item._replace(time_ms=0) for item in again] == [item._replace(time_ms=0) for item in messages]
    for ours, theirs in zip(again, messages, strict=True):
        assert ours.time_ms is not None
        assert theirs.time_ms is not None
        assert 0 <= theirs.time_ms - ours.time_ms <= 1
