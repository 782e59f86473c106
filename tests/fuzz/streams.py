# SPDX-License-Identifier: Apache-2.0
"""Targets: streams of lines cut anywhere, anything between their ends; the spool's files, with anything in them."""

import tempfile
from pathlib import Path

from pyrsyslog_omprog.protocol import Kind, Protocol
from tests.fuzz.lines import ndjson as ndjson_line
from ttyscribe_normalizers.ndjson import Lines
from ttyscribe_normalizers.spool import folder, record
from ttyscribe_normalizers.spool.folder import Folder, Position

_MAX_LINE = 100


def stream(data: bytes) -> None:
    """The first byte says how the rest is cut into reads: the same lines come out, and each is answered once."""
    size, data = 1 + (data[0] if data else 0), data[1:]
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    wanted = [(line[:_MAX_LINE], len(line)) for line in data.split(b"\n")[:-1]]
    lines = Lines(_MAX_LINE)
    assert [line for part in parts for line in lines.feed(part)] == wanted
    assert lines.partial == len(data.rpartition(b"\n")[2])
    protocol = Protocol(_MAX_LINE)
    protocol.confirm()
    found = [line for part in parts for line in protocol.feed(part)]
    assert [(line.data, line.size) for line in found] == wanted
    assert protocol.owed == len(wanted)
    for line in found:
        protocol.confirm(deferred=line.kind is Kind.MESSAGE)
        assert (line.kind is Kind.LONG) == (line.size > _MAX_LINE)
    assert protocol.owed == 0
    for line_bytes, _ in wanted:
        ndjson_line(line_bytes)


def spool(data: bytes) -> None:
    """A segment of any content: it is read to its end, and what can't be read is handed out."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "one"
        lock = folder.make(path)
        (path / "00000001.seg").write_bytes(data)
        segment = Folder(path, lock)
        assert segment.size == len(data)
        seen = len(record.MAGIC)
        before = Position(0, 0)
        while (batch := segment.read(3)).records:
            assert batch.end > before
            before = batch.end
            seen = len(data) if data[:8] != record.MAGIC else before.offset
            if not batch.damage:
                again = b"".join(record.encode(*one) for one in batch.records)
                assert data[: batch.end.offset].endswith(again)
            segment.commit(batch.end)
        assert not segment.waiting
        assert seen <= max(len(data), len(record.MAGIC))
        segment.close()
