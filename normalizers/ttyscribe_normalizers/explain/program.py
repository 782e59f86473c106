# SPDX-License-Identifier: Apache-2.0
"""`--explain FILE`: reads sample lines and prints what becomes of each; stores nothing, writes nothing else."""

import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import count
from typing import Any, Protocol

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers import show
from ttyscribe_normalizers.deadletter import read_entry
from ttyscribe_normalizers.explain.told import Row, rows
from ttyscribe_normalizers.explain.walk import Explained, Subject, explain
from ttyscribe_normalizers.options import Options
from ttyscribe_normalizers.pipeline import MAX_LINE, Pipeline

_HOUR = 3600 * 10**9
_STYLES = {"title": "bold cyan", "good": "green", "bad": "bold red", "quiet": "dim", "": ""}


class Build(Protocol):
    """Makes the pipeline of options, with these new ids and this clock, and without short ways."""

    def __call__(
        self, wanted: Options, *, stamp: Callable[[], str], now_ns: Callable[[], int], quick: bool
    ) -> Pipeline:
        """Raises ConfigError."""


def subject_of(wanted: Options, build: Build, now_ns: int) -> Subject:
    """What is asked. Raises ConfigError."""
    wanted, filters = wanted._replace(log_file=""), None  # what is wrong with a kind is said here, and once
    quiet = wanted._replace(log_file=os.devnull)
    if wanted.profile == "viaq":
        from ttyscribe_normalizers.viaq import load

        filters = load.read(wanted.viaq_config)

    @lru_cache(maxsize=64)
    def other_trust(uid: int) -> Pipeline:
        trusted = wanted.trusted_uid
        others = tuple(one for one in trusted if one != uid) if uid in trusted else (*trusted, uid)
        return made(quiet._replace(trusted_uid=others))

    def made(options: Options = quiet, stamp: str = "new", now: int = now_ns) -> Pipeline:
        return build(options, stamp=lambda: stamp, now_ns=lambda: now, quick=False)

    return Subject(made(wanted), made(stamp="newer"), other_trust, made(now=now_ns + _HOUR), filters)


def run(wanted: Options, build: Build) -> int:
    """Explain the lines of the file; 2 where it can't be read."""
    path = wanted.explain
    try:
        file = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115 - closed with the process
        now_ns = time.time_ns()
        subject = subject_of(wanted, build, now_ns)
        say = _json if wanted.json else _printer()
        for number in count(1):
            line = file.readline(MAX_LINE + 1)
            if not line:
                break
            size = len(line)
            while line[-1:] != b"\n" and (more := file.readline(MAX_LINE)):  # the rest of a line beyond the limit
                size += len(more)
                if more[-1:] == b"\n":
                    break
            say(_explained(number, line.removesuffix(b"\n") if size <= MAX_LINE else line, now_ns, subject))
            sys.stdout.flush()
    except BrokenPipeError:
        # Nobody is there to hear of it; what is buffered still would make the interpreter complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as error:
        raise ConfigError(f"can't read the lines: {error.strerror}", path) from None
    return 0


def _explained(number: int, line: bytes, now_ns: int, subject: Subject) -> Explained:
    """Of an entry of a dead letter that of its line, at the time when that came."""
    try:
        raw, received_ns, entry = read_entry(line)
    except MessageError:
        return explain(number, line, now_ns, subject)
    found = explain(number, raw, received_ns, subject)
    return found._replace(entry=f"{entry.get('status')}: {entry.get('reason')}")


def _json(found: Explained) -> None:
    """One object a line."""
    try:
        plain = _plain(found)
    except RecursionError:
        plain = _plain(found._replace(made=[], steps=[]))
    print(show.pretty(plain, None))


def _plain(value: Any) -> Any:
    """Named tuples as objects, bytes as the text that they would be in Latin-1."""
    if hasattr(value, "_asdict"):
        return {name: _plain(inner) for name, inner in value._asdict().items()}
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _printer() -> Callable[[Explained], None]:
    """With rich where it is there and a person looks; else plain."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.text import Text
        except ImportError:
            pass
        else:
            console = Console(highlight=False)

            def coloured(found: Explained) -> None:
                for row in rows(found):
                    console.print(Text(row.text, _STYLES[row.style]), soft_wrap=True)
                console.print()

            return coloured
    return lambda found: _plainly(rows(found))


def _plainly(found: Iterable[Row]) -> None:
    for row in found:
        sys.stdout.buffer.write(row.text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.write(b"\n")
