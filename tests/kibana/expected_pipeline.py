# SPDX-License-Identifier: Apache-2.0
"""What each panel of the page on the pipeline's health must show."""

from tests.kibana.corpus import arrived
from tests.kibana.facts import Fact
from tests.kibana.samples import Row
from tests.kibana.tables import LOOK_INTO, RECEIPT, first, greatest, last, listed, or_none, table, total, unique

DERIVED = ("recording", "line", "command")
FACTS: list[Fact] = [fact for fact in arrived() if fact["ttyscribe.kind"] not in DERIVED]
ODD_TIME = [fact for fact in FACTS if fact["ttyscribe.partition"] == "implausible-time"]
TIMELY = [fact for fact in FACTS if fact["ttyscribe.partition"] != "implausible-time"]
LAGGED = [fact for fact in TIMELY if fact["received"] != fact["time"]]
"""A message without a time of its own has that of its receipt."""
REPAIRED = [fact for fact in FACTS if "ttyscribe.repaired" in fact]
NOT_UNDERSTOOD = [fact for fact in FACTS if "ttyscribe.error" in fact]
DOUBTED = [fact for fact in FACTS if "ttyscribe.doubt" in fact]
UNTRUSTED = [fact for fact in FACTS if fact["ttyscribe.trust"] == "none"]
ROWS = [fact for fact in arrived() if fact["ttyscribe.kind"] == "recording"]

RECEIVED = greatest("received")
MISSING, CONFLICTS = total("recording.missing"), total("recording.conflicts")


def _mean(facts: list[Fact]) -> float:
    return float(sum(fact["received"] - fact["time"] for fact in facts)) / len(facts)


def _most(facts: list[Fact]) -> float:
    return max(float(fact["received"] - fact["time"]) for fact in facts)


def _least(facts: list[Fact]) -> float:
    return min(float(fact["received"] - fact["time"]) for fact in facts)


def expected() -> dict[str, list[Row]]:
    """Panel -> its rows."""
    return _figures() | _charts() | _tables()


def _figures() -> dict[str, list[Row]]:
    return {
        "documents": [{"Documents": len(FACTS)}],
        "hosts": [{"Hosts": unique("hostname")(FACTS)}],
        "lag": [{"Average lag": _mean(LAGGED)}],
        "greatest-lag": [{"Greatest lag": _most(LAGGED)}],
        "missing": [{"Missing": MISSING(ROWS)}],
        "conflicts": [{"Conflicts": CONFLICTS(ROWS)}],
        "untrusted": [{"Untrusted": len(UNTRUSTED)}],
        "doubted": [{"Doubted": len(DOUBTED)}],
        "not-understood": [{"Not understood": len(NOT_UNDERSTOOD)}],
        "odd-time": [{"Implausible time": len(ODD_TIME)}],
    }


def _charts() -> dict[str, list[Row]]:
    return {
        "kinds": table(FACTS, [("Kind", "ttyscribe.kind", 10), RECEIPT], {"Documents": len}),
        "by-host": table(FACTS, [("Host", "hostname", 10), RECEIPT], {"Documents": len}),
        "trust": table(FACTS, [("Trust", "ttyscribe.trust", 3), RECEIPT], {"Documents": len}),
        "lag-over-time": table(LAGGED, [RECEIPT], {"Greatest lag": _most, "Average lag": _mean}),
        "untrusted-senders": table(
            UNTRUSTED, [("Host", "hostname", 12), ("Kind", "ttyscribe.kind", 8)], {"Untrusted": len}
        ),
    }


def _tables() -> dict[str, list[Row]]:
    reasons = {"Documents": len, "Last received": RECEIVED}
    host = ("Host", "hostname", 5)
    broken = [fact for fact in ROWS if fact["recording.missing"] or fact["recording.conflicts"]]
    odd = [fact for fact in FACTS if fact in NOT_UNDERSTOOD or fact in DOUBTED or fact in ODD_TIME]
    columns = ("@timestamp", "hostname", "ttyscribe.kind", "ttyscribe.trust", "ttyscribe.error", "ttyscribe.doubt")
    return {
        "ways": table(
            TIMELY,
            [
                ("Host", "hostname", 50),
                ("Collector", or_none("pipeline_metadata.collector.name"), 5),
                ("Input", or_none("pipeline_metadata.collector.inputname"), 5),
                ("Protocol", or_none("pipeline_metadata.normalizer.inputname"), 5),
                ("Version", or_none("pipeline_metadata.normalizer.version"), 5),
            ],
            {"Documents": len, "Last event": last, "Last received": RECEIVED},
        ),
        "lag-by-host": table(
            LAGGED, [("Host", "hostname", 50)], {"Average lag": _mean, "Greatest lag": _most, "Least lag": _least}
        ),
        "repaired": table(
            REPAIRED, [("Reason", "ttyscribe.repaired", 5), ("Kind", "ttyscribe.kind", 10), host], reasons
        ),
        "errors": table(NOT_UNDERSTOOD, [("Reason", "ttyscribe.error", 20), host], reasons),
        "doubts": table(DOUBTED, [("Doubt", "ttyscribe.doubt", 20), host], reasons),
        "broken-recordings": table(
            broken,
            [("Recording", "ttyscribe.recording", 50), LOOK_INTO, ("User", "recording.user", 5), host],
            {"Missing": MISSING, "Conflicts": CONFLICTS, "First time": first},
        ),
        "odd": listed(odd, (*columns, "message"), time="received"),
    }
