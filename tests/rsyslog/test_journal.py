# SPDX-License-Identifier: Apache-2.0
"""journal.conf under the real rsyslogd and a real journald: every entry comes, whole, with what journald attests.

With TTYSCRIBE_TEST_LONG more entries than imjournal's default lets through in ten minutes.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rsyslog.daemon import CONF, Rsyslogd, wait_until
from tests.rsyslog.journald import Journald

pytestmark = [pytest.mark.rsyslogd, pytest.mark.root]

CHILD = Path(__file__).with_name("child.py")
SAMPLE = CONF / "journal.conf"
COUNT = 21_000 if os.environ.get("TTYSCRIBE_TEST_LONG") else 4_000


class Rig:
    """A journald, an rsyslogd that reads it, and the lines that its program got."""

    def __init__(self, folder: Path, journald: Journald) -> None:
        self.journald = journald
        self._lines = folder / "lines"
        command = [sys.executable, str(CHILD), str(self._lines), str(folder / "starts"), "0", "30"]
        self.daemon = Rsyslogd(command, sample=SAMPLE, prefix=journald.prefix)

    def got(self) -> list[dict[str, Any]]:
        """Every whole line so far."""
        raw = self._lines.read_bytes().split(b"\n")[:-1] if self._lines.exists() else []
        return [json.loads(line.decode("utf-8", "surrogateescape")) for line in raw]

    def entries(self, key: str, value: str) -> list[dict[str, Any]]:
        """The lines whose journal entry has this field."""
        return [line for line in self.got() if line.get("journal", {}).get(key) == value]

    def wait(self, key: str, value: str, count: int = 1) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        self.wait_count(f'"{key}":"{value}"', count)
        return self.entries(key, value)

    def wait_count(self, text: str, count: int) -> None:
        """Wait until so many lines have this in them."""

        def come() -> bool:
            return self._lines.exists() and self._lines.read_bytes().count(text.encode()) >= count

        wait_until(come, 90, f"{count} lines with {text}")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """All of it, running."""
    with Journald() as journald:
        made = Rig(tmp_path, journald)
        with made.daemon:
            yield made


def test_entries_come_whole_with_what_journald_attests(rig: Rig) -> None:
    """A message of several lines, control characters, no UTF-8; a field that looks like ours; a forged sender."""
    message = b" two\nlines \x1b[1m caf\xe9 " + b'"quoted" ' * 20_000
    rig.journald.send(
        {
            "MESSAGE": message, "TLOG_REC": b"r-1", "TLOG_ID": b"7", "PRIORITY": b"4", "SYSLOG_IDENTIFIER": b"x",
            "ttyscribe": b"forged", "_UID": b"4711", "_PID": b"1",
        }
    )  # fmt: skip
    (line,) = rig.wait("TLOG_REC", "r-1")
    entry = line["journal"]
    assert entry["MESSAGE"].encode("utf-8", "surrogateescape") == message
    assert (entry["_UID"], entry["_PID"], entry["TLOG_ID"]) == (str(os.getuid()), str(os.getpid()), "7")
    assert (line["v"], line["msg"], line["input"]) == (1, "", "imjournal")
    (stored,) = rig.journald.entries("TLOG_REC=r-1")
    seconds, micros = divmod(int(stored["__REALTIME_TIMESTAMP"]), 10**6)
    assert line["received"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06d}")
    assert len(line["id"]) == 32
    assert entry["ttyscribe"]["id"] == line["id"]


def test_the_socket_serves_beside_the_journal(rig: Rig) -> None:
    rig.daemon.send([b"<86>Nov 24 12:00:00 test: by the socket"])
    rig.journald.run("logger", "-u", "/run/systemd/journal/dev-log", "by the journal")
    rig.wait("MESSAGE", "by the journal")
    wait_until(lambda: any(line["msg"] == " by the socket" for line in rig.got()), 30, "the socket's message")
    (line,) = (line for line in rig.got() if line["msg"] == " by the socket")
    assert (line["uid"], line["pid"], "journal" in line) == (str(os.getuid()), str(os.getpid()), False)


def test_equal_lines_of_one_moment_are_told_apart(rig: Rig) -> None:
    """journald gives lines of one write the same time; imjournal hands on no cursor: each is stamped."""
    rig.journald.run("systemd-cat", "-t", "twin", "printf", "same\\n%.0s", *map(str, range(50)))
    lines = rig.wait("SYSLOG_IDENTIFIER", "twin", 50)
    assert len({line["id"] for line in lines}) == 50
    assert len({line["received"] for line in lines}) < 50


@pytest.mark.slow
def test_no_rate_limit_and_no_death_loses_any(rig: Rig) -> None:
    """rsyslogd is killed three times, and reads one entry twice at most each time."""
    count, kills = COUNT, 3
    for burst in range(kills + 1):
        first = count * burst // (kills + 1)
        last = count * (burst + 1) // (kills + 1) - 1
        text = "\n".join(f"number {number}" for number in range(first, last + 1))
        rig.journald.run("systemd-cat", "-t", "many", "cat", stdin=text.encode())
        if burst < kills:
            rig.wait_count('"SYSLOG_IDENTIFIER":"many"', first + count // 40)
            rig.daemon.kill()
            rig.daemon.start()
    rig.wait_count(f'"MESSAGE":"number {count - 1}"', 1)
    texts = [line["journal"]["MESSAGE"] for line in rig.entries("SYSLOG_IDENTIFIER", "many")]
    assert set(texts) == {f"number {number}" for number in range(count)}
    assert len(texts) - count <= kills
