# SPDX-License-Identifier: Apache-2.0
"""Finds date and time in a text: one expression for each form, tried in order, each taking its part away; pure."""

import re
from typing import NamedTuple

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(_MONTHS)
_FLAGS = re.IGNORECASE | re.ASCII
_CENTURY = 69
"""A year of two digits from here on is of the last century."""

_OTHER = re.compile(r"[^-+',./:@\w\[\]]+|_")
_WEEKDAY = re.compile(r"\b(?:sun|mon|tue|wed|thu|fri|sat)[^-/\d\s]*", _FLAGS)
_TIME = re.compile(
    r"((?:\d+\s*:\s*\d+(?:\s*:\s*\d+(?:[,.]\d*)?)?|\d+\s*h(?:\s*\d+m?(?:\s*\d+s?)?)?)"
    r"(?:\s*[ap](?:m\b|\.m\.))?|\d+\s*[ap](?:m\b|\.m\.))"
    r"(?:\s*((?:gmt|utc?)?[-+]\d+(?:[,.:]\d+(?::\d+)?)?|[a-z.\s]+(?:standard|daylight)\stime\b|[a-z]+(?:\sdst)?\b))?",
    _FLAGS,
)
_CLOCK = re.compile(
    r"(\d+)\s*h?(?:\s*:?\s*(\d+)m?(?:\s*:?\s*(\d+)(?:[,.](\d*))?s?)?)?(?:\s*([ap])(?:m\b|\.m\.))?", _FLAGS
)
_EUROPEAN = re.compile(rf"'?(\d+)[^-\d\s]*\s*({_MONTH})[^-\d\s']*(?:\s*('?-?\d+(?:(?:st|nd|rd|th)\b)?))?", _FLAGS)
_AMERICAN = re.compile(rf"\b({_MONTH})[^-\d\s']*\s*('?\d+)[^-\d\s']*(?:\s*,?\s*('?-?\d+))?", _FLAGS)
_ISO = re.compile(r"('?[-+]?\d+)-(\d+)-('?-?\d+)", _FLAGS)
_NAMED = re.compile(rf"('?-?\d+)-({_MONTH})[^-/.]*-('?-?\d+)", _FLAGS)
_SLASHES = re.compile(r"('?-?\d+)/\s*('?\d+)(?:\D\s*('?-?\d+))?", _FLAGS)
_DOTS = re.compile(r"('?-?\d+)\.\s*('?\d+)\.\s*('?-?\d+)", _FLAGS)
_JAPANESE = re.compile(r"\b([mtshr])(\d+)\.(\d+)\.(\d+)", _FLAGS)
_ERAS = {"m": 1867, "t": 1911, "s": 1925, "h": 1988, "r": 2018}
_WEEK = re.compile(r"\b(\d{4}|\d{2})?-?w(\d{2})(?:-?(\d))?\b", _FLAGS)
_ORDINAL = re.compile(r"(?<![,.])\b(\d{4}|\d{2})-(\d{3})\b", _FLAGS)
_YEAR_ALONE = re.compile(r"'(\d+)\b", _FLAGS)
_MONTH_ALONE = re.compile(rf"\b({_MONTH})\S*", _FLAGS)
_DAY_ALONE = re.compile(r"'?(\d+)(?:st|nd|rd|th)\b", _FLAGS)
_DIGITS = re.compile(r"([-+]?)(\d{2,14})(?:\s*t?\s*(\d{2,6})?(?:[,.](\d*))?)?(z\b|[-+]\d{1,4}\b)?", _FLAGS)
_SIGNED_NUMBER = re.compile(r"([-+])?(\d+)", _FLAGS)
_WITH_REST = re.compile(r"(\d+)\D", _FLAGS)


class Found(NamedTuple):
    """What a text says; None: nothing of it. `ns` is the second's fraction, `zone` as it stands there."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int | None = None
    second: int | None = None
    of_year: int | None = None
    """Day of the year."""
    ns: int = 0
    zone: str = ""
    week: tuple[int | None, int, int] | None = None
    """Of ISO 8601: year, week, day. Times know nothing of it, days do."""

    @property
    def has_any(self) -> bool:
        """Whether it says anything that a time can be made of."""
        return any(part is not None for part in self[:7])


def find(text: str) -> Found:
    """What a text says of date and time."""
    text = _OTHER.sub(" ", text)
    text = _WEEKDAY.sub(" ", text, count=1)
    found = Found()
    if match := _TIME.search(text):
        found = _clock(match[1], match[2] or "")
        text = f"{text[: match.start()]} {text[match.end() :]}"
    for pattern, read in _DATES:
        if match := pattern.search(text):
            return read(match, found)
    return found


def _clock(text: str, zone: str) -> Found:
    match = _CLOCK.match(text)
    if match is None:
        return Found()
    hour = int(match[1])
    if match[5]:
        hour = hour % 12 + (12 if match[5].lower() == "p" else 0)
    return Found(
        hour=hour,
        minute=int(match[2]) if match[2] else None,
        second=int(match[3]) if match[3] else None,
        ns=_ns(match[4]),
        zone=zone,
    )


def _ns(digits: str | None) -> int:
    return int(digits[:9].ljust(9, "0")) if digits else 0


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


def _european(match: re.Match[str], found: Found) -> Found:
    return _ymd(found, match[3], str(_month(match[2])), match[1])


def _american(match: re.Match[str], found: Found) -> Found:
    return _ymd(found, match[3], str(_month(match[1])), match[2])


def _in_order(match: re.Match[str], found: Found) -> Found:
    return _ymd(found, match[1], match[2], match[3])


def _named(match: re.Match[str], found: Found) -> Found:
    return _ymd(found, match[3], str(_month(match[2])), match[1])


def _japanese(match: re.Match[str], found: Found) -> Found:
    year = int(match[2]) + _ERAS[match[1].lower()]
    return found._replace(year=year, month=int(match[3]), day=int(match[4]))


def _week(match: re.Match[str], found: Found) -> Found:
    return found._replace(week=(_year(match[1]), int(match[2]), int(match[3] or 1)))


def _ordinal(match: re.Match[str], found: Found) -> Found:
    return found._replace(year=_year(match[1]), of_year=int(match[2]))


def _year_alone(match: re.Match[str], found: Found) -> Found:
    return found._replace(year=_year(match[1]))


def _month_alone(match: re.Match[str], found: Found) -> Found:
    return found._replace(month=_month(match[1]))


def _day_alone(match: re.Match[str], found: Found) -> Found:
    return found._replace(day=int(match[1]))


def _ymd(found: Found, year: str | None, month: str | None, day: str | None) -> Found:
    """Year, month and day as they stand; a part that can only be the year is taken for it, wherever it stands."""
    if year and month and not day:
        year, month, day = day, year, month
    if not year and day and _is_year(day):
        year, day = day, year
    if year and (match := _WITH_REST.search(year)):
        year, day = day, match[1]
    if month and _is_year(month):
        year, month, day = month, day, year
    if day and _is_year(day):
        year, day = day, year
    return found._replace(year=_year(year), month=_number(month), day=_number(day))


def _is_year(text: str) -> bool:
    return text.startswith("'") or len(text) > 2


def _number(text: str | None) -> int | None:
    match = _SIGNED_NUMBER.search(text) if text else None
    return int(match[2]) if match else None


def _year(text: str | None) -> int | None:
    match = _SIGNED_NUMBER.search(text) if text else None
    if match is None:
        return None
    year = int(match[2])
    if match[1] or len(match[2]) > 2:
        return -year if match[1] == "-" else year
    return year + (1900 if year >= _CENTURY else 2000)


def _digits(match: re.Match[str], found: Found) -> Found:
    """Digits in a row: how many there are says what they are."""
    sign, digits, clock, fraction, zone = match.groups()
    size = len(digits)
    if size in (8, 10, 12, 14):
        found = found._replace(
            year=int(sign.replace("+", "") + digits[:4]), month=int(digits[4:6]), day=int(digits[6:8])
        )
        found = _clock_digits(found, digits[8:])
    elif size == 6:
        found = found._replace(year=_year(digits[:2]), month=int(digits[2:4]), day=int(digits[4:6]))
    elif size == 4:
        found = found._replace(month=int(digits[:2]), day=int(digits[2:4]))
    elif size == 2:
        found = found._replace(day=int(digits))
    elif size in (3, 5, 7):
        year = digits[:-3]
        found = found._replace(year=_year(year), of_year=int(digits[-3:]))
    if clock:
        found = _clock_digits(found, clock)
    if fraction:
        found = found._replace(ns=_ns(fraction))
    return found._replace(zone=zone) if zone else found


def _clock_digits(found: Found, digits: str) -> Found:
    hour, minute, second = (int(part) if (part := digits[place : place + 2]) else None for place in (0, 2, 4))
    return found._replace(
        hour=found.hour if hour is None else hour,
        minute=found.minute if minute is None else minute,
        second=found.second if second is None else second,
    )


_DATES = (
    (_EUROPEAN, _european),
    (_AMERICAN, _american),
    (_ISO, _in_order),
    (_JAPANESE, _japanese),
    (_NAMED, _named),
    (_SLASHES, _in_order),
    (_DOTS, _in_order),
    (_WEEK, _week),
    (_ORDINAL, _ordinal),
    (_YEAR_ALONE, _year_alone),
    (_MONTH_ALONE, _month_alone),
    (_DAY_ALONE, _day_alone),
    (_DIGITS, _digits),
)
