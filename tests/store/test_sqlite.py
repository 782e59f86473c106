# SPDX-License-Identifier: Apache-2.0
"""What the store on SQLite promises beyond the shared suite: its files, its limits, and that words are never syntax."""

import os
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.peers import require_root
from tests.store.samples import START_NS, documents, listed, make_recording, make_syslog, make_tlog
from ttyscribe_formats import timestamp
from ttyscribe_formats import words as word_rule
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store import sqlite_handles, sqlite_queries, sqlite_rows
from ttyscribe_store.base import DUPLICATE, STORED, Query, RecordingFilter
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.open import open_store
from ttyscribe_store.query.parser import parse
from ttyscribe_store.sqlite import SqliteStore

ANY = RecordingFilter()
FILE = "2026.11.sqlite"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the store is to be."""
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """A store that is set up."""
    store = SqliteStore(str(folder))
    store.setup()
    yield store
    store.close()


# ---- files


def test_files_are_for_owner_and_group_and_nothing_else_is_made(store: SqliteStore, folder: Path) -> None:
    store.write([make_tlog(1), make_syslog(1, partition="implausible-time")])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o640, path
    store.close()
    assert sorted(os.listdir(folder)) == [FILE, "implausible-time.sqlite"]
    assert os.listdir(folder.parent) == ["store"]


@pytest.mark.root
def test_what_root_makes_belongs_to_whom_the_folder_belongs(store: SqliteStore, folder: Path) -> None:
    require_root()
    os.chown(folder, 65534, 65533)
    assert store.write([make_tlog(1)]) == [STORED]
    assert len(list(folder.iterdir())) == 3
    assert {(path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()} == {(65534, 65533)}


def test_setup_makes_what_is_above_and_writing_only_the_folder(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "a" / "b"))
    for step in (store.check, lambda: store.write([make_tlog()])):
        with pytest.raises(Unavailable, match="ttyscribe setup"):
            step()
    assert store.setup() == [f"created {tmp_path}/a/b"]
    store.close()
    other = SqliteStore(str(tmp_path / "a" / "c"))
    assert other.write([make_tlog()]) == [STORED]
    other.close()


def _every_read(store: SqliteStore) -> list[Any]:
    return [
        *store.recordings(ANY),
        *store.messages("rec-1"),
        *store.search(Query([["hello"]])),
        *([store.count()] if store.count() else []),
    ]


def test_reading_what_is_not_there_is_a_clear_error_and_makes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(str(tmp_path / "missing"))
    for read in (store.count, lambda: list(store.recordings(ANY)), lambda: store.delete("rec-1")):
        with pytest.raises(ConfigError, match="no such folder"):
            read()
    assert os.listdir(tmp_path) == []


def test_reading_makes_no_file(store: SqliteStore, folder: Path) -> None:
    assert _every_read(store) == []
    assert os.listdir(folder) == []
    (folder / FILE).touch()
    (folder / "notes.sqlite").write_text("not ours")
    (folder / "2026.13.sqlite").write_text("not ours")
    assert _every_read(store) == [], "an empty file is one that is just being made"
    assert (folder / FILE).stat().st_size == 0
    assert store.write([make_tlog(1)]) == [STORED]
    store.close()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    reader = SqliteStore(str(folder))
    assert len(_every_read(reader)) == 3
    assert reader.delete("another") == 0
    reader.close()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_whose_name_is_full_of_signs_is_only_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "a?mode=memory&b#c%41 d'e\udcff"
    store = open_store(f"sqlite:{folder}")
    store.setup()
    assert store.write([make_tlog(1)]) == [STORED]
    assert store.count() == 1
    assert FILE in os.listdir(folder)
    store.close()


def test_a_store_stays_where_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:here")
    store.setup()
    monkeypatch.chdir("/")
    assert store.write([make_tlog(1)]) == [STORED]
    store.close()
    assert (tmp_path / "here" / FILE).exists()


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    store = open_store("sqlite:~/mine")
    assert store.setup() == [f"created {tmp_path}/mine"]
    store.close()


def _open_files(folder: Path) -> int:
    links = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that lists them
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return sum(link.startswith(str(folder)) for link in links)


def test_years_of_months_need_few_handles(folder: Path) -> None:
    store = SqliteStore(str(folder), max_open=2)
    months = [(year, month) for year in range(2022, 2026) for month in range(1, 13)]
    items = [
        stored
        for year, month in months
        for stored in documents(
            make_recording(
                f"rec-{year}-{month}", [b"same", b"words"], start_ns=timestamp.parse(f"{year}-{month:02}-03T00:00:00Z")
            )
        )
    ]
    items += documents(make_recording("long", [b"x"] * 40, step_ms=30 * 86_400_000, start_ns=START_NS // 4 * 3))
    store.setup()
    assert store.write(items[::-1]) == [STORED] * len(items)
    descriptors = 3 * 2
    assert _open_files(folder) <= descriptors
    hits = list(store.search(Query([["same"]])))
    assert [hit.recording for hit in hits] == [f"rec-{year}-{month}" for year, month in months]
    assert len(listed(store, ANY)) == 49
    assert [message.tlog["id"] for message in store.messages("long")] == list(range(1, 41))
    assert store.write(items) == [DUPLICATE] * len(items)
    assert _open_files(folder) <= 2 * descriptors
    store.close()
    assert _open_files(folder) == 0


def test_a_month_that_was_removed_is_gone_and_can_come_again(store: SqliteStore, folder: Path) -> None:
    store.write([make_tlog(1), make_tlog(2, partition="2026.10")])
    assert store.count() == 2
    for path in folder.glob("2026.11.*"):
        path.unlink()
    assert store.count() == 1
    assert [message.tlog["id"] for message in store.messages("rec-1")] == [2]
    assert store.write([make_tlog(1)]) == [STORED]
    assert store.count() == 2


def test_a_month_that_was_replaced_is_read_anew(store: SqliteStore, folder: Path, tmp_path: Path) -> None:
    other = SqliteStore(str(tmp_path / "other"))
    other.write([make_tlog(n) for n in (7, 8, 9)])
    other.close()
    store.write([make_tlog(1)])
    store.close()
    assert store.count() == 1
    os.replace(tmp_path / "other" / FILE, folder / FILE)
    assert [message.tlog["id"] for message in store.messages("rec-1")] == [7, 8, 9]
    assert store.write([make_tlog(7), make_tlog(1)]) == [DUPLICATE, STORED]


# ---- what is no store


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_place_of_the_folder_is_a_clear_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    store = SqliteStore(str(tmp_path / place))
    for step in (store.setup, store.check, lambda: store.write([make_tlog()]), store.count):
        with pytest.raises(ConfigError, match="file"):
            step()


@pytest.mark.parametrize("options", [{"sync": "off"}, {"sink": 1}], ids=str)
def test_settings_that_are_none_are_refused(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        open_store(f"sqlite:{folder}", **options)


def test_an_sqlite_without_word_index_is_said() -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ConfigError, match="without FTS5"), sqlite_handles.translated("x"):
        connection.execute("CREATE VIRTUAL TABLE x USING no_such_module (text)")
    connection.close()


def test_power_loss_can_be_guarded_against(folder: Path) -> None:
    for sync, level in (("normal", 1), ("full", 2)):
        store = SqliteStore(str(folder), sync=sync)
        store.write([make_tlog(1)])
        with store._files.writing("2026.11") as connection:
            assert connection.execute("PRAGMA synchronous").fetchone() == (level,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        store.close()


# ---- documents


def test_ids_of_any_size_are_exact_and_in_order(store: SqliteStore) -> None:
    numbers = [0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**64 + 1, 10**30, 256**40, 10**1000]
    store.write([make_tlog(number, pos=0) for number in reversed(numbers)])
    assert [message.tlog["id"] for message in store.messages("rec-1")] == numbers
    (recording,) = listed(store, ANY)
    assert (recording.first_id, recording.last_id, recording.distinct_ids) == (0, 10**1000, len(numbers))
    assert recording.missing == 10**1000 + 1 - len(numbers)


@given(st.lists(st.integers(-(2**63) + 1, 2**63) | st.integers(0, 2**70) | st.integers(0, 2**600), min_size=2))
def test_numbers_are_ordered_as_sqlite_orders_their_values(numbers: list[int]) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE number (value)")
    connection.executemany("INSERT INTO number VALUES (?)", [(sqlite_rows.ordered(number),) for number in numbers])
    values = [row[0] for row in connection.execute("SELECT value FROM number ORDER BY value")]
    connection.close()
    assert [sqlite_rows.ordered_back(value) for value in values] == sorted(numbers)


@pytest.mark.parametrize("name", ["\ud800", "a\udcffb", "a\0b", "\U0010ffff", "é"], ids=ascii)
def test_names_and_texts_are_kept_code_by_code(store: SqliteStore, name: str) -> None:
    document = make_tlog(1, f"out {name}", user=name, host=name, term=name)
    assert store.write([document, make_syslog(1, f"log {name}", host=name)]) == [STORED, STORED]
    assert store.write([document]) == [DUPLICATE]
    (recording,) = listed(store, RecordingFilter(user=name, host=name))
    assert (recording.user, recording.host, recording.term) == (name, name, name)
    assert [message.tlog for message in store.messages("rec-1")] == [document["tlog"]]
    hits = list(store.search(Query([], kind="tlog", user=name, host=name)))
    assert [hit.message for hit in hits] == [document["message"]]
    assert [hit.message for hit in store.search(Query([["log"]], host=name))] == [f"log {name}"]


@pytest.mark.parametrize(
    "own",
    [{"out_bytes": 2**60}, {"in_bytes": -1}, {"resizes": "x"}, {"last_ms": 2**63}, {"kind": None}, {"words": None}],
    ids=str,
)
def test_what_no_kind_makes_is_rejected_alone(store: SqliteStore, own: dict[str, Any]) -> None:
    bad: Any = make_tlog(2)
    bad["ttyscribe"] |= own
    outcomes = store.write([make_tlog(1), bad, make_tlog(3)])
    assert [outcome.status for outcome in outcomes] == ["stored", "rejected", "stored"]
    assert outcomes[1].reason
    assert store.count() == 2


def test_two_threads_may_share_a_store(store: SqliteStore) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 200, 10):
            assert store.write([make_tlog(n) for n in range(number, number + 10)]) == [STORED] * 10
            assert store.count() >= 10

    threads = [threading.Thread(target=work, args=(first,)) for first in (1, 201, 401)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [message.tlog["id"] for message in store.messages("rec-1")] == list(range(1, 601))


# ---- words


def test_every_word_of_the_rule_is_one_word_of_the_index_unchanged(store: SqliteStore, folder: Path) -> None:
    """For every character that there is: the tokenizer splits at blanks alone, and folds nothing."""
    expected = {word for code in range(0x110000) for word in word_rule.words(chr(code))}
    items = sorted(expected)
    store.write([make_syslog(n, words=" ".join(items[n : n + 5000])) for n in range(0, len(items), 5000)])
    connection = sqlite3.connect(folder / FILE)
    connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, words, row)")
    assert {row[0] for row in connection.execute("SELECT term FROM vocabulary")} == expected
    connection.close()


HOSTILE = ['"', '""', 'a"b', "*", "a*", "^a", "NEAR(a", "text:a", "-a", "a)", "(", "{a b}:", "+", "\0", "a\0", " ", ""]
_words = st.sampled_from(["a", "b", "c", "AND".lower(), "or", "not", "near", "é", *HOSTILE])
_texts = st.lists(st.sampled_from(["a", "b", "c", "and", "or", "not", "near", "é"]), max_size=6).map(" ".join)
_terms = st.lists(st.lists(_words, max_size=3), max_size=3)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_texts, _terms)
@example("a b", [["a", "OR", "zzz"]])
@example("a b", [[]])
@example("a b", [[""]])
def test_words_are_never_syntax(store: SqliteStore, text: str, terms: list[list[str]]) -> None:
    """Any words at all find what plain comparison of texts finds."""
    document = make_syslog(1, text, words=text)
    plain = MemoryStore()
    plain.write([document])
    store.write([make_syslog(2, "z", words="z", recording="gone"), {**document, "viaq_msg_id": f"log:{text}"}])
    found = [hit.message for hit in store.search(Query(terms, limit=10**6)) if hit.message == text]
    wanted = [hit.message for hit in plain.search(Query(terms))]
    assert found == wanted


def test_words_of_a_deleted_recording_leave_the_index(store: SqliteStore, folder: Path) -> None:
    store.write([make_tlog(n, f"keep secret{n}", rec=rec) for rec in ("r1", "r2") for n in (1, 2)])
    store.write([make_tlog(3, "onlyhere", rec="r1")])
    assert store.delete("r1") == 3
    connection = sqlite3.connect(folder / FILE)
    connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, words, instance)")
    assert {row[0] for row in connection.execute("SELECT term FROM vocabulary")} == {"keep", "secret1", "secret2"}
    connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
    connection.close()


def test_a_deleted_recording_leaves_no_trace_in_the_files(store: SqliteStore, folder: Path) -> None:
    def traces() -> int:
        content = b"".join(path.read_bytes() for path in folder.iterdir())
        return content.count(b"secretword") + content.count(b"secret-rec") + content.count(b"secret-host")

    store.write([make_tlog(n, f"keep word{n}") for n in range(1, 501)])
    store.write([make_tlog(n, f"secretword{n}", rec="secret-rec", host="secret-host") for n in range(1, 51)])
    store.write([make_tlog(n, f"keep word{n}") for n in range(501, 801)])
    assert traces() > 0
    reader = SqliteStore(str(folder))
    assert reader.count() == 850
    assert store.delete("secret-rec") == 50
    assert traces() == 0
    assert [hit.message for hit in reader.search(Query([["word77"]]))] == ["keep word77"]
    assert len(list(reader.search(Query([["keep"]])))) == 800
    reader.close()


# ---- speed that is a matter of the right index


@pytest.mark.parametrize(
    ("statement", "plan"),
    [
        ((sqlite_queries.ROWS, ()), ["USING INDEX document_row"]),
        ((sqlite_queries.ROW, (b"",)), ["USING INDEX document_row (recording=?"]),
        ((sqlite_queries.COUNTS, ()), ["USING COVERING INDEX document_by_recording"]),
        ((sqlite_queries.COUNT_OF, (b"",)), ["USING COVERING INDEX document_by_recording (recording=?"]),
        ((sqlite_queries.MESSAGES, (b"", 0, b"", 1)), ["USING INDEX document_by_recording (recording=?"]),
        ((sqlite_queries.SPAN, ()), ["USING COVERING INDEX document_by_time"]),
    ],
)
def test_no_question_looks_at_more_than_it_must(
    store: SqliteStore, folder: Path, statement: Any, plan: list[str]
) -> None:
    store.write([make_tlog(1)])
    connection = sqlite3.connect(folder / FILE)
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])]
    connection.close()
    for step in plan:
        assert any(step in line for line in steps), steps
    assert len([line for line in steps if line.startswith(("SCAN", "SEARCH"))]) == len(plan), steps


# ---- as the store in memory


@st.composite
def _documents(draw: st.DrawFn) -> Any:
    """Few recordings, ids and words, so that they collide; months apart."""
    number = draw(st.integers(0, 4))
    text = " ".join(draw(st.lists(st.sampled_from(["aa", "bb", "cc"]), max_size=3)))
    host, user = draw(st.sampled_from(["h1", "h2"])), draw(st.sampled_from(["ada", "bob"]))
    days = draw(st.sampled_from([0, 0, 1, 20, 60]))
    time_ms = START_NS // 1_000_000 + days * 86_400_000 + number
    if draw(st.booleans()):
        return make_syslog(number, text, host=host, time_ns=time_ms * 1_000_000)
    trust = draw(st.sampled_from(["none", "user", "system"]))
    rec = draw(st.sampled_from(["r1", "r2"]))
    return make_tlog(number, text, rec=rec, host=host, user=user, trust=trust, time_ms=time_ms, pos=number * 7)


_ATOMS = (
    *("aa", '"aa bb"', "user:ada", "user:*d*", "user:b*", "host:h1", 'host~"2$"', "kind:tlog", "rec:r1", "rec:*"),
    *("session:7", "trust:user", "trust:none", "level:info", "level:err"),
    *(f"since:{START_NS}", f"until:{START_NS + timestamp.DAY}"),
)
TREES = st.recursive(
    st.sampled_from(_ATOMS),
    lambda inner: (
        st.tuples(inner, st.sampled_from([" ", " OR "]), inner).map(lambda parts: f"({''.join(parts)})")
        | inner.map(lambda text: f"NOT {text}")
    ),
    max_leaves=5,
).map(lambda text: parse(text, int))
_steps = st.lists(st.lists(_documents(), max_size=6) | st.sampled_from(["r1", "r2"]), max_size=6)
_asked = st.builds(
    Query,
    terms=st.lists(st.lists(st.sampled_from(["aa", "bb"]), min_size=1, max_size=2), max_size=2),
    kind=st.sampled_from(["", "tlog", "syslog"]),
    user=st.sampled_from(["", "ada"]),
    host=st.sampled_from(["", "h1"]),
    recording=st.sampled_from(["", "", "r1"]),
    since_ns=st.sampled_from([0, START_NS + 1_000_000, START_NS + 30 * timestamp.DAY]),
    until_ns=st.sampled_from([0, START_NS + 2_000_000, START_NS + 30 * timestamp.DAY + 1]),
    limit=st.sampled_from([1, 3, 100]),
    where=TREES,
)


@settings(max_examples=60, deadline=None)
@given(_steps, st.lists(_asked, min_size=1, max_size=4))
def test_it_answers_as_the_store_in_memory_does(steps: list[Any], asked: list[Query]) -> None:
    plain = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(folder, max_open=1)
        known: dict[str, Any] = {}
        for step in steps:
            if isinstance(step, str):
                assert store.delete(step) == plain.delete(step)
                continue
            # who sent it is not part of a message's identity: the first to come stays
            batch = [known.setdefault(document["viaq_msg_id"], document) for document in step]
            assert store.write(batch) == plain.write(batch)
        assert store.count() == plain.count()
        assert listed(store, ANY) == listed(plain, ANY)
        for recording in ("r1", "r2"):
            assert list(store.messages(recording)) == list(plain.messages(recording))
        for query in asked:
            assert list(store.search(query)) == list(plain.search(query))
        store.close()
