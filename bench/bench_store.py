# SPDX-License-Identifier: Apache-2.0
"""Documents into SQLite: documents a second and the writing process's own CPU a document.

The peer is Python's own sqlite3 with two statements, each one `executemany` a batch: a table of ids, times, hosts and
plain JSON with two indexes, and an FTS5 index of the same words. It compresses nothing, finds nothing by fields, and
takes every document for new.
"""

import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_normalizer import NORMALIZE, coloured, envelope, mixed  # noqa: E402
from ttyscribe_formats.document import Document  # noqa: E402
from ttyscribe_store.base import Query, RecordingFilter  # noqa: E402
from ttyscribe_store.derive.indexer import bring_up_to_date  # noqa: E402
from ttyscribe_store.open import open_store  # noqa: E402

ROUNDS = 5
COUNT = 20_000
RECORDED = 8_000
"""Messages of recordings, which are longer."""
BATCH = 1000
LINE = 300
"""Characters of a short message."""
PEER = (
    "CREATE TABLE document (number INTEGER PRIMARY KEY, id TEXT UNIQUE, time TEXT, host TEXT, body TEXT)",
    "CREATE INDEX document_by_time ON document (time)",
    "CREATE VIRTUAL TABLE words USING fts5 (text, content='')",
)


class Run(NamedTuple):
    """One run over all documents: CPU seconds of this process, and wall seconds."""

    cpu: float
    wall: float


def documents(lines: bytes = b"", count: int = COUNT) -> list[Document]:
    """The documents that the normalizer makes of lines (its benchmark's mixed ones where none are given), each once."""
    done = subprocess.run(
        [NORMALIZE, "--protocol", "ndjson", "--output", "-"],
        input=b"".join((lines or mixed()).splitlines(keepends=True)[:count]),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    made = map(json.loads, done.stdout.splitlines())
    return list({document["viaq_msg_id"]: document for document in made}.values())


def short() -> bytes:
    """Log lines of 300 characters, of words that daemons use again and again."""
    dice = random.Random(3)
    known = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.randrange(3, 10))) for _ in range(5000)]
    lines = (" ".join(dice.choices(known, k=60))[:LINE] for _ in range(COUNT))
    return b"".join(envelope(number, line.encode(), "app") for number, line in enumerate(lines))


def timed(work: Callable[[], object]) -> Run:
    """Run it once."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Run(time.process_time() - cpu, time.perf_counter() - wall)


def batches(items: Sequence[Document]) -> list[Sequence[Document]]:
    """The documents as they are written."""
    return [items[first : first + BATCH] for first in range(0, len(items), BATCH)]


def write(url: str, items: Sequence[Document], **options: Any) -> None:
    """Write all, batch by batch, through our own store."""
    store = open_store(url, **options)
    for some in batches(items):
        outcomes = store.write(some)
        assert all(outcome.status == "stored" for outcome in outcomes), outcomes
    store.close()


def ours(items: Sequence[Document], sync: str) -> Run:
    """One run into a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: write(f"sqlite:{folder}", items, sync=sync))


def peer(items: Sequence[Document]) -> Run:
    """One run into a new file of the peer's."""
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: write_peer(f"{folder}/peer.sqlite", items))


def write_peer(path: str, items: Sequence[Document]) -> None:
    """Write all, batch by batch, through executemany."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    for statement in PEER:
        connection.execute(statement)
    number = 0
    for some in batches(items):
        rows = [
            (number + place, item["viaq_msg_id"], item["@timestamp"], item["hostname"], json.dumps(item))
            for place, item in enumerate(some)
        ]
        words = [(number + place, item["ttyscribe"]["words"]) for place, item in enumerate(some)]
        number += len(some)
        with connection:
            connection.executemany("INSERT OR IGNORE INTO document VALUES (?, ?, ?, ?, ?)", rows)
            connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", words)
    connection.close()


def reading(items: Sequence[Document]) -> tuple[int, dict[str, float]]:
    """Bytes a document in a file at rest, and median milliseconds of questions to it."""
    folder = tempfile.mkdtemp()
    try:
        write(f"sqlite:{folder}", items)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        store = open_store(f"sqlite:{folder}")
        bring_up_to_date(store)
        recording = next(store.recordings(RecordingFilter())).recording
        questions: dict[str, Callable[[], object]] = {
            "all recordings": lambda: list(store.recordings(RecordingFilter())),
            "all messages of one recording": lambda: list(store.messages(recording)),
            "a word that is everywhere, first 1,000 hits": lambda: list(store.search(Query([["ada"]]))),
            "a phrase that is nowhere": lambda: list(store.search(Query([["ada", "zebra"]]))),
        }
        times = {name: statistics.median(timed(ask).wall for _ in range(ROUNDS)) for name, ask in questions.items()}
        store.close()
    finally:
        shutil.rmtree(folder)
    return size // len(items), {name: seconds * 1000 for name, seconds in times.items()}


def rounds(corpora: dict[str, list[Document]]) -> dict[str, dict[str, list[Run]]]:
    """All runs, in turn, so that what else the machine does hits all alike."""
    found: dict[str, dict[str, list[Run]]] = {name: {} for name in corpora}
    for _ in range(ROUNDS):
        for name, items in corpora.items():
            runs = found[name]
            runs.setdefault("ttyscribe", []).append(ours(items, "normal"))
            runs.setdefault("ttyscribe, sync=full", []).append(ours(items, "full"))
            runs.setdefault("executemany", []).append(peer(items))
    return found


def table(corpora: dict[str, list[Document]], found: dict[str, dict[str, list[Run]]]) -> list[str]:
    """The rows of the section's table."""
    lines = []
    for name, runs in found.items():
        items = corpora[name]
        average = sum(len(json.dumps(item)) for item in items) // len(items)
        base = statistics.median(run.wall for run in runs["executemany"])
        for who, several in runs.items():
            cpu, wall = (statistics.median(getattr(run, part) for run in several) for part in Run._fields)
            costs = f"{len(items) / wall:,.0f} | {len(items) / cpu:,.0f} | {base / wall:.2f}"
            lines.append(f"| {name} | {len(items):,} of {average:,} B | {who} | {costs} |")
    return lines


def _busy() -> str:
    """A warning where others used the processors too: then documents/s say little."""
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    if load <= cores + 1:
        return ""
    return f" **Other work shared the {cores} cores (load {load:.0f}): the CPU seconds count, documents/s do not.**"


def main() -> int:
    """Measure, write the raw figures, print the section."""
    corpora = {
        "log lines of 300 characters": documents(short()),
        "messages of recordings, coloured listings": documents(coloured(), RECORDED),
        "both mixed": documents(),
    }
    found = rounds(corpora)
    size, times = reading(corpora["both mixed"])
    (HERE / "data").mkdir(exist_ok=True)
    raw = {"runs": found, "file bytes a document": size, "reads ms": times}
    (HERE / "data" / "store.json").write_text(json.dumps(raw, indent=1) + "\n")
    print("## Store: documents into SQLite and out of it\n")
    print(
        f"Different documents in batches of {BATCH:,}, each batch one transaction, by one process; bytes are those of "
        f"the document's JSON ({ROUNDS} runs in turn, medians; CPU is the writing process's own). All write with a "
        "write-ahead log (`journal_mode=WAL`) and `synchronous=NORMAL`: what is acknowledged survives the death of "
        "every process, and a loss of power takes at most the last seconds; `sync=full` is `synchronous=FULL`, which "
        "survives that too. ttyscribe compresses the documents and indexes words, fields, commands and lines. The peer "
        "is Python's sqlite3 with `executemany` into a table with two indexes, plain JSON, and FTS5."
        f"{_busy()}\n"
    )
    print("| corpus | documents | by | documents/s | documents per CPU second | rate to the peer's |")
    print("|---|---|---|---|---|---|")
    print("\n".join(table(corpora, found)))
    print(f"\nA document of the mixed corpus takes {size:,} bytes in a file, its indexes included. Asking that file:\n")
    print("| question | ms |")
    print("|---|---|")
    print("\n".join(f"| {name} | {value:.1f} |" for name, value in times.items()))
    return 0


if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())
