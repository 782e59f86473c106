# SPDX-License-Identifier: Apache-2.0
"""Filters under the real rsyslogd, as the library makes them and as they must not be."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.rsyslog.daemon import wait_until
from tests.rsyslog.filtering import Filtering

pytestmark = pytest.mark.rsyslogd

EXAMPLE = Path(__file__).resolve().parents[2] / "rsyslog" / "examples" / "shout.py"
HEAD = """
import os, sys, time
from pyrsyslog_omprog.mmexternal import Filter, run
"""


def message(text: str | bytes) -> bytes:
    """One datagram as syslog(3) sends it."""
    return b"<86>Nov 24 12:00:00 test: " + (text.encode() if isinstance(text, str) else text)


def program(folder: Path, code: str) -> list[str]:
    """A program made of some lines."""
    path = folder / "filter.py"
    path.write_text(HEAD + code)
    return [sys.executable, str(path)]


def test_the_example_under_the_real_rsyslogd() -> None:
    """MME-2, MME-9: it is run with an empty environment in `/`."""
    texts = ["one", "zwei ü", 'quoted "x" \\', "x" * 60_000]
    with Filtering([sys.executable, str(EXAMPLE)], "%$!shout%") as daemon:
        daemon.send(map(message, texts))
        results = daemon.wait_results(len(texts))
        (child,) = daemon.child_pids()
        assert Path(f"/proc/{child}/cwd").readlink() == Path("/")
        assert set(Path(f"/proc/{child}/environ").read_bytes().split(b"\0")) <= {b"", b"PWD=/"}
    assert results == [f" {text}".upper().encode() for text in texts]
    assert daemon.child_pids() == []


ODD = """
class F(Filter):
    def message(self, message):
        text = message["msg"].strip()
        if text.startswith("noise"):
            print("{}", flush=True)
            os.system("echo {}; echo warning >&2")
        if text.startswith("fail"):
            1 / 0
        if text.startswith("die"):
            os._exit(3)
        return {"$!": {"mark": text, "more": {"exact": "12345678901234567890123", "rounded": 12345678901234567890123}}}

sys.exit(run(F(), log_file=LOG, time_limit=2.0))
"""


def test_what_a_filter_can_do_to_its_messages(tmp_path: Path) -> None:
    """MME-3, MME-4, MME-6, MME-12: what it fails or dies over goes on unmarked, the next ones are in step."""
    code = ODD.replace("LOG", repr(str(tmp_path / "log")))
    texts = ["a", "noise b", "c", "fail d", "e", "die f", "g", "caf\udce9"]
    with Filtering(program(tmp_path, code), "%msg%|%$!mark%|%$!more%") as daemon:
        daemon.send(message(text.encode("utf-8", "surrogateescape")) for text in texts)
        results = [line.split(b"|") for line in daemon.wait_results(len(texts))]
        assert "invalid reply" not in daemon.said()
    unmarked = {"fail d", "die f"}
    for text, (msg, mark, more) in zip(texts, results, strict=True):
        assert msg == b" " + text.encode("utf-8", "surrogateescape")
        assert mark == (b"" if text in unmarked else text.encode("utf-8", "replace").replace(b"?", "\ufffd".encode()))
        assert text in unmarked or b'"exact": "12345678901234567890123", "rounded": 9223372036854775807' in more
    assert "warning" in (tmp_path / "log").read_text()


def test_killed_programs_let_at_most_the_message_in_work_pass() -> None:
    """MME-12: with the settings of the contract the others wait for the new program."""
    with Filtering([sys.executable, str(EXAMPLE)], "%msg%|%$!shout%") as daemon:
        daemon.send(message(f"m{number}") for number in range(50))
        daemon.wait_results(50)
        for kill in range(3):
            assert daemon.kill_child() == 1
            daemon.send(message(f"m{number}") for number in range(50 * (kill + 1), 50 * (kill + 2)))
            daemon.wait_results(50 * (kill + 2))
        results = [line.split(b"|") for line in daemon.results()]
    assert [msg for msg, _ in results] == [b" m%d" % number for number in range(200)]
    assert sum(not mark for _, mark in results) <= 3
    assert all(mark in (b"", msg.upper()) for msg, mark in results)


def test_a_program_that_hangs_is_replaced(tmp_path: Path) -> None:
    """MME-11: rsyslog 8.2302 alone would wait for ever."""
    code = """
class F(Filter):
    def message(self, message):
        if "hang" in message["msg"]:
            while True:
                time.sleep(1)
        return {"$!": {"mark": "seen"}}

sys.exit(run(F(), time_limit=3.0))
"""
    with Filtering(program(tmp_path, code), "%msg%|%$!mark%") as daemon:
        daemon.send(map(message, ("a", "hang", "b")))
        assert daemon.wait_results(3) == [b" a|seen", b" hang|", b" b|seen"]
        assert f"signal {signal.SIGALRM.value}" in daemon.said()


def test_one_stray_line_puts_a_careless_program_out_of_step(tmp_path: Path) -> None:
    """MME-2, MME-3: why the library is as it is, and why a mark should name its message."""
    careless = """
import json
for line in sys.stdin:
    text = json.loads(line)["msg"].strip()
    if text == "b":
        os.write(2, b"a warning\\n")
    time.sleep(0.3)
    os.write(1, json.dumps({"$!": {"mark": text}}).encode() + b"\\n")
"""
    with Filtering(program(tmp_path, careless), "%msg%|%$!mark%") as daemon:
        daemon.send(map(message, "a"))
        daemon.wait_results(1)
        daemon.send(map(message, "bcd"))
        results = daemon.wait_results(4)
    assert results[0] == b" a|a"
    assert results[2:] == [b" c|b", b" d|c"]


def test_what_senders_put_into_the_tree_is_gone_with_unset() -> None:
    """The contract's last part: names know no case, and one `unset $!;` removes all of them."""
    forged = '@cee: {"SHOUT":"forged","Shout":{"x":1},"sHoUt":[2]}'
    parse = 'action(type="mmjsonparse" cookie="@cee:")'
    failing = [sys.executable, "-c", "import sys; [print('no reply', flush=True) for _ in sys.stdin]"]
    with Filtering(failing, "%$!shout%", before=parse) as daemon:
        daemon.send([message(forged)])
        assert daemon.wait_results(1) == [b"[ 2 ]"]
    with Filtering(failing, "<%$!shout%%$!%>", before=f"{parse} unset $!;") as daemon:
        daemon.send([message(forged)])
        assert daemon.wait_results(1) == [b"<>"]


def test_a_stop_leaves_no_program() -> None:
    """MME-10."""
    with Filtering([sys.executable, str(EXAMPLE)], "%$!shout%") as daemon:
        daemon.send([message("a")])
        daemon.wait_results(1)
        pids = daemon.child_pids()
        daemon.stop()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), 20, "the program's end")
