# SPDX-License-Identifier: Apache-2.0
"""Commands from audit: on every store, whichever comes first, and the same as if all had been there at once."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.derive.stores import OnEngines, OnMemory, OnSqlite
from tests.store.derive.test_indexer import SCHEMAS, SESSION, find, write
from tests.store.samples import HOST, START_NS, documents, make_execution, make_recording
from ttyscribe_formats.document import Document
from ttyscribe_formats.tlog import UNSET_SESSION
from ttyscribe_store.base import DERIVED, Executed, Query, Recording, Session, Store
from ttyscribe_store.derive import programs
from ttyscribe_store.derive.indexer import Done, Indexer, bring_up_to_date
from ttyscribe_store.derive.rules import VERSION
from ttyscribe_store.executions import DAY_NS, SLACK_NS, belongs, in_days, of_document, session_during
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.partitions import Partition
from ttyscribe_store.query import nodes
from ttyscribe_store.sqlite import SqliteStore

BOOT, OTHER_BOOT = "a" * 32, "b" * 32
MS = 1_000_000
DAY_MS = DAY_NS // MS


def recorded(rec: str = "alpha", **more: Any) -> list[Document]:
    """A recording of 7 s in audit session 7 of `HOST`."""
    own = {name: more.pop(name) for name in ("boot_id", "trust") if name in more}
    return documents(make_recording(rec, SESSION, **more), **own)


def run(store: Store, recording: str = "alpha") -> list[tuple[int, str]]:
    """When and what audit saw start in a recording, by the commands that stand for it."""
    hits = store.search(Query(recording=recording, where=nodes.Exact("kind", "command")))
    return [(hit.first_ms, hit.message) for hit in hits if ":audit:" in hit.document_id]


def snapshot(store: Store) -> dict[str, Any]:
    """All that is derived."""
    asked = nodes.Or(tuple(nodes.Exact("kind", kind) for kind in DERIVED))
    rows = {one.recording: one for one in store.derived()}
    return {hit.document_id: (hit, rows.get(hit.recording)) for hit in store.search(Query(where=asked, limit=100_000))}


def rebuilt(store: Store) -> dict[str, Any]:
    """All that is derived, made anew."""
    bring_up_to_date(store, again=True)
    return snapshot(store)


def of_row(store: Store, recording: str = "alpha") -> Executed:
    """What the row says."""
    (one,) = [one for one in store.derived() if one.recording == recording]
    return one.executed


class Suite:
    """The same on every store."""

    def test_what_audit_saw_start_is_a_command_of_the_recording(self, store: Store) -> None:
        write(store, [*recorded(), make_execution(1, ms=2100), make_execution(2, ["id"], ms=500, trust="user")])
        bring_up_to_date(store)
        assert run(store) == [(500, "id"), (2100, "cat /etc/shadow")]
        assert of_row(store) == Executed(2, 2)
        assert [place for kind, place, _ in find(store, "cmd:*shadow*") if kind == "command"] == [2000, 2100]
        assert [hit[1] for hit in find(store, "cmd:id user:ada host:web7.example.com trust:user")] == [500]
        assert bring_up_to_date(store) == Done(0, 0)
        assert store.behind(VERSION) == []
        assert snapshot(store) == rebuilt(store)

    @pytest.mark.parametrize(
        ("event", "joins"),
        [
            ({}, True),
            ({"boot_id": BOOT}, True),
            ({"boot_id": BOOT, "host": "another name"}, True),
            ({"boot_id": OTHER_BOOT}, False),
            ({"host": "another name"}, False),
            ({"session": 8}, False),
            ({"session": UNSET_SESSION}, False),
            ({"session": -1}, False),
            ({"action": "execveat"}, True),
            ({"action": "openat"}, False),
            ({"outcome": "failure"}, False),
            ({"ms": -SLACK_NS // MS - 1}, False),
            ({"ms": -SLACK_NS // MS}, True),
            ({"ms": 7000 + SLACK_NS // MS}, True),
            ({"ms": 7000 + SLACK_NS // MS + 1}, False),
        ],
    )
    def test_what_joins_a_recording(self, store: Store, event: dict[str, Any], joins: bool) -> None:
        write(store, [*recorded(boot_id=BOOT), make_execution(**event)])
        bring_up_to_date(store)
        assert len(run(store)) == joins

    @pytest.mark.parametrize(("event", "joins"), [({"boot_id": BOOT}, True), ({"boot_id": BOOT, "host": "db1"}, False)])
    def test_what_joins_a_recording_without_a_boot(self, store: Store, event: dict[str, Any], joins: bool) -> None:
        write(store, [*recorded(), make_execution(**event)])
        bring_up_to_date(store)
        assert len(run(store)) == joins

    def test_an_event_that_comes_late_makes_its_recordings_wait(self, store: Store) -> None:
        write(store, [*recorded(), *recorded("beta", host="db1"), *recorded("gamma", start_ns=START_NS + 3 * DAY_NS)])
        indexer = Indexer(store)
        assert indexer.round().recordings == 3
        write(store, [make_execution(1, ms=2100)])
        assert store.behind(VERSION) == ["alpha"]
        assert indexer.round().recordings == 1
        assert run(store) == [(2100, "cat /etc/shadow")]
        assert indexer.round() == Done(0, 0)
        store.write([make_execution(1, ms=2100)])  # again
        write(store, [make_execution(2, ["id"], ms=100), make_execution(3, host="db9")])
        assert store.behind(VERSION) == ["alpha"]
        assert indexer.round().recordings == 1
        assert run(store) == [(100, "id"), (2100, "cat /etc/shadow")]
        assert store.behind(VERSION) == []
        assert indexer.round() == Done(0, 0)
        assert snapshot(store) == rebuilt(store)

    def test_an_event_that_comes_before_its_recording(self, store: Store) -> None:
        write(store, [make_execution(1, ms=2100)])
        assert bring_up_to_date(store) == Done(0, 0)
        assert store.behind(VERSION) == []
        write(store, recorded())
        bring_up_to_date(store)
        assert run(store) == [(2100, "cat /etc/shadow")]

    def test_what_waits_for_its_recording_to_go_on(self, store: Store) -> None:
        items = recorded()
        write(store, [*items[:2], make_execution(1, ["sleep"], ms=20_000)])
        indexer = Indexer(store)
        indexer.round()
        assert (run(store), of_row(store)) == ([], Executed(0, 1))
        write(store, items[2:])
        indexer.round()
        assert run(store) == [(20_000, "sleep")]
        assert snapshot(store) == rebuilt(store)

    def test_over_the_end_of_a_month(self, store: Store) -> None:
        last = DAY_MS * 6 + DAY_MS // 2 - 130_000
        write(store, recorded(start_ns=START_NS + last * MS))
        write(store, [make_execution(number, [str(number)], ms=last + number * 1000) for number in range(10)])
        bring_up_to_date(store)
        assert run(store) == [(number * 1000, str(number)) for number in range(10)]
        assert snapshot(store) == rebuilt(store)

    def test_forged_recordings_take_nothing_away(self, store: Store) -> None:
        write(store, [*recorded(), *recorded("forged", trust="none"), make_execution(1, ms=2100)])
        bring_up_to_date(store)
        trusts = {hit.recording: hit.trust for hit in store.search(Query(where=nodes.Wild("cmd", ("cat", "shadow"))))}
        assert trusts == {"alpha": "system", "forged": "none"}

    def test_hostile_names_and_arguments(self, store: Store) -> None:
        host, text = "x\x00 7 '\"*", "a\n\x1b[2J\udc80 'b' " + "y" * 9000
        write(store, [*recorded(host=host), make_execution(1, ["sh", "-c", text], ms=10, host=host)])
        bring_up_to_date(store)
        ((ms, told),) = run(store)
        assert ms == 10
        assert told.startswith("sh -c 'a\\n\\x1b[2J")
        assert len(list(store.search(Query(where=nodes.Wild("cmd", ("", "yyy'")))))) == 1
        assert snapshot(store) == rebuilt(store)

    def test_deleting_a_recording_takes_its_commands_and_leaves_the_events(self, store: Store) -> None:
        write(store, [*recorded(), make_execution(1, ms=2100)])
        bring_up_to_date(store)
        store.delete("alpha")
        store.refresh()
        assert store.count() == 1
        write(store, [make_execution(2, ms=2200)])
        assert bring_up_to_date(store) == Done(0, 0)

    def test_they_fit_their_schema(self, store: Store) -> None:
        write(store, [*recorded(), make_execution(1, ms=2100)])
        made: list[Any] = []
        wrapped = _Kept(store, made)
        bring_up_to_date(wrapped)  # type: ignore[arg-type]
        found = [item for item in made if item["viaq_msg_id"].startswith("cmd:alpha:audit:")]
        assert len(found) == 1
        jsonschema.validate(found[0], json.loads((SCHEMAS / "command.schema.json").read_text()))
        wanted = {"text": ["cat /etc/shadow"], "ms": 2100, "source": "audit", "user": "ada"}
        assert found[0]["command"] == wanted | {"event": f"audit:{HOST}:1"}
        assert found[0]["@timestamp"] == "2026-11-24T12:00:02.223000+00:00"


class _Kept:
    """A store that keeps what it is to hold."""

    def __init__(self, store: Store, made: list[Any]) -> None:
        self._store, self._made = store, made

    def replace(self, recording: str, items: list[Document]) -> None:
        """Keep it."""
        self._made += items
        self._store.replace(recording, items)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class TestMemory(OnMemory, Suite):
    """In memory."""


class TestSqlite(OnSqlite, Suite):
    """On SQLite."""


@pytest.mark.engine
class TestEngines(OnEngines, Suite):
    """On each engine."""


# ---- however it comes


class Event(NamedTuple):
    """One, as it is drawn."""

    number: int
    argument: str
    ms: int
    host: str
    session: int
    boot_id: str
    trust: str


_EVENT = st.builds(
    Event,
    st.integers(0, 10**6),
    st.sampled_from(["id", "ls -l"]),
    st.integers(-20_000, 30_000) | st.sampled_from([-DAY_MS, DAY_MS, 7 * DAY_MS]),
    st.sampled_from([HOST, "db1"]),
    st.sampled_from([7, 7, 7, 8]),
    st.sampled_from(["", BOOT, OTHER_BOOT]),
    st.sampled_from(["system", "user"]),
)
_MESSAGES = [
    *recorded(),
    *recorded("beta", host="db1", boot_id=BOOT, start_ns=START_NS + 5000 * MS),
    *recorded("gamma", boot_id=OTHER_BOOT, start_ns=START_NS + 6 * DAY_NS + 43_000_000 * MS),
    *recorded("delta", boot_id=BOOT, trust="user"),
]
Story = list[list[int | Event]]
"""Messages by their place, and events, write by write."""


@st.composite
def _stories(draw: st.DrawFn) -> Story:
    """Documents in any order, in some writes."""
    events = draw(st.lists(_EVENT, max_size=12, unique_by=lambda event: (event.number, event.host)))
    items: list[int | Event] = [*range(len(_MESSAGES)), *events]
    items = draw(st.permutations(items)) if draw(st.booleans()) else items
    cuts = sorted(draw(st.lists(st.integers(0, len(items)), max_size=6)))
    return [items[start:end] for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]


def _told(story: Story) -> list[list[Document]]:
    def document(item: int | Event) -> Document:
        if isinstance(item, int):
            return _MESSAGES[item]
        fields = item._asdict()
        return make_execution(arguments=[fields.pop("argument")], **fields)

    return [list(map(document, items)) for items in story]


def _follow(store: Store, items_of: Story) -> None:
    story = _told(items_of)
    indexer = Indexer(store)
    for items in story:
        store.write(items)
        indexer.round()
        assert store.behind(VERSION) == []
    assert indexer.round() == Done(0, 0)
    found = snapshot(store)
    assert found == rebuilt(store)
    fresh = MemoryStore()
    fresh.write([item for items in story for item in items])
    bring_up_to_date(fresh)
    assert found == snapshot(fresh)


_SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_SETTINGS
@given(story=_stories())
def test_any_order_gives_the_same_in_memory(story: Story) -> None:
    _follow(MemoryStore(), story)


@pytest.mark.slow
@_SETTINGS
@given(story=_stories())
def test_any_order_gives_the_same_on_sqlite(tmp_path: Path, story: Story) -> None:
    store = SqliteStore(tempfile.mkdtemp(dir=tmp_path))
    store.setup()
    _follow(store, story)
    store.close()


def test_no_more_than_some_become_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "MOST", 5)
    store = MemoryStore()
    store.write(recorded())
    indexer = Indexer(store)
    for numbers in (range(10, 13), range(20, 24), range(24, 26), range(5)):
        store.write([make_execution(number, [str(number)], ms=number * 100) for number in numbers])
        indexer.round()
        assert of_row(store).within == sum(1 for document in store._documents.values() if of_document(document))
        assert snapshot(store) == rebuilt(store)
    assert [text for _, text in run(store)] == ["0", "1", "2", "3", "4"]


class _Counting(MemoryStore):
    """Counts the programs that are read."""

    read = 0

    def executions(self, session: Session) -> Iterator[Any]:
        """The same."""
        for one in super().executions(session):
            self.read += 1
            yield one


def test_a_session_that_grows_is_not_read_again_and_again() -> None:
    store = _Counting()
    items = documents(make_recording("alpha", [b"$ "] * 50, step_ms=60_000))
    store.write(items[:1])
    indexer = Indexer(store)
    indexer.round()
    for number, item in enumerate(islice(items, 1, None), 1):
        store.write([item, make_execution(number, [str(number)], ms=number * 60_000)])
        indexer.round()
    assert of_row(store) == Executed(49, 49)
    assert store.read <= 49 * 3
    assert snapshot(store) == rebuilt(store)


def test_a_session_that_is_left_alone_by_audit_is_asked_for_numbers_alone() -> None:
    store = _Counting()
    store.write([*recorded(), make_execution(1)])
    indexer = Indexer(store)
    indexer.round()
    read = store.read
    store.write(documents(make_recording("alpha", [*SESSION, b"more"])))
    assert indexer.round().recordings == 1
    assert store.read == read


def test_a_month_that_goes_takes_its_programs_along(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path))
    last = DAY_MS * 6 + DAY_MS // 2 - 123
    write(store, documents(make_recording("alpha", SESSION, start_ns=START_NS + (last + 1000) * MS)))
    write(store, [make_execution(1, ["before"], ms=last - 500), make_execution(2, ["behind"], ms=last + 1500)])
    indexer = Indexer(store)
    indexer.round()
    assert [text for _, text in run(store)] == ["before", "behind"]
    store.drop(Partition("2026.11", 0, ()))
    assert store.behind(VERSION) == ["alpha"]
    indexer.round()
    assert [text for _, text in run(store)] == ["behind"]
    assert snapshot(store) == rebuilt(store)
    store.close()


def test_a_month_that_goes_takes_its_messages_along(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path))
    start = START_NS + (DAY_MS * 6 + DAY_MS // 2 - 123 - 3000) * MS
    write(store, documents(make_recording("alpha", SESSION, start_ns=start)))
    indexer = Indexer(store)
    indexer.round()
    store.drop(Partition("2026.11", 0, ()))
    assert indexer.round().recordings == 1, "by one who remembers it"
    ((_, row),) = [value for key, value in snapshot(store).items() if key == "alpha"]
    assert 0 < row.messages < len(SESSION)
    assert snapshot(store) == rebuilt(store)
    store.close()


def test_marks_go_with_the_round_that_looked_at_them(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path))
    write(store, [make_execution(number, session=number % 3) for number in range(9)])

    def marks() -> list[Any]:
        connection = sqlite3.connect(tmp_path / "2026.11.sqlite")
        found = connection.execute("SELECT session, host, boot, changes FROM audited").fetchall()
        connection.close()
        return found

    assert marks() == [(session, HOST, "", 1) for session in range(3)]
    write(store, [make_execution(10, session=1)])
    assert marks()[1] == (1, HOST, "", 2)
    bring_up_to_date(store)
    assert marks() == []
    store.close()


def test_sessions_of_rows() -> None:
    row = Recording("r", "ada", HOST, "xterm", 7, START_NS, 5000, 1, 1, 1, 1, 0, 0, 0, "system", boot_id=BOOT)
    session = session_during(row)
    assert session is not None
    assert session[:3] == (7, HOST, BOOT)
    assert (session.since_ns, session.until_ns) == (START_NS - SLACK_NS, START_NS + 5000 * MS + SLACK_NS + 1000)
    days = in_days(session)
    assert (days.since_ns % DAY_NS, days.until_ns - days.since_ns) == (0, DAY_NS)
    assert session_during(row._replace(session=UNSET_SESSION)) is None
    assert session_during(row._replace(session=-1)) is None
    latest = session_during(row._replace(start_ns=2**63 - 1, duration_ms=2**40))
    assert latest is not None
    assert in_days(latest).until_ns == 2**63 - 1
    event = of_document(make_execution(1, boot_id=BOOT, host="x"))
    assert event is not None
    assert belongs(event, session)
