# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe index`: derives the lines, commands and rows of recordings from their stored messages."""

import argparse
import contextlib
import signal
import sys
import threading
import time
from types import FrameType

from ttyscribe import deriving, stores
from ttyscribe.care.folders import told
from ttyscribe.text import clean, counted
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_screen.screen import available
from ttyscribe_store.base import Store
from ttyscribe_store.derive.indexer import Indexer
from ttyscribe_store.derive.lease import SECONDS

DESCRIPTION = """Derives of every recording what people look for: the lines that stood on its screen, the commands that
were given, and its row with the verdict whether it is complete. What was derived is made again when more of a recording
is stored; what is up to date is left alone. It can be ended at any time, and goes on where it was.

On SQLite `ttyscribe search` does this by itself before it looks. On Elasticsearch or OpenSearch run
`ttyscribe index --follow` beside the store."""
EPILOG = """examples:
  ttyscribe index --store sqlite:/var/lib/ttyscribe
  ttyscribe index --store https://search:9200 --follow
  ttyscribe index --again                    # all of it, as if nothing had been derived

exit status: 0 done, or ended by SIGTERM or SIGINT under --follow; 1 the store can't be reached, or refused something
of a recording (all others are derived); 2 usage"""
_LONGEST_PAUSE = 60.0


class _Ended(Exception):
    """A signal came in the middle of a round: what is not yet derived waits for the next run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    parser.add_argument("--follow", action="store_true", help="go on, and derive what comes")
    parser.add_argument(
        "--seconds", metavar="N", type=_seconds, default=2.0, help="under --follow, look so often (%(default)g)"
    )
    parser.add_argument("--again", action="store_true", help="derive everything again first")


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.1 to 3600")
    return found


def run(options: argparse.Namespace) -> int:
    """Derive once, or until it is ended."""
    if not available():
        raise ConfigError("deriving needs a terminal emulator: pip install 'ttyscribe[screen]'")
    url, store = stores.opened(options)
    if not options.follow:
        return _once(url, store, again=options.again)
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    _follow(url, store, ended, options.seconds, again=options.again)
    return 0


def _once(url: str, store: Store, *, again: bool) -> int:
    done = deriving.derive(url, store, again=again, patient=True)
    if done is None:
        print(f"{url}: another indexer is at work, and derives what there is")
    elif done.recordings:
        print(f"{url}: derived {counted(done.documents, 'document')} of {counted(done.recordings, 'recording')}")
    elif not done.refused:
        print(f"{url}: nothing to do, all is derived")
    sys.stdout.flush()
    return 1 if done and done.refused else 0


def _follow(url: str, store: Store, ended: threading.Event, seconds: float, *, again: bool) -> None:
    """Look, derive, wait: longer where it took long. The lease is kept meanwhile, and with it what is in memory."""
    lease = store.lease()

    def advance(done: int, total: int) -> None:
        if ended.is_set():
            raise _Ended
        lease.sure()
        tell(done, total)

    indexer = Indexer(store, advance, lease.sure, deriving.tell_refused)
    pause, waits = seconds, False
    while not ended.is_set():
        start = time.monotonic()
        try:
            mine = lease.take()
            if mine:
                with told("deriving") as tell:
                    done = indexer.round(again=again)
                again = False
                if done.recordings:
                    print(
                        f"derived {counted(done.documents, 'document')} of {counted(done.recordings, 'recording')}",
                        flush=True,
                    )
                lease.rest()
            elif not waits:
                print(f"{url}: another indexer is at work; waiting for it to end", flush=True)
            waits = not mine
            pause = max(seconds, min(10 * (time.monotonic() - start), SECONDS / 2))
        except Unavailable as error:
            print(f"ttyscribe: {clean(str(error))}; trying again", file=sys.stderr, flush=True)
            pause = min(max(pause, seconds) * 2, _LONGEST_PAUSE)
        except _Ended:
            break
        ended.wait(min(pause, _LONGEST_PAUSE))
    with contextlib.suppress(Unavailable):
        lease.release()
