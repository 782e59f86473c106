# SPDX-License-Identifier: Apache-2.0
"""Keeps what is typed at hidden prompts out of the recording. Pure: packets and the time in, what to record out.

What was typed while the terminal took lines without echo is hidden, always. In raw mode (a nested ssh, tmux, `read -n`)
the recorder can't know who echoes: typing is hidden where the cursor's row asks for a secret and shows nothing of it
within 300 ms. Until that is known all later events wait in one queue, so that their order stays. A hidden run goes up
to the Enter that ends it and leaves one mask, from its first to its last key (docs/secrets.md).
"""

from collections import deque, namedtuple

from ttyscribe_formats.packet import Input, Window
from ttyscribe_recorder.keys import Keys
from ttyscribe_recorder.prompts import Prompts
from ttyscribe_recorder.rows import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from ttyscribe_formats.packet import Packet
    from ttyscribe_recorder.rows import Line

    class Mask(NamedTuple):
        """Something was typed between these times and is left out."""

        start_ns: int
        end_ns: int

    Item = tuple[Packet | Mask, int]
    """What is to be recorded, and the wall clock at its time."""
else:
    Mask = namedtuple("Mask", "start_ns end_ns")

SHOWN, RAW, HIDDEN = range(3)
"""How the terminal took what was typed: it echoed; nobody knows; by lines, and it did not echo."""

WAIT_NS = 300_000_000
AHEAD_NS = 50_000_000
_MOST_WAITING = 1 << 20
_MOST_TYPED = 4096
_TAIL, _MOST_OWN = 8, 256
"""So many characters at a row's end tell that it is the user who wrote it, of so many that were typed last."""
_ENTER = b"\r\n\x04"
_INTERRUPT = b"\x03\x1c\x1a"
"""Ctrl-C, Ctrl-\\ and Ctrl-Z give a prompt up. They are no part of a secret."""
_BACKSPACES = b"\x7f\x08"
_KILLS = b"\x15\x17"
_VEIL = "*•●· _"
"""What is shown in place of characters; also blanks, which prove nothing."""


class Run:
    """Keys that share one fate, up to the one that ends them."""

    __slots__ = (
        "ahead",
        "done",
        "end_ns",
        "hidden",
        "line",
        "prompt",
        "shown",
        "start",
        "start_ns",
        "typed",
        "version",
        "wall_ns",
    )

    def __init__(self, line: "Line | None", start: int, now_ns: int) -> None:
        self.line = line
        self.start = start
        self.prompt = line.text[:start].ljust(start) if line is not None else ""
        self.version = -1
        """What had been shown when its last key came."""
        self.typed = bytearray()
        self.start_ns = self.end_ns = now_ns
        self.wall_ns = 0
        self.done = False
        """Its Enter has been typed."""
        self.shown: bool | None = None
        """Whether it may be recorded; None while that is not known."""
        self.ahead = False
        """Typed behind an Enter that the program has not answered yet."""
        self.hidden = False
        """Typed without echo, line by line."""

    def type(self, byte: int, *, character: bool) -> None:
        """Remember what an echo would show."""
        if self.done or self.ahead:
            return
        if byte in _ENTER:
            self.end()
        elif self.shown is not None:
            return
        elif byte in _BACKSPACES:
            while self.typed and self.typed.pop() & 0xC0 == 0x80:
                pass
        elif byte in _KILLS:
            self.typed.clear()
        elif character and len(self.typed) < _MOST_TYPED:
            self.typed.append(byte)

    def end(self) -> None:
        """Enter, or what gives a prompt up, has been typed."""
        self.done = True
        if self.line is not None:
            self.line.answered = True

    def is_echo(self, text: str) -> bool:
        """Whether what stands behind the prompt is what was typed, and not stars in its place."""
        if not text.strip(_VEIL):
            return False
        seen, typed = text.encode().rstrip(), bytes(self.typed)
        return typed.startswith(seen)


class Guard:
    """One session's. All calls return what is to be recorded now, in order; none of it is older than 300 ms if `tick`
    is called when it is due."""

    def __init__(self, more_prompts: str = "") -> None:
        self._rows = Rows(Prompts(more_prompts).match)
        self._queue: deque[tuple[Packet | None, int, Run | None]] = deque()
        self._size = 0
        self._open: list[Run] = []  # undecided, oldest first
        self._run: Run | None = None  # the one that the next key may belong to
        self._adrift: tuple[Line, int] | None = None
        self._keys = Keys()
        self._entered_ns, self._entered_version = -AHEAD_NS, -1
        self._own = bytearray()  # the last characters typed in the clear, since any other key

    @property
    def due_ns(self) -> int | None:
        """When `tick` is to be called; None where nothing waits."""
        return self._open[0].start_ns + WAIT_NS if self._open else None

    def take(self, packet: "Packet", how: int, wall_ns: int) -> "list[Item]":
        """What happened; for input `how` says how the terminal took it: SHOWN, RAW or HIDDEN."""
        if isinstance(packet, Input):
            self._take_input(packet, how, wall_ns)
            return self._release()
        if isinstance(packet, Window):
            self._rows.resize(packet.columns, packet.rows)
        elif packet.stream == "terminal":
            self._rows.feed(packet.data, packet.time_ns)
            for run in self._open:
                self._look(run, packet.time_ns)
        if not self._queue and self._run is None:
            return [(packet, wall_ns)]
        self._append(packet, wall_ns, None)
        return self._release()

    def _take_input(self, packet: "Input", how: int, wall_ns: int) -> None:
        if how == SHOWN:
            self._close()
            self._adrift = None
            self._keys.reset()
            self._append(packet, wall_ns, None)
        else:
            self._share(packet.data, packet.time_ns, wall_ns, hidden=how == HIDDEN)

    def tick(self, now_ns: int) -> "list[Item]":
        """Decide what has waited long enough."""
        for run in self._open:
            if now_ns >= run.start_ns + WAIT_NS:
                run.shown = run.ahead
        return self._release()

    def settle(self) -> "list[Item]":
        """The session is at its end: decide all, for secrecy."""
        for run in self._open:
            run.shown = False
        self._close()
        return self._release()

    def abandon(self, now: "tuple[Packet, int] | None") -> "list[Item]":
        """Something is wrong here: all that waits, and what came just now, but nothing that was typed."""
        waiting = [(packet, wall_ns) for packet, wall_ns, _run in self._queue if packet is not None]
        if now is not None and (not waiting or waiting[-1][0] is not now[0]):
            waiting.append(now)
        return [(packet, wall_ns) for packet, wall_ns in waiting if not isinstance(packet, Input)]

    # -- the queue -----------------------------------------------------------------------------------------------

    def _append(self, packet: "Packet | None", wall_ns: int, run: Run | None) -> None:
        self._queue.append((packet, wall_ns, run))
        if packet is not None and not isinstance(packet, Window):
            self._size += len(packet.data)
            if self._size > _MOST_WAITING:
                for late in self._open:
                    late.shown = False

    def _release(self) -> "list[Item]":
        """What waits for nothing."""
        self._open = [run for run in self._open if run.shown is None]
        if self._run is not None and self._run.done and self._run.shown is not None:
            self._close()
        items: list[Item] = []
        while self._queue:
            packet, wall_ns, run = self._queue[0]
            if run is not None and run.shown is None:
                return items
            self._queue.popleft()
            if packet is None:
                if run is not None and not run.shown:
                    items.append((Mask(run.start_ns, run.end_ns), run.wall_ns))
            elif run is None or run.shown:
                items.append((packet, wall_ns))
        self._size = 0
        return items

    # -- runs ----------------------------------------------------------------------------------------------------

    def _share(self, data: bytes, now_ns: int, wall_ns: int, *, hidden: bool) -> None:
        """Queue what was typed, cut by the run that each part belongs to."""
        run = self._go_on(now_ns, hidden=hidden)
        spot = None if hidden else self._spot(now_ns)
        begin = 0
        for at, byte in enumerate(data):
            character = self._keys.take(byte)
            if run is None:
                if not (byte not in _INTERRUPT if hidden else self._may_begin(byte, spot, now_ns, character=character)):
                    continue
                self._give(data[begin:at], now_ns, wall_ns, None)
                run, begin = self._begin(spot, now_ns, hidden=hidden), at
            if byte in _INTERRUPT and not run.ahead:
                run.end()
                self._give(data[begin:at], now_ns, wall_ns, run)
                self._close()
                run, begin = None, at
                continue
            run.type(byte, character=character)
            if run.done and run.shown is not None:
                self._give(data[begin : at + 1], now_ns, wall_ns, run)
                self._close()
                run, begin = None, at + 1
        self._give(data[begin:], now_ns, wall_ns, run)

    def _give(self, data: bytes, now_ns: int, wall_ns: int, run: Run | None) -> None:
        if not data:
            return
        if run is not None:
            run.end_ns, run.wall_ns, run.version = now_ns, wall_ns, self._rows.version
            if run.shown is False:
                return
        self._append(Input(now_ns, data), wall_ns, run)

    def _may_begin(self, byte: int, spot: "tuple[Line, int] | None", now_ns: int, *, character: bool) -> bool:
        """Whether a run begins with this key."""
        if character:
            ahead = now_ns - self._entered_ns < AHEAD_NS and self._entered_version == self._rows.version
            if spot is None and not ahead:
                self._own.append(byte)
                del self._own[:-_MOST_OWN]
                return False
            return True
        if byte in _BACKSPACES:
            del self._own[-1:]
        else:
            self._own.clear()
        if byte in _ENTER or byte in _INTERRUPT:
            self._adrift = None
            if byte in _ENTER and not self._keys.pasting:
                self._entered_ns, self._entered_version = now_ns, self._rows.version
        return False

    def _begin(self, spot: "tuple[Line, int] | None", now_ns: int, *, hidden: bool) -> Run:
        line, start = spot or (None, 0)
        run = self._run = Run(line, start, now_ns)
        run.hidden = hidden
        run.ahead = spot is None and not hidden
        if hidden:
            run.shown = False
        else:
            self._open.append(run)
        if line is not None:
            line.fed = line.answered = False
        self._adrift = None
        self._own.clear()
        return run

    def _go_on(self, now_ns: int, *, hidden: bool) -> Run | None:
        """The run that what is typed now goes on with."""
        run = self._run
        if run is None:
            return None
        line, rows = run.line, self._rows
        if hidden and run.hidden:
            return run
        if hidden == run.hidden and run.version == rows.version:
            return run  # nothing was written since its last key
        if hidden or run.hidden or run.done or line is None:
            self._close()
            return None
        if line is rows.line:
            if self._is_intact(run, line):
                return run
        elif not line.fed and now_ns - line.left_ns < WAIT_NS:
            return run  # something is being painted elsewhere
        if not run.shown and (line.fed or line is rows.line):
            self._adrift = line, rows.clears
        self._close()
        return None

    def _is_intact(self, run: Run, line: "Line") -> bool:
        """Whether the row is still the prompt, with nothing new in it but stars or what was typed."""
        if run.shown:
            return True
        end = max(run.start, self._rows.column)
        text = line.text[:end].ljust(run.start)
        return text[: run.start] == run.prompt and not text[run.start :].strip(_VEIL)

    def _spot(self, now_ns: int) -> "tuple[Line, int] | None":
        """Where typing may be hidden now: at a prompt; or, where one was left without Enter, at any place."""
        spot = self._rows.prompt(now_ns)
        if spot is not None and self._is_own(*spot):
            return None
        if spot is None and self._adrift is not None:
            line, clears = self._adrift
            if clears == self._rows.clears and line in self._rows.lines:
                return self._rows.line, self._rows.column
            self._adrift = None
        return spot

    def _is_own(self, line: "Line", column: int) -> bool:
        """Whether the row looks so because of what the user has typed there: `echo password:` is no prompt."""
        tail = line.text[:column].rstrip()[-_TAIL:].encode()
        return tail in self._own

    def _look(self, run: Run, now_ns: int) -> None:
        """Whether what was just written tells about a run."""
        if run.line is None:
            if self._rows.prompt(now_ns) is not None:
                run.shown = False
        elif run.is_echo(self._rows.shown(run.line, run.start)):
            run.shown = True
            self._adrift = None

    def _close(self) -> None:
        """No key belongs to the run any more."""
        run, self._run = self._run, None
        if run is not None and not run.shown:
            self._append(None, run.wall_ns, run)
