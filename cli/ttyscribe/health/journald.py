# SPDX-License-Identifier: Apache-2.0
"""Checks of journald's configuration: one file and its drop-ins, in the order in which journald reads them; pure."""

import re
from collections.abc import Iterator, Sequence

from ttyscribe.health.findings import NOTE, PROBLEM, Finding, Place, Rule, table

RULES = table(
    Rule(
        "journald-1",
        PROBLEM,
        "journald drops messages that come fast",
        "It takes 10,000 messages of a service in 30 seconds (1,000 in old versions) and drops the rest, with one line "
        "that says how many.",
        "RateLimitIntervalSec=0 in /etc/systemd/journald.conf.d/ttyscribe.conf, then "
        "systemctl restart systemd-journald",
    ),
    Rule(
        "journald-2",
        PROBLEM,
        "the journal does not outlive a reboot",
        "It is kept in memory: what was not shipped when the host went down is gone.",
        "Storage=persistent",
    ),
    Rule(
        "journald-3",
        PROBLEM,
        "journald does not store recordings",
        "Recorders write with priority info; journald keeps only what is more urgent.",
        "MaxLevelStore=debug, or leave it out",
    ),
    Rule(
        "journald-4",
        NOTE,
        "messages may come by two ways",
        "journald hands on to syslog what rsyslog reads from the journal besides: they carry two different ids.",
        "ForwardToSyslog=no where rsyslog uses imjournal",
    ),
    Rule(
        "journald-5", PROBLEM, "a value is none", "journald ignores it and takes its default.", "see journald.conf(5)"
    ),
)

_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_INFO = 6
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?\s*[a-zµ]*\s*)+")
_ZERO = re.compile(r"(?:0+(?:\.0+)?\s*[a-zµ]*\s*)+")


def settings(files: Sequence[tuple[str, str]]) -> dict[str, tuple[str, Place]]:
    """What is in force, by name in lower case: of several the last, and an empty value takes a setting back."""
    found: dict[str, tuple[str, Place]] = {}
    for path, text in files:
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            stripped = line.strip()
            if stripped.startswith("["):
                section = stripped
            elif section == "[Journal]" and stripped[:1] not in ("#", ";", "") and "=" in stripped:
                name, _, value = stripped.partition("=")
                found[name.strip().lower()] = (value.strip(), Place(path, number))
    return {name: pair for name, pair in found.items() if pair[0]}


def check(
    files: Sequence[tuple[str, str]], default: str, *, kept: bool = True, imjournal: bool = False
) -> Iterator[Finding]:
    """What is wrong. `default` names the file in which a missing setting belongs.

    `kept` tells whether /var/log/journal is there, `imjournal` whether rsyslog reads the journal.
    """
    found = settings(files)
    nowhere = Place(default)
    for name in ("ratelimitintervalsec", "ratelimitinterval"):
        value, place = found.get(name, ("", nowhere))
        if value and not _DURATION.fullmatch(value.lower()) and value.lower() != "infinity":
            yield Finding(RULES["journald-5"], place, f"{name} = {value}")
    interval, place = found.get("ratelimitintervalsec", found.get("ratelimitinterval", ("30s", nowhere)))
    burst, _ = found.get("ratelimitburst", ("10000", nowhere))
    if not _ZERO.fullmatch(interval.lower()) and burst != "0":
        yield Finding(RULES["journald-1"], place, f"{burst} messages in {interval}")
    storage, place = found.get("storage", ("auto", nowhere))
    if storage.lower() in ("volatile", "none") or (storage.lower() == "auto" and not kept):
        yield Finding(RULES["journald-2"], place, f"Storage={storage}" + ("" if kept else ", and no /var/log/journal"))
    level, place = found.get("maxlevelstore", ("debug", nowhere))
    number = int(level) if level.isdecimal() else _LEVELS.index(level.lower()) if level.lower() in _LEVELS else -1
    if not 0 <= number <= 7:
        yield Finding(RULES["journald-5"], place, f"MaxLevelStore = {level}")
    elif number < _INFO:
        yield Finding(RULES["journald-3"], place, f"MaxLevelStore={level}")
    forward, place = found.get("forwardtosyslog", ("yes", nowhere))
    if imjournal and forward.lower() in ("yes", "true", "on", "1"):
        yield Finding(RULES["journald-4"], place, f"ForwardToSyslog={forward}")
