# SPDX-License-Identifier: Apache-2.0
"""Says how far long work has come, where a person looks at standard error: with a bar where rich is, else in words."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ttyscribe.text import clean, is_terminal

Advance = Callable[[int], None]
"""Takes how much is done, in the unit of the whole."""
_SECONDS = 0.2


def progress(what: str, total: int) -> AbstractContextManager[Advance]:
    """A bar of a whole of `total` (0: not known)."""
    if not sys.stderr.isatty():
        return nullcontext(_nothing)
    what = clean(what)
    bar = _bar(what, total) if is_terminal(sys.stderr) else None
    return bar or _in_words(what[:60], total)


def _bar(what: str, total: int) -> AbstractContextManager[Advance] | None:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    # Names of files are in `what`: they are neither a pattern nor markup.
    told, part = TextColumn("{task.description}", markup=False), TextColumn("{task.percentage:>3.0f}%")
    bar = Progress(told, BarColumn(), part, TimeRemainingColumn(), console=Console(stderr=True), transient=True)

    @contextmanager
    def shown() -> Iterator[Advance]:
        with bar:
            task = bar.add_task(what, total=total or None)
            yield lambda done: bar.update(task, completed=done)

    return shown()


@contextmanager
def _in_words(what: str, total: int) -> Iterator[Advance]:
    words = _Words(what, total)
    try:
        yield words.advance
    finally:
        words.end()


class _Words:
    """One line that is written over; any terminal shows it."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._next = 0.0
        self._width = 0

    def advance(self, done: int) -> None:
        """Tell it, now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _SECONDS
        part = f"{min(100, 100 * done // self._total)} %" if self._total else str(done)
        self._tell(f"{self._what}: {part}")

    def end(self) -> None:
        """Take it away."""
        if self._width:
            self._tell("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _tell(self, text: str) -> None:
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


def _nothing(_: int) -> None:
    """Show nothing."""
