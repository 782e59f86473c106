# SPDX-License-Identifier: Apache-2.0
"""Leaves the middle of binary data out of a recording: bytes and times in, what is to be recorded out.

A run is a stretch of one stream, at 1 MiB/s or more and without a pause of 1 s, of blocks of 4 KiB that are binary
each. Its first and last 32 KiB stay, and so does each stretch of text of 16 bytes or more; for the rest a mark says how
much it was and its digest. `docs/recorder.md` has the rule whole. Only the bytes and their times decide.

The last 32 KiB of a run wait here until more has come or the run is over. Behind them waits what the other streams
have, so that the recording keeps the order in which all came. Knows no descriptor and no clock; loaded only without a
terminal.
"""

from _blake2 import blake2b
from collections import deque, namedtuple

from ttyscribe_formats.dense import BORDER
from ttyscribe_formats.packet import Input, Output
from ttyscribe_recorder.printable import TEXT, count_plain, count_text, text_mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    from ttyscribe_formats.packet import Stream as OutputStream

    Name = OutputStream | Literal["stdin"]

    class Skip(NamedTuple):
        """Here `size` bytes of a stream are left out, in one part or several; `digest` is that of all, in order."""

        time_ns: int
        stream: Name
        size: int
        digest: str
        since_ns: int
        """When the first of them came."""

else:
    Skip = namedtuple("Skip", "time_ns stream size digest since_ns")

Event = Input | Output | Skip

BLOCK = 4096
_FIRST = 8
END = _FIRST * BLOCK
"""What stays of a run at either end, and how much binary data begins one."""
MOST_BINARY = BLOCK * 3 // 10
"""So many bytes of a block may be no text before it is binary."""
RATE = 1 << 20
"""Bytes a second."""
STRETCH = 16
MARK_SPAN = 64 << 10
"""A mark covers so much of its stream at least before text ends it, so that marks stay few."""
WAITING = 1 << 20
"""Bytes that may wait here in all; with more, no run is worth it."""
PIECES = 1024

_SECOND = 1_000_000_000
_MS = 1_000_000
_BEFORE = STRETCH - 1
_STRETCH = TEXT * STRETCH
_EDGE = 2 * BORDER


class Piece:
    """What came of one stream at one time: `out` is decided, `data` from `at` on is not yet."""

    __slots__ = ("at", "data", "out", "stream", "time_ns")

    def __init__(self, stream: "Name", time_ns: int, data: bytes) -> None:
        self.stream = stream
        self.time_ns = time_ns
        self.data = data
        self.at = 0
        self.out: list[bytes | Skip] = []

    def give(self) -> "list[Event]":
        """Take out what is decided."""
        events: list[Event] = []
        texts: list[bytes] = []
        for item in (*self.out, None):
            if isinstance(item, bytes):
                texts.append(item)
                continue
            if texts:
                data = b"".join(texts)
                whole = Input(self.time_ns, data) if self.stream == "stdin" else Output(self.time_ns, data, self.stream)
                events.append(whole)
                texts = []
            if item is not None:
                events.append(item)
        self.out.clear()
        return events


def is_text(block: bytes) -> bool:
    """Whether a block is not binary; for most text this is seen quickly."""
    return count_plain(block) >= BLOCK - MOST_BINARY or not is_binary(text_mask(block))


def is_binary(mask: bytes) -> bool:
    """Whether a block with this mask is binary. Its borders, where a character may be cut, count as text."""
    inside = mask[BORDER:-BORDER]
    return len(inside) - count_text(inside) > MOST_BINARY


class Mark:
    """The skip mark under way."""

    __slots__ = ("_hash", "since_ns", "size", "span")

    def __init__(self, since_ns: int) -> None:
        self._hash = blake2b(digest_size=16)
        self.since_ns = since_ns
        self.size = self.span = 0

    def add(self, data: bytes) -> None:
        """These bytes are left out too."""
        self._hash.update(data)
        self.size += len(data)
        self.span += len(data)

    def skip(self, stream: "Name", time_ns: int) -> "Skip":
        """What it says."""
        return Skip(time_ns, stream, self.size, self._hash.hexdigest(), self.since_ns)


class Stream:
    """Finds the runs of one stream, and decides on its pieces."""

    __slots__ = (
        "_blocks", "_checked", "_edge", "_held", "_mark", "_mask", "_name", "_part", "_pieces", "_until", "elided"
    )  # fmt: skip

    def __init__(self, name: "Name") -> None:
        self._name = name
        # Until when the data that came pays at RATE, in 2**-20 ns: each byte pays for 10**9 of them.
        self._until = -1
        self._blocks = 0  # binary ones in a row
        self._part = b""  # outside a run: what was not looked at yet
        self._pieces: deque[Piece] = deque()  # those with undecided data
        self._mark: Mark | None = None
        self.elided = 0
        """Bytes left out so far."""
        self._reset()

    def _reset(self) -> None:
        self._mask: bytearray | None = None  # in a run: of the undecided data, and what matters before it
        self._edge = b""  # the last bytes whose mask may change with the next
        self._held = self._checked = 0  # bytes undecided, and in whole blocks that were found binary

    @property
    def running(self) -> bool:
        """Whether this is a run with its first part behind it."""
        return self._mask is not None

    @property
    def due_ns(self) -> int | None:
        """When the run is over unless more comes; None where nothing waits for that."""
        return (self._until >> 20) + 1 if self._held else None

    @property
    def mark_due_ns(self) -> int | None:
        """When what was left out is to be told at the latest, on the true clock."""
        return None if self._mark is None else self._mark.since_ns + _SECOND

    def tell(self, now_ns: int) -> None:
        """Say what was left out if it is time; `now_ns` is true."""
        if self._mark is not None and now_ns >= self._mark.since_ns + _SECOND:
            self._close_mark()

    def advance(self, now_ns: int) -> None:
        """The time is `now_ns`, not counting what is to be ignored."""
        if now_ns << 20 > self._until:
            self.end()
            self._blocks, self._part = 0, b""

    def pay(self, now_ns: int, size: int) -> None:
        """So much came; `advance` has been called."""
        now = now_ns << 20
        self._until = min(max(self._until, now) + size * _SECOND, now + (_SECOND << 20) - 1)

    def scan(self, data: bytes) -> int:
        """Outside a run: how much of the data stays before a run has its first part behind it."""
        before = len(self._part)
        joined = self._part + data if before else data
        at, size = 0, len(joined)
        while (size - at) // BLOCK >= _FIRST - self._blocks:
            # Whatever precedes a block of text here is too short a run to lose anything.
            end = at + min(2 * _FIRST + 1 - self._blocks, (size - at) // BLOCK) * BLOCK
            if is_text(joined[end - BLOCK : end]):
                at, self._blocks = end, 0
                continue
            while at < end:
                at += BLOCK
                mask = text_mask(joined[at - BLOCK : at])
                self._blocks = self._blocks + 1 if is_binary(mask) else 0
                if self._blocks == _FIRST:
                    self._mask, self._edge = bytearray(mask[-_BEFORE:]), joined[at - _EDGE : at]
                    self._blocks, self._part = 0, b""
                    return at - before
        self._part = joined[at:]
        return len(data)

    def take(self, piece: Piece, data: bytes, stays: int) -> None:
        """Decide on the data that a piece ends with, as far as can be; the first `stays` bytes of it stay."""
        if not self._pieces or self._pieces[-1] is not piece:
            self._pieces.append(piece)
        self._keep(stays)
        data = data[stays:]
        while data:
            used = self._hold(data) if self.running else self._pass(data)
            data = data[used:]

    def _pass(self, data: bytes) -> int:
        stays = self.scan(data)
        self._keep(stays)
        return stays

    def _hold(self, data: bytes) -> int:
        """Go on with the run; how much of the data was used up when it was over."""
        assert self._mask is not None  # noqa: S101 # for the type checker: the callers have looked
        mask = text_mask(self._edge + data)
        self._mask[-BORDER:] = mask[BORDER:_EDGE]
        self._mask += mask[_EDGE:]
        self._edge = (self._edge + data[-_EDGE:])[-_EDGE:]
        self._held += len(data)
        while (end := self._checked + BLOCK) <= self._held:
            if not is_binary(bytes(self._mask[_BEFORE + self._checked : _BEFORE + end])):
                left = self._held - end
                self._thin(self._checked - END)
                self._held -= left
                self.end()
                return len(data) - left
            self._checked = end
        self._thin(self._checked - END)
        return len(data)

    def _thin(self, size: int) -> None:
        """Leave out the first `size` undecided bytes, but for the stretches of text that begin, end or lie there."""
        if size <= 0:
            return
        assert self._mask is not None  # noqa: S101 # for the type checker: the callers have looked
        at, stop = _BEFORE, _BEFORE + size
        mask = bytes(self._mask[: stop + _BEFORE])
        start = mask.find(_STRETCH)
        while 0 <= start < stop:
            end = mask.find(0, start)
            end = stop if end < 0 else min(end, stop)
            if end > at:
                begin = max(start, at)
                self._elide(begin - at)
                self._keep_text(end - begin)
                at = end
            start = mask.find(_STRETCH, end)
        self._elide(stop - at)
        del self._mask[:size]
        self._held -= size
        self._checked -= size

    def _elide(self, size: int) -> None:
        while size > 0:
            piece = self._pieces[0]
            if self._mark is None:
                self._mark = Mark(piece.time_ns)
            data = self._decide(piece, size)
            self._mark.add(data)
            self.elided += len(data)
            size -= len(data)

    def _keep_text(self, size: int) -> None:
        if self._mark is not None:
            if self._mark.span >= MARK_SPAN:
                self._close_mark()
            else:
                self._mark.span += size
        self._keep(size)

    def _keep(self, size: int) -> None:
        while size > 0:
            piece = self._pieces[0]
            data = self._decide(piece, size)
            piece.out.append(data)
            size -= len(data)

    def _decide(self, piece: Piece, size: int) -> bytes:
        """The next undecided bytes of the first piece, at most `size`; they are no longer undecided."""
        data = piece.data[piece.at : piece.at + size]
        piece.at += len(data)
        if piece.at == len(piece.data):
            piece.data, piece.at = b"", 0
            self._pieces.popleft()
        return data

    def _close_mark(self) -> None:
        """Put the mark before what comes next of this stream."""
        if self._mark is not None:
            piece = self._pieces[0]
            piece.out.append(self._mark.skip(self._name, piece.time_ns))
            self._mark = None

    def end(self) -> None:
        """The run is over: all that is held stays."""
        if self.running:
            self._close_mark()
            self._keep(self._held)
            self._reset()


class Bulk:
    """The streams of one recording. What is fed comes out as events, in the order and with the times of its coming.

    `tick` says when whoever feeds waits for data again: the time that it was busy says nothing about the streams.
    """

    __slots__ = ("_busy_ns", "_busy_since_ns", "_fed", "_given", "_queue", "_streams")

    def __init__(self) -> None:
        self._streams: dict[Name, Stream] = {}
        for name in ("stdin", "stdout", "stderr"):
            self._streams[name] = Stream(name)
        self._queue: deque[Piece] = deque()
        self._fed = self._given = 0
        self._busy_ns = 0
        self._busy_since_ns: int | None = None

    @property
    def due_ns(self) -> int | None:
        """When `tick` is to be called; None while nothing waits."""
        if self._busy_since_ns is not None:
            return None
        over = [stream.due_ns + self._busy_ns for stream in self._streams.values() if stream.due_ns is not None]
        told = [stream.mark_due_ns for stream in self._streams.values() if stream.mark_due_ns is not None]
        return min(over + told, default=None)

    def feed(self, packet: Input | Output) -> "list[Event]":
        """This came now; what is to be recorded of it, or of what came before."""
        now_ns, data = packet[:2]
        stream: Name = packet.stream if isinstance(packet, Output) else "stdin"
        if self._busy_since_ns is None:
            self._busy_since_ns = now_ns
        clock_ns = self._busy_since_ns - self._busy_ns
        for each in self._streams.values():
            each.advance(clock_ns)
        own = self._streams[stream]
        own.pay(clock_ns, len(data))
        stays = 0 if own.running else own.scan(data)
        if stays == len(data) and not self._queue:
            return [packet]
        own.take(self._piece(stream, now_ns, data), data, stays)
        self._fed += len(data)
        elided = sum(each.elided for each in self._streams.values())
        if self._fed - self._given - elided > WAITING or len(self._queue) > PIECES:
            return self.release()
        return self._drain()

    def _piece(self, stream: "Name", now_ns: int, data: bytes) -> Piece:
        """Where the data goes: small data within a millisecond of the same stream's makes no piece of its own."""
        if self._queue:
            piece = self._queue[-1]
            if piece.stream == stream and piece.time_ns // _MS == now_ns // _MS and len(piece.data) < BLOCK:
                piece.data += data
                return piece
        piece = Piece(stream, now_ns, data)
        self._queue.append(piece)
        return piece

    def tick(self, now_ns: int, *, busy: bool = False) -> "list[Event]":
        """What is to be recorded because of the time. With `busy`, nobody will read until the next call."""
        if self._busy_since_ns is not None:
            self._busy_ns += now_ns - self._busy_since_ns
        self._busy_since_ns = now_ns if busy else None
        for each in self._streams.values():
            each.advance(now_ns - self._busy_ns)
            each.tell(now_ns)
        return self._drain()

    def release(self) -> "list[Event]":
        """All that waits; runs begin anew."""
        for each in self._streams.values():
            each.end()
        return self._drain()

    def _drain(self) -> "list[Event]":
        events: list[Event] = []
        while self._queue:
            piece = self._queue[0]
            if piece.out:
                events += piece.give()
            if piece.data:
                break
            self._queue.popleft()
        self._given += sum(len(event.data) for event in events if not isinstance(event, Skip))
        return events
