# SPDX-License-Identifier: Apache-2.0
"""Says how far long work has come: a bar, where rich is there and a person looks at standard error."""

import contextlib
import sys
from collections.abc import Callable, Iterator

Advance = Callable[[int], None]
"""Takes how much is done, in the unit of the whole."""


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar of a whole of `total` (0: not known)."""
    try:
        if not sys.stderr.isatty():
            raise ImportError
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield _nothing
        return
    columns = (TextColumn(what), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda done: bar.update(task, completed=done)


def _nothing(_: int) -> None:
    """Show nothing."""
