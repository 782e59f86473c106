# SPDX-License-Identifier: Apache-2.0
"""Places as viewers write them, on the command line and at the keyboard; pure."""

import re
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_player.timeline import END

_SECOND = 1_000_000_000
_TIME = re.compile(r"(?:(?:([0-9]{0,6}):)?([0-9]{0,6}):)?([0-9]{0,9})(?:\.([0-9]{1,9}))?")
"""tlog's, in which any part may be left out."""


class Goto(NamedTuple):
    """Where to begin: a time in nanoseconds, or a part of the whole."""

    time_ns: int = 0
    part: float = 0.0


def parse(text: str) -> Goto:
    """`start`, `end`, a time, or a percentage. Raises MessageError."""
    if text.lower() in ("start", "end"):
        return Goto(0 if text.lower() == "start" else END)
    if not text.endswith("%"):
        return Goto(parse_time(text))
    try:
        part = float(text[:-1])
    except ValueError:
        part = -1.0
    if not 0 <= part <= 100:
        raise MessageError(f"{text!r} is no part of the whole: give 0% to 100%")
    return Goto(0, part / 100)


def parse_time(text: str) -> int:
    """Nanoseconds of `[[H:]M:]SS[.fraction]`, of which any part may be left out. Raises MessageError."""
    match = _TIME.fullmatch(text)
    if match is None or not any(match.groups()):
        raise MessageError(f"{text!r} is no time: give start, end, [[H:]M:]SS[.fraction] or N%")
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[:3])
    return ((hours * 60 + minutes) * 60 + seconds) * _SECOND + int((match[4] or "").ljust(9, "0"))
