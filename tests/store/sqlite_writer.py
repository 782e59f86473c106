# SPDX-License-Identifier: Apache-2.0
"""A process that writes into a store: `python -m tests.store.sqlite_writer DIR REC FIRST LAST BATCH`.

Says `ready`, waits for a line, and writes. Says `FIRST-LAST STORED` of each batch that was taken, STORED being how many
documents were new. Batches that are held back are written again. Ends by itself.
"""

import sys

from tests.store.samples import make_tlog
from ttyscribe_store.sqlite import SqliteStore


def run(folder: str, rec: str, first: int, last: int, batch: int) -> None:
    """Write the messages `first` to `last` of one recording."""
    store = SqliteStore(folder, busy_seconds=30)
    print("ready", flush=True)
    sys.stdin.readline()
    for start in range(first, last + 1, batch):
        numbers = range(start, min(start + batch, last + 1))
        documents = [make_tlog(number, f"common word{number}", rec=rec) for number in numbers]
        while True:
            statuses = [outcome.status for outcome in store.write(documents)]
            if "retry" not in statuses:
                break
        print(f"{numbers[0]}-{numbers[-1]} {statuses.count('stored')}", flush=True)
    store.close()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
