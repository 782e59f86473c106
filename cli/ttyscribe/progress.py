# SPDX-License-Identifier: Apache-2.0
"""Says how far long work has come, where a person looks at standard error: with a bar where rich is, else in words."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from ttyscribe.text import clean

Advance = Callable[[int], None]
"""Takes how much is done, in the unit of the whole."""
_SECONDS = 0.2


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar of a whole of `total` (0: not known)."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        words = _Words(clean(what)[:60], total)
        try:
            yield words.advance
        finally:
            words.end()
        return
    # Names of files are in `what`: they are neither a pattern nor markup.
    told, part = TextColumn("{task.description}", markup=False), TextColumn("{task.percentage:>3.0f}%")
    with Progress(told, BarColumn(), part, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(clean(what), total=total or None)
        yield lambda done: bar.update(task, completed=done)


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
