# SPDX-License-Identifier: Apache-2.0
"""Moves bytes from one descriptor to another, and shows them to the recording after they have gone on.

Bytes on their way are bounded: where the far side does not take them, no more are read, so that the program (or the
user's pipe) waits as it would without a recorder.
"""

import os
from fcntl import F_GETFL, F_SETFL, fcntl
from stat import S_ISCHR, S_ISFIFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ttyscribe_recorder.loop import Loop

CHUNK = 1 << 16
_BATCH = 16_000
"""Bytes of bulk output that are read and passed on before they are recorded. A terminal's driver holds 12 KiB: what is
recorded at once must take no longer than the program needs to fill it again, and the viewer to empty it."""
AHEAD = 32 << 10
"""Bytes of output that may wait for a viewer while more are read."""
_BULK = 2048


def reopen(fd: int, flags: int) -> int:
    """A descriptor of our own for the same terminal or pipe, which doesn't block; -1 where that can't be had.

    To make `fd` itself non-blocking would change it for every process that shares it, the user's shell among them.
    """
    mode = os.fstat(fd).st_mode
    if not S_ISCHR(mode) and not S_ISFIFO(mode):
        return -1
    try:
        return os.open(f"/proc/self/fd/{fd}", flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return -1


class Outlet:
    """Where bytes go. Takes all; what the descriptor does not take now is `pending`.

    With `blocking` the descriptor is shared with other processes and blocks, and must stay so for them. Even where poll
    promises room a terminal may hold a writer, so it is made not to block for the one call.
    """

    __slots__ = ("_blocking", "dead", "fd", "pending")

    def __init__(self, fd: int, *, blocking: bool = False) -> None:
        self.fd = fd
        self._blocking = blocking
        self.pending = b""
        self.dead = False
        """The far side is gone: bytes are dropped."""

    def send(self, data: bytes) -> None:
        """Write, or keep what can't be written now."""
        if self.dead:
            return
        self.pending += data
        self.flush()

    def flush(self) -> None:
        """Write what is pending, as far as it goes: where only a part went, the next try would go in vain."""
        try:
            self.pending = self.pending[self._write(self.pending) :]
        except BlockingIOError:
            pass
        except OSError:  # EPIPE, EIO: nobody is there any more
            self.dead = True
            self.pending = b""

    def _write(self, data: bytes) -> int:
        """How many of the bytes went. BlockingIOError where none does now, OSError where none ever will."""
        return self._write_shared(self.fd, data) if self._blocking else os.write(self.fd, data)

    @staticmethod
    def _write_shared(fd: int, data: bytes) -> int:
        flags = fcntl(fd, F_GETFL)
        fcntl(fd, F_SETFL, flags | os.O_NONBLOCK)
        try:
            return os.write(fd, data)
        finally:
            fcntl(fd, F_SETFL, flags)


class Flow:
    """One direction: reads `source`, sends to `outlet`, then calls `note` with the bytes.

    `on_end` is called once, with the flow, when the source has ended or the outlet is dead and all has been delivered.
    No more is read while over `ahead` bytes wait for the outlet: with 0, as for what others share with us, one read
    after each poll, since a second one may block.
    """

    __slots__ = ("_ahead", "_loop", "_note", "_on_end", "_reading", "_writing", "ended", "held", "outlet", "source")

    def __init__(
        self,
        loop: "Loop",
        source: int,
        outlet: Outlet,
        note: "Callable[[bytes], None]",
        on_end: "Callable[[Flow], None]",
        ahead: int = 0,
    ) -> None:
        self._loop = loop
        self.source = source
        self.outlet = outlet
        self._note = note
        self._on_end = on_end
        self._ahead = ahead
        self.ended = False
        self.held = False
        """Read no more for now, whatever the outlet says."""
        self._reading = self._writing = False
        self.update()

    def update(self) -> None:
        """Listen to what matters now."""
        waiting = bool(self.outlet.pending)
        reading = not self.ended and len(self.outlet.pending) <= self._ahead and not self.held
        if reading != self._reading:
            self._reading = reading
            self._loop.reader(self.source, self.readable if reading else None)
        if waiting != self._writing:
            self._writing = waiting
            self._loop.writer(self.outlet.fd, self.writable if waiting else None)

    def readable(self) -> None:
        """Read and pass on."""
        self.pump()
        self.update()

    def pump(self) -> bool:
        """One round of reading; whether there may be more."""
        data = self._read()
        if data is None:
            return False
        if not data:
            self._end()
            return False
        self.outlet.send(data)
        self._note(data)
        if self.outlet.dead:
            self._end()
        return not self.ended and not self.outlet.pending

    def _read(self) -> bytes | None:
        """Bytes, none at the end of the source, None where there is nothing now."""
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return None
        except OSError:  # EIO: the other end of a terminal is closed
            return b""
        return self._read_more(data) if self._ahead and len(data) >= _BULK else data

    def _read_more(self, data: bytes) -> bytes:
        """A terminal gives 4 KiB at a time; bulk output is cheaper in pieces that are somewhat larger."""
        pieces, size = [data], len(data)
        try:
            while len(data) >= _BULK and size < _BATCH:
                data = os.read(self.source, CHUNK)
                pieces.append(data)
                size += len(data)
        except OSError:  # nothing more now, or the end: the next read says which
            pass
        return b"".join(pieces)

    def writable(self) -> None:
        """The outlet may take more."""
        self.outlet.flush()
        if self.outlet.dead:
            self._end()
        elif self.ended and not self.outlet.pending:
            self._on_end(self)
        self.update()

    def _end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self.update()
        if not self.outlet.pending:
            self._on_end(self)

    def stop(self) -> None:
        """Forget both descriptors."""
        self.ended = True
        self.outlet.pending = b""
        self.update()
