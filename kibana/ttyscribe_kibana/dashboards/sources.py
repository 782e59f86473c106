# SPDX-License-Identifier: Apache-2.0
"""What the pages share: the data views with how their values are shown, kinds of documents, fields, measures."""

from ttyscribe_kibana.panels import DataView, Format, Group, Measure

RECORDING = "ttyscribe.recording"
PAGE = "process.entry_leader.entity_id"
"""The recording by its other name, whose values link to the page of one recording."""
HOST = "hostname"
KIND = "ttyscribe.kind"
TRUST = "ttyscribe.trust"
LAG = "ttyscribe.lag_ms"
LOGIN = "user.audit.name"
EFFECTIVE = "user.effective.name"
EXECUTABLE = "process.executable"

ROW = 'ttyscribe.kind : "recording"'
TYPED = 'ttyscribe.kind : "command" and (command.source : "screen" or command.source : "marks")'
EXECUTED = 'ttyscribe.kind : "command" and command.source : "audit"'
"""Programs that audit saw start in a recording."""
AUDIT = '(ttyscribe.kind : "aushape" or ttyscribe.kind : "audit-line")'

LAST = Measure("Last time", "max", "@timestamp")
MISSING = Measure("Missing", "sum", "recording.missing")
CONFLICTS = Measure("Conflicts", "sum", "recording.conflicts")
SHOWN_BYTES = Measure("Shown", "sum", "ttyscribe.out_bytes")
TYPED_BYTES = Measure("Typed", "sum", "ttyscribe.in_bytes")
MESSAGE_COUNT = Measure("Messages")

_BYTES: dict[str, object] = {"id": "bytes", "params": {"pattern": "0,0.[0]b"}}
_WHOLE: dict[str, object] = {"id": "number", "params": {"pattern": "0"}}
BYTES = Format(_BYTES, _BYTES)
WHOLE = Format(_WHOLE, _WHOLE)
SPAN = Format(
    kibana={
        "id": "duration",
        "params": {
            "inputFormat": "milliseconds",
            "outputFormat": "humanizePrecise",
            "outputPrecision": 1,
            "useShortSuffix": True,
            "includeSpaceWithSuffix": True,
        },
    },
    # The precise form is younger than the fork.
    opensearch={
        "id": "duration",
        "params": {
            "inputFormat": "milliseconds",
            "outputFormat": "asMinutes",
            "outputPrecision": 1,
            "showSuffix": True,
        },
    },
)
SECONDS = Format(
    kibana=SPAN.kibana,
    opensearch={
        "id": "duration",
        "params": {
            "inputFormat": "milliseconds",
            "outputFormat": "asSeconds",
            "outputPrecision": 1,
            "showSuffix": True,
        },
    },
)

_PAGE_LINK: dict[str, object] = {
    "id": "url",
    "params": {
        "type": "a",
        # Relative as both products resolve it, below any path, space or workspace; a recording's key needs no escapes.
        "urlTemplate": "dashboards#/view/ttyscribe-recording?_g=(time:(from:now-10y,to:now))"
        f"&_a=(query:(language:kuery,query:'{RECORDING}:%22{{{{value}}}}%22'))",
        "labelTemplate": "One recording",
        "openLinkInCurrentTab": False,
    },
}
ONE_PAGE = Format(_PAGE_LINK, _PAGE_LINK)


def look_into(by: int = 0) -> Group:
    """A table's column with the link to the page of one recording, behind that of the recordings."""
    return Group("Look into", PAGE, 1, by)


MESSAGES = DataView(
    slug="tlog",
    kind="tlog",
    title="ttyscribe recordings",
    time_field="@timestamp",
    formats={
        "ttyscribe.in_bytes": BYTES,
        "ttyscribe.last_ms": SPAN,
        "ttyscribe.out_bytes": BYTES,
        "tlog.id": WHOLE,
        "tlog.session": WHOLE,
        PAGE: ONE_PAGE,
    },
    recording_field=RECORDING,
)

_FORMATS = {
    **MESSAGES.formats,
    "tlog.pos": SPAN,
    "recording.duration_ms": SPAN,
    "recording.in_bytes": BYTES,
    "recording.out_bytes": BYTES,
    "command.ms": SPAN,
    "line.first_ms": SPAN,
    "line.last_ms": SPAN,
    "line.number": WHOLE,
    "recording.session": WHOLE,
    "ttyscribe.audit_session": WHOLE,
    "process.pid": WHOLE,
}

EVERYTHING = DataView(
    slug="all",
    kind="*",
    title="ttyscribe, all kinds",
    time_field="@timestamp",
    formats=_FORMATS,
    recording_field=RECORDING,
)

ARRIVALS = DataView(
    slug="received",
    kind="*",
    title="ttyscribe, by the time of receipt",
    time_field="ttyscribe.received",
    formats={**_FORMATS, LAG: SECONDS},
    recording_field=RECORDING,
)
"""What a sender claims about the time may be wrong; when its message came is not for him to say."""
