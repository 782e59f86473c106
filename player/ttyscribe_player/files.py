# SPDX-License-Identifier: Apache-2.0
"""Recordings in a file of tlog messages, one a line: which there are, and the messages of one.

A file is looked through once, then read in the order of its messages' ids: it may hold several recordings, lines twice
and lines out of order. A line may carry what a log service puts before the message. What a reader brought (`feed.py`)
lies in a file too, and carries who sent each message.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import BinaryIO, NamedTuple

from ttyscribe_formats import compression
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.identity import recording_key, tlog_id
from ttyscribe_formats.tlog import Message, decode, to_fields
from ttyscribe_player.feed import NOBODY, PREFIX, Feed, attested
from ttyscribe_player.listing import Several, described
from ttyscribe_store.base import StoredMessage

MAX_LINE = 16 << 20
"""Bytes of one line; tlog's own lines are a few thousand."""
_START = b'{"ver":'
_STRING = rb'"([^"\\]*)"'
# Every line of one recorder begins so; what does not is decoded to be known.
_HEADER = re.compile(
    rb'\{"ver":(?:"[^"\\]*"|[0-9]+),"host":%b,"rec":%b,"user":%b,"term":%b,"session":([0-9]{1,10}),"id":([0-9]{1,18}),'
    % ((_STRING,) * 4)
)

Complain = Callable[[str], None]
"""Takes one line about damaged data."""


class Found(NamedTuple):
    """One recording in a file."""

    key: str
    rec: str
    user: str
    host: str
    lines: list[tuple[int, int, int]]
    """Of each of its messages: id, place in the file, number of the line."""


class Recordings:
    """A file that has been looked through. `complain` is told of each damaged line, now and while reading."""

    def __init__(
        self,
        path: str,
        complain: Complain,
        file: BinaryIO | None = None,
        *,
        feed: Feed | None = None,
        grows: bool = False,
    ) -> None:
        """With `file` the path is its name alone; with a feed neither is used.

        What `grows` has a last line only once its end is there.
        """
        self._path = path if feed is None else feed.name
        self._complain = complain
        self._feed = feed
        self._file = file or (_opened(path) if feed is None else feed.file)
        self._skip = 0 if feed is None else PREFIX
        self._grows = grows
        self._is_open = False
        self._number = self._place = 0
        self.found: dict[str, Found] = {}
        self.grow()

    def grow(self, wanted: "Found | None" = None) -> None:
        """Look through what has come since, of this recording first of all. MessageError where the file has shrunk."""
        if self._feed is not None and self._is_open:
            self._feed.more(_first_open(wanted))
        self._is_open = True
        if self._place and os.fstat(self._file.fileno()).st_size < self._place:
            raise MessageError(f"{self._path} has become shorter: it was written anew")
        self._file.seek(self._place)
        for raw in _lines(self._file):
            if self._grows and not raw.ended:
                break
            self._number += 1
            if raw.text.strip():
                start = self._skip or (0 if raw.text.startswith(b"{") else max(0, raw.text.find(_START)))
                self._look(self._number, self._place + start, raw.text[start:] if start else raw.text)
            self._place += raw.size

    def _look(self, number: int, place: int, line: bytes) -> None:
        header = _HEADER.match(line)
        try:
            if len(line) > MAX_LINE:
                raise MessageError(f"longer than {MAX_LINE >> 20} MiB")
            if header:
                host, rec, user, term = (part.decode() for part in header.groups()[:4])
                session, message_id = int(header[5]), int(header[6])
            else:
                message = decode(line)
                host, rec, user, term = message.host, message.rec, message.user, message.term
                session, message_id = message.session, message.id
        except (MessageError, UnicodeDecodeError) as error:
            self._damaged(number, error)
            return
        key = recording_key(rec, host, user, session, term)
        found = self.found.setdefault(key, Found(key, rec, user, host, []))
        found.lines.append((message_id, place, number))

    def choose(self, wanted: str) -> Found | None:
        """The recording that is meant: by its rec, its key, or the beginning of it; the only one where none is named.

        None where the file holds nothing at all. `Several` lists the recordings where the choice is not clear.
        """
        if not wanted:
            fitting = list(self.found.values())
        else:
            exact = [one for one in self.found.values() if wanted in (one.key, one.rec)]
            fitting = exact or [one for one in self.found.values() if one.key.startswith(wanted)]
        if len(fitting) == 1:
            return fitting[0]
        if not self.found and not wanted:
            return None
        head = f"{self._path} holds {len(self.found) or 'no'} recording{'s' * (len(self.found) != 1)}"
        what = f"none that begins with {wanted!r}" if wanted and not fitting else "choose one with --match=RECORDING"
        rows = [(one.key, self.described(one)) for one in (fitting or list(self.found.values()))[:_MAX_LISTED]]
        more = len(fitting or self.found) - _MAX_LISTED
        listed = "".join(f"\n  {key} {text}" for key, text in rows) + (f"\n  and {more} more" if more > 0 else "")
        raise Several(f"{head}, {what}{listed}", rows if fitting else [], max(0, more))

    def described(self, found: Found) -> str:
        """What a list says of it, but for its name."""
        places: dict[int, list[tuple[int, int]]] = {}
        for message_id, place, number in found.lines:
            places.setdefault(message_id, []).append((place, number))

        def read(message_id: int) -> list[Message]:
            read = (self._read(place, number) for place, number in places[message_id])
            return [message for message in read if message is not None]

        return described(found.key, found.user, found.host, (entry[0] for entry in found.lines), read)

    def messages(self, found: Found, first: int = 0) -> Iterator[StoredMessage]:
        """The recording's messages as a store would give them: ordered by id, equal ones under one document id.

        `first`: leave out so many of its lines, which were given before.
        """
        for _, group in groupby(sorted(found.lines[first:]), key=lambda entry: entry[0]):
            claims = list(group)
            decoded = [(*entry, message) for entry in claims if (message := self._read(*entry[1:]))]
            for _, place, number, message in decoded:
                document_id = f"line:{number}" if len(decoded) == 1 else tlog_id(found.key, message)
                pid, trust = self._sender(place)
                yield StoredMessage(document_id, to_fields(message), trust, pid)

    def _sender(self, place: int) -> tuple[int, str]:
        if self._feed is None:
            return NOBODY, "none"
        self._file.seek(place - PREFIX)
        return attested(self._file.read(PREFIX))

    def _read(self, place: int, number: int) -> Message | None:
        self._file.seek(place)
        try:
            return decode(self._file.readline(MAX_LINE + 1))
        except MessageError as error:
            self._damaged(number, error)
            return None

    def _damaged(self, number: int, error: Exception) -> None:
        self._complain(f"{self._path}:{number}: {error}")

    def close(self) -> None:
        """Close the file, and end the reader."""
        self._file.close()
        if self._feed is not None:
            self._feed.close()


_MAX_LISTED = 50
_LATE = 200
"""Messages that may come so much later than those behind them, and still be asked for."""


def _first_open(found: Found | None) -> int:
    """The lowest id that may be missing yet."""
    if found is None or not found.lines:
        return -1
    ids = {entry[0] for entry in found.lines}
    first = next((number for number in range(min(ids), max(ids)) if number not in ids), max(ids))
    return max(first, max(ids) - _LATE)


def _opened(path: str) -> BinaryIO:
    """The file, or a copy of what comes out of a pipe (`-`: standard input)."""
    try:
        file: BinaryIO = os.fdopen(0, "rb", closefd=False) if path == "-" else open(path, "rb")  # noqa: SIM115
        if not file.seekable():
            with file:
                copy = tempfile.TemporaryFile()  # noqa: SIM115
                shutil.copyfileobj(file, copy)
            file = copy
            file.seek(0)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", path) from None
    refused = compression.refusal(file.read(compression.LONGEST), path, "ttyscribe-play")
    if refused:
        raise ConfigError(refused, path)
    file.seek(0)
    return file


class _Line(NamedTuple):
    text: bytes
    """Of a line beyond the limit its head."""
    size: int
    ended: bool


def _lines(file: BinaryIO) -> Iterator[_Line]:
    while text := file.readline(MAX_LINE + 1):
        size, last = len(text), text
        while size > MAX_LINE and not last.endswith(b"\n") and (rest := file.readline(MAX_LINE)):
            size, last = size + len(rest), rest
        yield _Line(text, size, last.endswith(b"\n"))
