# SPDX-License-Identifier: Apache-2.0
"""The chunk file that Fluentd's out_exec hands to a command: its records, and a name for each that stays the same.

out_exec runs the command again for a chunk whose run failed, so everything may come twice. The chunk's content is the
same each time: its hash and the record's number name a record (FLU-8).
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from .codec import CODECS, Codec, CodecError

_PIECE = 1 << 20


class Numbered(NamedTuple):
    """One record of a chunk."""

    name: str
    """The same at each run: 32 hex digits of the chunk's hash, a hyphen, and the record's number from 0."""
    record: Any


def form_of(head: bytes) -> str:
    """json or msgpack, by the first byte. Raises CodecError for what is neither."""
    first = head.lstrip()[:1]
    if first == b"{":
        return "json"
    if first and (0x80 <= first[0] <= 0x8F or first[0] in (0xDE, 0xDF)):
        return "msgpack"
    raise CodecError("the chunk is neither JSON objects nor MessagePack maps: set @type json in its <format>")


def read_chunk(path: Path) -> Iterator[Numbered]:
    """The records of a chunk file. Raises CodecError, and OSError where it can't be read."""
    with path.open("rb") as file:
        head = file.read(_PIECE)
        if not head:
            return
        codec: Codec = CODECS[form_of(head)]()
        name = _hash(path)
        number = 0
        piece = head
        while piece:
            for record in codec.feed(piece):
                yield Numbered(f"{name}-{number}", record)
                number += 1
            piece = file.read(_PIECE)
        for record in codec.end():
            yield Numbered(f"{name}-{number}", record)
        if codec.partial:
            raise CodecError(f"the chunk ends inside a record, after {codec.partial} bytes")


def _hash(path: Path) -> str:
    made = blake2b(digest_size=16)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            made.update(piece)
    return made.hexdigest()
