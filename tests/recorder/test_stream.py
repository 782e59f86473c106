# SPDX-License-Identifier: Apache-2.0
"""One direction of a session: what is read ahead of a far side that does not take it, and in which order it goes."""

import os
import random
from collections.abc import Iterator
from fcntl import F_SETPIPE_SZ, fcntl

import pytest

from ttyscribe_recorder.loop import Loop
from ttyscribe_recorder.stream import AHEAD, CHUNK, Flow, Outlet

_PIPE = 1 << 20


class Channel:
    """A flow between two pipes, and the descriptors at its ends."""

    def __init__(self, ahead: int) -> None:
        source, self.into = os.pipe2(os.O_NONBLOCK)
        self.out, sink = os.pipe2(os.O_NONBLOCK)
        self.source, self.sink = source, sink
        fcntl(self.into, F_SETPIPE_SZ, _PIPE)
        self.noted = b""
        self.ended = False
        self.loop = Loop()
        self.flow = Flow(self.loop, source, Outlet(sink), self._note, self._end, ahead)

    def _note(self, data: bytes) -> None:
        self.noted += data

    def _end(self, _flow: Flow) -> None:
        self.ended = True

    def settle(self) -> None:
        """Turn the loop until nothing moves."""
        before = None
        while before != (len(self.noted), len(self.flow.outlet.pending), self.ended):
            before = (len(self.noted), len(self.flow.outlet.pending), self.ended)
            self.loop.turn(0)

    def left(self) -> int:
        """Bytes that nobody has read from the source."""
        return len(os.read(self.source, _PIPE)) if not self.ended else 0


@pytest.fixture
def channels() -> Iterator[list[Channel]]:
    made: list[Channel] = []
    yield made
    for channel in made:
        for fd in (channel.source, channel.sink, channel.into, channel.out):
            try:
                os.close(fd)
            except OSError:
                pass


def test_output_is_read_ahead_of_a_viewer_within_bounds(channels: list[Channel]) -> None:
    """The program may run on for a moment while the viewer is busy, but memory stays bounded."""
    channel = Channel(AHEAD)
    channels.append(channel)
    os.write(channel.into, bytes(_PIPE))
    channel.settle()
    assert AHEAD < len(channel.flow.outlet.pending) <= AHEAD + CHUNK + 4096
    assert channel.left() > 0


def test_input_is_not_read_ahead_of_the_program(channels: list[Channel]) -> None:
    """What it does not take belongs to whoever reads the same input after it."""
    channel = Channel(0)
    channels.append(channel)
    os.write(channel.into, bytes(_PIPE))
    channel.settle()
    assert 0 < len(channel.flow.outlet.pending) <= CHUNK
    assert channel.left() >= _PIPE - 2 * CHUNK


@pytest.mark.parametrize("ahead", [0, AHEAD])
def test_everything_arrives_in_order_however_slow_the_far_side(channels: list[Channel], ahead: int) -> None:
    """Also what waits when the source has ended, and the end is told once it is delivered, not before."""
    channel = Channel(ahead)
    channels.append(channel)
    sent = random.Random(1).randbytes(_PIPE)
    os.write(channel.into, sent)
    os.close(channel.into)
    arrived = b""
    while True:
        channel.settle()
        if channel.ended:
            break
        assert len(arrived) < len(sent)
        arrived += os.read(channel.out, 7000)
    while rest := _read(channel.out):
        arrived += rest
    assert arrived == sent == channel.noted


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 1 << 16)
    except BlockingIOError:
        return b""
