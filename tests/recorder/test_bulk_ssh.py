# SPDX-License-Identifier: Apache-2.0
"""Copies through a real sshd to a user whose login shell is the installed recorder: intact, and cheap to record."""

import filecmp
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import peers
from tests.chroot.host import Host
from tests.chroot.recorded import LOG, SESSION, bring, configure, install, messages
from tests.recorder.recorder import wait_for
from ttyscribe_formats import tlog
from ttyscribe_formats.packet import Input, Output
from ttyscribe_formats.reading import packets

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

SIZE = 100_000_000
END = 32 << 10
SFTP_SERVER = "/usr/lib/openssh/sftp-server"
PLACE = "alice@127.0.0.1:"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """With the recorder installed; sftp's server is a program that the login shell starts."""
    made = Host(tmp_path_factory.mktemp("bulk"))
    try:
        bring(made)
        install(made)
        configure(made)
        made.user("alice", SESSION)
        made.start_sshd(sftp=SFTP_SERVER)
        if not (made.root / SFTP_SERVER.lstrip("/")).exists():
            peers.require_program("openssh-sftp-server")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 MB of random bytes."""
    path = tmp_path_factory.mktemp("data") / "random"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.fixture(autouse=True)
def fresh(host: Host) -> None:
    """An empty log for each test."""
    os.truncate(host.root / LOG.lstrip("/"), 0)
    configure(host)


def counts(host: Host, sort: type[Input] | type[Output]) -> tuple[int, int]:
    """Bytes that the log holds of one sort, and those that it says are left out."""
    found = messages(host)
    kept = sum(len(packet.data) for packet in packets(found) if isinstance(packet, sort))
    marks = [mark for message in found for mark in tlog.own_fields(message).get("skip", [])]
    return kept, sum(mark["bytes"] for mark in marks if (mark["stream"] == "stdin") == (sort is Input))


def ended(host: Host) -> bool:
    """Whether the log's last message is the end of its recording."""
    found = messages(host)
    return bool(found) and "end" in tlog.own_fields(found[-1])


def copy(host: Host, way: str, source: str, target: str) -> None:
    """Copy a file; one of them has a colon."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    if way == "sftp":
        command = [*host.options(), "-b", "-", "alice@127.0.0.1"]
        verb, local, remote = ("get", target, source) if ":" in source else ("put", source, target)
        names = (remote.partition(":")[2], local) if verb == "get" else (local, remote.partition(":")[2])
        asked = f"{verb} {names[0]} {names[1]}\n".encode()
        subprocess.run(["sftp", "-q", *command], input=asked, env=environment, check=True, timeout=200)
        return
    command = ["scp", *(["-O"] if way == "scp -O" else []), "-q", *host.options(), source, target]
    subprocess.run(command, env=environment, check=True, timeout=200)


@pytest.mark.parametrize("way", ["scp", "scp -O", "sftp"])
def test_a_copy_from_the_host(host: Host, data: Path, tmp_path: Path, way: str) -> None:
    """It arrives intact and costs less than 1 MB of log, which accounts for every byte."""
    peers.require_program(way.split(maxsplit=1)[0])
    there = host.root / "home/alice/random"
    if not there.exists():
        there.write_bytes(data.read_bytes())
    copy(host, way, f"{PLACE}random", str(tmp_path / "copy"))
    assert filecmp.cmp(data, tmp_path / "copy", shallow=False)
    wait_for(lambda: ended(host), "the recording's end")
    kept, elided = counts(host, Output)
    assert SIZE <= kept + elided <= SIZE * 1.01
    assert kept >= 2 * END
    assert (host.root / LOG.lstrip("/")).stat().st_size < 1_000_000


@pytest.mark.parametrize("way", ["scp", "scp -O", "sftp"])
def test_a_copy_to_the_host_with_input_recorded(host: Host, data: Path, way: str) -> None:
    """The same for what comes in."""
    peers.require_program(way.split(maxsplit=1)[0])
    configure(host, log={"input": True})
    copy(host, way, str(data), f"{PLACE}upload")
    assert filecmp.cmp(data, host.root / "home/alice/upload", shallow=False)
    wait_for(lambda: ended(host), "the recording's end")
    kept, elided = counts(host, Input)
    assert SIZE <= kept + elided <= SIZE * 1.01
    assert (host.root / LOG.lstrip("/")).stat().st_size < 1_000_000


def test_rsync(host: Host, data: Path) -> None:
    """It comes from the host as intact and as cheaply."""
    there = host.root / "home/alice/random"
    if not there.exists():
        there.write_bytes(data.read_bytes())
    key = host.write("/root/key", host.key.read_bytes(), 0o600)
    shell = " ".join(["ssh", *host.options()]).replace(str(host.key), f"/root/{key.name}")
    host.run("rsync", "-e", shell, f"{PLACE}random", "/root/copy")
    assert filecmp.cmp(data, host.root / "root/copy", shallow=False)
    wait_for(lambda: ended(host), "the recording's end")
    kept, elided = counts(host, Output)
    assert SIZE <= kept + elided <= SIZE * 1.01
    assert (host.root / LOG.lstrip("/")).stat().st_size < 1_000_000


def test_text_stays_whole(host: Host) -> None:
    """10 MB of it, by ssh."""
    done = host.login("alice", "seq 1450000")
    assert len(done.stdout) > 10_000_000
    wait_for(lambda: ended(host), "the recording's end")
    assert counts(host, Output) == (len(done.stdout), 0)
    assert b"".join(packet.data for packet in packets(messages(host)) if isinstance(packet, Output)) == done.stdout


def test_a_shell_hidden_in_a_binary_stream(host: Host) -> None:
    """`ssh -T host 'head -c 5M /dev/urandom; bash'`: whatever that shell writes is in the log, at once or later."""
    command = host.ssh("alice", "head -c 5M /dev/urandom; bash", options=["-T"])
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        seen = bytearray()
        reader = threading.Thread(target=lambda: seen.extend(session.stdout.read()))  # type: ignore[union-attr]
        reader.start()
        for line in (b"id\n", b"echo short\n", b"printf '%s' x\n", b"cat /etc/passwd\n", b"echo \xc3\xa4\xc3\xb6\n"):
            session.stdin.write(line)
            session.stdin.flush()
            time.sleep(0.3)  # as a person types: some in the run's last second, some behind it
        session.stdin.write(b"exit 7\n")
        session.stdin.close()
        assert session.wait(60) == 7
        reader.join(60)
    words = bytes(seen[5 << 20 :])
    assert words.startswith(b"uid=")
    assert b"short\n" in words
    assert words.endswith("äö\n".encode())
    wait_for(lambda: ended(host), "the recording's end")
    assert b"".join(p.data for p in packets(messages(host)) if isinstance(p, Output)).endswith(words)
    assert counts(host, Output)[1] > 4 << 20
