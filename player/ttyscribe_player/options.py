# SPDX-License-Identifier: Apache-2.0
"""The command line of ttyscribe-play."""

import argparse
import re
from collections.abc import Callable
from typing import NamedTuple

from ttyscribe_formats.errors import MessageError
from ttyscribe_formats.place import parse_time
from ttyscribe_player.timeline import END

STORE_VARIABLE = "TTYSCRIBE_STORE"
MS = 1_000_000
_SECOND = 1_000_000_000

_FINER = re.compile(r"(\.[0-9]{3})[0-9]{1,6}$")

_DESCRIPTION = """Plays a recording from a file of tlog messages, from a store, from the journal, or from an index in
Elasticsearch or OpenSearch that holds tlog's messages.

On a terminal it plays as it was recorded, through an emulator: what was recorded moves text and colours there, and
can't reach the terminal itself (its clipboard, its title, its answers). Where the emulator is not installed (extra
`screen`), a filter lets only text, colours, cursor movement and erasing pass, and the player says so; --raw plays the
exact bytes.
What does not fit on the terminal is cut, and the part with the cursor is shown.

Where several messages claim one place and none is certain, none is played and the mark names the processes that sent
them; --sender plays what one process sent, and marks all else. The recorder is one process: its pid is that of the
most trusted messages, or is known from the host's log.

Into a file or a pipe it writes all bytes that the recorded programs wrote, at once and unchanged, and nothing else;
speed, pause and place change nothing there. What is missing, damaged or in doubt is said: on a terminal at its place,
else on standard error. Bytes that were written to standard error go to standard output with the rest, in order."""

_KEYS = """keys:
  space, p      pause, go on
  }  {          twice as fast, half as fast (1/16 to 16 times)
  backspace     as fast as it was recorded
  .  ,          the next packet now; back before the last one
  right, left   5 seconds on, back; up, down: a minute
  TIME G        go to [[H:]M:]SS; G or End alone: to the end
  N %           go to this part of the whole
  r, Home       from the beginning
  i             cut pauses to 2 seconds, or play them as they were
  / TEXT Enter  find when a text comes onto the screen; n: the next time, N: the time before
  q             quit

examples:
  ttyscribe-play session.log
  ttyscribe-play --speed 4 --goto 1:30 session.log
  ttyscribe-play --goto 50% --idle-limit 1 session.log
  ttyscribe-play --store sqlite:/var/lib/ttyscribe 1f0c-1011-13dda@0:42.000
  ttyscribe-play --list session.log
  ttyscribe-play --follow --goto end session.log
  ttyscribe-play -r journal -M TLOG_REC=1f0c-1011-13dda
  ttyscribe-play session.log > output

exit status: 0 played; 1 something is missing, damaged or can't be reached; 2 wrong usage, file or configuration"""


class Goto(NamedTuple):
    """Where to begin: a time in nanoseconds, or a part of the whole."""

    time_ns: int = 0
    part: float = 0.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="ttyscribe-play",
        description=_DESCRIPTION,
        epilog=_KEYS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add(
        "recording",
        metavar="FILE|RECORDING[@PLACE]",
        nargs="?",
        default="",
        help="a file (- is standard input), or a recording in the store or its beginning; PLACE is [[H:]M:]SS[.mmm]",
    )
    add("-s", "--speed", metavar="N", type=_speed, default=1.0, help="play N times as fast")
    add("-g", "--goto", metavar="TIME", type=_goto, help="begin at start, end, [[H:]M:]SS[.mmm] or N%% of the whole")
    add("-p", "--paused", action="store_true", help="begin with a pause")
    add("-l", "--list", action="store_true", help="list the recordings in the file and play nothing")
    add("-m", "--match", "--file-match", metavar="REC", default="", help="which of several recordings in a file")
    add("-f", "--follow", action="store_true", help="go on with what is still being recorded, in a file or a store")
    add("--idle-limit", metavar="S", type=_seconds, default=0, help="cut pauses in the recording to S seconds")
    add("--resize", action="store_true", help="give the terminal's window the size of the recorded one, where it obeys")
    add("--raw", action="store_true", help="write the recorded bytes to the terminal as they are: trust the recording")
    add("--sender", metavar="PID", type=_pid, default=-1, help="play only what this process sent")
    add("--persist", action="store_true", help="ignore q")
    add("--lax", action="store_true", help="as tlog-play takes it: gaps never end playing here, with it or without")
    add("-r", "--reader", choices=("file", "journal", "es"), default="file", help="where messages are (%(default)s)")
    add("-i", "--file-path", metavar="FILE", default="", help="the same as FILE")
    add("-S", "--journal-since", metavar="SECONDS", type=_epoch, help="journal entries from this time on (since 1970)")
    add("-U", "--journal-until", metavar="SECONDS", type=_epoch, help="journal entries up to this time")
    add("-M", "--journal-match", metavar="MATCH", action="append", default=[], help="FIELD=value, AND or OR; repeat it")
    add("-N", "--journal-namespace", metavar="NAME", default="", help="the journal's namespace")
    add("--es-baseurl", metavar="URL", default="", help="the _search of an index, as http://host:9200/tlog/_search")
    add("--es-query", metavar="QUERY", default="", help="which documents: a query string")
    add("--es-verbose", action="store_true", help="say what the engine is asked")
    add("--store", metavar="URL", help=f"play from this store (default: ${STORE_VARIABLE})")
    add("-v", "--version", action=_Version, nargs=0, help="print the version")
    return made


class _Version(argparse.Action):
    """Looks for the version only when it is asked for: the look-up takes longer than all other options together."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(parser.prog, metadata.version("ttyscribe"))
        parser.exit()


def _speed(text: str) -> float:
    return _number(text, lambda speed: 0 < speed <= 1e6, "speed: give a number above 0, as 2 or 0.5")


def _epoch(text: str) -> int:
    return int(_number(text, lambda value: 0 <= value < 2**40, "number of seconds since 1970"))


def _seconds(text: str) -> int:
    return int(_number(text, lambda value: 0 <= value <= 1e6, "number of seconds, as 2 or 0.5") * _SECOND)


def _number(text: str, fits: Callable[[float], bool], what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not fits(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
    return number


def _pid(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)


def _goto(text: str) -> Goto:
    if text.lower() in ("start", "end"):
        return Goto(0 if text.lower() == "start" else END)
    if text.endswith("%"):
        return Goto(0, _number(text[:-1], lambda part: 0 <= part <= 100, "part of the whole: give 0% to 100%") / 100)
    try:
        return Goto(parse_time(_FINER.sub(r"\1", text)) * MS)
    except MessageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
