# SPDX-License-Identifier: Apache-2.0
"""The whole chain behind the recorder: a private real rsyslogd, the real normalizer under it, and a store.

with Chain("sqlite:/tmp/x", tmp_path) as chain:
    chain.daemon.send([datagram(b"hello")])
    chain.wait_stored(1)
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.rsyslog.daemon import AUDIT_GRADE, Rsyslogd, children_of
from ttyscribe_formats.errors import Unavailable
from ttyscribe_store.base import Hit, Query, Store
from ttyscribe_store.open import open_store

Read = TypeVar("Read")

PATIENCE = 60.0
"""Seconds that anything may take; far more than it does."""


def program(name: str) -> str:
    """Path of one of our installed programs."""
    return str(Path(sys.executable).with_name(name))


def run(name: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run one of our programs to its end."""
    return subprocess.run([program(name), *arguments], input=stdin, capture_output=True, timeout=PATIENCE * 2)


def wait(
    holds: Callable[[], object], what: Callable[[], object], timeout: float = PATIENCE, pause: float = 0.05
) -> None:
    """Wait until something holds; fails telling `what` is there instead."""
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, f"waited {timeout} s in vain: {what()}"
        time.sleep(pause)


class Chain:
    """rsyslogd, normalizer and store; a context manager. `url` names the store that the normalizer writes to.

    `read_url` is where the test itself reads (the same by default), `options` are further ones of the normalizer,
    `replace` changes the shipped configuration; or `daemon` makes an rsyslogd for a program's command line. Files other
    than rsyslogd's own are in `folder`.
    """

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        read_url: str = "",
        options: Sequence[str] = (),
        sample: Path = AUDIT_GRADE,
        replace: Mapping[str, str] | None = None,
        daemon: Callable[[Sequence[str]], Rsyslogd] | None = None,
    ) -> None:
        self.url = url
        self.dead_letter = folder / "dead-letter.ndjson"
        command = [program("ttyscribe-normalize"), "--protocol", "omprog", "--output", url]
        command += ["--dead-letter", str(self.dead_letter), *options]
        self.daemon = daemon(command) if daemon else Rsyslogd(command, sample=sample, replace=replace)
        self.store: Store = open_store(read_url or url)
        if url.startswith("sqlite:"):
            self.store.setup()  # as the normalizer does; but reads may come before it

    def normalizers(self) -> list[int]:
        """Process ids of the running normalizers."""
        return children_of(self.daemon.pid)

    def said(self) -> str:
        """What the normalizer reported."""
        return self.daemon.output.read_text(errors="replace") if self.daemon.output.exists() else ""

    def count(self) -> int:
        """Documents in the store; none where it does not exist yet."""
        return self._patiently(self.store.count)

    def _patiently(self, read: Callable[[], Read]) -> Read:
        """What a read gives; an engine refuses for a moment after each new index."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                self.store.refresh()
                return read()
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def wait_stored(self, count: int, timeout: float = PATIENCE) -> None:
        """Wait until exactly so many documents are stored; more are an error."""

        def what() -> str:
            return f"{self.count()} of {count} stored; {self.said()[-2000:]}"

        # A refresh costs an engine more than the documents that come meanwhile.
        wait(lambda: self.count() >= count, what, timeout, 0.05 if self.url.startswith("sqlite:") else 0.5)
        assert self.count() == count

    def search(self, *terms: str, kind: str = "", limit: int = 100_000) -> list[Hit]:
        """Documents that hold all words of each term."""
        query = Query([term.split() for term in terms], kind=kind, limit=limit)
        return self._patiently(lambda: list(self.store.search(query)))

    def wait_found(self, term: str, timeout: float = PATIENCE) -> Hit:
        """Wait until a term is found."""
        wait(lambda: self.search(term), lambda: f"{term!r} is not found; {self.said()[-2000:]}", timeout)
        return self.search(term)[0]

    def dead(self) -> list[dict[str, Any]]:
        """Entries of the dead letter."""
        if not self.dead_letter.exists():
            return []
        return [json.loads(line) for line in self.dead_letter.read_bytes().splitlines()]

    def close(self) -> None:
        """End all of it."""
        try:
            self.daemon.close()
        finally:
            self.store.close()

    def __enter__(self) -> Self:
        self.daemon.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.daemon.__exit__(kind, error, trace)
        finally:
            self.store.close()
