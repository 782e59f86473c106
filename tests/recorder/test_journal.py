# SPDX-License-Identifier: Apache-2.0
"""Entries for the journal: against a socket of our own, and against a real journald in a private namespace."""

import array
import fcntl
import json
import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import RECORDER, run
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets
from ttyscribe_recorder.writers.journal import JournalWriter

JOURNALD = Path("/lib/systemd/systemd-journald")


class Journal:
    """A socket that takes entries as journald does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.large = 0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.05)

    def entries(self) -> list[dict[bytes, bytes]]:
        """Everything that has come."""
        found = []
        try:
            while True:
                data, ancillary, _, _ = self.socket.recvmsg(1 << 22, 64)
                for _, _, raw in ancillary:
                    data = self._memory(array.array("i", raw)[0])
                found.append(parse(data))
        except TimeoutError:
            return found

    def _memory(self, fd: int) -> bytes:
        """Content of passed memory, which nobody may change any more."""
        self.large += 1
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == seals
        with open(fd, "rb") as file:
            file.seek(0)
            return file.read()


def parse(data: bytes) -> dict[bytes, bytes]:
    """The fields of one entry."""
    fields = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = int.from_bytes(data[:8], "little")
            value, data = data[8 : 8 + size], data[8 + size + 1 :]
        fields[name] = value
    return fields


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty one."""
    made = Journal(tmp_path / "socket")
    yield made
    made.socket.close()


def options(journal: Journal, *more: str) -> list[str]:
    """Record to it."""
    return ["--writer=journal", f"--journal-socket={journal.path}", *more, "--"]


def test_the_fields_of_an_entry(journal: Journal) -> None:
    """Message, priority, who sends, and which recording of whom in which session."""
    run([*options(journal, "--payload=32", "--journal-priority=notice"), "printf", "%060d", "0"])
    entries = journal.entries()
    assert len(entries) == 3
    for number, entry in enumerate(entries, 1):
        message = tlog.decode(entry[b"MESSAGE"])
        assert entry == {
            b"PRIORITY": b"5",
            b"SYSLOG_IDENTIFIER": b"ttyscribe",
            b"MESSAGE": entry[b"MESSAGE"],
            b"TLOG_REC": message.rec.encode(),
            b"TLOG_USER": message.user.encode(),
            b"TLOG_SESSION": str(message.session).encode(),
            b"TLOG_ID": str(number).encode(),
        }


def test_without_fields_of_its_own(journal: Journal) -> None:
    """journal.augment off."""
    run([*options(journal, "--journal-augment=no"), "echo"])
    assert set(journal.entries()[0]) == {b"MESSAGE", b"PRIORITY", b"SYSLOG_IDENTIFIER"}


@pytest.mark.parametrize("user", ["a", '"rec":"x', ',"session":1,"id":7,', "new\nline=x", "zażółć", "\\"])
def test_a_name_cannot_forge_fields(journal: Journal, user: str) -> None:
    """Whatever a user or a terminal is called, the fields say what the message says."""
    head = tlog.encode_header('h,"rec":"no', "r-1-2", user, ',"id":9', 12)
    writer = JournalWriter(str(journal.path))
    assert writer.write([head + b'3,"pos":0}']) == 1
    writer.close()
    entry = journal.entries()[0]
    assert entry[b"TLOG_REC"] == b"r-1-2"
    assert entry[b"TLOG_USER"] == user.encode()
    assert (entry[b"TLOG_SESSION"], entry[b"TLOG_ID"]) == (b"12", b"3")


def test_one_writer_for_many_recordings(journal: Journal) -> None:
    """The fields follow the message."""
    writer = JournalWriter(str(journal.path))
    heads = [tlog.encode_header("h", f"r-{n}", "u", "t", n) for n in (1, 2)]
    writer.write([heads[0] + b'1,"pos":0}', heads[1] + b'1,"pos":0}', heads[0] + b'2,"pos":0}', b"text"])
    writer.close()
    entries = journal.entries()
    assert [entry.get(b"TLOG_REC") for entry in entries] == [b"r-1", b"r-2", b"r-1", None]
    assert [entry.get(b"TLOG_ID") for entry in entries] == [b"1", b"1", b"2", None]


def test_a_message_that_no_datagram_can_hold(journal: Journal) -> None:
    """It is passed as sealed memory, whole; small ones around it keep their order."""
    data = b"x" * 9_000_000
    done = run([*options(journal, "--payload=8000000"), "cat"], stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    found = [tlog.decode(entry[b"MESSAGE"]) for entry in journal.entries()]
    assert journal.large >= 1
    assert b"".join(packet.data for packet in packets(found) if isinstance(packet, Output)) == data


def test_no_journal_is_told_and_ends_nothing(tmp_path: Path) -> None:
    """tlog loses the whole recording here with status 0 and without a word."""
    done = run(["-w", "journal", f"--journal-socket={tmp_path}/none", "--", "sh", "-c", "echo hi; exit 3"])
    assert (done.returncode, done.stdout) == (3, b"hi\n")
    before, behind = done.stderr.splitlines()
    assert b"can't reach the journal at" in before
    assert b"lacks 1 message" in behind


INSIDE = """
    set -e
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || true
    printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\nReadKMsg=no\\nAudit=no\\n' \\
        > /run/systemd/journald.conf.d/test.conf
    "$JOURNALD" & daemon=$!
    for i in $(seq 600); do [ -S /run/systemd/journal/socket ] && break; sleep 0.05; done
    "$@" -w journal -- printf 'first \\377 second' >/dev/null
    "$@" -w journal --payload=900000 -- sh -c 'head -c 800000 /dev/zero | tr "\\0" x' >/dev/null
    journalctl --sync
    journalctl -o json --all SYSLOG_IDENTIFIER=ttyscribe
    if command -v tlog-play >/dev/null; then
        rec=$(journalctl -o cat --output-fields=TLOG_REC SYSLOG_IDENTIFIER=ttyscribe | head -n 1)
        sleep 100 | LC_ALL=C.UTF-8 tlog-play -r journal -M TLOG_REC="$rec" -g end > "$PLAYED" & player=$!
        wait $player
    fi
    kill $daemon
"""


@pytest.mark.root
@pytest.mark.tlog
def test_a_real_journald(tmp_path: Path) -> None:
    """It stores the fields, a message of 800 kB whole, and tlog-play plays what it stored."""
    peers.require_root()
    if not JOURNALD.exists():
        peers.absent("systemd-journald is not installed: apt-get install systemd")
    script = tmp_path / "inside"
    script.write_text(textwrap.dedent(INSIDE).replace("sleep 100 |", "sleep 5 |"))
    played = tmp_path / "played"
    command = ["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", "sh", str(script), *RECORDER]
    environment = {**os.environ, "JOURNALD": str(JOURNALD), "PLAYED": str(played)}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=100, check=True)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    texts = []
    for entry in entries:
        raw = entry["MESSAGE"]
        message = tlog.decode(raw.encode() if isinstance(raw, str) else bytes(raw))
        assert entry["TLOG_REC"] == message.rec
        assert (entry["TLOG_ID"], entry["TLOG_USER"]) == (str(message.id), message.user)
        assert (entry["PRIORITY"], entry["_UID"], entry["_TRANSPORT"]) == ("6", "0", "journal")
        texts.append(message.out_txt)
    assert texts[0] == "first \ufffd second"
    assert "".join(texts[1:]) == "x" * 800_000
    if peers.find_program("tlog-play"):
        assert b"first \xff second" in played.read_bytes()


def test_nothing_of_this_needs_the_journal_library() -> None:
    """The protocol is spoken by our own code."""
    assert not [name for name in sys.modules if name.partition(".")[0] == "systemd"]
