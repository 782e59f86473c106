# SPDX-License-Identifier: Apache-2.0
"""Times as text and back, and the partition that a time belongs to.

Times are integer nanoseconds since the epoch. As text they are RFC 3339 in UTC with six digits and `+00:00`, as ViaQ
writes them.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ttyscribe_formats.errors import MessageError

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
PAST = 400 * DAY
FUTURE = DAY
IMPLAUSIBLE = "implausible-time"
_MS = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?[0-9]*"
    r"(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))"
)
_LEAP = ":60"
_UTC = "+00:00"


_TWO = tuple(f"{number:02d}" for number in range(60))
_MINUTES = tuple(f"T{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60))


@lru_cache(maxsize=4096)
def _day_text(day: int) -> tuple[str, str]:
    """A day, and the name of its month's partition."""
    text = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d").rjust(10, "0")
    return text, f"{text[:4]}.{text[5:7]}"


def _second_text(second: int) -> str:
    """Messages of recordings are seconds apart, so that only days are worth being remembered."""
    day, rest = divmod(second, 86_400)
    try:
        return f"{_day_text(day)[0]}{_MINUTES[rest // 60]}{_TWO[rest % 60]}"
    except OverflowError:
        raise MessageError(f"time {second} s is outside the years 1 to 9999") from None


def to_text(time_ns: int) -> str:
    """`2026-11-24T12:00:00.123456+00:00`, truncated to microseconds."""
    second, rest = divmod(time_ns, SECOND)
    return f"{_second_text(second)}.{rest // 1000:06d}+00:00"


@lru_cache(maxsize=4096)
def _second_of(date: str, clock: str, sign: str, hours: str, minutes: str) -> int:
    leap = clock.endswith(_LEAP)
    try:
        moment = datetime.fromisoformat(f"{date}T{clock[:-2] + '59' if leap else clock}+00:00")
    except ValueError:
        raise MessageError(f"not a time: {date} {clock}") from None
    offset = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "-" else 1)
    return int((moment - _EPOCH).total_seconds()) - offset + leap


def parse(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 text; any offset, up to nine digits of a fraction count."""
    return normalized(text)[0]


def normalized(text: str) -> tuple[int, str]:
    """The same, and the text as `to_text` would write it."""
    if (
        len(text) == 32
        and text[19] == "."
        and text[26] in "+-"
        and (digits := text[20:26]).isdecimal()
        and text.isascii()
    ):
        second, clock = _clock(text[:19] + text[26:])
        time_ns = second * SECOND + int(digits) * 1000
        return time_ns, text if text[:19] == clock and text[26:] == _UTC else f"{clock}.{digits}{_UTC}"
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise MessageError(f"not an RFC 3339 time: {text[:64]!r}")
    date, clock, fraction, _, sign, hours, minutes = match.groups()
    nanoseconds = int(fraction.ljust(9, "0")) if fraction else 0
    time_ns = _second_of(date, clock, sign or "+", hours or "0", minutes or "0") * SECOND + nanoseconds
    return time_ns, to_text(time_ns)


def is_normal(text: str) -> bool:
    """Tell whether a text has the form that `to_text` writes; whether it is a time `parse` has to say."""
    return (
        len(text) == 32
        and text[26:] == "+00:00"
        and text[10] == "T"
        and text[19] == "."
        and text[20:26].isdecimal()
        and text.isascii()
        and text[16:19] != _LEAP
    )


@lru_cache(maxsize=4096)
def _clock(text: str) -> tuple[int, str]:
    """Of a time without a fraction: seconds since the epoch, and the beginning of what `to_text` writes."""
    time_ns, normal = normalized(text)
    return time_ns // SECOND, normal[:19]


def dated(time_ns: int, received_ns: int | None) -> tuple[str, str]:
    """Both `to_text` and `partition` of one time."""
    second, rest = divmod(time_ns, SECOND)
    day, second = divmod(second, 86_400)
    try:
        text, month = _day_text(day)
    except OverflowError:
        raise MessageError(f"time {time_ns // SECOND} s is outside the years 1 to 9999") from None
    if received_ns is not None and not received_ns - PAST <= time_ns <= received_ns + FUTURE:
        month = IMPLAUSIBLE
    return f"{text}{_MINUTES[second // 60]}{_TWO[second % 60]}.{rest // 1000:06d}{_UTC}", month


def partition(time_ns: int, received_ns: int | None) -> str:
    """`YYYY.MM` (UTC) of the time, or `implausible-time` where it lies outside the window around the receipt.

    Without a time of receipt (import of old files) there is no window.
    """
    if received_ns is not None and not received_ns - PAST <= time_ns <= received_ns + FUTURE:
        return IMPLAUSIBLE
    text = _second_text(time_ns // SECOND)
    return f"{text[:4]}.{text[5:7]}"


def lag_ms(time_ns: int, received_ns: int) -> int | None:
    """From an event to its receipt, in ms; below zero where the clock of who says the time is ahead.

    None where that says nothing of the way: both are one time as text, because the message says none of its own, or the
    time lies outside the window around the receipt.
    """
    lag = received_ns - time_ns
    if not -FUTURE <= lag <= PAST or (-1000 < lag < 1000 and time_ns // 1000 == received_ns // 1000):
        return None
    return lag // _MS
