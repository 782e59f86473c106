# SPDX-License-Identifier: Apache-2.0
"""What is derived, on every store: found, made again when facts come, and nothing left of what was."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.store.derive.stores import OnEngines, OnMemory, OnSqlite
from tests.store.samples import documents, make_recording
from ttyscribe_formats import timestamp
from ttyscribe_store.base import DERIVED, STORED, Query, Store
from ttyscribe_store.derive.derivation import derived
from ttyscribe_store.derive.documents import OVERLAP, PIECE
from ttyscribe_store.derive.hits import asks_for_kinds, everyday, folded
from ttyscribe_store.derive.indexer import Done, bring_up_to_date
from ttyscribe_store.query.parser import parse

SCHEMAS = Path(__file__).resolve().parents[3] / "normalizers" / "ttyscribe_normalizers" / "schemas"
SESSION = [
    b"$ ",
    b"cat /etc/sha",
    b"dow\r\nroot:x:0",
    b":0\r\n$ ",
    b"vi plan\r\n",
    b"\x1b[?1049h\x1b[Hsecret plan\r\n~",
]
SESSION += [b"\x1b[?1049l$ ", b"exit\r\n"]


def write(store: Store, items: list[Any]) -> None:
    """Store documents."""
    assert store.write(items) == [STORED] * len(items)
    store.refresh()


def find(store: Store, query: str) -> list[tuple[str, int, str]]:
    """Kind, place and text of each hit."""
    hits = store.search(Query(where=parse(query, timestamp.parse)))
    return [(hit.kind, hit.first_ms, hit.message) for hit in hits]


def _derived(store: Store) -> list[Any]:
    return derived("alpha", store.messages("alpha"))


class Suite:
    """The same on every store."""

    def test_lines_and_commands_are_found(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", SESSION, user="ada")))
        done = bring_up_to_date(store)
        assert done.recordings == 1
        assert find(store, 'cmd:"cat /etc/shadow"') == [("command", 2000, "cat /etc/shadow")]
        assert [text for _, _, text in find(store, "kind:command")] == ["cat /etc/shadow", "vi plan", "exit"]
        assert find(store, "line:*x:0:0*") == [("line", 2000, "root:x:0:0")]
        assert find(store, 'line~"^root:.*:0$"') == [("line", 2000, "root:x:0:0")]
        assert find(store, 'cmd~"^vi "') == [("command", 4000, "vi plan")]
        assert find(store, 'line:"*cret pl*"') == [("line", 5000, "secret plan")]
        assert find(store, 'kind:line "x 0 0"') == [("line", 2000, "root:x:0:0")]
        assert find(store, "user:ada kind:recording")[0][0] == "recording"
        assert find(store, "line:*nothing*") == []
        assert find(store, "!line:*root* kind:line user:ada")[0] == ("line", 0, "$ cat /etc/shadow")

    def test_what_is_up_to_date_is_left_alone_and_what_has_grown_is_derived_again(self, store: Store) -> None:
        first = documents(make_recording("alpha", SESSION[:4]))
        write(store, first)
        assert bring_up_to_date(store).recordings == 1
        assert bring_up_to_date(store) == Done(0, 0)
        whole = documents(make_recording("alpha", SESSION))
        known = {document["viaq_msg_id"] for document in first}
        write(store, [document for document in whole if document["viaq_msg_id"] not in known])
        assert bring_up_to_date(store).recordings == 1
        assert [text for _, _, text in find(store, "kind:command")] == ["cat /etc/shadow", "vi plan", "exit"]
        (one,) = store.derived()
        assert (one.recording, one.messages) == ("alpha", len(whole))

    def test_what_no_longer_follows_from_the_facts_is_removed(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", SESSION)))
        bring_up_to_date(store)
        count = store.count()
        row = [document for document in _derived(store) if document["ttyscribe"]["kind"] == "recording"]
        store.replace("alpha", row)
        store.refresh()
        assert find(store, "kind:line OR kind:command") == []
        assert bring_up_to_date(store, again=True).recordings == 1
        assert store.count() == count

    def test_derived_documents_fit_their_schemas(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", [*SESSION, b"x" * 20_000])))
        found = _derived(store)
        assert {document["ttyscribe"]["kind"] for document in found} == set(DERIVED)
        for document in found:
            name = f"{document['ttyscribe']['kind']}.schema.json"
            jsonschema.validate(document, json.loads((SCHEMAS / name).read_text()))

    def test_deriving_twice_gives_the_same(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", SESSION)))
        assert _derived(store) == _derived(store)
        bring_up_to_date(store)
        before = store.count()
        bring_up_to_date(store, again=True)
        assert store.count() == before

    def test_a_recording_that_is_deleted_takes_what_was_derived_with_it(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", SESSION)))
        bring_up_to_date(store)
        store.delete("alpha")
        store.refresh()
        assert store.count() == 0
        assert find(store, "line:*root*") == []
        assert bring_up_to_date(store) == Done(0, 0)

    def test_long_lines_are_found_at_the_borders_of_their_pieces(self, store: Store) -> None:
        text = "".join(f"{number:05}," for number in range(4000))
        write(store, documents(make_recording("alpha", [text.encode() + b"\r\n"])))
        bring_up_to_date(store)
        border = text[PIECE - OVERLAP // 2 : PIECE + OVERLAP // 2]
        assert len(find(store, f"line:*{border}*")) == 1
        assert len(find(store, "line:*00000,00001*")) == 1

    def test_a_recording_over_two_months_stays_in_the_months_of_its_facts(self, store: Store) -> None:
        start = timestamp.parse("2026-11-30T23:59:58Z")
        write(store, documents(make_recording("alpha", SESSION, start_ns=start)))
        bring_up_to_date(store)
        assert [text for _, _, text in find(store, "kind:command")] == ["cat /etc/shadow", "vi plan", "exit"]
        assert {document["ttyscribe"]["partition"] for document in _derived(store)} == {"2026.11", "2026.12"}
        bring_up_to_date(store, again=True)
        assert len(find(store, "kind:command")) == 3

    def test_one_sight_is_one_hit(self, store: Store) -> None:
        write(store, documents(make_recording("alpha", SESSION)))
        bring_up_to_date(store)

        def everyday_hits(query: str) -> list[tuple[str, int]]:
            tree = parse(query, timestamp.parse)
            assert not asks_for_kinds(tree)
            hits = folded(store.search(Query(where=everyday(tree))))
            return [(hit.kind, hit.first_ms) for hit in hits]

        assert everyday_hits("secret") == [("line", 5000)]
        assert everyday_hits('"x 0 0"') == [("line", 2000)]
        assert everyday_hits("shadow") == [("line", 0)]
        assert everyday_hits("cat") == [("line", 0)]
        assert asks_for_kinds(parse("a !(line:b OR c)", timestamp.parse))


class TestMemory(OnMemory, Suite):
    """In memory."""


class TestSqlite(OnSqlite, Suite):
    """On SQLite."""


@pytest.mark.engine
class TestEngines(OnEngines, Suite):
    """On each engine."""
