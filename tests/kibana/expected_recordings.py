# SPDX-License-Identifier: Apache-2.0
"""What the panels of the page on recordings must show: of messages as `samples` says, of rows as here."""

from tests.kibana import samples
from tests.kibana.corpus import seen
from tests.kibana.samples import Row
from tests.kibana.tables import LOOK_INTO, TIME, first, greatest, last, table, total


def expected() -> dict[str, list[Row]]:
    """Panel -> its rows."""
    rows = seen("recording")
    verdicts = table(rows, [("Complete", "recording.complete", 2), TIME], {"Recordings": len})
    incomplete = table(
        [fact for fact in rows if fact["recording.complete"] == "no"],
        [
            ("Recording", "ttyscribe.recording", 100),
            LOOK_INTO,
            ("User", "recording.user", 5),
            ("Ended", "recording.ended", 2),
        ],
        {"First time": last, "Missing": total("recording.missing"), "Conflicts": total("recording.conflicts")},
    )
    longest = table(
        rows,
        [
            ("Recording", "ttyscribe.recording", 10),
            LOOK_INTO,
            ("User", "recording.user", 5),
            ("Host", "hostname", 5),
            ("Ended", "recording.ended", 2),
        ],
        {"Duration": greatest("recording.duration_ms"), "Shown": total("recording.out_bytes"), "First time": first},
    )
    return samples.EXPECTED | {"longest": longest, "verdicts": verdicts, "incomplete": incomplete}
