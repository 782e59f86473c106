# SPDX-License-Identifier: Apache-2.0
"""Who was recorded where, how much, and is it whole and to be trusted.

It reads the messages of recordings, one document each, so a recording is what shares `ttyscribe.recording`. User and
host are groups of their own below it: if a message claims another user for a known recording, the table gets a line
more instead of a wrong one.
"""

from ttyscribe_kibana.dashboards.sources import (
    EVERYTHING,
    HOST,
    LAST,
    MESSAGE_COUNT,
    MESSAGES,
    RECORDING,
    ROW,
    SHOWN_BYTES,
    TYPED_BYTES,
    look_into,
)
from ttyscribe_kibana.panels import Control, Dashboard, Grid, Group, Measure, Panel

USER = "tlog.user"

_RECORDINGS = Measure("Recordings", "unique", RECORDING)
_FIRST = Measure("First time", "min", "@timestamp")
_DURATION = Measure("Duration", "max", "ttyscribe.last_ms")
_LAST_ID = Measure("Last number", "max", "tlog.id")


def _one_line_each(size: int, by: int) -> tuple[Group, ...]:
    """Recording, the link to its page, user and host as the groups of a table, ranked by a measure."""
    return (
        Group("Recording", RECORDING, size, by),
        look_into(by),
        Group("User", USER, 5, by),
        Group("Host", HOST, 5, by),
    )


_PANELS = (
    Panel("count", "Recordings", "metric", Grid(0, 0, 8, 6), (_RECORDINGS,)),
    Panel("users", "Users", "metric", Grid(8, 0, 8, 6), (Measure("Users", "unique", USER),)),
    Panel("hosts", "Hosts", "metric", Grid(16, 0, 8, 6), (Measure("Hosts", "unique", HOST),)),
    Panel("messages", "Messages", "metric", Grid(24, 0, 8, 6), (MESSAGE_COUNT,)),
    Panel("shown", "Shown", "metric", Grid(32, 0, 8, 6), (SHOWN_BYTES,)),
    Panel(
        "untrusted",
        "Untrusted messages",
        "metric",
        Grid(40, 0, 8, 6),
        (Measure("Untrusted messages"),),
        query='ttyscribe.trust : "none"',
        description="Nobody attested that the recorder or the recorded user sent these.",
    ),
    Panel(
        "active",
        "Recordings over time, by host",
        "bar",
        Grid(0, 6, 30, 12),
        (_RECORDINGS,),
        (Group("Host", HOST, 10),),
        description="A recording counts in each interval in which it has messages.",
    ),
    Panel(
        "trust",
        "Messages by trust",
        "bar",
        Grid(30, 6, 18, 12),
        (MESSAGE_COUNT,),
        (Group("Trust", "ttyscribe.trust", 3),),
        description="system: sent by a trusted uid; user: by the recorded user; none: nobody vouches for it.",
    ),
    Panel(
        "newest",
        "Newest recordings",
        "table",
        Grid(0, 18, 48, 18),
        (_FIRST, LAST, _DURATION, MESSAGE_COUNT, _LAST_ID, SHOWN_BYTES, TYPED_BYTES),
        _one_line_each(size=100, by=1),
        description="Messages in the time range. Missing ones: the last number is above their count.",
    ),
    Panel(
        "top-users",
        "Top users",
        "table",
        Grid(0, 36, 24, 12),
        (_RECORDINGS, MESSAGE_COUNT, SHOWN_BYTES, LAST),
        (Group("User", USER, 10),),
    ),
    Panel(
        "top-hosts",
        "Top hosts",
        "table",
        Grid(24, 36, 24, 12),
        (_RECORDINGS, MESSAGE_COUNT, SHOWN_BYTES, LAST),
        (Group("Host", HOST, 10),),
    ),
    Panel(
        "longest",
        "Longest recordings",
        "table",
        Grid(0, 48, 24, 12),
        (
            Measure("Duration", "max", "recording.duration_ms"),
            Measure("Shown", "sum", "recording.out_bytes"),
            Measure("First time", "min", "@timestamp"),
        ),
        (
            Group("Recording", RECORDING, 10),
            look_into(),
            Group("User", "recording.user", 5),
            Group("Host", HOST, 5),
            Group("Ended", "recording.ended", 2),
        ),
        query=ROW,
        data=EVERYTHING,
        description="Whole recordings that began in the time range, as of the last indexing.",
    ),
    Panel(
        "biggest",
        "Biggest recordings",
        "table",
        Grid(24, 48, 24, 12),
        (SHOWN_BYTES, _DURATION, _FIRST),
        _one_line_each(size=10, by=0),
    ),
    Panel("sizes", "Shown and typed over time", "area", Grid(0, 60, 24, 12), (SHOWN_BYTES, TYPED_BYTES)),
    Panel(
        "conflicts",
        "Numbers claimed by several messages",
        "table",
        Grid(24, 60, 24, 12),
        (MESSAGE_COUNT, LAST),
        (Group("Recording", RECORDING, 500, by=1), Group("Number", "tlog.id", 10, at_least=2)),
        description="Empty is good. One of the messages is forged. Looks at the 500 newest recordings.",
    ),
    Panel(
        "verdicts",
        "Recordings by their start: complete or not",
        "bar",
        Grid(0, 72, 24, 12),
        (Measure("Recordings"),),
        (Group("Complete", "recording.complete", 2),),
        query=ROW,
        data=EVERYTHING,
        description="Complete: it ended in order, no message is missing, none is in conflict. As of the last indexing.",
    ),
    Panel(
        "incomplete",
        "Not complete",
        "table",
        Grid(24, 72, 24, 12),
        (
            Measure("First time", "max", "@timestamp"),
            Measure("Missing", "sum", "recording.missing"),
            Measure("Conflicts", "sum", "recording.conflicts"),
        ),
        (
            Group("Recording", RECORDING, 100),
            look_into(),
            Group("User", "recording.user", 5),
            Group("Ended", "recording.ended", 2),
        ),
        query=f'{ROW} and recording.complete : "no"',
        data=EVERYTHING,
        description="It may run still: then it has not ended.",
    ),
)

RECORDINGS = Dashboard(
    slug="recordings",
    title="Recordings",
    description="Who was recorded where and when, how much, and whether it is whole and to be trusted.",
    data=MESSAGES,
    since="now-7d",
    panels=_PANELS,
    controls=(Control("user", "User", "user.name"), Control("host", "Host", HOST)),
    hint="A recording's id links to its playback; *One recording*, beside it, to what is known of it.",
)
