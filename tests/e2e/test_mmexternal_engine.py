# SPDX-License-Identifier: Apache-2.0
"""The sample with mmexternal and omelasticsearch before a real engine: everything stored once, whatever is killed."""

import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.chain import PATIENCE, wait
from tests.e2e.conftest import ONE_ENGINE, Place, stored_document
from tests.e2e.filter_chain import FilterChain
from tests.e2e.proxy import Proxy
from tests.e2e.traffic import Ledger, datagram, mixed
from ttyscribe_formats import tlog
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import Query, Store
from ttyscribe_store.derive.rules import computed
from ttyscribe_store.open import open_store

pytestmark = [pytest.mark.rsyslogd, pytest.mark.slow]

COUNT = 1500


def count(store: Store) -> int:
    """Documents in the store; an engine refuses for a moment after each new index."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            store.refresh()
            return store.count()
        except Unavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bare_place", ONE_ENGINE, indirect=True)
def test_everything_is_stored_once_through_kills_and_an_outage(place: Place, tmp_path: Path) -> None:
    """MMN-1, MMN-2, MMN-8: filter and rsyslogd are killed, the engine is away; then the divert file is replayed, and
    all files that were sent already are sent once more by omprog's way of storing them."""
    ledger = Ledger()
    traffic = list(mixed(COUNT, ledger))
    address = urlsplit(place.url)
    proxy = Proxy(address.hostname or "", address.port or 0)
    store = open_store(place.url)
    through = f"http://127.0.0.1:{proxy.port}{address.path}"
    with FilterChain(through, tmp_path) as chain:
        for burst in range(6):
            chain.send(traffic[burst * 250 : burst * 250 + 250])
            chain.wait_read()
            if burst in (1, 3):
                chain.kill_child()
            if burst == 2:
                chain.kill()
                chain.start()
            if burst == 4:
                proxy.down()
                time.sleep(2)
                proxy.up()

        def arrived() -> int:
            return count(store) + len({entry["id"] for entry in chain.entries("diverted")})

        wait(lambda: arrived() >= ledger.total, lambda: f"{arrived()} of {ledger.total}; {chain.said()}", 120, 0.5)
        chain.stop()
        if chain.entries("diverted"):
            chain.replay("diverted", place.url)
        assert chain.entries("rejected") == chain.entries("failed-requests") == []
    assert count(store) == ledger.total
    made = [computed(one.recording, store.messages(one.recording)) for one in store.counts()]
    rows = [row for row in made if row is not None]
    wanted = {tlog.decode(line).rec for line in ledger.tlog}
    assert {row.recording for row in rows} == wanted
    assert all((row.missing, row.conflicts) == (0, 0) for row in rows)
    stored = {tlog.canonical(tlog.from_fields(one.tlog)) for rec in wanted for one in store.messages(rec)}
    assert stored == {tlog.canonical(tlog.decode(line)) for line in ledger.tlog}


SPOILING = """
import json, sys, time
from ttyscribe_normalizers import build, mmexternal, options
stamped = mmexternal.Stamped()
pipeline = build.build(options.parse(["--protocol", "mmexternal"], ""), stamped.around)
normalizer = mmexternal.Normalizer(pipeline, stamped, time.time_ns, print)
for line in sys.stdin.buffer:
    reply = normalizer.line(line.strip())
    own = reply["$!"]["normalized"]
    if "bad" in own["document"]:
        own["document"] = json.dumps(json.loads(own["document"]) | {"_id": "no field"})
    print(json.dumps(reply), flush=True)
"""


@pytest.mark.parametrize("bare_place", ONE_ENGINE, indirect=True)
def test_what_the_engine_refuses_for_itself_is_put_aside(place: Place, tmp_path: Path) -> None:
    """MMN-8: beside good documents of the same request, which are stored."""
    store = open_store(place.url)
    with FilterChain(place.url, tmp_path, child=[sys.executable, "-c", SPOILING]) as chain:
        chain.send(datagram(text, "daemon") for text in (b"one", b"bad", b"two"))
        (rejected,) = chain.wait_entries("rejected", 1)
        wait(lambda: count(store) == 2, lambda: f"{count(store)} stored")
        assert rejected["status"] == "rejected"
        assert rejected["reason"].startswith("400 ")
        assert rejected["document"]["message"] == "bad"
        (found,) = [hit.document_id for hit in store.search(Query([["one"]]))]
        assert stored_document(place, found)["message"] == "one"
