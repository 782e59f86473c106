# SPDX-License-Identifier: Apache-2.0
"""One recording: what happened in it when, what was given and shown, and whether it is whole and to be trusted.

Charts run along the recording, from its first event on, not along the wall clock: so they fit whatever time range is
chosen, and a place in a chart is a place in the player.
"""

from ttyscribe_kibana.dashboards.sources import (
    CONFLICTS,
    EVERYTHING,
    EXECUTED,
    HOST,
    LAST,
    MESSAGE_COUNT,
    MISSING,
    RECORDING,
    ROW,
    SHOWN_BYTES,
    TYPED,
    TYPED_BYTES,
)
from ttyscribe_kibana.panels import Control, Dashboard, Grid, Group, Measure, Panel

MESSAGE = 'ttyscribe.kind : "tlog"'
LINE = 'ttyscribe.kind : "line"'
PLACE = "tlog.pos"

_DURATION = Measure("Duration", "max", "recording.duration_ms")

_PANELS = (
    Panel("duration", "Duration", "metric", Grid(0, 0, 8, 6), (_DURATION,), query=ROW),
    Panel("messages", "Messages", "metric", Grid(8, 0, 8, 6), (MESSAGE_COUNT,), query=MESSAGE),
    Panel("commands", "Commands at prompts", "metric", Grid(16, 0, 8, 6), (Measure("Commands"),), query=TYPED),
    Panel("lines", "Lines shown", "metric", Grid(24, 0, 8, 6), (Measure("Lines"),), query=LINE),
    Panel(
        "missing",
        "Missing messages",
        "metric",
        Grid(32, 0, 8, 6),
        (MISSING,),
        query=ROW,
        description="The numbers of its messages say that they should be there.",
    ),
    Panel(
        "conflicts",
        "Conflicting messages",
        "metric",
        Grid(40, 0, 8, 6),
        (CONFLICTS,),
        query=ROW,
        description="They claim a number that another message has too.",
    ),
    Panel(
        "row",
        "The recording",
        "table",
        Grid(0, 6, 48, 7),
        (
            Measure("First time", "min", "@timestamp"),
            _DURATION,
            Measure("Messages", "sum", "recording.messages"),
            MISSING,
            CONFLICTS,
            Measure("Programs", "sum", "recording.executions"),
            Measure("Exit status", "max", "recording.status"),
            Measure("Audit session", "max", "recording.session"),
        ),
        (
            Group("Recording", RECORDING, 20),
            Group("User", "recording.user", 5),
            Group("Host", HOST, 5),
            Group("Trust", "ttyscribe.trust", 3),
            Group("Ended", "recording.ended", 2),
            Group("Complete", "recording.complete", 2),
            Group("Boot", "recording.boot_id", 2, missing=True),
        ),
        query=ROW,
        description="The recording links to its playback. Programs are those that audit saw start in it. More than one "
        "line: no recording is chosen above.",
    ),
    Panel(
        "bytes",
        "Shown and typed bytes, along the recording",
        "area",
        Grid(0, 13, 48, 12),
        (SHOWN_BYTES, TYPED_BYTES),
        query=MESSAGE,
        along=PLACE,
    ),
    Panel(
        "trust",
        "Messages by trust, along the recording",
        "bar",
        Grid(0, 25, 24, 11),
        (MESSAGE_COUNT,),
        (Group("Trust", "ttyscribe.trust", 3),),
        query=MESSAGE,
        along=PLACE,
        description="system: sent by a trusted uid; user: by the recorded user; none: nobody vouches for it.",
    ),
    Panel(
        "resizes",
        "Changes of the window's size, along the recording",
        "bar",
        Grid(24, 25, 24, 11),
        (Measure("Resizes", "sum", "ttyscribe.resizes"),),
        query=MESSAGE,
        along=PLACE,
    ),
    Panel(
        "given",
        "Commands at prompts",
        "documents",
        Grid(0, 36, 48, 15),
        query=TYPED,
        columns=("command.ms", "command.text", "command.prompt", "command.source", "command.user", RECORDING),
        oldest_first=True,
        description="`command.ms` is the place in the recording.",
    ),
    Panel(
        "executed",
        "Programs that audit saw start",
        "documents",
        Grid(0, 51, 48, 15),
        query=EXECUTED,
        columns=("command.ms", "command.text", "command.user", "ttyscribe.trust", RECORDING, "command.event"),
        oldest_first=True,
        description="What ran, whether it was typed or not: of scripts too, and of what no screen showed.",
    ),
    Panel(
        "pace",
        "New lines on the screen, along the recording",
        "bar",
        Grid(0, 66, 24, 11),
        (Measure("Lines"),),
        query=LINE,
        along="line.first_ms",
    ),
    Panel(
        "claimed-twice",
        "Numbers claimed by several messages",
        "table",
        Grid(24, 66, 24, 11),
        (MESSAGE_COUNT, LAST),
        (Group("Recording", RECORDING, 20), Group("Number", "tlog.id", 20, at_least=2)),
        query=MESSAGE,
        description="Empty is good. One of the messages is forged.",
    ),
    Panel(
        "gaps",
        "Which messages are missing, and why",
        "table",
        Grid(0, 77, 24, 9),
        (Measure("Recordings"),),
        (Group("Missing", "recording.gaps", 50),),
        query=ROW,
        description="Empty is good. The first runs of missing numbers, with the reason where the recorder gave one.",
    ),
    Panel(
        "names",
        "Who its messages say they are from",
        "table",
        Grid(24, 77, 24, 9),
        (MESSAGE_COUNT, LAST),
        (Group("User", "tlog.user", 10), Group("Host", HOST, 10), Group("Trust", "ttyscribe.trust", 3)),
        query=MESSAGE,
        description="More than one user or host: somebody forged.",
    ),
    Panel(
        "transcript",
        "Transcript",
        "documents",
        Grid(0, 86, 48, 24),
        query=LINE,
        columns=("line.first_ms", "line.text"),
        oldest_first=True,
        description="The lines that stood on the screen, in the order of first sight.",
    ),
)

ONE_RECORDING = Dashboard(
    slug="recording",
    title="One recording",
    description="What happened in one recording when, what was given and shown, and whether it is whole.",
    data=EVERYTHING,
    since="now-90d",
    panels=_PANELS,
    controls=(
        Control("recording", "Recording", RECORDING, single=True),
        Control("user", "User", "user.name"),
        Control("host", "Host", HOST),
    ),
    hint="Choose a recording. Places are counted from its first event, as in the player. What else audit saw of it: on "
    "*Commands and audit*, by its boot and audit session.",
)
