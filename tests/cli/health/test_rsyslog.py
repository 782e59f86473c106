# SPDX-License-Identifier: Apache-2.0
"""Each rule about rsyslog finds what it is about, and nothing in the configurations that we ship."""

from pathlib import Path

import pytest

from ttyscribe.health import rainerscript, rsyslog
from ttyscribe.health.rsyslog_rules import RULES

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = sorted((ROOT / "rsyslog" / "conf").glob("*.conf"))
AUDIT = (ROOT / "rsyslog" / "conf" / "ttyscribe.conf").read_text()
FAST = (ROOT / "rsyslog" / "conf" / "ttyscribe-fast.conf").read_text()


def keys(text: str) -> list[str]:
    """Rules that the text breaks, in order."""
    return [finding.rule.key for finding in rsyslog.check(rainerscript.parse("/f", text), "/f")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_nothing_is_wrong_with_what_we_ship(path: Path) -> None:
    assert keys(path.read_text()) == []


def changed(text: str, before: str, after: str) -> str:
    """The text with one thing changed that is there."""
    assert before in text, before
    return text.replace(before, after)


SPOOLED = (ROOT / "rsyslog" / "conf" / "ttyscribe-spool.conf").read_text()
CENTRAL = (ROOT / "rsyslog" / "conf" / "central.conf").read_text()

SIZE = 'global(maxMessageSize="256k")'
BROKEN = [
    ("rsyslog-2", AUDIT, SIZE, ""),
    ("rsyslog-2", AUDIT, SIZE, 'global(maxMessageSize="8k")'),
    ("rsyslog-2", AUDIT, SIZE, "$MaxMessageSize 8k"),
    ("rsyslog-3", AUDIT, 'RateLimit.Interval="0"', 'RateLimit.Interval="5"'),
    ("rsyslog-3", AUDIT, 'module(load="omprog")', 'module(load="omprog") module(load="imjournal")'),
    ("rsyslog-3", AUDIT, 'module(load="omprog")', 'module(load="omprog")\n$SystemLogRateLimitInterval 5\n'),
    ("rsyslog-4", AUDIT, 'queue.type="Disk"', ""),
    ("rsyslog-4", FAST, 'queue.filename="ttyscribe"', ""),
    ("rsyslog-4", SPOOLED, " --spool /var/spool/ttyscribe", ""),
    ("rsyslog-4", SPOOLED, 'main_queue(queue.type="Direct")', ""),
    ("rsyslog-5", AUDIT, 'queue.checkpointInterval="1"', ""),
    ("rsyslog-5", FAST, 'queue.checkpointInterval="1"', 'queue.checkpointInterval="100"'),
    ("rsyslog-6", FAST, 'queue.saveOnShutdown="on"', ""),
    ("rsyslog-7", AUDIT, 'queue.timeoutEnqueue="2147483647"', ""),
    ("rsyslog-7", FAST, 'queue.size="10000"', ""),
    ("rsyslog-8", AUDIT, "queue.maxDiskSpace", "queue.maxDisk"),
    ("rsyslog-9", AUDIT, 'confirmMessages="on"', 'confirmMessages="off"'),
    ("rsyslog-10", AUDIT, 'action.resumeRetryCount="-1"', ""),
    ("rsyslog-11", AUDIT, 'killUnresponsive="on"', 'killUnresponsive="off"'),
    ("rsyslog-11", AUDIT, 'signalOnClose="on"', ""),
    ("rsyslog-12", AUDIT, "set $!ttyscribe!id = $uuid;", ""),
    ("rsyslog-13", AUDIT, '$!ttyscribe!id" format="json"', 'uuid"'),
    ("rsyslog-14", AUDIT, 'name="msg" format="json"', 'name="msg"'),
    ("rsyslog-14", CENTRAL, 'name="msg" format="json"', 'name="msg"'),
    ("rsyslog-14", CENTRAL, 'input(type="imrelp"', 'input(type="imudp"'),
    ("rsyslog-15", AUDIT, 'Annotate="on"', ""),
    ("rsyslog-16", AUDIT, SIZE, 'global(maxMessageSize="256k" parser.escapeControlCharactersOnReceive="off")'),
    ("rsyslog-16", AUDIT, SIZE, f"{SIZE}\n$EscapeControlCharactersOnReceive off\n"),
    ("rsyslog-17", AUDIT, SIZE, 'global(maxMessageSize="256k" parser.escape8BitCharactersOnReceive="on")'),
    ("rsyslog-17", AUDIT, SIZE, f"{SIZE}\n$Escape8BitCharactersOnReceive on\n"),
    ("rsyslog-19", AUDIT, "--protocol omprog", "--protocol 'omprog'"),
    ("rsyslog-20", AUDIT, 'confirmMessages="on"', 'confirmMessages="on" useTransactions="on"'),
    ("rsyslog-21", AUDIT, 'type="omprog"', 'type="mmexternal"'),
    ("rsyslog-24", CENTRAL, 'tls="on"', ""),
    ("rsyslog-24", CENTRAL, 'tls.authMode="name"', 'tls.authMode="certvalid"'),
    ("rsyslog-24", CENTRAL, 'tls.permittedPeer=["*.hosts.example.com"]', ""),
    ("rsyslog-24", CENTRAL, '# input(type="imptcp" port="514"', 'input(type="imptcp" ruleset="ttyscribe-hosts") #'),
    ("rsyslog-23", AUDIT, "ttyscribe-normalize", "other"),
]


@pytest.mark.parametrize(("key", "text", "before", "after"), BROKEN)
def test_a_setting_that_is_wrong_is_found(key: str, text: str, before: str, after: str) -> None:
    assert set(keys(changed(text, before, after))) == {key}


def test_a_limit_that_is_told_too_late_is_found() -> None:
    late = changed(AUDIT, SIZE, "") + SIZE
    assert keys(late) == ["rsyslog-2"]


def test_transactions_with_a_spool_are_fine() -> None:
    text = changed(AUDIT, 'confirmMessages="on"', 'confirmMessages="on" useTransactions="on"')
    assert keys(changed(text, "--protocol omprog", "--protocol omprog --spool /var/spool/ttyscribe")) == []


def test_a_host_that_only_ships_is_looked_at_too() -> None:
    text = f'{SIZE}\naction(type="omrelp" target="central" port="2514")\n'
    assert keys(text) == ["rsyslog-4", "rsyslog-10"]


def test_the_main_queue_counts_where_the_action_has_none() -> None:
    queue = (
        'queue.type="Disk" queue.filename="m" queue.checkpointInterval="1" queue.timeoutEnqueue="2147483647" '
        'queue.size="100000" queue.maxDiskSpace="1g"'
    )
    action = 'action(type="omfwd" target="central" protocol="tcp" action.resumeRetryCount="-1")'
    assert keys(f"{SIZE}\nmain_queue({queue})\n{action}") == []
    assert keys(f'{SIZE}\nruleset(name="r" {queue}) {{ {action} }}') == []
    assert keys(f'{SIZE}\nruleset(name="other" {queue}) {{ }}\n{action}') == ["rsyslog-4"]


def test_every_rule_is_tried() -> None:
    by_file = {"rsyslog-1", "rsyslog-18", "rsyslog-22", "rsyslog-25"}  # tests/cli/test_doctor.py
    assert {row[0] for row in BROKEN} | by_file == set(RULES)
