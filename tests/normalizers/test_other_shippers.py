# SPDX-License-Identifier: Apache-2.0
"""docs/howto/other-shippers.md: our side of pipes to and from Logstash, Vector and Fluent Bit."""

import json
import re
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, run
from tests.normalizers.samples import MESSAGE, text
from ttyscribe_normalizers import options

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "other-shippers.md"
FILTER = ("--protocol", "ndjson", "--output", "-")
AT_ONCE_S = 0.05


def test_a_line_comes_out_while_the_pipe_stays_open(tmp_path: Path) -> None:
    """NDJ-6: as a shipper that waits for each line's answer; the quickest of many, as the machine may be busy."""
    waits = []
    with Running(tmp_path, *FILTER) as program:
        for number in range(50):
            begin = time.monotonic()
            program.send(b'{"message":"line %d"}' % number)
            assert json.loads(program.answer())["message"] == f"line {number}"
            waits.append(time.monotonic() - begin)
        assert program.finish() == 0
    assert min(waits[1:]) < AT_ONCE_S


def test_lines_out_are_documents_of_lines_in_and_nothing_else(tmp_path: Path) -> None:
    """NDJ-6: in order; what has no document is in the dead letter, what is empty is dropped."""
    lines = ['{"message":"a"}', "junk", "", '{"message":"b"}', '{"no":"message"}', '{"message":" "}', text()]
    done = run(tmp_path, "\n".join(lines).encode(), *FILTER, status=1)
    made = [json.loads(line) for line in done.stdout.splitlines()]
    assert [document["message"] for document in made] == ["a", "b", "hi\n"]
    dead = [json.loads(line) for line in (tmp_path / "dead-letter.ndjson").read_text().splitlines()]
    assert [entry["status"] for entry in dead] == ["unparsable", "unparsable"]


RECORD = text()
EVENTS: dict[str, Any] = {
    "Logstash 8, plain": {
        "@timestamp": "2026-11-24T12:00:04.218Z",
        "@version": "1",
        "event": {"original": RECORD},
        "host": {"name": "web7"},
        "log": {"file": {"path": "/var/log/tlog"}},
        "message": RECORD,
    },
    "Logstash, json": {**MESSAGE, "@timestamp": "2026-11-24T12:00:04.218Z", "@version": "1"},
    "Vector, file": {
        "file": "/var/log/tlog",
        "host": "web7",
        "message": RECORD,
        "source_type": "file",
        "timestamp": "2026-11-24T12:00:04.218123456Z",
    },
    "Fluent Bit, tail": {"date": 1795521604.218, "message": RECORD},
    "Fluent Bit, systemd": {
        "date": 1795521604.218,
        "MESSAGE": RECORD,
        "_HOSTNAME": "web7",
        "_UID": "0",
        "SYSLOG_IDENTIFIER": "tlog-rec",
    },
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_a_recordings_message_comes_out_whole_of_each_ones_event(tmp_path: Path, event: Any) -> None:
    """NDJ-1, NDJ-2, NDJ-4: with the identity that it has on any way."""
    done = run(tmp_path, json.dumps(event).encode() + b"\n", *FILTER)
    (document,) = [json.loads(line) for line in done.stdout.splitlines()]
    (plain,) = [json.loads(line) for line in run(tmp_path, RECORD.encode() + b"\n", *FILTER).stdout.splitlines()]
    assert document["tlog"] == MESSAGE
    assert document["viaq_msg_id"] == plain["viaq_msg_id"]
    assert document["ttyscribe"]["partition"] == plain["ttyscribe"]["partition"] == "2026.11"


def test_the_end_of_the_pipe_in_the_middle_of_a_burst_loses_nothing(tmp_path: Path) -> None:
    """As Logstash closes its pipe after a pause, and starts the program anew for the next event."""
    for burst in range(3):
        data = b"".join(b'{"message":"b%d-%d"}\n' % (burst, number) for number in range(500))
        done = run(tmp_path, data, "--protocol", "ndjson", "--output", "sqlite:store")
        assert b"500 lines: 500 stored" in done.stderr


def commands() -> list[list[str]]:
    """Each of our commands on the page."""
    found = re.findall(r"/usr/bin/ttyscribe-normalize ([^\n\"|]*)", PAGE.read_text())
    return [shlex.split(command) for command in found]


def test_the_page_shows_commands_that_are_valid() -> None:
    assert len(commands()) >= 5
    for command in commands():
        assert options.parse(command, "").protocol == "ndjson"
