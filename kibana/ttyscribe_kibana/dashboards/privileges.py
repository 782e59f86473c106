# SPDX-License-Identifier: Apache-2.0
"""Who took other rights than his own, and who tried to: as sudo says, and as the kernel saw it.

Two views that check each other: sudo names the command that was asked for; the kernel names who had logged in
(`user.audit`) and whose rights a program really had (`user.effective`), by whatever way he got them.
"""

from ttyscribe_kibana.dashboards.sources import AUDIT, EFFECTIVE, EVERYTHING, EXECUTABLE, HOST, LAST, LOGIN
from ttyscribe_kibana.panels import Control, Dashboard, Grid, Group, Measure, Panel

SUDO = 'ttyscribe.kind : "sudo"'
GRANTED = f'{SUDO} and sudo.event : "accept"'
REFUSED = f'{SUDO} and (sudo.event : "reject" or sudo.event : "alert")'
ASKED = f"({GRANTED}) or ({REFUSED})"
BECAME_ROOT = f'{AUDIT} and user.effective.id : "0" and user.audit.id : * and not user.audit.id : "0"'
_PATHS = " or ".join(
    f'process.executable : "{folder}/{name}"' for name in ("su", "sudo", "pkexec") for folder in ("/usr/bin", "/bin")
)
CHANGERS = f"{AUDIT} and ({_PATHS})"

ASKED_BY = "user.name"
_COMMANDS = Measure("Commands")
_REFUSALS = Measure("Refused")
_CALLS = Measure("Calls as root")
_HOSTS = Measure("Hosts", "unique", HOST)
_PROGRAMS = Measure("Different programs", "unique", EXECUTABLE)

_PANELS = (
    Panel("granted", "Commands by sudo", "metric", Grid(0, 0, 8, 6), (_COMMANDS,), query=GRANTED),
    Panel("refused", "Refused by sudo", "metric", Grid(8, 0, 8, 6), (_REFUSALS,), query=REFUSED),
    Panel(
        "askers",
        "Users of sudo",
        "metric",
        Grid(16, 0, 8, 6),
        (Measure("Users of sudo", "unique", ASKED_BY),),
        query=f"{GRANTED} or {REFUSED}",
    ),
    Panel(
        "as-root",
        "Calls as root",
        "metric",
        Grid(24, 0, 8, 6),
        (_CALLS,),
        query=BECAME_ROOT,
        description="By processes of somebody who did not log in as root, in any way.",
    ),
    Panel(
        "roots",
        "Login users as root",
        "metric",
        Grid(32, 0, 8, 6),
        (Measure("Login users", "unique", LOGIN),),
        query=BECAME_ROOT,
    ),
    Panel(
        "changes-failed",
        "Failed changes",
        "metric",
        Grid(40, 0, 8, 6),
        (Measure("Failures"),),
        query=f'{CHANGERS} and event.outcome : "failure"',
        description="Failures of su, sudo and pkexec, as the kernel saw them.",
    ),
    Panel(
        "sudo-over-time",
        "sudo over time: granted and refused",
        "bar",
        Grid(0, 6, 24, 12),
        (_COMMANDS,),
        (Group("Outcome", "event.outcome", 2),),
        query=ASKED,
    ),
    Panel(
        "root-over-time",
        "Calls as root over time, by login user",
        "bar",
        Grid(24, 6, 24, 12),
        (_CALLS,),
        (Group("Login user", LOGIN, 8),),
        query=BECAME_ROOT,
    ),
    Panel(
        "who-as-whom",
        "sudo: who became whom",
        "table",
        Grid(0, 18, 24, 12),
        (_COMMANDS, _PROGRAMS, _HOSTS, LAST),
        (Group("User", ASKED_BY, 20), Group("Became", EFFECTIVE, 10, missing=True)),
        query=GRANTED,
    ),
    Panel(
        "refusals",
        "sudo: who was refused, and why",
        "table",
        Grid(24, 18, 24, 12),
        (_REFUSALS, _HOSTS, LAST),
        (Group("User", ASKED_BY, 20), Group("Reason", "sudo.reason", 10, missing=True)),
        query=REFUSED,
    ),
    Panel(
        "root-programs",
        "Programs run as root by others than root",
        "ranking",
        Grid(0, 30, 24, 13),
        (_CALLS,),
        (Group("Executable", EXECUTABLE, 12), Group("Outcome", "event.outcome", 2)),
        query=BECAME_ROOT,
    ),
    Panel(
        "changers",
        "su, sudo and pkexec, as the kernel saw them",
        "table",
        Grid(24, 30, 24, 13),
        (Measure("Events"), _HOSTS, LAST),
        (
            Group("Executable", EXECUTABLE, 10),
            Group("Login user", LOGIN, 10, missing=True),
            Group("Outcome", "event.outcome", 2, missing=True),
        ),
        query=CHANGERS,
    ),
    Panel(
        "root-by-host",
        "Calls as root, by host and login user",
        "table",
        Grid(0, 43, 24, 12),
        (_CALLS, _PROGRAMS, LAST),
        (Group("Host", HOST, 20), Group("Login user", LOGIN, 10)),
        query=BECAME_ROOT,
    ),
    Panel(
        "sudo-commands",
        "What sudo was asked for most",
        "table",
        Grid(24, 43, 24, 12),
        (_COMMANDS, Measure("Users", "unique", ASKED_BY), LAST),
        (Group("Program", EXECUTABLE, 20), Group("Became", EFFECTIVE, 5, missing=True)),
        query=ASKED,
    ),
    Panel(
        "sudo-events",
        "sudo, newest first",
        "documents",
        Grid(0, 55, 48, 14),
        query=ASKED,
        columns=(HOST, ASKED_BY, EFFECTIVE, "event.outcome", "sudo.reason", "process.tty", "message"),
    ),
    Panel(
        "root-events",
        "Calls as root by others than root, newest first",
        "documents",
        Grid(0, 69, 48, 14),
        query=BECAME_ROOT,
        columns=(HOST, LOGIN, EFFECTIVE, "event.action", "event.outcome", EXECUTABLE, "process.title"),
    ),
)

PRIVILEGES = Dashboard(
    slug="privileges",
    title="Privilege changes",
    description="Who took the rights of another user, by sudo or any other way, and who was refused.",
    data=EVERYTHING,
    since="now-7d",
    panels=_PANELS,
    controls=(
        Control("user", "User", ASKED_BY),
        Control("login", "Login user", LOGIN),
        Control("host", "Host", HOST),
    ),
    hint="sudo says what was asked for; audit says who had logged in and whose rights a program had.",
)
