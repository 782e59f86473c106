# SPDX-License-Identifier: Apache-2.0
"""The `timing` string: what happened when, and how much of the texts belongs to it.

::

    timing = *( delay / window / run )
    delay  = "+" ms
    window = "=" columns "x" rows
    run    = ("<" | ">") characters                  input, output
           | ("[" | "]") characters "/" bytes        the same, not valid UTF-8

Readers also take white space before a record and after its marker. Not loaded in the login path.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.tlog import MAX_POS_MS

MAX_SIZE = 65535

_RECORD = re.compile(
    r"\s*(?:([<>])\s*([0-9]+)|\+\s*([0-9]+)|=\s*([0-9]+)x([0-9]+)|([\[\]])\s*([0-9]+)/([0-9]+))", re.ASCII
)
_BLANK = re.compile(r"\s*", re.ASCII)
_DIGITS = 19
_INVALID = 'Message has invalid "timing" field value'


class Record(NamedTuple):
    """One record: `marker` is one of `+ = < > [ ]`; `first` and `second` are its numbers (second 0 where none)."""

    marker: str
    first: int
    second: int


def records(timing: str) -> Iterator[Record]:
    """The records of a timing string. Raises MessageError where tlog's reader would."""
    place = 0
    while match := _RECORD.match(timing, place):
        place = match.end()
        yield _record(match)
    if _BLANK.match(timing, place).end() != len(timing):  # type: ignore[union-attr]
        raise MessageError(_INVALID)


def _record(match: re.Match[str]) -> Record:
    run, count, delay, columns, rows, cut, chars, size = match.groups()
    if run is not None:
        return Record(run, _number(count), 0)
    if delay is not None:
        number = _number(delay)
        if number > MAX_POS_MS:
            raise MessageError(_INVALID)
        return Record("+", number, 0)
    if columns is not None:
        width, height = _number(columns), _number(rows)
        if width > MAX_SIZE or height > MAX_SIZE:
            raise MessageError(_INVALID)
        return Record("=", width, height)
    return Record(cut, _number(chars), _number(size))


def _number(digits: str) -> int:
    """A count. Longer ones than a machine word are refused: int() of hostile digits takes quadratic time."""
    if len(digits) > _DIGITS:
        raise MessageError(_INVALID)
    return int(digits)
