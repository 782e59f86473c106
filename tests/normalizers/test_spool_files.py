# SPDX-License-Identifier: Apache-2.0
"""The spool's files: what was appended is read again, whatever was cut off, damaged or half forgotten."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers.spool import folder, record
from ttyscribe_normalizers.spool.folder import Folder
from ttyscribe_normalizers.spool.record import Record
from ttyscribe_normalizers.spool.root import Root

RECORDS = st.lists(
    st.builds(
        lambda data, now, more: Record(data, now, len(data) + more),
        st.binary(max_size=200),
        st.integers(0, 2**63),
        st.integers(0, 5),
    )
)


def encoded(records: list[Record]) -> bytes:
    """The records as a segment holds them."""
    return b"".join(record.encode(*one) for one in records)


@given(RECORDS, st.data())
def test_records_are_read_as_written_and_a_torn_one_is_left(records: list[Record], data: st.DataObject) -> None:
    whole = encoded(records)
    cut = data.draw(st.integers(0, len(whole)))
    found, taken = record.decode(whole[:cut], 10_000)
    assert found == records[: len(found)]
    assert taken == len(encoded(found))
    assert len(found) == len(records) or taken + len(encoded(records[len(found) : len(found) + 1])) > cut


@given(RECORDS.filter(bool), st.data())
def test_a_damaged_byte_is_never_taken_for_a_line(records: list[Record], data: st.DataObject) -> None:
    whole = bytearray(encoded(records))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    try:
        found, _ = record.decode(bytes(whole), 10_000)
    except MessageError:
        return
    assert found == records[: len(found)]
    assert len(encoded(found)) <= at


def new(root: Path, segment_size: int = folder.SEGMENT_SIZE) -> Folder:
    """A folder of our own."""
    return Root(root, segment_size=segment_size).own()


def fill(into: Folder, first: int, last: int) -> None:
    """Append lines with these numbers."""
    for number in range(first, last + 1):
        into.append(b"line %d" % number, number, 100)


def numbers(source: Folder, most: int = 1000, *, commit: bool = True) -> list[int]:
    """Read on to the end; the lines' numbers."""
    found: list[int] = []
    while batch := source.read(most):
        if not batch.records:
            return found
        assert batch.damage == ""
        for one in batch.records:
            assert one == Record(b"line %d" % one.now_ns, one.now_ns, 100)
            found.append(one.now_ns)
        if commit:
            source.commit(batch.end)
    return found


@given(
    steps=st.lists(st.tuples(st.sampled_from(["append", "read", "commit", "rewind", "reopen"]), st.integers(1, 9))),
    segment_size=st.integers(30, 400),
)
def test_any_order_of_steps_gives_every_line_once_it_is_committed(
    steps: list[tuple[str, int]], segment_size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is read and not committed comes again; what is committed never does."""
    root = Root(tmp_path_factory.mktemp("spool"), segment_size=segment_size)
    one = root.own()
    appended = read = committed = 0
    end = None
    for step, count in steps:
        if step == "append":
            fill(one, appended + 1, appended + count)
            appended += count
        elif step == "read":
            batch = one.read(count)
            assert [item.now_ns for item in batch.records] == list(range(read + 1, read + 1 + len(batch.records)))
            assert batch.records or read == appended
            read += len(batch.records)
            end = batch.end
        elif step == "commit" and end is not None:
            one.commit(end)
            committed = read
        elif step == "rewind":
            one.rewind()
            read, end = committed, None
        elif step == "reopen" and one.waiting:
            one.close()
            adopted = root.adopt()
            assert adopted is not None
            one, read, end = adopted, committed, None
        assert one.waiting == (read < appended)
    one.rewind()
    assert numbers(one, 3) == list(range(committed + 1, appended + 1))
    one.remove()
    assert os.listdir(root.path) == []


def test_delivered_segments_are_deleted(tmp_path: Path) -> None:
    one = new(tmp_path, 1000)
    fill(one, 1, 200)
    before = len(os.listdir(one.path))
    assert before > 5
    assert numbers(one) == list(range(1, 201))
    assert sorted(os.listdir(one.path))[1:] == ["done", "lock"]
    assert one.size == 0
    fill(one, 201, 210)
    assert numbers(one) == list(range(201, 211))
    one.close()


def test_a_line_larger_than_a_read_comes_whole(tmp_path: Path) -> None:
    one = new(tmp_path)
    big = os.urandom(3 << 20)
    one.append(b"small", 1, 5)
    one.append(big, 2, len(big))
    one.append(b"after", 3, 5)
    found = []
    while (batch := one.read(1000)).records:
        found += [item.data for item in batch.records]
    assert found == [b"small", big, b"after"]
    one.close()


def test_a_living_owner_is_left_alone_and_a_dead_one_is_adopted_once(tmp_path: Path) -> None:
    code = """
import os, sys, time
from pathlib import Path
from ttyscribe_normalizers.spool.root import Root
own = Root(Path(sys.argv[1])).own()
for number in range(1, 4):
    own.append(b"line %d" % number, number, 100)
print("kept", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"kept\n"
        root = Root(tmp_path)
        assert root.adopt() is None
        owner.kill()
        owner.wait()
    found = root.adopt()
    assert found is not None
    assert root.adopt() is None
    assert numbers(found) == [1, 2, 3]
    found.remove()
    assert os.listdir(tmp_path) == []


def test_a_torn_end_is_dropped_and_damage_is_handed_out_whole(tmp_path: Path) -> None:
    one = new(tmp_path)
    fill(one, 1, 3)
    one.close()
    (segment,) = one.path.glob("*.seg")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-3])
    found = Root(tmp_path).adopt()
    assert found is not None
    assert numbers(found) == [1, 2]
    assert not found.waiting
    found.close()

    (found.path / "done").unlink()
    broken = bytearray(whole)
    broken[-len(b"line 3") - len(b"line 2") - record.HEAD_SIZE] ^= 1
    segment.write_bytes(broken)
    found = Root(tmp_path).adopt()
    assert found is not None
    assert [item.now_ns for item in found.read(1000).records] == [1]
    batch = found.read(1000)
    assert "00000001.seg" in batch.damage
    assert batch.records[0].data == bytes(broken[-2 * (len(b"line 3") + record.HEAD_SIZE) :])
    found.commit(batch.end)
    assert not found.waiting
    found.remove()


@pytest.mark.parametrize("content", [b"", b"TTY", b"something else altogether"])
def test_a_file_that_is_no_segment(tmp_path: Path, content: bytes) -> None:
    one = new(tmp_path)
    one.close()
    (one.path / "00000007.seg").write_bytes(content)
    (one.path / "notes.seg").write_bytes(b"not ours")
    found = Root(tmp_path).adopt()
    if len(content) <= len(record.MAGIC):
        assert found is None
    else:
        assert found is not None
        batch = found.read(10)
        assert batch.records[0].data == content[: len(content)]
        assert "00000007.seg" in batch.damage
        found.close()


@pytest.mark.parametrize(
    "done", [b"", b"\0" * 20, os.urandom(20), b"x" * 100], ids=["empty", "zeros", "random", "long"]
)
def test_a_place_that_cannot_be_read_delivers_again(tmp_path: Path, done: bytes) -> None:
    one = new(tmp_path)
    fill(one, 1, 4)
    one.commit(one.read(2).end)
    one.close()
    (one.path / "done").write_bytes(done)
    found = Root(tmp_path).adopt()
    assert found is not None
    assert numbers(found) == [1, 2, 3, 4]
    found.close()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """A limit on the size of files cuts a write as a full disk does."""
    one = new(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(OSError, match=r"too large|No space"):
            fill(one, 1, 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    one.append(b"line 200", 200, 100)
    found = numbers(one)
    assert found == [*range(1, len(found)), 200]
    assert 20 < len(found) < 50
    one.close()


def test_a_root_that_cannot_be_written_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match="spool can't be made"):
        Root(tmp_path / "file" / "spool").check()
    Root(tmp_path / "new").check()
    assert (tmp_path / "new").stat().st_mode & 0o027 == 0
