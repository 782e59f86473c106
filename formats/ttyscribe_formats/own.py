# SPDX-License-Identifier: Apache-2.0
"""Our own last key of a message, the reading half: typed, and bounded whatever a forger wrote.

A part, or an item of one, that is not of the shape that docs/formats/tlog.md gives is ignored, and so is a whole key of
more than 1 KiB. Not loaded in the login path.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from ttyscribe_formats.marks import MAX_OWN, MAX_WHY
from ttyscribe_formats.tlog import MAX_POS_MS, Message

STREAMS = ("terminal", "stdout", "stderr", "stdin")
_MOST = 2**63 - 1
_MAX_STATUS = 255
_HEX = frozenset("0123456789abcdef")
_DIGEST = 32


class Mask(NamedTuple):
    """What was typed between these times (milliseconds from the recording's start) is left out."""

    start_ms: int
    end_ms: int


class Skip(NamedTuple):
    """`size` bytes of a stream are left out at this time; `digest` is 32 hex digits of their BLAKE2b."""

    ms: int
    stream: str
    size: int
    digest: str


class Lost(NamedTuple):
    """The log could not take the messages with these ids; `why` is printable ASCII."""

    first: int
    last: int
    why: str


class Own(NamedTuple):
    """What a message says of its recording."""

    status: int | None = None
    """The recording ends here, with this exit status of the shell."""
    masks: tuple[Mask, ...] = ()
    skips: tuple[Skip, ...] = ()
    losses: tuple[Lost, ...] = ()
    errors: tuple[tuple[int, int], ...] = ()
    """Stretches of the message's output that were standard error, as (start, end) in bytes."""


NOTHING = Own()


def read_own(message: Message) -> Own:
    """What a decoded message says."""
    if not message.extra or len(message.extra) > MAX_OWN:
        return NOTHING
    return _read(json.loads(message.extra))


def read_object(value: object) -> Own:
    """The same from the key's parsed value, as stored documents hold it; anything may stand there."""
    if not isinstance(value, dict):
        return NOTHING
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, TypeError, RecursionError):
        return NOTHING
    return _read(value) if size <= MAX_OWN else NOTHING


def _read(value: object) -> Own:
    if not isinstance(value, dict):
        return NOTHING
    end = value.get("end")
    status = end.get("status") if isinstance(end, dict) else None
    return Own(
        status if _is_number(status, _MAX_STATUS) else None,
        tuple(Mask(a, b) for a, b in _pairs(value.get("mask")) if a <= b <= MAX_POS_MS),
        tuple(_skips(value.get("skip"))),
        tuple(_losses(value.get("lost"))),
        tuple((start, start + size) for start, size in _pairs(value.get("err")) if size),
    )


def _is_number(value: object, most: int = _MOST) -> bool:
    return type(value) is int and 0 <= value <= most


def _items(value: object) -> Iterator[dict[str, object]]:
    return (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())


def _pairs(value: object) -> Iterator[tuple[int, int]]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, list) and len(item) == 2 and _is_number(item[0]) and _is_number(item[1]):
            yield item[0], item[1]


def _skips(value: object) -> Iterator[Skip]:
    for item in _items(value):
        ms, stream, size, digest = (item.get(name) for name in ("ms", "stream", "bytes", "digest"))
        if type(ms) is not int or type(size) is not int or not isinstance(stream, str) or not isinstance(digest, str):
            continue
        if 0 <= ms <= MAX_POS_MS and 0 <= size <= _MOST and stream in STREAMS and _is_digest(digest):
            yield Skip(ms, stream, size, digest)


def _is_digest(text: str) -> bool:
    return len(text) == _DIGEST and set(text) <= _HEX


def _losses(value: object) -> Iterator[Lost]:
    for item in _items(value):
        first, last, why = (item.get(name) for name in ("from", "to", "why"))
        if type(first) is not int or type(last) is not int or not isinstance(why, str):
            continue
        if 1 <= first <= last <= _MOST:
            yield Lost(first, last, "".join(c if " " <= c <= "~" else "?" for c in why[:MAX_WHY]))
