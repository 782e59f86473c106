# SPDX-License-Identifier: Apache-2.0
"""Many sessions in one process on one loop: each complete, none knows of the others; idle ones cost no wake-up."""

import contextlib
import os
import signal
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import ttyscribe_recorder
from tests.recorder.recorder import wait_for
from tests.recorder.test_login_path import switches
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Header
from ttyscribe_formats.packet import Output
from ttyscribe_formats.reading import packets
from ttyscribe_recorder import command
from ttyscribe_recorder.header import recording_id
from ttyscribe_recorder.log import Log
from ttyscribe_recorder.loop import Loop, Signals
from ttyscribe_recorder.recording import Recording
from ttyscribe_recorder.session import Session
from ttyscribe_recorder.terminal import Terminal
from ttyscribe_recorder.writers.memory import MemoryWriter

COUNT = 20


class Held:
    """One session in this process, the user's side of its streams, and its log in memory."""

    def __init__(self, loop: Loop, number: int, script: str, *, terminal: bool) -> None:
        argv, environment = [b"sh", b"-c", script.encode()], {**os.environb, b"N": b"%d" % number}
        self.writer, self.seen, self.number = MemoryWriter(), b"", number
        self.master, slave = os.openpty() if terminal else (-1, -1)
        self.keyboard = self.master
        self._ours = [fd for fd in (self.master, slave) if fd >= 0]
        streams = [-1, -1, -1]
        if not terminal:
            (streams[0], self.keyboard), (self.master, streams[1]), (err, streams[2]) = os.pipe(), os.pipe(), os.pipe()
            self._ours += [*streams, self.keyboard, self.master, err]
        outer = Terminal(slave) if terminal else None
        if outer is not None:
            outer.set_raw()
        child = command.start(argv, environment, outer, (terminal,) * 3)
        self.pid = child.pid
        header = Header("h", recording_id(child.pid), f"user{number}", "xterm", number + 1)
        recording = Recording(header, Log(self.writer, 10**9, lambda _text: None), 10**9)
        self.session = Session(loop, recording, child, outer, (terminal,) * 3, (streams[0], streams[1], streams[2]))
        loop.reader(self.master, self._look)
        self._loop = loop

    def _look(self) -> None:
        self.seen += os.read(self.master, 65536)

    def close(self) -> None:
        """End what is left."""
        self._loop.reader(self.master, None)
        self.session.close()
        if not self.session.done:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        for fd in self._ours:
            with contextlib.suppress(OSError):
                os.close(fd)


class House:
    """The loop, its signals and all sessions: what a daemon would be."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.signals = Signals([signal.SIGCHLD])
        self.sessions: list[Held] = []
        self.loop.reader(self.signals.fd, self._hear)

    def _hear(self) -> None:
        self.signals.take()
        for held in self.sessions:
            held.session.reap()

    def turn(self, longest_ns: int = 10**8) -> None:
        """One turn of the loop, and what is due."""
        due = [moment for held in self.sessions if (moment := held.session.due_ns) is not None]
        self.loop.turn(min([longest_ns, *(moment - time.monotonic_ns() for moment in due)]))
        for held in self.sessions:
            if not held.session.done:
                held.session.tick()
                if held.session.done:
                    held.session.end()

    def turns_until(self, holds: object) -> object:
        """One turn where it does not hold yet."""
        if not holds:
            self.turn()
        return holds


@pytest.fixture
def house() -> Iterator[House]:
    """An empty one."""
    made = House()
    yield made
    for held in made.sessions:
        held.close()
    made.loop.reader(made.signals.fd, None)
    made.signals.close()


def output(held: Held) -> bytes:
    """What its log says that its command wrote."""
    found = [tlog.decode(message) for message in held.writer.messages]
    assert {message.user for message in found} == {f"user{held.number}"}
    assert [message.id for message in found] == list(range(1, len(found) + 1))
    return b"".join(packet.data for packet in packets(found) if isinstance(packet, Output))


def test_twenty_sessions_at_once(house: House) -> None:
    """At terminals and on pipes, quick and slow, of all endings: every log is whole and its own."""
    script = 'read key; seq $N 200 $((N + 60000)); echo "end of $N"; test $N = 7 && kill -9 $$; exit $N'
    for number in range(COUNT):
        house.sessions.append(Held(house.loop, number, script, terminal=number % 2 == 0))
    for held in house.sessions:
        os.write(held.keyboard, b"\n")
    wait_for(lambda: house.turns_until(all(held.session.done for held in house.sessions)), "all to end", 100)
    for held in house.sessions:
        end = b"\r\n" if held.number % 2 == 0 else b"\n"
        echo = [b""] if held.number % 2 == 0 else []
        lines = echo + [b"%d" % n for n in range(held.number, held.number + 60_001, 200)] + [b"end of %d" % held.number]
        assert output(held) == b"".join(line + end for line in lines)
        assert held.session.status == (137 if held.number == 7 else held.number)
        assert tlog.own_fields(tlog.decode(held.writer.messages[-1]))["end"] == {"status": held.session.status}
        wait_for(lambda: house.turns_until(held.seen == output(held)), "the user to see it all")  # noqa: B023


def test_one_that_is_stopped_stops_no_other(house: House) -> None:
    """Nobody reads one terminal, another session hangs up: the third goes on."""
    stuck = Held(house.loop, 0, "yes", terminal=True)
    house.loop.reader(stuck.master, None)
    gone = Held(house.loop, 1, "echo ready; exec sleep 1000", terminal=True)
    third = Held(house.loop, 2, "read x; echo got $x", terminal=True)
    house.sessions += [stuck, gone, third]
    wait_for(lambda: house.turns_until(b"ready" in gone.seen), "the second")
    gone.session.hang_up(signal.SIGTERM)
    wait_for(lambda: house.turns_until(gone.session.done), "the second to end")
    os.write(third.master, b"key\r")
    wait_for(lambda: house.turns_until(third.session.done), "the third to end")
    assert output(third).endswith(b"got key\r\n")
    assert output(gone) == b"ready\r\n"
    assert not stuck.session.done
    house.loop.reader(stuck.master, stuck._look)


def test_idle_sessions_wake_nobody_up(house: House) -> None:
    """Twenty of them, in a process of their own, which sleeps in one call for seconds."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for number in range(COUNT):
                house.sessions.append(Held(house.loop, number, "echo ready; exec sleep 1000", terminal=True))
            while not all(held.writer.messages for held in house.sessions):
                house.turn()
            os.write(write, b"idle")
            while True:
                house.turn(3600 * 10**9)
        finally:
            os._exit(1)
    os.close(write)
    try:
        assert os.read(read, 4) == b"idle"
        wait_for(lambda: Path(f"/proc/{pid}/wchan").read_text() not in ("", "0"), "it to sleep")
        time.sleep(0.3)
        before = switches(pid)
        time.sleep(3)
        assert switches(pid) == before
    finally:
        os.close(read)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_the_core_has_no_globals() -> None:
    """Nothing in the modules that hold a session can be changed by one: constants, functions and classes only."""
    for name in ("session", "recording", "log", "stream", "loop", "terminal", "command"):
        module = getattr(ttyscribe_recorder, name)
        for key, value in vars(module).items():
            if key.startswith("__") or isinstance(value, types.ModuleType | types.FunctionType | type):
                continue
            assert isinstance(value, int | str | bytes | tuple | frozenset) or callable(value), f"{name}.{key}"
