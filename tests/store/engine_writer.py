# SPDX-License-Identifier: Apache-2.0
"""A process that writes into an engine: `python -m tests.store.engine_writer URL REC FIRST LAST BATCH`.

Says `ready`, waits for a line, and writes, many small requests at once. Says `FIRST-LAST STORED` of each batch that was
taken, STORED being how many documents were new. What is held back is written again. Ends by itself.
"""

import sys
import time

from tests.store.elastic_samples import tlog
from ttyscribe_formats.document import Document
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.elastic import ElasticStore

PAUSE = 0.2


def _taken(store: ElasticStore, documents: list[Document]) -> int:
    """Write until all are there; how many were new."""
    new = 0
    while documents:
        try:
            outcomes = store.write(documents)
        except Unavailable:
            time.sleep(PAUSE)
            continue
        statuses = [outcome.status for outcome in outcomes]
        assert "rejected" not in statuses, outcomes
        new += statuses.count("stored")
        documents = [one for one, status in zip(documents, statuses, strict=True) if status == "retry"]
        time.sleep(PAUSE if documents else 0)
    return new


def run(url: str, rec: str, first: int, last: int, batch: int) -> None:
    """Write the messages `first` to `last` of one recording."""
    store = ElasticStore(url, chunk_count=20, flights=4, timeout=20)
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(first, last + 1, batch):
        numbers = range(start, min(start + batch, last + 1))
        new = _taken(store, [tlog(number, recording=rec) for number in numbers])
        print(f"{numbers[0]}-{numbers[-1]} {new}", flush=True)
    store.close()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
