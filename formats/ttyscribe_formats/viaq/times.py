# SPDX-License-Identifier: Apache-2.0
"""Times as the plugins write them: UTC, six digits, `+00:00`, cut off and never rounded; pure."""

from fractions import Fraction
from functools import lru_cache
from typing import Any

from ttyscribe_formats import timestamp
from ttyscribe_formats.viaq import ruby

JOURNAL_TIME_FIELDS = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
MICROSECOND = 1000
SECOND = timestamp.SECOND
SECOND_US = 1_000_000
_DAY = 86_400
_PLAIN = range(253_402_300_800)
"""Seconds from 1970 to 9999."""


def of_ns(time_ns: int) -> str:
    """`2018-02-24T01:54:44.771123+00:00`."""
    return of_us(time_ns // MICROSECOND)


def of_us(time_us: int) -> str:
    """The same of microseconds, of any year."""
    second, rest = divmod(time_us, SECOND_US)
    if second in _PLAIN:
        return timestamp.to_text(time_us * MICROSECOND)
    day, clock = divmod(second, _DAY)
    date = _date(day)
    return f"{date}T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}.{rest:06d}+00:00"


def journal_normal(value: str) -> str:
    """The text of a journal's time of our days; empty of any other."""
    if len(value) == 16 and value.isdecimal() and value.isascii():
        return f"{_second(value[:10])}.{value[10:]}+00:00"
    return ""


def journal(value: Any) -> str | None:
    """The text of a journal's time: microseconds as text or number; None where it is neither."""
    if type(value) is str:
        return journal_normal(value) or of_us(ruby.to_i(value[:100]))
    if type(value) is int:
        return of_us(value)
    return of_us(int(value)) if type(value) is float and value - value == 0 else None


@lru_cache(maxsize=4096)
def _second(digits: str) -> str:
    return timestamp.to_text(int(digits) * timestamp.SECOND)[:19]


def of_seconds(seconds: Fraction) -> str:
    """The text of a time in seconds."""
    return of_us(seconds.__floor__() * SECOND_US + int(seconds % 1 * SECOND_US))


def year_before(time_ns: int) -> int:
    """The same day and time of the year before, without its fraction; 29 February becomes 1 March."""
    second = time_ns // timestamp.SECOND
    day, clock = divmod(second, _DAY)
    year, month, of_month = civil(day)
    if (month, of_month) == (2, 29):
        month, of_month = 3, 1
    return (day_of(year - 1, month, of_month) * _DAY + clock) * timestamp.SECOND


def day_of(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the Gregorian calendar, of any year."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469


def civil(day: int) -> tuple[int, int, int]:
    """The date so many days after 1970-01-01, in the Gregorian calendar."""
    era, rest = divmod(day + 719_468, 146_097)
    of_era = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
    of_year = rest - (365 * of_era + of_era // 4 - of_era // 100)
    month = (5 * of_year + 2) // 153
    return (
        era * 400 + of_era + (month >= 10),
        month + 3 if month < 10 else month - 9,
        of_year - (153 * month + 2) // 5 + 1,
    )


def _date(day: int) -> str:
    year, month, of_month = civil(day)
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{of_month:02d}"
