# SPDX-License-Identifier: Apache-2.0
"""The event loop: descriptors, signals, nothing else. Without a due time it sleeps until something happens.

`poll` and not `epoll`, because standard input may be a plain file.
"""

import os
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable

    Call = Callable[[], None]
else:
    # The public module builds enumerations at import, a millisecond in each login.
    import _signal as signal

_MS = 1_000_000
_LONGEST_MS = 24 * 3600 * 1000
"""poll takes no more than 24 days."""
_GONE = POLLHUP | POLLERR | POLLNVAL


class Loop:
    """Calls back when a descriptor can be read or written. One callback a direction and descriptor.

    What comes by the descriptor `first` is heard before anything else that has come.
    """

    __slots__ = ("_poll", "_readers", "_writers", "first")

    def __init__(self) -> None:
        self._poll = poll()
        self.first = -1
        self._readers: dict[int, Call] = {}
        self._writers: dict[int, Call] = {}

    def reader(self, fd: int, call: "Call | None") -> None:
        """Call when `fd` has data or has ended; None stops that."""
        self._set(self._readers, fd, call)

    def writer(self, fd: int, call: "Call | None") -> None:
        """Call when `fd` takes data or never will again; None stops that."""
        self._set(self._writers, fd, call)

    def _set(self, table: "dict[int, Call]", fd: int, call: "Call | None") -> None:
        if table.get(fd) == call:
            return
        if call is None:
            del table[fd]
        else:
            table[fd] = call
        mask = (POLLIN if fd in self._readers else 0) | (POLLOUT if fd in self._writers else 0)
        # A descriptor that hung up reports so for ever: it must not stay registered when nobody listens.
        if mask:
            self._poll.register(fd, mask)
        else:
            self._poll.unregister(fd)

    def _place(self, event: "tuple[int, int]") -> bool:
        return event[0] != self.first

    def turn(self, timeout_ns: int | None) -> None:
        """Wait for events, at most `timeout_ns` (None: for ever), and make the calls."""
        timeout = None if timeout_ns is None else min(max(0, -(-timeout_ns // _MS)), _LONGEST_MS)
        found = self._poll.poll(timeout)
        if len(found) > 1:
            found.sort(key=self._place)
        for fd, events in found:
            reader, writer = self._readers.get(fd), self._writers.get(fd)
            if reader is not None and events & (POLLIN | _GONE):
                reader()
            # The reader may have stopped the writer.
            if writer is not None and events & (POLLOUT | _GONE) and self._writers.get(fd) == writer:
                writer()


class Signals:
    """Makes signals readable: `fd` has data when some came, `take` says which.

    Signals that were ignored when we started stay ignored; none stays blocked.
    """

    __slots__ = ("_came", "_old", "_write", "fd")

    def __init__(self, numbers: "Iterable[int]") -> None:
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._came: set[int] = set()
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._old = {}
        for number in numbers:
            old = signal.getsignal(number)
            if old != signal.SIG_IGN or number == signal.SIGCHLD:
                self._old[number] = old
                signal.signal(number, self._note)
        # Who started us may have blocked some: without SIGCHLD no session would end.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _note(self, number: int, _frame: object) -> None:
        self._came.add(number)

    def take(self) -> set[int]:
        """The signals that came since the last call."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        came, self._came = self._came, set()
        return came

    def close(self) -> None:
        """Put the old handlers back."""
        for number, old in self._old.items():
            signal.signal(number, signal.SIG_DFL if old is None else old)
        signal.set_wakeup_fd(-1)
        os.close(self.fd)
        os.close(self._write)
