# SPDX-License-Identifier: Apache-2.0
"""One line in a segment file: a head of 20 bytes, then the line. Pure.

The head holds the line's length in the file, a CRC-32 over all that follows it, the time of reading in nanoseconds
since the epoch, and the length that the line had when it came (larger where only its beginning was kept). Numbers are
little-endian and unsigned. A file begins with `MAGIC`.
"""

import struct
import zlib
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError

MAGIC = b"TTYSPL1\n"
_HEAD = struct.Struct("<IIQI")
_REST = struct.Struct("<QI")
HEAD_SIZE = _HEAD.size
MAX_SIZE = 4 << 20
"""Bytes of a line that a record may hold, twice what is ever kept of one; a head that says more is damaged."""


class Record(NamedTuple):
    """One line as it came, without its LF."""

    data: bytes
    now_ns: int
    """When it was read."""
    size: int
    """Its whole length in bytes; `data` is its beginning where this is more."""


def encode(data: bytes, now_ns: int, size: int) -> bytes:
    """The bytes of one record."""
    rest = _REST.pack(now_ns, size)
    return _HEAD.pack(len(data), zlib.crc32(data, zlib.crc32(rest)), now_ns, size) + data


def decode(buffer: bytes, most: int) -> tuple[list[Record], int]:
    """Up to `most` whole records from the beginning of `buffer`, and how many bytes they took.

    What follows them is the beginning of a record, or nothing. Raises MessageError where the first record is damaged;
    records before a damaged one are given first.
    """
    found: list[Record] = []
    at, end = 0, len(buffer)
    while len(found) < most and end - at >= HEAD_SIZE:
        length, check, now_ns, size = _HEAD.unpack_from(buffer, at)
        start = at + HEAD_SIZE
        if length > MAX_SIZE:
            problem = "a record's length is impossible"
        elif end - start < length:
            break
        else:
            data = buffer[start : start + length]
            if zlib.crc32(data, zlib.crc32(buffer[at + 8 : start])) == check:
                found.append(Record(data, now_ns, size))
                at = start + length
                continue
            problem = "a record's checksum is wrong"
        if found:
            break
        raise MessageError(problem)
    return found, at


def needed(buffer: bytes) -> int:
    """How many bytes the first record takes; 0 where not even its head is there."""
    return HEAD_SIZE + int(_HEAD.unpack_from(buffer)[0]) if len(buffer) >= HEAD_SIZE else 0
