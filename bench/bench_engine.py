# SPDX-License-Identifier: Apache-2.0
"""Bulk into an engine beside elasticsearch-py's helpers: the client alone against a sink, and whole on a real node.

Needs elasticsearch-py (`pip install elasticsearch`). `TTYSCRIBE_TEST_ELASTICSEARCH` names a node that runs already.
"""

import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import elasticsearch
from elasticsearch import helpers

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from bench.bench_store import documents  # noqa: E402
from tests.engines import nodes  # noqa: E402
from ttyscribe_formats.document import Document  # noqa: E402
from ttyscribe_store.access import Access  # noqa: E402
from ttyscribe_store.address import parse_address  # noqa: E402
from ttyscribe_store.elastic import ElasticStore  # noqa: E402
from ttyscribe_store.elastic_write import WRITER_DEFAULTS, Writer  # noqa: E402
from ttyscribe_store.transport import connect  # noqa: E402

ROUNDS = int(os.environ.get("TTYSCRIBE_BENCH_ROUNDS", "5"))
CALL = 4000
"""Documents that our writer is given at once."""
TUNED: dict[str, Any] = {"chunk_size": 1000, "filter_path": "errors,items.*.status,items.*.error"}


class Run(NamedTuple):
    """One run over all documents: CPU seconds of this process, and wall seconds."""

    cpu: float
    wall: float


# ---- the sink: an engine that does nothing


def _item(short: bool) -> bytes:
    """What an engine says of one document, with and without our filter_path."""
    if short:
        return b'{"create":{"status":201}}'
    entry = {"_index": "b-ttyscribe-syslog-2026.11", "_id": "log:0123456789abcdef0123456789abcdef", "_version": 1}
    entry |= {"result": "created", "_shards": {"total": 1, "successful": 1, "failed": 0}, "_seq_no": 1234}
    return json.dumps({"create": entry | {"_primary_term": 1, "status": 201}}, separators=(",", ":")).encode()


def _serve(connection: socket.socket) -> None:
    """Answer every request of one connection."""
    ready: dict[tuple[int, bool], bytes] = {}
    stream = connection.makefile("rb", buffering=1 << 20)
    while head := stream.readline():
        size, plain, is_bulk, short = 0, False, b"/_bulk" in head, b"filter_path" in head
        while (line := stream.readline().lower()) != b"\r\n":
            size = int(line[15:]) if line.startswith(b"content-length:") else size
            plain = plain or (line.startswith(b"accept:") and b"vnd" not in line)
        body = stream.read(size)
        key = (body.count(b"\n") // 2 if is_bulk else 0, short)
        if key not in ready:
            ready[key] = b'{"errors":false,"took":1,"items":[' + b",".join([_item(short)] * key[0]) + b"]}"
        kind = b"application/json" if plain else b"application/vnd.elasticsearch+json;compatible-with=9"
        answer = (
            b"HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
        )
        connection.sendall(answer % (kind, len(ready[key])) + ready[key])


def sink() -> None:
    """Be the sink until killed; says its port first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


@contextmanager
def sinking() -> Iterator[str]:
    """URL of a sink in a process of its own."""
    with subprocess.Popen([sys.executable, __file__, "--sink"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@contextmanager
def engine() -> Iterator[str]:
    """URL of a real node, started here unless one is named."""
    named = os.environ.get("TTYSCRIBE_TEST_ELASTICSEARCH", "")
    node = None if named else nodes.start("elasticsearch")
    try:
        yield node.url if node else named
    finally:
        if node:
            nodes.stop(node)


# ---- who writes

Way = Callable[[list[Document], str, str], Run]
"""Documents, URL, prefix."""


def timed(work: Callable[[], object]) -> Run:
    """Run it once."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Run(time.process_time() - cpu, time.perf_counter() - wall)


class Unchecked(Writer):
    """Our writer without its look at the templates: the sink has none, and the node's were just made."""

    def check(self) -> None:
        """Nothing."""


def ours(items: list[Document], url: str, prefix: str, **options: Any) -> Run:
    """Our writer, given a few thousand documents at once."""
    transport = connect(parse_address(f"{url}/{prefix}"), Access())
    writer = Unchecked(transport, f"{prefix}-", *{**WRITER_DEFAULTS, **options}.values())

    def work() -> None:
        for first in range(0, len(items), CALL):
            outcomes = writer.write(items[first : first + CALL])
            assert all(outcome.status == "stored" for outcome in outcomes), outcomes

    run = timed(work)
    writer.close()
    transport.close()
    return run


def peer(items: list[Document], url: str, prefix: str, *, bulk: Any, options: dict[str, Any], orjson: bool) -> Run:
    """One of elasticsearch-py's helpers."""
    settings: dict[str, Any] = {"serializer": elasticsearch.OrjsonSerializer()} if orjson else {}
    client = elasticsearch.Elasticsearch(url, **settings)

    def actions() -> Iterator[dict[str, Any]]:
        for item in items:
            own = item["ttyscribe"]
            index = f"{prefix}-ttyscribe-{own['kind']}-{own['partition']}"
            yield {"_op_type": "create", "_index": index, "_id": item["viaq_msg_id"], "_source": item}

    def work() -> None:
        for good, answer in bulk(client, actions(), raise_on_error=False, **options):
            assert good, answer

    run = timed(work)
    client.close()
    return run


OURS = "ttyscribe_store"
DEFAULT, ORJSON = "streaming_bulk", "streaming_bulk, orjson"
WAYS: dict[str, Way] = {
    OURS: ours,
    DEFAULT: partial(peer, bulk=helpers.streaming_bulk, options={}, orjson=False),
    ORJSON: partial(peer, bulk=helpers.streaming_bulk, options={}, orjson=True),
    "streaming_bulk, orjson, tuned": partial(peer, bulk=helpers.streaming_bulk, options=TUNED, orjson=True),
    **{
        f"parallel_bulk, orjson, tuned, {count} threads": partial(
            peer, bulk=helpers.parallel_bulk, options={**TUNED, "thread_count": count}, orjson=True
        )
        for count in (2, 4)
    },
}


def rounds(items: list[Document], url: str, prepare: Callable[[str], None]) -> dict[str, list[Run]]:
    """Each way in turns, every run under a new prefix."""
    runs: dict[str, list[Run]] = {name: [] for name in WAYS}
    for number in range(ROUNDS):
        for name, way in WAYS.items():
            prefix = f"b{time.time_ns()}"
            prepare(f"{url}/{prefix}")
            try:
                runs[name].append(way(items, url, prefix))
            finally:
                if prepare is install:
                    remove(url, prefix)
            print(f"{number + 1} {name}: {runs[name][-1]}", file=sys.stderr)
    return runs


def install(target: str) -> None:
    """Our templates for one run."""
    store = ElasticStore(target)
    store.setup()
    store.close()


def remove(url: str, prefix: str) -> None:
    """What one run has left on the node."""

    def call(method: str, path: str) -> Any:
        with urllib.request.urlopen(urllib.request.Request(url + path, method=method), timeout=60) as answer:
            return json.load(answer)

    names = call("GET", f"/{prefix}-*?ignore_unavailable=true&filter_path=*.settings.index.uuid")
    if names:
        call("DELETE", "/" + ",".join(names))
    for kind in ("index_template", "component_template"):
        call("DELETE", f"/_{kind}/{prefix}-*")


# ---- what is told


def median(runs: Iterable[Run], part: str) -> float:
    """The middle of one figure."""
    return float(statistics.median(getattr(run, part) for run in runs))


def table(runs: dict[str, list[Run]], count: int) -> list[str]:
    """Rows of Markdown; ratios are medians of the rounds' own ratios, as a busy machine changes between them."""
    lines = ["| writer | documents/s | CPU µs a document | our rate by its | our CPU by its |", "|---|---|---|---|---|"]
    for name, found in runs.items():
        rate = statistics.median(theirs.wall / own.wall for own, theirs in zip(runs[OURS], found, strict=True))
        cost = statistics.median(own.cpu / theirs.cpu for own, theirs in zip(runs[OURS], found, strict=True))
        wall, cpu = median(found, "wall"), median(found, "cpu")
        lines.append(f"| {name} | {count / wall:,.0f} | {cpu / count * 1e6:.1f} | {rate:.2f} | {cost:.2f} |")
    return lines


def main() -> int:
    """Measure, write the raw figures, print the section."""
    items = documents()
    average = sum(len(json.dumps(item)) for item in items) // len(items)
    with ExitStack() as stack:
        client = rounds(items, stack.enter_context(sinking()), lambda _: None)
    with ExitStack() as stack:
        whole = rounds(items, stack.enter_context(engine()), install)
    (HERE / "data").mkdir(exist_ok=True)
    raw = {"documents": len(items), "bytes": average, "sink": client, "node": whole}
    (HERE / "data" / "engine.json").write_text(json.dumps(raw, indent=1) + "\n")
    head = (
        f"{len(items):,} documents of mixed kinds, {average:,} bytes of JSON each; {ROUNDS} rounds in turns, medians; "
        f"CPU is the writing process's own. elasticsearch-py {'.'.join(map(str, elasticsearch.__version__))}; tuned = "
        f"{TUNED['chunk_size']:,} documents a request and our `filter_path`. Ours is given {CALL:,} documents at once."
    )
    print("## Bulk into an engine, beside elasticsearch-py\n")
    print(f"{head}\n\nThe client alone, against a sink that answers at once:\n")
    print("\n".join(table(client, len(items))))
    print("\nWhole, into Elasticsearch on the same machine, each run into new indices with our templates:\n")
    print("\n".join(table(whole, len(items))))
    return 0


if __name__ == "__main__":
    if "--sink" in sys.argv:
        sink()
    os.chdir(HERE.parent)
    sys.exit(main())
