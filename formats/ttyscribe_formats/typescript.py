# SPDX-License-Identifier: Apache-2.0
"""What `script` writes and `scriptreplay` reads: a file of bytes, and a file that says when how many of them came.

The timing file has lines `DELAY BYTES` (classic), or `TYPE DELAY ...` (advanced: O output, I input, S signal with the
window's new size, H header). Delays are seconds since the line before. The file of bytes has a first line of its own,
and a last one. Input is in the same file, or in one of its own; the headers say which.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.aside import Aside
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window

STARTED = b"Script started on "
_US = 1000
_SECOND_NS = 1_000_000_000
_MAX_DIGITS = 9
MAX_BYTES = 16 << 20
"""Of one line's data."""
_NUMBER = rf"([0-9]{{1,{_MAX_DIGITS}}}(?:\.[0-9]{{1,12}})?)"
_CLASSIC = re.compile(rf"{_NUMBER} +([0-9]{{1,{_MAX_DIGITS}}})")
_DATA = re.compile(rf"([OI]) {_NUMBER} +([0-9]{{1,{_MAX_DIGITS}}})")
_SIGNAL = re.compile(rf"S {_NUMBER} +SIGWINCH ROWS=([0-9]{{1,5}}) COLS=([0-9]{{1,5}})")
_OTHER = re.compile(rf"[A-HJ-NP-Z] {_NUMBER}(?: .*)?")
_HEAD = re.compile("H [0-9.]+ +([A-Z_]+) +(.*)")
_START = re.compile(
    b"Script started on ([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})([+-][0-9]{2}:[0-9]{2})"
)
_MAX_SIZE = 65535
_MAX_NS = 2**31 * _SECOND_NS


Read = Callable[[int], bytes]


class Piece(NamedTuple):
    """What one packet adds to both files."""

    timing: str
    data: bytes


class Encoder:
    """Packets of one recording in, pieces of the two files out. Input is not written: its place is a third file."""

    def __init__(self, time_ns: int, columns: int = 80, rows: int = 24) -> None:
        self._time_ns = time_ns
        self._size = (columns, rows)
        self._before_us = 0

    def begin(self) -> Piece:
        """The first lines. The size is that at the beginning."""
        stamp = timestamp.to_text(self._time_ns)
        time = f"{stamp[:10]} {stamp[11:19]}+00:00"
        columns, rows = self._size
        heads = {"START_TIME": time, "COLUMNS": columns, "LINES": rows}
        timing = "".join(f"H 0.000000 {name} {value}\n" for name, value in heads.items())
        return Piece(timing, STARTED + f'{time} [COLUMNS="{columns}" LINES="{rows}"]\n'.encode())

    def piece(self, packet: Packet) -> Piece:
        """One packet."""
        if isinstance(packet, Output):
            return Piece(f"O {self._delay(packet.time_ns)} {len(packet.data)}\n", packet.data)
        if isinstance(packet, Window) and (packet.columns, packet.rows) != self._size:
            self._size = (packet.columns, packet.rows)
            delay = self._delay(packet.time_ns)
            return Piece(f"S {delay} SIGWINCH ROWS={packet.rows} COLS={packet.columns}\n", b"")
        return Piece("", b"")

    def end(self, status: int | None = None) -> Piece:
        """The last lines, with the exit status where it is known."""
        code = f"H 0.000000 EXIT_CODE {status}\n" if status is not None else ""
        done = f' [COMMAND_EXIT_CODE="{status}"]' if status is not None else ""
        return Piece(f"H 0.000000 DURATION {_seconds(self._before_us)}\n{code}", f"\nScript done{done}\n".encode())

    def _delay(self, time_ns: int) -> str:
        now = max(self._before_us, time_ns // _US)
        delay, self._before_us = now - self._before_us, now
        return _seconds(delay)


def _seconds(time_us: int) -> str:
    return f"{time_us // 1_000_000}.{time_us % 1_000_000:06d}"


def started(first_line: bytes) -> int:
    """When a typescript began, nanoseconds since the epoch, by its first line; -1 where it does not tell."""
    match = _START.match(first_line)
    if match is None:
        return -1
    try:
        return timestamp.parse(b"T".join(match.groups()[:2]).decode() + match[3].decode())
    except MessageError:
        return -1


def decode(
    timing: Iterable[str], read: Read, read_input: Read | None = None, aside: Aside | None = None
) -> Iterator[Packet]:
    """The packets that timing lines and a file of bytes tell; `read` gives so many of these, behind their first line.

    `read_input` gives what was typed, where that has a file of its own; without it such input is left out. `aside`
    learns of that, of bytes that are missing, and of the exit status. Raises MessageError with the line.
    """
    aside = aside or Aside()
    heads = _Heads()
    now = 0
    for number, line in enumerate(timing, 1):
        text = line.rstrip("\r\n")
        if not text:
            continue
        kind, delay, first, second = _fields(text, number)
        now += round(float(delay) * 1_000_000) * _US
        if now >= _MAX_NS:
            raise MessageError(f"line {number}: its time is decades away")
        if kind == "S":
            yield Window(now, min(second, _MAX_SIZE), min(first, _MAX_SIZE))
        elif kind in "OI" and first:
            source = read if kind == "O" or not heads.apart else read_input
            if source is None:
                aside.left_out += first
                continue
            data = source(first)
            aside.missing += first - len(data)
            if data:
                yield Output(now, data) if kind == "O" else Input(now, data)
        elif kind == "H":
            if heads.take(text):
                yield Window(now, *heads.size)
            if heads.status is not None:
                aside.status, aside.status_ns = heads.status, now


class _Heads:
    """What the header lines of a timing file say."""

    def __init__(self) -> None:
        self.size = (0, 0)
        self.status: int | None = None
        self._logs: dict[str, str] = {}

    @property
    def apart(self) -> bool:
        """Whether input has a file of its own."""
        return len(self._logs) == 2 and self._logs["INPUT_LOG"] != self._logs["OUTPUT_LOG"]

    def take(self, text: str) -> bool:
        """Read one; whether the size is known now."""
        match = _HEAD.fullmatch(text)
        if match is None:
            return False
        name, value = match.groups()
        if name in ("INPUT_LOG", "OUTPUT_LOG"):
            self._logs[name] = value
        elif name == "EXIT_CODE":
            self.status = _number(value, 3)
        elif name in ("COLUMNS", "LINES"):
            columns, rows = self.size
            found = min(_number(value, 5) or 0, _MAX_SIZE)
            self.size = (found, rows) if name == "COLUMNS" else (columns, found)
            return all(self.size)
        return False


def _number(text: str, digits: int) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= digits else None


def _fields(text: str, number: int) -> tuple[str, str, int, int]:
    """Kind, delay, and two numbers of a line."""
    if match := _CLASSIC.fullmatch(text):
        found = ("O", match[1], int(match[2]), 0)
    elif match := _DATA.fullmatch(text):
        found = (match[1], match[2], int(match[3]), 0)
    elif match := _SIGNAL.fullmatch(text):
        found = ("S", match[1], int(match[2]), int(match[3]))
    elif match := _OTHER.fullmatch(text):
        found = ("H", match[1], 0, 0)
    else:
        raise MessageError(f"line {number}: no line of a timing file: {text[:60]!r}")
    if found[0] in "OI" and found[2] > MAX_BYTES:
        raise MessageError(f"line {number}: {found[2]} bytes at once are more than {MAX_BYTES >> 20} MiB")
    return found
