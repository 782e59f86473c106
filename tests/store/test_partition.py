# SPDX-License-Identifier: Apache-2.0
"""Where a document goes, in each layout: always to the same place, and to none that it could name itself."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.elastic_samples import tlog
from ttyscribe_store.bulk import Encoder, index_of
from ttyscribe_store.partition import DAILY, IMPLAUSIBLE, LAYOUTS, MONTHLY, STREAM, place


@pytest.mark.parametrize(
    ("layout", "wanted"),
    [
        (MONTHLY, "ttyscribe-tlog-2026.11"),
        (DAILY, "ttyscribe-tlog-2026.11.24"),
        (STREAM, "ttyscribe-tlog-stream"),
    ],
)
def test_a_fact_goes_where_the_layout_says(layout: str, wanted: str) -> None:
    assert index_of(tlog(), layout) == wanted
    encoder = Encoder("x-")
    encoder.layout = layout
    assert encoder.lines(tlog()).startswith(b'{"create":{"_index":"x-%s","_id":"tlog:r1:1:0"}}\n' % wanted.encode())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["recording", "line", "command"])
def test_what_is_derived_is_in_monthly_indices_always(layout: str, kind: str) -> None:
    document = tlog()
    document["ttyscribe"]["kind"] = kind
    assert index_of(document, layout) == f"ttyscribe-{kind}-2026.11"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_implausible_time_is_kept_apart_in_every_layout(layout: str) -> None:
    assert place(IMPLAUSIBLE, "2026-11-24T12:00:00", layout) == IMPLAUSIBLE


@pytest.mark.parametrize(
    "time",
    ["", "2026-11", "2026-10-31T00:00", "2026-11-00T", "2026-11-32T", "2026-11-2\u0664T", "../../x", "2026.11.24"],
)
def test_a_day_that_is_none_of_the_partitions_month_is_not_obeyed(time: str) -> None:
    assert place("2026.11", time, DAILY) == "2026.11"


@given(st.text(max_size=12), st.sampled_from(LAYOUTS))
def test_no_text_makes_a_name_of_its_own(time: str, layout: str) -> None:
    found = place("2026.11", time, layout)
    assert found in ("2026.11", "stream") or (
        found[:8] == "2026.11." and 1 <= int(found[8:]) <= 31 and len(found) == 10
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "part", [{"kind": "../x"}, {"kind": "Tlog"}, {"kind": "a,b"}, {"partition": "2026.13"}, {"partition": "stream"}]
)
def test_names_that_are_none_of_ours_are_refused_in_every_layout(layout: str, part: dict[str, Any]) -> None:
    document: Any = tlog()
    document["ttyscribe"] |= part
    with pytest.raises(ValueError, match="no partition or kind"):
        index_of(document, layout)
