# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe doctor`: looks for known misconfigurations of what carries messages, and says how to mend them."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from ttyscribe.health import fluentconf, fluentd, journald, programs, rainerscript, rsyslog
from ttyscribe.health.files import Host
from ttyscribe.health.findings import PROBLEM, Finding, Place, Unreadable
from ttyscribe.health.rsyslog_rules import RULES as RSYSLOG
from ttyscribe.text import clean, is_terminal
from ttyscribe_formats.errors import ConfigError

DESCRIPTION = """Looks at the configuration of rsyslog, journald and Fluentd on this host for what is known to lose, cut
or double messages, or to let others read them, and says how to mend each. It changes nothing.

Without options it looks at what is there: /etc/rsyslog.conf and /etc/ttyscribe/rsyslog*.conf with all that they
include, journald's configuration with its drop-ins, and Fluentd's. docs/doctor.md lists every rule."""
EPILOG = """examples:
  ttyscribe doctor
  ttyscribe doctor --rsyslog /etc/ttyscribe/rsyslog.conf
  ttyscribe doctor --root /mnt/image --json

exit status: 0 no problem was found; 1 there are problems; 2 there is nothing to look at, or it can't be read"""
_RSYSLOG = ("/etc/rsyslog.conf", "/etc/ttyscribe/rsyslog*.conf")
_FLUENTD = ("/etc/fluent/fluentd.conf", "/etc/fluent/fluent.conf", "/etc/td-agent/td-agent.conf")
_DROP_IN = "/etc/systemd/journald.conf.d/ttyscribe.conf"
_JOURNAL = "/var/log/journal"
_PATIENCE = 30.0
_WHOLE: Any = {"break_long_words": False, "break_on_hyphens": False}
"""Settings and paths are there to be copied."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("--rsyslog", metavar="FILE", action="append", default=[], help="this configuration of rsyslog")
    parser.add_argument("--fluentd", metavar="FILE", action="append", default=[], help="this configuration of Fluentd")
    parser.add_argument("--root", metavar="DIR", default="/", help="look at the host that is mounted there")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Look, and tell; 1 where there are problems."""
    host = Host(options.root)
    named = bool(options.rsyslog or options.fluentd)
    rsyslogs = [os.path.abspath(path) for path in options.rsyslog] or ([] if named else host.there(*_RSYSLOG))
    fluentds = [os.path.abspath(path) for path in options.fluentd] or ([] if named else host.there(*_FLUENTD))
    journals = [] if named else host.journald()
    looked = [*rsyslogs, *fluentds, *(path for path, _ in journals)]
    if not looked:
        raise ConfigError("no configuration of rsyslog, journald or Fluentd is here: name one (--rsyslog, --fluentd)")
    found, twice = [], False
    for path in rsyslogs:
        items = _parsed(host, path)
        if isinstance(items, Finding):
            found.append(items)
            continue
        twice = twice or rsyslog.reads_twice(items)
        found += [
            *rsyslog.check(items, path),
            *_rsyslog_programs(host, items),
            *_keys(host, items),
            *_refused(host, path),
        ]
    for path in fluentds:
        found += _fluentd(host, path)
    if journals:
        kept = host.stat(_JOURNAL) is not None
        found += journald.check(journals, _DROP_IN, kept=kept, imjournal=twice)
    _tell(found, looked, as_json=options.json)
    return int(any(finding.rule.level == PROBLEM for finding in found))


def _parsed(host: Host, path: str) -> list[rainerscript.Item] | Finding:
    try:
        return rainerscript.parse(path, host.read(path), host.included)
    except Unreadable as error:
        return Finding(RSYSLOG["rsyslog-1"], error.place, error.what)


def _rsyslog_programs(host: Host, items: Sequence[rainerscript.Item]) -> Iterator[Finding]:
    user = rsyslog.user(items)
    for action in rsyslog.runs(items):
        binary = action.get("binary")
        why = programs.cannot_start(host, binary, environment=action.get("type").lower() != "mmexternal")
        if why:
            yield Finding(RSYSLOG["rsyslog-18"], action.place, why)
        for detail in programs.exposed(host, binary, user):
            yield Finding(RSYSLOG["rsyslog-22"], action.place, detail)


def _keys(host: Host, items: Sequence[rainerscript.Item]) -> Iterator[Finding]:
    for path, place in rsyslog.keys(items):
        found = host.stat(path)
        if found and found.st_mode & 0o027:
            yield Finding(RSYSLOG["rsyslog-25"], place, f"{path}, mode {found.st_mode & 0o7777:04o}")


def _refused(host: Host, path: str) -> Iterator[Finding]:
    """What rsyslogd itself says, where it is here."""
    if not host.is_this or not (rsyslogd := shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/local/sbin")):
        return
    try:
        done = subprocess.run(
            [rsyslogd, "-N1", "-f", path], capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode:
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "error" in line.lower()]
        yield Finding(
            RSYSLOG["rsyslog-1"], Place(path), said[0] if said else f"rsyslogd -N1 ends with {done.returncode}"
        )


def _fluentd(host: Host, path: str) -> Iterator[Finding]:
    try:
        root = fluentconf.parse(path, host.read(path), host.included)
    except Unreadable as error:
        yield Finding(fluentd.RULES["fluentd-13"], error.place, error.what)
        return
    yield from fluentd.check(root)
    for section in fluentd.commands(root):
        why = programs.cannot_start(host, section.get("command"))
        if why:
            yield Finding(fluentd.RULES["fluentd-12"], section.at("command"), why)


def _tell(found: Sequence[Finding], looked: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        for finding in found:
            rule, place = finding.rule, finding.place
            told = {"rule": rule.key, "level": rule.level, "file": place.path, "line": place.line, "title": rule.title}
            print(json.dumps({**told, "detail": finding.detail, "why": rule.why, "mend": rule.mend}))
        return
    width = min(shutil.get_terminal_size().columns, 110)
    for finding in found:
        _print(finding, width)
    problems = sum(finding.rule.level == PROBLEM for finding in found)
    files = "1 file" if len(looked) == 1 else f"{len(looked)} files"
    notes = len(found) - problems
    print(f"{problems or 'no'} problem{'s'[problems == 1 :]}, {notes or 'no'} note{'s'[notes == 1 :]} in {files}:")
    for path in looked:
        print(f"  {clean(path)}")


def _print(finding: Finding, width: int) -> None:
    rule = finding.rule
    strong, end = ("\x1b[1m", "\x1b[m") if is_terminal(sys.stdout) else ("", "")
    detail = f" ({clean(finding.detail)[:200]})" if finding.detail else ""
    print(f"{strong}{rule.level}: {rule.title}{end}{detail}")
    print(f"  {clean(str(finding.place))}  [{rule.key}]")
    for text in (rule.why, f"Mend it: {rule.mend}"):
        print(textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ", **_WHOLE))
    print()
