# SPDX-License-Identifier: Apache-2.0
"""The interval that both user interfaces choose when a chart over time says `auto`.

They aim at 50 bars and take a round interval near the span's fiftieth.
"""

BARS = 50

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
