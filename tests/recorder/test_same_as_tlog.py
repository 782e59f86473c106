# SPDX-License-Identifier: Apache-2.0
"""The differential run: the same sessions through the real tlog-rec and through ttyscribe-rec, over every writer.

What may differ stands in docs/formats/tlog.md, "Beside tlog's own messages"; nothing else does.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests import peers
from tests.recorder import scripts, spelling
from tests.recorder.recorder import LONG, RECORDER, messages
from tests.recorder.test_interop import TAIL
from tests.recorder.test_journal import JOURNALD
from tests.recorder.test_names import program
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets

pytestmark = pytest.mark.tlog

NAMES = sorted(scripts.at_terminals())
PLAYED = ("vim", "storm", "hostile")
PAYLOAD = 2048


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of all sessions by both recorders; root has those of syslog and the journal, too."""
    folder = tmp_path_factory.mktemp("sessions")
    peers.require_program("tlog-rec")
    command = [sys.executable, "-m", "tests.recorder.side_by_side", str(folder)]
    if os.geteuid() == 0:
        if not JOURNALD.exists():
            peers.absent("systemd-journald is not installed: apt-get install systemd")
        command = ["unshare", "-m", "-p", "-f", "--mount-proc", "--kill-child", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    return folder


def of_both(logs: Path, name: str, writer: str) -> tuple[Path, Path]:
    """Theirs and ours."""
    if writer != "file":
        peers.require_root()
    return logs / f"{name}.theirs.{writer}.log", logs / f"{name}.ours.{writer}.log"


@pytest.mark.timeout(700)
@pytest.mark.parametrize("writer", ["file", "syslog", "journal"])
@pytest.mark.parametrize("name", NAMES)
def test_both_logs_say_what_happened(logs: Path, name: str, writer: str) -> None:
    """The same output, keys and sizes in the same order, to the byte; and each user saw just that."""
    steps = scripts.at_terminals()[name]
    expected = scripts.expected(steps)
    for who, path in zip(("theirs", "ours"), of_both(logs, name, writer), strict=True):
        assert scripts.events(packets(messages(path))) == expected, who
        seen = (logs / f"{name}.{who}.{writer}.seen").read_bytes()
        shown = b"".join(data for sort, data in expected if sort == "out" and isinstance(data, bytes))
        assert seen == shown + (b"\r\n" if who == "theirs" else b"")


@pytest.mark.timeout(700)
@pytest.mark.parametrize("writer", ["file", "syslog", "journal"])
@pytest.mark.parametrize("name", NAMES)
def test_both_logs_keep_to_the_letter(logs: Path, name: str, writer: str) -> None:
    """Order and spelling of fields, and the payload: no message has more, none ended with room for the next item."""
    theirs, ours = (path.read_bytes().splitlines() for path in of_both(logs, name, writer))
    first = spelling.check(theirs, PAYLOAD, slack=2)[0]
    mine = spelling.check(ours, PAYLOAD)[0]
    same = ("user", "session", "id", "pos")
    assert [first.raw[field] for field in same] == [mine.raw[field] for field in same]
    assert first.raw["own"] is None


@pytest.mark.timeout(700)
@pytest.mark.parametrize("writer", ["file", "syslog", "journal"])
@pytest.mark.parametrize("name", PLAYED)
def test_each_plays_what_the_other_recorded(logs: Path, name: str, writer: str) -> None:
    """tlog-play ours and ttyscribe-play theirs, out of files and out of the journal."""
    theirs, ours = (path.with_suffix(".played").read_bytes() for path in of_both(logs, name, writer))
    expected = scripts.expected(scripts.at_terminals()[name])
    shown = b"".join(data for sort, data in expected if sort == "out" and isinstance(data, bytes))
    assert ours == shown + TAIL
    assert theirs == shown


@pytest.mark.timeout(700)
@pytest.mark.parametrize("writer", ["file", "syslog", "journal"])
def test_on_pipes_both_logs_say_what_was_written(logs: Path, writer: str) -> None:
    """Every byte; ours says which were standard error's, where theirs has them all in one stream."""
    theirs, ours = (messages(path) for path in of_both(logs, "streams", writer))
    steps = scripts.streams()
    expected = scripts.expected(steps)
    assert scripts.events(packets(theirs)) == expected
    told = [packet for packet in packets(ours) if isinstance(packet, Output)]
    for sort in ("out", "err"):
        own = scripts.events(packet for packet in told if (packet.stream == "stderr") == (sort == "err"))
        assert own == scripts.expected([step for step in steps if step[0] == sort])


@pytest.mark.parametrize("payload", [32, 33, 37, 64, 100, 4000, 65536])
def test_payloads_of_all_sizes(tmp_path: Path, payload: int) -> None:
    """Hostile bytes, cut anywhere: neither has more in a message, neither wastes room.

    tlog has no part in the smallest: there it turns for ever on characters cut by a read.
    """
    data = scripts.hostile(300_000 if LONG else 30_000)
    steps = [["size", 80, 24], *scripts.pieces(data, random.Random(payload), 4000, 0.05)]
    script = scripts.write_script(tmp_path, "hostile", steps)
    recorders = {"ours": RECORDER} | ({"theirs": [peers.require_program("tlog-rec")]} if payload >= 64 else {})
    for who, recorder in recorders.items():
        log = tmp_path / who
        command = [*recorder, f"--payload={payload}", "--latency=3600", "-o", str(log)]
        scripts.play_at_terminal(command, script, steps, scripts.environment("xterm"))
        spelling.check(log.read_bytes().splitlines(), payload, slack=2 if who == "theirs" else 1)
        assert scripts.events(packets(messages(log))) == scripts.expected(steps)


@pytest.mark.parametrize("what", [("input",), ("output",), ("window",), ("input", "window"), ()])
def test_what_is_logged_can_be_chosen(tmp_path: Path, what: tuple[str, ...]) -> None:
    """Each sort by itself: the others leave no trace, in either log; a terminal without a size has that size."""
    steps: scripts.Steps = [
        ["size", 0, 0],
        scripts.out(b"one \xff"),
        ["in", "YWJj"],
        ["size", 90, 30],
        scripts.out(b"two"),
        ["in", "ZA=="],
    ]
    script = scripts.write_script(tmp_path, "choice", steps)
    sorts = {"input": "in", "output": "out", "window": "size"}
    wanted = [step for step in steps if step[0] in {sorts[name] for name in what}]
    choice = [f"--log-{name}={'yes' if name in what else 'no'}" for name in sorts]
    for who, recorder in (("theirs", [peers.require_program("tlog-rec")]), ("ours", RECORDER)):
        log = tmp_path / who
        command = [*recorder, *choice, "-o", str(log)]
        scripts.play_at_terminal(command, script, steps, scripts.environment("xterm"))
        assert scripts.events(packets(messages(log))) == scripts.expected(wanted), who
        assert bool(log.read_bytes()) == bool(what)


def test_under_tlogs_own_name_a_log_is_tlogs_own(tmp_path: Path) -> None:
    """Field by field, the host's name too, but for what names the recording and its time."""
    steps = scripts.resizes()
    script = scripts.write_script(tmp_path, "resizes", steps)
    found = []
    for recorder in (peers.require_program("tlog-rec"), str(program(tmp_path, "tlog-rec"))):
        log = tmp_path / "log"
        command = [recorder, "--log-input", "--latency=3600", "-o", str(log)]
        scripts.play_at_terminal(command, script, steps, scripts.environment("xterm"))
        found.append(spelling.check(log.read_bytes().splitlines(), PAYLOAD, slack=2)[0].raw)
        log.unlink()
    differing = {"rec", "time", "timing", "in_txt", "in_bin", "out_txt", "out_bin"}
    theirs, ours = ({field: value for field, value in raw.items() if field not in differing} for raw in found)
    assert ours == theirs


def test_a_line_is_checked_in_earnest() -> None:
    """The check itself: it refuses a wrong order, a wrong spelling, a payload too large, a message ended too early."""
    message = tlog.Message(
        ver="2.3", host="h", rec="a-1-2", user="u", term="t", session=1, id=1, pos=0, time_ms=1000, timing=">2",
        in_txt="", in_bin=b"", out_txt="a\n", out_bin=b"", extra=b"",
    )  # fmt: skip
    line = tlog.encode(message)
    second = tlog.encode(message._replace(id=2, pos=5))
    assert spelling.check([line], 5)[0].payload == 5
    spelling.check([line, second], 9)
    for lines, payload in (
        ([line], 4),
        ([line, second], 13),
        ([line.replace(b'"id":1', b'"id":2')], 99),
        ([line.replace(b"\\n", b"\\u000a")], 99),
        ([line.replace(b'"host":"h","rec":"a-1-2"', b'"rec":"a-1-2","host":"h"')], 99),
        ([line.replace(b">2", b">02")], 99),
        ([line.replace(b":1.000", b":1.00")], 99),
    ):
        with pytest.raises(AssertionError):
            spelling.check(lines, payload)
