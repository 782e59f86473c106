# SPDX-License-Identifier: Apache-2.0
"""What is derived bit by bit, as messages come, is what is derived of all of them at once."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.samples import START_NS, documents, listed, make_recording, make_tlog, message, stored
from ttyscribe_formats.tlog import MAX_POS_MS, from_fields, to_fields
from ttyscribe_store.base import DERIVED
from ttyscribe_store.derive import indexer
from ttyscribe_store.derive.derivation import Derivation, derived
from ttyscribe_store.derive.indexer import Done, Indexer, bring_up_to_date
from ttyscribe_store.derive.rules import VERSION
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.sqlite import SqliteStore

PIECES = st.sampled_from(
    (
        *(b"$ ", b"ls -l\r\n", b"total 0\r\n", b"x" * 200, b"\r\n", b"\r", b"\x1b[2J\x1b[H", "日本".encode()),
        *(
            b"\x1b[?1049h",
            b"\x1b[?1049l",
            b"line\r\n" * 30,
            b"\x1b]13",
            b"3;A\x07",
            b"\x1b]133;B\x07",
            b"\x1b[?20",
            b"04h",
        ),
    )
)
OUTPUTS = st.lists(st.lists(PIECES, min_size=1, max_size=4).map(b"".join), min_size=1, max_size=12)
FORGED = st.tuples(
    st.integers(0, 14),
    st.sampled_from(["$ rm -rf /\r\n", "fake\r\n"]),
    st.sampled_from(["none", "user", "system"]),
    st.sampled_from([4113, 7, -1]),
    st.sampled_from(["2026.11", "implausible-time"]),
)


def made(store: Any) -> dict[str, Any]:
    """Everything that is derived, by id."""
    return {key: item for key, item in store._documents.items() if item["ttyscribe"]["kind"] in DERIVED}


@settings(deadline=None, max_examples=150)
@given(st.data(), OUTPUTS, st.lists(FORGED, max_size=3), st.booleans())
def test_any_rounds_give_what_one_gives(data: Any, outputs: list[bytes], forged: list[Any], in_order: bool) -> None:
    items = documents(make_recording("alpha", outputs, step_ms=data.draw(st.sampled_from([10, 60, 1000]))))
    items += [
        make_tlog(number, text, rec="alpha", trust=trust, pid=pid, partition=partition, user="ada")
        for number, text, trust, pid, partition in forged
    ]
    items = list({item["viaq_msg_id"]: item for item in items}.values())  # of equal ones the first to come stays
    arriving = items if in_order else data.draw(st.permutations(items))
    store, whole = MemoryStore(), MemoryStore()
    rounds = Indexer(store)
    while arriving:
        count = data.draw(st.integers(1, len(arriving)))
        store.write([*arriving[:count], *arriving[: count // 2]])
        arriving = arriving[count:]
        rounds.round()
        assert rounds.round() == Done(0, 0), "nothing is left"
    whole.write(items)
    bring_up_to_date(whole)
    assert made(store) == made(whole)


def test_a_session_that_grows_is_played_once_and_little_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    items = documents(make_recording("alpha", [b"$ cmd %d\r\nanswer\r\n" % n for n in range(60)]))
    store = MemoryStore()
    rounds, fed = Indexer(store), []
    feed = Derivation.feed

    def counting(self: Derivation, messages: Any) -> None:
        there = list(messages)
        fed.append(len(there))
        feed(self, there)

    monkeypatch.setattr(Derivation, "feed", counting)
    written = []
    for item in items:
        store.write([item])
        written.append(rounds.round().documents)
    assert fed == [1] * 60
    assert max(written) < 60, "lines on the screen, and the row"
    assert len(made(store)) > 120


def test_memory_is_bounded_and_what_was_dropped_is_derived_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "LIVE", 2)
    store, whole = MemoryStore(), MemoryStore()
    rounds = Indexer(store)
    items = [documents(make_recording(f"r{n}", [b"a\r\n", b"b\r\n", b"c\r\n"])) for n in range(5)]
    for place in range(3):
        for one in items:
            store.write([one[place]])
        rounds.round()
        assert len(rounds._live) <= 2
    whole.write([item for one in items for item in one])
    bring_up_to_date(whole)
    assert made(store) == made(whole)


def test_another_indexer_in_between_is_noticed(tmp_path: Any) -> None:
    """A reader brought the folder up to date; who follows goes on from there."""
    store, other = SqliteStore(str(tmp_path)), SqliteStore(str(tmp_path))
    rounds = Indexer(store)
    items = documents(make_recording("alpha", [b"$ ls\r\n", b"a\r\n", b"b\r\n", b"c\r\n"]))
    for item in items[:3]:
        store.write([item])
        assert (rounds.round() if item is not items[1] else bring_up_to_date(other)).recordings == 1
    store.write([items[3]])
    assert rounds.round().recordings == 1
    assert other.behind(VERSION) == []
    count = store.count()
    bring_up_to_date(other, again=True)
    assert store.count() == count
    store.close()
    other.close()


def test_what_was_masked_is_in_nothing_that_is_derived() -> None:
    """The recorder left the secret out; the mark that says so adds nothing of it, and no command is made of it."""
    mask = {"v": 1, "mask": [[2100, 2900]]}
    texts = ["$ ", "sudo id\r\n[sudo] password for ada: ", "\r\nuid=0(root)\r\n$ ", "exit\r\n"]
    items = [message(number, text, pos=number * 1000) for number, text in enumerate(texts, 1)]
    items[2] = from_fields(to_fields(items[2]) | {"ttyscribe": mask})
    store = MemoryStore()
    store.write([stored(item) for item in items])
    bring_up_to_date(store)
    text = json.dumps(list(made(store).values()))
    assert "mask" not in text
    commands = [item["command"]["text"] for key, item in made(store).items() if key.startswith("cmd:")]
    assert commands == [["sudo id"], ["exit"]]
    lines = [item["line"]["text"][0] for key, item in made(store).items() if key.startswith("line:")]
    assert lines == ["$ sudo id", "[sudo] password for ada:", "uid=0(root)", "$ exit"]


def test_what_a_forger_claims_of_time_and_size_stops_nothing() -> None:
    worst: dict[str, Any] = {"pos": MAX_POS_MS, "time_ms": 4_102_444_800_000, "partition": "implausible-time"}
    items = [make_tlog(1), make_tlog(2, **worst), make_tlog(3, pos=MAX_POS_MS, time_ms=0, timing="=500x500>5")]
    for item in items:
        item["ttyscribe"] |= {"out_bytes": 2**48 - 1, "last_ms": 2**63 - 1}
    store = MemoryStore()
    store.write(items)
    (row,) = listed(store)
    assert row.messages == 3
    assert row.start_ns == START_NS
    assert row.last_ns < 2**63


def test_names_beyond_count_fit_every_filter() -> None:
    """Whoever names a thousand users can make a recording fit more, and never keep it from fitting."""
    from ttyscribe_store.base import RecordingFilter
    from ttyscribe_store.derive import row

    store = MemoryStore()
    store.write([make_tlog(number, rec="r", user=f"u{number:05}") for number in range(1, row.NAMES + 3)])
    for name in ("u00001", f"u{row.NAMES + 2:05}", "nobody"):
        assert [one.users for one in listed(store, RecordingFilter(user=name))] == [row.NAMES + 1]


def test_nothing_is_derived_of_no_messages() -> None:
    assert derived("alpha", []) == []
