# SPDX-License-Identifier: Apache-2.0
"""The sums of a timing string without reading it record by record.

Each number of `=80x24>3+120<1` has one marker before it. So the string without its digits says to which sort each
number belongs, and the string without its markers is a list of numbers, which a JSON reader takes in at ten times the
speed of anything else here. The fastest JSON reader is the caller's to choose.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import compress
from typing import Any

from ttyscribe_formats.timing import MAX_SIZE
from ttyscribe_formats.tlog import MAX_POS_MS

Loads = Callable[[bytes], Any]
"""The value of a JSON text. Raises ValueError where it is none; integers beyond 64 bit may come as floats."""

_DIGITS = b"0123456789"
_NO_WINDOW = b"+<>"
_WINDOW = b"=x"
_COMMAS = bytes(0x2C if code in _NO_WINDOW + _WINDOW else code for code in range(256))
_LONG = 256
"""Markers beyond which no string's are remembered: nobody makes us keep much."""


def tally(timing: str, typed: int, shown: int, loads: Loads) -> int | None:
    """Milliseconds of all delays, where the string accounts for this many characters typed and shown.

    Of a usual string: texts that are all valid, one window at most, at its front. None for any other.
    """
    if not timing.isascii():
        return None
    data = timing.encode()
    markers = data.translate(None, _DIGITS)
    sorts = _sorts(markers) if len(markers) < _LONG else _sorts.__wrapped__(markers)
    if sorts is None:
        return None
    try:
        numbers = loads(b"[%b]" % data[1:].translate(_COMMAS))
    except ValueError:  # a number is missing, or begins with a nought
        return None
    if len(numbers) != len(markers):
        return None  # it begins with a number
    windowed, inputs, outputs = sorts
    delayed: int = sum(numbers) - typed - shown
    if windowed:
        if numbers[0] > MAX_SIZE or numbers[1] > MAX_SIZE:
            return None
        delayed -= numbers[0] + numbers[1]
    if sum(compress(numbers, outputs)) != shown or ((typed or inputs) and sum(compress(numbers, inputs)) != typed):
        return None
    return delayed if type(delayed) is int and delayed <= MAX_POS_MS else None


@lru_cache(maxsize=4096)
def _sorts(markers: bytes) -> tuple[bool, bytes, bytes] | None:
    """Whether the first two numbers are a window's, and which are of input and of output, 1 for those that are.

    None for markers that are not usual. Of input it is empty where there is none.
    """
    windows = markers.translate(None, _NO_WINDOW)
    if (windows and (windows != _WINDOW or markers[:2] != _WINDOW)) or not markers:
        return None
    return bool(windows), _only(b"<", markers) if b"<" in markers else b"", _only(b">", markers)


def _only(marker: bytes, markers: bytes) -> bytes:
    return bytes(code == marker[0] for code in markers)
