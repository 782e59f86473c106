# SPDX-License-Identifier: Apache-2.0
"""The interval of a chart over time."""

import pytest

from ttyscribe_kibana.intervals import automatic

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
