# SPDX-License-Identifier: Apache-2.0
"""Whether what happens arrives, soon, whole, and from whom it says.

The page goes by the time of receipt, which the shipper stamps: a sender cannot hide a message by dating it elsewhere.
What never became a document is not here: dead letters lie in files beside the normalizer, and its status file counts
them.
"""

from ttyscribe_kibana.dashboards.sources import (
    ARRIVALS,
    CONFLICTS,
    HOST,
    KIND,
    LAG,
    MISSING,
    RECORDING,
    ROW,
    TRUST,
    look_into,
)
from ttyscribe_kibana.panels import Control, Dashboard, Grid, Group, Measure, Panel

FACTS = 'not (ttyscribe.kind : "recording" or ttyscribe.kind : "line" or ttyscribe.kind : "command")'
"""What arrived; the rest is derived of it."""
ODD_TIME = 'ttyscribe.partition : "implausible-time"'
TIMELY = f"{FACTS} and not {ODD_TIME}"
"""A clock that is off by years says nothing of the way."""
NOT_UNDERSTOOD = "ttyscribe.error : *"
DOUBTED = "ttyscribe.doubt : *"
REPAIRED = "ttyscribe.repaired : *"
LAGGED = f"{LAG} : *"
"""Documents whose time says something of the way: not those without a time of their own, or with an implausible one."""
UNTRUSTED = f'{FACTS} and ttyscribe.trust : "none"'

_DOCUMENTS = Measure("Documents")
_AVERAGE = Measure("Average lag", "average", LAG)
_GREATEST = Measure("Greatest lag", "max", LAG)
_LEAST = Measure("Least lag", "min", LAG)
_LAST_EVENT = Measure("Last event", "max", "@timestamp")
_LAST_RECEIVED = Measure("Last received", "max", "ttyscribe.received")

_PANELS = (
    Panel("documents", "Documents", "metric", Grid(0, 0, 8, 6), (_DOCUMENTS,), query=FACTS),
    Panel("hosts", "Hosts", "metric", Grid(8, 0, 8, 6), (Measure("Hosts", "unique", HOST),), query=FACTS),
    Panel("lag", "Average lag", "metric", Grid(16, 0, 8, 6), (_AVERAGE,), query=LAGGED),
    Panel("greatest-lag", "Greatest lag", "metric", Grid(24, 0, 8, 6), (_GREATEST,), query=LAGGED),
    Panel(
        "missing",
        "Missing messages",
        "metric",
        Grid(32, 0, 8, 6),
        (MISSING,),
        query=ROW,
        description="Of recordings; their numbers say that they should be there.",
    ),
    Panel("conflicts", "Conflicting messages", "metric", Grid(40, 0, 8, 6), (CONFLICTS,), query=ROW),
    Panel("untrusted", "Untrusted", "metric", Grid(0, 6, 12, 6), (Measure("Untrusted"),), query=UNTRUSTED),
    Panel("doubted", "Doubted", "metric", Grid(12, 6, 12, 6), (Measure("Doubted"),), query=DOUBTED),
    Panel(
        "not-understood",
        "Not understood",
        "metric",
        Grid(24, 6, 12, 6),
        (Measure("Not understood"),),
        query=NOT_UNDERSTOOD,
        description="Kept as they came, with the reason.",
    ),
    Panel(
        "odd-time",
        "Implausible time",
        "metric",
        Grid(36, 6, 12, 6),
        (Measure("Implausible time"),),
        query=ODD_TIME,
        description="They say that they are older than 400 days or from the future.",
    ),
    Panel(
        "kinds",
        "Documents received over time, by kind",
        "bar",
        Grid(0, 12, 24, 12),
        (_DOCUMENTS,),
        (Group("Kind", KIND, 10),),
        query=FACTS,
    ),
    Panel(
        "by-host",
        "Documents received over time, by host",
        "bar",
        Grid(24, 12, 24, 12),
        (_DOCUMENTS,),
        (Group("Host", HOST, 10),),
        query=FACTS,
        description="A host that falls silent is seen here, and in the table below by its last time of receipt.",
    ),
    Panel(
        "lag-over-time",
        "From the event to its receipt, over time",
        "line",
        Grid(0, 24, 24, 12),
        (_GREATEST, _AVERAGE),
        query=LAGGED,
        description="Not of documents without a time of their own, and not of those that an older release stored.",
    ),
    Panel(
        "trust",
        "Trust over time",
        "bar",
        Grid(24, 24, 24, 12),
        (_DOCUMENTS,),
        (Group("Trust", TRUST, 3),),
        query=FACTS,
        description="system: sent by a trusted uid; user: by the recorded user; none: nobody vouches for it.",
    ),
    Panel(
        "ways",
        "Hosts, and the way their documents took",
        "table",
        Grid(0, 36, 32, 12),
        (_DOCUMENTS, _LAST_EVENT, _LAST_RECEIVED),
        (
            Group("Host", HOST, 50),
            Group("Collector", "pipeline_metadata.collector.name", 5, missing=True),
            Group("Input", "pipeline_metadata.collector.inputname", 5, missing=True),
            Group("Protocol", "pipeline_metadata.normalizer.inputname", 5, missing=True),
            Group("Version", "pipeline_metadata.normalizer.version", 5, missing=True),
        ),
        query=TIMELY,
    ),
    Panel(
        "lag-by-host",
        "Lag by host",
        "table",
        Grid(32, 36, 16, 12),
        (_AVERAGE, _GREATEST, _LEAST),
        (Group("Host", HOST, 50),),
        query=LAGGED,
        description="Below zero: the host's clock is ahead.",
    ),
    Panel(
        "errors",
        "What could not be understood, and why",
        "table",
        Grid(0, 48, 24, 12),
        (_DOCUMENTS, _LAST_RECEIVED),
        (Group("Reason", "ttyscribe.error", 20), Group("Host", HOST, 5)),
        query=NOT_UNDERSTOOD,
    ),
    Panel(
        "doubts",
        "What is not believed, and why",
        "table",
        Grid(24, 48, 24, 12),
        (_DOCUMENTS, _LAST_RECEIVED),
        (Group("Doubt", "ttyscribe.doubt", 20), Group("Host", HOST, 5)),
        query=DOUBTED,
    ),
    Panel(
        "broken-recordings",
        "Recordings with missing or conflicting messages",
        "table",
        Grid(0, 60, 24, 12),
        (MISSING, CONFLICTS, Measure("First time", "min", "@timestamp")),
        (Group("Recording", RECORDING, 50), look_into(), Group("User", "recording.user", 5), Group("Host", HOST, 5)),
        query=f"{ROW} and (recording.missing > 0 or recording.conflicts > 0)",
        description="The recording links to its playback.",
    ),
    Panel(
        "untrusted-senders",
        "Untrusted, by host and kind",
        "ranking",
        Grid(24, 60, 24, 12),
        (Measure("Untrusted"),),
        (Group("Host", HOST, 12), Group("Kind", KIND, 8)),
        query=UNTRUSTED,
    ),
    Panel(
        "repaired",
        "Repaired documents, by reason",
        "table",
        Grid(0, 72, 48, 11),
        (_DOCUMENTS, _LAST_RECEIVED),
        (Group("Reason", "ttyscribe.repaired", 5), Group("Kind", KIND, 10), Group("Host", HOST, 5)),
        query=REPAIRED,
        description="bytes: not UTF-8; characters: control characters; values: too long, rounded or standing twice. "
        "What was there is kept beside the repair.",
    ),
    Panel(
        "odd",
        "Not understood, not believed, or of an implausible time, newest first",
        "documents",
        Grid(0, 83, 48, 14),
        query=f"{NOT_UNDERSTOOD} or {DOUBTED} or {ODD_TIME}",
        columns=("@timestamp", HOST, KIND, TRUST, "ttyscribe.error", "ttyscribe.doubt", "message"),
    ),
)

PIPELINE = Dashboard(
    slug="pipeline",
    title="Pipeline health",
    description="Whether what happens arrives, how late, how whole, and from whom it says it comes.",
    data=ARRIVALS,
    since="now-24h",
    panels=_PANELS,
    controls=(
        Control("host", "Host", HOST),
        Control("kind", "Kind", KIND),
        Control("collector", "Collector", "pipeline_metadata.collector.name"),
    ),
    hint="By the time of receipt. Dead letters are in files beside the normalizer, not here.",
)
