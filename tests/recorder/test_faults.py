# SPDX-License-Identifier: Apache-2.0
"""Faults from outside, on real processes: killed, stopped, crowded, flooded with sizes, short of everything.

What the log does when its receiver is in trouble stands in test_file_writer.py, test_syslog.py, test_journal.py.
"""

import json
import os
import random
import re
import resource
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import (
    LEAN,
    LONG,
    PATIENCE,
    RECORDER,
    AtTerminal,
    at_terminal,
    end_status,
    messages,
    recorded,
    sizes,
    wait_for,
)
from tests.recorder.test_terminal import child_of, rss_of
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets


class Victim:
    """A recorder whose user notes when each line was shown, until it is killed."""

    def __init__(self, log: Path, lifetime: float) -> None:
        script = "n=0; while :; do echo line $n; n=$((n+1)); sleep 0.03; done"
        self.log = log
        self.screen = AtTerminal([*LEAN, "-o", str(log), "--latency=1", "--", "sh", "-c", script])
        self.end = time.monotonic() + lifetime
        self.shown: list[tuple[float, int]] = []
        self.killed = 0.0
        self.starved = 0.0

    def live(self) -> bool:
        """Look; kill it when its time has come. Whether it still lives."""
        if self.killed:
            return False
        self.shown.append((time.monotonic(), len(self.screen.look())))
        if time.monotonic() >= self.end and self.screen.seen:
            # What it waited for a processor is not its fault.
            self.starved = int(Path(f"/proc/{self.screen.pid}/schedstat").read_text().split()[1]) / 1e9
            self.killed = time.monotonic()
            self.screen.send(signal.SIGKILL)
            self.screen.wait()
            return False
        return True


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Everything that was shown more than the latency and half a second before is in the log, and the log is whole."""
    dice = random.Random()
    for number in range(12 if LONG else 2):
        victims = [Victim(tmp_path / f"log{number}.{n}", dice.uniform(0.1, 5.0)) for n in range(10)]
        try:
            wait_for(lambda: not [victim for victim in victims if victim.live()], "all to be killed")  # noqa: B023
        finally:
            for victim in victims:
                victim.screen.close()
        for victim in victims:
            due = victim.killed - 1.5 - victim.starved
            owed = max([size for moment, size in victim.shown if moment < due], default=0)
            kept = recorded(victim.log)
            assert victim.screen.seen.startswith(kept)
            assert len(kept) >= owed
            assert not kept or end_status(victim.log) is None


def test_two_hundred_sessions_at_once(tmp_path: Path) -> None:
    """Half of them share a file, half the syslog socket: each is complete, and no line has two writers."""
    log, path = tmp_path / "log", tmp_path / "socket"
    received: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(0.1)
        over = threading.Event()

        def read() -> None:
            while True:
                try:
                    received.append(receiver.recv(1 << 20))
                except TimeoutError:
                    if over.is_set():
                        return

        thread = threading.Thread(target=read)
        thread.start()
        read_end, write_end = os.pipe()
        running = []
        for number in range(200):
            way = [f"--file-path={log}"] if number % 2 else ["--writer=syslog", f"--syslog-socket={path}"]
            script = f"read x; seq {number}000 {number}400; sleep 0.2; echo end"
            command = [*LEAN, *way, "--payload=300", "--", "sh", "-c", script]
            running.append(subprocess.Popen(command, stdin=read_end, stdout=subprocess.DEVNULL))
        os.close(read_end)
        os.write(write_end, b"\n" * 4000)  # all begin at once
        os.close(write_end)
        statuses = [process.wait(100) for process in running]
        over.set()
        thread.join()
    assert statuses == [0] * 200
    sent = [tlog.decode(datagram.partition(b" ttyscribe: ")[2]) for datagram in received]
    by_recording = defaultdict(list)
    for message in (*messages(log), *sent):
        by_recording[message.rec].append(message)
    assert len(by_recording) == 200
    wrote = set()
    for found in by_recording.values():
        assert [message.id for message in found] == list(range(1, len(found) + 1))
        wrote.add(b"".join(packet.data for packet in packets(found) if isinstance(packet, Output)))
    lines = ([*range(number * 1000, number * 1000 + 401), "end"] for number in range(200))
    assert wrote == {"".join(f"{line}\n" for line in session).encode().replace(b"\n0", b"\n0") for session in lines}


def test_ten_thousand_sizes(tmp_path: Path) -> None:
    """As fast as the kernel takes them: those recorded are in order, the last is the last, memory stays."""
    log = tmp_path / "log"
    given = [(80 + number % 211, 24 + number % 97) for number in range(10_000)]
    script = 'echo ready; until test "$(stty size)" = "33 77"; do sleep 0.02; done; echo there; read x'
    with at_terminal(["-o", str(log), "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        before = rss_of(screen.pid)
        for size in given:
            screen.resize(size)
        screen.resize((77, 33))
        screen.wait_to_see(b"there")
        assert rss_of(screen.pid) < before + 20_000
        screen.type(b"x\r")
        assert screen.wait() == 0
    found = sizes(log)
    assert found[0] == (80, 24)
    assert found[-1] == (77, 33)
    left = iter([(80, 24), *given, (77, 33)])
    distinct = [size for size, last in zip(found, [(0, 0), *found], strict=False) if size != last]
    assert all(size in left for size in distinct), "in the order in which they were given"


def test_output_stopped_and_started_by_key(tmp_path: Path) -> None:
    """^S and ^Q are the inner terminal's: the screen stands still, nothing is lost, keys in between are kept."""
    log = tmp_path / "log"
    script = "echo ready; read x; seq 1 50000; read y; echo got $y"
    with at_terminal(["-o", str(log), "--latency=1", "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        screen.type(b"x\r\x13")
        time.sleep(0.5)
        screen.look(0.2)
        before = len(screen.look())
        time.sleep(0.5)
        assert len(screen.look()) == before
        assert b"50000\r\n" not in screen.seen
        screen.type(b"\x11")
        screen.wait_to_see(b"50000\r\n")
        screen.type(b"late\r")
        assert screen.wait() == 0
    assert screen.seen.endswith(b"got late\r\n")
    assert recorded(log) == screen.seen


@pytest.mark.parametrize("whom", ["recorder", "command"])
def test_stopped_and_continued(tmp_path: Path, whom: str) -> None:
    """SIGSTOP and SIGCONT at random moments during output: no byte is lost, no status changes."""
    log = tmp_path / "log"
    dice = random.Random()
    script = "echo ready; for n in 0 1 2 3 4 5 6 7 8 9; do seq ${n}00000 ${n}09999; sleep 0.05; done; exit 5"
    with at_terminal(["-o", str(log), "--latency=1", "--", "sh", "-c", script]) as screen:
        screen.wait_to_see(b"ready")
        pid = screen.pid if whom == "recorder" else child_of(screen.pid)
        while not screen.ended():
            try:
                os.kill(pid, signal.SIGSTOP)
                screen.look(dice.uniform(0, 0.02))
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                break
            screen.look(dice.uniform(0, 0.02))
        assert screen.wait() == 5
        assert screen.attributes() == screen.found
    lines = ["ready", *(start * 100_000 + number for start in range(10) for number in range(10_000))]
    assert screen.seen == "".join(f"{line}\r\n" for line in lines).encode()
    assert recorded(log) == screen.seen
    assert end_status(log) == 5


def test_a_recorder_stopped_for_longer_than_the_latency(tmp_path: Path) -> None:
    """What was due meanwhile is written as soon as it goes on."""
    log = tmp_path / "log"
    with at_terminal(["-o", str(log), "--latency=1", "--", "sh", "-c", "echo before; read x; echo after"]) as screen:
        screen.wait_to_see(b"before")
        screen.send(signal.SIGSTOP)
        time.sleep(1.5)
        screen.type(b"x\r")
        screen.send(signal.SIGCONT)
        assert screen.wait() == 0
    assert recorded(log) == screen.seen


def test_started_in_the_background(tmp_path: Path) -> None:
    """It stops until it is its turn, and then finds the terminal as a program is to find it, not as the shell edits."""
    log, start = tmp_path / "log", tmp_path / "start"
    start.write_text(f'exec {shlex.join(LEAN)} -o {log} -- sh -c "echo inside; read x; echo got \\$x"\n')
    screen = AtTerminal(["bash", "--norc", "-i"], env={**os.environ, "PS1": "$ ", "HISTFILE": "/dev/null"})
    try:
        screen.type(b"sh %s &\r" % bytes(start))
        wait_for(lambda: re.search(rb"\[1\] (\d+)\r", screen.look(0.05)), "the job's number")
        found = re.search(rb"\[1\] (\d+)\r", screen.seen)
        assert found is not None
        stat = Path(f"/proc/{int(found[1])}/stat")
        wait_for(lambda: stat.read_text().rpartition(") ")[2][0] == "T", "it to stop")
        screen.type(b"fg\r")
        screen.wait_to_see(b"inside\r\n")
        screen.type(b"abc\r")
        screen.wait_to_see(b"abc\r\ngot abc\r\n")
    finally:
        screen.close()


# ---- what is missing or used up ------------------------------------------------------------------------------------


def limited(limit: Callable[[], None], arguments: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
    """Record under a limit that is set once everything is loaded, as it would hold for a session on a full machine."""
    child = os.memfd_create("stdout"), os.memfd_create("stderr")
    pid = os.fork()
    if pid == 0:
        try:
            from ttyscribe_recorder import rec
            from ttyscribe_recorder.writers import file as _loaded  # noqa: F401

            null = os.open(os.devnull, os.O_RDONLY)
            for number, fd in enumerate((null, *child)):
                os.dup2(fd, number)
            os.closerange(3, 1000)
            limit()
            environment = {**os.environb, b"TTYSCRIBE_REC_CONF_TEXT": json.dumps(more).encode()}
            os._exit(rec.main(arguments, environment))
        finally:
            os._exit(99)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    out, err = (os.pread(fd, 1 << 20, 0) for fd in child)
    for fd in child:
        os.close(fd)
    return subprocess.CompletedProcess(arguments, status, out, err)


@pytest.mark.parametrize("on_error", ["refuse", "continue"])
def test_no_descriptors_left(tmp_path: Path, on_error: str) -> None:
    """However few there are: recorded in full, or one line and the policy; never a trace, never a hang."""
    outcomes = set()
    for count in range(3, 24):

        def limit(count: int = count) -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

        log = tmp_path / f"log{count}"
        done = limited(limit, ["-o", str(log), "--", "echo", "ran"], on_error=on_error, runtime_folder=str(tmp_path))
        assert b"Traceback" not in done.stderr
        ran = done.stdout == b"ran\n"
        outcomes.add(ran)
        if ran and done.returncode == 0 and not done.stderr:
            assert recorded(log) == b"ran\n"
            continue
        complaint = done.stderr.splitlines()[0]
        assert complaint.startswith(b"ttyscribe-rec: ")
        assert b"Too many open files" in complaint
        assert (ran, done.returncode) in ((False, 1), (False, 2), (True, 0), (False, 127))
        assert not ran or on_error == "continue"
    assert True in outcomes


def test_no_descriptors_left_at_a_terminal(tmp_path: Path) -> None:
    """The terminal is always as it was."""
    code = (
        "import resource,sys;from ttyscribe_recorder import rec;from ttyscribe_recorder.writers import file;"
        "n=int(sys.argv[1]);resource.setrlimit(resource.RLIMIT_NOFILE,(n,n));"
        "sys.exit(rec.main(sys.argv[2:],dict(rec.os.environb)))"
    )
    ran = set()
    for count in range(3, 20):
        log = tmp_path / f"log{count}"
        screen = AtTerminal([RECORDER[0], "-c", code, str(count), "-o", str(log), "--", "echo", "ran"])
        try:
            status = screen.wait()
            assert screen.attributes() == screen.found
        finally:
            screen.close()
        assert b"Traceback" not in screen.seen, count
        ran.add(screen.seen == b"ran\r\n")
        assert status == 0 if screen.seen == b"ran\r\n" else b"Too many open files" in screen.seen
    assert ran == {True, False}


@pytest.mark.root
@pytest.mark.parametrize("on_error", ["refuse", "continue"])
def test_no_process_can_be_started(tmp_path: Path, on_error: str) -> None:
    """A user at the limit of his processes: refused with one line, or unrecorded in our own place."""
    peers.require_root()
    uid = 60_000 + os.getpid() % 4000

    def limit() -> None:
        os.setgid(uid)
        os.setuid(uid)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))

    log = tmp_path / "log"
    log.touch()
    opened = Path(f"/tmp/ttyscribe-log-{uid}")
    done = limited(limit, ["-o", str(opened), "--", "/bin/echo", "ran"], on_error=on_error)
    opened.unlink()
    first = done.stderr.splitlines()[0]
    assert first == b"ttyscribe-rec: can't start a session: Resource temporarily unavailable"
    assert (done.returncode, done.stdout) == ((1, b"") if on_error == "refuse" else (0, b"ran\n"))


def block_all() -> None:
    """As a careless program leaves them for its children."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())


def ignore_children() -> None:
    """As some daemons do, so that they need not wait for them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def leave_no_folder() -> None:
    """The folder that we are in is gone."""
    folder = tempfile.mkdtemp()
    os.chdir(folder)
    os.rmdir(folder)


@pytest.mark.parametrize("inherited", [block_all, ignore_children, leave_no_folder])
def test_what_a_parent_can_leave_behind(tmp_path: Path, inherited: Callable[[], None]) -> None:
    """The session starts and ends, with its status, and a signal ends it early."""
    log = tmp_path / "log"
    for script, status in (("echo ran; exit 3", 3), ("echo ran; exec sleep 1000", -signal.SIGTERM)):
        command = [*LEAN, "-o", str(log), "--", "/bin/sh", "-c", script]
        recorder = subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=inherited)  # noqa: PLW1509
        with recorder:
            assert recorder.stdout is not None
            assert recorder.stdout.readline() == b"ran\n"
            if status < 0:
                recorder.terminate()
            assert recorder.wait(PATIENCE) == status
        assert end_status(log) == (status if status > 0 else 128 - status)


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """As a full disk: the session goes on, lines are whole, what is missing is said."""
    log = tmp_path / "log"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    done = subprocess.run(
        [*LEAN, "-o", str(log), "--", "sh", "-c", "seq 1 10000; exit 3"], stdin=subprocess.DEVNULL, capture_output=True,
        preexec_fn=limit, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, b"".join(b"%d\n" % number for number in range(1, 10_001)))
    ids = [message.id for message in messages(log)]
    missing = sorted(set(range(1, ids[-1])) - set(ids))
    lost = tlog.own_fields(messages(log)[-1]).get("lost", [])
    assert [(run["from"], run["to"]) for run in lost] == [(missing[0], missing[-1])]
    assert b"File too large" in done.stderr


CONFINED = {
    "no audit session, no boot id": "for file in $$/sessionid $$/loginuid sys/kernel/random/boot_id; do "
    "mount --bind /dev/null /proc/$file; done",
    "no /proc": "mount -t tmpfs tmpfs /proc",
    "no /run": "mount -t tmpfs -o ro tmpfs /run",
    "no utmp": "mount -t tmpfs tmpfs /run",
    "no /etc/passwd": "mount --bind /dev/null /etc/passwd",
    "no /etc/hosts": "mount --bind /dev/null /etc/hosts; mount --bind /dev/null /etc/resolv.conf",
}


@pytest.mark.root
@pytest.mark.parametrize("what", CONFINED)
def test_places_that_are_missing(tmp_path: Path, what: str) -> None:
    """Containers, chroots, rescue systems: the session is recorded at a terminal, without a word."""
    peers.require_root()
    log = tmp_path / "log"
    script = f'{CONFINED[what]}; exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", *LEAN, "-o", str(log), "--", "sh", "-c", "echo ran; exit 3"]
    screen = AtTerminal(command)
    try:
        assert screen.wait() == 3
    finally:
        screen.close()
    assert screen.seen == b"ran\r\n"
    assert recorded(log) == b"ran\r\n"
    assert end_status(log) == 3


@pytest.mark.parametrize("closed", range(8))
@pytest.mark.parametrize("place", ["pipes", "terminal"])
def test_closed_standard_streams_in_every_combination(tmp_path: Path, closed: int, place: str) -> None:
    """The command runs to its end, what it could write is recorded, and no file of ours lands on a stream."""
    log = tmp_path / "log"
    words = " ".join(word for bit, word in enumerate(("<&-", ">&-", "2>&-")) if closed >> bit & 1)
    inner = "read x; echo out; echo err >&2; exit 3"
    script = f'"$0" -c "$1" -o {log} -- sh -c "{inner}" {words}'
    argv = ["sh", "-c", script, RECORDER[0], RECORDER[2]]
    if place == "pipes":
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * PATIENCE)
        assert done.returncode == 3
        assert (done.stdout, done.stderr) == (b"" if closed & 2 else b"out\n", b"" if closed & 4 else b"err\n")
    else:
        screen = AtTerminal(argv, typed_ahead=b"x\r")
        try:
            assert screen.wait() == 3
            assert screen.attributes() == screen.found
        finally:
            screen.close()
        assert (b"out\r\n" in screen.seen, b"err\r\n" in screen.seen) == (not closed & 2, not closed & 4)
    assert sorted({*recorded(log).split()} - {b"x"}) == [b"err", b"out"]  # what is typed is echoed
    assert end_status(log) == 3
