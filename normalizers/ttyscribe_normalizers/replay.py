# SPDX-License-Identifier: Apache-2.0
"""`--replay`: what is in a dead letter goes through the pipeline once more; what fails again stays.

Files that rsyslogd has written are dead letters too (`diverted.py`).

The file is set aside as `FILE.replaying` first, so that running programs go on with a new one. A replay that was
interrupted is taken up again from its beginning by the next: what was stored is there already and is not stored twice.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_normalizers import diverted
from ttyscribe_normalizers.deadletter import DeadLetter, read_entry
from ttyscribe_normalizers.delivery import Batch, Delivery
from ttyscribe_normalizers.pipeline import MAX_LINE, Dead, Pipeline, Processed

_AGAIN = ".again"
_ASIDE = ".replaying"
_HEAD = 2**20
_KEYS = (b'"raw":', b'"msg":', b'"document":', b'"request":')
"""One of these stands in each entry, whoever wrote it."""
NO_ENTRY = "no entry of a dead letter"


class Replayed(NamedTuple):
    """What was done."""

    entries: int
    failed: int
    """Entries that failed again, and are in the dead letter."""


class Replay:
    """One dead letter's replay. `delivery` must put what fails into `again`, of the same replay.

    Raises ConfigError where there is no such file, it is no dead letter, or another replay is at work on it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_name(path.name + _ASIDE)
        self._file = self._set_aside()
        if diverted.is_open_elsewhere(self._file):
            raise ConfigError(
                f"rsyslogd has it open still, now as {self._aside.name}: make it begin a new one (SIGHUP: `systemctl "
                "kill --kill-whom=main --signal=HUP` and its unit), then give the same command again",
                str(path),
            )
        again = path.with_name(path.name + _AGAIN)
        again.unlink(missing_ok=True)
        self.again = DeadLetter(again)

    def _set_aside(self) -> int:
        """The file under its other name, locked."""
        if not self._aside.exists():
            if not self.path.is_file():
                raise ConfigError("there is no such dead letter", str(self.path))
            if not _may_be_one(self.path):
                raise ConfigError(
                    "this is no dead letter, and was left alone: what holds plain lines is read with --protocol ndjson "
                    "and < FILE",
                    str(self.path),
                )
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(fd, fcntl.LOCK_EX)  # whoever writes now finishes, and sees that the file has moved
            self.path.rename(self._aside)
            os.close(fd)
        fd = os.open(self._aside, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise ConfigError("another replay of it is at work", str(self.path)) from None
        return fd

    def run(self, pipeline: Pipeline, delivery: Delivery, progress: Callable[[int], None]) -> Replayed:
        """Replay all of it. Raises Unavailable where the store goes away: the next replay begins anew."""
        count = 0
        batch = Batch()
        for line in self._lines():
            count += 1
            for raw, processed in _processed(line, pipeline):
                batch.add(raw, processed)
            if batch.full:
                delivery.attempt(batch)
                batch = Batch()
                progress(count)
        delivery.attempt(batch)
        self.again.close()
        failed = self._put_back()
        self._aside.unlink()
        os.close(self._file)
        return Replayed(count, failed)

    def _lines(self) -> Iterator[bytes]:
        with open(self._file, "rb", closefd=False) as file:
            for line in file:
                if stripped := line.strip():
                    yield stripped

    def _put_back(self) -> int:
        """Append what failed again to the dead letter; how many entries."""
        if not self.again.path.exists():
            return 0
        lines = self.again.path.read_bytes().splitlines(keepends=True)
        letter = DeadLetter(self.path)
        letter.append_encoded(lines)
        letter.close()
        self.again.path.unlink()
        return len(lines)


def _may_be_one(path: Path) -> bool:
    """Whether a file is empty, or has an entry near its beginning: a replay takes it away and writes it anew."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return not head.strip() or any(key in head for key in _KEYS)


def _processed(line: bytes, pipeline: Pipeline) -> Iterable[tuple[bytes, Processed]]:
    """The raw lines of an entry, and what becomes of each now."""
    try:
        raw, received, entry = read_entry(line)
    except MessageError:
        return diverted.processed(line, pipeline) or [(line, Processed((), Dead("unparsable", NO_ENTRY)))]
    if entry.get("status") == "damaged":
        return [(raw, Processed((), Dead("damaged", str(entry.get("reason", "")), entry["received"])))]
    if len(raw) >= MAX_LINE:
        return [(raw, Processed((), Dead("too-long", str(entry.get("reason", "")), entry["received"])))]
    return [(raw, pipeline.process(raw, received))]
