# SPDX-License-Identifier: Apache-2.0
"""Wrong options, unreadable files, stores away or refusing, full disks: one clear line, the right status, no loss."""

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.disks import fill, small_disk
from tests.e2e.chain import Chain, program, run, wait
from tests.e2e.traffic import datagram, messages
from tests.peers import require_root
from tests.store.stand_in import answer, standing_in

FAILED, OPERATOR = 1, 2


class Case(NamedTuple):
    """A command line that can't work; {tmp} is an empty folder, {closed} an address where nobody listens."""

    command: str
    status: int
    says: str
    stdin: bytes = b""


CASES = [
    Case("ttyscribe-rec --nonsense", OPERATOR, "--nonsense"),
    Case("ttyscribe-rec --writer=nowhere -- touch {tmp}/ran", OPERATOR, "'nowhere' is none of journal, syslog, file"),
    Case("ttyscribe-rec -- touch {tmp}/ran", OPERATOR, "say --file-path=FILE, or --writer=journal or syslog"),
    Case("ttyscribe-rec -o {tmp}/no/file -- touch {tmp}/ran", FAILED, "can't open {tmp}/no/file to record to"),
    Case("ttyscribe-rec -o {tmp} -- touch {tmp}/ran", FAILED, "can't open {tmp} to record to"),
    Case("ttyscribe-play --nonsense x", OPERATOR, "--nonsense"),
    Case("ttyscribe-play {tmp}/file", OPERATOR, "no such file: '{tmp}/file'"),
    Case("ttyscribe-play {tmp}", OPERATOR, "{tmp}: cannot be read"),
    Case("ttyscribe-play -", FAILED, "not a JSON object", b"no recording\n"),
    Case("ttyscribe-play --store sqlite:{tmp}/no x", OPERATOR, "there is no store here"),
    Case("ttyscribe-play --store http://{closed} x", FAILED, "Connection refused"),
    Case("ttyscribe nonsense", OPERATOR, "nonsense"),
    Case("ttyscribe search --nonsense x", OPERATOR, "--nonsense"),
    Case("ttyscribe search x", OPERATOR, "Give --store URL or set TTYSCRIBE_STORE"),
    Case(
        "ttyscribe search --store gopher://x x",
        OPERATOR,
        "wanted: sqlite:DIR, http(s)://host:port[,host:port...][/prefix]",
    ),
    Case("ttyscribe search --store http://user:secret@{closed} x", OPERATOR, "TTYSCRIBE_STORE_USER"),
    Case("ttyscribe search --store sqlite:{tmp}/no x", OPERATOR, "there is no store here"),
    Case("ttyscribe search --store http://{closed} x", FAILED, "Connection refused"),
    Case("ttyscribe recordings --store http://{closed}", FAILED, "Connection refused"),
    Case("ttyscribe show --store http://{closed} x", FAILED, "Connection refused"),
    Case("ttyscribe setup --store http://{closed}", FAILED, "Connection refused"),
    Case("ttyscribe-normalize --nonsense", OPERATOR, "--nonsense"),
    Case("ttyscribe-normalize --protocol ndjson --nonsense", OPERATOR, "--nonsense"),
    Case("ttyscribe-normalize --protocol omprog", OPERATOR, "needs --output"),
    Case("ttyscribe-normalize --protocol ndjson --output gopher://x", OPERATOR, "wanted: sqlite:DIR"),
    Case("ttyscribe-normalize --protocol ndjson --dead-letter {tmp}/no/d", OPERATOR, "its folder does not exist"),
    Case("ttyscribe-normalize --protocol ndjson --log-file {tmp}/no/l", OPERATOR, "can't write the log file"),
    Case(
        "ttyscribe-normalize --protocol omprog --output sqlite:{tmp}/s --dead-letter {tmp}/no/d", OPERATOR, "--dead-l"
    ),
    Case("ttyscribe-normalize --protocol ndjson --check-config --output http://{closed}", FAILED, "Connection refused"),
    Case("ttyscribe-normalize --protocol ndjson --dead-letter {tmp}/d", FAILED, "see {tmp}/d", b"garbage\n"),
]


def closed_address() -> str:
    """An address on this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("case", CASES, ids=[case.command for case in CASES])
def test_one_clear_line_and_the_right_status(case: Case, tmp_path: Path) -> None:
    here = {"tmp": str(tmp_path), "closed": closed_address()}
    name, *arguments = case.command.format(**here).split()
    done = run(name, *arguments, stdin=case.stdin)
    said = done.stderr.decode()
    assert done.returncode == case.status, said
    assert "Traceback" not in said
    assert "secret" not in said.replace(case.command, "")
    reasons = [line for line in said.splitlines() if case.says.format(**here) in line]
    assert len(reasons) == 1, said
    assert reasons[0].startswith(f"{name}: ")
    assert done.stdout == (b"OK\n" if "omprog" in case.command else b"")
    assert not (tmp_path / "ran").exists()


REFUSAL = {"error": {"type": "security_exception", "reason": "missing credentials"}, "status": 401}


@pytest.mark.parametrize("verb", ["search x", "recordings", "show x", "setup"])
def test_a_refusing_store_is_the_operators_to_mend(verb: str) -> None:
    with standing_in() as server:
        server.always = answer(401, REFUSAL)
        name, *rest = verb.split()
        done = run("ttyscribe", name, "--store", f"http://127.0.0.1:{server.server_address[1]}", *rest)
    assert done.returncode == OPERATOR, done.stderr
    assert done.stderr.count(b"\n") == 1
    assert b"missing credentials" in done.stderr


@pytest.mark.parametrize("verb", ["search x", "recordings", "show x", "setup"])
def test_something_else_at_the_stores_address_is_one_clear_line(verb: str) -> None:
    """A web page, say, with status 200."""
    with standing_in() as server:
        server.always = answer(200, b"<html>hello</html>", "text/html")
        name, *rest = verb.split()
        done = run("ttyscribe", name, "--store", f"http://127.0.0.1:{server.server_address[1]}", *rest)
    assert done.returncode in (FAILED, OPERATOR)
    assert done.stderr.count(b"\n") == 1, done.stderr


def test_an_unreachable_store_holds_an_import_back_and_sigterm_ends_it(tmp_path: Path) -> None:
    """Nothing is taken for stored: what to do is said, and the status is 1."""
    command = [program("ttyscribe-normalize"), "--protocol", "ndjson", "--output", f"http://{closed_address()}"]
    errors = tmp_path / "errors"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--dead-letter", str(tmp_path / "dead")], stdin=subprocess.PIPE, stderr=stderr
        )
    try:
        assert process.stdin is not None
        process.stdin.write(messages("r", 1)[0] + b"\n")
        process.stdin.close()
        wait(lambda: b"holding the input back" in errors.read_bytes(), errors.read_bytes)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == FAILED
    finally:
        process.kill()
        process.wait()
    assert b"feed the rest again" in errors.read_bytes()
    assert not (tmp_path / "dead").exists()


def test_a_full_disk_under_a_recording_leaves_the_command_alone(tmp_path: Path) -> None:
    """One line says what the recording lacks; the status is the command's."""
    done = run("ttyscribe-rec", "-o", "/dev/full", "--", "sh", "-c", "echo shown; exit 7")
    assert (done.returncode, done.stdout) == (7, b"shown\n")
    assert done.stderr.startswith(b"ttyscribe-rec: the recording lacks 1 message, the log could not be written: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.root
@pytest.mark.rsyslogd
def test_a_full_disk_under_the_store_holds_rsyslog_back_until_there_is_room(tmp_path: Path) -> None:
    require_root()
    lines = messages("full", 400)
    with small_disk(tmp_path / "disk", "24m") as disk, Chain(f"sqlite:{disk / 'store'}", tmp_path) as chain:
        chain.daemon.send(map(datagram, lines[:20]))
        chain.wait_stored(20)
        fill(disk / "filler")
        chain.daemon.send(map(datagram, lines[20:]))
        wait(lambda: "holding rsyslog back" in chain.said(), chain.said)
        os.unlink(disk / "filler")
        chain.wait_stored(400)
        assert chain.dead() == []
        assert "suspended" not in chain.daemon.said()
        chain.store.close()


@pytest.mark.root
@pytest.mark.rsyslogd
def test_a_full_disk_under_the_dead_letter_holds_rsyslog_back_until_there_is_room(tmp_path: Path) -> None:
    require_root()
    breakable = {'{\\"v\\":1,': '{\\"v\\":2,'}
    store = f"sqlite:{tmp_path / 'store'}"
    with small_disk(tmp_path / "disk", "64k") as disk, Chain(store, disk, replace=breakable) as chain:
        fill(disk / "filler")
        chain.daemon.send([datagram(b"of an unknown version")] * 3)
        wait(lambda: "holding rsyslog back" in chain.said(), chain.said)
        os.unlink(disk / "filler")
        wait(lambda: len(chain.dead()) == 3, chain.dead)
        assert chain.count() == 0
        assert "suspended" not in chain.daemon.said()


@pytest.mark.rsyslogd
def test_a_wrong_option_in_rsyslogs_configuration_holds_the_line_and_says_so(tmp_path: Path) -> None:
    """And rsyslogd, which before 8.2304 would crash at a program that says nothing, lives on."""
    with Chain(f"sqlite:{tmp_path / 'store'}", tmp_path, options=["--nonsense"]) as chain:
        chain.daemon.send([datagram(b"early")])
        wait(lambda: chain.said().count("unrecognized arguments: --nonsense") >= 2, chain.said)
        script = chain.daemon.folder / "child.sh"
        script.write_text(script.read_text().replace("--nonsense", ""))
        chain.wait_found("early")
        chain.wait_stored(1)
        assert chain.daemon.stop() == 0
