# SPDX-License-Identifier: Apache-2.0
"""20,000 messages under SIGKILLs of the normalizer and of rsyslogd: nothing lost, nothing stored twice."""

import base64
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.chain import Chain, wait
from tests.e2e.conftest import ONE_ENGINE, SQLITE, Place, stored_document
from tests.e2e.traffic import Ledger, datagram, messages, mixed
from ttyscribe_formats import tlog
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.packet import Output
from ttyscribe_store.derive.rules import computed

pytestmark = [pytest.mark.slow, pytest.mark.rsyslogd]

COUNT = 20_000
NORMALIZER_KILLS = 10
RSYSLOGD_KILLS = 3

# Lets the tag `broken` put something in front of the envelope, as a template gone wrong would.
BREAKABLE = {
    'constant(value="{\\"v\\":1,': 'property(name="$!broken") constant(value="{\\"v\\":1,',
    "set $!ttyscribe!id = $uuid;": 'if $programname == "broken" then { set $!broken = "no JSON "; }\n'
    "    set $!ttyscribe!id = $uuid;",
}


def assert_all_stored_once(chain: Chain, ledger: Ledger) -> None:
    """Compare the store with the ledger, message by message."""
    hits = chain.search(kind="syslog")
    assert Counter(hit.message for hit in hits) == ledger.plain
    assert len({hit.document_id for hit in hits}) == len(hits)
    wanted = Counter(tlog.decode(line).rec for line in ledger.tlog)
    made = [computed(one.recording, chain.store.messages(one.recording)) for one in chain.store.counts()]
    rows = [row for row in made if row is not None]
    assert {row.recording: row.messages for row in rows} == wanted
    assert {row.recording: (row.missing, row.conflicts) for row in rows} == dict.fromkeys(wanted, (0, 0))
    stored = {tlog.canonical(tlog.from_fields(one.tlog)) for rec in wanted for one in chain.store.messages(rec)}
    assert stored == {tlog.canonical(tlog.decode(line)) for line in ledger.tlog}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("bare_place", [SQLITE, *ONE_ENGINE], indirect=True)
def test_kills_lose_nothing_and_double_nothing(place: Place, tmp_path: Path) -> None:
    """Each kill hits while messages wait; rsyslogd is killed after it has read its input.

    The normalizer is killed at work, never while it starts: rsyslog before 8.2304 would crash (OMP-1), though it too
    would lose nothing.
    """
    ledger = Ledger()
    traffic = list(mixed(COUNT, ledger))
    bursts = NORMALIZER_KILLS + RSYSLOGD_KILLS
    size = -(-COUNT // bursts)
    with Chain(place.url, tmp_path) as chain:
        for burst in range(bursts):
            before = chain.count()
            chain.daemon.send(traffic[burst * size : (burst + 1) * size])
            if burst % 4 == 3:
                chain.daemon.wait_read()
                chain.daemon.kill()
                chain.daemon.start()
            else:
                wait(lambda: chain.count() > before and chain.daemon.kill_child(), chain.said)  # noqa: B023
        assert chain.count() < ledger.total
        chain.wait_stored(ledger.total, timeout=300)
        assert_all_stored_once(chain, ledger)
        assert chain.dead() == []
        assert chain.daemon.stop() == 0
        assert chain.count() == ledger.total


TRUNCATED = messages("cut", 1)[0][:-20]  # a message of a recording of which the end is missing


def large() -> bytes:
    """A recording's message of 60 KB."""
    chunker = Chunker(Header("example-host", "large", "root", "xterm", 7), payload=100_000)
    chunker.feed(Output(0, b"x" * 60_000), time.time_ns())
    (line,) = chunker.flush()
    return line


LATIN = "café über alles".encode("latin-1")
ODD = {
    "truncated JSON": datagram(TRUNCATED),
    "a line of 60 KB": datagram(b"long " + b"word " * 12_000),
    "a recording's line of 60 KB": datagram(large()),
    "latin-1": datagram(LATIN),
    "an empty line": datagram(b""),
    "an unparsable envelope": datagram(b"whatever", ident="broken"),
}


@pytest.mark.parametrize("bare_place", [SQLITE, *ONE_ENGINE], indirect=True)
def test_odd_lines_become_what_the_table_says_and_hold_nothing_up(place: Place, tmp_path: Path) -> None:
    """An error answer would suspend the action for 5 s and more, again and again."""
    slow = {'action.resumeInterval="1"': 'action.resumeInterval="60"'}
    with Chain(place.url, tmp_path, replace={**BREAKABLE, **slow}) as chain:
        chain.daemon.send([datagram(b"before")])
        chain.wait_found("before")
        for number, odd in enumerate(ODD.values()):
            chain.daemon.send([odd, datagram(b"behind%d" % number)])
            chain.wait_found(f"behind{number}", timeout=20)
        chain.wait_stored(len(ODD) + 1 + 4)
        stored = {hit.message: stored_document(place, hit.document_id) for hit in chain.search()}
        assert stored[TRUNCATED.decode()]["ttyscribe"]["error"].startswith("not JSON: ")
        assert stored[TRUNCATED.decode()]["ttyscribe"]["kind"] == "syslog"
        assert "long " + "word " * 12_000 in stored
        assert stored["x" * 60_000]["tlog"]["rec"] == "large"
        repaired = stored[LATIN.decode("utf-8", "replace")]
        assert base64.b64decode(repaired["ttyscribe"]["raw"]).strip() == LATIN
        (dead,) = chain.dead()
        assert b"no JSON" in base64.b64decode(dead["raw"])
        assert len(chain.normalizers()) == 1
        assert "suspended" not in chain.daemon.said()
