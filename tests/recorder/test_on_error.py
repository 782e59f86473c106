# SPDX-License-Identifier: Apache-2.0
"""A log that fails in mid-session: what was shown is in it or in a mark, or the session ends; as the operator chose."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import GO_ON, PATIENCE, RECORDER, AtTerminal, messages, wait_for
from ttyscribe_formats import tlog

FLOOD = "trap 'echo hung up >{out}; exit 9' HUP; seq 1 2000000; echo survived >{out}; exit 3"


class Syslog:
    """A socket for alarms."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(0.01)

    def heard(self) -> list[bytes]:
        """What came so far."""
        found = []
        try:
            while True:
                found.append(self._socket.recv(1 << 20))
        except TimeoutError:
            return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[Syslog]:
    """A receiver of alarms."""
    made = Syslog(tmp_path / "syslog")
    yield made
    made.close()


def environment(*, refuse: bool) -> dict[str, str]:
    """For a recorder under either policy."""
    return {**os.environ, **({"TTYSCRIBE_REC_CONF_TEXT": '{"on_error": "refuse"}'} if refuse else GO_ON)}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    peers.require_root()
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("this root may not mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def told(found: list[tlog.Message]) -> set[int]:
    """The ids that marks of these messages name as lost."""
    items = [item for message in found for item in tlog.own_fields(message).get("lost", [])]
    return {number for item in items for number in range(item["from"], item["to"] + 1)}


@pytest.mark.parametrize("at_a_terminal", [False, True])
def test_refuse_ends_the_session_when_memory_is_used_up(tmp_path: Path, syslog: Syslog, at_a_terminal: bool) -> None:
    """Not at the first write that fails: an outage that passes costs nobody a session. Nothing is lost before."""
    out = tmp_path / "out"
    script = FLOOD.format(out=out)
    argv = [*RECORDER, "-o", "/dev/full", f"--syslog-socket={syslog.path}", "--", "bash", "-c", script]
    if at_a_terminal:
        screen = AtTerminal(argv, env=environment(refuse=True))
        try:
            assert screen.wait() == 1
            said, shown = screen.seen, screen.seen.count(b"\n")
            assert screen.attributes() == screen.found
        finally:
            screen.close()
    else:
        done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=True))
        assert done.returncode == 1
        said, shown = done.stderr, done.stdout.count(b"\n")
    assert 100_000 < shown < 1_000_000
    words = b"could not be recorded any more and was ended (on_error is refuse): No space left on device"
    assert words in said
    assert any(line.startswith(b"<81>") and words in line for line in syslog.heard())
    assert not out.exists() or out.read_text() == "hung up\n"


def test_continue_goes_on_with_an_alarm(tmp_path: Path, syslog: Syslog) -> None:
    """The command ends as it would without a recorder; syslog hears of the loss while it lasts."""
    out = tmp_path / "out"
    script = FLOOD.format(out=out)
    argv = [*RECORDER, "-o", "/dev/full", f"--syslog-socket={syslog.path}", "--", "bash", "-c", script]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=False))
    assert (done.returncode, out.read_text()) == (3, "survived\n")
    assert done.stdout.endswith(b"\n2000000\n")
    heard = b"\n".join(syslog.heard())
    for words in (b"the log can't be written: No space", b"loses messages: No space", b"lacks "):
        assert words in heard
    assert b" messages, the log could not be written: No space left on device" in done.stderr


@pytest.mark.root
@pytest.mark.parametrize("refuse", [False, True])
def test_a_disk_that_is_full_for_a_while_ends_nothing(disk: Path, refuse: bool) -> None:
    """Recording resumes when there is room; what memory held is all there, under either policy."""
    log = disk / "log"
    script = f"seq 1 100000; sleep 0.3; mount -o remount,size=4m {disk}; sleep 1.3; echo end; exit 3"
    argv = [*RECORDER, "-o", str(log), "--latency=1", "--", "sh", "-c", script]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=refuse))
    assert (done.returncode, done.stderr) == (3, b"")
    found = messages(log)
    assert "".join(message.out_txt for message in found).encode() == done.stdout
    assert told(found) == set()
    assert tlog.own_fields(found[-1]) == {"v": 1, "end": {"status": 3}}


@pytest.mark.root
def test_what_memory_could_not_hold_is_told_when_there_is_room(disk: Path) -> None:
    """On a disk that fills up, twice, and gets room: each id is there or in a mark with the reason; no line is torn."""
    log = disk / "log"
    script = (
        f"seq 1 1000000; mount -o remount,size=32m {disk}; sleep 2.5; echo back;"
        f"head -c 30000000 /dev/zero >{disk}/ballast; seq 1 1000000; rm {disk}/ballast; sleep 2.5; echo end; exit 3"
    )
    argv = [*RECORDER, "-o", str(log), "--latency=1", "--", "sh", "-c", script]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=False))
    assert done.returncode == 3
    found = messages(log)
    ids = {message.id for message in found}
    missing = set(range(1, found[-1].id + 1)) - ids
    assert len(missing) > 100
    assert told(found) == missing
    assert {item["why"] for m in found for item in tlog.own_fields(m).get("lost", [])} == {"No space left on device"}
    assert "end" in tlog.own_fields(found[-1])
    texts = [message.out_txt for message in found]
    assert any("back\n" in text for text in texts)
    assert texts[-1].endswith("end\n")
    assert f"lacks {len(missing)} messages".encode() in done.stderr


@pytest.mark.parametrize("refuse", [False, True])
def test_a_bug_of_the_recorder(tmp_path: Path, syslog: Syslog, refuse: bool) -> None:
    """In mid-session: refuse ends it, continue lets it go on, and both are said; there is no end mark."""
    code = (
        "import sys, os; from ttyscribe_formats import chunk; from ttyscribe_recorder import rec\n"
        "feed = chunk.Chunker.feed\n"
        "def broken(self, packet, wall_ns):\n"
        "    if b'bug' in getattr(packet, 'data', b''): raise RuntimeError('no such luck')\n"
        "    return feed(self, packet, wall_ns)\n"
        "chunk.Chunker.feed = broken\n"
        "sys.exit(rec.main(sys.argv[1:], dict(os.environb)))"
    )
    log, out = tmp_path / "log", tmp_path / "out"
    script = (
        f"trap 'echo hung up >{out}; exit 9' HUP; echo before; sleep 1.2; echo bug; sleep 5 & wait; echo on; exit 3"
    )
    argv = [sys.executable, "-c", code, "-o", str(log), "--latency=1", f"--syslog-socket={syslog.path}"]
    argv += ["--", "bash", "-c", script]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=refuse))
    heard = b"\n".join(syslog.heard())
    assert b"stopped: RuntimeError: no such luck" in heard
    assert b"bug of the recorder: RuntimeError: no such luck" in done.stderr
    found = messages(log)
    assert "".join(message.out_txt for message in found) == "before\n"
    assert all(not message.extra for message in found)
    if refuse:
        assert (done.returncode, done.stdout, out.read_text()) == (1, b"before\nbug\n", "hung up\n")
        assert b"was ended (on_error is refuse)" in heard
    else:
        assert (done.returncode, done.stdout, out.exists()) == (3, b"before\nbug\non\n", False)


def test_a_bug_of_the_writer_spins_nothing(tmp_path: Path) -> None:
    """It strikes in the middle of a wait for room; the session goes on to its end."""
    code = (
        "import sys, os; from ttyscribe_recorder.writers import file; from ttyscribe_recorder import rec\n"
        "def broken(self, messages): raise RuntimeError('no such luck')\n"
        "file.FileWriter.write = broken\n"
        "sys.exit(rec.main(sys.argv[1:], dict(os.environb)))"
    )
    argv = [sys.executable, "-c", code, "-o", str(tmp_path / "log"), "--latency=1"]
    argv += ["--", "sh", "-c", "echo one; sleep 2; cat /proc/$PPID/stat"]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=False))
    assert done.returncode == 0
    assert b"bug of the recorder: RuntimeError: no such luck" in done.stderr
    fields = done.stdout.split(b"\n")[1].rpartition(b") ")[2].split()
    assert int(fields[11]) + int(fields[12]) < 100  # hundredths of a second: it slept


def test_a_limit_that_drops_is_no_error(tmp_path: Path, syslog: Syslog) -> None:
    """It is the operator's choice: refuse does not end the session, syslog is not alarmed while it runs; it is told."""
    log = tmp_path / "log"
    limit = ["--limit-action=drop", "--limit-rate=1000", "--limit-burst=1000"]
    argv = [*RECORDER, "-o", str(log), f"--syslog-socket={syslog.path}", *limit, "--payload=200"]
    argv += ["--", "sh", "-c", "seq 1 20000; exit 3"]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=True))
    assert done.returncode == 3
    assert done.stdout.endswith(b"\n20000\n")
    found = messages(log)
    missing = set(range(1, found[-1].id + 1)) - {message.id for message in found}
    assert told(found) == missing
    assert len(missing) > 10
    assert tlog.own_fields(found[-1])["end"] == {"status": 3}
    (line,) = syslog.heard()
    assert line.endswith(b"lacks %d messages, over the rate limit" % len(missing))


def test_a_message_too_large_for_the_socket_ends_a_refusing_session(tmp_path: Path, syslog: Syslog) -> None:
    """What was shown can't be kept: no later message brings it back."""
    argv = [*RECORDER, "--writer=syslog", f"--syslog-socket={syslog.path}", "--payload=30000000"]
    argv += ["--", "bash", "-c", "head -c 31000000 /dev/zero | tr '\\0' x; sleep 60; exit 3"]
    done = subprocess.run(argv, capture_output=True, timeout=2 * PATIENCE, env=environment(refuse=True))
    assert done.returncode == 1
    assert b"was ended (on_error is refuse): too large for the log's socket" in done.stderr


def test_a_signal_while_the_session_is_being_ended(tmp_path: Path) -> None:
    """Twice told to go: it goes once."""
    argv = [*RECORDER, "-o", "/dev/full", "--", "bash", "-c", "trap '' HUP TERM; seq 1 2000000; sleep 60"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(refuse=True)
    ) as recorder:
        assert recorder.stdout is not None
        while len(recorder.stdout.read(65536)) == 65536:
            pass
        recorder.send_signal(signal.SIGTERM)
        wait_for(lambda: recorder.poll() is not None, "the recorder's end")
        assert recorder.stderr is not None
        assert b"was ended" in recorder.stderr.read()
    assert recorder.returncode in (1, -signal.SIGTERM)
