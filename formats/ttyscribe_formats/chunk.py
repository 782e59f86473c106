# SPDX-License-Identifier: Apache-2.0
"""Packets in, encoded messages out: the writing half of tlog's format.

A message ends when its payload is used up, when the caller flushes (latency), or at the end. What is charged to
the payload, item by item (docs/formats/tlog.md, "Payload"): a character's escaped length; for an invalid sequence
three bytes, its numbers and their commas; two for each run that starts and one for each digit that its counts gain;
delays and windows by their length; the repeated window with the first item of a message. An item that does not fit
goes to the next message whole, so a message is never empty and the loop always advances.

Loaded in the login path and on its hot path: one read of the terminal costs a few string operations, never a
Python loop over characters; where much of it is invalid, many runs are taken at once (`dense.py`).
"""

from collections import namedtuple

from ttyscribe_formats import tlog
from ttyscribe_formats.marks import Marks
from ttyscribe_formats.packet import Input, Output, Window
from ttyscribe_formats.text import Utf8Splitter
from ttyscribe_formats.track import Track, escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    from ttyscribe_formats.dense import Dense
    from ttyscribe_formats.packet import Packet, Stream
    from ttyscribe_formats.text import Run

    Split = tuple[list[Run], Dense | None]

    class Header(NamedTuple):
        """What is the same in all messages of a recording."""

        host: str
        rec: str
        user: str
        term: str
        session: int

else:
    Header = namedtuple("Header", "host rec user term session")

MIN_PAYLOAD = 32
DEFAULT_PAYLOAD = 2048
_MS = 1_000_000


class Chunker:
    """Turns the packets of one recording into encoded messages (without the final newline).

    `wall_ns` is the wall clock at the recording's first event, set with the first packet or by `begin`; all times
    count on one monotonic clock. With `marks`, messages carry our own key where there is something to say; without,
    `mask`, `skip` and `lost` do nothing.
    """

    __slots__ = (
        "_columns",
        "_first_ns",
        "_header",
        "_in",
        "_mark_ns",
        "_marks",
        "_number",
        "_out",
        "_payload",
        "_pending_in_ns",
        "_pending_out_ns",
        "_pos_ns",
        "_prev_ns",
        "_room",
        "_rows",
        "_split_in",
        "_split_out",
        "_timing",
        "_used",
        "_wall_ns",
    )

    def __init__(self, header: "Header", payload: int = DEFAULT_PAYLOAD, *, marks: bool = False) -> None:
        if payload < MIN_PAYLOAD:
            raise ValueError(f"payload must be at least {MIN_PAYLOAD}")
        self._header = tlog.encode_header(*header)
        self._payload = payload
        self._split_in, self._split_out = Utf8Splitter(), Utf8Splitter()
        self._pending_in_ns = self._pending_out_ns = 0
        self._first_ns = self._prev_ns = -1
        self._wall_ns = 0
        self._columns = self._rows = -1
        self._number = 0
        self._marks = Marks(payload) if marks else None
        self._mark_ns = -1  # the latest time of a mark
        self._in, self._out = Track("<", "["), Track(">", "]")
        self._begin()

    @property
    def has_data(self) -> bool:
        """Whether a flush would give a message: events, or marks of a recording that has begun."""
        return self._used or (self._marks is not None and self._marks.pending and self._first_ns >= 0)

    @property
    def has_events(self) -> bool:
        """Whether the message under way holds more than marks."""
        return self._used

    @property
    def last_id(self) -> int:
        """Id of the last message given out; 0 before the first."""
        return self._number

    def begin(self, time_ns: int, wall_ns: int) -> None:
        """Let the recording start now, unless it has; the first packet does so too."""
        if self._first_ns < 0:
            self._first_ns = self._prev_ns = time_ns
            self._wall_ns = wall_ns

    def feed(self, packet: "Packet", wall_ns: int) -> list[bytes]:
        """The messages that this packet completes. `wall_ns` counts for the first packet only."""
        if self._first_ns < 0:
            self.begin(packet.time_ns, wall_ns)
        if isinstance(packet, Output):
            return self._feed_output(packet)
        if isinstance(packet, Input):
            runs, pending_ns = self._split(self._split_in, packet.data, packet.time_ns, self._pending_in_ns)
            if packet.data:
                self._pending_in_ns = packet.time_ns
            return self._write(self._in, runs, packet.time_ns, pending_ns)
        return self._feed_window(packet)

    def flush(self) -> list[bytes]:
        """The message under way, if it holds anything; an incomplete character stays behind."""
        return [self._emit()] if self.has_data else []

    def mask(self, start_ns: int, end_ns: int) -> list[bytes]:
        """What was typed between these times is left out; the messages that this completes.

        The start may lie before the message under way. A time before the recording's start counts as its start.
        """
        if self._marks is None:
            return []
        self._marks.mask(self._ms(start_ns), self._ms(end_ns))
        return self._marked(end_ns)

    def skip(self, time_ns: int, stream: "Stream | Literal['stdin']", size: int, digest: str) -> list[bytes]:
        """`size` bytes of a stream are left out here, with this digest (32 hex digits of BLAKE2b)."""
        if self._marks is None:
            return []
        self._marks.skip(self._ms(time_ns), stream, size, digest)
        return self._marked(time_ns)

    def lost(self, first_id: int, last_id: int, why: str) -> list[bytes]:
        """The log could not take these messages; `why` is cut to 96 printable characters."""
        if self._marks is None:
            return []
        self._marks.lost(first_id, last_id, why)
        return self._marked(-1)

    def cut(self) -> list[bytes]:
        """End of the recording: incomplete characters become invalid sequences, and all is given out."""
        done = self._write(self._in, (self._split_in.cut(), None), self._pending_in_ns, -1)
        done += self._write(self._out, (self._split_out.cut(), None), self._pending_out_ns, -1)
        while self.has_data:
            done.append(self._emit())
        return done

    def end(self, status: int, time_ns: int) -> list[bytes]:
        """Cut, and mark the recording as ended with the shell's status (needs `marks`).

        The mark stands in the last message; where all has been given out before, in a last one without events.
        """
        if self._marks is None or self._first_ns < 0:
            return self.cut()
        done = self._write(self._in, (self._split_in.cut(), None), self._pending_in_ns, -1)
        done += self._write(self._out, (self._split_out.cut(), None), self._pending_out_ns, -1)
        while self._marks.overfull:
            done.append(self._emit())
        self._mark_ns = max(self._mark_ns, time_ns)
        self._marks.status = status
        return [*done, self._emit()]

    def _ms(self, time_ns: int) -> int:
        return max(0, time_ns - self._first_ns) // _MS if self._first_ns >= 0 else 0

    def _marked(self, time_ns: int) -> list[bytes]:
        """After a mark: what the message under way can't take any more makes it end."""
        assert self._marks is not None  # noqa: S101 # for the type checker: the callers have looked
        self._mark_ns = max(self._mark_ns, time_ns)
        done: list[bytes] = []
        while self._marks.overfull and self._first_ns >= 0:
            done.append(self._emit())
        return done

    # -- what goes into the message under way ---------------------------------------------------------------------

    def _begin(self) -> None:
        self._room = self._payload
        self._used = False
        self._timing = ""
        self._pos_ns = 0
        self._in.reset()
        self._out.reset()

    def _feed_output(self, packet: "Output") -> list[bytes]:
        done: list[bytes] = []
        if self._marks is not None:
            if packet.stream == "stderr" and self._marks.full and self.has_data:
                done.append(self._emit())
            self._marks.feed(len(packet.data), err=packet.stream == "stderr")
        runs, pending_ns = self._split(self._split_out, packet.data, packet.time_ns, self._pending_out_ns)
        if packet.data:
            self._pending_out_ns = packet.time_ns
        done += self._write(self._out, runs, packet.time_ns, pending_ns)
        return done

    @staticmethod
    def _split(splitter: Utf8Splitter, data: bytes, now_ns: int, pending_ns: int) -> "tuple[Split, int]":
        """Runs, and the time of the first sequence where that is what was pending alone (else -1)."""
        before = len(splitter.pending)
        runs, rest = splitter.split(data)
        alone = before and runs and runs[0][1] and len(runs[0][1][0]) <= before
        return (runs, rest), pending_ns if alone and pending_ns < now_ns else -1

    def _feed_window(self, packet: "Window") -> list[bytes]:
        if (packet.columns, packet.rows) == (self._columns, self._rows):
            return []
        self._columns, self._rows = packet.columns, packet.rows
        window = f"={packet.columns}x{packet.rows}"
        done: list[bytes] = []
        delay = self._delay(packet.time_ns)
        if self._used and len(delay) + len(window) > self._room:
            done.append(self._emit())
            delay = ""
        self._advance(packet.time_ns, delay, repeat="")
        self._close_runs()
        self._timing += window
        self._room -= len(window)
        return done

    def _write(self, track: Track, split: "Split", time_ns: int, first_ns: int) -> list[bytes]:
        runs, rest = split
        done: list[bytes] = []
        for run in runs:
            self._write_run(track, run, time_ns, first_ns, done)
            first_ns = -1
        while rest is not None and rest.left:
            if self._used and not self._delay(time_ns):
                self._advance(time_ns, "", "")
                self._room = track.take_dense(rest, self._room, self)
            self._write_run(track, rest.run(), time_ns, -1, done)
        return done

    def _write_run(self, track: Track, run: "Run", time_ns: int, first_ns: int, done: list[bytes]) -> None:
        text, sequences = run
        if not sequences:
            self._write_text(track, text, time_ns, done)
            return
        early = 1 if first_ns >= 0 else 0
        self._write_invalid(track, sequences[:early], first_ns, done)
        self._write_invalid(track, sequences[early:], time_ns, done)

    def _write_text(self, track: Track, text: str, time_ns: int, done: list[bytes]) -> None:
        escaped = escape(text)
        start = 0
        while start < len(escaped):
            delay, repeat = self._delay(time_ns), self._repeat()
            room = self._room - len(delay) - len(repeat)
            end, chars, size, cost = track.fit_text(escaped, start, room, fresh=bool(delay))
            if end == start:
                done.append(self._emit())
                continue
            self._advance(time_ns, delay, repeat)
            track.add_text(escaped[start:end], chars, size, self)
            self._room -= cost
            start = end
            if start < len(escaped) and not self._room:
                done.append(self._emit())

    def _write_invalid(self, track: Track, sequences: tuple[bytes, ...], time_ns: int, done: list[bytes]) -> None:
        at = 0
        while at < len(sequences):
            delay, repeat = self._delay(time_ns), self._repeat()
            room = self._room - len(delay) - len(repeat)
            count, cost = track.fit_invalid(sequences[at:], room, fresh=bool(delay))
            if not count:
                count, cost = 1, track.cost_invalid(sequences[at], fresh=bool(delay))
                if cost > room:
                    done.append(self._emit())
                    delay, repeat = "", self._repeat()
                    cost = track.cost_invalid(sequences[at], fresh=True)
            self._advance(time_ns, delay, repeat)
            track.add_invalid(sequences[at : at + count], self)
            self._room -= cost
            at += count

    def _delay(self, time_ns: int) -> str:
        if not self._used:
            return ""
        ms = (time_ns - self._prev_ns) // _MS
        return f"+{ms}" if ms > 0 else ""

    def _repeat(self) -> str:
        return f"={self._columns}x{self._rows}" if not self._used and self._columns >= 0 else ""

    def _advance(self, time_ns: int, delay: str, repeat: str) -> None:
        """Move to the time of the next item; a pending prefix may be older than what the other stream wrote."""
        self._prev_ns = max(self._prev_ns, time_ns)
        if not self._used:
            self._used = True
            self._pos_ns = self._prev_ns - self._first_ns
            self._timing = repeat
            self._room -= len(repeat)
        elif delay:
            self._close_runs()
            self._timing += delay
            self._room -= len(delay)

    def _close_runs(self) -> None:
        """Write the open runs, input before output."""
        self._timing += self._in.close() + self._out.close()

    def write_run(self, record: str) -> None:
        """Write one finished run (a track calls this when its kind changes)."""
        self._timing += record

    def _emit(self) -> bytes:
        self._close_runs()
        if not self._used:  # marks alone
            self._prev_ns = max(self._prev_ns, self._mark_ns)
            self._pos_ns = self._prev_ns - self._first_ns
        self._number += 1
        pos_ns = self._pos_ns
        time = tlog.encode_time((self._wall_ns + pos_ns) // _MS)
        begin = f'{self._number},"pos":{pos_ns // _MS},"time":{time},"timing":"{self._timing}","in_txt":"'
        parts = (
            self._header,
            begin.encode(),
            self._in.text(),
            f'","in_bin":[{self._in.numbers()}],"out_txt":"'.encode(),
            self._out.text(),
            f'","out_bin":[{self._out.numbers()}]'.encode(),
            self._marks.take(self._out.size) if self._marks is not None else b"",
            b"}",
        )
        self._begin()
        return b"".join(parts)
