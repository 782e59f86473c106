# SPDX-License-Identifier: Apache-2.0
"""Messages in, packets out: the reading half of tlog's format.

Times of packets are nanoseconds from the recording's start.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.own import read_own
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.timing import MAX_SIZE, records
from ttyscribe_formats.tlog import Message

_MS = 1_000_000
_TEXT_ERROR = 'Message has invalid "in_txt" or "out_txt" field value'
# Numbers that can't be too large: one with more digits does not add up to the whole, see `_measure_simple`.
_FRONT = re.compile(r"=([0-9]{1,5})x([0-9]{1,5})")
_OUTS = re.compile(">([0-9]{1,9})")
_INS = re.compile("<([0-9]{1,9})")
_DELAYS = re.compile(r"\+([0-9]{1,12})")
_BYTES_ERROR = 'Message has invalid "in_bin" or "out_bin" field value'


class Measure(NamedTuple):
    """The numbers of one message, for aggregation."""

    in_bytes: int
    out_bytes: int
    last_ms: int
    """Milliseconds from the recording's start to the last event."""
    resizes: int
    """Window sizes in this message, the one that is repeated at its front not counted."""
    columns: int
    rows: int
    """The last window size; -1 where the message has none."""


class _Side:
    """One stream's texts, taken piece by piece."""

    __slots__ = ("_binary", "_byte", "_char", "_text")

    def __init__(self, text: str, binary: bytes) -> None:
        self._text, self._binary = text, binary
        self._char = self._byte = 0

    def take_text(self, count: int) -> bytes:
        end = self._char + count
        if end > len(self._text):
            raise MessageError(_TEXT_ERROR)
        text, self._char = self._text[self._char : end], end
        return text.encode("utf-8", "surrogatepass")

    def take_binary(self, skip: int, count: int) -> bytes:
        self._char += skip
        end = self._byte + count
        if self._char > len(self._text):
            raise MessageError(_TEXT_ERROR)
        if end > len(self._binary):
            raise MessageError(_BYTES_ERROR)
        data, self._byte = self._binary[self._byte : end], end
        return data


def message_packets(message: Message) -> list[Packet]:
    """The packets of one message; runs of one time and stream are one packet. Raises MessageError."""
    sides = {"<": _Side(message.in_txt, message.in_bin), ">": _Side(message.out_txt, message.out_bin)}
    sides["["], sides["]"] = sides["<"], sides[">"]
    packets: list[Packet] = []
    now = message.pos * _MS
    for marker, first, second in records(message.timing):
        if marker == "+":
            now += first * _MS
        elif marker == "=":
            packets.append(Window(now, first, second))
        else:
            side = sides[marker]
            data = side.take_text(first) if marker in "<>" else side.take_binary(first, second)
            if data:
                _append(packets, now, data, marker in "<[")
    return _split_error(packets, message) if message.extra else packets


def _append(packets: list[Packet], now: int, data: bytes, is_input: bool) -> None:
    last = packets[-1] if packets else None
    if last is not None and last.time_ns == now and isinstance(last, Input if is_input else Output):
        packets[-1] = last._replace(data=last.data + data)
    else:
        packets.append(Input(now, data) if is_input else Output(now, data))


def _split_error(packets: list[Packet], message: Message) -> list[Packet]:
    """Cut output packets where the message says that bytes were standard error."""
    spans = read_own(message).errors
    if not spans:
        return packets
    done: list[Packet] = []
    offset = 0
    for packet in packets:
        if not isinstance(packet, Output):
            done.append(packet)
            continue
        end = offset + len(packet.data)
        edges = {offset, end} | {edge for span in spans for edge in span if offset < edge < end}
        ordered = sorted(edges)
        for a, b in pairwise(ordered):
            is_error = any(start <= a < stop for start, stop in spans)
            piece = packet.data[a - offset : b - offset]
            done.append(Output(packet.time_ns, piece, "stderr" if is_error else "stdout"))
        offset = end
    return done


def packets(messages: Iterable[Message]) -> Iterator[Packet]:
    """All packets of one recording, read as strictly as tlog-play does.

    Raises MessageError when ids are not consecutive or times go back; what came before was given out. Readers that
    want to go on over gaps use `message_packets` message by message.
    """
    expected: int | None = None
    last_ns = 0
    for message in messages:
        if expected is not None and message.id != expected:
            raise MessageError(f"Message ID is out of order: {message.id} where {expected} was expected")
        expected = message.id + 1
        for packet in message_packets(message):
            if packet.time_ns < last_ns:
                raise MessageError("Packet timestamp is out of order")
            last_ns = packet.time_ns
            yield packet


def measure(message: Message) -> Measure:
    """The numbers of one message. Raises MessageError where its timing and its texts don't fit."""
    return _measure_simple(message) or _measure_any(message)


def _measure_simple(message: Message) -> Measure | None:
    """The numbers of the usual message, whose bytes are all valid and accounted for; none for any other."""
    timing, in_txt, out_txt = message.timing, message.in_txt, message.out_txt
    front = _FRONT.match(timing)
    columns, rows, taken = (int(front[1]), int(front[2]), front.end()) if front else (-1, -1, 0)
    outs, delays = _OUTS.findall(timing, taken), _DELAYS.findall(timing, taken)
    ins = _INS.findall(timing, taken) if in_txt else []
    found = outs + delays + ins
    if taken + len(found) + len("".join(found)) != len(timing):
        return None  # there is something else in it
    out, typed = sum(map(int, outs)), sum(map(int, ins))
    if out != len(out_txt) or typed != len(in_txt) or columns > MAX_SIZE or rows > MAX_SIZE:
        return None
    if not out_txt.isascii():
        out = len(out_txt.encode("utf-8", "surrogatepass"))
    if not in_txt.isascii():
        typed = len(in_txt.encode("utf-8", "surrogatepass"))
    return tuple.__new__(Measure, (typed, out, message.pos + sum(map(int, delays)), 0, columns, rows))


def _measure_any(message: Message) -> Measure:
    now = message.pos
    chars = {"<": 0, ">": 0, "[": 0, "]": 0}
    cut = {"[": 0, "]": 0}
    resizes, columns, rows = 0, -1, -1
    for place, (marker, first, second) in enumerate(records(message.timing)):
        if marker == "+":
            now += first
        elif marker == "=":
            resizes += 1 if place else 0
            columns, rows = first, second
        else:
            chars[marker] += first
            if marker in cut:
                cut[marker] += second
    sizes = []
    for text_marker, cut_marker, text, binary in (
        ("<", "[", message.in_txt, message.in_bin),
        (">", "]", message.out_txt, message.out_bin),
    ):
        used = chars[text_marker] + chars[cut_marker]
        if used > len(text):
            raise MessageError(_TEXT_ERROR)
        if cut[cut_marker] > len(binary):
            raise MessageError(_BYTES_ERROR)
        if chars[cut_marker] or cut[cut_marker] or used != len(text):
            sizes.append(-1)
        else:
            sizes.append(used if text.isascii() else len(text.encode("utf-8", "surrogatepass")))
    if -1 in sizes:
        found = message_packets(message)
        sizes = [sum(len(p.data) for p in found if isinstance(p, sort)) for sort in (Input, Output)]
    return Measure(sizes[0], sizes[1], now, resizes, columns, rows)
