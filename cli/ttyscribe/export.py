# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe export`: a recording as a file that other programs play or read."""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from ttyscribe import stores
from ttyscribe.outfile import Outputs
from ttyscribe.progress import progress
from ttyscribe.show import end_status
from ttyscribe.text import clean
from ttyscribe_formats import asciicast, typescript
from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.packet import Output, Packet, Window
from ttyscribe_formats.place import format_time
from ttyscribe_formats.plain import plain_text
from ttyscribe_player import source
from ttyscribe_player.event import Event, Mark, events
from ttyscribe_player.tape import Tape, feed
from ttyscribe_screen import Screen, available
from ttyscribe_store.base import StoredMessage

DESCRIPTION = """Writes a recording as a file for other programs.

asciicast (versions 3 and 2) is what asciinema plays; typescript, with --timing, is what scriptreplay plays; text is
what stood on the screen, line by line, as a person would have read it. What was typed is not written. What is missing
or in doubt in the recording, and what its recorder left out, is said on standard error, and in an asciicast by markers;
where something is missing the exit status is 1. asciicast and text hold text alone: it is said how many bytes were
none.

A file is there when it is whole, and not before; one that is there already is not touched without --force."""
EPILOG = """examples:
  ttyscribe export session.log -o session.cast
  ttyscribe export --store sqlite:/var/lib/ttyscribe 1f0c-1011-13dda --format asciicast-v2 -o session.cast
  ttyscribe export session.log --format typescript --timing timing -o typescript
  ttyscribe export session.log --format text | less"""
FORMATS = ("asciicast", "asciicast-v2", "typescript", "text")
_MS = 1_000_000
_BARE = re.compile(rb"(?<!\r)\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("recording", metavar="FILE|RECORDING", help="a file of messages, or a recording in the store")
    stores.add_store(parser)
    parser.add_argument("-f", "--format", choices=FORMATS, default="asciicast", help="what to write (%(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: standard output)")
    parser.add_argument("-t", "--timing", metavar="FILE", default="", help="the timing file beside a typescript")
    parser.add_argument("--force", action="store_true", help="write over files that are there already")
    parser.add_argument("-m", "--match", metavar="REC", default="", help="which of several recordings in a file")


class _Report:
    """Says what is not whole, and remembers that something was."""

    def __init__(self) -> None:
        self.complete = True

    def say(self, text: str) -> None:
        """One line."""
        print(f"ttyscribe: {clean(text)}", file=sys.stderr)

    def damage(self, text: str) -> None:
        """One line about what is lost."""
        self.complete = False
        self.say(text)


def run(options: argparse.Namespace) -> int:
    """Write it."""
    if (options.format == "typescript") != bool(options.timing):
        raise ConfigError("a typescript needs --timing FILE, and nothing else does")
    report = _Report()
    ending = _Ending()
    messages = ending.watch(_messages(options, report))
    first = next(messages, None)
    if first is None:
        raise ConfigError(f"there is nothing to export in {options.recording}")
    with Outputs(force=options.force) as outputs:
        output = outputs.open(options.output)
        timing = outputs.open(options.timing) if options.timing else None
        tape = Tape(events(_again(first, messages)))
        _load(tape)
        for mark in tape.marks:
            (report.damage if mark.is_loss else report.say)(f"at {format_time(mark.time_ns // _MS)}: {mark.text}")
        if timing is not None:
            _typescript(tape, first, output, timing, ending.status)
        elif options.format == "text":
            _text(tape, output)
        else:
            replaced = _asciicast(tape, first, output, 2 if options.format.endswith("2") else 3, ending.status)
            if replaced:
                what = "character stands" if replaced == 1 else "characters stand"
                report.say(f"{replaced} {what} for bytes that are no text")
        tape.close()
        outputs.finish()
    return 0 if report.complete else 1


class _Ending:
    """Remembers the exit status that the last message tells."""

    def __init__(self) -> None:
        self.status: int | None = None

    def watch(self, messages: Iterable[StoredMessage]) -> Iterator[StoredMessage]:
        """The same messages."""
        for message in messages:
            self.status = end_status(message)
            yield message


def _messages(options: argparse.Namespace, report: _Report) -> Iterator[StoredMessage]:
    store = options.store or os.environ.get(stores.VARIABLE, "")
    wanted = source.named(options.recording, store, store_given=options.store is not None)
    if wanted.is_file:
        return source.from_file(wanted.name, options.match, report.damage)
    if options.match:
        raise ConfigError("--match chooses among the recordings of a file; in a store name the recording itself")
    found, key = source.opened(store, wanted.name, is_sure=options.store is not None)
    return found.messages(key)


def _again(first: StoredMessage, rest: Iterable[StoredMessage]) -> Iterator[StoredMessage]:
    yield first
    yield from rest


def _load(tape: Tape) -> None:
    with progress("reading", 0) as advance:
        while not tape.complete:
            tape.load(0.2)
            advance(len(tape))


def _events(tape: Tape) -> Iterator[Event]:
    """Everything, while a bar says how far it came."""
    with progress("writing", len(tape)) as advance:
        for number, event in enumerate(tape.events(0, len(tape))):
            if number % 1000 == 0:
                advance(number)
            yield event


def _packets(tape: Tape) -> Iterator[Output | Window]:
    """Everything but marks."""
    return (event for event in _events(tape) if not isinstance(event, Mark))


def _size(tape: Tape) -> tuple[int, int]:
    """The recording's first window; the usual one where it has none, as one of pipes."""
    first = tape.event(0) if tape.has(0) else None
    return (first.columns, first.rows) if isinstance(first, Window) and first.columns and first.rows else (80, 24)


def _changes(events: Iterable[Event], size: tuple[int, int]) -> Iterator[Event]:
    """Without the windows that are repeated at the front of each message."""
    for event in events:
        if isinstance(event, Window):
            if (event.columns, event.rows) == size:
                continue
            size = (event.columns, event.rows)
        yield event


def _asciicast(tape: Tape, first: StoredMessage, output: BinaryIO, version: int, status: int | None) -> int:
    """Write it; how many characters stand for bytes that are no text."""
    size = _size(tape)
    tlog = first.tlog
    title = f"{tlog['user']}@{tlog['host']}"
    header = asciicast.Header(version, *size, int(_start_ns(first) // 1_000_000_000), title, "", tlog["term"])
    encoder = asciicast.Encoder(version)
    _write_line(output, asciicast.encode_header(header))
    of_pipes = not (tape.has(0) and isinstance(tape.event(0), Window))
    for event in _changes(_events(tape), size):
        if isinstance(event, Mark):
            _write_line(output, encoder.marker(event.time_ns, event.text))
            continue
        for line in encoder.lines(_returning(event) if of_pipes else event):
            _write_line(output, line)
    for line in encoder.end(status):
        _write_line(output, line)
    return encoder.replaced


def _returning(packet: Packet) -> Packet:
    """With the carriage returns that a terminal's driver makes for what goes through pipes: a cast has no driver."""
    if not isinstance(packet, Output):
        return packet
    return packet._replace(data=_BARE.sub(b"\r\n", packet.data))


def _write_line(output: BinaryIO, line: str) -> None:
    output.write(line.encode("utf-8", "replace") + b"\n")


def _start_ns(first: StoredMessage) -> int:
    """The wall clock at the recording's start."""
    time: float = first.tlog.get("time") or 0.0
    position: int = first.tlog["pos"]
    return max(0, round(time * 1000) - position) * _MS


def _typescript(tape: Tape, first: StoredMessage, output: BinaryIO, timing: BinaryIO, status: int | None) -> None:
    size = _size(tape)
    encoder = typescript.Encoder(_start_ns(first), *size)
    _write_piece(encoder.begin(), output, timing)
    for packet in _packets(tape):
        _write_piece(encoder.piece(packet), output, timing)
    _write_piece(encoder.end(status), output, timing)


def _write_piece(piece: typescript.Piece, output: BinaryIO, timing: BinaryIO) -> None:
    timing.write(piece.timing.encode())
    output.write(piece.data)


def _text(tape: Tape, output: BinaryIO) -> None:
    """What left the screen at its top, and what stood there at the end; without the emulator the text of each line."""
    if not available():
        data = b"".join(packet.data for packet in _packets(tape) if isinstance(packet, Output))
        output.write(plain_text(data.decode("utf-8", "replace")).encode("utf-8", "replace"))
        return
    write: Callable[[str], object] = lambda text: output.write(text.encode("utf-8", "replace"))  # noqa: E731
    screen = Screen(*_size(tape), newline=True)
    for packet in _packets(tape):
        write(_lines(feed(screen, packet)))
    write(_lines(screen.lines()).rstrip("\n") + "\n")


def _lines(rows: list[str]) -> str:
    """Rows that are filled to the last column go on in the next one."""
    text = "".join(row.rstrip() + "\n" if row.endswith(" ") else row for row in rows)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
