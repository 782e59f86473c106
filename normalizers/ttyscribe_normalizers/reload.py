# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: the configuration is read again, and what a running program can change is changed; no line is lost by it.

A thread reads and builds, while lines go on under the old configuration; the change itself is one assignment. What is
wrong with the new configuration is reported, and the old one stays.
"""

import gc
import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import options
from ttyscribe_normalizers.logs import Reporter
from ttyscribe_normalizers.pipeline import Pipeline

Change = Callable[[options.Options], None]


class Reload:
    """What becomes of the running parts of a program when its configuration changes.

    read: the options now; raises ConfigError. build: a pipeline of options, likewise. others: what else changes.
    """

    def __init__(
        self,
        wanted: options.Options,
        read: Callable[[], options.Options],
        build: Callable[[options.Options], Pipeline],
        pipeline: Pipeline,
        report: Reporter,
        *others: Change,
    ) -> None:
        self._now = wanted
        self._read = read
        self._build = build
        self._pipeline = pipeline
        self._report = report
        self._others = others

    def __call__(self) -> None:
        """Read the configuration again; never raises."""
        self._reload()
        gc.collect()  # parsers are full of cycles, and the collector of a running program looks seldom

    def _reload(self) -> None:
        try:
            wanted = self._read()
            self._report.check(wanted.log_file)
            parts = self._build(wanted).parts
        except ConfigError as error:
            self._report(f"the new configuration is not taken, the old one stays: {error}")
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the old configuration works
            self._report(f"can't read the configuration again, the old one stays: {type(error).__name__}: {error}")
            return
        before, self._now = self._now, wanted
        self._pipeline.parts = parts
        self._report.path = wanted.log_file
        for change in self._others:
            change(wanted)
        self._report(_told(before, wanted))
        fixed = dict.fromkeys(options.fixed(before, wanted))
        self._now = wanted._replace(**{key: getattr(before, key) for key in fixed})


def _told(before: options.Options, wanted: options.Options) -> str:
    changed, fixed = options.changed(before, wanted), options.fixed(before, wanted)
    text = f"configuration read again; changed: {', '.join(changed) or 'none of the options'}"
    return f"{text}; start the program anew for: {', '.join(fixed)}" if fixed else text


class Hangups:
    """From `begin` on, SIGHUP kills nothing: it makes a thread call what is given, one call after another."""

    def __init__(self) -> None:
        # A queue, as its put may be called while it is called: signals come at any time.
        self._signals: SimpleQueue[int] = SimpleQueue()

    def ignore(self) -> None:
        """Take note of signals, for `begin`."""
        signal.signal(signal.SIGHUP, self._on_signal)

    def begin(self, call: Callable[[], None]) -> None:
        """Call it for each signal, and for those that have come; several at once are one."""
        threading.Thread(target=self._run, args=(call,), name="reload", daemon=True).start()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is Python's
        self._signals.put(number)

    def _run(self, call: Callable[[], None]) -> None:
        while True:
            self._signals.get()
            while not self._signals.empty():
                self._signals.get()
            call()
