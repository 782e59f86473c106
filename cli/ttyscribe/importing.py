# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe import`: recordings that other programs made, files of messages, or a journal, into a store."""

import argparse
import json
import os
import platform
import pwd
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO

from ttyscribe import stores
from ttyscribe.progress import Advance, progress
from ttyscribe.text import clean, counted
from ttyscribe_formats import asciicast, compression, journalfile, typescript
from ttyscribe_formats.aside import Aside
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.packet import Packet
from ttyscribe_formats.tlog import UNSET_SESSION

DESCRIPTION = """Brings recordings into a store.

It takes files of tlog messages (also with other log lines among them), what `journalctl` wrote (`-o json` or
`-o export`), asciicast of versions 2 and 3, and what `script` wrote (with --timing, and --input where what was typed
has a file of its own). With --journal, the journal's entries: all, or those that the given matches select. Imported
again, the same is stored once. Who made a cast or a typescript is not in it: --user and --host say it, else it is the
file's owner and this host. Compressed files are not read: uncompress them into a pipe."""
EPILOG = """examples:
  ttyscribe import --store sqlite:/var/lib/ttyscribe session.log session.cast
  ttyscribe import --timing timing typescript --user alice --host web7
  ttyscribe import --journal _COMM=tlog-rec-sessio
  journalctl -D /mnt/journal -o export | ttyscribe import -
  ssh web7 cat session.log | ttyscribe import -"""
_BATCH = 1000
_MOST_COMPLAINTS = 20
_HEAD = 1 << 18
"""Bytes of a first line."""
_SECOND_NS = 1_000_000_000
_MAX_LINE = 16 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("files", metavar="FILE", nargs="*", help="what to import (- is standard input)")
    stores.add_store(parser)
    parser.add_argument("--journal", action="store_true", help="import the journal; FILE are then its matches")
    parser.add_argument("-t", "--timing", metavar="FILE", default="", help="the timing file of a typescript")
    parser.add_argument("--input", metavar="FILE", default="", help="the file of what was typed, beside a typescript")
    parser.add_argument("--user", metavar="NAME", default="", help="who was recorded, in a cast or typescript")
    parser.add_argument("--host", metavar="NAME", default="", help="where it was recorded")


def run(options: argparse.Namespace) -> int:
    """Import it all."""
    if not options.files and not options.journal:
        raise ConfigError("what is to be imported? Name files, or give --journal")
    if options.timing and (options.journal or len(options.files) != 1):
        raise ConfigError("--timing goes with one typescript")
    if options.input and not options.timing:
        raise ConfigError("--input goes with a typescript and its --timing")
    target = _Target(stores.store_url(options))
    try:
        if options.journal:
            _journal(options.files, target)
        else:
            for name in options.files:
                _file(name, options, target)
        target.finish()
    finally:
        target.close()
    return target.told()


class _Target:
    """The normalizer's own way into a store: the same documents as if a log service had brought the lines."""

    def __init__(self, url: str) -> None:
        from ttyscribe_normalizers.build import build
        from ttyscribe_normalizers.deadletter import DeadLetter
        from ttyscribe_normalizers.delivery import Batch, Delivery
        from ttyscribe_normalizers.options import Options, default_dead_letter
        from ttyscribe_store.open import open_store

        store = open_store(url)
        if url.startswith("sqlite:"):
            store.setup()
        store.check()
        self._sink = store
        self._dead_letter = DeadLetter(default_dead_letter(url))
        self._dead_letter.check()
        self._pipeline = build(Options("ndjson", url, self._dead_letter.path, (0,), "", False))
        self._delivery = Delivery(store, self._dead_letter, time.time_ns)
        self._batch = Batch()
        self._complaints = 0
        self.bad = False

    def take(self, line: bytes, where: str = "") -> None:
        """One log line; `where` is said of it if it can't be stored."""
        processed = self._pipeline.process(line, time.time_ns())
        if processed.dead is not None and where:
            self.complain(f"{where}: {processed.dead.reason}")
        self._batch.add(line, processed)
        if len(self._batch.documents) >= _BATCH or len(self._batch.entries) >= _BATCH:
            self._flush()

    def complain(self, text: str) -> None:
        """One line about what is not stored, if there were not too many."""
        self._complaints += 1
        if self._complaints <= _MOST_COMPLAINTS:
            print(f"ttyscribe: {clean(text)}", file=sys.stderr)

    def remark(self, text: str) -> None:
        """One line about what is left out."""
        print(f"ttyscribe: {clean(text)}", file=sys.stderr)

    def too_long(self, head: bytes, size: int) -> None:
        """A line of which only the head was kept."""
        self._batch.add(head, self._pipeline.too_long(size, len(head)))

    def _flush(self) -> None:
        while self._batch.documents or self._batch.entries:  # raises where the store is down: run it again then
            self._delivery.attempt(self._batch)

    def finish(self) -> None:
        """Store the rest, for all to read."""
        self._flush()
        self._sink.refresh()

    def close(self) -> None:
        """Store the rest, also where the import was cut short."""
        try:
            self._flush()
        finally:
            self._sink.close()
            self._dead_letter.close()

    def told(self) -> int:
        """Say what became of it; the exit status."""
        from ttyscribe_normalizers import summary

        print(summary.text(self._pipeline.counters, self._delivery.counters))
        dead = summary.dead(self._pipeline.counters, self._delivery.counters)
        if dead:
            print(f"ttyscribe: {dead} could not be stored: see {self._dead_letter.path}", file=sys.stderr)
        return 1 if dead or self.bad else 0


def _file(name: str, options: argparse.Namespace, target: _Target) -> None:
    try:
        with _opened(name) as opened:
            size = os.fstat(opened.fileno()).st_size
            head, file = _with_head(opened)
            with progress(f"importing {os.path.basename(name)}", 0 if options.timing else size) as advance:
                _import(name, head, file, options, target, advance)
    except MessageError as error:
        target.bad = True
        print(f"ttyscribe: {clean(name)}: {clean(str(error))}; what came before it is imported", file=sys.stderr)


def _with_head(file: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first line, and the file with that line before it again, also where it can't be gone back in."""
    head = file.readline(_HEAD)
    if file.seekable():
        file.seek(0)
        return head, file
    return head, BufferedReader(_Again(head, file))


class _Again(RawIOBase):
    """A pipe with what was read of it before it again."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head, self._file = head, file

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: Any) -> int:
        """What was read first, then what comes."""
        data, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        data = data or self._file.read1(len(buffer))  # type: ignore[attr-defined] # it is a buffered reader
        buffer[: len(data)] = data
        return len(data)


def _opened(name: str) -> BinaryIO:
    try:
        return os.fdopen(0, "rb", closefd=False) if name == "-" else open(name, "rb")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", name) from None


def _import(
    name: str, head: bytes, file: BinaryIO, options: argparse.Namespace, target: _Target, advance: Advance
) -> None:
    first = head.lstrip().partition(b"\n")[0]
    refused = compression.refusal(head, name, "ttyscribe import")
    if refused:
        raise ConfigError(refused, name)
    if options.timing:
        _typescript(name, file, options, target)
    elif first.startswith(typescript.STARTED):
        raise ConfigError("this is what `script` wrote: give its timing file with --timing", name)
    elif first.startswith(b"{") and b'"version"' in first and b'"ver"' not in first:
        _cast(name, first, file, options, target, advance)
    elif head.startswith(journalfile.START):
        for number, entry in enumerate(journalfile.decode(file.read, file.readline), 1):
            target.take(json.dumps(entry).encode(), f"{name}: entry {number}")
            advance(file.tell() if file.seekable() else number)
    else:
        _log(name, file, target, advance)


def _log(name: str, file: BinaryIO, target: _Target, advance: Advance) -> None:
    done = 0
    for number, (line, size) in enumerate(_lines(file), 1):
        done += size
        if size > _MAX_LINE:
            target.complain(f"{name}:{number}: longer than {_MAX_LINE >> 20} MiB")
            target.too_long(line, size)
        else:
            target.take(line, f"{name}:{number}")
        advance(done)


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Lines without their ends, and their sizes; of what is longer than the limit only the head."""
    while line := file.readline(_MAX_LINE + 1):
        size = len(line)
        while not line.endswith(b"\n") and size > _MAX_LINE and (rest := file.readline(_MAX_LINE)):
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        yield line.rstrip(b"\n")[:_MAX_LINE], size


def _cast(
    name: str, first: bytes, file: BinaryIO, options: argparse.Namespace, target: _Target, advance: Advance
) -> None:
    header = asciicast.decode_header(first.decode("utf-8", "replace"))
    start_ns = header.time_s * _SECOND_NS if header.time_s >= 0 else _changed_ns(file)
    aside = Aside()
    packets = asciicast.decode(_text_lines(file, _MAX_LINE, advance), aside)
    _record(name, file, first, packets, aside, start_ns, header.term, options, target)
    if aside.markers:
        target.remark(f"{name}: {counted(aside.markers, 'marker')} left out: messages have none")


def _text_lines(file: BinaryIO, most: int, advance: Advance) -> Iterator[str]:
    """Lines as text, while a bar says how far it came."""
    done = 0
    for number, line in enumerate(iter(lambda: file.readline(most + 1), b""), 1):
        if len(line) > most:
            raise MessageError(f"line {number} is longer than {most} bytes")
        done += len(line)
        advance(done)
        yield line.decode("utf-8", "replace")


def _typescript(name: str, file: BinaryIO, options: argparse.Namespace, target: _Target) -> None:
    first = _first_line(file)
    start_ns = typescript.started(first)
    aside = Aside()
    with ExitStack() as opened:
        timing = opened.enter_context(_opened(options.timing))
        typed = opened.enter_context(_opened(options.input)) if options.input else None
        if typed:
            _first_line(typed)
        size = os.fstat(timing.fileno()).st_size
        advance = opened.enter_context(progress(f"importing {os.path.basename(name)}", size))
        start = start_ns if start_ns >= 0 else _changed_ns(file)
        packets = typescript.decode(
            _text_lines(timing, _HEAD, advance), file.read, typed.read if typed else None, aside
        )
        _record(name, file, first, packets, aside, start, "", options, target)
    if aside.left_out:
        target.remark(f"{name}: {aside.left_out} bytes of input left out: give their file with --input")
    if aside.missing:
        target.bad = True
        target.remark(f"{name}: {aside.missing} bytes are missing at its end, by its timing file")


def _first_line(file: BinaryIO) -> bytes:
    """The line in which `script` says when it started; it may not be there."""
    head: bytes = file.peek(1)  # type: ignore[attr-defined] # it is a buffered reader
    return file.readline(_HEAD) if head.startswith(typescript.STARTED[: len(head)]) else b""


def _changed_ns(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_mtime_ns


def _record(
    name: str,
    file: BinaryIO,
    first: bytes,
    packets: Iterable[Packet],
    aside: Aside,
    start_ns: int,
    term: str,
    options: argparse.Namespace,
    target: _Target,
) -> None:
    """Write packets as our own recorder would have: messages under a name that the file itself gives."""
    mark = blake2b(first + str((start_ns, options.user, options.host)).encode(), digest_size=8)
    if name != "-":
        mark.update(Path(name).name.encode("utf-8", "surrogateescape"))
    user = options.user or _owner(file)
    host = options.host or platform.node()
    chunker = Chunker(Header(host, f"imported-{mark.hexdigest()}", user, term, UNSET_SESSION), marks=True)
    for packet in packets:
        for line in chunker.feed(packet, start_ns + packet.time_ns):
            target.take(line)
    for line in chunker.cut() if aside.status is None else chunker.end(aside.status, aside.status_ns):
        target.take(line)


def _owner(file: BinaryIO) -> str:
    try:
        return pwd.getpwuid(os.fstat(file.fileno()).st_uid).pw_name
    except KeyError:
        return "unknown"


def _journal(matches: list[str], target: _Target) -> None:
    command = ["journalctl", "--all", "--quiet", "--no-pager", "--output=json", "--", *matches]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise ConfigError(f"the journal can't be read: journalctl: {error.strerror or error}") from None
    with process, progress("importing the journal", 0) as advance:
        assert process.stdout is not None  # noqa: S101
        for number, (line, size) in enumerate(_lines(process.stdout)):
            if size > _MAX_LINE:
                target.too_long(line, size)
            else:
                target.take(line)
            advance(number)
    if process.returncode:
        target.bad = True
        print(f"ttyscribe: journalctl ended with status {process.returncode}", file=sys.stderr)
