# SPDX-License-Identifier: Apache-2.0
"""Times as operators write them."""

import time
from collections.abc import Iterator

import pytest

from ttyscribe import times
from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import MessageError

NOW = timestamp.parse("2026-11-24T12:00:00Z")


@pytest.fixture(autouse=True)
def _in_berlin() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-24", "2026-11-23T23:00:00Z"),
        ("2026-07-24", "2026-07-23T22:00:00Z"),
        ("2026-11-24T13:00", "2026-11-24T12:00:00Z"),
        ("2026-11-24 13:00:05", "2026-11-24T12:00:05Z"),
        ("2026-11-24T13:00:00Z", "2026-11-24T13:00:00Z"),
        ("2026-11-24T13:00:00.5+02:00", "2026-11-24T11:00:00.5Z"),
        ("2h", "2026-11-24T10:00:00Z"),
        ("3d ago", "2026-11-21T12:00:00Z"),
        ("90s", "2026-11-24T11:58:30Z"),
        ("1w", "2026-11-17T12:00:00Z"),
    ],
)
def test_forms(text: str, wanted: str) -> None:
    assert times.parse(text, NOW) == timestamp.parse(wanted)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026-02-30", "12:00", "-2h", "2 fortnights", "9" * 30, "\uff12h"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(MessageError):
        times.parse(text, NOW)


def test_shown_in_local_time_with_its_zone() -> None:
    assert times.local(NOW) == "2026-11-24 13:00:00"
    assert times.zone(NOW) == "CET +01:00"
    assert times.zone(timestamp.parse("2026-07-01T00:00:00Z")) == "CEST +02:00"


@pytest.mark.parametrize("time_ns", [-(1 << 62), 1 << 62, 1 << 80, 2_147_483_647_999 * 10**6])
def test_times_that_no_calendar_has_are_shown_somehow(time_ns: int) -> None:
    assert times.local(time_ns)
    assert times.zone(time_ns)
    assert isinstance(times.utc(time_ns), str)
