# SPDX-License-Identifier: Apache-2.0
"""The child of exec_filter as a real process, under a double that reads and ends as Fluentd does."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import msgpack
import pytest

from tests.fluentd.exec_filter import ExecFilter
from ttyscribe_fluentd import CodecError, read_chunk

CHILD = """
import sys, time
from ttyscribe_fluentd import run
def handle(records):
    print("a stray line")
    return [{"got": one if isinstance(one, dict) else repr(one)} for one in records]
sys.exit(run(handle, sys.argv[1], lambda text: print(text, file=sys.stderr)))
"""
FORMS = pytest.mark.parametrize("form", ["json", "msgpack"])


def child(form: str, folder: Path) -> ExecFilter:
    """A child that gives back what it gets."""
    return ExecFilter([sys.executable, "-c", CHILD, form], form, folder)


@FORMS
def test_two_small_records_come_at_once(form: str, tmp_path: Path) -> None:
    """FLU-3: and not with the next eight kilobytes. The bound is generous; a quiet machine takes some milliseconds."""
    with child(form, tmp_path) as fluentd:
        fluentd.send({"n": 0})
        fluentd.wait(1)
        fluentd.send({"n": 1}, {"n": 2})
        started = time.monotonic()
        fluentd.wait(3, 5)
        assert time.monotonic() - started < 5
        assert [one["got"]["n"] for one in fluentd.records] == [0, 1, 2]
        assert fluentd.stop() == 0
        assert fluentd.said() == "a stray line\n" * fluentd.said().count("\n")


@FORMS
def test_everything_read_before_the_end_is_written(form: str, tmp_path: Path) -> None:
    """FLU-4: SIGTERM comes with the end of the input."""
    records = [{"n": number, "text": "x" * (number % 300)} for number in range(20_000)]
    with child(form, tmp_path) as fluentd:
        for at in range(0, len(records), 500):
            fluentd.send(*records[at : at + 500])
        assert fluentd.stop() == 0
        assert not fluentd.dead_reader
        assert [one["got"] for one in fluentd.records] == records


@pytest.mark.parametrize(
    ("form", "raw", "count"),
    [
        ("json", b'{"a":"\xff"}\nrubbish\n7\n{"b":"\\ud800"}\n{"c":1', 5),
        ("msgpack", b"\x81\xa1a\xa1\xff\x07\x81\xa1b\xc4\x01\xff" + msgpack.packb({"n": [1]}), 4),
    ],
)
def test_junk_never_kills_fluentds_reader(form: str, raw: bytes, count: int, tmp_path: Path) -> None:
    """FLU-1, FLU-2, FLU-5."""
    with child(form, tmp_path) as fluentd:
        fluentd.send_raw(raw)
        fluentd.wait(1)  # a SIGTERM before Python runs would end it
        assert fluentd.stop() == 0
        assert not fluentd.dead_reader
        assert len(fluentd.records) == count


def test_broken_messagepack_ends_with_a_word(tmp_path: Path) -> None:
    with child("msgpack", tmp_path) as fluentd:
        fluentd.send_raw(b"\xc1")
        assert fluentd.child.wait(30) == 1
        assert "can't be read on" in fluentd.said()


@FORMS
def test_fluentd_that_reads_no_more(form: str, tmp_path: Path) -> None:
    with child(form, tmp_path) as fluentd:
        fluentd.send({"n": 0})
        fluentd.wait(1)
    with child(form, tmp_path) as fluentd:
        assert fluentd.child.stdin is not None
        assert fluentd.child.stdout is not None
        fluentd.send({"n": 0})
        fluentd.wait(1)
        fluentd._thread.join(0)
        assert fluentd.waits()
        assert fluentd.stop() == 0


def chunk(folder: Path, data: bytes) -> list[tuple[str, Any]]:
    """What a chunk file holds."""
    (folder / "chunk").write_bytes(data)
    return [tuple(one) for one in read_chunk(folder / "chunk")]


def test_records_of_a_chunk_have_the_same_names_each_time(tmp_path: Path) -> None:
    """FLU-8: also for equal records; another chunk's differ."""
    for data in (b'{"a":1}\n{"a":1}\n', msgpack.packb({"a": 1}) * 2):
        found = chunk(tmp_path, data)
        assert [record for _, record in found] == [{"a": 1}, {"a": 1}]
        assert len({name for name, _ in found}) == 2
        assert chunk(tmp_path, data) == found
        assert not {name for name, _ in chunk(tmp_path, data * 2)} & {name for name, _ in found}


def test_large_chunks_are_read_in_pieces(tmp_path: Path) -> None:
    records = [{"n": number, "text": "x" * 1000} for number in range(3000)]
    for data in (
        b"".join(json.dumps(one).encode() + b"\n" for one in records),
        b"".join(map(msgpack.packb, records)),
    ):
        assert [record for _, record in chunk(tmp_path, data)] == records


def test_chunks_that_cannot_be_read(tmp_path: Path) -> None:
    """FLU-10."""
    assert chunk(tmp_path, b"") == []
    assert chunk(tmp_path, b'{"a":1}')[0][1] == {"a": 1}
    with pytest.raises(CodecError, match="neither JSON"):
        chunk(tmp_path, b"a\tb\tc\n")
    with pytest.raises(CodecError, match="inside a record"):
        chunk(tmp_path, msgpack.packb({"a": 1, "b": 2})[:-1])
