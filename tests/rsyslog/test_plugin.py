# SPDX-License-Identifier: Apache-2.0
"""The program around a handler, as a real process over real pipes (docs/contracts/omprog.md)."""

import os
import signal
import threading
from pathlib import Path

import pytest

from pyrsyslog_omprog import Handler, Plugin
from tests.rsyslog.daemon import wait_until
from tests.rsyslog.peer import Peer


def test_ready_comes_first_and_checks_hold_the_first_line_back(tmp_path: Path) -> None:
    """OMP-1: one OK before anything; `start` then waits with dots and Retry, before any line is handed over."""
    code = """
class H(Handler):
    tries = 0
    def start(self):
        self.put(b"start")
        self.tries += 1
        if self.tries < 4:
            raise Retry(0.2, "not yet")
"""
    with Peer(tmp_path, code, "confirm_timeout=0.15") as peer:
        assert peer.answer().lstrip(b".") == b"OK\n"
        assert peer.silent(0.3)
        assert peer.done() == []
        answer = peer.ask(b"x" * 100_000)  # more than one read
        assert answer.startswith(b".")
        assert answer.strip(b".") == b"OK\n"
        assert peer.done() == [b"start"] * 4 + [b"x" * 100_000]
        assert peer.ask(b"two").lstrip(b".") == b"OK\n"
        assert peer.finish() == 0
    assert peer.said().count("holding rsyslog back: not yet") == 1


def test_what_can_never_start_leaves_its_line_unanswered(tmp_path: Path) -> None:
    """OMP-1: and says OK first, because rsyslog 8.2302 would not survive less."""
    code = """
class H(Handler):
    def start(self):
        raise ValueError("no such store")
    def stop(self):
        self.put(b"stopped")
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == b"OK\n"
        peer.send(b"one")
        assert peer.answer() == b""
        assert peer.status() == 1
        assert peer.done() == []
    assert "omprog: can't start: ValueError: no such store" in peer.said()


def test_a_start_without_a_line_checks_nothing(tmp_path: Path) -> None:
    """OMP-1, OMP-9: so that a run by hand with no input shows that the program can be run at all."""
    code = """
class H(Handler):
    def start(self):
        raise ValueError("no such store")
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == b"OK\n"
        assert peer.finish() == 0
    assert peer.said() == ""


def test_a_program_that_ends_before_it_serves_says_ok_all_the_same(tmp_path: Path) -> None:
    """OMP-1."""
    with Peer(tmp_path, "pyrsyslog_omprog.decline()\nsys.exit(2)") as peer:
        peer.send(b"one")
        assert peer.answer() == b"OK\n"
        assert peer.answer() == b""
        assert peer.status() == 2


def test_one_answer_for_each_line_after_its_work(tmp_path: Path) -> None:
    """OMP-2, OMP-12: any bytes, a CR and an empty line too."""
    lines = [b"one", b"", b"cr\r", bytes(set(range(256)) - {10}), "café".encode("latin-1"), b"x" * 200_000]
    with Peer(tmp_path) as peer:
        assert peer.answer() == b"OK\n"
        for number, line in enumerate(lines, 1):
            assert peer.ask(line) == b"OK\n"
            assert peer.done() == lines[:number]
        assert peer.silent(0.2)
        assert peer.finish() == 0


def test_many_lines_in_one_write_have_as_many_answers(tmp_path: Path) -> None:
    """OMP-2: in order, none missing, none more."""
    lines = [b"%d" % number for number in range(500)]
    with Peer(tmp_path) as peer:
        peer.send(*lines)
        assert [peer.answer() for _ in range(501)] == [b"OK\n"] * 501
        assert peer.silent(0.2)
        assert peer.finish() == 0
        assert peer.done() == lines


NOISE = {
    "print": "print('OK', flush=True)",
    "the real sys.stdout": "sys.__stdout__.write('OK\\n'); sys.__stdout__.flush()",
    "a child process": "subprocess.run(['sh', '-c', 'echo OK; echo OK >&1'])",
    "a C library": "os.write(1, b'OK\\n')",
    "a child given every descriptor": (
        "subprocess.run(['sh', '-c', 'for fd in 3 4 5 6 7 8 9; do echo OK >&$fd; done'], close_fds=False)"
    ),
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_nothing_but_the_library_writes_answers(tmp_path: Path, noise: str) -> None:
    """OMP-4: a stray OK would confirm the next line unread."""
    code = f"""
class H(Handler):
    def start(self):
        {noise}
    def line(self, data):
        {noise}
        self.put(data)
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == b"OK\n"
        assert peer.ask(b"a line") == b"OK\n"
        assert peer.silent(0.3)
        assert peer.finish() == 0
    assert peer.done() == [b"a line"]
    assert "close_fds" in noise or peer.said().count("OK") >= 2


def test_standard_input_reads_as_empty(tmp_path: Path) -> None:
    """OMP-4: a child that reads its standard input takes no line away."""
    code = """
class H(Handler):
    def line(self, data):
        self.put(data + b"|" + subprocess.run(["cat"], capture_output=True).stdout + sys.stdin.buffer.read())
"""
    with Peer(tmp_path, code) as peer:
        peer.send(b"one", b"two")
        assert [peer.answer() for _ in range(3)] == [b"OK\n"] * 3
        assert peer.done() == [b"one|", b"two|"]
        assert peer.finish() == 0


def test_dots_while_a_handler_works_and_none_after_its_answer(tmp_path: Path) -> None:
    """OMP-6, OMP-7: a third of the time limit apart, from a thread."""
    code = """
class H(Handler):
    def line(self, data):
        time.sleep(1.0)
"""
    with Peer(tmp_path, code, "confirm_timeout=0.3") as peer:
        assert peer.answer().strip(b".") == b"OK\n"
        answer = peer.ask(b"slow")
        assert answer.count(b".") >= 2
        assert answer == b"." * answer.count(b".") + b"OK\n"
        assert peer.silent(0.5)
        assert peer.finish() == 0


def test_retry_calls_again_under_dots_and_reports_once(tmp_path: Path) -> None:
    """OMP-3: the line is confirmed when it is done at last; nothing else ever goes out."""
    code = """
class H(Handler):
    tries = 0
    def line(self, data):
        self.tries += 1
        if data == b"hard" and self.tries < 6:
            raise Retry(0.1, "store is down")
        self.put(data)
"""
    with Peer(tmp_path, code, "confirm_timeout=0.3") as peer:
        assert peer.answer().endswith(b"OK\n")
        peer.send(b"hard", b"easy")
        first = peer.answer()
        assert b"." in first
        assert first.strip(b".") == b"OK\n"
        assert peer.answer().lstrip(b".") == b"OK\n"
        assert peer.done() == [b"hard", b"easy"]
        assert peer.finish() == 0
    assert peer.said().count("store is down") == 1


POISON = """
class Awkward(Exception):
    def __str__(self):
        raise RuntimeError("no text either")

class H(Handler):
    def line(self, data):
        if data == b"bad":
            raise ValueError("bad\\nvery bad\\x1b[2J")
        if data == b"awkward":
            raise Awkward
        if data == b"late":
            self.late = getattr(self, "late", 0) + 1
            raise Retry(0.05) if self.late == 1 else KeyError("late")
        self.put(data)
    def poison(self, data, error):
        self.put(b"poison " + data + b" " + type(error).__name__.encode())
"""


def test_a_poison_line_is_reported_put_aside_and_confirmed(tmp_path: Path) -> None:
    """OMP-15, OMP-3, OMP-16: the next line follows at once; the report is one line, its control characters escaped."""
    with Peer(tmp_path, POISON) as peer:
        assert peer.answer() == b"OK\n"
        for line in (b"bad", b"awkward", b"late", b"good"):
            assert peer.ask(line).lstrip(b".") == b"OK\n"
        assert peer.finish() == 0
        assert peer.done() == [b"poison bad ValueError", b"poison awkward Awkward", b"poison late KeyError", b"good"]
    reports = peer.said().splitlines()
    assert len(reports) == 4  # "holding back" for the one that was retried
    assert reports[0].startswith(r"omprog: poison line of 3 bytes: ValueError: bad\nvery bad\x1b[2J")


def test_putting_aside_waits_for_a_full_disk(tmp_path: Path) -> None:
    """OMP-15."""
    code = """
import pyrsyslog_omprog.plugin
pyrsyslog_omprog.plugin._DISK_RETRY = 0.1
class H(Handler):
    full = 3
    def line(self, data):
        raise ValueError("never")
    def poison(self, data, error):
        self.full -= 1
        if self.full:
            raise OSError(28, "No space left on device")
        self.put(data)
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == b"OK\n"
        assert peer.ask(b"one").lstrip(b".") == b"OK\n"
        assert peer.done() == [b"one"]
        assert peer.finish() == 0
    assert "can't put a line aside: [Errno 28] No space left on device" in peer.said()


def test_a_line_that_can_not_even_be_put_aside_is_reported_and_confirmed(tmp_path: Path) -> None:
    """OMP-15, OMP-3."""
    code = """
class H(Handler):
    def line(self, data):
        raise ValueError("never")
    def poison(self, data, error):
        raise KeyError("nor this")
"""
    with Peer(tmp_path, code) as peer:
        assert [peer.answer(), peer.ask(b"one"), peer.ask(b"two")] == [b"OK\n"] * 3
        assert peer.finish() == 0
    assert "poison line lost, putting it aside failed: KeyError: 'nor this'" in peer.said()
    assert "b'one'" in peer.said()


def test_a_long_line_comes_as_its_head_and_size(tmp_path: Path) -> None:
    """OMP-13: and by default it is poison."""
    code = """
class H(Handler):
    def long_line(self, head, size):
        if size == 11:
            return super().long_line(head, size)
        self.put(head + b" of %d" % size)
    def poison(self, data, error):
        self.put(b"poison " + data + b": " + str(error).encode())
"""
    with Peer(tmp_path, code, "max_line=10") as peer:
        assert peer.answer() == b"OK\n"
        for line in (b"0123456789", b"0123456789a", b"x" * 1_000_000):
            assert peer.ask(line) == b"OK\n"
        assert peer.finish() == 0
        assert peer.done() == [
            b"0123456789",
            b"poison 0123456789: line of 11 bytes is longer than 10",
            b"x" * 10 + b" of 1000000",
        ]


def test_transaction_marks_are_answered_and_never_handed_over(tmp_path: Path) -> None:
    """OMP-14: without a `defer` of its own a handler's lines are durable one by one, and answered so."""
    begin, commit = b"BEGIN TRANSACTION", b"COMMIT TRANSACTION"
    with Peer(tmp_path) as peer:
        assert peer.answer() == b"OK\n"
        for line in (begin, b"a", begin, b"b", b"c", commit, b"d"):
            assert peer.ask(line) == b"OK\n"
        assert peer.finish() == 0
        assert peer.done() == [b"a", b"b", b"c", b"d"]


def test_idle_is_called_again_and_again_and_its_fault_is_only_reported(tmp_path: Path) -> None:
    """OMP-2: idling never answers."""
    code = """
class H(Handler):
    def idle(self):
        self.put(b"idle")
        raise RuntimeError("housekeeping")
"""
    with Peer(tmp_path, code, "idle_after=0.05") as peer:
        assert [peer.answer(), peer.ask(b"first")] == [b"OK\n"] * 2
        wait_until(lambda: peer.done().count(b"idle") >= 3)
        assert peer.silent(0.1)
        assert peer.ask(b"second") == b"OK\n"
        assert [line for line in peer.done() if line != b"idle"] == [b"first", b"second"]
        assert peer.finish() == 0
    assert "omprog: idle: RuntimeError: housekeeping" in peer.said()


def test_a_report_is_one_short_line_whatever_it_says(tmp_path: Path) -> None:
    """OMP-16."""
    code = """
class H(Handler):
    def line(self, data):
        raise ValueError("\\n\\x1b\\ud800é" * 5000)
"""
    with Peer(tmp_path, code) as peer:
        assert [peer.answer(), peer.ask(b"x"), peer.ask(b"y")] == [b"OK\n"] * 3
        assert peer.finish() == 0
    raw = peer._log.read_bytes()
    assert raw.count(b"\n") == 2
    assert all(len(line) < 4096 for line in raw.split(b"\n"))
    assert b"\x1b" not in raw


def test_a_report_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    """OMP-16: as with a full disk below the `output` file."""
    code = POISON + "\nos.dup2(os.open('/dev/full', os.O_WRONLY), 2)\n"
    with Peer(tmp_path, code) as peer:
        assert [peer.answer(), peer.ask(b"bad"), peer.ask(b"good")] == [b"OK\n"] * 3
        assert peer.finish() == 0
        assert peer.done() == [b"poison bad ValueError", b"good"]


def test_without_confirmations_nothing_is_written(tmp_path: Path) -> None:
    """OMP-4: and standard output is private all the same."""
    code = """
class H(Handler):
    def line(self, data):
        print("noise", flush=True)
        self.put(data)
"""
    with Peer(tmp_path, code, "confirm=False, confirm_timeout=0.03") as peer:
        peer.send(b"one", b"two")
        wait_until(lambda: len(peer.done()) == 2)
        assert peer.finish() == 0
        assert peer.answer() == b""


def test_a_plugin_serves_in_a_thread_over_descriptors_of_its_own() -> None:
    """OMP-2, OMP-9: for programs that have more to do; signals stay theirs."""
    got: list[bytes] = []
    status: list[int] = []

    class Collect(Handler):
        def line(self, data: bytes) -> None:
            got.append(data)

    lines, to_lines = os.pipe()
    from_answers, answers = os.pipe()
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=lambda: status.append(Plugin(Collect(), lines=lines, answers=answers).serve()))
    thread.start()
    try:
        assert os.read(from_answers, 100) == b"OK\n"
        os.write(to_lines, b"one\n")
        assert os.read(from_answers, 100) == b"OK\n"
    finally:
        os.close(to_lines)
        thread.join(20)
    assert (got, status) == ([b"one"], [0])
    assert signal.getsignal(signal.SIGTERM) is before
    for fd in (lines, answers, from_answers):
        os.close(fd)
