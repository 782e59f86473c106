# SPDX-License-Identifier: Apache-2.0
"""Through links with tlog's names: tlog's paths, variables, messages, statuses. Compared with the real one."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import PATIENCE, messages, recorded
from ttyscribe_formats import tlog
from ttyscribe_recorder import header
from ttyscribe_recorder.names import REC, SESSION, TLOG_REC, TLOG_SESSION, is_session, rec_name, session_name

Program = Path


def program(folder: Path, name: str, module: str = "rec") -> Program:
    """One of the programs under this name."""
    path = folder / name
    path.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"from ttyscribe_recorder.{module} import console_main\nsys.exit(console_main())\n"
    )
    path.chmod(0o755)
    return path


def call(
    path: Program | str, *words: str, env: dict[str, str] | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run it on pipes, with more variables."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
    return subprocess.run([path, *words], input=stdin, capture_output=True, env=environment, timeout=PATIENCE * 2)


def test_names() -> None:
    """Whatever folder and dash stand before, and whatever shell behind."""
    assert rec_name("/usr/bin/ttyscribe-rec") is rec_name("x") is REC
    assert rec_name("/usr/bin/tlog-rec") is TLOG_REC
    assert session_name("-tlog-rec-session-shell-bin-zsh") is TLOG_SESSION
    assert session_name("-bash") is SESSION
    assert [is_session(name) for name in ("-x", "/a/tlog-rec-session", "tlog-rec", "/a-/b")] == [
        True,
        True,
        False,
        False,
    ]
    assert (TLOG_SESSION.configuration, TLOG_SESSION.variable) == (
        "/etc/tlog/tlog-rec-session.conf",
        "TLOG_REC_SESSION_CONF",
    )
    assert (REC.configuration, REC.variable) == ("/etc/ttyscribe/ttyscribe-rec.conf", "TTYSCRIBE_REC_CONF")


def test_messages_are_tlogs_own(tmp_path: Path) -> None:
    """No key of ours, not even where standard error and the end would be marked."""
    log = tmp_path / "log"
    done = call(program(tmp_path, "tlog-rec"), "-o", str(log), "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert b'"ttyscribe"' not in log.read_bytes()
    assert sorted(recorded(log).split()) == [b"err", b"out"]
    assert messages(log)[0].extra == b""


@pytest.mark.parametrize(("words", "status"), [(("--x",), 1), (("true",), 1), (("-w", "x", "true"), 1)])
def test_wrong_usage_is_one(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    """Tlog's status, with one line under its name; also where the policy of our own session would go on."""
    for name, module in (("tlog-rec", "rec"), ("tlog-rec-session", "session_main")):
        variable = f"{name.upper().replace('-', '_')}_CONF_TEXT"
        done = call(program(tmp_path, name, module), *words, env={variable: '{"writer": "file"}'})
        assert (done.returncode, done.stdout) == (status, b"")
        assert done.stderr.startswith(f"{name}: ".encode())
        assert done.stderr.count(b"\n") == 1


def test_its_own_variables(tmp_path: Path) -> None:
    """Ours are not read under its name, nor its own under ours."""
    env = {"TLOG_REC_CONF_TEXT": '{"latency": 7}', "TTYSCRIBE_REC_CONF_TEXT": '{"latency": 8}'}
    for name, latency in (("tlog-rec", 7), ("ttyscribe-rec", 8)):
        done = call(program(tmp_path, name), "--configuration", env=env)
        assert json.loads(done.stdout)["latency"] == latency


def test_syslog_messages_carry_its_ident(tmp_path: Path) -> None:
    """As do alarms."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(PATIENCE)
        call(program(tmp_path, "tlog-rec"), "-w", "syslog", f"--syslog-socket={tmp_path}/log", "echo", "hi")
        datagram = receiver.recv(65536)
    head, _, message = datagram.partition(b" tlog: ")
    assert head.startswith(b"<86>")
    assert tlog.decode(message).out_txt == "hi\n"


def test_a_slow_resolver_delays_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit the node name serves; tlog waits for DNS, and refuses the session where it fails."""
    monkeypatch.setattr(header, "getaddrinfo", lambda *_: time.sleep(1000))
    started = time.monotonic()
    assert header.domain_name() == os.uname().nodename
    assert 0.15 < time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("answer", [OSError("no such name"), [], [(0, 0, 0, "")]])
def test_a_resolver_without_an_answer(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """No answer, an error, an empty name: the node name."""

    def resolve(*_: object) -> object:
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(header, "getaddrinfo", resolve)
    assert header.domain_name(5000) == os.uname().nodename


@pytest.mark.tlog
def test_a_message_as_the_real_one_writes_it(tmp_path: Path) -> None:
    """Byte for byte, but for ids and times; the host's name among the rest."""
    real = peers.require_program("tlog-rec")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    script = "printf 'a\\377\\342\\202b\\t\\033[1m'"
    env = {"TERM": "xterm"}
    assert call(real, "-o", str(theirs), "sh", "-c", script, env=env).returncode == 0
    assert call(program(tmp_path, "tlog-rec"), "-o", str(ours), "sh", "-c", script, env=env).returncode == 0
    first, second = (messages(path)[0]._replace(rec="", time_ms=None) for path in (ours, theirs))
    assert first == second
    assert list(json.loads(ours.read_bytes())) == list(json.loads(theirs.read_bytes()))


@pytest.mark.tlog
@pytest.mark.parametrize(("name", "module"), [("tlog-rec", "rec"), ("tlog-rec-session", "session_main")])
def test_the_configuration_of_the_real_one(tmp_path: Path, name: str, module: str) -> None:
    """Every key that it prints we print with the same value, its installed file read; its options are all ours."""
    real = peers.require_program(name)
    text = '{"latency": 5, /* c */ "log": {"input": true,},} // x'
    env = {f"{name.upper().replace('-', '_')}_CONF_TEXT": text}
    own = program(tmp_path, name, module)
    theirs, ours = (json.loads(call(path, "--configuration", env=env).stdout) for path in (real, own))
    assert theirs.pop("configuration") is True
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert value.items() <= ours[key].items()
        elif key != "args":
            assert ours[key] == value
    helped = call(real, "--help").stdout.decode().split()
    known = call(own, "--help").stdout.decode()
    for word in helped:
        if word.startswith("--"):
            assert word.partition("=")[0].removesuffix("[").rstrip(",") in known


@pytest.mark.tlog
def test_the_semaphore(tmp_path: Path) -> None:
    """READY once recording is set up, readable by its owner alone; what stood there is gone."""
    for path in (peers.require_program("tlog-rec"), program(tmp_path, "tlog-rec")):
        semaphore = tmp_path / "semaphore"
        semaphore.write_text("something longer")
        semaphore.chmod(0o600)
        done = call(path, "-o", str(tmp_path / "log"), f"--semaphore={semaphore}", "sh", "-c", "sleep 0.1")
        assert (done.returncode, done.stderr) == (0, b"")
        assert semaphore.read_bytes() == b"READY"
        assert semaphore.stat().st_mode & 0o777 == 0o600
        semaphore.unlink()
