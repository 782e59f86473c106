# SPDX-License-Identifier: Apache-2.0
"""Places of what is no part of a recording, by the rows of recordings."""

from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import MS, START_NS, documents, make_recording, make_syslog
from ttyscribe_formats.place import Place
from ttyscribe_formats.tlog import UNSET_SESSION
from ttyscribe_store.base import Hit, Query, Store
from ttyscribe_store.derive.derivation import derived
from ttyscribe_store.derive.places import Places, chosen
from ttyscribe_store.executions import SLACK_NS
from ttyscribe_store.open import open_store

BOOT, OTHER_BOOT = "a" * 32, "b" * 32
SECOND = 1000 * MS


def one(**fields: Any) -> Hit:
    """A hit: an event one second after the start, or the row of a recording of ten seconds."""
    base = Hit("id", "aushape", START_NS + SECOND, "web7", "ada", "", 0, 0, "", "", "system", 7, BOOT)
    return base._replace(**fields)


def row(recording: str, **fields: Any) -> Hit:
    """The row of a recording."""
    return one(kind="recording", recording=recording, time_ns=START_NS, last_ms=10_000)._replace(**fields)


@pytest.mark.parametrize(
    ("event", "rows", "wanted"),
    [
        ({}, [row("r")], "r"),
        ({}, [row("r", session=8)], ""),
        ({}, [row("r", boot_id=OTHER_BOOT)], ""),
        ({}, [row("r", host="another name")], "r"),
        ({}, [row("r", boot_id="")], "r"),
        ({}, [row("r", boot_id="", host="db1")], ""),
        ({"boot_id": ""}, [row("r")], "r"),
        ({"boot_id": "", "host": "db1"}, [row("r")], ""),
        ({"session": -1}, [row("r", session=-1)], ""),
        ({"time_ns": START_NS - SLACK_NS - 1}, [row("r")], ""),
        ({"time_ns": START_NS - SLACK_NS}, [row("r")], "r"),
        ({"time_ns": START_NS + 10 * SECOND + SLACK_NS}, [row("r")], "r"),
        ({"time_ns": START_NS + 10 * SECOND + SLACK_NS + 1}, [row("r")], ""),
        ({}, [row("early"), row("late", time_ns=START_NS + MS), row("after", time_ns=START_NS + 60 * SECOND)], "late"),
        ({}, [row("true"), row("forged", time_ns=START_NS + MS, trust="user")], "true"),
        ({}, [row("forged", trust="none")], "forged"),
        ({}, [], ""),
    ],
)
def test_the_recording_that_shows_an_event(event: dict[str, Any], rows: list[Hit], wanted: str) -> None:
    found = chosen(one(**event), rows)
    assert (found.recording if found else "") == wanted


def filled(url: str) -> Store:
    """A store with recordings of one session on two hosts, derived, and events."""
    store = open_store(url)
    store.setup()
    for rec, host, trust, start in (("r1", "web7", "system", 0), ("r2", "db1", "system", 0), ("r3", "web7", "user", 5)):
        messages = make_recording(rec, [b"$ ls\r\n", b"$ "], host=host, start_ns=START_NS + start * SECOND)
        store.write(documents(messages, trust=trust))
        store.refresh()
        made = derived(rec, store.messages(rec))
        store.replace(rec, made)
    event = {"time_ns": START_NS + 500 * MS, "audit_session": 7}
    store.write([make_syslog(1, "an event", host="web7", **event)])
    store.write([make_syslog(2, "an event", host="db1", **event)])
    store.write([make_syslog(3, "an event", host="db2", **event)])
    store.write([make_syslog(4, "an event", host="web7", time_ns=event["time_ns"])])
    store.write([make_syslog(5, "an event", host="web7", time_ns=event["time_ns"], audit_session=UNSET_SESSION)])
    store.write([make_syslog(6, "an event", host="web7", time_ns=START_NS + 3600 * SECOND, audit_session=7)])
    store.refresh()
    return store


def check(store: Store) -> None:
    """Each event's place, by its own id."""
    places = Places(store)
    found = {hit.document_id: places.of(hit) for hit in store.search(Query([["event"]]))}
    wanted = dict(zip(_ids(), [Place("r1", 500), Place("r2", 500), None, None, None, None], strict=True))
    assert found == wanted
    line = next(store.search(Query(kind="line", host="db1")))
    assert places.of(line) == Place("r2", line.first_ms)
    store.close()


def _ids() -> list[str]:
    return [make_syslog(number)["viaq_msg_id"] for number in range(1, 7)]


def test_in_memory() -> None:
    check(filled("memory:"))


def test_on_sqlite(tmp_path: Path) -> None:
    check(filled(f"sqlite:{tmp_path}/store"))


@pytest.mark.engine
def test_on_engines(engine_url: str) -> None:
    check(filled(engine_url))


def test_many_hits_of_one_session_ask_once(tmp_path: Path) -> None:
    store = filled(f"sqlite:{tmp_path}/store")
    (hit, *_) = store.search(Query([["event"]], host="web7"))
    asked: list[Query] = []

    class Watched:
        def search(self, query: Query) -> Any:
            asked.append(query)
            return store.search(query)

    places = Places(Watched())  # type: ignore[arg-type] # nothing else of a store is used
    for number in range(1000):
        assert places.of(hit._replace(time_ns=hit.time_ns + number)) == Place("r1", 500)
    assert len(asked) == 1
    store.close()


def test_forged_recordings_without_number_do_not_keep_the_true_one_out() -> None:
    rows = [row(f"forged{number}", trust="none", time_ns=START_NS - number) for number in range(500)]

    class Forged:
        def search(self, query: Query) -> Any:
            trusted = "system" in repr(query.where)
            return iter([row("true")] if trusted else rows[: query.limit])

    assert Places(Forged()).of(one()) == Place("true", 1000)  # type: ignore[arg-type] # as above
