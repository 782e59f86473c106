# SPDX-License-Identifier: Apache-2.0
"""Messages into a file: whole lines whatever the disk does."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import end_status, messages, recorded, run
from ttyscribe_formats import tlog
from ttyscribe_recorder.writers.file import FileWriter


def test_lines_are_appended(tmp_path: Path) -> None:
    """To what is there; a new file is for its owner alone, whatever the umask says."""
    path = tmp_path / "log"
    writer = FileWriter(str(path))
    assert writer.write([b"1", b"22"]) == 2
    writer.close()
    writer = FileWriter(str(path))
    assert writer.write([b"3"]) == 1
    writer.close()
    assert path.read_bytes() == b"1\n22\n3\n"
    assert path.stat().st_mode & 0o777 == 0o600


class TornDisk:
    """Stands in for os.write: takes so many bytes, then has no space left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr(os, "write", self)

    def __call__(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        count = self._write(fd, data[: self.room])
        self.room -= count
        return count


@pytest.fixture
def append_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files can't be made shorter, as with chattr +a."""

    def refuse(_fd: int, _size: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "ftruncate", refuse)


def tear(path: Path, monkeypatch: pytest.MonkeyPatch, room: int, then: int, left: list[int]) -> None:
    """Write three lines to a disk that has room for so many bytes, then for so many, then for all."""
    given = [b"first", b"", b"third"]
    writer, disk = FileWriter(str(path)), TornDisk(monkeypatch, room)
    taken = writer.write(given)
    for more in (then, 100):
        if taken < 3:
            assert writer.trouble == "No space left on device"
            left.append(path.stat().st_size)
            disk.room = more
            taken += writer.write(given[taken:])
    assert taken == 3
    writer.close()
    assert path.read_bytes() == b"first\n\nthird\n"


@pytest.mark.parametrize("room", range(14))
@pytest.mark.parametrize("then", range(14))
def test_a_torn_line_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, then: int) -> None:
    """Wherever the disk tears it, twice: only whole lines stand there meanwhile, and each once in the end."""
    left: list[int] = []
    tear(tmp_path / "log", monkeypatch, room, then, left)
    assert set(left) <= {0, 6, 7, 13}


@pytest.mark.usefixtures("append_only")
@pytest.mark.parametrize("room", range(14))
@pytest.mark.parametrize("then", range(14))
def test_a_torn_line_is_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, then: int) -> None:
    """Where a fragment can't be taken away, what is missing of it follows."""
    left: list[int] = []
    tear(tmp_path / "log", monkeypatch, room, then, left)
    assert left[:1] in ([], [room])


@pytest.mark.usefixtures("append_only")
def test_our_next_line_does_not_run_into_what_another_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another recording wrote behind the fragment: ours begins on a new line, and again in full."""
    path = tmp_path / "log"
    writer, disk = FileWriter(str(path)), TornDisk(monkeypatch, 9)
    assert writer.write([b"whole", b"torn", b"more"]) == 1
    disk.room = 1000
    with path.open("ab") as other:
        other.write(b"other\n")
    assert writer.write([b"torn", b"more"]) == 2
    writer.close()
    assert path.read_bytes() == b"whole\ntorother\n\ntorn\nmore\n"


def test_a_fifo_without_a_reader_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A login must not hang on it."""
    os.mkfifo(tmp_path / "fifo")
    done = run(["-o", str(tmp_path / "fifo"), "--", "echo", "ran"])
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"No such device or address" in done.stderr


def test_a_full_device_does_not_end_the_session(tmp_path: Path) -> None:
    """The program's output and status are untouched; what is missing is said once, at the end."""
    done = run(["-o", "/dev/full", "--latency=1", "--", "sh", "-c", "seq 1 100000; sleep 1.2; exit 5"])
    assert done.returncode == 5
    assert done.stdout.endswith(b"100000\n")
    lines = done.stderr.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(b"ttyscribe-rec: the recording lacks ")
    assert b"No space left on device" in lines[0]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    peers.require_root()
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this root may not mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.root
def test_a_full_disk_that_gets_room_again(small_disk: Path) -> None:
    """Nothing is lost: what waits in memory is written when there is room, the torn line is completed."""
    log, ballast = small_disk / "log", small_disk / "ballast"
    ballast.write_bytes(b"x" * 32768)
    script = f"seq 1 20000; sleep 0.5; rm {ballast}; mount -o remount,size=1m {small_disk}; sleep 1.5; echo end; exit 3"
    done = run(["-o", str(log), "--latency=1", "--", "sh", "-c", script])
    assert (done.returncode, done.stderr) == (3, b"")
    assert recorded(log) == done.stdout
    assert end_status(log) == 3


@pytest.mark.root
def test_a_disk_that_stays_full(small_disk: Path) -> None:
    """Every line that is there is whole, and the session did not notice.

    What is missing is told in the last line, if the disk has a few hundred bytes left; else there is no end.
    """
    log = small_disk / "log"
    told = 0
    for payload in (2048, 1900, 1700, 1500):
        log.unlink(missing_ok=True)
        done = run(["-o", str(log), f"--payload={payload}", "--", "sh", "-c", "seq 1 50000; exit 3"])
        assert done.returncode == 3
        assert b"No space left on device" in done.stderr
        found = messages(log)
        assert len(found) > 20
        shown = b"".join(message.out_txt.encode() for message in found)
        assert done.stdout.startswith(shown)
        own = tlog.own_fields(found[-1])
        if own:
            assert own["end"] == {"status": 3}
            (lost,) = own["lost"]
            assert (lost["from"], lost["to"]) == (found[-2].id + 1, found[-1].id - 1)
            assert lost["why"] == "No space left on device"
            told += 1
    assert told


def test_a_torn_line_of_a_killed_recorder_stays_alone(tmp_path: Path) -> None:
    """The file ends within a line: the next recorder begins its own; a whole file gets no blank line."""
    log = tmp_path / "log"
    log.write_bytes(b'{"ver":"2.3","ho')
    run(["-o", str(log), "--", "echo", "one"])
    run(["-o", str(log), "--", "echo", "two"])
    torn, one, two = log.read_bytes().splitlines()
    assert torn == b'{"ver":"2.3","ho'
    assert [tlog.decode(line).out_txt for line in (one, two)] == ["one\n", "two\n"]


@pytest.mark.usefixtures("append_only")
@pytest.mark.parametrize("room", range(1, 12))
def test_what_is_not_coming_again_stays_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """A fragment that can't be taken away and is not completed ends where the next message begins a line."""
    path = tmp_path / "log"
    writer, disk = FileWriter(str(path)), TornDisk(monkeypatch, room)
    taken = writer.write([b"first", b"second"])
    writer.forget()
    disk.room = 0
    assert writer.write([b"third"]) == 0
    disk.room = 100
    assert writer.write([b"third"]) == 1
    writer.close()
    lines = path.read_bytes().split(b"\n")
    assert lines[-2:] == [b"third", b""]
    assert lines[:taken] == [b"first"][:taken]
    assert len(lines) <= 4


def test_two_recordings_share_a_file(tmp_path: Path) -> None:
    """Lines of one never stand inside lines of the other."""
    from tests.recorder.recorder import RECORDER
    from ttyscribe_formats.packet import Output
    from ttyscribe_formats.reading import packets

    log = tmp_path / "log"
    commands = [[*RECORDER, "-o", str(log), "--", "seq", str(start), str(start + 60000)] for start in (100000, 200000)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    assert [process.wait(60) for process in running] == [0, 0]
    by_recording: dict[str, bytes] = {}
    for rec in {message.rec for message in messages(log)}:
        own = packets(message for message in messages(log) if message.rec == rec)
        by_recording[rec] = b"".join(packet.data for packet in own if isinstance(packet, Output))
    expected = [b"".join(b"%d\n" % n for n in range(start, start + 60001)) for start in (100000, 200000)]
    assert sorted(by_recording.values()) == expected
