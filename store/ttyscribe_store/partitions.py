# SPDX-License-Identifier: Apache-2.0
"""What a store is made of, month by month (or day by day): what retention takes away as a whole; pure."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ttyscribe_store.partition import IMPLAUSIBLE

_PERIOD = re.compile(r"([0-9]{4})\.(0[1-9]|1[0-2])(?:\.(0[1-9]|[12][0-9]|3[01]))?")


class Partition(NamedTuple):
    """All documents of one month."""

    name: str
    """`YYYY.MM`, `YYYY.MM.DD` or `implausible-time`."""
    size: int
    """Bytes on disk."""
    parts: tuple[str, ...]
    """The files or indices that it consists of."""


class Taken(NamedTuple):
    """A partition that has to go, and why."""

    partition: Partition
    why: str


def period(index: str) -> str:
    """The period in the name of an index; empty where there is none."""
    name = index.rpartition("-")[2]
    return name if _PERIOD.fullmatch(name) else IMPLAUSIBLE if index.endswith(f"-{IMPLAUSIBLE}") else ""


def end(name: str) -> datetime | None:
    """When a period is over; none where it has no times or no calendar has it."""
    found = _PERIOD.fullmatch(name)
    if found is None:
        return None
    year, month, day = int(found[1]), int(found[2]), found[3]
    try:
        last = datetime(year, month, int(day) if day else monthrange(year, month)[1], tzinfo=UTC)
        return last + timedelta(days=1)
    except (ValueError, OverflowError):
        return None


def expired(there: Sequence[Partition], now: datetime, *, older_seconds: int = 0, larger_bytes: int = 0) -> list[Taken]:
    """What has to go, the oldest first: all that is older than this in whole, then the oldest until no more than that
    many bytes are left (0 = no such rule). What is not over yet, and `implausible-time`, never goes."""
    ends = {one.name: over for one in there if (over := end(one.name)) is not None and over <= now}
    removable = sorted((one for one in there if one.name in ends), key=lambda one: (ends[one.name], one.name))
    left = sum(one.size for one in there)
    found = []
    for one in removable:
        if older_seconds and (now - ends[one.name]).total_seconds() >= older_seconds:
            found.append(Taken(one, "is older"))
        elif larger_bytes and left > larger_bytes:
            found.append(Taken(one, "is the oldest, and the store is larger"))
        else:
            continue
        left -= one.size
    return found
