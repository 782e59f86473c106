# SPDX-License-Identifier: Apache-2.0
"""Who and where: what all messages of a recording have in common. Never fails: a login must not hang on a name."""

import os
import pwd

from ttyscribe_formats.chunk import Header
from ttyscribe_formats.tlog import MAX_SESSION, UNSET_SESSION


def read_small(path: str) -> bytes:
    """The content of a small file of the kernel; empty where it can't be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""
    finally:
        os.close(fd)


def read_all(path: str) -> bytes:
    """The content of a file of the kernel that may be longer; empty where it can't be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def to_text(raw: bytes) -> str:
    """Bytes of the system as text; what is not UTF-8 is replaced, never refused."""
    return raw.decode("utf-8", "replace")


def recording_id(pid: int) -> str:
    """`<boot id>-<pid>-<start time>` in hex, of the recorded session's first process."""
    boot = to_text(read_small("/proc/sys/kernel/random/boot_id")).strip().replace("-", "")
    # The program's name stands in parentheses and may hold anything.
    fields = read_small(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    start = int(fields[19]) if len(fields) > 19 else int.from_bytes(os.urandom(6), "big")
    return f"{boot or os.urandom(16).hex()}-{pid:x}-{start:x}"


def audit_session() -> int:
    """The audit session id; the kernel's own "unset" where there is none."""
    text = read_small("/proc/self/sessionid").strip()
    session = int(text) if text.isdigit() else UNSET_SESSION
    return session if 0 < session <= MAX_SESSION else UNSET_SESSION


def user_name() -> str:
    """The name of the real user, or the number where there is no name."""
    uid = os.getuid()
    try:
        return to_text(os.fsencode(pwd.getpwuid(uid).pw_name))
    except (KeyError, OSError):
        return str(uid)


def make_header(pid: int, environment: "dict[bytes, bytes]") -> Header:
    """The header of the session whose first process is `pid`."""
    host = to_text(os.fsencode(os.uname().nodename))
    return Header(host, recording_id(pid), user_name(), to_text(environment.get(b"TERM", b"")), audit_session())
