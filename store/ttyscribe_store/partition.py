# SPDX-License-Identifier: Apache-2.0
"""Names of partitions: the month of a document's own time, decided by the normalizer, obeyed by stores.

Stores refuse any other name, so that nothing in a document can name a file or an index of its own. On engines a
partition is an index of its own, or less, or more, by the layout: the reads are the same.
"""

import re
from functools import lru_cache

_DAY = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_MONTH = re.compile(r"[0-9]{4}\.(?:0[1-9]|1[0-2])")
IMPLAUSIBLE = "implausible-time"
MONTHLY, DAILY, STREAM = "monthly", "daily", "data-stream"
LAYOUTS = (MONTHLY, DAILY, STREAM)
"""One index a month for each kind; one a day, as ViaQ has it; one data stream."""
STREAMS = "stream"
"""What a data stream has in the place of a partition's name."""


@lru_cache(maxsize=256)
def is_partition(name: str) -> bool:
    """Tell whether this is `YYYY.MM` or `implausible-time`."""
    return name == IMPLAUSIBLE or _MONTH.fullmatch(name) is not None


def place(partition: str, time: str, layout: str) -> str:
    """What follows a kind in the name of the index that a fact belongs in; `time` is the document's own, as text.

    The same document always gets the same place. An implausible time is kept apart in every layout; a day that is not
    in the partition's month (a profile may write what a message claims) is not obeyed.
    """
    if partition == IMPLAUSIBLE or layout == MONTHLY:
        return partition
    if layout == STREAM:
        return STREAMS
    day = time[:10]
    return day.replace("-", ".") if _DAY.fullmatch(day) and day.replace("-", ".")[:7] == partition else partition
