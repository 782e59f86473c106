# SPDX-License-Identifier: Apache-2.0
"""What test_journal_follow runs in namespaces of its own: a real journald, and the howto's script over it.

    python journal_inside.py FOLDER SCRIPT

Prints one JSON object: what was found at each step.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ttyscribe_store.base import Query
from ttyscribe_store.open import open_store

FOLDER, SCRIPT = Path(sys.argv[1]), sys.argv[2]
JOURNALD = "/lib/systemd/systemd-journald"
CURSOR = FOLDER / "journal.cursor"
PATIENCE = 30.0


def wait(holds: Any, what: str) -> float:
    """Wait until something holds; how long it took."""
    begin = time.monotonic()
    while not holds():
        if time.monotonic() > begin + PATIENCE:
            raise SystemExit(f"waited in vain: {what}; stored: {texts()}")
        time.sleep(0.01)
    return time.monotonic() - begin


def texts() -> list[str]:
    """The texts of our entries in the store, sorted; one for each document."""
    if not FOLDER.is_dir():
        return []
    store = open_store(f"sqlite:{FOLDER}")
    try:
        return sorted(hit.message for hit in store.search(Query([["mine"]], limit=10_000)))
    finally:
        store.close()


def wait_all(said: list[str], what: str) -> float:
    """Wait until as many entries are stored as were logged; how long it took."""
    return wait(lambda: len(texts()) == len(said), what)


def say(*numbers: int) -> list[str]:
    """Log some entries; their texts."""
    said = [f"mine {number:04}" for number in numbers]
    subprocess.run(["systemd-cat", "-t", "mine"], input="\n".join(said).encode(), check=True)
    return said


def start() -> subprocess.Popen[bytes]:
    """Start the script, in a process group of its own."""
    return subprocess.Popen(["sh", SCRIPT], start_new_session=True)


def normalizer(script: subprocess.Popen[bytes]) -> int:
    """The normalizer's pid, once it runs."""
    found: list[int] = []

    def look() -> bool:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == script.pid and b"ndjson" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                pass
        return bool(found)

    wait(look, "the normalizer")
    return found[0]


def prepare() -> None:
    """A journald that keeps its entries in memory of our own."""
    for command in (["mount", "-t", "tmpfs", "tmpfs", "/run"], ["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]):
        subprocess.run(command, stderr=subprocess.DEVNULL)
    for folder in ("/run/systemd/journal", "/run/log/journal", "/run/systemd/journald.conf.d"):
        os.makedirs(folder)
    conf = "[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\nAudit=no\n"
    Path("/run/systemd/journald.conf.d/test.conf").write_text(conf)
    subprocess.Popen([JOURNALD], stderr=subprocess.DEVNULL)
    wait(Path("/run/systemd/journal/socket").exists, "journald")


def main() -> None:
    """The steps."""
    prepare()
    said = say(1, 2, 3)
    script = start()
    wait(lambda: texts() == said, "entries from before")
    normalizer(script)
    waits = []
    for number in range(4, 9):
        said += say(number)
        waits.append(wait_all(said, "an entry while it follows"))
        wait(CURSOR.exists, "the cursor")

    os.killpg(script.pid, signal.SIGTERM)  # as systemd stops it
    script.wait()
    before = CURSOR.read_text()
    said += say(*range(10, 15))  # while nobody reads
    script = start()
    wait(lambda: texts() == said, "the entries in between, and no other twice")

    for kill in range(3):  # killed with entries under way
        said += say(*range(100 * (kill + 1), 100 * (kill + 1) + 50))
        os.kill(normalizer(script), signal.SIGKILL)
        script.wait(PATIENCE)  # the pipe's end ends journalctl, and with it the script
        script = start()
        wait_all(said, "all entries after a kill")

    CURSOR.unlink()  # everything is read once more
    os.killpg(script.pid, signal.SIGTERM)
    script.wait()
    script = start()
    said += say(9999)
    wait(lambda: len(texts()) >= len(said), "all of it again")
    os.killpg(script.pid, signal.SIGTERM)
    script.wait()
    moved = CURSOR.read_text() != before
    print(json.dumps({"said": sorted(said), "stored": texts(), "waits": waits, "moved": moved}))


main()
