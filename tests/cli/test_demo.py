# SPDX-License-Identifier: Apache-2.0
"""The demonstration, from beginning to end."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, ok, run
from tests.peers import require_program
from tests.recorder.recorder import AtTerminal
from tests.store.care.test_upgrade import OLD
from ttyscribe import demo_rsyslog, demo_session

pytestmark = pytest.mark.slow
PATIENCE = 120.0


def without_rsyslogd(tmp_path: Path) -> dict[str, str]:
    """An environment in whose PATH there is no rsyslogd; /usr/sbin has to be hidden too, where it is looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "uname", "date", "od", "tr", "sleep", "sh"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return {"PATH": str(folder)}


def said(text: str) -> None:
    """Everything that the demonstration promises to show."""
    word = re.search(r"the word of this session is (w[0-9a-f]{12})", text)
    assert word
    headings = re.findall(r"^== \d\. (.*)$", text, re.MULTILINE)
    assert [heading.split()[0] for heading in headings] == ["Record", "Ship", "List", "Find", "Show", "Play"]
    listed = text[text.index("== 3.") : text.index("== 4.")]
    assert "no gaps" in listed
    hit = text[text.index("== 4.") : text.index("== 5.")]
    assert f">>{word[1]}<<" in hit
    assert word[1] in text[text.index("== 6.") :]
    assert re.search(r"played \d+ bytes, the same that the session's terminal showed", text)
    assert "Done. The store is sqlite:" in text


def demo(tmp_path: Path, *arguments: str, **env: str) -> str:
    """Run it in a folder of its own."""
    return ok("demo", *arguments, cwd=tmp_path, env=env, timeout=PATIENCE, errors="replace")


def test_without_rsyslog_and_again(tmp_path: Path) -> None:
    for _ in range(2):
        said(demo(tmp_path, "--without-rsyslog"))
    text = ok("recordings", "--store", f"sqlite:{tmp_path / 'demo-data' / 'store'}")
    assert "2 recordings" in text
    store = f"sqlite:{tmp_path / 'demo-data' / 'store'}"
    found = [json.loads(line) for line in ok("search", "cmd:*", "--json", "--store", store).splitlines()]
    given = [one["message"] for one in found if "end" not in one]
    assert given == list(demo_session._LINES) * 2, "each command is found, the first one too"


def test_after_an_upgrade_it_goes_on_with_the_store_that_is_there(tmp_path: Path) -> None:
    shutil.copytree(OLD, tmp_path / "demo-data" / "store")
    text = demo(tmp_path, "--without-rsyslog")
    said(text)
    assert "2026.11 in it was made by an older version: upgraded" in text


def test_a_store_that_cannot_be_used_is_told_before_anything_is_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "demo-data" / "store"
    folder.mkdir(parents=True)
    (folder / "2026.11.sqlite").write_bytes(b"something else" * 1000)
    done = run("demo", "--without-rsyslog", cwd=tmp_path)
    assert done.returncode == 1
    assert f"FAILED: {folder}/2026.11.sqlite: is no file of a ttyscribe store" in done.stdout
    assert f"for a new beginning move {folder} away" in done.stdout
    assert "== 1." not in done.stdout


@pytest.mark.rsyslogd
def test_through_a_private_rsyslogd(tmp_path: Path) -> None:
    require_program("rsyslogd")
    text = demo(tmp_path, PATH="/usr/bin:/bin")  # as ordinary users have it, without /usr/sbin
    said(text)
    assert "a private rsyslogd" in text
    assert "going on without" not in text
    assert not [entry for entry in os.listdir("/proc") if entry.isdigit() and _is_of(entry, tmp_path)]


def _is_of(pid: str, folder: Path) -> bool:
    try:
        return str(folder).encode() in Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return False


def test_where_rsyslogd_is_not_installed(tmp_path: Path) -> None:
    env = without_rsyslogd(tmp_path)
    code = "import sys; from ttyscribe import demo; demo.find_program = lambda: None; "
    code += "from ttyscribe.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo"], cwd=tmp_path, env=env, capture_output=True, timeout=PATIENCE
    )
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, text
    said(text)
    assert "rsyslogd is not installed" in text


@pytest.mark.parametrize("script", ["exit 3", "echo broken >&2; exit 1"], ids=["silent", "telling"])
def test_where_rsyslogd_does_not_start_it_says_why_and_goes_on(tmp_path: Path, script: str) -> None:
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "rsyslogd").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "rsyslogd").chmod(0o755)
    text = demo(tmp_path, PATH=f"{folder}:/usr/bin:/bin")
    said(text)
    assert "going on without rsyslogd: it ended at once" in text
    assert ("broken" in text) == ("broken" in script)


SILENT = """#!{python}
import re, signal, socket, sys, time
conf = open(sys.argv[sys.argv.index("-f") + 1]).read()
taker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
taker.bind(re.search('Socket="([^"]*)"', conf)[1])
while True:
    taker.recv(1 << 20)
"""


def test_where_rsyslogd_takes_the_session_and_delivers_nothing_it_goes_on(tmp_path: Path) -> None:
    """As where a security module keeps it from starting its program."""
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "rsyslogd").write_text(SILENT.format(python=sys.executable))
    (folder / "rsyslogd").chmod(0o755)
    code = "import sys; from ttyscribe import demo; demo._DELIVERY_SECONDS = 1.0; "
    code += "from ttyscribe.main import main; sys.exit(main())"
    env = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code, "demo"], cwd=tmp_path, env=env, capture_output=True, timeout=PATIENCE
    )
    text = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, text
    assert "going on without rsyslogd: it took the session and did not deliver it" in text
    assert "Done. The store is sqlite:" in text


def test_a_folder_that_cannot_be_written_is_not_needed(tmp_path: Path) -> None:
    (tmp_path / "demo-data").write_text("in the way")
    text = demo(tmp_path, "--without-rsyslog", XDG_STATE_HOME=str(tmp_path / "state"))
    said(text)
    assert f"everything is kept in {tmp_path}/state/ttyscribe-demo" in text


def test_where_no_folder_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "demo-data").write_text("in the way")
    done = run("demo", cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path / "demo-data")})
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_on_a_terminal_it_plays_there(tmp_path: Path) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r}); import sys; from ttyscribe.main import main; sys.exit(main())"
    screen = AtTerminal([sys.executable, "-c", code, "demo", "--without-rsyslog"], size=(120, 50))
    try:
        assert screen.wait() == 0
        assert screen.attributes() == screen.found
    finally:
        screen.close()
    assert b"Done. The store is" in screen.seen


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_no_processes(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, "demo"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        while b"Hello from" not in process.stdout.readline():
            pass
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == -number
    end = time.monotonic() + 30
    while any(entry.isdigit() and _is_of(entry, tmp_path) for entry in os.listdir("/proc")):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_sample_is_found() -> None:
    assert "/run/ttyscribe/log" in demo_rsyslog.sample().read_text()
