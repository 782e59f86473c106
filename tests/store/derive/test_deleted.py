# SPDX-License-Identifier: Apache-2.0
"""A recording that is deleted, whole or in part, while an indexer derives it: nothing of it comes back to stay."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.cli.command import complaint, ok, run
from tests.store.samples import documents, make_recording
from ttyscribe import deriving
from ttyscribe_formats import timestamp
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store import elastic
from ttyscribe_store.base import Query, Store
from ttyscribe_store.derive.indexer import Done, Indexer
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.query.parser import parse

OUTPUTS = [b"$ ", b"ls", b"\r\nsecret.txt\r\n$ "]


def meanwhile(monkeypatch: pytest.MonkeyPatch, store: Store, do: Callable[[], Any]) -> None:
    """Have something done, once, between the reading of a recording's messages and the writing of what was derived."""
    todo = [do]

    def before(method: Callable[..., Any]) -> Callable[..., Any]:
        def act(recording: str, *arguments: Any) -> Any:
            while todo:
                todo.pop()()
            return method(recording, *arguments)

        return act

    for name in ("replace", "amend"):
        monkeypatch.setattr(store, name, before(getattr(store, name)))


class Suite:
    """The same on all stores that an indexer and others may change at once."""

    def fill(self, store: Store, *names: str) -> None:
        """Recordings that have not ended."""
        for name in names:
            store.write(documents(make_recording(name, OUTPUTS)))
        store.refresh()

    def left(self, store: Store, recording: str) -> list[str]:
        """What there is of a recording."""
        store.refresh()
        tree = parse("kind:line OR kind:command OR kind:recording OR kind:tlog", timestamp.parse)
        return [hit.document_id for hit in store.search(Query(where=tree)) if hit.recording == recording]

    @pytest.mark.parametrize("grows", [False, True])
    def test_while_it_is_derived(self, store: Store, grows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fill(store, "alpha", "beta")
        indexer = Indexer(store)
        if grows:
            indexer.round()
            store.write(documents(make_recording("alpha", [*OUTPUTS, b"more\r\n"]))[len(OUTPUTS) :])
            store.refresh()
        meanwhile(monkeypatch, store, lambda: store.delete("alpha"))
        indexer.round()
        indexer.round()
        assert self.left(store, "alpha") == []
        assert indexer.round() == Done(0, 0)
        assert len(self.left(store, "beta")) > len(OUTPUTS)

    def test_while_it_is_derived_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fill(store, "alpha", "beta")
        meanwhile(monkeypatch, store, lambda: store.delete("alpha"))
        deriving.derive("http://engine", store)
        assert self.left(store, "alpha") == []
        assert len(self.left(store, "beta")) > len(OUTPUTS)

    def test_in_part_while_it_grows(self, store: Store) -> None:
        """As when a month is taken away: what is derived is of what is left."""
        before, after = (timestamp.parse(f"2026-{month}T12:00:00Z") for month in ("10-24", "11-24"))
        old = documents(make_recording("alpha", OUTPUTS, start_ns=before))
        new = documents(make_recording("alpha", [*OUTPUTS, b"new\r\n"], start_ns=after))[len(OUTPUTS) :]
        store.write([*old, *new])
        store.refresh()
        indexer = Indexer(store)
        indexer.round()
        self.drop(store, "2026.10")
        store.refresh()
        indexer.round()
        assert indexer.round() == Done(0, 0)
        found = self.left(store, "alpha")
        whole = MemoryStore()
        whole.write(new)
        Indexer(whole).round()
        assert sorted(found) == sorted(self.left(whole, "alpha"))

    def drop(self, store: Any, month: str) -> None:
        """Take a month away."""
        (one,) = [one for one in store.partitions() if one.name == month]
        store.drop(one)


class TestMemory(Suite):
    """In memory."""

    @pytest.fixture
    def store(self) -> Store:
        """An empty store."""
        return MemoryStore()

    def drop(self, store: Any, month: str) -> None:
        """Take a month away."""
        kept = {key: one for key, one in store._documents.items() if one["ttyscribe"]["partition"] != month}
        store._documents.clear()
        store._documents.update(kept)


@pytest.mark.engine
class TestEngines(Suite):
    """On each engine."""

    @pytest.fixture
    def store(self, kept_url: str) -> Iterator[Store]:
        """An empty store."""
        made = ElasticStore(kept_url)
        made.setup()
        yield made
        made.close()

    def test_a_deletion_that_was_ended_is_seen_and_can_be_made_again(
        self, store: ElasticStore, kept_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.fill(store, "alpha")
        Indexer(store).round()
        whole = self.left(store, "alpha")
        monkeypatch.setattr(elastic, "_DELETE_PAGE", 1)
        remove = store._writer.remove
        for count in (1, 4, len(whole) - 1):  # in the middle of the messages, of the rest, before the row
            todo = [remove] * count

            def ended(hits: Sequence[Any], todo: list[Any] = todo) -> int:
                if not todo:
                    raise Unavailable("killed")
                return int(todo.pop()(hits))

            monkeypatch.setattr(store._writer, "remove", ended)
            with pytest.raises(Unavailable):
                store.delete("alpha")
            messages = [one for one in self.left(store, "alpha") if one.startswith("tlog:")]
            assert {one.recording for one in store.derived()} == {"alpha"}
            monkeypatch.setattr(store._writer, "remove", remove)
            Indexer(store).round()
            assert bool(self.left(store, "alpha")) == bool(messages), "what was derived of it has gone with them"
            self.fill(store, "alpha")
            Indexer(store).round()
            assert self.left(store, "alpha") == whole
        ok("store", "delete", "--yes", "--store", kept_url, "alpha")
        assert self.left(store, "alpha") == []
        assert "there is no recording" in complaint(run("store", "delete", "--store", kept_url, "--yes", "alpha"), 2)
