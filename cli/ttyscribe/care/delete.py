# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store delete`: takes recordings out of a store."""

import argparse
import contextlib

from ttyscribe import stores, times
from ttyscribe.care import trail
from ttyscribe.care.folders import confirmed
from ttyscribe.text import clean, counted
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import RecordingFilter, Store
from ttyscribe_store.care.lock import alone
from ttyscribe_store.derive.rules import computed
from ttyscribe_store.sqlite import SqliteStore

DESCRIPTION = """Takes recordings out of a store: all messages, and the lines, commands and row that were derived of
them. On SQLite their text is gone from the files too, the word index included. What is to go is told first, and asked
about unless --yes is given. Who deleted what is said in syslog. On Elasticsearch or OpenSearch an indexer that is just
deriving one of them may write some of it back; it sees that afterwards and removes it.

Audit events and log lines of the session stay: they are the host's, and tell what happened there, not what was shown.
Copies that `ttyscribe store backup` made keep the recording until they are made again."""
EPILOG = """examples:
  ttyscribe store delete --store sqlite:/var/lib/ttyscribe 1f0c-1011-13dda
  ttyscribe store delete --store https://search:9200 --yes 1f0c-1011-13dda 1f0c-1012-24ef1

exit status: 0 done; 1 the store can't be reached, or the answer was no; 2 usage, or a recording is not there"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("recordings", metavar="REC", nargs="+", help="what to delete; whole ids alone")
    stores.add_store(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(options: argparse.Namespace) -> int:
    """Tell, ask, delete."""
    url, store = stores.opened(options)
    wanted = list(dict.fromkeys(options.recordings))
    for text in [_told(store, recording) for recording in wanted]:
        print(text)
    if not options.yes and not confirmed(f"Delete {counted(len(wanted), 'recording')}?"):
        print("nothing was deleted")
        return 1
    with alone(store.folder) if isinstance(store, SqliteStore) else contextlib.nullcontext():
        for recording in wanted:
            trail.record("delete", url, recording=recording)
            count = store.delete(recording)
            trail.record("delete done", url, recording=recording, documents=count)
            print(f"{clean(recording)}: {counted(count, 'document')} deleted")
    return 0


def _told(store: Store, recording: str) -> str:
    """What goes. ConfigError where there is nothing of it."""
    if next(store.messages(recording), None) is not None:
        one = next(store.recordings(RecordingFilter(recording=recording)), None)
        one = one or computed(recording, store.messages(recording))
        if one is None:
            raise ConfigError(f"recording {recording!r} has just been deleted")
        who = clean(f"{one.user}@{one.host}")
        when = f"{times.local(one.start_ns)}, {stores.duration(one.duration_ms)}"
        return f"{clean(recording)}: {who}, {when}, {counted(one.messages, 'message')}"
    if any(one.recording == recording for one in store.derived()):
        return f"{clean(recording)}: no messages, only what was derived of them"
    raise ConfigError(f"there is no recording {recording!r}; `ttyscribe recordings` lists them")
