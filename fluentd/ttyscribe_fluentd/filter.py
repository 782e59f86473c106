# SPDX-License-Identifier: Apache-2.0
"""The child that Fluentd's exec_filter runs: records in on standard input, records out on standard output.

It never writes anything else there, and never dies by SIGTERM, which Fluentd sends together with the end of the input:
it works until that end. What exec_filter itself promises is at most once (docs/contracts/fluentd.md).
"""

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .codec import CODECS, Codec, CodecError, Record
from .padding import Padding

READ_SIZE = 64 * 1024
Report = Callable[[str], None]
Handle = Callable[[list[Any]], Sequence[Record]]
"""Records, and what becomes of them. What came in place of a record (a number, a `Bad` line) is in the list as well."""


class Filter:
    """Serves over the descriptors `source` and `sink` until the end of the input. `form` is json or msgpack."""

    def __init__(self, handle: Handle, form: str, source: int, sink: int, report: Report | None = None) -> None:
        self._handle = handle
        self._codec: Codec = CODECS[form]()
        self._padding = Padding() if form == "json" else None
        self._source = source
        self._sink = sink
        self._report: Report = report or _say_nothing

    def serve(self) -> int:
        """Serve; the exit status: 0 at the end of the input, 1 where it can't be read on or nobody reads the output."""
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            return self._serve()
        except CodecError as error:
            self._report(f"the input can't be read on: {error}")
        except BrokenPipeError:
            self._report("Fluentd reads no more")
        finally:
            signal.signal(signal.SIGTERM, before)
        return 1

    def _serve(self) -> int:
        while data := os.read(self._source, READ_SIZE):
            self._write(self._codec.feed(data))
            if self._padding is not None and not self._more():
                self._put(self._padding.pad())
        self._write(self._codec.end())
        if self._codec.partial:
            self._report(f"the input ended inside a record, after {self._codec.partial} bytes")
        if self._padding is not None:
            self._put(self._padding.pad())
        return 0

    def _more(self) -> bool:
        return bool(select.select([self._source], [], [], 0)[0])

    def _write(self, records: list[Any]) -> None:
        if not records:
            return
        data = b"".join(map(self._codec.encode, self._handle(records)))
        self._put(data)
        if self._padding is not None:
            self._padding.wrote(len(data))

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._sink, rest) :]


def _say_nothing(text: str) -> None:
    """Nobody listens: Fluentd throws standard error away."""


def run(handle: Handle, form: str, report: Report | None = None) -> int:
    """Serve on the process's standard input and output; the exit status.

    From then on what prints to standard output goes to standard error, which Fluentd throws away: report to a file.
    """
    sys.stdout.flush()
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Filter(handle, form, source, sink, report).serve()
