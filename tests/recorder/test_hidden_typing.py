# SPDX-License-Identifier: Apache-2.0
"""Hidden prompts under the real recorder: what it costs, what a kill leaves, who may turn it off."""

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from tests.recorder.recorder import AtTerminal, at_terminal, end_status, messages, recorded, wait_for
from tests.recorder.test_login_path import ALLOWED, LIBRARY, PROBE, assert_asleep
from tests.recorder.test_names import program
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input

SECRET = b"hunter2"
ASK = "read -s -p 'Password: ' x; echo; read -s -n 7 -p 'PIN: ' x; echo; read -p 'Name: ' x; echo over"


def masks(log: Path) -> list[object]:
    """All masks of a log."""
    found = []
    for message in messages(log):
        mask = tlog.own_fields(message).get("mask", [])
        assert isinstance(mask, list)
        found += mask
    return found


def answer(screen: AtTerminal) -> None:
    """The three questions of ASK: the second in raw mode, its prompt ends by itself."""
    screen.wait_to_see(b"Password: ")
    screen.type(SECRET)
    screen.type(b"\r")
    screen.wait_to_see(b"PIN: ")
    screen.type(SECRET)
    screen.wait_to_see(b"Name: ")
    screen.type(b"alice\r")
    screen.wait_to_see(b"over")


def test_secrets_are_absent_and_all_else_is_there(tmp_path: Path) -> None:
    """Two marks; the output and the name are whole."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--log-input", "--", "bash", "-c", ASK]) as screen:
        answer(screen)
        assert screen.wait() == 0
    assert recorded(log, Input) == b"alice\r"
    assert recorded(log) == screen.seen
    assert len(masks(log)) == 2
    assert SECRET not in log.read_bytes()
    assert end_status(log) == 0


def test_the_configuration_can_ask_for_secrets(tmp_path: Path) -> None:
    """In so many words."""
    log = tmp_path / "log"
    env = {**os.environ, "TTYSCRIBE_REC_CONF_TEXT": '{"log": {"secrets": true}}'}
    with at_terminal(["-o", str(log), "--log-input", "--", "bash", "-c", ASK], env=env) as screen:
        answer(screen)
        assert screen.wait() == 0
    assert recorded(log, Input) == SECRET + b"\r" + SECRET + b"alice\r"
    assert masks(log) == []


def test_an_operators_prompt(tmp_path: Path) -> None:
    """Added by the configuration; without it, a raw prompt with an unknown word is not known."""
    for text, typed in (('{"log": {"prompts": "Losung"}}', b""), ("{}", SECRET)):
        log = tmp_path / f"log{len(text)}"
        env = {**os.environ, "TTYSCRIBE_REC_CONF_TEXT": text}
        command = ["bash", "-c", "read -s -n 7 -p 'Losung: ' x; sleep 0.5"]
        with at_terminal(["-o", str(log), "--log-input", "--", *command], env=env) as screen:
            screen.wait_to_see(b"Losung: ")
            screen.type(SECRET)
            assert screen.wait() == 0
        assert recorded(log, Input) == typed


def test_under_tlogs_name_they_are_just_absent(tmp_path: Path) -> None:
    """No key of our own."""
    log = tmp_path / "log"
    tlog_rec = program(tmp_path, "tlog-rec", "rec")
    screen = AtTerminal([str(tlog_rec), "-o", str(log), "--log-input", "--", "bash", "-c", ASK])
    try:
        answer(screen)
        assert screen.wait() == 0
    finally:
        screen.close()
    assert recorded(log, Input) == b"alice\r"
    assert masks(log) == []
    assert b'"ttyscribe"' not in log.read_bytes()


def test_killed_while_a_key_waits(tmp_path: Path) -> None:
    """What was shown before is in the log after latency and wait; the secret is not."""
    log = tmp_path / "log"
    script = "echo before; read -s -n 9 -p 'Password: ' x"
    with at_terminal(["-o", str(log), "--log-input", "--latency=1", "--", "bash", "-c", script]) as screen:
        screen.wait_to_see(b"Password: ")
        screen.type(b"hun")
        wait_for(lambda: b"Password: " in log.read_bytes(), "the latency to pass")
        screen.type(b"ter")
        screen.send(signal.SIGKILL)
        assert screen.wait() == -signal.SIGKILL
    assert recorded(log) == b"before\r\nPassword: "
    assert recorded(log, Input) == b""
    assert b"hun" not in log.read_bytes()


def test_output_behind_a_waiting_key_is_logged_soon_and_shown_at_once(tmp_path: Path) -> None:
    """A key whose fate is open holds the log for a moment, and the screen never."""
    log = tmp_path / "log"
    script = "stty raw -echo; printf 'Password: '; head -c 1 >/dev/null; printf shown; sleep 1000"
    with at_terminal(["-o", str(log), "--log-input", "--payload=32", "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"Password: ")
        screen.type(b"x")
        screen.wait_to_see(b"shown")
        screen.send(signal.SIGTERM)
        screen.wait()
    assert recorded(log) == b"Password: shown"
    assert recorded(log, Input) == b""
    assert len(masks(log)) == 1


def test_a_session_idle_at_a_prompt_sleeps(tmp_path: Path) -> None:
    """Nothing waits for ever: no wake-up after the decision, and little memory with all of it loaded."""
    log = tmp_path / "log"
    script = "read -s -n 9 -p 'Password: ' x"
    with at_terminal(["-o", str(log), "--log-input", "--latency=1", "--", "bash", "-c", script]) as screen:
        screen.wait_to_see(b"Password: ")
        screen.type(b"hun")
        wait_for(lambda: log.stat().st_size, "the latency to pass")
        assert_asleep(screen.pid, settled=0.7, seconds=2)


def test_only_allowed_modules_are_loaded(tmp_path: Path) -> None:
    """At a terminal with input, too; without input none of this is."""
    for option, here in (("--log-input", True), ("--log-input=no", False)):
        out = tmp_path / "modules"
        argv = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            PROBE,
            LIBRARY,
            str(out),
            "--rec",
            "-o",
            str(tmp_path / "log"),
            option,
        ]
        screen = AtTerminal([*argv, "--", "bash", "-c", ASK])
        try:
            answer(screen)
            assert screen.wait() == 0
        finally:
            screen.close()
        loaded = set(out.read_text().split("\n"))
        ours = {name for name in loaded if name.partition(".")[0] in ("ttyscribe_recorder", "ttyscribe_formats")}
        assert loaded - ours - ALLOWED == set()
        assert ("ttyscribe_recorder.secrets" in ours) == here
        assert ("ttyscribe_recorder.rows" in ours) == here


BULK = {
    "text": b"text\r\n" * 200_000,
    "painted": b"\x1b[31mtext\x1b[m \x1b[5;7Hx\r\n" * 40_000,
    "any bytes": random.Random(11).randbytes(500_000),
}


@pytest.mark.parametrize("name", BULK)
def test_bulk_with_input_on_is_whole(tmp_path: Path, name: str) -> None:
    """Following the cursor loses nothing and stops at nothing."""
    data = BULK[name]
    log = tmp_path / "log"
    (tmp_path / "data").write_bytes(data)
    script = f"stty raw -echo; cat {tmp_path}/data"
    with at_terminal(["-o", str(log), "--log-input", "--payload=32768", "--", "sh", "-c", script]) as screen:
        assert screen.wait() == 0
    assert screen.seen == data
    assert recorded(log) == data
