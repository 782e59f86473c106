# SPDX-License-Identifier: Apache-2.0
"""The library and both shipped configurations under the real rsyslogd, attacked."""

import json
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peers import require_program, require_root
from tests.rsyslog.daemon import AUDIT_GRADE, FAST, SPOOLED, Rsyslogd, alive, send_as, wait_until

pytestmark = pytest.mark.rsyslogd

CHILD = Path(__file__).with_name("child.py")
both = pytest.mark.parametrize("sample", [AUDIT_GRADE, FAST], ids=["audit", "fast"])
CONFIRM = 'confirmMessages="on" confirmTimeout="30000"'


class Rig:
    """One rsyslogd with `child.py`; reads back what that got."""

    def __init__(self, folder: Path, sample: Path, delay: float = 0, timeout: float = 30, **replace: str) -> None:
        self._lines = folder / "lines"
        self._starts = folder / "starts"
        command = [sys.executable, str(CHILD), str(self._lines), str(self._starts), str(delay), str(timeout)]
        self.daemon = Rsyslogd(command, sample=sample, replace={CONFIRM: replace["confirm"]} if replace else None)

    def recover(self) -> None:
        """End the outage: from here on no message is held back."""
        self._lines.with_name("recovered").touch()

    def starts(self) -> int:
        """How often the program has been started."""
        return self._starts.read_bytes().count(b"\n") if self._starts.exists() else 0

    def raw(self) -> list[bytes]:
        """Every whole line that the program got, as often as it got it."""
        return self._lines.read_bytes().split(b"\n")[:-1] if self._lines.exists() else []

    def got(self) -> list[dict[str, Any]]:
        """The same as objects; bytes that are not UTF-8 as surrogates."""
        return [json.loads(line.decode("utf-8", "surrogateescape")) for line in self.raw()]

    def texts(self) -> set[str]:
        """Messages' texts without the leading blank."""
        return {item["msg"].removeprefix(" ") for item in self.got()}

    def wait_texts(self, count: int, timeout: float = 60) -> None:
        """Wait until so many different texts have come."""
        wait_until(lambda: len(self._lines_seen()) >= count, timeout, f"{count} different messages")

    def _lines_seen(self) -> set[bytes]:
        return {line.rpartition(b'"msg":"')[2] for line in self.raw()}

    def kill_at_work(self, kills: int) -> None:
        """SIGKILL the program, after so many kills before; never while it starts (OMP-1 says why)."""
        wait_until(lambda: self.starts() > kills and self.daemon.child_pids(), 30, "the program")
        time.sleep(0.05)
        assert self.daemon.kill_child() == 1

    def ids_tell_messages_apart(self) -> bool:
        """Tell whether each id stands for one text, and each text (all are different) has one id."""
        pairs = {(item["id"], item["msg"]) for item in self.got()}
        return len(pairs) == len({one for one, _ in pairs}) == len({text for _, text in pairs})


def message(text: str | bytes, tag: str = "test") -> bytes:
    """One datagram as syslog(3) sends it."""
    return b"<86>Nov 24 12:00:00 " + tag.encode() + b": " + (text.encode() if isinstance(text, str) else text)


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[Rig]:
    """The audit-grade sample, running."""
    rig = Rig(tmp_path, AUDIT_GRADE)
    with rig.daemon:
        yield rig


@pytest.mark.parametrize("sample", [AUDIT_GRADE, FAST, SPOOLED], ids=["audit", "fast", "spool"])
def test_the_shipped_file_passes_rsyslogds_own_check(sample: Path) -> None:
    done = subprocess.run(
        [require_program("rsyslogd"), "-N1", "-f", str(sample)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "config validation run" not in line] == []


@both
@pytest.mark.slow
def test_killed_programs_lose_nothing_and_ids_tell_repeats_apart(tmp_path: Path, sample: Path) -> None:
    """OMP-2: eight SIGKILLs while lines are in work."""
    rig = Rig(tmp_path, sample, delay=0.0005)
    with rig.daemon as daemon:
        for burst in range(8):
            daemon.send(message(f"{burst}-{number}") for number in range(400))
            rig.kill_at_work(burst)
        rig.wait_texts(3200)
        assert len(rig.raw()) - 3200 <= 8
        assert rig.ids_tell_messages_apart()


@both
def test_transactions_are_recognised_and_lose_nothing_either(tmp_path: Path, sample: Path) -> None:
    """OMP-14, OMP-2."""
    rig = Rig(tmp_path, sample, delay=0.0005, confirm=f'{CONFIRM} useTransactions="on"')
    with rig.daemon as daemon:
        for burst in range(4):
            daemon.send(message(f"{burst}-{number}") for number in range(250))
            rig.kill_at_work(burst)
        rig.wait_texts(1000)
        assert rig.ids_tell_messages_apart()  # which reads every line as JSON: no mark is among them


@both
def test_a_poison_line_never_blocks_what_stands_behind_it(tmp_path: Path, sample: Path) -> None:
    """OMP-15, OMP-3: no error answer, or the action would be suspended for its resumeInterval, again and again."""
    rig = Rig(tmp_path, sample)
    with rig.daemon as daemon:
        daemon.send(message(text) for text in ("before", "poison", "behind"))
        rig.wait_texts(2, timeout=10)
        assert rig.texts() == {"before", "behind"}
        assert rig.starts() == 1
        assert "poison line of" in daemon.output.read_text()
        assert "suspended" not in daemon.said()


def test_a_retried_line_holds_the_others_back_without_an_error(tmp_path: Path) -> None:
    """OMP-6, OMP-3: longer than rsyslog's time limit, kept alive by dots; then all come in order."""
    rig = Rig(tmp_path, AUDIT_GRADE, timeout=1, confirm='confirmMessages="on" confirmTimeout="1000"')
    with rig.daemon as daemon:
        daemon.send(message(text) for text in ("before", "retry 15", "behind"))
        rig.wait_texts(3)
        assert [item["msg"] for item in rig.got()] == [" before", " retry 15", " behind"]
        assert rig.starts() == 1
        assert daemon.said().count("\n") == 1  # that it started


def test_a_program_that_hangs_is_killed_and_its_line_sent_to_the_next(tmp_path: Path) -> None:
    """OMP-6: without dots the time limit acts; killUnresponsive leaves no second program at work."""
    rig = Rig(tmp_path, AUDIT_GRADE, timeout=1, confirm='confirmMessages="on" confirmTimeout="1000"')
    rig.daemon.conf.write_text(rig.daemon.conf.read_text().replace('closeTimeout="10000"', 'closeTimeout="500"'))
    with rig.daemon as daemon:
        daemon.send(message(text) for text in ("before", "hang", "behind"))
        rig.wait_texts(3)
        assert rig.starts() == 2
        assert len(daemon.child_pids()) == 1
        assert len(rig.raw()) == 3


@both
def test_an_orderly_stop_loses_nothing_and_leaves_no_program(tmp_path: Path, sample: Path) -> None:
    """OMP-8, OMP-9; in the middle of the work, also where the sample gives time to finish it."""
    rig = Rig(tmp_path, sample, delay=0.002)
    daemon = rig.daemon
    daemon.conf.write_text(daemon.conf.read_text().replace('timeoutShutdown="5000"', 'timeoutShutdown="200"'))
    try:
        daemon.start()
        daemon.send(message(str(number)) for number in range(2000))
        daemon.wait_read()
        children = daemon.child_pids()
        assert daemon.stop() == 0
        assert children
        assert not any(map(alive, children))
        assert 0 < len(rig.raw()) < 2000
        daemon.start()
        rig.wait_texts(2000)
        assert len(rig.raw()) == 2000
    finally:
        daemon.close()


def stop_while_the_program_waits(rig: Rig, stop: Callable[[], object], wanted: int) -> None:
    """Stop rsyslogd in the middle of an outage and start it after it: that many of 301 messages must come through."""
    daemon = rig.daemon
    before, behind = [f"a{number}" for number in range(20)], [f"b{number}" for number in range(280)]
    try:
        daemon.start()
        daemon.send(map(message, [*before, "retry 1000000", *behind]))
        wait_until(lambda: daemon.output.exists() and "holding" in daemon.output.read_text())
        daemon.wait_read()
        stop()
        rig.recover()
        daemon.start()
        daemon.send([message("last")])
        rig.wait_texts(wanted + 1)
        assert rig.ids_tell_messages_apart()
    finally:
        daemon.close()


def test_a_stop_while_the_program_waits_loses_nothing(tmp_path: Path) -> None:
    """In audit grade rsyslogd does not give up the line in work: it is killed as if by systemd. OMP-8, OMP-11."""
    rig = Rig(tmp_path, AUDIT_GRADE, timeout=3)
    stop_while_the_program_waits(rig, lambda: rig.daemon.stop_or_kill(3), 301)


def test_a_stop_of_the_fast_sample_while_the_program_waits_loses_no_more_than_the_line_in_work(tmp_path: Path) -> None:
    """As rsyslog/README.md says."""
    rig = Rig(tmp_path, FAST, timeout=3)
    stop_while_the_program_waits(rig, rig.daemon.stop, 300)


def test_a_killed_rsyslogd_loses_nothing_that_it_had_read(tmp_path: Path) -> None:
    """The audit-grade queue; OMP-9, OMP-10 and OMP-11 for the program, which ends by itself."""
    rig = Rig(tmp_path, AUDIT_GRADE, delay=0.001)
    daemon = rig.daemon
    try:
        for burst in range(3):
            daemon.start()
            daemon.send(message(f"{burst}-{number}") for number in range(1000))
            daemon.wait_read()
            children = daemon.child_pids()
            daemon.kill()
            assert children
            assert not any(map(alive, children))
        assert len(rig.texts()) < 3000
        daemon.start()
        rig.wait_texts(3000)
        assert rig.ids_tell_messages_apart()
    finally:
        daemon.close()


@both
def test_a_full_queue_holds_senders_back_and_discards_nothing(tmp_path: Path, sample: Path) -> None:
    """The program waits, the queue's disk space is used up, the sender blocks; then all of it comes."""
    rig = Rig(tmp_path, sample)
    text = rig.daemon.conf.read_text().replace('queue.maxDiskSpace="4g" queue.maxFileSize="16m"', _SMALL_QUEUE)
    text = text.replace('queue.size="10000" queue.highWatermark="8000" queue.lowWatermark="2000"', _FEW_IN_MEMORY)
    rig.daemon.conf.write_text(text.replace('queue.discardMark="10000"', 'queue.discardMark="200"'))
    messages = [message(f"{number} {'x' * 500}") for number in range(5000)]
    with rig.daemon as daemon:
        daemon.send([message("retry 25")])  # five seconds
        wait_until(lambda: daemon.output.exists() and "holding" in daemon.output.read_text())
        sender = threading.Thread(target=daemon.send, args=(messages,), daemon=True)
        sender.start()
        sender.join(2)
        assert sender.is_alive(), "the sender was not held back"
        assert (rig.starts(), rig.raw()) == (1, [])
        sender.join(60)
        rig.wait_texts(5001)
        assert len(rig.raw()) == 5001


_SMALL_QUEUE = 'queue.maxDiskSpace="512k" queue.maxFileSize="64k"'
_FEW_IN_MEMORY = 'queue.size="200" queue.highWatermark="150" queue.lowWatermark="50"'


def test_a_long_line_comes_whole(audit: Rig) -> None:
    text = "a long line " + "0123456789" * 20_000
    audit.daemon.send([message(text)])
    audit.wait_texts(1)
    assert audit.texts() == {text}


def test_bytes_that_are_not_utf8_come_as_they_are(audit: Rig) -> None:
    data = bytes(range(0x80, 0x100)) + "č".encode()[:1] + b'"\\'
    audit.daemon.send([message(data)])
    audit.wait_texts(1)
    assert audit.got()[0]["msg"].encode("utf-8", "surrogateescape") == b" " + data


def test_control_characters_can_not_break_the_line(audit: Rig) -> None:
    """OMP-12: an LF in the middle would be two lines to the program."""
    audit.daemon.send([message(b"a\nb\x00c\x1b[2J\td\r\n")])
    audit.wait_texts(1)
    assert audit.texts() == {"a#012b#000c#033[2J#011d#015"}


def test_equal_lines_have_different_ids(audit: Rig) -> None:
    audit.daemon.send([message("equal")] * 50)
    wait_until(lambda: len(audit.raw()) == 50)
    assert len({item["id"] for item in audit.got()}) == 50
    assert audit.texts() == {"equal"}


@both
@pytest.mark.slow
def test_no_rate_limit_loses_any_of_30000(tmp_path: Path, sample: Path) -> None:
    rig = Rig(tmp_path, sample)
    with rig.daemon as daemon:
        daemon.send(message(str(number)) for number in range(30_000))
        daemon.wait_read()
        wait_until(lambda: len(rig.raw()) >= 30_000, 90, "30,000 messages")
        assert rig.texts() == {str(number) for number in range(30_000)}


FORGERIES = [
    message('{"uid":"0","pid":"1","id":"mine","input":"imjournal"}'),
    message('@cee: {"uid":0,"pid":1,"ttyscribe":{"uid":"0","pid":"1","id":"mine"}}'),
    message('","uid":"0","pid":"1","id":"mine'),
    b'<86>1 2001-01-01T00:00:00Z root-host sudo 1 ID [x@1 uid="0" pid="1" id="mine"] structured data',
    message("tag", tag='x","uid":"0","pid":"1'),
    message("_UID=0 _PID=1 uid=0 pid=1", tag="sudo[1]"),
    b"<86>uid=0 pid=1",
    b"no priority, no time stamp",
]


@pytest.mark.parametrize("user", ["own", "nobody"])
def test_uid_and_pid_are_the_senders_own_whatever_it_writes(audit: Rig, user: str) -> None:
    uid = os.getuid()
    if user != "own":
        require_root()
        uid = pwd.getpwnam(user).pw_uid
        audit.daemon.folder.chmod(0o755)
    pid = send_as(uid, audit.daemon.socket, FORGERIES)
    wait_until(lambda: len(audit.raw()) == len(FORGERIES))
    got = audit.got()
    assert {(item["uid"], item["pid"]) for item in got} == {(str(uid), str(pid))}
    assert Counter(item["input"] for item in got) == {"imuxsock": len(FORGERIES)}
    assert len({item["id"] for item in got} - {"mine"}) == len(FORGERIES)
    assert "root-host" not in {item["host"] for item in got}
    assert all(not item["time"].startswith("2001") for item in got)


def test_every_byte_of_a_strange_line_stays(audit: Rig) -> None:
    """What no parser knows is kept as text, in tag and message together."""
    strange = [b"no priority, no time stamp", b"<86>nothing but text", b"<86>1 2001-01-01T00:00:00Z h a p m [x] text"]
    audit.daemon.send(strange)
    wait_until(lambda: len(audit.raw()) == len(strange))
    for text, item in zip(strange, audit.got(), strict=True):
        assert "".join((item["tag"] + item["msg"]).split()) == "".join(text.decode().removeprefix("<86>").split())


def test_the_socket_takes_messages_of_every_user(audit: Rig) -> None:
    """As /dev/log does."""
    assert audit.daemon.socket.stat().st_mode & 0o666 == 0o666


def test_a_program_that_can_not_start_holds_the_messages(tmp_path: Path) -> None:
    """OMP-1: no answer, status 1; resumeRetryCount -1 keeps the lines until it can."""
    rig = Rig(tmp_path, AUDIT_GRADE)
    rig._starts.mkdir()  # opening it fails
    with rig.daemon as daemon:
        daemon.send([message("early")])
        wait_until(lambda: daemon.output.exists() and daemon.output.read_text().count("can't start") >= 2, 30)
        assert rig.raw() == []
        rig._starts.rmdir()
        rig.wait_texts(1)
        assert len(rig.raw()) == 1


def test_a_program_that_declines_is_started_again_until_it_serves(tmp_path: Path) -> None:
    """OMP-1: rsyslogd lives through it, and the line with it."""
    program, trace = tmp_path / "program.py", tmp_path / "trace"
    program.write_text(
        "import pathlib, sys, pyrsyslog_omprog as p\n"
        f"trace = pathlib.Path({str(trace)!r})\n"
        "trace.open('a').write('start\\n')\n"
        "if trace.read_text().count('start') < 3: p.decline(); sys.exit(2)\n"
        "class H(p.Handler):\n"
        "    def line(self, data): trace.open('a').write('line\\n')\n"
        "sys.exit(p.run(H()))\n"
    )
    with Rsyslogd([sys.executable, str(program)]) as daemon:
        daemon.send([message("early")])
        wait_until(lambda: trace.exists() and "line" in trace.read_text(), 30)
        assert trace.read_text().splitlines() == ["start"] * 3 + ["line"]
        assert daemon.stop() == 0


def test_a_hup_changes_nothing_for_the_program(audit: Rig) -> None:
    """Log rotation sends one; OMP-9: the same program goes on."""
    audit.daemon.send([message("before")])
    audit.wait_texts(1)
    os.kill(audit.daemon.pid, signal.SIGHUP)
    audit.daemon.send([message("behind")])
    audit.wait_texts(2)
    assert audit.starts() == 1
