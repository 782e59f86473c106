# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe import`: recordings that other programs made, files of messages, or a journal, into a store."""

import argparse
import os
import platform
import pwd
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import IO, BinaryIO

from ttyscribe import stores
from ttyscribe.progress import Advance, progress
from ttyscribe.text import clean
from ttyscribe_formats import asciicast, typescript
from ttyscribe_formats.chunk import Chunker, Header
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.packet import Packet
from ttyscribe_formats.tlog import UNSET_SESSION

DESCRIPTION = """Brings recordings into a store.

It takes files of tlog messages (also with other log lines among them), asciicast of versions 2 and 3, and what `script`
wrote (with --timing). With --journal, the journal's entries: all, or those that the given matches select. Imported
again, the same is stored once. Who made a cast or a typescript is not in it: --user and --host say it, else it is the
file's owner and this host."""
EPILOG = """examples:
  ttyscribe import --store sqlite:/var/lib/ttyscribe session.log session.cast
  ttyscribe import --timing timing typescript --user alice --host web7
  ttyscribe import --journal _COMM=tlog-rec-sessio
  ssh web7 cat session.log | ttyscribe import -"""
_BATCH = 1000
_HEAD = 4096
_SECOND_NS = 1_000_000_000
_MAX_LINE = 16 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("files", metavar="FILE", nargs="*", help="what to import (- is standard input)")
    stores.add_store(parser)
    parser.add_argument("--journal", action="store_true", help="import the journal; FILE are then its matches")
    parser.add_argument("-t", "--timing", metavar="FILE", default="", help="the timing file of a typescript")
    parser.add_argument("--user", metavar="NAME", default="", help="who was recorded, in a cast or typescript")
    parser.add_argument("--host", metavar="NAME", default="", help="where it was recorded")


def run(options: argparse.Namespace) -> int:
    """Import it all."""
    if not options.files and not options.journal:
        raise ConfigError("what is to be imported? Name files, or give --journal")
    if options.timing and (options.journal or len(options.files) != 1):
        raise ConfigError("--timing goes with one typescript")
    target = _Target(stores.store_url(options))
    try:
        if options.journal:
            _journal(options.files, target)
        else:
            for name in options.files:
                _file(name, options, target)
    finally:
        target.close()
    return target.told()


class _Target:
    """The normalizer's own way into a store: the same documents as if a log service had brought the lines."""

    def __init__(self, url: str) -> None:
        from ttyscribe_normalizers.deadletter import DeadLetter
        from ttyscribe_normalizers.delivery import Batch, Delivery
        from ttyscribe_normalizers.main import build
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
        self.bad = False

    def take(self, line: bytes) -> None:
        """One log line."""
        self._batch.add(line, self._pipeline.process(line, time.time_ns()))
        if len(self._batch.documents) >= _BATCH or len(self._batch.entries) >= _BATCH:
            self._flush()

    def too_long(self, head: bytes, size: int) -> None:
        """A line of which only the head was kept."""
        self._batch.add(head, self._pipeline.too_long(size, len(head)))

    def _flush(self) -> None:
        while self._batch.documents or self._batch.entries:  # raises where the store is down: run it again then
            self._delivery.attempt(self._batch)

    def close(self) -> None:
        """Store the rest."""
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
        with _opened(name) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.peek(_HEAD)[:_HEAD]  # type: ignore[attr-defined] # both are buffered readers
            with progress(f"importing {clean(name)}", size) as advance:
                _import(name, head, file, options, target, advance)
    except MessageError as error:
        target.bad = True
        print(f"ttyscribe: {clean(name)}: {clean(str(error))}; what came before it is imported", file=sys.stderr)


def _opened(name: str) -> BinaryIO:
    try:
        return os.fdopen(0, "rb", closefd=False) if name == "-" else open(name, "rb")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", name) from None


def _import(
    name: str, head: bytes, file: BinaryIO, options: argparse.Namespace, target: _Target, advance: Advance
) -> None:
    first = head.lstrip().partition(b"\n")[0]
    if options.timing:
        _typescript(name, file, options, target)
    elif first.startswith(typescript.STARTED):
        raise ConfigError("this is what `script` wrote: give its timing file with --timing", name)
    elif first.startswith(b"{") and b'"version"' in first and b'"ver"' not in first:
        _cast(name, first, file, options, target)
    else:
        done = 0
        for line, size in _lines(file):
            done += size
            if size > _MAX_LINE:
                target.too_long(line, size)
            else:
                target.take(line)
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


def _cast(name: str, first: bytes, file: BinaryIO, options: argparse.Namespace, target: _Target) -> None:
    header = asciicast.decode_header(first.decode("utf-8", "replace"))
    lines = (line.decode("utf-8", "replace") for line in iter(lambda: file.readline(_MAX_LINE), b""))
    start_ns = header.time_s * _SECOND_NS if header.time_s >= 0 else _changed_ns(file)
    _record(name, file, first, asciicast.decode(lines), start_ns, header.term, options, target)


def _typescript(name: str, file: BinaryIO, options: argparse.Namespace, target: _Target) -> None:
    first = file.readline(_HEAD)
    start_ns = typescript.started(first)
    with _opened(options.timing) as timing:
        lines = (line.decode("utf-8", "replace") for line in iter(lambda: timing.readline(_HEAD), b""))
        start = start_ns if start_ns >= 0 else _changed_ns(file)
        _record(name, file, first, typescript.decode(lines, file.read), start, "", options, target)


def _changed_ns(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_mtime_ns


def _record(
    name: str,
    file: BinaryIO,
    first: bytes,
    packets: Iterable[Packet],
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
    chunker = Chunker(Header(host, f"imported-{mark.hexdigest()}", user, term, UNSET_SESSION))
    for packet in packets:
        for line in chunker.feed(packet, start_ns + packet.time_ns):
            target.take(line)
    for line in chunker.cut():
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
