# SPDX-License-Identifier: Apache-2.0
"""Times in many forms, as Ruby's `Time.parse` and `DateTime.parse` understand them; pure.

What is missing comes from the time now; a time without a zone is UTC's. Forms that log lines have are understood: ISO
8601 in its variants, syslog, e-mail, HTTP, C and America, and digits in a row. Not: weeks, days of the year, other
calendars, and zones named in words beyond the common ones.
"""

from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import date_forms, times

_MAX_LENGTH = 128
_DAY = 86_400
_ZONES = {
    "utc": 0,
    "z": 0,
    "gmt": 0,
    "est": -5,
    "edt": -4,
    "cst": -6,
    "cdt": -5,
    "mst": -7,
    "mdt": -6,
    "pst": -8,
    "pdt": -7,
}


class Moment(NamedTuple):
    """A date, the second of its day, its nanoseconds, and its offset in seconds; leap seconds and 24:00 overflow."""

    year: int
    month: int
    day: int
    second: int
    ns: int
    offset: int

    @property
    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        days = times.day_of(self.year, self.month, self.day)
        return (days * _DAY + self.second - self.offset) * timestamp.SECOND + self.ns


def parse_time(value: Any, now_ns: int) -> int:
    """Nanoseconds since the epoch of a text in any of the forms. Raises MessageError."""
    if type(value) is not str:
        raise MessageError("a time that is no text")
    try:
        return timestamp.parse(value)
    except MessageError:
        return _moment(value, now_ns).time_ns


def parse_day(value: Any, now_ns: int) -> str:
    """`YYYY.MM.DD` of a text in any of the forms, in the text's own zone. Raises MessageError."""
    if type(value) is not str:
        raise MessageError("a time that is no text")
    if timestamp.is_normal(value):
        return _day_of(value[:19])
    moment = _moment(value, now_ns)
    year, month, day = times.civil(times.day_of(moment.year, moment.month, moment.day) + moment.second // _DAY)
    return f"{year:04d}.{month:02d}.{day:02d}"


@lru_cache(maxsize=4096)
def _day_of(text: str) -> str:
    timestamp.parse(text + "Z")
    return text[:10].replace("-", ".")


def _moment(text: str, now_ns: int) -> Moment:
    if len(text) > _MAX_LENGTH:
        raise MessageError(f"a time of more than {_MAX_LENGTH} characters")
    found = date_forms.find(text)
    if not found.has_any:
        raise MessageError(f"no time: {text!r}")
    offset = _offset(found.zone)
    today = times.civil((now_ns // timestamp.SECOND + offset) // _DAY)
    year, month, day = _date(found, today)
    hour, minute, second = found.hour or 0, found.minute or 0, found.second or 0
    if not _is_date(year, month, day) or hour > 24 or minute > 59 or second > 60 or (hour == 24 and minute + second):
        raise MessageError(f"no such time: {text!r}")
    return Moment(year, month, day, hour * 3600 + minute * 60 + second, found.ns, offset)


def _date(found: date_forms.Found, today: tuple[int, int, int]) -> tuple[int, int, int]:
    """What is named, completed: above it by today, below it by the first."""
    if found.year is not None:
        return found.year, found.month or 1, found.day or 1
    if found.month is not None:
        return today[0], found.month, found.day or 1
    if found.day is not None:
        return today[0], today[1], found.day
    return today


def _is_date(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31 and times.civil(times.day_of(year, month, day)) == (year, month, day)


def _offset(zone: str) -> int:
    """Seconds east of UTC; of an unknown zone none."""
    name = zone.lower()
    if name in _ZONES:
        return _ZONES[name] * 3600
    for prefix in ("gmt", "utc", "ut"):
        name = name.removeprefix(prefix)
    if name[:1] not in ("+", "-") or not name[1:2].isdecimal():
        return 0
    digits = name[1:]
    if ":" in digits:
        hours, minutes, *seconds = (int(part) for part in digits.split(":") if part.isdecimal())
        total = hours * 3600 + minutes * 60 + (seconds[0] if seconds else 0)
    else:
        digits = digits.partition(".")[0].partition(",")[0]
        if len(digits) <= 2:
            total = int(digits) * 3600
        else:
            digits = digits.rjust(4, "0").ljust(6, "0") if len(digits) <= 4 else digits.rjust(6, "0")
            total = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -total if name[0] == "-" else total
