# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment, the indexer leaves what its next run makes equal to a rebuild, and no file damaged."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.store.samples import documents, make_execution, make_recording
from ttyscribe_store.base import DERIVED
from ttyscribe_store.care.sqlite_check import check
from ttyscribe_store.derive.indexer import bring_up_to_date
from ttyscribe_store.derive.rules import VERSION
from ttyscribe_store.elastic import ElasticStore
from ttyscribe_store.memory import MemoryStore
from ttyscribe_store.open import open_store
from ttyscribe_store.sqlite import SqliteStore
from ttyscribe_store.sqlite_rows import document_of

LONG = bool(os.environ.get("TTYSCRIBE_TEST_LONG"))
INDEXER = """
import sys
from ttyscribe_store.derive.indexer import Indexer
from ttyscribe_store.open import open_store
store = open_store(sys.argv[1])
while True:
    print("again", flush=True)
    for recording in [one.recording for one in store.counts()][:3]:
        store.replace(recording, [])  # so that all of it has to be written
    Indexer(store).round(again=True)
"""


def facts() -> list[Any]:
    """Messages of some recordings, one of them over the end of a month."""
    dice = random.Random(7)
    found = []
    for number in range(8):
        outputs = [b"$ cmd %d\r\n%s\r\n" % (n, dice.randbytes(30).hex().encode()) for n in range(25)]
        found += documents(make_recording(f"r{number}", outputs, step_ms=86_400_000 if number == 3 else 1000))
    return found + [make_execution(number, ["ls", str(number)], ms=number * 900) for number in range(20)]


def killed(url: str, times: int) -> None:
    """Start it so often and kill it somewhere in its work."""
    dice = random.Random()
    for _ in range(times):
        with subprocess.Popen([sys.executable, "-c", INDEXER, url], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "again\n"
            time.sleep(dice.random())
            assert process.poll() is None
            process.kill()


def whole() -> dict[str, Any]:
    """What is to be derived, made in one go elsewhere."""
    store = MemoryStore()
    store.write(facts())
    bring_up_to_date(store)
    found: list[Any] = list(store._documents.values())
    return {item["viaq_msg_id"]: _without_words(item) for item in found if item["ttyscribe"]["kind"] in DERIVED}


def _without_words(document: Any) -> Any:
    own = {name: value for name, value in document["ttyscribe"].items() if name != "words"}
    return document | {"ttyscribe": own}


def by_id(found: list[Any]) -> dict[str, Any]:
    """Documents by id; each once."""
    made = {item["viaq_msg_id"]: _without_words(item) for item in found}
    assert len(made) == len(found), "nothing is there twice"
    return made


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_on_sqlite(tmp_path: Path) -> None:
    folder, wanted = str(tmp_path / "store"), whole()
    store = open_store(f"sqlite:{folder}")
    assert isinstance(store, SqliteStore)
    store.setup()
    store.write(facts())
    for _ in range(10 if LONG else 1):
        killed(f"sqlite:{folder}", 5)
        assert list(check(folder, lambda _, __: None)) == []
        bring_up_to_date(store)
        assert store.behind(VERSION) == []
        sql = "SELECT body FROM document WHERE kind IN ('line', 'command', 'recording')"
        rows = [row for name in store._files.names() for row in store._files.read(name, sql)]
        assert by_id([document_of(body) for (body,) in rows]) == wanted
    store.close()


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(900)
def test_killed_on_an_engine(engine_url: str) -> None:
    store, wanted = ElasticStore(engine_url), whole()
    store.setup()
    store.write(facts())
    store.refresh()
    for _ in range(10 if LONG else 1):
        killed(engine_url, 5)
        body = {"size": 1000, "query": {"match_all": {}}, "sort": [{"viaq_msg_id": {"order": "asc"}}]}
        kinds = ",".join(f"{kind}-*" for kind in DERIVED)
        until = time.monotonic() + 60
        found: dict[str, Any] = {}
        while found != wanted and time.monotonic() < until:  # the last requests of the killed may still be under way
            store.refresh()
            bring_up_to_date(store)
            found = by_id([hit["_source"] for hit in store._hits(kinds, body)])
        assert found == wanted
        assert list(store.waiting(VERSION)) == []
    store.close()
