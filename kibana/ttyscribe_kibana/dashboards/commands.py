# SPDX-License-Identifier: Apache-2.0
"""What was run: at the prompts of recorded terminals, and as the kernel saw it.

The kernel's view cannot be talked out of it: `user.audit` is who logged in, whatever su and sudo have changed since.
A name, a title and what stood on a screen are chosen by whoever ran it; the path of the executable is not.
"""

from ttyscribe_kibana.dashboards.sources import (
    AUDIT,
    EFFECTIVE,
    EVERYTHING,
    EXECUTABLE,
    EXECUTED,
    HOST,
    LAST,
    LOGIN,
    RECORDING,
    TYPED,
    look_into,
)
from ttyscribe_kibana.panels import Control, Dashboard, Grid, Group, Measure, Panel

RUN = f'{AUDIT} and event.action : "execve"'
FAILED = f'{AUDIT} and event.outcome : "failure"'


_COMMANDS = Measure("Commands")
_STARTED = Measure("Programs started")
_FAILURES = Measure("Failures")
_EVENTS = Measure("Events")

_PANELS = (
    Panel(
        "typed",
        "Commands at prompts",
        "metric",
        Grid(0, 0, 8, 6),
        (_COMMANDS,),
        query=TYPED,
        description="As they stood on recorded screens when their line was left.",
    ),
    Panel("started", "Programs started", "metric", Grid(8, 0, 8, 6), (_STARTED,), query=RUN),
    Panel("failures", "Failed calls", "metric", Grid(16, 0, 8, 6), (_FAILURES,), query=FAILED),
    Panel(
        "people", "Login users", "metric", Grid(24, 0, 8, 6), (Measure("Login users", "unique", LOGIN),), query=AUDIT
    ),
    Panel(
        "programs",
        "Different programs",
        "metric",
        Grid(32, 0, 8, 6),
        (Measure("Different programs", "unique", EXECUTABLE),),
        query=RUN,
    ),
    Panel(
        "hosts", "Hosts", "metric", Grid(40, 0, 8, 6), (Measure("Hosts", "unique", HOST),), query=f"{AUDIT} or {TYPED}"
    ),
    Panel(
        "typed-over-time",
        "Commands at prompts over time, by user",
        "bar",
        Grid(0, 6, 24, 12),
        (_COMMANDS,),
        (Group("User", "command.user", 8),),
        query=TYPED,
    ),
    Panel(
        "started-over-time",
        "Programs started over time, by host",
        "bar",
        Grid(24, 6, 24, 12),
        (_STARTED,),
        (Group("Host", HOST, 8),),
        query=RUN,
    ),
    Panel(
        "executables",
        "Most started programs, by outcome",
        "ranking",
        Grid(0, 18, 24, 14),
        (_STARTED,),
        (Group("Executable", EXECUTABLE, 12), Group("Outcome", "event.outcome", 2)),
        query=RUN,
    ),
    Panel(
        "command-lines",
        "Most given commands",
        "table",
        Grid(24, 18, 24, 14),
        (_COMMANDS, Measure("Users", "unique", "command.user"), LAST),
        (Group("Command", "command.text", 20),),
        query=TYPED,
    ),
    Panel(
        "identities",
        "Who acted with whose rights",
        "table",
        Grid(0, 32, 24, 12),
        (_EVENTS, Measure("Different programs", "unique", EXECUTABLE), LAST),
        (Group("Login user", LOGIN, 20, missing=True), Group("Effective user", EFFECTIVE, 10, missing=True)),
        query=AUDIT,
        description="The login user stays who logged in, whatever su and sudo change; a daemon has none.",
    ),
    Panel(
        "who-ran-what",
        "Who ran what",
        "table",
        Grid(24, 32, 24, 12),
        (_STARTED, LAST),
        (
            Group("Login user", LOGIN, 20, missing=True),
            Group("Effective user", EFFECTIVE, 5, missing=True),
            Group("Executable", EXECUTABLE, 10),
        ),
        query=RUN,
    ),
    Panel(
        "failures-over-time",
        "Failures over time, by what failed",
        "bar",
        Grid(0, 44, 24, 12),
        (_FAILURES,),
        (Group("Action", "event.action", 8),),
        query=FAILED,
    ),
    Panel(
        "failed",
        "What failed for whom",
        "table",
        Grid(24, 44, 24, 12),
        (_FAILURES, Measure("Hosts", "unique", HOST), LAST),
        (
            Group("Action", "event.action", 10),
            Group("Executable", EXECUTABLE, 10),
            Group("Login user", LOGIN, 10, missing=True),
        ),
        query=FAILED,
    ),
    Panel(
        "by-host",
        "By host",
        "table",
        Grid(0, 56, 24, 12),
        (
            _EVENTS,
            Measure("Login users", "unique", LOGIN),
            Measure("Different programs", "unique", EXECUTABLE),
            Measure("Files", "unique", "file.path"),
            LAST,
        ),
        (Group("Host", HOST, 20),),
        query=AUDIT,
    ),
    Panel(
        "refused-files",
        "Files that were refused, by action",
        "ranking",
        Grid(24, 56, 24, 12),
        (_FAILURES,),
        (Group("File", "file.path", 12), Group("Action", "event.action", 8)),
        query=FAILED,
    ),
    Panel(
        "given",
        "Commands at prompts, newest first",
        "documents",
        Grid(0, 68, 48, 14),
        query=TYPED,
        columns=("command.user", HOST, RECORDING, "command.ms", "command.text", "ttyscribe.trust"),
        description="The recording links to its playback; beside it, how far into it the command was given.",
    ),
    Panel(
        "in-recordings",
        "Programs that audit saw start in recordings",
        "table",
        Grid(0, 82, 48, 14),
        (_STARTED, LAST),
        (
            Group("Recording", RECORDING, 20),
            look_into(),
            Group("User", "command.user", 5),
            Group("Host", HOST, 5),
            Group("Trust", "ttyscribe.trust", 3),
            Group("Program", "command.text", 20),
        ),
        query=EXECUTED,
        description="By boot or host, audit session and time. Trust: the lower one of the event's and the recording's.",
    ),
    Panel(
        "events",
        "Audit events, newest first",
        "documents",
        Grid(0, 96, 48, 14),
        query=AUDIT,
        columns=(HOST, LOGIN, EFFECTIVE, "event.action", "event.outcome", EXECUTABLE, "process.title"),
    ),
)

COMMANDS = Dashboard(
    slug="commands",
    title="Commands and audit",
    description="What was run by whom, with whose rights, where, and what failed.",
    data=EVERYTHING,
    since="now-7d",
    panels=_PANELS,
    controls=(
        Control("login", "Login user", LOGIN),
        Control("user", "User at the prompt", "command.user"),
        Control("host", "Host", HOST),
    ),
    hint="Prompts are of recorded terminals, all else is what the kernel's audit saw.",
)
