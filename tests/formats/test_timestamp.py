# SPDX-License-Identifier: Apache-2.0
"""Times as text: the short ways write what the calendar says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.timestamp import DAY, FUTURE, PAST, SECOND, dated, lag_ms, normalized, partition, to_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND)


@given(TIMES, st.none() | st.sampled_from([0, PAST, PAST + 1, -FUTURE, -FUTURE - 1, DAY]))
@example(-1, 0)
def test_times_are_written_as_the_calendar_says(time_ns: int, later: int | None) -> None:
    moment = EPOCH + timedelta(microseconds=time_ns // 1000)
    assert to_text(time_ns) == f"{moment.isoformat(timespec='microseconds')}"
    received = None if later is None else time_ns + later
    assert dated(time_ns, received) == (to_text(time_ns), partition(time_ns, received))
    assert normalized(to_text(time_ns)) == (time_ns // 1000 * 1000, to_text(time_ns))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.integers(-14 * 60, 14 * 60))
def test_a_time_of_any_zone_is_read_as_it_is_elsewhere(local: datetime, minutes: int) -> None:
    sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
    moment = local.replace(tzinfo=UTC) - timedelta(minutes=minutes)
    text = f"{local.isoformat(timespec='microseconds')}{sign}{hours:02d}:{rest:02d}"
    assert normalized(text) == ((moment - EPOCH) // timedelta(microseconds=1) * 1000, to_text(normalized(text)[0]))


@pytest.mark.parametrize("second", [-62_135_596_801, 253_402_300_800, 10**20])
def test_a_time_outside_the_calendar_is_refused(second: int) -> None:
    for write in (to_text, lambda time_ns: dated(time_ns, None)):
        with pytest.raises(MessageError, match=f"time {second} s"):
            write(second * SECOND)


NOON = 1_795_521_600 * SECOND


@pytest.mark.parametrize(
    ("later", "lag"),
    [
        (0, None),
        (999, None),  # one time as text
        (1000, 0),
        (1_999_999, 1),
        (-1000, -1),  # a clock that is ahead
        (-5_000_000_000, -5000),
        (PAST, PAST // 1_000_000),
        (PAST + 1, None),
        (-FUTURE, -FUTURE // 1_000_000),
        (-FUTURE - 1, None),
    ],
)
def test_a_lag_is_signed_and_absent_where_it_says_nothing_of_the_way(later: int, lag: int | None) -> None:
    assert lag_ms(NOON, NOON + later) == lag
    assert lag is None or dated(NOON, NOON + later)[1] == "2026.11"
