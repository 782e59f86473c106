# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a SQLite file is found, whatever it is; what is right is never complained of."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.samples import documents, make_recording, make_syslog, make_tlog
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.care import sqlite_check
from ttyscribe_store.care.findings import Finding
from ttyscribe_store.derive.indexer import bring_up_to_date
from ttyscribe_store.sqlite import SqliteStore

FILE = "2026.11.sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with all kinds of documents, derived ones too."""
    store = SqliteStore(str(tmp_path / "store"))
    store.setup()
    store.write(
        documents(make_recording("alpha", [b"$ ", b"cat /etc/shadow", b"\r\n", "größe 寿司 👩\u200d🚀\r\n$ ".encode()]))
    )
    audit: Any = make_syslog(3, "ada ran cat", kind="aushape", audit_session=7)
    more = {"user": {"name": "root", "audit": {"name": "ada"}}, "file": {"path": ["/bin/cat", "/etc/shadow"]}}
    store.write([make_syslog(1), audit | more, make_tlog(1 << 70, "far", pos=0), make_tlog(1, user="a\ud800b\x00")])
    store.write([make_tlog(n, f"word{n} common", rec="beta") for n in range(1, 50)])
    bring_up_to_date(store)
    store.delete("beta")
    store.close()
    return tmp_path / "store"


def found(folder: Path, *, quick: bool = False) -> list[Finding]:
    """What is found."""
    return list(sqlite_check.check(str(folder), lambda _, __: None, quick=quick))


def change(folder: Path, *statements: str, file: str = FILE) -> None:
    """Do something to a file behind the store's back."""
    connection = sqlite3.connect(folder / file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_what_a_store_wrote_is_sound(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    assert list(sqlite_check.check(str(folder), lambda *at: told.append(at))) == []
    assert told[-1][0] == told[-1][1]
    assert sorted(told) == told


TEXT = "SELECT 'x' || text FROM piece LIMIT 1"
WRONG = {
    "word index: one too many": ("INSERT INTO words (rowid, text) VALUES (1, 'zebra')", "word index"),
    "word index: empty": ("INSERT INTO words (words) VALUES ('delete-all')", "word index"),
    "a field lost": ("DELETE FROM value WHERE number IN (SELECT number FROM value LIMIT 1)", "table of fields"),
    "a field invented": ("INSERT INTO value VALUES ('exe', '/bin/true', 1)", "table of fields"),
    "a command changed": (f"UPDATE piece SET text = ({TEXT}) WHERE id = 1", "lines and commands"),
    "trigrams: empty": ("INSERT INTO trigrams (trigrams) VALUES ('delete-all')", "parts of lines"),
    "trigrams: one too many": ("INSERT INTO trigrams (rowid, text) VALUES (1, 'zebra')", "parts of lines"),
    "a path lost": ("DELETE FROM distinct_value WHERE value = '/bin/cat'", "table of paths and programs"),
    "a path invented": ("INSERT INTO distinct_value (value) VALUES ('/bin/true')", "table of paths and programs"),
    "parts of paths: empty": ("INSERT INTO value_trigrams (value_trigrams) VALUES ('delete-all')", "parts of paths"),
    "parts of paths: one too many": ("INSERT INTO value_trigrams (rowid, text) VALUES (1, 'zebra')", "parts of paths"),
    "a column changed": ("UPDATE document SET host = 'elsewhere' WHERE number = 2", "columns do not agree"),
    "trust changed": ("UPDATE document SET trust = 0 WHERE number = 1", "columns do not agree"),
    "an id moved": ("UPDATE document SET message_id = 77 WHERE number = 2", "columns do not agree"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_agree_is_named(folder: Path, name: str) -> None:
    statement, about = WRONG[name]
    change(folder, statement)
    texts = [finding.text for finding in found(folder)]
    assert all("run ttyscribe store rebuild" in text for text in texts)
    assert any(about in text for text in texts)
    assert found(folder, quick=True) == []


def test_a_damaged_page_is_named_and_the_other_files_are_looked_at(folder: Path) -> None:
    store = SqliteStore(str(folder))
    store.write([make_tlog(n, f"word{n} " * 300, rec="old", partition="2026.10") for n in range(1, 60)])
    store.close()
    data = bytearray((folder / "2026.10.sqlite").read_bytes())
    data[4096 * 5 : 4096 * 9] = b"\xff" * (4096 * 4)
    (folder / "2026.10.sqlite").write_bytes(data)
    change(folder, "INSERT INTO value VALUES ('exe', '/bin/true', 1)")
    kinds = {(finding.kind, finding.where) for finding in found(folder)}
    assert kinds == {("damage", "2026.10.sqlite"), ("index", FILE)}


def test_garbage_is_damage(folder: Path) -> None:
    (folder / "2026.09.sqlite").write_bytes(b"garbage " * 1000)
    (finding,) = found(folder)
    assert (finding.kind, finding.where) == ("damage", "2026.09.sqlite")


def test_what_cannot_be_opened_is_told_as_it_is(folder: Path) -> None:
    (folder / "2026.01.sqlite").mkdir()
    with pytest.raises(Unavailable, match=r"2026\.01\.sqlite: can't be"):
        found(folder)


def test_a_document_in_two_files_is_a_double(folder: Path) -> None:
    store = SqliteStore(str(folder))
    store.write([make_syslog(1, partition="implausible-time"), make_syslog(9, partition="implausible-time")])
    store.close()
    (finding,) = found(folder)
    assert (finding.kind, finding.text) == ("double", "is in 2026.11 and implausible-time")


def test_what_is_derived_of_nothing_dangles(folder: Path) -> None:
    store = SqliteStore(str(folder))
    store.write([make_tlog(1, "hello", rec="gone")])
    bring_up_to_date(store)
    with store._files.writing("2026.11") as connection:
        connection.execute("DELETE FROM document WHERE recording = 'gone' AND kind = 'tlog'")
    store.close()
    kinds = {(finding.kind, finding.recording) for finding in found(folder)}
    assert ("dangling", "gone") in kinds


def test_while_others_write_and_read_it_is_sound(folder: Path) -> None:
    store = SqliteStore(str(folder))

    def writing() -> Iterator[int]:
        for number in range(10):
            store.write([make_tlog(number * 10 + n, "more", rec="busy") for n in range(1, 11)])
            yield store.count()

    for _ in writing():
        assert found(folder) == []
    store.close()


texts = st.text(st.characters(codec=None) | st.sampled_from("\0\ud800\ufffe\uffff\u200d \t"), max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=4))
def test_whatever_was_shown_it_agrees(tmp_path_factory: pytest.TempPathFactory, shown: list[str]) -> None:
    folder = tmp_path_factory.mktemp("any")
    store = SqliteStore(str(folder))
    outputs = [text.encode("utf-8", "replace") + b"\r\n$ " for text in shown]
    store.write(documents(make_recording("any", outputs)))
    store.write([make_syslog(n, text, host=text or "h") for n, text in enumerate(shown)])
    bring_up_to_date(store)
    store.close()
    assert found(folder) == []
