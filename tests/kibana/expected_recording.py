# SPDX-License-Identifier: Apache-2.0
"""What each panel of the page of one recording must show, where that one is chosen."""

from tests.kibana.corpus import seen
from tests.kibana.facts import Fact
from tests.kibana.samples import STORY, Row
from tests.kibana.tables import Level, along, first, greatest, last, listed, or_none, table, total
from ttyscribe_kibana.bundle import Bundle

STEP_MS = {"kibana": 20_000, "opensearch-dashboards": 10_000}
"""Of 13 minutes Kibana makes intervals so that there are at most 60; the other one takes the 10 s that it is told."""


def expected(bundle: Bundle) -> dict[str, list[Row]]:
    """Panel -> its rows."""
    rows, messages, lines, commands = (_mine(kind) for kind in ("recording", "tlog", "line", "command"))
    executed = [fact for fact in commands if fact["command.source"] == "audit"]
    commands = [fact for fact in commands if fact not in executed]
    place = along("tlog.pos", STEP_MS[bundle])
    shown, typed = total("ttyscribe.out_bytes"), total("ttyscribe.in_bytes")
    given = ("command.ms", "command.text", "command.prompt", "command.source", "command.user", "ttyscribe.recording")
    ran = ("command.ms", "command.text", "command.user", "ttyscribe.trust", "ttyscribe.recording", "command.event")
    return {
        "duration": [{"Duration": rows[0]["recording.duration_ms"]}],
        "messages": [{"Messages": len(messages)}],
        "commands": [{"Commands": len(commands)}],
        "lines": [{"Lines": len(lines)}],
        "missing": [{"Missing": 2}],
        "conflicts": [{"Conflicts": 2}],
        "row": _row(rows),
        "bytes": table(messages, [place], {"Shown": shown, "Typed": typed}),
        "trust": table(messages, [("Trust", "ttyscribe.trust", 3), place], {"Messages": len}),
        "resizes": table(messages, [place], {"Resizes": total("ttyscribe.resizes")}),
        "given": listed(commands, given, oldest_first=True),
        "executed": listed(executed, ran, oldest_first=True),
        "pace": table(lines, [along("line.first_ms", STEP_MS[bundle])], {"Lines": len}),
        "claimed-twice": _claimed(messages),
        "gaps": [{"Missing": "7-8: queue full", "Recordings": 1}],
        "names": table(
            messages,
            [("User", "tlog.user", 10), ("Host", "hostname", 10), ("Trust", "ttyscribe.trust", 3)],
            {"Messages": len, "Last time": last},
        ),
        "transcript": listed(lines, ("line.first_ms", "line.text"), oldest_first=True),
    }


def _mine(kind: str) -> list[Fact]:
    return [fact for fact in seen(kind) if fact["ttyscribe.recording"] == STORY]


def _row(rows: list[Fact]) -> list[Row]:
    levels: list[Level] = [
        ("Recording", "ttyscribe.recording", 20),
        ("User", "recording.user", 5),
        ("Host", "hostname", 5),
        ("Trust", "ttyscribe.trust", 3),
        ("Ended", "recording.ended", 2),
        ("Complete", "recording.complete", 2),
        ("Boot", or_none("recording.boot_id"), 2),
    ]
    figures = {"First time": first, "Duration": greatest("recording.duration_ms")}
    sums = {"Messages": "messages", "Missing": "missing", "Conflicts": "conflicts"}
    totals = {label: total(f"recording.{name}") for label, name in sums.items()}
    return table(
        rows,
        levels,
        {
            **figures,
            **totals,
            "Programs": total("recording.executions"),
            "Exit status": greatest("recording.status"),
            "Audit session": greatest("recording.session"),
        },
    )


def _claimed(messages: list[Fact]) -> list[Row]:
    found = table(
        messages,
        [("Recording", "ttyscribe.recording", 20), ("Number", "tlog.id", 0)],
        {"Messages": len, "Last time": last},
    )
    return [row for row in found if row["Messages"] > 1]
