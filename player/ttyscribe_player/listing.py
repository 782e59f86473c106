# SPDX-License-Identifier: Apache-2.0
"""What a list says of a recording in a file: who, when, how long, how it ended, and what is missing or in doubt."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.identity import tlog_id
from ttyscribe_formats.own import read_own
from ttyscribe_formats.place import format_time
from ttyscribe_formats.reading import message_packets
from ttyscribe_formats.tlog import Message
from ttyscribe_store.conflict import FIRST_ID

_MAX_TEXT = 200
_MOST_GAPS = 3
_MS = 1_000_000
Read = Callable[[int], list[Message]]
"""The messages that claim an id."""


class Several(ConfigError):
    """It is not clear which recording is meant."""

    def __init__(self, text: str, rows: Sequence[tuple[str, str]], more: int = 0) -> None:
        super().__init__(text)
        self.more = more
        """How many others there are, beside the rows."""
        self.rows = rows
        """The key of each that it may be, and what a list says of it."""


def described(key: str, user: str, host: str, ids: Iterable[int], read: Read) -> str:
    """One line without the recording's name; names are recorded and may hold anything."""
    counts = Counter(ids)
    first, last = min(counts), max(counts)
    ending = read(last)
    text = f"{user}@{host}{_times(read(first), ending)}, {_plural(sum(counts.values()), 'message')}, {_end(ending)}"
    doubts = [f"missing {runs}"] if (runs := gaps(counts)) else []
    several = [number for number, count in counts.items() if count > 1]
    conflicts = sum(len({tlog_id(key, message) for message in read(number)}) > 1 for number in several)
    doubts += [f"{conflicts} in conflict"] if conflicts else []
    return printable(", ".join([text, *doubts]))


def _end(last: list[Message]) -> str:
    """How it ended; a recording without an end still runs, was cut off, or was written by tlog."""
    statuses = {read_own(message).status for message in last}
    status = statuses.pop() if len(statuses) == 1 else None
    return "no end" if status is None else f"exit status {status}"


def printable(text: str) -> str:
    """For a line on a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)[:_MAX_TEXT]


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _times(first: list[Message], last: list[Message]) -> str:
    """When it began, and how long it took."""
    begin = next((message.time_ms - message.pos for message in first if message.time_ms is not None), None)
    text = ""
    if begin is not None:
        try:
            text = time.strftime(", %Y-%m-%d %H:%M:%S%z", time.localtime(begin // 1000))
        except (OverflowError, ValueError, OSError):
            text = f", {begin // 1000} s"
    return text + (f", {format_time(max(map(_end_ms, last)))}" if last else "")


def _end_ms(message: Message) -> int:
    try:
        packets = message_packets(message)
    except MessageError:
        return message.pos
    return packets[-1].time_ns // _MS if packets else message.pos


def gaps(ids: Iterable[int]) -> str:
    """Which ids are missing, the first few runs of them."""
    found, expected = [], FIRST_ID
    for number in sorted(set(ids)):
        if number > expected:
            found.append(str(expected) if number == expected + 1 else f"{expected}-{number - 1}")
        expected = max(expected, number + 1)
    return ", ".join(found[:_MOST_GAPS]) + (" and more" if len(found) > _MOST_GAPS else "")
