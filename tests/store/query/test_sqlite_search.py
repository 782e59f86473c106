# SPDX-License-Identifier: Apache-2.0
"""Ways into a file of the store on SQLite: which indices are asked, and how much is read for the first hits."""

import random
import signal
import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import MS, START_NS, make_syslog, make_tlog
from ttyscribe_formats import timestamp
from ttyscribe_store import sqlite_rows, sqlite_search
from ttyscribe_store.base import Query
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.query.parser import parse
from ttyscribe_store.query.sqlite import FUNCTIONS
from ttyscribe_store.sqlite import SqliteStore

FILE = "2026.11.sqlite"
COUNT = 3000


def documents() -> Iterator[Any]:
    """Some that have a common word and a third of them another; few have a rare one."""
    for number in range(COUNT):
        text = "common" + " third" * (number % 3 == 0) + " rare" * (number % 1000 == 999)
        time_ns = START_NS + number // 2 * MS  # two each share their time
        if number % 2:
            yield make_tlog(
                number, text, rec=f"r{number % 7}", user=f"u{number % 5}", time_ms=time_ns // MS, pos=number
            )
        else:
            item = make_syslog(number, text, host=f"h{number % 3}", time_ns=time_ns)
            item["ttyscribe"]["kind"] = "aushape"
            yield item | {"file": {"path": [f"/usr/bin/p{number % 90}", "/etc/shadow" if number % 600 == 0 else "/x"]}}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqliteStore, MemoryStore, Path]]:
    """The same documents in both stores, and the file."""
    folder = tmp_path_factory.mktemp("search")
    store, plain = SqliteStore(str(folder)), MemoryStore()
    items = list(documents())
    assert store.write(items) == plain.write(items)
    yield store, plain, folder / FILE
    store.close()


QUERIES = (
    *("common", "third", "rare", "common third", "common rare", "!common", "!third", "third OR rare", "rare !third"),
    *("user:u3", "user:u*", "user:u3 third", "session:7", "session:8", "rec:r3", "rec:r*", "host:h1", "host:none"),
    *("path:/etc/shadow", "path:/etc/*", "path:/usr/*", "path:*hado*", 'path~"p1[0-3]$"', "!path:/usr/*", "exe:/x"),
    *("path:*bin* third", "path:/usr/bin/* path:*p1*", "path:/etc/shadow OR rare", "(rare user:u4) OR rec:r1"),
    *("common !path:*", "kind:tlog", "kind:tlog !third", "common path:/usr/* third", "line:*abc*", "ip:10.0.0.1"),
    *(f"since:{timestamp.to_text(START_NS + 900 * MS)} third", f"until:{timestamp.to_text(START_NS + 9 * MS)}"),
    f"common since:{timestamp.to_text(START_NS + 1400 * MS)} path:*shadow*",
)


@pytest.mark.parametrize("query", QUERIES)
def test_both_ways_lead_to_the_same_documents(filled: Any, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, plain, _ = filled
    asked = Query(where=parse(query, timestamp.parse), limit=COUNT)
    wanted = [hit.document_id for hit in plain.search(asked)]
    for few, size in ((1000, 256), (0, 7), (10**6, 7), (40, 100)):
        monkeypatch.setattr(sqlite_search, "_FEW", few)
        monkeypatch.setattr(sqlite_search, "_SLICE", size)
        monkeypatch.setattr(sqlite_search, "_LONGEST_SLICE", size)
        assert [hit.document_id for hit in store.search(asked)] == wanted


WORDED = (
    "common",
    "third",
    "common third",
    "third OR rare",
    "common !third",
    "(rare OR third) common",
    "third user:u3",
)


@pytest.mark.parametrize("order", ["as written", "mixed", "backwards"])
def test_words_are_found_whatever_the_order_of_writing(
    tmp_path: Path, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = list(documents())
    if order == "mixed":
        random.Random(9).shuffle(items)
    elif order == "backwards":
        items.reverse()
    store, plain = SqliteStore(str(tmp_path / "store")), MemoryStore()
    assert store.write(items) == plain.write(items)
    for gap, worth in ((64, 8), (1, 2), (10**9, 1)):
        monkeypatch.setattr(sqlite_search, "_GAP", gap)
        monkeypatch.setattr(sqlite_search, "_WORTH", worth)
        monkeypatch.setattr(sqlite_search, "_FEW", 2)
        for query in WORDED:
            for limit in (3, COUNT):
                asked = Query(where=parse(query, timestamp.parse), limit=limit)
                found = [hit.document_id for hit in store.search(asked)]
                assert found == [hit.document_id for hit in plain.search(asked)]
    store.close()


class Watched:
    """One file, and what was asked of it."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self.statements: list[tuple[str, Sequence[Any]]] = []
        self.rows = self.documents = 0
        for name, call in FUNCTIONS.items():
            self._connection.create_function(name, 2, call, deterministic=True)

    def read(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Its rows."""
        self.statements.append((sql, values))
        found = self._connection.execute(sql, values).fetchall()
        self.rows += len(found)
        return found

    def load(self, numbers: Sequence[int]) -> dict[int, Any]:
        """Its documents."""
        self.documents += len(numbers)
        asked = self._connection.execute
        found = {n: asked("SELECT time_us, id, body FROM document WHERE number = ?", (n,)).fetchone() for n in numbers}
        return {n: sqlite_search.Found(at, key, sqlite_rows.with_words(body)) for n, (at, key, body) in found.items()}

    def plans(self) -> list[str]:
        """How the statements were carried out."""
        explained = (self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values) for sql, values in self.statements)
        return [row[3] for plan in explained for row in plan]

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@pytest.fixture
def watched(filled: Any) -> Iterator[Watched]:
    """The file."""
    one = Watched(filled[2])
    yield one
    one.close()


def first(watched: Watched, query: str) -> None:
    """Ask for one hit."""
    hits = sqlite_search.found(parse(query, timestamp.parse), watched.read, watched.load)
    next(hits, None)


@pytest.mark.parametrize("query", ["common", "!rare", "kind:tlog", "user:u*", "path:/usr/*", "common !third"])
def test_the_first_hit_of_many_needs_but_a_few_rows(watched: Watched, query: str) -> None:
    first(watched, query)
    assert watched.rows < 600
    assert watched.documents <= 8


def test_documents_without_a_common_word_are_not_read(watched: Watched) -> None:
    hits = sqlite_search.found(parse("third", timestamp.parse), watched.read, watched.load, 100)
    for _ in range(100):
        next(hits)
    assert watched.documents == 100


TABLES = ("document", "piece", "value", "distinct_value")


@pytest.mark.parametrize(
    ("query", "step"),
    [
        ("rare", "SCAN words VIRTUAL TABLE"),
        ("rare user:u3", "SCAN words VIRTUAL TABLE"),
        ("path:/etc/shadow", "SEARCH value USING PRIMARY KEY (field=? AND value=?"),
        ("path:/etc/*", "SEARCH value USING PRIMARY KEY (field=? AND value>? AND value<?"),
        ("path:*hado*", "SCAN value_trigrams VIRTUAL TABLE"),
        ('path~"/sha.*ow"', "SEARCH value USING PRIMARY KEY (field=? AND value=?"),
        ("exe:/usr/*/none", "SCAN value_trigrams VIRTUAL TABLE"),
        ("path:*77", "SEARCH value USING PRIMARY KEY (field=? AND value>?"),
        ("session:8", "SEARCH value USING PRIMARY KEY (field=? AND value=?"),
        ("user:nobody", "SEARCH value USING PRIMARY KEY (field=? AND value=?"),
        ("rec:none", "COVERING INDEX document_by_recording (recording=?"),
        ("host:nowhere", "SEARCH document USING COVERING INDEX document_by_time (time_us>?"),
        ("line:*abcd*", "SCAN trigrams VIRTUAL TABLE"),
    ],
)
def test_an_index_leads_to_what_is_rare(watched: Watched, query: str, step: str) -> None:
    first(watched, query)
    steps = watched.plans()
    assert any(step in line for line in steps), steps
    assert not {tuple(line.split()[:2]) for line in steps} & {("SCAN", name) for name in TABLES}, steps
    if query != "host:nowhere":
        assert watched.rows < 320


def test_nothing_is_read_before_a_hit_is_wanted(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _, _ = filled
    asked: list[str] = []
    read: Any = store._read

    def noted(name: str, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        asked.append(sql)
        rows: list[Any] = read(name, sql, values)
        return rows

    monkeypatch.setattr(store, "_read", noted)
    hits = store.search(Query(where=parse("common", timestamp.parse), limit=10**9))
    assert asked == []
    next(hits)
    few = len(asked)
    assert few < 8
    assert sum(1 for _ in hits) == COUNT - 1


def test_a_document_that_goes_meanwhile_is_no_hit(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "store"))
    store.write([make_tlog(number, "word", rec=f"r{number}", pos=number) for number in range(1, 100)])
    hits = store.search(Query([["word"]]))
    assert next(hits).recording == "r1"
    assert store.delete("r50") == 1
    assert len(list(hits)) == 97
    store.close()


def test_names_are_bound_and_never_part_of_a_statement() -> None:
    hostile = "x' OR 1=1; DROP TABLE document; --"
    asked: list[tuple[str, Any]] = []

    def read(sql: str, values: Sequence[Any]) -> list[Any]:
        asked.append((sql, values))
        return [(0,)] if "count(*)" in sql else []

    fields = ("user", "host", "rec", "path", "exe", "kind")
    for query in (*(f'{name}:"{hostile}"' for name in fields), *(f'{name}~"DROP TABLE"' for name in fields)):
        assert not list(sqlite_search.found(parse(query, int), read, partial(dict)))
    for query in (f'"*{hostile}*"', 'line~"DROP TABLE"', f'cmd:"*{hostile}*"', f'"{hostile}"'):
        assert not list(sqlite_search.found(parse(query, int), read, partial(dict)))
    assert asked
    assert not [sql for sql, _ in asked if "DROP" in sql or "1=1" in sql]


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.mark.parametrize("sql", [ENDLESS, f"{ENDLESS} WHERE ttyscribe_regex('a', 'b') OR ttyscribe_wild('[\"a\"]', x)"])
def test_ctrl_c_need_not_wait_for_a_statement_to_end(filled: Any, sql: str) -> None:
    store, _, _ = filled
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            store._read("2026.11", sql)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert next(store.search(Query([["common"]])), None) is not None
