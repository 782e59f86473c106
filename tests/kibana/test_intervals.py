# SPDX-License-Identifier: Apache-2.0
"""The interval of a chart over time."""

import pytest

from ttyscribe_kibana.intervals import automatic, of_numbers, widened

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("span", "interval"),
    [
        (15 * MINUTE, {"fixed_interval": "30s"}),
        (HOUR, {"fixed_interval": "1m"}),
        (24 * HOUR, {"fixed_interval": "30m"}),
        (7 * DAY, {"fixed_interval": "3h"}),
        (30 * DAY, {"fixed_interval": "12h"}),
        (90 * DAY, {"calendar_interval": "1d"}),
        (365 * DAY, {"calendar_interval": "1w"}),
        (5 * 365 * DAY, {"calendar_interval": "1M"}),
        (100 * 365 * DAY, {"calendar_interval": "1y"}),
    ],
)
def test_the_usual_time_ranges_get_the_interval_that_the_user_interfaces_show(
    span: int, interval: dict[str, str]
) -> None:
    """The values that both products show for these choices of their time picker, with 50 bars as the aim."""
    assert automatic(span) == interval


@pytest.mark.parametrize(
    ("high", "bars", "interval"),
    [(30, 60, 1), (60, 60, 1), (61, 60, 2), (599, 60, 10), (790_000, 60, 20_000), (3_600_000, 60, 100_000)],
)
def test_numbers_get_a_round_interval_with_at_most_so_many_bars(high: int, bars: int, interval: int) -> None:
    assert of_numbers(0, high, bars) == interval
    assert high / interval <= bars


@pytest.mark.parametrize(
    ("high", "interval"),
    [(0, 10_000), (790_000, 10_000), (1_000_000, 10_000), (1_000_001, 20_000), (8 * HOUR, 300_000)],
)
def test_a_given_interval_is_widened_where_there_would_be_too_many_bars(high: int, interval: int) -> None:
    assert widened(0, high, 10_000) == interval
