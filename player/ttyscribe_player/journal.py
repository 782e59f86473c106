# SPDX-License-Identifier: Apache-2.0
"""The `journal` reader: messages out of the journal, by journalctl.

The journal knows from the kernel who wrote an entry, so each message comes with its sender: who of several tells the
truth is decided as in a store.
"""

import json
import os
import pwd
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import product
from typing import Any, BinaryIO, NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_player import feed

_PIECE = 1 << 16
_AT_ONCE = 4 << 20
"""Bytes after which the player looks at its keys again."""
_MOST_LINE = 80 << 20
"""Bytes of one entry: a byte of a message that is no text takes four."""
_MOST_TERMS = 500
Complain = Callable[[str], None]


class Wanted(NamedTuple):
    """Which entries: times are seconds since the epoch."""

    since: int | None = None
    until: int | None = None
    matches: Sequence[str] = ()
    """FIELD=value; OR between groups of them; AND between what OR joins."""
    namespace: str = ""


class Journal:
    """A `Feed`. `complain` is told of each entry that is no message."""

    name = "the journal"

    def __init__(self, wanted: Wanted, complain: Complain, *, follow: bool = False) -> None:
        self._complain = complain
        self._number = 0
        self._rest: list[bytes] = []
        """What has come of a line under way."""
        self._size = 0
        self._follows = follow
        self._is_over = False
        self._told = tempfile.TemporaryFile()  # noqa: SIM115
        self.file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 # its reader closes it
        try:
            self._process = subprocess.Popen(
                command(wanted, follow=follow), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._told
            )
        except OSError as error:
            raise ConfigError(f"the journal can't be read: journalctl: {error.strerror or error}") from None
        assert self._process.stdout is not None  # noqa: S101
        self._pipe = self._process.stdout.fileno()
        if follow:
            os.set_blocking(self._pipe, False)
        else:
            self.more(0)
        self.file.seek(0)

    def more(self, first: int) -> None:  # noqa: ARG002 # the journal gives nothing twice
        """Take what journalctl has written."""
        self.file.seek(0, 2)
        room = _AT_ONCE
        while not self._is_over and (room > 0 or not self._follows):
            try:
                data = os.read(self._pipe, _PIECE)
            except BlockingIOError:
                return
            room -= len(data)
            begin, *others = data.split(b"\n")
            self._add(begin)
            for piece in others:
                self._take(b"".join(self._rest))
                self._rest, self._size = [], 0
                self._add(piece)
            if not data:
                self._end()

    def _add(self, piece: bytes) -> None:
        """A part of a line; what is too long is dropped, so that it hides nothing behind it."""
        self._size += len(piece)
        self._rest.append(piece)
        if self._size > _MOST_LINE:
            self._rest = []

    def _take(self, line: bytes) -> None:
        self._number += 1
        message, pid, trust = entry(line)
        if not message:
            self._complain(f"entry {self._number} of the journal is no message of a recording")
        self.file.write(feed.line(message, pid, trust))

    def _end(self) -> None:
        self._is_over = True
        if rest := b"".join(self._rest):
            self._take(rest)
        status = self._process.wait()
        self._told.seek(0)
        words = self._told.read(1000).decode("utf-8", "replace").strip().partition("\n")[0]
        if status:
            self._complain(f"journalctl ended with status {status}" + (f": {words}" if words else ""))

    def close(self) -> None:
        """End journalctl."""
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._told.close()


def command(wanted: Wanted, *, follow: bool) -> list[str]:
    """How journalctl is called. Raises ConfigError."""
    words = ["journalctl", "--all", "--quiet", "--no-pager", "--output=json"]
    words += ["--follow", "--no-tail"] if follow else []
    words += [f"--since=@{wanted.since}"] if wanted.since is not None else []
    words += [f"--until=@{wanted.until}"] if wanted.until is not None else []
    words += [f"--namespace={wanted.namespace}"] if wanted.namespace else []
    return [*words, "--", *terms(wanted.matches)]


def terms(matches: Sequence[str]) -> list[str]:
    """The matches as journalctl wants them, which knows OR alone: (A OR B) AND C becomes A C OR B C.

    Matches that stand side by side are joined as the journal does it: one field's values by OR, fields by AND.
    """
    for match in matches:
        name, equals, _ = match.partition("=")
        if match not in ("AND", "OR") and not (equals and name.replace("_", "A").isalnum() and name.isascii()):
            raise ConfigError(f"--journal-match: {match!r} is not FIELD=value, AND or OR")
    joined = [_split(part, "OR") for part in _split(matches, "AND")]
    for part in joined:
        if len(joined) * len(part) > 1 and not all(part):
            raise ConfigError("--journal-match: AND and OR stand between matches")
    if len(joined) == 1:
        groups = [list(group) for group in joined[0]]
    else:
        groups = _multiplied([[choice for group in part for choice in _choices(group)] for part in joined])
    found: list[str] = []
    for group in groups:
        found += ["+", *group] if found else group
    return found


def _split(words: Sequence[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == at:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _choices(group: Sequence[str]) -> list[dict[str, str]]:
    """A group as what it allows: one value for each of its fields."""
    fields: dict[str, list[str]] = {}
    for match in group:
        name, _, value = match.partition("=")
        fields.setdefault(name, []).append(value)
    return [dict(zip(fields, values, strict=True)) for values in product(*fields.values())]


def _multiplied(parts: Sequence[Sequence[dict[str, str]]]) -> list[list[str]]:
    """Every way to take one choice of each part; two values of one field exclude each other."""
    found: list[dict[str, str]] = [{}]
    for part in parts:
        both = [(one, other) for one in found for other in part]
        found = [
            one | other for one, other in both if all(one.get(name, value) == value for name, value in other.items())
        ]
        if len(found) > _MOST_TERMS:
            raise ConfigError("--journal-match: too many ways to join these")
    if not found:
        raise ConfigError("--journal-match: AND joins two values of one field, which no entry has")
    return [[f"{name}={value}" for name, value in one.items()] for one in found]


def entry(line: bytes) -> tuple[bytes, int, str]:
    """The message of one entry (or nothing), which may be a list of bytes; the sender's pid, and its trust."""
    try:
        fields = json.loads(line)
        message = fields["MESSAGE"]
        data = bytes(message) if isinstance(message, list) else message.encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return b"", feed.NOBODY, "none"
    if not data.lstrip().startswith(b"{"):
        return b"", feed.NOBODY, "none"
    return data, _number(fields.get("_PID")), _trust(_number(fields.get("_UID")), data)


def _number(text: Any) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 11 else -1


def _trust(uid: int, data: bytes) -> str:
    """As the normalizer has it: root's messages are the recorder's, the recorded user's are at least his own."""
    if uid == 0:
        return "system"
    name = _name(uid) if uid > 0 else ""
    try:
        return "user" if name and json.loads(data)["user"] == name else "none"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "none"


@lru_cache(maxsize=1024)
def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return ""
