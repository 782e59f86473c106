# SPDX-License-Identifier: Apache-2.0
"""ttyscribe-play: shows a recording again."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack

from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_formats.place import format_time
from ttyscribe_player import source
from ttyscribe_player.config import complete, to_json
from ttyscribe_player.event import Event
from ttyscribe_player.filter import Filter
from ttyscribe_player.goto import Goto
from ttyscribe_player.names import Name, play_name
from ttyscribe_player.opening import Opening
from ttyscribe_player.options import parse
from ttyscribe_player.output import write_all
from ttyscribe_player.player import Player, copy
from ttyscribe_player.signals import Signalled, Watch, die_of
from ttyscribe_player.tape import Tape
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import Timeline
from ttyscribe_player.views import PaintedView, View, WrittenView
from ttyscribe_screen import Screen, available

MS = 1_000_000
_MAX_COMPLAINTS = 20
_NO_EMULATOR = "no emulator is installed (pip install 'ttyscribe[screen]'): showing text, colours and movement alone"
_BARE = "shown without the emulator"


class _Complaints:
    """Lines about what is played: told at once, or kept until the terminal is free again."""

    def __init__(self, program: str) -> None:
        self._program = program
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
            self._to_stderr(line)
        self._kept.clear()

    def close(self) -> None:
        """Tell what is left."""
        self._tell()
        if self._count > _MAX_COMPLAINTS:
            self._to_stderr(f"and {self._count - _MAX_COMPLAINTS} more")

    def _to_stderr(self, line: str) -> None:
        """One line; where standard error is closed it has to be lost, and not to end up in standard output."""
        if sys.stderr is not None:
            shown = "".join(c if c.isprintable() or c == "\n" else "?" for c in line)
            print(f"{self._program}: {shown}", file=sys.stderr)


def main(argv: Sequence[str] | None = None, name: Name | None = None) -> int:
    """Run; answers the exit status."""
    name = name or play_name(sys.argv[0])
    given = parse(sys.argv[1:] if argv is None else argv, name)
    complaints = _Complaints(name.program)
    try:
        with Watch() as watch, ExitStack() as opened:
            status = _play(complete(given, name), name, complaints, watch, opened)
    except Signalled as signalled:
        status = -signalled.number
    except BrokenPipeError:
        status = -signal.SIGPIPE
    except TtyscribeError as error:
        complaints.say(str(error))
        status = name.usage_status if isinstance(error, ConfigError) else 1
    except OSError as error:
        complaints.say(f"cannot go on: {error.strerror or error}")
        status = 1
    complaints.close()
    return status if status >= 0 else die_of(-status)


def _play(options: argparse.Namespace, name: Name, complaints: _Complaints, watch: Watch, opened: ExitStack) -> int:
    if options.configuration:
        return _print([to_json(options, name)])
    on_terminal = os.isatty(1)
    options.recording = options.recording or (options.file_path if options.reader == "file" else "")
    if not options.recording and options.reader == "file":
        raise ConfigError("what is to be played? Name a FILE, or a RECORDING in a store")
    opening = Opening(options, complaints.damage, complaints.say, opened)
    if options.list:
        options.follow = False
        return _print(source.listed(opening.recordings())) or int(complaints.damaged)
    if options.speed == 0:
        options.paused, options.speed = True, 1.0
    if options.paused and on_terminal and not os.isatty(0):
        raise ConfigError("--paused needs a keyboard, and standard input is not a terminal")
    complaints.keep = on_terminal
    start, shown = opening.what()
    is_whole = _on_terminal(options, shown, start, watch, complaints) if on_terminal else copy(shown, 1, complaints.say)
    return 0 if is_whole and not complaints.damaged else 1


def _print(lines: Iterable[str]) -> int:
    for line in lines:
        write_all(1, line.encode("utf-8", "replace") + b"\n")
    return 0


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
    with Terminal(persist=options.persist) as terminal:
        view: View = (
            PaintedView(terminal, tape, resize=options.resize)
            if painted
            else WrittenView(terminal, tape, _through if options.raw else lambda: Filter().feed)
        )
        timeline = Timeline(tape, time.monotonic_ns(), speed=options.speed, paused=options.paused)
        timeline.idle_limit = int(options.idle_limit * 1_000_000_000)
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
