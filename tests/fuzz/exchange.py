# SPDX-License-Identifier: Apache-2.0
"""Targets: recordings of other programs, and places in recordings."""

import io
import re

from tests.fuzz.recordings import must_be_clean
from ttyscribe_formats import asciicast, timestamp, typescript
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.packet import Input, Output, Packet, Window
from ttyscribe_formats.place import Place, format_place, parse_place
from ttyscribe_player import goto

_LINE = re.compile("line ([0-9]+): ")


def _is_clean(error: MessageError, lines: int) -> None:
    """One line that names the line where it is wrong, unless there is none."""
    must_be_clean(error)
    match = _LINE.match(str(error))
    assert match is None or 1 <= int(match[1]) <= lines


def cast(data: bytes) -> None:
    """An asciicast: what is read is written, in both versions, and read again as the same."""
    lines = data.decode("utf-8", "replace").split("\n")
    found: list[Packet] = []
    try:
        found.extend(asciicast.decode(lines))
    except MessageError as error:
        _is_clean(error, len(lines))
    _is_ordered(found)
    for version in asciicast.VERSIONS:
        encoder = asciicast.Encoder(version)
        written = [asciicast.encode_header(asciicast.Header(version, 80, 24))]
        written += [line for packet in found for line in encoder.lines(packet)] + encoder.end()
        again = list(asciicast.decode(written))
        assert again[0] == Window(0, 80, 24)
        assert again[1:] == [p for p in found if isinstance(p, Window) or p.data]
        assert encoder.replaced == 0


def script(data: bytes) -> None:
    """A timing file and, behind an empty line, a typescript: what is read is written and read again as the same."""
    times, _, typed = data.partition(b"\n\n")
    lines = times.decode("utf-8", "replace").split("\n")
    first, _, rest = typed.partition(b"\n")
    assert isinstance(typescript.started(first), int)
    found: list[Packet] = []
    try:
        found.extend(typescript.decode(lines, io.BytesIO(rest).read))
    except MessageError as error:
        _is_clean(error, len(lines))
    _is_ordered(found)
    encoder = typescript.Encoder(0)
    pieces = [encoder.begin(), *map(encoder.piece, found), encoder.end()]
    written = "".join(piece.timing for piece in pieces).split("\n")
    stream = io.BytesIO(b"".join(piece.data for piece in pieces))
    stream.readline()
    again = list(typescript.decode(written, stream.read))
    assert [p for p in again if isinstance(p, Output)] == [p for p in found if isinstance(p, Output)]
    assert stream.read() == b"\nScript done\n"


def _is_ordered(found: list[Packet]) -> None:
    assert found == sorted(found, key=lambda packet: packet.time_ns)
    for packet in found:
        assert isinstance(packet, Input | Output) or (0 <= packet.columns <= 65535 and 0 <= packet.rows <= 65535)


def place(data: bytes) -> None:
    """A place in a recording, where to begin, and a time of a log line."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        found = parse_place(text)
    except MessageError as error:
        must_be_clean(error)
    else:
        assert found.recording
        assert parse_place(format_place(found)) == found
        assert isinstance(found, Place)
        assert found.ms >= 0
    try:
        start = goto.parse(text)
    except MessageError as error:
        must_be_clean(error)
    else:
        assert start.time_ns >= 0
        assert 0 <= start.part <= 1
    try:
        time_ns, normal = timestamp.normalized(text)
    except MessageError as error:
        must_be_clean(error)
    else:
        assert timestamp.is_normal(normal)
        assert timestamp.normalized(normal) == (time_ns // 1000 * 1000, normal)
