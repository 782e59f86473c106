# SPDX-License-Identifier: Apache-2.0
"""Targets: tlog's messages, their timing, and the writer that makes them."""

from tests.formats.oracle import Slow, seen
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.reading import measure, message_packets, packets
from ttyscribe_formats.text import Utf8Splitter
from ttyscribe_formats.tlog import Message

_MS = 1_000_000
_SAMPLE = Message("2.3", "h", "r", "u", "xterm", 7, 1, 0, 1000, "", "", b"", "", b"")
_PAYLOADS = (32, 33, 40, 64, 257, 2048)
_HEADER = Header("h", "r", "u", "xterm", 7)


def is_one_line(text: str) -> bool:
    """Whether it is one line that may go to a terminal."""
    return bool(text) and text.isprintable()


def must_be_clean(error: Exception) -> None:
    """An error is one line that may go to a terminal."""
    assert is_one_line(str(error)), error


def message(data: bytes) -> None:
    """A line of a recording: what is read is written and read again as the same."""
    try:
        found = tlog.decode(data)
    except MessageError as error:
        must_be_clean(error)
        return
    assert tlog.decode(tlog.encode(found)) == found
    assert tlog.from_fields(tlog.to_fields(found)) == found
    _replay(found)


def timing(data: bytes) -> None:
    """A timing string (the first line) over texts (the second and third) and bytes (the rest)."""
    parts = data.split(b"\n", 3) + [b""] * 3
    texts = [part.decode("utf-8", "replace") for part in parts[:3]]
    inputs, outputs = parts[3][::2], parts[3][1::2]
    _replay(_SAMPLE._replace(timing=texts[0], in_txt=texts[1], out_txt=texts[2], in_bin=inputs, out_bin=outputs))


def _replay(found: Message) -> None:
    """The packets of a message and its numbers tell the same."""
    try:
        numbers = measure(found)
    except MessageError as error:
        numbers = None
        must_be_clean(error)
    try:
        made = message_packets(found)
    except MessageError as error:
        must_be_clean(error)
        made = None
    if made is None:
        assert numbers is None
        return
    assert numbers is not None
    assert numbers.in_bytes == sum(len(p.data) for p in made if isinstance(p, Input))
    assert numbers.out_bytes == sum(len(p.data) for p in made if isinstance(p, Output))
    assert made == sorted(made, key=lambda packet: packet.time_ns)
    assert not made or found.pos * _MS <= made[0].time_ns <= made[-1].time_ns <= numbers.last_ms * _MS
    windows = [p for p in made if isinstance(p, Window)]
    assert (numbers.columns, numbers.rows) == (windows[-1][1:] if windows else (-1, -1))


def writer(data: bytes) -> None:
    """Packets through the recorder's encoder at a small payload: the messages of the plain rules, and back the same."""
    payload = _PAYLOADS[data[0] % len(_PAYLOADS)] if data else 2048
    made = _packets(data[1:])
    chunker = Chunker(_HEADER, payload)
    lines = [line for packet in made for line in chunker.feed(packet, 1_700_000_000_000 * _MS)] + chunker.cut()
    oracle = Slow(payload)
    for packet in made:
        oracle.feed(packet)
    oracle.cut()
    assert [seen(line) for line in lines] == oracle.done
    messages = [tlog.decode(line) for line in lines]
    assert [tlog.encode(item) for item in messages] == lines
    read = list(packets(messages))
    for sort in (Input, Output):
        wanted = b"".join(p.data for p in made if isinstance(p, sort))
        assert b"".join(p.data for p in read if isinstance(p, sort)) == wanted
    assert _sizes(read) == _sizes(made)
    if made and read:
        assert read[-1].time_ns <= made[-1].time_ns - made[0].time_ns


def _packets(data: bytes) -> list[Packet]:
    """Packets as the bytes say: kind, delay and length in two bytes, then the data."""
    made: list[Packet] = []
    now, place = 5_000_000_123, 0
    while place + 1 < len(data):
        kind, size = data[place] & 3, data[place + 1]
        now += (0, 900_000, 1_000_000, 3_000_000_000)[data[place] >> 2 & 3]
        place += 2
        if kind == 0:
            made.append(Window(now, size, data[place - 2]))
            continue
        piece, place = data[place : place + size], place + size
        made.append(Input(now, piece) if kind == 1 else Output(now, piece))
    return made


def _sizes(found: list[Packet]) -> list[tuple[int, int]]:
    sizes = [(p.columns, p.rows) for p in found if isinstance(p, Window)]
    return [size for number, size in enumerate(sizes) if not number or sizes[number - 1] != size]


def utf8(data: bytes) -> None:
    """The split into text and bytes that are none: nothing is lost, wherever the stream is cut."""
    whole = _split([data])
    assert whole == _split([data[place : place + 1] for place in range(len(data))])
    assert b"".join(item.encode() if isinstance(item, str) else item for item in whole) == data
    shown = "".join(item if isinstance(item, str) else "\ufffd" for item in whole)
    assert shown == data.decode("utf-8", "replace")


def _split(pieces: list[bytes]) -> list[str | bytes]:
    """Characters and invalid sequences."""
    splitter = Utf8Splitter()
    runs = [run for piece in pieces for run in splitter.feed(piece)] + splitter.cut()
    return [item for text, sequences in runs for item in (*text, *sequences)]
