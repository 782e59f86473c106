# SPDX-License-Identifier: Apache-2.0
"""Journal entries as `journalctl --output=export` writes them, one after the other.

A field is `NAME=value` on a line; or NAME on a line, its size as eight bytes (little endian), so many bytes, and the
end of a line. An empty line ends an entry.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ttyscribe_formats.errors import MessageError

START = b"__CURSOR="
MAX_ENTRY = 64 << 20
"""Bytes of one entry."""
_MAX_NAME = 256


def decode(read: Callable[[int], bytes], read_line: Callable[[int], bytes]) -> Iterator[dict[str, Any]]:
    """Each entry as `--output=json` has it: texts, lists of bytes for what is no text, lists of both where a field
    stands several times.

    `read` and `read_line` take the most bytes to give. Raises MessageError with the entry's number, counted from 1.
    """
    number = 1
    fields: dict[str, Any] = {}
    room = MAX_ENTRY
    while line := read_line(MAX_ENTRY + 2):
        if line == b"\n":
            if fields:
                yield fields
                number += 1
            fields, room = {}, MAX_ENTRY
            continue
        name, value = _field(line, read, room, number)
        room -= len(name) + len(value)
        _add(fields, name, value)
    if fields:
        yield fields


def _field(line: bytes, read: Callable[[int], bytes], room: int, number: int) -> tuple[str, bytes]:
    name, equals, value = line.partition(b"=")
    if equals:
        if not line.endswith(b"\n") or len(line) > room:
            raise MessageError(f"entry {number}: it ends in the middle, or is longer than {MAX_ENTRY >> 20} MiB")
        value = value[:-1]
    else:
        name = line[:-1]
        size = int.from_bytes(read(8), "little")
        if size > room:
            raise MessageError(f"entry {number}: a field of {size} bytes is more than {MAX_ENTRY >> 20} MiB")
        value = read(size)
        if len(value) < size or read(1) != b"\n":
            raise MessageError(f"entry {number}: it ends in the middle")
    if not 0 < len(name) <= _MAX_NAME or not name.isascii() or not name.decode().isprintable():
        raise MessageError(f"entry {number}: a field has no right name: this is no journal export")
    return name.decode(), value


def _add(fields: dict[str, Any], name: str, data: bytes) -> None:
    try:
        value: Any = data.decode()
    except UnicodeDecodeError:
        value = list(data)
    if name not in fields:
        fields[name] = value
        return
    before = fields[name]
    several = isinstance(before, list) and not (before and isinstance(before[0], int))
    if several:
        before.append(value)
    else:
        fields[name] = [before, value]
