# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store rebuild`: makes anew what is made from stored documents."""

import argparse

from ttyscribe import deriving, stores
from ttyscribe.care.folders import told
from ttyscribe.text import counted
from ttyscribe_formats.errors import ConfigError
from ttyscribe_screen.screen import available
from ttyscribe_store.base import Store
from ttyscribe_store.care import rebuild
from ttyscribe_store.sqlite import SqliteStore

DESCRIPTION = """Makes anew what is made from stored messages: the lines, commands and rows of all recordings, or of
those that are named. Without names, on SQLite, it first makes the word index and all other indexes anew, beside the old
ones, while others write and read. It can be ended at any time: run again, it goes on where it was, and what is not yet
derived then is derived by `ttyscribe index` or the next search. Until that is done, lines and commands of recordings
that wait are not found; messages are."""
EPILOG = """examples:
  ttyscribe store rebuild --store sqlite:/var/lib/ttyscribe
  ttyscribe store rebuild --store https://search:9200 1f0c-1011-13dda

exit status: 0 done; 1 failed (the store can't be reached, full disk), or something is refused; 2 usage, or a
recording is not there"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("recordings", metavar="REC", nargs="*", help="these recordings alone (default: everything)")
    stores.add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Rebuild."""
    if not available():
        raise ConfigError("deriving needs a terminal emulator: pip install 'ttyscribe[screen]'")
    url, store = stores.opened(options)
    for recording in options.recordings:
        if next(store.messages(recording), None) is None:
            raise ConfigError(f"there is no recording {recording!r}; `ttyscribe recordings` lists them")
    if isinstance(store, SqliteStore) and not options.recordings:
        with told("indexing documents") as tell:
            count = rebuild.rebuild(store.folder, tell)
        print(f"{url}: indexes of {counted(count, 'document')} made anew", flush=True)
    _forget(store, options.recordings)
    done = deriving.derive(url, store, patient=True)
    if done is None:
        print(f"{url}: the indexer that is at work derives it anew")
        return 0
    print(f"{url}: derived {counted(done.documents, 'document')} of {counted(done.recordings, 'recording')}")
    return 1 if done.refused else 0


def _forget(store: Store, recordings: list[str]) -> None:
    """Take away what was derived; whatever derives next, this process or another, makes it anew."""
    with told("forgetting") as tell:
        known = recordings or sorted(one.recording for one in store.derived())
        for number, recording in enumerate(known):
            store.replace(recording, [])
            tell(number + 1, len(known))
    store.refresh()
