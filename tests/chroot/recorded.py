# SPDX-License-Identifier: Apache-2.0
"""The recorder on such a host: installed as an operator does it, and what it recorded."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import peers
from tests.chroot.host import Done, Host
from ttyscribe.host.layout import Settings, plan
from ttyscribe.host.sources import find
from ttyscribe_formats import tlog

SOURCE = "/opt/source"
SESSION = "/usr/bin/ttyscribe-rec-session"
LOG = "/var/log/recordings"
MAIN = f"import sys; sys.path.insert(0, {SOURCE!r}); from ttyscribe.main import main; sys.exit(main(sys.argv[1:]))"


def bring(host: Host, mark: str = "", role: str = "host") -> None:
    """Put the product where an operator could have unpacked it; `mark` makes it another version."""
    files = dict(plan(Settings(), find(role)).tree_files)
    files["ttyscribe_recorder/__init__.py"] += f"# {mark}\n".encode()
    for name, data in files.items():
        host.write(f"{SOURCE}/{name}", data)


def command(host: Host, *words: str, check: bool = True) -> Done:
    """`ttyscribe` of what was brought, on the host, as root."""
    return host.run("/usr/bin/python3", "-IB", "-c", MAIN, *words, check=check)


def install(host: Host, *words: str) -> Done:
    """As an operator does on a host without a compiler: read what is to be done, build elsewhere, come back."""
    asked = command(host, "install", *words, check=False)
    if asked.returncode == 0:
        return asked
    text = asked.stderr.decode()
    assert "there is no C compiler for the launcher here" in text, text
    line = text.partition(" by `")[2].partition("` and come back")[0]
    assert line.startswith("cc "), text
    work = host.root / "opt/build"
    work.mkdir(exist_ok=True)
    source = host.root / SOURCE.lstrip("/") / "share/ttyscribe/recorder/launcher.c"
    (work / "launcher.c").write_bytes(source.read_bytes())
    peers.require_program("cc")
    subprocess.run(["sh", "-c", line], cwd=work, check=True)
    return command(host, "install", *words, "--launcher", "/opt/build/ttyscribe-launcher")


def configure(host: Host, path: str = "/etc/ttyscribe/ttyscribe-rec-session.conf", **values: object) -> None:
    """Write a configuration that records into one file for everybody."""
    if not (host.root / LOG.lstrip("/")).exists():
        host.write(LOG, b"", 0o666)
    settings = {"writer": "file", "file": {"path": LOG}, "latency": 1, "notice": "", **values}
    host.write(path, json.dumps(settings))


def messages(host: Host, path: str = LOG) -> list[tlog.Message]:
    """Everything recorded so far."""
    return [tlog.decode(line) for line in (host.root / path.lstrip("/")).read_bytes().splitlines()]


def output(host: Host, user: str) -> str:
    """What a user's programs wrote, as far as it is recorded."""
    return "".join(message.out_txt for message in messages(host) if message.user == user)


@contextmanager
def logins(host: Host, user: str) -> Iterator[list[Done]]:
    """Log in again and again meanwhile; the results."""
    results: list[Done] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            results.append(host.login(user, "echo in"))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield results
    finally:
        stop.set()
        thread.join()


def trees(host: Host) -> list[Path]:
    """The programs' folders."""
    return sorted(path for path in (host.root / "usr/lib/ttyscribe").iterdir() if path.is_dir())
