# SPDX-License-Identifier: Apache-2.0
"""Looks whether what is stored is whole: what it is kept in, then recording by recording; works on every store."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.base import Store
from ttyscribe_store.care import sqlite_check
from ttyscribe_store.care.findings import Finding, check
from ttyscribe_store.sqlite import SqliteStore

Tell = Callable[[int, int], None]
"""Takes how many are done, and how many there are."""


class Looked(NamedTuple):
    """One recording that was looked at; none: what all are kept in."""

    recording: str
    messages: int
    findings: list[Finding]


def _say_nothing(_: int, __: int) -> None:
    """Nobody looks."""


def verify_keeping(store: Store, tell: Tell = _say_nothing, *, quick: bool = False) -> Iterator[Finding]:
    """Look at what the documents are kept in; `quick`: not at each of them. Raises ConfigError, Unavailable."""
    if isinstance(store, SqliteStore):
        yield from sqlite_check.check(store.folder, tell, quick=quick)
    elif not quick:
        doubles: Callable[[], Iterator[str]] = getattr(store, "doubles", lambda: iter(()))  # engines have it
        for document in doubles():
            yield Finding("double", "", document, "is in several indices", {"document": document})


def verify_recordings(store: Store, wanted: Sequence[str] = (), tell: Tell = _say_nothing) -> Iterator[Looked]:
    """Look at these recordings, or at all. Raises ConfigError where one is not there, Unavailable."""
    known = set(wanted) or {one.recording for one in store.counts()}
    for number, recording in enumerate(sorted(known)):
        tell(number, len(known))
        checked = check(recording, store.messages(recording))
        if not checked.messages and wanted:
            raise ConfigError(f"there is no recording {recording!r}")
        if checked.messages:
            yield Looked(recording, checked.messages, checked.findings)
    tell(len(known), len(known))
    for recording in [] if wanted else sorted({one.recording for one in store.derived()} - known):
        yield Looked(recording, 0, [sqlite_check.dangling(recording)])
