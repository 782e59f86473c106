# SPDX-License-Identifier: Apache-2.0
"""What all messages of a recording have in common."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from tests import peers
from tests.recorder.recorder import RECORDER, messages, run
from ttyscribe_recorder import header, rec
from ttyscribe_recorder.writers import file as _loaded_before_the_user_changes  # noqa: F401


def test_a_recording_names_the_first_process_of_its_session(tmp_path: Path) -> None:
    """Boot id, the command's own pid and its start time, as the kernel has them."""
    log = tmp_path / "log"
    script = "echo $$; awk '{print $22}' /proc/$$/stat; cat /proc/sys/kernel/random/boot_id"
    pid, start, boot = run(["-o", str(log), "--", "sh", "-c", script]).stdout.decode().split()
    message = messages(log)[0]
    assert message.rec == f"{boot.replace('-', '')}-{int(pid):x}-{int(start):x}"
    assert message.host == os.uname().nodename
    assert message.user == pwd.getpwuid(os.getuid()).pw_name
    assert message.ver == "2.3"


def test_a_program_cannot_hide_its_start_time_behind_its_name(tmp_path: Path) -> None:
    """A name with parentheses and blanks does not shift the fields."""
    program = tmp_path / "a) R 1 2 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "100"]) as process:
        try:
            text = Path(f"/proc/{process.pid}/stat").read_text()
            expected = int(text.rpartition(") ")[2].split()[19])
            assert header.recording_id(process.pid).endswith(f"-{process.pid:x}-{expected:x}")
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("content", "session"),
    [(b"", 2**32 - 1), (b"12\n", 12), (b"4294967295", 2**32 - 1), (b"0", 2**32 - 1), (b"x", 2**32 - 1)],
)
def test_audit_sessions(monkeypatch: pytest.MonkeyPatch, content: bytes, session: int) -> None:
    """Missing or odd is the kernel's own "unset", never an error."""
    monkeypatch.setattr(header, "read_small", lambda _path: content)
    assert header.audit_session() == session


def test_a_machine_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recordings still have ids, each another."""
    monkeypatch.setattr(header, "read_small", lambda _path: b"")
    assert header.recording_id(255) != header.recording_id(255)
    assert "-ff-" in header.recording_id(255)


@pytest.mark.parametrize("value", [b"", b"xterm", b"\xff\xfe", b'"\\\x01', "zażółć".encode()])
def test_terms_of_any_bytes(tmp_path: Path, value: bytes) -> None:
    """What is no UTF-8 is replaced; nothing is refused."""
    log = tmp_path / "log"
    subprocess.run(
        [*RECORDER, "-o", str(log), "--", "echo"], env={b"TERM": value}, stdout=subprocess.DEVNULL, check=True
    )
    assert messages(log)[0].term == value.decode("utf-8", "replace")


@pytest.mark.root
def test_a_user_without_a_name_is_a_number(tmp_path: Path) -> None:
    """No passwd entry is no reason to refuse a session."""
    peers.require_root()
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o5 != 0o5 and str(folder).startswith("/tmp/pytest"):
            folder.chmod(0o755)
    log = tmp_path / "log"
    child = os.fork()
    if child == 0:
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for number in range(3):
                os.dup2(null, number)
            os.setgid(54321)
            os.setuid(54321)
            os._exit(rec.main(["-o", str(log), "--", "echo", "hi"], dict(os.environb)))
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert messages(log)[0].user == "54321"
