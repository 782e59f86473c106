# SPDX-License-Identifier: Apache-2.0
"""Times as operators write and read them: RFC 3339, local dates, or so long ago; shown in local time."""

import argparse
import re
import time
from datetime import datetime

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.timestamp import SECOND

FORMS = "2026-11-24, 2026-11-24T12:00[:00] (local time), 2026-11-24T12:00:00Z, or 30m, 2h, 3d, 1w ago"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"([0-9]{1,9})([smhdw])(?:\s+ago)?")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")


def parse(text: str, now_ns: int) -> int:
    """Nanoseconds since the epoch. Raises MessageError."""
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return now_ns - int(ago[1]) * _UNITS[ago[2]] * SECOND
    if _LOCAL.fullmatch(text.strip()):
        try:
            return int(datetime.fromisoformat(text.strip()).timestamp()) * SECOND
        except (ValueError, OverflowError):
            raise MessageError(f"{text!r} is no date") from None
    try:
        return timestamp.parse(text)
    except MessageError:
        raise MessageError(f"{text!r} is no time: write {FORMS}") from None


def argument(text: str) -> int:
    """For argparse."""
    try:
        return parse(text, time.time_ns())
    except MessageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def local(time_ns: int) -> str:
    """`2026-11-24 13:00:00` in local time; times that no calendar has are shown as seconds."""
    try:
        return datetime.fromtimestamp(time_ns // SECOND).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{time_ns // SECOND} s"


def zone(time_ns: int) -> str:
    """The local time zone's name and offset at that time: `CET +01:00`."""
    try:
        moment = datetime.fromtimestamp(time_ns // SECOND).astimezone()
    except (OverflowError, ValueError, OSError):
        moment = datetime.now().astimezone()
    offset = moment.strftime("%z")
    return f"{moment.tzname()} {offset[:3]}:{offset[3:5]}"


def utc(time_ns: int) -> str:
    """RFC 3339 in UTC, for programs."""
    try:
        return timestamp.to_text(time_ns)
    except MessageError:
        return ""
