# SPDX-License-Identifier: Apache-2.0
"""What follows from the name that the program was called by: paths, environment, identifiers, statuses, marks.

Through links with tlog's names it takes tlog's place: its paths and variables, messages without our own marks.
"""

import os
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Name(NamedTuple):
        """One of the four names."""

        program: str
        session: bool
        """The login shell, not the recorder of one command."""
        tlog: bool
        configuration: str
        """Path of the configuration file, which may be absent."""
        variable: str
        """Begin of the environment variables that name (…_FILE) or hold (…_TEXT) configuration."""
        syslog_ident: str
        journal_ident: str
        usage_status: int
        """Exit status of wrong usage or configuration."""
        defaults: dict[str, str | int | bool]
        """Where this program's defaults differ from the table's."""
else:
    Name = namedtuple(
        "Name", "program session tlog configuration variable syslog_ident journal_ident usage_status defaults"
    )


def _name(program: str, *, session: bool, tlog: bool) -> Name:
    house = "tlog" if tlog else "ttyscribe"
    variable = f"{program.upper().replace('-', '_')}_CONF"
    defaults: dict[str, str | int | bool] = {"on_error": "refuse" if tlog or not session else "continue"}
    if session:
        defaults["writer"] = "journal"
    if tlog:
        defaults["utmp"] = True
        defaults["log.bulk"] = "keep"
    path = f"/etc/{house}/{program}.conf"
    return Name(program, session, tlog, path, variable, house, program if tlog else house, 1 if tlog else 2, defaults)


REC = _name("ttyscribe-rec", session=False, tlog=False)
SESSION = _name("ttyscribe-rec-session", session=True, tlog=False)
TLOG_REC = _name("tlog-rec", session=False, tlog=True)
TLOG_SESSION = _name("tlog-rec-session", session=True, tlog=True)


def base(argv0: str) -> str:
    """The program's name without folders and without a login shell's dash."""
    return argv0.rpartition("/")[2].removeprefix("-")


def rec_name(argv0: str) -> Name:
    """The name of a recorder of one command."""
    return TLOG_REC if base(argv0).startswith("tlog-rec") else REC


def session_name(argv0: str) -> Name:
    """The name of a login shell, whatever follows it to name the shell (`tlog-rec-session-shell-bin-zsh`)."""
    return TLOG_SESSION if base(argv0).startswith("tlog-rec-session") else SESSION


def is_session(argv0: str) -> bool:
    """Whether the launcher was called as a login shell: by name, or with a dash before any name."""
    return argv0.startswith("-") or "rec-session" in base(argv0)


def say(name: Name, text: str) -> None:
    """One line to standard error, whatever state that is in."""
    try:
        os.write(2, f"{name.program}: {text}\n".encode("utf-8", "surrogateescape"))
    except OSError:
        pass
