# SPDX-License-Identifier: Apache-2.0
"""Who and where: what all messages of a recording have in common. Never fails: a login must not hang on a name."""

import os
import pwd
from _socket import AI_CANONNAME, getaddrinfo
from select import POLLIN, poll

from ttyscribe_formats.chunk import Header
from ttyscribe_formats.tlog import MAX_SESSION, UNSET_SESSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

LOOKUP_MS = 200


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


def node_name() -> str:
    """The kernel's name of this host."""
    return to_text(os.fsencode(os.uname().nodename))


def domain_name(limit_ms: int = LOOKUP_MS) -> str:
    """The host's full name from the resolver, as tlog has it; the node name where that takes longer than the limit.

    The resolver can't be stopped, so a process of its own asks it: a login never waits for DNS.
    """
    try:
        return to_text(_ask_resolver(limit_ms)) or node_name()
    except OSError:  # no descriptor or process left for it
        return node_name()


def _ask_resolver(limit_ms: int) -> bytes:
    read, write = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
        if pid == 0:
            try:
                found = getaddrinfo(node_name(), None, 0, 0, 0, AI_CANONNAME)
                os.write(write, str(found[0][3]).encode("utf-8", "replace"))
            finally:
                os._exit(0)
        os.close(write)
        write = -1
        ready = poll()
        ready.register(read, POLLIN)
        answer = os.read(read, 4096) if ready.poll(limit_ms) else b""
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return answer
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def make_header(pid: int, environment: "dict[bytes, bytes]", host: str) -> Header:
    """The header of the session on this host whose first process is `pid`."""
    return Header(host, recording_id(pid), user_name(), to_text(environment.get(b"TERM", b"")), audit_session())
