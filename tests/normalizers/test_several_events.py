# SPDX-License-Identifier: Apache-2.0
"""One message of many events, through the real program: each event is stored or refused by itself, and the line is done
when all of them are."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.normalizers.process import Running, run, wait_for
from tests.normalizers.samples import line
from tests.normalizers.test_aushape import compact, event
from tests.store.stand_in import Action, Handler, StandIn, answer, standing_in
from ttyscribe_formats.words import query_terms
from ttyscribe_store.base import Query
from ttyscribe_store.open import open_store

OK = b"OK\n"
MESSAGE = line(compact([event(serial=serial) for serial in (1, 2, 3)]), program="aushape")
REFUSED = {"type": "mapper_parsing_exception", "reason": "failed to parse"}


def picky(*refused: int, held: int = 0, status: int = 400) -> Action:
    """Answers as an engine that refuses events of these serials, and the first time holds back another."""
    state = {"held": held}

    def act(handler: Handler, body: bytes) -> None:
        serials = [json.loads(entry)["aushape"]["serial"] for entry in body.splitlines()[1::2]]
        items: list[dict[str, Any]] = []
        for serial in serials:
            if serial in refused:
                items.append({"status": status, "error": REFUSED})
            elif serial == state["held"]:
                items.append({"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "busy"}})
            else:
                items.append({"status": 201})
        state["held"] = 0
        answer(200, {"errors": True, "items": [{"create": item} for item in items]})(handler, body)

    return act


def sent(engine: StandIn) -> list[list[int]]:
    """Serials of the events in each bulk request."""
    return [[json.loads(entry)["aushape"]["serial"] for entry in body.splitlines()[1::2]] for body in engine.bulks]


def dead(path: Path) -> list[Any]:
    """What the dead letter holds."""
    return [json.loads(entry) for entry in path.read_bytes().splitlines()] if path.exists() else []


def serials(folder: Path, text: str = "ps") -> list[str]:
    """Messages of the stored events that a search finds, with their serials."""
    store = open_store(f"sqlite:{folder}")
    try:
        found = store.search(Query(terms=query_terms(text)))
        return sorted(hit.document_id.split(":")[3] for hit in found)
    finally:
        store.close()


PROTOCOLS = {
    "omprog": ("--protocol", "omprog"),
    "omprog with a spool": ("--protocol", "omprog", "--spool", "spool"),
    "ndjson": ("--protocol", "ndjson"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_refused_event_goes_to_the_dead_letter_by_itself(tmp_path: Path, protocol: tuple[str, ...]) -> None:
    with (
        standing_in(*[picky(2)] * 100) as engine,
        Running(tmp_path, *protocol, "--output", engine.url, "--dead-letter", "dead") as program,
    ):
        if "omprog" in protocol:
            assert program.answer() == OK
            assert program.ask(MESSAGE) == OK
        else:
            program.send(MESSAGE)
        wait_for(lambda: dead(tmp_path / "dead"), "the refused event in the dead letter")
        assert program.finish() in (0, 1)
        assert "2 stored" in program.said()
        assert sent(engine) == [[1, 2, 3]]
    (entry,) = dead(tmp_path / "dead")
    assert entry["status"] == "rejected"
    assert entry["document"]["aushape"]["serial"] == 2
    assert base64.b64decode(entry["raw"]) == MESSAGE


def test_the_line_is_held_until_every_event_is_done_and_only_what_is_not_goes_again(tmp_path: Path) -> None:
    with (
        standing_in(*[picky(2, held=3)] * 100) as engine,
        Running(tmp_path, "--protocol", "omprog", "--output", engine.url, "--dead-letter", "dead") as program,
    ):
        assert program.answer() == OK
        assert program.ask(MESSAGE) == OK
        assert program.finish() == 0
    assert sent(engine) == [[1, 2, 3], [3]]
    assert len(dead(tmp_path / "dead")) == 1


def test_a_replayed_dead_letter_stores_what_was_refused_and_nothing_twice(tmp_path: Path) -> None:
    with (
        standing_in(*[picky(2)] * 100) as engine,
        Running(tmp_path, "--protocol", "ndjson", "--output", engine.url, "--dead-letter", "dead") as program,
    ):
        program.send(MESSAGE)
        program.finish()
    store = ("--output", f"sqlite:{tmp_path}/store")
    rest = line(compact([event(serial=serial) for serial in (1, 3)]), program="aushape")
    run(tmp_path, rest + b"\n", "--protocol", "ndjson", *store)
    run(tmp_path, b"", "--replay", "dead", *store)
    assert serials(tmp_path / "store") == ["1", "2", "3"]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_event_is_found_by_its_words_on_sqlite(tmp_path: Path, protocol: tuple[str, ...]) -> None:
    store = ("--output", f"sqlite:{tmp_path}/store")
    with Running(tmp_path, *protocol, *store) as program:
        if "omprog" in protocol:
            assert program.answer() == OK
            assert program.ask(MESSAGE) == OK
            assert program.ask(MESSAGE) == OK
        else:
            program.send(MESSAGE, MESSAGE)
        assert program.finish() == 0
    assert serials(tmp_path / "store") == ["1", "2", "3"]
    assert serials(tmp_path / "store", '"ada ran ps"') == ["1", "2", "3"]
