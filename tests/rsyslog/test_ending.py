# SPDX-License-Identifier: Apache-2.0
"""How the program around a handler ends: signals, end of input, closed answer pipe (docs/contracts/omprog.md)."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.rsyslog.daemon import wait_until
from tests.rsyslog.peer import Peer

SLOW = """
class H(Handler):
    def line(self, data):
        time.sleep(0.5)
        self.put(data)
    def stop(self):
        self.put(b"stopped")
"""


def test_sigterm_is_a_flag_and_work_goes_on_to_the_end(tmp_path: Path) -> None:
    """OMP-8."""
    with Peer(tmp_path, SLOW) as peer:
        assert peer.answer() == b"OK\n"
        peer.send(b"one", b"two")
        time.sleep(0.1)
        peer.signal(signal.SIGTERM)
        assert [peer.answer(), peer.answer()] == [b"OK\n"] * 2
        assert peer.ask(b"three") == b"OK\n"
        assert peer.process.poll() is None
        assert peer.finish() == 0
        assert peer.done() == [b"one", b"two", b"three", b"stopped"]


@pytest.mark.parametrize("handler", [None, "lambda *_: h.put(b'hup')"], ids=["none", "the program's own"])
def test_sighup_ends_nothing(tmp_path: Path, handler: str | None) -> None:
    """OMP-18: whether it comes while a line is in work or while there is none."""
    own = f"signal.signal(signal.SIGHUP, {handler})" if handler else ""
    code = f"""
import signal
class H(Handler):
    def start(self):
        global h
        h = self
    def line(self, data):
        os.kill(os.getpid(), signal.SIGHUP)
        self.put(data)
{own}
"""
    with Peer(tmp_path, code) as peer:
        assert peer.answer() == b"OK\n"
        assert peer.ask(b"one") == b"OK\n"
        peer.process.send_signal(signal.SIGHUP)
        assert peer.ask(b"two") == b"OK\n"
        assert peer.finish() == 0
        done = peer.done()
        assert [one for one in done if one != b"hup"] == [b"one", b"two"]
        assert (b"hup" in done) == (handler is not None)


RETRYING = """
class H(Handler):
    def line(self, data):
        self.put(data)
        raise Retry(60, "store is down")
"""


def test_sigterm_ends_a_retry_and_leaves_the_line_to_rsyslog(tmp_path: Path) -> None:
    """OMP-8: no answer, status 0, within a second or so and not after the 60 of the handler."""
    with Peer(tmp_path, RETRYING) as peer:
        assert peer.answer() == b"OK\n"
        peer.send(b"one")
        wait_until(peer.done)
        peer.signal(signal.SIGTERM)
        assert peer.status() == 0
        assert peer.answer().strip(b".") == b""
        assert peer.done() == [b"one"]


def test_a_retry_ends_when_nobody_reads_answers_any_more(tmp_path: Path) -> None:
    """OMP-11: a killed rsyslogd leaves no program behind that waits for a store."""
    with Peer(tmp_path, RETRYING, "confirm_timeout=0.3") as peer:
        assert peer.answer().endswith(b"OK\n")
        peer.send(b"one")
        wait_until(peer.done)
        peer.close_input()
        peer.close_output()
        assert peer.status() == 1
        assert peer.done() == [b"one"]
    assert "rsyslog closed the pipe" in peer.said()


def test_a_closed_answer_pipe_ends_it_after_the_line_in_work(tmp_path: Path) -> None:
    """OMP-11: status 1, no traceback, not killed by SIGPIPE."""
    with Peer(tmp_path, SLOW) as peer:
        assert peer.answer() == b"OK\n"
        peer.send(b"one", b"two")
        peer.close_output()
        assert peer.status() == 1
        assert peer.done() == [b"one", b"stopped"]
    assert peer.said().count("\n") == 1
    assert "rsyslog closed the pipe before it took the answer" in peer.said()


def test_the_end_of_the_input_is_the_end_within_a_second(tmp_path: Path) -> None:
    """OMP-9: a generous multiple of it here, far below any wait that the program could be in."""
    with Peer(tmp_path, options="confirm_timeout=60, idle_after=60") as peer:
        assert peer.answer() == b"OK\n"
        before = time.monotonic()
        assert peer.finish() == 0
        assert time.monotonic() - before < 5
    assert peer.said() == ""


def test_half_a_line_at_the_end_is_reported_and_not_processed(tmp_path: Path) -> None:
    """OMP-10."""
    with Peer(tmp_path) as peer:
        assert peer.answer() == b"OK\n"
        assert peer.ask(b"whole") == b"OK\n"
        peer.send_raw(b"half a li")
        assert peer.finish() == 0
        assert peer.answer() == b""
        assert peer.done() == [b"whole"]
    assert "input ended inside a line, after 9 bytes" in peer.said()


def test_it_ends_itself_before_the_dots_run_out(tmp_path: Path) -> None:
    """OMP-5: between two attempts, with status 0 and no answer, so that rsyslog gives the line to a new one."""
    code = """
import pyrsyslog_omprog.protocol
pyrsyslog_omprog.protocol.MAX_DOTS = 5
class H(Handler):
    def line(self, data):
        raise Retry(0.1, "store is down")
"""
    with Peer(tmp_path, code, "confirm_timeout=0.06") as peer:
        assert peer.answer().endswith(b"OK\n")
        peer.send(b"one")
        assert peer.answer() == b"....."
        assert peer.status() == 0
    assert "no keep-alive is left for this answer" in peer.said()


def test_kill_at_any_moment_leaves_every_unconfirmed_line_with_rsyslog(tmp_path: Path) -> None:
    """OMP-2: after SIGKILL what was answered is done."""
    for round_number in range(5):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        with Peer(folder) as peer:
            assert peer.answer() == b"OK\n"
            lines = [b"%d" % number for number in range(2000)]
            peer.send(*lines)
            for _ in range(100 * round_number + 1):
                peer.answer()
            peer.process.kill()
            peer.status()
            confirmed = 100 * round_number + 1 + _answers_left(peer)
            assert len(peer.done()) >= confirmed
            assert peer.done() == lines[: len(peer.done())]


def _answers_left(peer: Peer) -> int:
    """Answers that were in the pipe when the program was killed."""
    os.set_blocking(peer._out, True)
    count = 0
    while peer.answer() == b"OK\n":
        count += 1
    return count
