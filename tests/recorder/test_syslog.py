# SPDX-License-Identifier: Apache-2.0
"""Messages as datagrams: their form, and a receiver that is absent, restarted, slow or gone."""

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.recorder import GO_ON, PATIENCE, RECORDER, run, wait_for
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets
from ttyscribe_recorder.writers.syslog import SyslogWriter, alarm_by_syslog, stamp

FORM = re.compile(rb"<(\d+)>([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) ttyscribe: (\{.*\})", re.DOTALL)


class Receiver:
    """A syslog socket that reads everything in a thread, unless it is paused."""

    def __init__(self, path: Path, *, reading: bool = True) -> None:
        self.path = path
        self.received: list[bytes] = []
        self.reading = threading.Event()
        self._stop = False
        if reading:
            self.reading.set()
        self.open()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def open(self) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.settimeout(0.05)

    def restart(self, pause: float) -> None:
        """As when the service is restarted: the socket goes, and comes back."""
        self.reading.clear()
        time.sleep(0.1)
        self.drain()
        self.socket.close()
        self.path.unlink()
        time.sleep(pause)
        self.open()
        self.reading.set()

    def drain(self) -> None:
        try:
            while True:
                self.received.append(self.socket.recv(1 << 20))
        except TimeoutError:
            pass

    def _read(self) -> None:
        while not self._stop:
            if self.reading.wait(0.05):
                try:
                    self.received.append(self.socket.recv(1 << 20))
                except OSError:
                    pass

    def close(self) -> None:
        if self._stop:
            return
        self._stop = True
        self._thread.join()
        self.socket.settimeout(0.01)
        self.drain()
        self.socket.close()

    def output(self) -> bytes:
        """What the received messages say that the program wrote; their ids have no gap."""
        found = []
        for datagram in self.received:
            match = FORM.fullmatch(datagram)
            assert match is not None, datagram[:100]
            found.append(tlog.decode(match[5]))
        assert [message.id for message in found] == list(range(1, len(found) + 1))
        return b"".join(packet.data for packet in packets(found) if isinstance(packet, Output))


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver that reads."""
    made = Receiver(tmp_path / "log")
    yield made
    made.close()


def options(path: Path, *more: str) -> list[str]:
    """Record to this socket."""
    return ["--writer=syslog", f"--syslog-socket={path}", *more, "--"]


def test_the_form_of_a_datagram(receiver: Receiver) -> None:
    """Priority, old timestamp in English, our name, the JSON, and no newline."""
    run([*options(receiver.path), "echo", "hi"], env={**os.environ, "LC_ALL": "pl_PL.UTF-8"})
    run([*options(receiver.path, "--syslog-facility=local3", "--syslog-priority=debug"), "echo", "hi"])
    receiver.close()
    assert len(receiver.received) == 2
    first, second = (FORM.fullmatch(datagram) for datagram in receiver.received)
    assert first is not None
    assert second is not None
    assert (int(first[1]), int(second[1])) == (10 << 3 | 6, 19 << 3 | 7)
    assert tlog.decode(first[5]).out_txt == "hi\n"


def test_timestamps() -> None:
    """The day is padded with a blank, as RFC 3164 wants."""
    assert stamp(time.struct_time((2026, 2, 3, 4, 5, 6, 0, 0, 0))) == "Feb  3 04:05:06"
    assert stamp(time.struct_time((2026, 12, 31, 23, 59, 60, 0, 0, 0))) == "Dec 31 23:59:60"


def test_messages_of_256_kib_pass(receiver: Receiver) -> None:
    """The socket's buffer is raised for them."""
    data = b"x" * 1_000_000
    done = run([*options(receiver.path, "--payload=262144"), "cat"], stdin=data)
    receiver.close()
    assert (done.returncode, done.stderr) == (0, b"")
    assert max(map(len, receiver.received)) > 256 << 10
    assert receiver.output() == data


def test_a_message_that_no_datagram_can_hold_is_told(receiver: Receiver) -> None:
    """It is gone, and said, in the log too; what stands behind it is sent."""
    environment = {**os.environ, **GO_ON}
    done = run([*options(receiver.path, "--payload=30000000"), "cat"], stdin=b"x" * 31_000_000, env=environment)
    receiver.close()
    assert done.returncode == 0
    assert b"lacks 1 message, the log could not be written: too large" in done.stderr
    for words in (b"loses messages: too large", b"lacks 1 message"):
        assert any(words in datagram for datagram in receiver.received)  # alarms
    match = FORM.fullmatch(next(datagram for datagram in receiver.received if b'"end":{"status":0}' in datagram))
    assert match is not None
    lost = [{"from": 1, "to": 1, "why": "too large for the log's socket"}]
    assert tlog.own_fields(tlog.decode(match[5])) == {"v": 1, "end": {"status": 0}, "lost": lost}


def test_nobody_listens(tmp_path: Path) -> None:
    """The session runs, with one line before and one behind it."""
    started = time.monotonic()
    done = run([*options(tmp_path / "none"), "sh", "-c", "echo hi; exit 3"])
    assert (done.returncode, done.stdout) == (3, b"hi\n")
    before, behind = done.stderr.splitlines()
    assert b"can't reach syslog at" in before
    assert b"No such file or directory" in before
    assert b"lacks 1 message" in behind
    assert time.monotonic() - started < PATIENCE


def test_the_receiver_comes_later(tmp_path: Path) -> None:
    """What waited in memory arrives in order."""
    path = tmp_path / "log"
    command = [*RECORDER, *options(path, "--latency=1"), "sh", "-c", "seq 1 20000; sleep 3; echo end"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as recorder:
        time.sleep(0.7)
        receiver = Receiver(path)
        out, err = recorder.communicate(timeout=60)
    receiver.close()
    assert recorder.returncode == 0
    assert b"lacks" not in err
    assert receiver.output() == out


@pytest.mark.parametrize("pause", [0.0, 0.7])
def test_the_receiver_is_restarted(receiver: Receiver, pause: float) -> None:
    """Nothing is lost between the old and the new socket."""
    script = "for i in $(seq 1 150); do seq 1 200; sleep 0.01; done"
    command = [*RECORDER, *options(receiver.path, "--latency=1"), "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as recorder:
        time.sleep(0.5)
        receiver.restart(pause)
        out, err = recorder.communicate(timeout=60)
    receiver.close()
    assert (recorder.returncode, err) == (0, b"")
    assert receiver.output() == out


def test_a_slow_receiver_slows_the_program_and_loses_nothing(tmp_path: Path) -> None:
    """Far more than 4 MiB go through a receiver that pauses again and again."""
    receiver = Receiver(tmp_path / "log")
    command = [*RECORDER, *options(receiver.path), "sh", "-c", "seq 1 2000000"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as recorder:
        while recorder.poll() is None:
            receiver.reading.clear()
            time.sleep(0.2)
            receiver.reading.set()
            time.sleep(0.2)
        assert recorder.stderr is not None
        assert recorder.stderr.read() == b""
    receiver.close()
    assert recorder.returncode == 0
    assert receiver.output() == b"".join(b"%d\n" % number for number in range(1, 2_000_001))


def test_a_receiver_that_stands_still_ends_nothing(tmp_path: Path) -> None:
    """The program is held for a second, then goes on; the gap is said; the memory stays bounded."""
    receiver = Receiver(tmp_path / "log", reading=False)
    environment = {**os.environ, **GO_ON}
    done = run([*options(receiver.path), "sh", "-c", "seq 1 2000000; exit 4"], env=environment)
    assert done.returncode == 4
    assert done.stdout.endswith(b"\n2000000\n")
    assert b"the receiver takes nothing" in done.stderr
    receiver.close()
    assert receiver.received


def test_the_log_is_full_and_the_user_leaves(tmp_path: Path) -> None:
    """A signal ends a session whose receiver stands still, within moments."""
    receiver = Receiver(tmp_path / "log", reading=False)
    command, environment = [*RECORDER, *options(receiver.path), "yes"], {**os.environ, **GO_ON}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as recorder:
        wait_for(lambda: cpu_ticks(recorder.pid) > 5, "some output")
        recorder.terminate()
        assert recorder.wait(PATIENCE) == -15
    receiver.close()


def cpu_ticks(pid: int) -> int:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_writer_by_itself(receiver: Receiver, tmp_path: Path) -> None:
    """Counts what was taken; names trouble; has none where the receiver is only full."""
    absent = SyslogWriter(str(tmp_path / "none"))
    assert (absent.write([b"{}"]), absent.trouble, absent.wait_fd) == (0, "No such file or directory", -1)
    paused = Receiver(tmp_path / "paused", reading=False)
    full = SyslogWriter(str(paused.path))
    taken = full.write([b"{}"] * 5000)
    assert 0 < taken < 5000
    assert full.trouble == ""
    assert full.wait_fd >= 0
    full.close()
    paused.close()
    alarm_by_syslog(str(receiver.path))("text")
    alarm_by_syslog(str(tmp_path / "none"))("nobody hears this")
    wait_for(lambda: receiver.received, "the alarm")
    assert receiver.received[0].startswith(b"<84>")
    assert receiver.received[0].endswith(b" ttyscribe: text")
