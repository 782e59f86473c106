# SPDX-License-Identifier: Apache-2.0
"""Says in syslog who took what out of a store: the operator's deeds are themselves recorded."""

import json
import os
import pwd
import sys
import syslog

_DEVICE = "/dev/log"
_LONGEST = 900
"""Bytes of a line that every syslog takes."""
_UNSET = 4294967295


def record(verb: str, url: str, **what: object) -> None:
    """One line for the log: `store delete by uid=0 (root) login=1000 (ada): store="…" recording="…"`."""
    text = line(verb, os.getuid(), _login(), url, **what)
    syslog.openlog("ttyscribe", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_NOTICE, text)
    if not os.path.exists(_DEVICE):
        print(f"ttyscribe: no syslog here, so nobody records this: {text}", file=sys.stderr)


def line(verb: str, uid: int, login: int | None, url: str, **what: object) -> str:
    """What is said; names that a recorded person chose are quoted as JSON, in ASCII, so that they forge no line."""
    who = f"uid={uid}{_name(uid)}"
    if login is not None and login != uid:
        who += f" login={login}{_name(login)}"
    told = " ".join(f"{name}={json.dumps(value)}" for name, value in {"store": url, **what}.items())
    return f"store {verb} by {who}: {told}"[:_LONGEST]


def _login() -> int | None:
    """Who logged in, whatever they became since."""
    try:
        with open("/proc/self/loginuid", encoding="ascii") as file:
            found = int(file.read())
    except (OSError, ValueError):
        return None
    return None if found == _UNSET else found


def _name(uid: int) -> str:
    try:
        return f" ({pwd.getpwuid(uid).pw_name})"
    except KeyError:
        return ""
