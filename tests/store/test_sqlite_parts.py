# SPDX-License-Identifier: Apache-2.0
"""Paths and programs by parts of them in the store on SQLite: each value once, and gone with its last document."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import make_syslog
from ttyscribe_store import sqlite_changes as changes
from ttyscribe_store import sqlite_rows as rows
from ttyscribe_store.base import STORED, Query
from ttyscribe_store.care import sqlite_check
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.query.parser import parse
from ttyscribe_store.sqlite import SqliteStore

FILE = "2026.11.sqlite"
CAT, SHADOW = "/usr/bin/cat", "/etc/shadow"


def event(number: int, *paths: str, exe: str = CAT, recording: str = "r1") -> Any:
    """An audit event."""
    found: Any = make_syslog(number, "event", kind="aushape", recording=recording)
    return found | {"file": {"path": list(paths)}, "process": {"executable": exe}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a store is."""
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """A store."""
    one = SqliteStore(str(folder))
    yield one
    one.close()


def kept(folder: Path) -> set[str]:
    """The values that are kept to be found by parts, if all that finds documents agrees with them."""
    assert [one for one in sqlite_check.check(str(folder), lambda _, __: None) if one.kind != "dangling"] == []
    connection = sqlite3.connect(folder / FILE)
    connection.text_factory = lambda data: data.decode("utf-8", "surrogatepass")
    values = [row[0] for row in connection.execute("SELECT value FROM distinct_value")]
    connection.close()
    assert len(values) == len(set(values))
    return set(values)


def blocks(folder: Path, table: str) -> bytes:
    """What an index is made of, with what was forgotten and is still there."""
    connection = sqlite3.connect(folder / FILE)
    found = b"".join(row[0] for row in connection.execute(f"SELECT block FROM {table}_data ORDER BY id"))
    connection.close()
    return found


def ids(store: Any, query: str) -> list[str]:
    """What is found."""
    return [hit.document_id for hit in store.search(Query(where=parse(query, int), limit=10_000))]


def test_a_value_is_kept_once_however_often_it_is_written(store: SqliteStore, folder: Path) -> None:
    for number in range(6):
        assert store.write([event(number, SHADOW, CAT), event(number + 10, SHADOW, exe="/bin/id")]) == [STORED] * 2
    assert kept(folder) == {SHADOW, CAT, "/bin/id"}
    assert len(ids(store, "path:*hado*")) == 12
    assert len(ids(store, 'exe~"/bin/.*cat$"')) == 6
    assert len(ids(store, "path:*bin/cat")) == 6
    assert ids(store, "path:*bin/id") == []


def test_a_value_goes_with_its_last_document(store: SqliteStore, folder: Path) -> None:
    store.write([event(1, SHADOW, "/srv/a"), event(2, SHADOW, "/srv/b", recording="r2")])
    store.write([event(3, exe="/srv/a", recording="r3")])
    assert store.delete("r1") == 1
    assert kept(folder) == {SHADOW, "/srv/b", "/srv/a", CAT}, "one is a program of another document"
    assert len(ids(store, "path:*srv*")) == 1
    assert store.delete("r3") == 1
    assert kept(folder) == {SHADOW, "/srv/b", CAT}
    assert store.delete("r2") == 1
    assert kept(folder) == set()
    store.write([event(4, SHADOW)])
    assert len(ids(store, "path:*hado*")) == 1


def test_what_is_deleted_leaves_no_parts_in_the_files(store: SqliteStore, folder: Path) -> None:
    for number in range(40):
        line = event(200 + number, "/keep/this") | {"line": {"text": [f"Q{number}zz shown"]}}
        line["ttyscribe"] = line["ttyscribe"] | {"kind": "line", "recording": f"gone{number % 2}"}
        store.write([event(number, f"/QQsecret/{number}", recording="gone0"), line])
        store.write([event(100 + number, f"/keep/{number}", recording="stays")])
    written = b"QQs", b"zz "
    assert written[0] in blocks(folder, "value_trigrams")
    assert written[1] in blocks(folder, "trigrams")
    assert store.delete("gone0") == 60
    assert store.delete("gone1") == 20
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"QQsecret" not in content
    assert written[0] not in blocks(folder, "value_trigrams")
    assert written[1] not in blocks(folder, "trigrams")
    assert kept(folder) == {CAT} | {f"/keep/{number}" for number in range(40)}


ODD = (
    *("", "a", "ab", "abc", "/etc/a\ud800needle", "/x/ab\0needle", "\0\0\0", "/é/寿司needle", "/\ufffeneedle"),
    *("%needle_", "needle" * 1300, "n" * 8191, "n" * 8192, "NEEDLE", "nee\ndle", 'q"need"le'),
)
ASKED = (
    *("path:*needle*", 'path~"needle$"', "path:*ab*", "exe:*eedle", "path:/etc/*dle", "path:*\ud800nee*"),
    *('path~"ab.needle"', 'path:"*\\"need\\"*"', "exe:*nnn*", "path:*%nee*", "!path:*needle*", "path:*n*e*e*"),
    *("path:*needle* exe:*needle*", "path:*needle* OR exe:*abc*", 'path~"(needle){3}"', 'exe~"(abc|寿司)"'),
    *("path:*寿司n*", "exe:*a*", 'path~"n.+le"'),
)


@pytest.mark.parametrize("again", [False, True])
def test_odd_values_are_found_as_in_memory(store: SqliteStore, folder: Path, again: bool) -> None:
    plain = MemoryStore()
    chance = random.Random(3)
    items = [event(n, *chance.sample(ODD, 2), exe=chance.choice(ODD), recording=f"r{n % 2}") for n in range(200)]
    for number in range(0, 200, 20):
        assert store.write(items[number : number + 20]) == plain.write(items[number : number + 20])
    if again:
        assert store.delete("r1") == plain.delete("r1") == 100
        assert store.write(items[50:60]) == plain.write(items[50:60])
    for query in ASKED:
        assert ids(store, query) == ids(plain, query), query
    assert kept(folder)


@pytest.mark.parametrize("alone", [False, True])
def test_who_writes_and_deletes_in_turns_agrees(store: SqliteStore, folder: Path, alone: bool) -> None:
    other, chance = store if alone else SqliteStore(str(folder)), random.Random(5)
    for number in range(150):
        one = chance.choice((store, other))
        some = [event(number * 3 + k, f"/p/{chance.randint(0, 5)}", recording=f"r{number % 7}") for k in range(3)]
        if number % 10 == 9:
            with suppress(ZeroDivisionError), one._files.writing("2026.11") as connection:
                changes.put(connection, rows.to_row(event(9999, "/p/5")), one._seen.at_begin(connection))
                raise ZeroDivisionError
        one.write(some)
        if chance.random() < 0.3:
            rec, care = f"r{chance.randint(0, 6)}", chance.choice((store, other))
            care.replace(rec, []) if chance.random() < 0.5 else care.delete(rec)
        if chance.random() < 0.1:
            derived = event(7000, f"/p/{chance.randint(0, 5)}", recording="rx")
            derived["ttyscribe"] |= {"kind": "line"}
            store.replace("rx", [derived])
    store.write([event(8000, "/p/last", recording="once")])
    assert other.delete("once") == 1
    store.write([event(8001, "/p/last", recording="once")])
    assert len(ids(other, "path:*last*")) == 1
    assert other.delete("once") == 1
    wanted = {path for path in kept(folder) if path.startswith("/p/")}
    assert wanted == {f"/p/{n}" for n in range(6) if ids(other, f"path:/p/{n}")}
    for n in range(6):
        assert ids(store, f"path:*p/{n}") == ids(other, f"path:/p/{n}")
    other.close()


def test_a_value_that_is_known_is_not_written_again(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Noted(set[str]):
        def __rsub__(self, other: Any) -> set[str]:
            found: set[str] = set(other) - set(self)
            asked.append(found)
            return found

    assert store.write([event(1, SHADOW)]) == [STORED]
    monkeypatch.setattr(store._seen, "_values", Noted(store._seen._values))
    assert store.write([event(2, SHADOW, "/srv/a")]) == [STORED]
    assert asked == [{"/srv/a"}]
    assert store.delete("r1") == 2
    assert store.write([event(3, SHADOW)]) == [STORED]
    assert asked == [{"/srv/a"}], "after a deletion nothing is known"
