# SPDX-License-Identifier: Apache-2.0
"""What each panel of the page on commands and audit must show."""

from tests.kibana.corpus import seen
from tests.kibana.facts import Fact
from tests.kibana.samples import Row
from tests.kibana.tables import LOOK_INTO, TIME, last, listed, or_none, table, unique

AUDIT: list[Fact] = [*seen("aushape"), *seen("audit-line")]
TYPED = [fact for fact in seen("command") if fact["command.source"] != "audit"]
EXECUTED = [fact for fact in seen("command") if fact["command.source"] == "audit"]
RUN = [fact for fact in AUDIT if fact["event.action"] == "execve"]
FAILED = [fact for fact in AUDIT if fact.get("event.outcome") == "failure"]

LOGIN = ("Login user", or_none("user.audit.name"), 20)
EFFECTIVE = ("Effective user", or_none("user.effective.name"), 10)


def expected() -> dict[str, list[Row]]:
    """Panel -> its rows."""
    return _figures() | _charts() | _tables() | _lists()


def _figures() -> dict[str, list[Row]]:
    return {
        "typed": [{"Commands": len(TYPED)}],
        "started": [{"Programs started": len(RUN)}],
        "failures": [{"Failures": len(FAILED)}],
        "people": [{"Login users": unique("user.audit.name")(AUDIT)}],
        "programs": [{"Different programs": unique("process.executable")(RUN)}],
        "hosts": [{"Hosts": unique("hostname")([*AUDIT, *TYPED])}],
    }


def _charts() -> dict[str, list[Row]]:
    return {
        "typed-over-time": table(TYPED, [("User", "command.user", 8), TIME], {"Commands": len}),
        "started-over-time": table(RUN, [("Host", "hostname", 8), TIME], {"Programs started": len}),
        "failures-over-time": table(FAILED, [("Action", "event.action", 8), TIME], {"Failures": len}),
        "executables": table(
            RUN, [("Executable", "process.executable", 12), ("Outcome", "event.outcome", 2)], {"Programs started": len}
        ),
        "refused-files": table(FAILED, [("File", "file.path", 12), ("Action", "event.action", 8)], {"Failures": len}),
    }


def _tables() -> dict[str, list[Row]]:
    programs = unique("process.executable")
    return {
        "command-lines": table(
            TYPED,
            [("Command", "command.text", 20)],
            {"Commands": len, "Users": unique("command.user"), "Last time": last},
        ),
        "identities": table(
            AUDIT, [LOGIN, EFFECTIVE], {"Events": len, "Different programs": programs, "Last time": last}
        ),
        "who-ran-what": table(
            RUN,
            [LOGIN, ("Effective user", or_none("user.effective.name"), 5), ("Executable", "process.executable", 10)],
            {"Programs started": len, "Last time": last},
        ),
        "failed": table(
            FAILED,
            [
                ("Action", "event.action", 10),
                ("Executable", "process.executable", 10),
                ("Login user", or_none("user.audit.name"), 10),
            ],
            {"Failures": len, "Hosts": unique("hostname"), "Last time": last},
        ),
        "in-recordings": table(
            EXECUTED,
            [
                ("Recording", "ttyscribe.recording", 20),
                LOOK_INTO,
                ("User", "command.user", 5),
                ("Host", "hostname", 5),
                ("Trust", "ttyscribe.trust", 3),
                ("Program", "command.text", 20),
            ],
            {"Programs started": len, "Last time": last},
        ),
        "by-host": table(
            AUDIT,
            [("Host", "hostname", 20)],
            {
                "Events": len,
                "Login users": unique("user.audit.name"),
                "Different programs": programs,
                "Files": unique("file.path"),
                "Last time": last,
            },
        ),
    }


def _lists() -> dict[str, list[Row]]:
    given = ("command.user", "hostname", "ttyscribe.recording", "command.ms", "command.text", "ttyscribe.trust")
    event = ("hostname", "user.audit.name", "user.effective.name", "event.action", "event.outcome")
    return {
        "given": listed(TYPED, given),
        "events": listed(AUDIT, (*event, "process.executable", "process.title")),
    }
