# SPDX-License-Identifier: Apache-2.0
"""Plays every script to the real tlog-rec and to ours, over every writer, and each log with the other one's player.

A program by itself, because syslog's and the journal's sockets have fixed places: as root
`unshare -mpf --mount-proc python -m tests.recorder.side_by_side FOLDER`. It puts a private journald and /dev/log where
they belong. An ordinary user gets the file writer alone. Logs are left in FOLDER as `SCRIPT.WHO.WRITER.log`, a message
a line, what was shown as `.seen`, and what the other one's player made of a log as `.played`.
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

from tests import peers
from tests.recorder import scripts
from tests.recorder.recorder import LEAN, wait_for

JOURNALD = "/lib/systemd/systemd-journald"
PLAYER = [sys.executable, "-m", "ttyscribe_player.play"]
PLAYED = ("vim", "storm", "hostile")
OPTIONS = ("--latency=3600", "--log-input")
MOUNTS = """
    set -e
    mkdir /tmp/dev$$ && mount --rbind /dev /tmp/dev$$
    mount -t tmpfs tmpfs /dev
    for name in null zero full random urandom tty; do
        touch /dev/$name && mount --bind /tmp/dev$$/$name /dev/$name
    done
    mkdir /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts -o newinstance,ptmxmode=0666
    ln -s pts/ptmx /dev/ptmx
    ln -s /proc/self/fd /dev/fd
    umount -l /tmp/dev$$ && rmdir /tmp/dev$$
    mount -t tmpfs tmpfs /run
    mkdir -p /run/systemd/journal /run/log/journal /run/systemd/journald.conf.d
    touch /run/utmp
    mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || true
    printf '[Journal]\\nStorage=volatile\\nRateLimitIntervalSec=0\\nReadKMsg=no\\nAudit=no\\nRuntimeMaxUse=500M\\n' \\
        > /run/systemd/journald.conf.d/test.conf
"""


class Syslog:
    """/dev/log, read by a thread: a slow reader would only slow the recorders down."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("/dev/log")
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            self.received.append(self._socket.recv(1 << 20))

    def messages(self, ident: str) -> list[bytes]:
        """The messages that came under this name, without what syslog needs around them."""
        mark = f" {ident}: ".encode()
        found = [datagram.partition(mark)[2] for datagram in self.received if mark in datagram[:40]]
        return [message.rstrip(b"\n") for message in found if message.startswith(b"{")]


def journal_messages() -> list[bytes]:
    """The messages of all entries."""
    subprocess.run(["journalctl", "--sync"], check=True)
    done = subprocess.run(
        ["journalctl", "-o", "json", "--all", "_TRANSPORT=journal"], stdout=subprocess.PIPE, check=True
    )
    found = []
    for line in done.stdout.splitlines():
        message = json.loads(line)["MESSAGE"]
        raw = message.encode() if isinstance(message, str) else bytes(message)
        if raw.startswith(b'{"ver"'):
            found.append(raw)
    return found


def start_services() -> Syslog:
    """A private /dev and /run, journald and syslog on them."""
    subprocess.run(["sh", "-c", MOUNTS], check=True)
    subprocess.Popen([JOURNALD], stderr=subprocess.DEVNULL)
    wait_for(lambda: Path("/run/systemd/journal/socket").exists(), "journald")
    return Syslog()


def record(folder: Path, writers: list[str]) -> None:
    """Everything, each under a TERM that names it; the file writer's logs are where they belong at once."""
    sessions = scripts.at_terminals()
    files = {name: scripts.write_script(folder, name, steps) for name, steps in sessions.items()}
    streams = scripts.write_script(folder, "streams", scripts.streams())
    real = peers.require_program("tlog-rec")
    for writer in writers:
        for who, program in (("theirs", [real]), ("ours", LEAN)):
            for name, script in files.items():
                env = scripts.environment(f"{name}.{who}.{writer}")
                command = [*program, f"--writer={writer}", *OPTIONS]
                if writer == "file":
                    command.append(f"--file-path={folder}/{name}.{who}.file.log")
                seen = scripts.play_at_terminal(command, script, sessions[name], env)
                (folder / f"{name}.{who}.{writer}.seen").write_bytes(seen)
            command = [*program, f"--writer={writer}", f"--file-path={folder}/streams.{who}.file.log"]
            scripts.play_on_pipes(command, streams, scripts.environment(f"streams.{who}.{writer}"))


def sort_out(folder: Path, writer: str, found: list[bytes]) -> None:
    """What came over a socket into a log for each TERM."""
    logs = defaultdict(list)
    for message in found:
        logs[json.loads(message)["term"]].append(message)
    for term, lines in logs.items():
        assert term.endswith(f".{writer}"), term
        (folder / f"{term}.log").write_bytes(b"\n".join(lines) + b"\n")


def play_with(player: list[str], path: Path) -> None:
    """Write what it plays to `path`; tlog-play turns for ever on an ended standard input."""
    silent, keep_open = os.pipe()
    with path.open("wb") as file:
        subprocess.run(
            player, stdin=silent, stdout=file, env={**os.environ, "LC_ALL": "C.UTF-8"}, check=True, timeout=60
        )
    os.close(silent)
    os.close(keep_open)


def play(folder: Path, writers: list[str]) -> None:
    """Each log by the other one's player: journal entries out of the journal, all else as a file."""
    theirs = peers.require_program("tlog-play")
    for writer in writers:
        for name in PLAYED:
            for who, program in (("ours", [theirs, "--goto=end"]), ("theirs", PLAYER)):
                log = folder / f"{name}.{who}.{writer}.log"
                source = ["--reader=file", f"--file-path={log}"]
                if writer == "journal":
                    rec = json.loads(log.read_bytes().partition(b"\n")[0])["rec"]
                    source = ["--reader=journal", f"--journal-match=TLOG_REC={rec}"]
                play_with([*program, *source], log.with_suffix(".played"))


def main() -> None:
    """All of it into the folder that the first argument names."""
    folder = Path(sys.argv[1])
    syslog = start_services() if os.geteuid() == 0 else None
    writers = ["file", "syslog", "journal"] if syslog else ["file"]
    record(folder, writers)
    if syslog:
        time.sleep(0.5)
        sort_out(folder, "syslog", syslog.messages("tlog") + syslog.messages("ttyscribe"))
        sort_out(folder, "journal", journal_messages())
    play(folder, writers)


if __name__ == "__main__":
    main()
