# SPDX-License-Identifier: Apache-2.0
"""A real recorder on a real terminal, through a real rsyslogd, to every store: found by a word, played to the byte."""

import json
import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chain import Chain, program, run, wait
from tests.e2e.conftest import ALL, Place
from tests.e2e.traffic import datagram
from tests.peers import require_root
from tests.recorder.recorder import AtTerminal

pytestmark = [pytest.mark.rsyslogd]

WORD = "quetzalcoatl"


def shown() -> bytes:
    """What the recorded program writes: text, colours, every byte there is, and noise that is mostly no UTF-8."""
    dice = random.Random(4113)
    noise = b"".join(dice.randbytes(40) + "grüße 漢字 \x1b[31mred\x1b[0m\r\n".encode() for _ in range(200))
    return b"\x1b[2J\x1b[H" + bytes(range(256)) + b"\r\n" + WORD.encode() + b"\r\n" + noise + b"the end\xc3"


def record(chain: Chain, *command: str) -> bytes:
    """Record a command at a terminal; what the terminal was shown."""
    options = ["--writer=syslog", f"--syslog-socket={chain.daemon.socket}"]
    screen = AtTerminal([program("ttyscribe-rec"), *options, "--", *command])
    try:
        assert screen.wait() == 0
        return screen.seen
    finally:
        screen.close()


def places(url: str, *words: str) -> list[str]:
    """Places that `ttyscribe search` finds."""
    done = run("ttyscribe", "search", "--store", url, "--kind", "tlog", "--json", *words)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line)["place"] for line in done.stdout.splitlines()[:-1]]


def played(url: str, where: str) -> bytes:
    """What `ttyscribe-play` writes into a pipe."""
    done = run("ttyscribe-play", "--store", url, where)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.mark.parametrize("bare_place", ALL, indirect=True)
def test_a_session_is_found_by_a_word_and_plays_byte_for_byte(bare_place: Place, tmp_path: Path) -> None:
    url, data = bare_place.url, tmp_path / "data"
    data.write_bytes(shown())
    set_up = run("ttyscribe", "setup", "--store", url)
    assert set_up.returncode == 0, set_up.stderr
    with Chain(url, tmp_path) as chain:
        assert record(chain, "sh", "-c", f"stty -opost; cat {data}") == shown()
        other = record(chain, "echo", "another session")
        chain.wait_found("another session")  # the recorder has ended, and rsyslog keeps the order: all is stored

        (place,) = places(url, WORD)
        (other_place,) = places(url, "another session")
        recording, other_recording = place.partition("@")[0], other_place.partition("@")[0]
        assert recording != other_recording
        assert run("ttyscribe", "index", "--store", url).returncode == 0  # on SQLite `recordings` does it by itself
        listed = run("ttyscribe", "recordings", "--store", url)
        assert listed.returncode == 0
        assert {recording, other_recording} <= set(listed.stdout.decode().split())

        assert played(url, recording) == shown()
        assert played(url, other_recording) == other == b"another session\r\n"
        rest = played(url, place)
        assert WORD.encode() in rest
        assert shown().endswith(rest)
        assert chain.dead() == []


@pytest.mark.parametrize("bare_place", ALL[:1], indirect=True)
def test_a_command_between_pipes_is_recorded_too(place: Place, tmp_path: Path) -> None:
    """Its two outputs play as one, in their order; nothing of it changes for those at the pipes."""
    with Chain(place.url, tmp_path) as chain:
        options = ["--writer=syslog", f"--syslog-socket={chain.daemon.socket}"]
        done = run(
            "ttyscribe-rec", *options, "--", "sh", "-c", "cat; sleep 0.2; printf 'wrong \\377' >&2", stdin=shown()
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, shown(), b"wrong \xff")
        chain.wait_found(WORD)
        chain.wait_found("wrong")
        assert played(place.url, places(place.url, WORD)[0].partition("@")[0]) == shown() + b"wrong \xff"


@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("bare_place", ALL[:1], indirect=True)
def test_a_session_goes_on_while_rsyslogd_is_restarted(place: Place, tmp_path: Path, end: str) -> None:
    """The terminal never waits; the recorder keeps what it can't send, and the recording is whole."""
    with Chain(place.url, tmp_path) as chain:
        options = ["--writer=syslog", f"--syslog-socket={chain.daemon.socket}", "--latency=1"]
        words = "for word in alpha beta gamma; do echo $word; read answer; done"
        screen = AtTerminal([program("ttyscribe-rec"), *options, "--", "sh", "-c", f"stty -echo; {words}"])
        try:
            chain.wait_found("alpha")
            chain.daemon.wait_read()
            if end == "stop":
                chain.daemon.stop()
            else:
                chain.daemon.kill()
            screen.type(b"\n")
            screen.wait_to_see(b"beta")
            time.sleep(1.5)  # longer than the recorder keeps things back by itself
            chain.daemon.start()
            screen.type(b"\n")
            screen.wait_to_see(b"gamma")
            screen.type(b"\n")
            assert screen.wait() == 0
            chain.wait_found("gamma")
            (place_of_alpha,) = places(place.url, "alpha")
            recording = place_of_alpha.partition("@")[0]
            whole = run("ttyscribe-play", "--store", place.url, recording)
            assert (whole.stdout, whole.stderr, whole.returncode) == (screen.seen, b"", 0)
        finally:
            screen.close()


IN_A_SESSION = 'echo 0 > /proc/self/loginuid || exit 9; exec "$@"'
"""Gives a process an audit session of its own, as pam_loginuid does; the kernel numbers it."""


def audited(session: int, serial: int, *arguments: str) -> bytes:
    """The event of a program that starts now, as a converter writes it."""
    now = datetime.now(tz=UTC).isoformat(timespec="milliseconds")
    call = {"syscall": ["execve", "59"], "success": ["yes"], "pid": ["1201"], "auid": ["ada", "1000"]}
    data = {"syscall": call | {"ses": [str(session)], "uid": ["root", "0"]}, "execve": list(arguments)}
    return datagram(json.dumps({"serial": serial, "time": now, "data": data}).encode(), "aushape")


@pytest.mark.root
@pytest.mark.parametrize("bare_place", ALL, indirect=True)
def test_what_the_kernel_saw_start_is_found_in_the_recording_of_its_session(place: Place, tmp_path: Path) -> None:
    """The screen shows a script's name; audit's events, which come before and after, say what it ran."""
    require_root()
    with Chain(place.url, tmp_path) as chain:
        options = ["--writer=syslog", f"--syslog-socket={chain.daemon.socket}", "--latency=1"]
        command = ["sh", "-c", "echo session $(cat /proc/self/sessionid).; read answer"]
        screen = AtTerminal(["sh", "-c", IN_A_SESSION, "sh", program("ttyscribe-rec"), *options, "--", *command])
        try:
            session = int(seen(screen, rb"session (\d+)\.")[1])
            chain.daemon.send([audited(session, 1, "nc", "-l", "4444"), audited(session + 1, 2, "nc", "-l", "5555")])
            chain.wait_found("4444")
            screen.type(b"\n")
            assert screen.wait() == 0
        finally:
            screen.close()
        recording = chain.wait_found(f"session {session}").recording
        chain.wait_found("5555")
        assert run("ttyscribe", "index", "--store", place.url).returncode == 0
        assert [hit["recording"] for hit in hits(place.url, "cmd:nc")] == [recording]
        chain.daemon.send([audited(session, 3, "shred", "my notes")])
        chain.wait_found("shred")
        assert run("ttyscribe", "index", "--store", place.url).returncode == 0
        found = {hit["message"]: hit for hit in hits(place.url, f"rec:{recording}", "cmd:*")}
        assert set(found) == {"nc -l 4444", "shred 'my notes'"}
        assert {hit["source"] for hit in found.values()} == {"audit"}
        where = found["nc -l 4444"]["place"]
        assert where.startswith(f"{recording}@0:0")
        assert played(place.url, where) is not None
        assert chain.dead() == []


def hits(url: str, *words: str) -> list[dict[str, Any]]:
    """What `ttyscribe search` finds."""
    done = run("ttyscribe", "search", "--store", url, "--json", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()[:-1]]


def seen(screen: AtTerminal, pattern: bytes) -> re.Match[bytes]:
    """Wait until something stands on a terminal."""
    wait(lambda: re.search(pattern, screen.look()), lambda: screen.seen)
    found = re.search(pattern, screen.seen)
    assert found
    return found
