# SPDX-License-Identifier: Apache-2.0
"""The program around a filter, as a real process over real pipes (docs/contracts/mmexternal.md)."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.rsyslog.filter_peer import FilterPeer

ECHO = """
class F(Filter):
    def message(self, message):
        return {"$!": {"seen": message["msg"]}}
"""
MARKED = """
    def broken(self, data, size, error):
        return {"$!": {"broken": [len(data), size, type(error).__name__]}}
"""


def line(text: str, **more: Any) -> bytes:
    """One line as rsyslog sends it."""
    return json.dumps({"msg": text, "$!": None} | more).encode("utf-8", "surrogateescape")


def seen(text: str) -> dict[str, Any]:
    """The reply of ECHO."""
    return {"$!": {"seen": text}}


def test_silence_before_the_first_line_then_one_reply_for_each(tmp_path: Path) -> None:
    """MME-1, MME-2: also where many lines come in one read."""
    with FilterPeer(tmp_path, ECHO) as peer:
        assert peer.silent(0.5)
        assert peer.ask(line("one")) == seen("one")
        peer.send_raw(b"".join(line(f"{number}") + b"\n" for number in range(500)))
        assert [json.loads(peer.answer()) for _ in range(500)] == [seen(f"{number}") for number in range(500)]
        assert peer.silent(0.2)
        assert peer.finish() == 0
    assert peer.said() == ""


def test_lines_in_pieces_and_of_any_bytes(tmp_path: Path) -> None:
    """MME-7."""
    data = line("é \x00 \x7f \r") + b"\n" + line("").replace(b'"msg": ""', b'"msg": "caf\xe9"') + b"\n"
    with FilterPeer(tmp_path, ECHO) as peer:
        for byte in data:
            peer.send_raw(bytes([byte]))
        assert json.loads(peer.answer()) == seen("é \x00 \x7f \r")
        assert json.loads(peer.answer()) == seen("caf\udce9")
        assert peer.finish() == 0


NOISE = {
    "print": "print('{}', flush=True)",
    "print to standard error": "print('{}', file=sys.stderr, flush=True)",
    "the real sys.stdout": "sys.__stdout__.write('{}\\n'); sys.__stdout__.flush()",
    "the real sys.stderr": "sys.__stderr__.write('{}\\n'); sys.__stderr__.flush()",
    "a warning": "import warnings; warnings.simplefilter('always'); warnings.warn('{}')",
    "logging": "import logging; logging.error('{}')",
    "a child process": "subprocess.run(['/bin/sh', '-c', 'echo {}; echo {} >&2'])",
    "a C library": "os.write(1, b'{}\\n'); os.write(2, b'{}\\n')",
    "a child given every descriptor": (
        "subprocess.run(['/bin/sh', '-c', 'for fd in 3 4 5 6 7 8 9; do echo {} >&$fd; done'], close_fds=False)"
    ),
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE.keys())
def test_nothing_but_the_library_writes_replies(tmp_path: Path, noise: str) -> None:
    """MME-3, MME-9: it is in the log file; standard input reads as empty."""
    code = f"""
class F(Filter):
    def message(self, message):
        {noise}
        return {{"msg": subprocess.run(["/bin/cat"], capture_output=True).stdout.decode() + sys.stdin.read()}}
"""
    with FilterPeer(tmp_path, code) as peer:
        assert peer.ask(line("one")) == {"msg": ""}
        assert peer.ask(line("two")) == {"msg": ""}
        assert peer.silent(0.2)
        assert peer.finish() == 0
    assert "close_fds" in noise or "{}" in peer.said()


def test_what_was_printed_before_and_not_written_out_is_no_reply(tmp_path: Path) -> None:
    """MME-3: Python holds back what goes to a pipe."""
    with FilterPeer(tmp_path, ECHO, before="print('{}')") as peer:
        assert peer.ask(line("one")) == seen("one")
        assert peer.finish() == 0
    assert peer.said() == "{}\n"


def test_without_a_log_file_it_is_silent(tmp_path: Path) -> None:
    """MME-3."""
    code = "class F(Filter):\n    def message(self, message):\n        print('x', flush=True); 1 / 0\n"
    with FilterPeer(tmp_path, code, log=False) as peer:
        assert peer.ask(line("one")) == {}
        assert peer.finish() == 0


FAILURES = {
    "an exception": "raise RuntimeError('no')",
    "an exception whose text fails": "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()",
    "recursion": "return self.message(message)",
    "a list": "return [] or [1]",
    "text": "return 'x'",
    "an unknown name": "return {'mesage': 'x'}",
    "a number": "return {'msg': 1}",
    "bytes": "return {'$!': {'x': b''}}",
    "not a number": "return {'$!': {'x': float('nan')}}",
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_whatever_a_filter_does_the_reply_is_valid(tmp_path: Path, failure: str) -> None:
    """MME-4, MME-5: reported in one line; and the next message is answered as if nothing had been."""
    code = f"""
class F(Filter):
    def message(self, message):
        if message["msg"] == "good":
            return {{"msg": "well"}}
        {failure}
"""
    with FilterPeer(tmp_path, code) as peer:
        assert peer.ask(line("bad")) == {}
        assert peer.ask(line("good")) == {"msg": "well"}
        assert peer.finish() == 0
    assert peer.said().count("\n") == 1
    assert peer.said().startswith("mmexternal: line of ")
    with FilterPeer(tmp_path, code + MARKED) as peer:
        assert "broken" in peer.ask(line("bad"))["$!"]
        assert peer.finish() == 0


def test_broken_may_fail_too(tmp_path: Path) -> None:
    """MME-4."""
    code = """
class F(Filter):
    def message(self, message):
        1 / 0
    def broken(self, data, size, error):
        return {"x": 1}
"""
    with FilterPeer(tmp_path, code) as peer:
        assert peer.ask(line("bad")) == {}
        assert peer.finish() == 0
    assert peer.said().count("\n") == 2


@pytest.mark.parametrize("junk", [b"", b" ", b"text", b"\xff\x00", b"[1]", b"null", b"[" * 100_000])
def test_a_line_that_is_no_message_has_its_reply(tmp_path: Path, junk: bytes) -> None:
    """MME-4, MME-7."""
    with FilterPeer(tmp_path, ECHO + MARKED) as peer:
        assert peer.ask(junk)["$!"]["broken"][:2] == [len(junk), len(junk)]
        assert peer.ask(line("one")) == seen("one")
        assert peer.finish() == 0


def test_a_line_beyond_the_limit_has_its_reply_and_bounded_memory(tmp_path: Path) -> None:
    """MME-8."""
    with FilterPeer(tmp_path, ECHO + MARKED, "max_line=100_000") as peer:
        peer.ask(line("one"))
        whole = line("x" * 90_000)
        assert peer.ask(whole) == seen("x" * 90_000)
        before = peak(peer)
        for _ in range(64):
            peer.send_raw(b"x" * 1_000_000)
        assert peer.ask(b"")["$!"]["broken"][:2] == [100_000, 64_000_000]
        assert peak(peer) < before + 20
        assert peer.ask(line("two")) == seen("two")
        assert peer.finish() == 0


def peak(peer: FilterPeer) -> float:
    """The most memory that it has used so far, in MB."""
    status = Path(f"/proc/{peer.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_a_reply_larger_than_a_pipe(tmp_path: Path) -> None:
    """MME-2: rsyslog reads it in pieces."""
    with FilterPeer(tmp_path, ECHO) as peer:
        assert peer.ask(line("x" * 1_000_000)) == seen("x" * 1_000_000)
        assert peer.finish() == 0


def test_it_works_without_any_environment(tmp_path: Path) -> None:
    """MME-9."""
    code = """
class F(Filter):
    def message(self, message):
        return {"msg": os.getcwd() + repr(sorted(set(os.environ) - {"LC_CTYPE"}))}
"""
    with FilterPeer(tmp_path, code) as peer:
        assert peer.ask(line("one")) == {"msg": "/[]"}
        assert peer.finish() == 0


def test_the_end_of_the_input_is_the_end_and_sigterm_only_a_flag(tmp_path: Path) -> None:
    """MME-10: half a line is none."""
    code = f"{ECHO}    def stop(self):\n        print('stopped', flush=True)\n"
    with FilterPeer(tmp_path, code) as peer:
        assert peer.ask(line("one")) == seen("one")
        peer.signal(signal.SIGTERM)
        assert peer.ask(line("two")) == seen("two")
        peer.send_raw(b'{"msg":"thr')
        assert peer.finish() == 0
    assert peer.said() == "mmexternal: input ended inside a line, after 11 bytes\nstopped\n"


def test_a_stop_that_fails_is_reported(tmp_path: Path) -> None:
    """MME-10."""
    with FilterPeer(tmp_path, f"{ECHO}    def stop(self):\n        1 / 0\n") as peer:
        assert peer.finish() == 0
    assert "stop: ZeroDivisionError" in peer.said()


HANGS = {
    "sleeping": "time.sleep(1000)",
    "in a loop": "\n        while True: pass",
    "in a C call that holds the interpreter": "import re; re.match('(a+)+b', 'a' * 64)",
    "with all exceptions caught": """
        while True:
            try: time.sleep(1000)
            except BaseException: pass""",
}


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS.keys())
def test_a_filter_that_hangs_ends_with_its_process(tmp_path: Path, hang: str) -> None:
    """MME-11."""
    code = f"class F(Filter):\n    def message(self, message):\n        {hang}\n"
    with FilterPeer(tmp_path, code, "time_limit=0.7") as peer:
        peer.send_raw(line("bad") + b"\n")
        assert peer.answer() == b""
        assert peer.status() == -signal.SIGALRM


def test_the_limit_is_one_messages_own(tmp_path: Path) -> None:
    """MME-11: what the others needed does not count, and no time runs while there is none."""
    code = (
        "class F(Filter):\n    def message(self, message):\n        time.sleep(0.4)\n        return {'msg': 'well'}\n"
    )
    with FilterPeer(tmp_path, code, "time_limit=2.0") as peer:
        for _ in range(3):
            assert peer.ask(line("good")) == {"msg": "well"}
        assert peer.silent(2.2)
        for _ in range(3):
            assert peer.ask(line("good")) == {"msg": "well"}
        assert peer.finish() == 0


def test_a_blocked_or_ignored_alarm_is_taken_back(tmp_path: Path) -> None:
    """MME-11: whatever the program has inherited."""
    code = "class F(Filter):\n    def message(self, message):\n        time.sleep(1000)\n"
    before = "signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 30))"
    with FilterPeer(tmp_path, code, "time_limit=0.5", before) as peer:
        peer.send_raw(line("bad") + b"\n")
        assert peer.status() == -signal.SIGALRM


def test_a_closed_reply_pipe_ends_it(tmp_path: Path) -> None:
    """MME-13."""
    with FilterPeer(tmp_path, ECHO) as peer:
        assert peer.ask(line("one")) == seen("one")
        peer.close_output()
        peer.send_raw(line("two") + b"\n")
        assert peer.status() == 1
    assert peer.said() == "mmexternal: rsyslog closed the pipe before it took the reply\n"


def test_a_death_takes_no_second_line_with_it(tmp_path: Path) -> None:
    """MME-12: who sees the end of the replies can't write one more line."""
    code = "class F(Filter):\n    def message(self, message):\n        os._exit(3)\n"
    for _ in range(10):
        with FilterPeer(tmp_path, code) as peer:
            peer.send_raw(line("one") + b"\n")
            assert peer.answer() == b""
            with pytest.raises(BrokenPipeError):
                peer.send_raw(line("two") + b"\n")
