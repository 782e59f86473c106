# SPDX-License-Identifier: Apache-2.0
"""What each panel of the page on privilege changes must show."""

from tests.kibana.corpus import seen
from tests.kibana.facts import Fact
from tests.kibana.samples import Row
from tests.kibana.tables import TIME, last, listed, or_none, table, unique

AUDIT: list[Fact] = [*seen("aushape"), *seen("audit-line")]
GRANTED = [fact for fact in seen("sudo") if fact["sudo.event"] == "accept"]
REFUSED = [fact for fact in seen("sudo") if fact["sudo.event"] in ("reject", "alert")]
ASKED = GRANTED + REFUSED
ROOT = [fact for fact in AUDIT if fact.get("user.effective.id") == "0" and fact.get("user.audit.id", "0") != "0"]
CHANGERS = [fact for fact in AUDIT if fact["process.executable"] in ("/usr/bin/su", "/usr/bin/sudo", "/usr/bin/pkexec")]

PROGRAMS = unique("process.executable")
HOSTS = unique("hostname")
BECAME = or_none("user.effective.name")


def expected() -> dict[str, list[Row]]:
    """Panel -> its rows."""
    return _figures() | _charts() | _tables() | _lists()


def _figures() -> dict[str, list[Row]]:
    failed = [fact for fact in CHANGERS if fact["event.outcome"] == "failure"]
    return {
        "granted": [{"Commands": len(GRANTED)}],
        "refused": [{"Refused": len(REFUSED)}],
        "askers": [{"Users of sudo": unique("user.name")(ASKED)}],
        "as-root": [{"Calls as root": len(ROOT)}],
        "roots": [{"Login users": unique("user.audit.name")(ROOT)}],
        "changes-failed": [{"Failures": len(failed)}],
    }


def _charts() -> dict[str, list[Row]]:
    outcome = ("Outcome", "event.outcome", 2)
    return {
        "sudo-over-time": table(ASKED, [outcome, TIME], {"Commands": len}),
        "root-over-time": table(ROOT, [("Login user", "user.audit.name", 8), TIME], {"Calls as root": len}),
        "root-programs": table(ROOT, [("Executable", "process.executable", 12), outcome], {"Calls as root": len}),
    }


def _tables() -> dict[str, list[Row]]:
    user = ("User", "user.name", 20)
    return {
        "who-as-whom": table(
            GRANTED,
            [user, ("Became", BECAME, 10)],
            {"Commands": len, "Different programs": PROGRAMS, "Hosts": HOSTS, "Last time": last},
        ),
        "refusals": table(
            REFUSED,
            [user, ("Reason", or_none("sudo.reason"), 10)],
            {"Refused": len, "Hosts": HOSTS, "Last time": last},
        ),
        "changers": table(
            CHANGERS,
            [
                ("Executable", "process.executable", 10),
                ("Login user", or_none("user.audit.name"), 10),
                ("Outcome", or_none("event.outcome"), 2),
            ],
            {"Events": len, "Hosts": HOSTS, "Last time": last},
        ),
        "root-by-host": table(
            ROOT,
            [("Host", "hostname", 20), ("Login user", "user.audit.name", 10)],
            {"Calls as root": len, "Different programs": PROGRAMS, "Last time": last},
        ),
        "sudo-commands": table(
            ASKED,
            [("Program", "process.executable", 20), ("Became", BECAME, 5)],
            {"Commands": len, "Users": unique("user.name"), "Last time": last},
        ),
    }


def _lists() -> dict[str, list[Row]]:
    asked = ("hostname", "user.name", "user.effective.name", "event.outcome", "sudo.reason", "process.tty")
    called = ("hostname", "user.audit.name", "user.effective.name", "event.action", "event.outcome")
    return {
        "sudo-events": listed(ASKED, (*asked, "message")),
        "root-events": listed(ROOT, (*called, "process.executable", "process.title")),
    }
