# SPDX-License-Identifier: Apache-2.0
"""Which months have to go: by age in whole, by size from the oldest, never what is not over."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttyscribe_store.partitions import Partition, end, expired, period

NOW = datetime(2026, 11, 25, 14, tzinfo=UTC)
DAY = 86_400


def month(name: str, size: int = 100) -> Partition:
    """One month of a folder."""
    return Partition(name, size, (f"{name}.sqlite",))


THERE = [month(name) for name in ("2025.10", "2025.11", "2026.09", "2026.10", "2026.11", "2026.12", "implausible-time")]


def names(**rules: int) -> list[str]:
    """What goes, in order."""
    return [one.partition.name for one in expired(THERE, NOW, **rules)]


@pytest.mark.parametrize(
    ("days", "gone"),
    [
        (1, ["2025.10", "2025.11", "2026.09", "2026.10"]),
        (24, ["2025.10", "2025.11", "2026.09", "2026.10"]),
        (25, ["2025.10", "2025.11", "2026.09"]),
        (359, ["2025.10", "2025.11"]),
        (360, ["2025.10"]),
        (10_000, []),
    ],
)
def test_a_month_goes_when_its_last_moment_is_that_old(days: int, gone: list[str]) -> None:
    assert names(older_seconds=days * DAY) == gone


@pytest.mark.parametrize(
    ("size", "gone"),
    [
        (700, []),
        (699, ["2025.10"]),
        (500, ["2025.10", "2025.11"]),
        (1, ["2025.10", "2025.11", "2026.09", "2026.10"]),
    ],
)
def test_the_oldest_go_until_it_fits_and_the_current_month_stays(size: int, gone: list[str]) -> None:
    assert names(larger_bytes=size) == gone


def test_both_rules_together_and_the_reason_is_told() -> None:
    found = expired(THERE, NOW, older_seconds=360 * DAY, larger_bytes=500)
    assert [(one.partition.name, one.why) for one in found] == [
        ("2025.10", "is older"),
        ("2025.11", "is the oldest, and the store is larger"),
    ]


@pytest.mark.parametrize(
    ("index", "wanted"),
    [
        ("ttyscribe-tlog-2026.11", "2026.11"),
        ("team-ttyscribe-tlog-2026.11.25", "2026.11.25"),
        ("ttyscribe-tlog-implausible-time", "implausible-time"),
        ("ttyscribe-tlog-2026.13", ""),
        (".ds-ttyscribe-tlog-2026.11.25-000001", ""),
        ("ttyscribe-tlog", ""),
    ],
)
def test_the_period_is_in_the_name_of_an_index(index: str, wanted: str) -> None:
    assert period(index) == wanted


def test_days_end_at_midnight_and_what_no_calendar_has_never_ends() -> None:
    assert end("2026.11.24") == datetime(2026, 11, 25, tzinfo=UTC)
    assert end("2026.02") == datetime(2026, 3, 1, tzinfo=UTC)
    for name in ("2026.02.30", "0000.01", "9999.12", "implausible-time", "x"):
        assert end(name) is None


@given(
    st.dictionaries(st.from_regex(r"20[0-3][0-9]\.(0[1-9]|1[0-2])", fullmatch=True), st.integers(0, 1000)),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
def test_what_goes_is_always_the_oldest(sizes: dict[str, int], days: int, limit: int) -> None:
    there = [month(name, size) for name, size in sizes.items()]
    gone = [one.partition.name for one in expired(there, NOW, older_seconds=days * DAY, larger_bytes=limit)]
    over = sorted(name for name in sizes if name < "2026.11")
    assert gone == over[: len(gone)]
    left = sum(size for name, size in sizes.items() if name not in gone)
    assert left <= limit or gone == over
