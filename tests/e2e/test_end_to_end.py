# SPDX-License-Identifier: Apache-2.0
"""A real recorder on a real terminal, through a real rsyslogd, to every store: found by a word, played to the byte."""

import json
import random
import time
from pathlib import Path

import pytest

from tests.e2e.chain import Chain, program, run
from tests.e2e.conftest import ALL, Place
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
