# SPDX-License-Identifier: Apache-2.0
"""Documents into a store: documents a second and the writing process's own CPU a document.

SQLite in a temporary folder; Elasticsearch on a real node, beside elasticsearch-py's streaming_bulk where that client
is installed (`pip install elasticsearch`).
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_normalizer import NORMALIZE, mixed  # noqa: E402
from tests.engines import nodes  # noqa: E402
from tests.engines.java import NoEngine  # noqa: E402
from ttyscribe_formats.document import Document  # noqa: E402
from ttyscribe_store.base import Query, RecordingFilter  # noqa: E402
from ttyscribe_store.open import open_store  # noqa: E402

ROUNDS = 5
COUNT = 20_000
BATCH = 1000


class Run(NamedTuple):
    """One run over all documents: CPU seconds of this process, and wall seconds."""

    cpu: float
    wall: float


def documents() -> list[Document]:
    """The documents that the normalizer makes of its benchmark's mixed lines, each once."""
    lines = b"".join(mixed().splitlines(keepends=True)[:COUNT])
    done = subprocess.run(
        [NORMALIZE, "--protocol", "ndjson", "--output", "-"],
        input=lines,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    made = map(json.loads, done.stdout.splitlines())
    return list({document["viaq_msg_id"]: document for document in made}.values())


def timed(work: Callable[[], object]) -> Run:
    """Run it once."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Run(time.process_time() - cpu, time.perf_counter() - wall)


def write(url: str, items: list[Document], **options: Any) -> None:
    """Write all, batch by batch, through our own store."""
    store = open_store(url, **options)
    for first in range(0, len(items), BATCH):
        outcomes = store.write(items[first : first + BATCH])
        assert all(outcome.status == "stored" for outcome in outcomes), outcomes
    store.close()


def into_sqlite(items: list[Document], sync: str) -> Run:
    """One run into a new folder."""
    with tempfile.TemporaryDirectory() as folder:
        return timed(lambda: write(f"sqlite:{folder}", items, sync=sync))


def into_engine(items: list[Document], url: str) -> Run:
    """One run under a new prefix."""
    target = f"{url}/b{time.monotonic_ns()}"
    store = open_store(target)
    store.setup()
    store.close()
    return timed(lambda: write(target, items))


def into_peer(items: list[Document], url: str, serializer: Any) -> Run:
    """One run of elasticsearch-py's streaming_bulk under a new prefix with our templates."""
    peer, helpers = import_module("elasticsearch"), import_module("elasticsearch.helpers")
    prefix = f"b{time.monotonic_ns()}"
    store = open_store(f"{url}/{prefix}")
    store.setup()
    store.close()
    client = peer.Elasticsearch(url, **({"serializer": serializer} if serializer else {}))

    def actions() -> Iterator[dict[str, Any]]:
        for item in items:
            own = item["ttyscribe"]
            index = f"{prefix}-ttyscribe-{own['kind']}-{own['partition']}"
            yield {"_op_type": "create", "_index": index, "_id": item["viaq_msg_id"], "_source": item}

    def work() -> None:
        for good, answer in helpers.streaming_bulk(client, actions(), chunk_size=BATCH, raise_on_error=False):
            assert good, answer

    run = timed(work)
    client.close()
    return run


def programs(items: list[Document], url: str) -> dict[str, Callable[[], Run]]:
    """What is measured, by the name of its row."""
    found: dict[str, Callable[[], Run]] = {
        "SQLite": lambda: into_sqlite(items, "normal"),
        "SQLite, sync=full": lambda: into_sqlite(items, "full"),
    }
    if url:
        found["Elasticsearch, ttyscribe_store"] = lambda: into_engine(items, url)
    if url and find_spec("elasticsearch"):
        orjson = import_module("elasticsearch").OrjsonSerializer
        found["Elasticsearch, streaming_bulk"] = lambda: into_peer(items, url, None)
        found["Elasticsearch, streaming_bulk with orjson"] = lambda: into_peer(items, url, orjson())
    return found


def reading(items: list[Document]) -> tuple[int, dict[str, float]]:
    """Bytes a document in a file at rest, and median milliseconds of questions to it."""
    folder = tempfile.mkdtemp()
    try:
        write(f"sqlite:{folder}", items)
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        store = open_store(f"sqlite:{folder}")
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


def main() -> int:
    """Measure, write the raw figures, print the section."""
    items = documents()
    average = sum(len(json.dumps(item)) for item in items) // len(items)
    try:
        node = nodes.start("elasticsearch")
    except NoEngine as reason:
        print(f"no engine: {reason}", file=sys.stderr)
        node = None
    try:
        measured = programs(items, node.url if node else "")
        runs: dict[str, list[Run]] = {name: [] for name in measured}
        for _ in range(ROUNDS):
            for name, work in measured.items():
                runs[name].append(work())
    finally:
        if node:
            nodes.stop(node)
    size, times = reading(items)
    (HERE / "data").mkdir(exist_ok=True)
    raw = {"documents": len(items), "bytes": average, "runs": runs, "file bytes a document": size, "reads ms": times}
    (HERE / "data" / "store.json").write_text(json.dumps(raw, indent=1) + "\n")
    print("## Store: documents written and found\n")
    print(
        f"{len(items):,} different documents, {average:,} bytes of JSON each, in batches of {BATCH:,} by one process "
        f"({ROUNDS} runs in turn, medians). CPU is the writing process's own"
        f"{f'; the engine is Elasticsearch {node.version} on the same machine' if node else ''}.\n"
    )
    print("| into | documents/s | CPU µs a document |")
    print("|---|---|---|")
    for name, found in runs.items():
        cpu, wall = (statistics.median(getattr(one, part) for one in found) for part in Run._fields)
        print(f"| {name} | {len(items) / wall:,.0f} | {cpu / len(items) * 1e6:.1f} |")
    print(f"\nA document takes {size:,} bytes in a SQLite file, its indexes included. Asking that file:\n")
    print("| question | ms |")
    print("|---|---|")
    print("\n".join(f"| {name} | {value:.1f} |" for name, value in times.items()))
    return 0


if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())
