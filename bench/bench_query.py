# SPDX-License-Identifier: Apache-2.0
"""The query language on SQLite: questions to 200,000 lines of screens, and to 1,000,000 audit events.

The peers read everything: SQLite's own LIKE over a plain table of the same texts, and `grep` over the documents as
JSON Lines. All take turns; each answer is checked against the peers' count first.
"""

import argparse
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from ttyscribe_formats import timestamp  # noqa: E402
from ttyscribe_formats.words import joined  # noqa: E402
from ttyscribe_store.base import Query, Store  # noqa: E402
from ttyscribe_store.open import open_store  # noqa: E402
from ttyscribe_store.query.parser import parse  # noqa: E402

ROUNDS = 7
LINES, EVENTS, RECORDINGS = 200_000, 1_000_000, 10_000
BATCH = 5000
LIMIT = 100
START_NS = timestamp.parse("2026-11-01T00:00:00Z")
SECOND = 1_000_000_000
VOCABULARY = 6800
PROGRAMS = ("bash", "cat", "ls", "vim", "grep", "python3", "ssh", "sudo", "systemctl", "id")


class Question(NamedTuple):
    """What is asked, and the same for the peers."""

    text: str
    query: str
    like: str = ""
    grep: str = ""


ABOUT_LINES = (
    Question("a rare word", "needle7", "%needle7%", "needle7"),
    Question("a rare phrase", '"needle7 in the"', "%needle7 in the%", "needle7 in the"),
    Question("a word that is in a tenth of them", "tenth", "%tenth%", "tenth"),
    Question("a word that is everywhere", "common", "%common%", "common"),
    Question("a rare substring", "*eedle7*", "%eedle7%", "eedle7"),
    Question("a common substring", "*ommo*", "%ommo%", "ommo"),
    Question("a regular expression", 'line~"need[a-l]e7 in"', "", "need[a-l]e7 in"),
    Question("a rare word of one user", "needle7 user:user3"),
    Question("everything but a word", "!common kind:line"),
)
ABOUT_EVENTS = (
    Question("who touched /etc/shadow", "path:/etc/shadow", '%"/etc/shadow"%', '"/etc/shadow"'),
    Question("all of a folder, rare", "path:/srv/secret/*", '%"/srv/secret/%', '"/srv/secret/'),
    Question("all of a folder, everywhere", "path:/usr/*", '%"/usr/%', '"/usr/'),
    Question("a part of a path", "path:*hado*", "", "hado"),
    Question("a regular expression on paths", 'path~"/secret/[a-c]"', "", "/secret/[a-c]"),
    Question(
        "a path, one user, two days",
        "path:/etc/shadow user:user7 since:2026-11-02T00:00:00Z until:2026-11-04T00:00:00Z",
    ),
    Question("a program of one user", "exe:/usr/bin/ssh user:user7"),
    Question("an address's network", "ip:10.9.0.0/16"),
    Question("one session", "session:4711"),
    Question("a host that is not there", "host:nowhere"),
)


def words_of(chance: random.Random) -> list[str]:
    """A vocabulary."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(VOCABULARY)]


def line_documents(count: int) -> Iterator[dict[str, Any]]:
    """Lines of screens as the indexer makes them, some 80 characters each."""
    chance = random.Random(7)
    vocabulary = words_of(chance)
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    rare = max(count // 20, 1)
    for number in range(count):
        text = " ".join(chance.choices(vocabulary, weights, k=10))
        text += " common" * (number % 2) + " tenth" * (number % 10 == 3) + " needle7 in the hay" * (number % rare == 5)
        recording = f"rec-{number // 400}"
        ms = number % 400 * 1000
        at = timestamp.to_text(START_NS + number * SECOND)
        yield {
            "@timestamp": at,
            "hostname": f"web{number // 400 % 50}",
            "level": "unknown",
            "message": text,
            "viaq_msg_id": f"line:{recording}:{number % 400}",
            "line": {"text": [text], "first_ms": ms, "last_ms": ms, "user": f"user{number // 400 % 40}"},
            "ttyscribe": {
                "kind": "line", "partition": "2026.11", "trust": "system", "words": joined(text),
                "recording": recording, "last_ms": ms, "received": at,
            },
        }  # fmt: skip


def event_documents(count: int) -> Iterator[dict[str, Any]]:
    """Audit events with two paths each, in sessions of a hundred."""
    chance = random.Random(8)
    folders = [f"/usr/lib/{name}" for name in words_of(chance)[:400]]
    rare, secret = max(count // 50, 1), max(count // 200, 1)
    for number in range(count):
        session = number // max(count // RECORDINGS, 1)
        program = PROGRAMS[number % len(PROGRAMS)]
        path = f"{chance.choice(folders)}/{number % 97}.so"
        if number % rare == 7:
            path = "/etc/shadow"
        elif number % secret == 8:
            path = f"/srv/secret/{'abcdef'[number // secret % 6]}{number % 13}"
        at = timestamp.to_text(START_NS + number * SECOND // 2)
        message = f"user{session % 40} ran {program} {path}"
        yield {
            "@timestamp": at,
            "hostname": f"web{session % 50}",
            "level": "info",
            "message": message,
            "viaq_msg_id": f"audit:web{session % 50}:{1_793_000_000_000 + number}:{number}:0123456789abcdef",
            "event": {"action": "execve", "outcome": "success"},
            "user": {"id": "0", "name": "root", "audit": {"id": "1000", "name": f"user{session % 40}"}},
            "process": {"pid": number % 32768, "executable": f"/usr/bin/{program}", "name": program},
            "file": {"path": [f"/usr/bin/{program}", path]},
            **({"destination": {"ip": f"10.{number % 5000 // 20}.1.2"}} if program == "ssh" else {}),
            "ttyscribe": {
                "kind": "aushape", "partition": "2026.11", "trust": "system", "words": joined(message),
                "audit_session": session, "received": at,
            },
        }  # fmt: skip


class Data(NamedTuple):
    """One set of documents in all shapes."""

    store: Store
    plain: sqlite3.Connection
    """The documents as JSON in a table of their own, without an index."""
    file: Path
    build_seconds: float
    bytes: int


def build(folder: Path, documents: Iterator[dict[str, Any]]) -> Data:
    """Write them all, for us and for the peers; the time is that of our store alone."""
    store = open_store(f"sqlite:{folder}/store")
    store.setup()
    plain = sqlite3.connect(folder / "plain.sqlite")
    plain.execute("CREATE TABLE document (json TEXT)")
    spent = 0.0
    with (folder / "documents.json").open("w", encoding="utf-8") as file:
        while batch := [document for _, document in zip(range(BATCH), documents, strict=False)]:
            texts = [json.dumps(document, separators=(",", ":")) for document in batch]
            file.writelines(text + "\n" for text in texts)
            plain.executemany("INSERT INTO document VALUES (?)", ((text,) for text in texts))
            started = time.perf_counter()
            outcomes = store.write(batch)  # type: ignore[arg-type] # as the kinds make them
            spent += time.perf_counter() - started
            assert {outcome.status for outcome in outcomes} == {"stored"}
    plain.commit()
    size = sum(path.stat().st_size for path in (folder / "store").iterdir())
    return Data(store, plain, folder / "documents.json", spent, size)


def asked(data: Data, query: str, limit: int) -> int:
    """How many hits one search gives."""
    tree = parse(query, timestamp.parse)
    return sum(1 for _ in data.store.search(Query(where=tree, limit=limit)))


def timed(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median milliseconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def grep(data: Data, pattern: str) -> int:
    """Lines that grep finds."""
    done = subprocess.run(
        ["grep", "-c", "-E", pattern, str(data.file)],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return int(done.stdout)


def like(data: Data, pattern: str) -> int:
    """Rows that LIKE finds."""
    (count,) = data.plain.execute("SELECT count(*) FROM document WHERE json LIKE ?", (pattern,)).fetchone()
    return int(count)


class Row(NamedTuple):
    """Figures of one question, in milliseconds; a peer that can't be asked has none."""

    text: str
    query: str
    hits: int
    first: float
    all: float
    like: float | None
    grep: float | None


def measure(data: Data, question: Question) -> Row:
    """Check the answer, then take the times."""
    if question.grep and "where" not in question.text:
        whole = asked(data, question.query, 10**9)
        assert whole == grep(data, question.grep), (question, whole, grep(data, question.grep))
    return Row(
        question.text,
        question.query,
        asked(data, question.query, LIMIT),
        timed(lambda: asked(data, question.query, 1)),
        timed(lambda: asked(data, question.query, LIMIT)),
        timed(lambda: like(data, question.like), 2) if question.like else None,
        timed(lambda: grep(data, question.grep), 2) if question.grep else None,
    )


def table(rows: list[Row]) -> str:
    """As Markdown."""
    heads = ("question", "asked as", "hits", "first hit, ms", "all of them, ms", "SQLite LIKE, ms", "grep, ms")
    head = f"| {' | '.join(heads)} |\n|---|---|---:|---:|---:|---:|---:|"
    lines = [
        f"| {row.text} | `{row.query}` | {row.hits} | {row.first:.2f} | {row.all:.2f} | "
        f"{'' if row.like is None else f'{row.like:,.0f}'} | {'' if row.grep is None else f'{row.grep:,.0f}'} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def main() -> int:
    """Build, measure, write the raw figures, print the section."""
    options = argparse.ArgumentParser(description="measure the query language")
    options.add_argument("--scale", type=float, default=1.0, help="of the numbers of documents (%(default)s)")
    options.add_argument("--keep", metavar="DIR", help="build there, and leave it")
    given = options.parse_args()
    folder = Path(given.keep or tempfile.mkdtemp())
    lines, events = int(LINES * given.scale), int(EVENTS * given.scale)
    raw: dict[str, Any] = {}
    print("## Queries on SQLite\n")
    print(
        f"The first {LIMIT} hits of each question, with their documents; medians of {ROUNDS} in one process. The peers "
        "read all: `LIKE` over the same documents as JSON in a plain table, `grep -E` over them as JSON Lines (C "
        "locale). Their counts are checked to be ours, but for what is everywhere.\n"
    )
    try:
        for name, count, documents, questions in (
            ("lines of screens", lines, line_documents(lines), ABOUT_LINES),
            ("audit events", events, event_documents(events), ABOUT_EVENTS),
        ):
            place = folder / name.split()[0]
            place.mkdir(parents=True)
            data = build(place, documents)
            rows = [measure(data, question) for question in questions]
            data.store.close()
            data.plain.close()
            raw[name] = {
                "count": count,
                "build s": data.build_seconds,
                "bytes": data.bytes,
                "rows": [row._asdict() for row in rows],
            }
            rate = count / data.build_seconds
            print(f"{count:,} {name}, written at {rate:,.0f} documents/s, {data.bytes // count:,} bytes each:\n")
            print(table(rows) + "\n", flush=True)
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    if given.scale == 1:
        (HERE / "data" / "query.json").write_text(json.dumps(raw, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
