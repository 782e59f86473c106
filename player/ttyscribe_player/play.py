# SPDX-License-Identifier: Apache-2.0
"""ttyscribe-play: shows a recording again."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_formats.place import format_time
from ttyscribe_player import source
from ttyscribe_player.event import Event, events, following
from ttyscribe_player.files import Recordings
from ttyscribe_player.filter import Filter
from ttyscribe_player.options import MS, STORE_VARIABLE, Goto, parser
from ttyscribe_player.player import Player, copy
from ttyscribe_player.signals import Signalled, Watch, die_of
from ttyscribe_player.tape import Tape
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import Timeline
from ttyscribe_player.views import PaintedView, View, WrittenView
from ttyscribe_screen import Screen, available

_MAX_COMPLAINTS = 20
_NO_EMULATOR = "no emulator is installed (pip install 'ttyscribe[screen]'): showing text, colours and movement alone"
_BARE = "shown without the emulator"


class _Complaints:
    """Lines about what is played: told at once, or kept until the terminal is free again."""

    def __init__(self) -> None:
        self.keep = False
        self.damaged = False
        self._count = 0
        self._kept: list[str] = []

    def say(self, line: str) -> None:
        """Take one line."""
        self._count += 1
        if self._count <= _MAX_COMPLAINTS:
            self._kept.append(line)
        if not self.keep:
            self._tell()

    def damage(self, line: str) -> None:
        """Take one line about data that can't be used."""
        self.damaged = True
        self.say(line)

    def _tell(self) -> None:
        for line in self._kept:
            _to_stderr(line)
        self._kept.clear()

    def close(self) -> None:
        """Tell what is left."""
        self._tell()
        if self._count > _MAX_COMPLAINTS:
            _to_stderr(f"and {self._count - _MAX_COMPLAINTS} more")


def _to_stderr(line: str) -> None:
    """One line; where standard error is closed it has to be lost, and not to end up in standard output."""
    if sys.stderr is not None:
        print(f"ttyscribe-play: {line}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; answers the exit status."""
    options = parser().parse_args(argv)
    complaints = _Complaints()
    try:
        with Watch() as watch:
            status = _play(options, complaints, watch)
    except Signalled as signalled:
        status = -signalled.number
    except BrokenPipeError:
        status = -signal.SIGPIPE
    except TtyscribeError as error:
        complaints.say(str(error))
        status = 2 if isinstance(error, ConfigError) else 1
    except OSError as error:
        complaints.say(f"cannot go on: {error.strerror or error}")
        status = 1
    complaints.close()
    return status if status >= 0 else die_of(-status)


def _play(options: argparse.Namespace, complaints: _Complaints, watch: Watch) -> int:
    on_terminal = os.isatty(1)
    options.recording = options.recording or options.file_path
    if not options.recording and options.reader == "file":
        raise ConfigError("what is to be played? Name a FILE, or a RECORDING in a store")
    if options.list:
        return _list(options, complaints)
    if options.paused and on_terminal and not os.isatty(0):
        raise ConfigError("--paused needs a keyboard, and standard input is not a terminal")
    complaints.keep = on_terminal
    start, shown = _source(options, complaints)
    complete = _on_terminal(options, shown, start, watch, complaints) if on_terminal else copy(shown, 1, complaints.say)
    return 0 if complete and not complaints.damaged else 1


def _list(options: argparse.Namespace, complaints: _Complaints) -> int:
    for line in source.listed(_recordings(options, complaints)):
        print(line)
    sys.stdout.flush()
    return 1 if complaints.damaged else 0


def _recordings(options: argparse.Namespace, complaints: _Complaints) -> Recordings:
    """What a reader finds: a file, or what came out of a journal or an index."""
    if options.reader == "file":
        return Recordings(source.named(options.recording, "", store_given=False).name, complaints.damage)
    from ttyscribe_player.readers import Journal, Search, from_journal, from_search

    if options.reader == "journal":
        wanted = Journal(options.journal_since, options.journal_until, options.journal_match, options.journal_namespace)
        return Recordings("the journal", complaints.damage, from_journal(wanted, complaints.damage))
    if not options.es_baseurl or not options.es_query:
        raise ConfigError("--reader=es needs --es-baseurl and --es-query")
    search = Search(options.es_baseurl, options.es_query, options.es_verbose)
    return Recordings("the index", complaints.damage, from_search(search, complaints.say))


def _source(options: argparse.Namespace, complaints: _Complaints) -> tuple[Goto, Iterator[Event | None]]:
    """Where to begin, and what to play."""
    if options.reader != "file":
        if options.recording:
            raise ConfigError(f"--reader={options.reader} takes no file; --match chooses among several recordings")
        if options.follow:
            raise ConfigError("--follow works with files and stores")
        recordings = _recordings(options, complaints)
        return options.goto or Goto(), events(source.chosen(recordings, options.match))
    store = options.store or os.environ.get(STORE_VARIABLE, "")
    wanted = source.named(options.recording, store, store_given=options.store is not None)
    start = Goto(wanted.start_ms * MS) if options.goto is None else options.goto
    if wanted.is_file:
        if options.sender >= 0:
            raise ConfigError("--sender chooses in a store; in a file nobody attests who sent a message")
        if options.follow:
            return start, following(source.follow_file(wanted.name, options.match, complaints.damage))
        return start, events(source.from_file(wanted.name, options.match, complaints.damage))
    if options.match:
        raise ConfigError("--match chooses among the recordings of a file; in a store name the recording itself")
    is_sure = options.store is not None
    if options.follow:
        return start, following(source.follow_store(store, wanted.name, is_sure=is_sure), options.sender)
    return start, source.from_store(store, wanted.name, options.sender, is_sure=is_sure)


def _on_terminal(
    options: argparse.Namespace,
    shown: Iterator[Event | None],
    start: Goto,
    watch: Watch,
    complaints: _Complaints,
) -> bool:
    painted = not options.raw and available()
    size = os.get_terminal_size(1)
    tape = Tape(shown, Screen(size.columns or 80, size.lines or 24, newline=True) if painted else None)
    tape.has(0)  # a source that can't be reached is told before the terminal is touched
    with Terminal() as terminal:
        view: View = (
            PaintedView(terminal, tape, resize=options.resize)
            if painted
            else WrittenView(terminal, tape, _through if options.raw else lambda: Filter().feed)
        )
        timeline = Timeline(tape, time.monotonic_ns(), speed=options.speed, paused=options.paused)
        timeline.idle_limit = options.idle_limit
        player = Player(tape, timeline, view, terminal, persist=options.persist)
        try:
            player.run(start.time_ns, start.part, "" if painted or options.raw else _BARE)
        finally:
            watch.hold()
            view.close()
    if not painted and not options.raw:
        complaints.say(_NO_EMULATOR)
    if painted:
        for mark in tape.marks:
            complaints.say(f"at {format_time(mark.time_ns // MS)}: {mark.text}")
    return player.complete


def _through() -> Callable[[bytes], bytes]:
    return bytes


if __name__ == "__main__":
    sys.exit(main())
