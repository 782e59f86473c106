# SPDX-License-Identifier: Apache-2.0
"""An entry in utmp for the inner terminal, so that `who` and `logname` work inside: by libutempter's own helper.

The helper has the rights that we have not, and takes a terminal's other end as its standard input. Where it is missing,
fails or takes its time, there is no entry and nobody hears of it.
"""

import os
import sys
from select import POLLIN, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

_LIMIT_MS = 1000


def helpers() -> tuple[str, ...]:
    """Where distributions put it."""
    triplet = getattr(sys.implementation, "_multiarch", "")
    return tuple(f"/usr/{place}/utempter/utempter" for place in (f"lib/{triplet}", "libexec", "lib"))


def add(master: int) -> bool:
    """Enter the terminal of which `master` is the other end; whether the helper did."""
    return _call("add", master)


def remove(master: int) -> bool:
    """Take the entry away again, while `master` is still open."""
    return _call("del", master)


def _call(word: str, master: int) -> bool:
    helper = next((path for path in helpers() if os.access(path, os.X_OK)), "")
    try:
        return bool(helper) and _run(helper, word, master)
    except OSError:  # no descriptor or process left for it
        return False


def _run(helper: str, word: str, master: int) -> bool:
    read, write = os.pipe()
    try:
        pid = os.fork()
        if pid == 0:
            _become(helper, word, master, write)
        os.close(write)
        write = -1
        over = poll()
        over.register(read, POLLIN)
        if not over.poll(_LIMIT_MS):  # it ends, and with it the pipe
            os.kill(pid, signal.SIGKILL)
        return os.waitpid(pid, 0)[1] == 0
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def _become(helper: str, word: str, master: int, write: int) -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        for number, fd in enumerate((master, write, null)):
            os.dup2(fd, number)
        os.execve(helper, [helper, word], {})  # noqa: S606
    finally:
        os._exit(1)
