# SPDX-License-Identifier: Apache-2.0
"""Opens what the options name: a file, a store, the journal or an index; asks a person which of several recordings."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from ttyscribe_formats.errors import ConfigError
from ttyscribe_player import source
from ttyscribe_player.event import Event, following
from ttyscribe_player.feed import Feed
from ttyscribe_player.files import Recordings
from ttyscribe_player.goto import Goto
from ttyscribe_player.listing import Several
from ttyscribe_player.options import STORE_VARIABLE

MS = 1_000_000
Complain = Callable[[str], None]


class Opening:
    """`damage` takes lines about data that can't be used, `say` all other remarks; `opened` closes it all."""

    def __init__(self, options: argparse.Namespace, damage: Complain, say: Complain, opened: ExitStack) -> None:
        self._options, self._damage, self._say, self._opened = options, damage, say, opened

    def recordings(self) -> Recordings:
        """What a reader finds: in a file, or in what came out of the journal or an index."""
        options = self._options
        if options.reader == "file":
            name = source.named(options.recording, "", store_given=False).name
            return self._made(Recordings(name, self._damage, grows=options.follow))
        if options.recording:
            raise ConfigError(f"--reader={options.reader} takes no file; --match chooses among several recordings")
        feed = self._journal() if options.reader == "journal" else self._index()
        self._opened.callback(feed.close)
        found = self._made(Recordings("", self._damage, feed=feed, grows=options.follow))
        if not found.found and not options.follow:
            self._damage(f"{feed.name} holds no message of a recording that fits")
        return found

    def _made(self, recordings: Recordings) -> Recordings:
        self._opened.callback(recordings.close)
        return recordings

    def _journal(self) -> Feed:
        from ttyscribe_player.journal import Journal, Wanted

        options = self._options
        wanted = Wanted(options.journal_since, options.journal_until, options.journal_match, options.journal_namespace)
        return Journal(wanted, self._damage, follow=options.follow)

    def _index(self) -> Feed:
        from ttyscribe_player.index import Index, Wanted

        options = self._options
        if not options.es_baseurl or not options.es_query:
            raise ConfigError("--reader=es needs --es-baseurl and --es-query")
        return Index(
            Wanted(options.es_baseurl, options.es_query, options.es_verbose, options.es_ca, options.es_api_key_file),
            self._say,
        )

    def what(self) -> tuple[Goto, Iterator[Event | None]]:
        """Where to begin, and what to play."""
        options = self._options
        if options.reader != "file":
            return options.goto or Goto(), self._of(self.recordings())
        environment = os.environ.get(STORE_VARIABLE, "")
        store = options.store if options.store_given else environment or options.store or ""
        wanted = source.named(options.recording, store, store_given=options.store_given)
        start = Goto(wanted.start_ms * MS) if options.goto is None else options.goto
        if wanted.is_file:
            if options.sender >= 0:
                raise ConfigError("--sender chooses in a store or the journal; in a file nobody attests who sent what")
            return start, self._of(self._made(Recordings(wanted.name, self._damage, grows=options.follow)))
        if options.file_match:
            raise ConfigError("--match chooses among the recordings of a file; in a store name the recording itself")
        if options.follow:
            new = source.follow_store(store, wanted.name, self._say, is_sure=options.store_given)
            return start, following(new, options.sender)
        return start, source.from_store(store, wanted.name, options.sender, is_sure=options.store_given)

    def _of(self, recordings: Recordings) -> Iterator[Event | None]:
        """One recording of them."""
        options = self._options
        match = options.file_match
        try:
            if recordings.found:
                recordings.choose(match)
        except Several as error:
            if not (error.rows and os.isatty(0) and os.isatty(1)):
                raise
            match = ask(error)
        if options.follow:
            return following(source.follow(recordings, match), options.sender)
        found = recordings.choose(match)
        if found is None:
            return iter(())
        return source.told(lambda: recordings.messages(found), options.sender)


def ask(several: Several) -> str:
    """Which one; asks at the terminal. The same error again where nobody says."""
    print(str(several).partition(":")[0].partition(", ")[0] + ":")
    for number, (key, text) in enumerate(several.rows, 1):
        print(f"{number:4d}  {key}  {text}")
    if several.more:
        print(f"      and {several.more} more: --match=RECORDING takes the beginning of a name")
    while True:
        sys.stdout.write(f"Which one? 1 to {len(several.rows)}, or nothing to end: ")
        sys.stdout.flush()
        answer = sys.stdin.buffer.readline().decode("ascii", "replace").strip()  # whatever bytes were typed
        if not answer:
            raise several
        if answer.isascii() and answer.isdecimal() and 1 <= int(answer[:9]) <= len(several.rows):
            return several.rows[int(answer) - 1][0]
