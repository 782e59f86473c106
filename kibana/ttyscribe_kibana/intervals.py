# SPDX-License-Identifier: Apache-2.0
"""The intervals that both user interfaces choose.

Where a chart over time says `auto`, they aim at 50 bars and take a round interval near the span's fiftieth. Along a
number they first ask for its least and greatest value.
"""

import math

BARS = 50
MOST_BARS = 100
"""Default limit of OpenSearch Dashboards for charts along a number."""

_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR

_STEPS = (
    (500, {"fixed_interval": "100ms"}),
    (5 * _SECOND, {"fixed_interval": "1s"}),
    (7.5 * _SECOND, {"fixed_interval": "5s"}),
    (15 * _SECOND, {"fixed_interval": "10s"}),
    (45 * _SECOND, {"fixed_interval": "30s"}),
    (3 * _MINUTE, {"fixed_interval": "1m"}),
    (9 * _MINUTE, {"fixed_interval": "5m"}),
    (20 * _MINUTE, {"fixed_interval": "10m"}),
    (45 * _MINUTE, {"fixed_interval": "30m"}),
    (2 * _HOUR, {"fixed_interval": "1h"}),
    (6 * _HOUR, {"fixed_interval": "3h"}),
    (24 * _HOUR, {"fixed_interval": "12h"}),
    (7 * _DAY, {"calendar_interval": "1d"}),
    (21 * _DAY, {"calendar_interval": "1w"}),
    (365 * _DAY, {"calendar_interval": "1M"}),
)
"""Upper bound of a fiftieth of the span, ms, and the interval taken below it."""


def automatic(span_ms: int) -> dict[str, str]:
    """The interval for a span, as a date histogram of the engine takes it."""
    target = span_ms / BARS
    for bound, interval in _STEPS:
        if target < bound:
            return dict(interval)
    return {"calendar_interval": "1y"}


def widened(low: float, high: float, step: float) -> float:
    """The interval taken for numbers where one is given: wider by a round factor where there would be too many bars."""
    least = (high - low) / MOST_BARS
    if least <= step:
        return step
    power = 10.0 ** math.floor(math.log10(least))
    return math.ceil(least / power) * power


def of_numbers(low: float, high: float, bars: int) -> float:
    """The interval that Kibana takes for whole numbers so that there are at most so many bars: 1, 2 or 5 by a power of
    ten."""
    span = high - low
    if span < bars:
        return 1
    power = 10.0 ** math.floor(math.log10(span / bars))
    return next(power * factor for factor in (1, 2, 5, 10) if span / power / factor <= bars)
