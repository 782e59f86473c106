# SPDX-License-Identifier: Apache-2.0
"""What the panels of the page on recordings must show: of messages as `samples` says, of rows as here."""

from tests.kibana import samples
from tests.kibana.corpus import seen
from tests.kibana.samples import Row
from tests.kibana.tables import TIME, last, table, total


def expected() -> dict[str, list[Row]]:
    """Panel -> its rows."""
    rows = seen("recording")
    verdicts = table(rows, [("Complete", "recording.complete", 2), TIME], {"Recordings": len})
    incomplete = table(
        [fact for fact in rows if fact["recording.complete"] == "no"],
        [("Recording", "ttyscribe.recording", 100), ("User", "recording.user", 5), ("Ended", "recording.ended", 2)],
        {"First time": last, "Missing": total("recording.missing"), "Conflicts": total("recording.conflicts")},
    )
    return samples.EXPECTED | {"verdicts": verdicts, "incomplete": incomplete}
