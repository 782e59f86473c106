# SPDX-License-Identifier: Apache-2.0
"""Hostile lines under every protocol: each becomes what the design's table says, and the line behind it is stored."""

import base64
import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fluentd.exec_filter import ExecFilter
from tests.normalizers.poison import BROKEN, DEAD, EMPTY, LINES, MESSAGES, STORED, Poison
from tests.normalizers.process import PROGRAM, Running, wait_for
from tests.normalizers.samples import line
from ttyscribe_store import sqlite_rows
from ttyscribe_store.base import Query, Store
from ttyscribe_store.open import open_store

Feed = Callable[[Running, list[bytes]], None]
BEHIND = "behind number %d"


def confirm(program: Running, lines: list[bytes]) -> None:
    """Line by line."""
    for one in lines:
        assert program.ask(one) == b"OK\n"


def transaction(program: Running, lines: list[bytes]) -> None:
    """All of them in one transaction, as far as it goes: what is no line for the store ends it."""
    inside = False
    for one in lines:
        if not inside:
            assert program.ask(b"BEGIN TRANSACTION") == b"OK\n"
        inside = program.ask(one) == b"DEFER_COMMIT\n"
    if inside:
        assert program.ask(b"COMMIT TRANSACTION") == b"OK\n"


def pipe(program: Running, lines: list[bytes]) -> None:
    """Nothing is confirmed."""
    program.send(*lines)


WAYS: dict[str, tuple[tuple[str, ...], Feed]] = {
    "confirm": (("--protocol", "omprog"), confirm),
    "transactions": (("--protocol", "omprog"), transaction),
    "confirm and spool": (("--protocol", "omprog", "--spool", "spool"), confirm),
    "transactions and spool": (("--protocol", "omprog", "--spool", "spool"), transaction),
    "ndjson": (("--protocol", "ndjson"), pipe),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Where it all ends up."""
    opened = open_store(f"sqlite:{tmp_path}/store")
    opened.setup()
    yield opened
    opened.close()


def found(store: Store) -> list[str]:
    """Messages that are stored."""
    return [hit.message for hit in store.search(Query([], limit=10_000))]


@pytest.mark.parametrize("way", WAYS)
def test_each_becomes_what_the_table_says_and_the_line_behind_it_is_stored(
    way: str, store: Store, tmp_path: Path
) -> None:
    """One after the other in one process: the line behind is there before the next poison is sent."""
    options, feed = WAYS[way]
    arguments = (*options, "--output", f"sqlite:{tmp_path}/store", "--dead-letter", str(tmp_path / "dead"))
    with Running(tmp_path, *arguments) as program:
        if "omprog" in options:
            assert program.answer() == b"OK\n"
        for number, (name, poison) in enumerate(LINES.items()):
            text = BEHIND % number
            feed(program, [poison.raw, line(text, id=f"behind-{number}")])
            wait_for(lambda: text in found(store), f"the line behind {name}; {program.said()}")  # noqa: B023
            assert poison.message in ("", *found(store)), name
        status = program.finish()
        said = program.said()
    assert status == (1 if way == "ndjson" else 0)  # there is something in the dead letter
    assert "Traceback" not in said
    assert "poison" not in said
    assert "holding" not in said
    wanted = {name: (way == "ndjson" and one.on_pipe) or one.becomes for name, one in LINES.items()}
    assert_outcomes(wanted, store, tmp_path)


def assert_outcomes(wanted: dict[str, str], store: Store, folder: Path) -> None:
    """Each poison exactly once where it belongs."""
    count = Counter(wanted.values())
    entries = [json.loads(entry) for entry in (folder / "dead").read_bytes().splitlines()]
    names = {poison.raw[: 2 << 20]: name for name, poison in LINES.items()}
    dead = [names[base64.b64decode(entry["raw"])] for entry in entries]
    assert sorted(dead) == sorted(name for name, becomes in wanted.items() if becomes == DEAD)
    assert {entry["status"] for entry in entries} <= {"unparsable", "too-long"}
    with_error = [one for one in documents(folder / "store") if "error" in one["ttyscribe"]]
    broken = [list(LINES)[int(one["viaq_msg_id"].rpartition("-")[2])] for one in with_error]
    assert sorted(broken) == sorted(name for name, becomes in wanted.items() if becomes == BROKEN)
    assert {one["ttyscribe"]["kind"] for one in with_error} == {"syslog"}
    assert len(found(store)) == len(LINES) + count[STORED] + count[BROKEN]


def documents(folder: Path) -> Iterator[Any]:
    """All documents as they are stored."""
    for path in folder.glob("*.sqlite"):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            for (body,) in database.execute("SELECT body FROM document"):
                yield sqlite_rows.document_of(body)


RECORDS = {name: {"message": text} for name, (text, _) in MESSAGES.items()}
JUNK = {name: poison.raw for name, poison in LINES.items()}


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_under_fluentd_each_comes_out_and_the_record_behind_it_too(form: str, tmp_path: Path) -> None:
    """Whatever is in a record: Fluentd's reader would be gone for good after one bad line."""
    command = [*PROGRAM, "--protocol", f"fluentd-{form}"]
    with ExecFilter(command, form, tmp_path) as fluentd:
        for number, (name, record) in enumerate(RECORDS.items()):
            fluentd.send(record, {"message": BEHIND % number})
            fluentd.wait(2 * number + 2)
            assert BEHIND % number in fluentd.records[-1]["message"], name
        count = len(fluentd.records)
        odd: list[Any] = [7, None, [1], "text", {}, {"message": None}, {"message": ["x"]}, {"message": 1 << 63}]
        for number, record in enumerate(odd):
            fluentd.send(record, {"message": f"after {number}"})
            wait_for(lambda: f"after {number}" in fluentd.records[-1]["message"], f"what is behind {record!r}")  # noqa: B023
        assert fluentd.stop() == 0
        assert not fluentd.dead_reader
        assert len(fluentd.records) >= count + len(odd)
        assert "Traceback" not in fluentd.said()


def test_under_fluentd_lines_that_are_no_json_harm_nobody(tmp_path: Path) -> None:
    with ExecFilter([*PROGRAM, "--protocol", "fluentd-json"], "json", tmp_path) as fluentd:
        for number, (name, raw) in enumerate(JUNK.items()):
            fluentd.send_raw(raw + b"\n")
            fluentd.send({"message": BEHIND % number})
            wait_for(lambda: any(BEHIND % number in str(one.get("message")) for one in fluentd.records[-3:]), name)  # noqa: B023
        assert fluentd.stop() == 0
        assert not fluentd.dead_reader
        assert "Traceback" not in fluentd.said()


def test_the_list_has_every_outcome() -> None:
    assert {poison.becomes for poison in LINES.values()} == {STORED, BROKEN, DEAD, EMPTY}
    assert all(isinstance(poison, Poison) for poison in LINES.values())
