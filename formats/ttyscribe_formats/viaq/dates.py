# SPDX-License-Identifier: Apache-2.0
"""Times in many forms, as Ruby's `Time.parse` and `DateTime.parse` understand them; pure.

What is missing comes from the time now; a time without a zone is UTC's. Forms that log lines have are understood: ISO
8601 in its variants, syslog, e-mail, HTTP, C and America, and digits in a row. Not: days of the week
alone. A zone that is not understood is UTC, as it is the zone of this process to them.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.viaq import date_forms, times

_MAX_LENGTH = 128
_DAY = 86_400
_ZONES = {"utc": 0, "ut": 0, "gmt": 0, "z": 0}
_ZONES |= {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
_ZONES |= {letter: number for number, letter in enumerate("abcdefghiklm", 1)}
_ZONES |= {letter: -number for number, letter in enumerate("nopqrstuvwxy", 1)}
_OFFSET = re.compile(r"([-+])([0-9]{2})(?:(:?)([0-9]{2})(?:\3([0-9]{2}))?)?")


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
    """Nanoseconds since the epoch of a text in any of the forms. A day that its month lacks is one of the next month.

    Raises MessageError.
    """
    if type(value) is not str:
        raise MessageError("a time that is no text")
    found = _found(value)
    offset = _offset(found.zone)
    moment = _moment(found, _day(now_ns, offset), value)._replace(offset=offset)
    if moment.second >= _DAY + 1:
        raise MessageError(f"no such time: {value!r}")
    return moment.time_ns


def parse_day(value: Any, now_ns: int) -> str:
    """`YYYY.MM.DD` of a text in any of the forms, in the text's own zone. Raises MessageError."""
    if type(value) is not str:
        raise MessageError("a time that is no text")
    if len(value) == 32 and value[20:26].isdecimal() and value.isascii():
        day = _normal_day(value[:20], value[26:])
        if day:
            return day
    found, today = _found(value, or_week=True), _day(now_ns, 0)
    if found.week is not None:
        return _day_of_week(*found.week, today[0], value)
    moment = _moment(found._replace(second=min(found.second or 0, 59)), today, value)
    days = times.day_of(moment.year, moment.month, moment.day)
    if times.civil(days) != moment[:3]:
        raise MessageError(f"no such day: {value!r}")
    return "{:04d}.{:02d}.{:02d}".format(*times.civil(days + moment.second // _DAY))


def _day_of_week(year: int | None, week: int, day: int, this_year: int, text: str) -> str:
    """The day of a date of ISO 8601 by week."""
    try:
        return date.fromisocalendar(this_year if year is None else year, week, day).strftime("%Y.%m.%d")
    except ValueError:
        raise MessageError(f"no such day: {text!r}") from None


@lru_cache(maxsize=4096)
def _normal_day(second: str, offset: str) -> str:
    """The day of a time as we write it; empty of any other."""
    normal = f"{second}000000{offset}"
    if not timestamp.is_normal(normal):
        return ""
    timestamp.parse(normal)
    return second[:10].replace("-", ".")


def _found(text: str, *, or_week: bool = False) -> date_forms.Found:
    if len(text) > _MAX_LENGTH:
        raise MessageError(f"a time of more than {_MAX_LENGTH} characters")
    found = date_forms.find(text)
    if not (found.has_any or (or_week and found.week is not None)):
        raise MessageError(f"no time: {text!r}")
    return found


def _day(now_ns: int, offset: int) -> tuple[int, int, int]:
    return times.civil((now_ns // timestamp.SECOND + offset) // _DAY)


def _moment(found: date_forms.Found, today: tuple[int, int, int], text: str) -> Moment:
    year, month, day = _date(found, today)
    hour, minute, second = found.hour or 0, found.minute or 0, found.second or 0
    is_clock = hour < 24 or (hour == 24 and minute + second == 0)
    if not (1 <= month <= 12 and 1 <= day <= 31 and is_clock and minute < 60 and second <= 60):
        raise MessageError(f"no such time: {text!r}")
    return Moment(year, month, day, hour * 3600 + minute * 60 + second, found.ns, 0)


def _date(found: date_forms.Found, today: tuple[int, int, int]) -> tuple[int, int, int]:
    """What is named, completed: above it by today, below it by the first."""
    year = today[0] if found.year is None else found.year
    if found.of_year is not None:
        first = times.day_of(year, 1, 1)
        named = times.civil(first + found.of_year - 1)
        return named if named[0] == year else (year, 0, 0)
    if found.year is not None or found.month is not None:
        return year, 1 if found.month is None else found.month, 1 if found.day is None else found.day
    return (year, today[1], found.day) if found.day is not None else today


def _offset(zone: str) -> int:
    """Seconds east of UTC; of an unknown zone none."""
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return _ZONES.get(zone.lower(), 0) * 3600
    total = int(match[2]) * 3600 + int(match[4] or 0) * 60 + int(match[5] or 0)
    return -total if match[1] == "-" else total
