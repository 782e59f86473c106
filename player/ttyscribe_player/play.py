# SPDX-License-Identifier: Apache-2.0
"""ttyscribe-play: shows a recording again."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence

from ttyscribe_formats.errors import ConfigError, MessageError, TtyscribeError
from ttyscribe_formats.place import parse_time
from ttyscribe_player import source
from ttyscribe_player.event import Event, events
from ttyscribe_player.player import Player, copy
from ttyscribe_player.signals import Signalled, Watch, die_of
from ttyscribe_player.terminal import Terminal
from ttyscribe_player.timeline import END, Timeline

STORE_VARIABLE = "TTYSCRIBE_STORE"
_MS = 1_000_000
_MAX_COMPLAINTS = 20

_DESCRIPTION = """Plays a recording from a file of tlog messages, or from a store.

On a terminal it plays as it was recorded. Into a file or a pipe it writes all bytes that the recorded programs wrote,
at once and unchanged, and nothing else; speed, pause and place change nothing there. What is missing, damaged or in
doubt is said: on a terminal at its place, else on standard error. Bytes that were written to standard error go to
standard output with the rest, in their order.

Where several messages claim one place and none is certain, none is played and the mark names the processes that sent
them; --sender plays what one process sent, and marks all else. The recorder is one process: its pid is that of the
most trusted messages, or is known from the host's log.

The recording can't reach the clipboard of the terminal (OSC 52) without --raw; what it leaves behind there is undone at
the end. The terminal is not resized. In a pause the window's title tells the position, the speed, and whether the
recording was made at another size than this terminal's."""

_KEYS = """keys:
  space, p    pause, go on
  }  {        twice as fast, half as fast (1/16 to 16 times)
  backspace   as fast as it was recorded
  .           the next packet now
  TIME G      go forward to [[H:]M:]SS; G alone: to the end
  q           quit

examples:
  ttyscribe-play session.log
  ttyscribe-play --speed 4 --goto 1:30 session.log
  ttyscribe-play --store sqlite:/var/lib/ttyscribe 1f0c-1011-13dda@0:42.000
  ttyscribe-play session.log > output

exit status: 0 played; 1 something is missing, damaged or can't be reached; 2 wrong usage, file or configuration"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="ttyscribe-play",
        description=_DESCRIPTION,
        epilog=_KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "recording",
        metavar="FILE|RECORDING[@PLACE]",
        help="a file (- is standard input), or a recording in the store or its beginning; PLACE is [[H:]M:]SS[.mmm]",
    )
    made.add_argument("-s", "--speed", metavar="N", type=_speed, default=1.0, help="play N times as fast")
    made.add_argument("-g", "--goto", metavar="TIME", type=_goto, help="begin at start, end or [[H:]M:]SS[.mmm]")
    made.add_argument("-p", "--paused", action="store_true", help="begin with a pause")
    made.add_argument("-m", "--match", metavar="REC", default="", help="which of several recordings in a file")
    made.add_argument("--sender", metavar="PID", type=_pid, default=-1, help="play only what this process sent")
    made.add_argument("--raw", action="store_true", help="let the recording set and read the terminal's clipboard too")
    made.add_argument("--store", metavar="URL", help=f"play from this store (default: ${STORE_VARIABLE})")
    made.add_argument("-v", "--version", action=_Version, nargs=0, help="print the version")
    return made


class _Version(argparse.Action):
    """Looks for the version only when it is asked for: the look-up takes longer than all other options together."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(parser.prog, metadata.version("ttyscribe"))
        parser.exit()


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: give a number above 0, as 2 or 0.5")
    return speed


def _pid(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)


def _goto(text: str) -> int:
    if text.lower() in ("start", "end"):
        return 0 if text.lower() == "start" else END
    try:
        return parse_time(text) * _MS
    except MessageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    if options.paused and on_terminal and not os.isatty(0):
        raise ConfigError("--paused needs a keyboard, and standard input is not a terminal")
    complaints.keep = on_terminal
    start, shown = _source(options, complaints)
    complete = copy(shown, 1, complaints.say) if not on_terminal else _on_terminal(options, shown, start, watch)
    return 0 if complete and not complaints.damaged else 1


def _source(options: argparse.Namespace, complaints: _Complaints) -> tuple[int, Iterator[Event]]:
    """Where to begin (ns), and what to play."""
    store = options.store or os.environ.get(STORE_VARIABLE, "")
    wanted = source.named(options.recording, store, store_given=options.store is not None)
    start = wanted.start_ms * _MS if options.goto is None else options.goto
    if wanted.is_file:
        if options.sender >= 0:
            raise ConfigError("--sender chooses in a store; in a file nobody attests who sent a message")
        return start, events(source.from_file(wanted.name, options.match, complaints.damage))
    if options.match:
        raise ConfigError("--match chooses among the recordings of a file; in a store name the recording itself")
    return start, source.from_store(store, wanted.name, options.sender, is_sure=options.store is not None)


def _on_terminal(options: argparse.Namespace, shown: Iterator[Event], start: int, watch: Watch) -> bool:
    timeline = Timeline(shown, time.monotonic_ns(), speed=options.speed, paused=options.paused, start=start)
    with Terminal(raw=options.raw) as terminal:
        player = Player(timeline, terminal)
        try:
            player.run()
        finally:
            watch.hold()
    return player.complete


if __name__ == "__main__":
    sys.exit(main())
