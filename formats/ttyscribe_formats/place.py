# SPDX-License-Identifier: Apache-2.0
"""A place in a recording, `REC@[H:]M:SS.mmm`: what search prints, and play and show accept."""

import re
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError

_TIME = re.compile(r"(?:([0-9]{1,6}):)?([0-9]{1,6}):([0-9]{1,2})(?:\.([0-9]{1,3}))?|([0-9]{1,9})(?:\.([0-9]{1,3}))?")
_SIXTY = 60


class Place(NamedTuple):
    """A recording and milliseconds from its start."""

    recording: str
    ms: int


def format_time(ms: int) -> str:
    """`[H:]M:SS.mmm`."""
    seconds, rest = divmod(max(0, ms), 1000)
    minutes, seconds = divmod(seconds, _SIXTY)
    hours, minutes = divmod(minutes, _SIXTY)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{seconds:02d}.{rest:03d}"


def format_place(place: Place) -> str:
    """`REC@[H:]M:SS.mmm`."""
    return f"{place.recording}@{format_time(place.ms)}"


def parse_time(text: str) -> int:
    """Milliseconds of `[[H:]M:]SS[.mmm]`. Raises MessageError."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise MessageError(f"not a time in a recording: {text!r} (it is written [[H:]M:]SS[.mmm])")
    hours, minutes, seconds, part, bare, bare_part = match.groups()
    if bare is not None:
        return int(bare) * 1000 + int((bare_part or "0").ljust(3, "0"))
    whole = (int(hours or 0) * _SIXTY + int(minutes)) * _SIXTY + int(seconds)
    return whole * 1000 + int((part or "0").ljust(3, "0"))


def parse_place(text: str) -> Place:
    """A place, or a recording alone (its beginning). Raises MessageError."""
    recording, at, time = text.rpartition("@")
    if not at:
        recording, time = text, "0"
    if not recording:
        raise MessageError(f"not a place: {text!r} (it is written RECORDING@[H:]M:SS.mmm)")
    return Place(recording, parse_time(time))
