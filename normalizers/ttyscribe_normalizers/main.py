# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe-normalize`: joins a protocol, the kinds and a sink."""

import gc
import itertools
import logging
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pyrsyslog_omprog import decline
from pyrsyslog_omprog.streams import claim_all
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_normalizers import heap, kinds, logs, ndjson, omprog, options, plugins, spooled, summary, table
from ttyscribe_normalizers.build import build, checked, version
from ttyscribe_normalizers.cursor import JournalCursor
from ttyscribe_normalizers.deadletter import DeadLetter
from ttyscribe_normalizers.delivery import Delivery
from ttyscribe_normalizers.pipeline import Pipeline
from ttyscribe_normalizers.reload import Change, Hangups, Reload
from ttyscribe_normalizers.replay import Replay
from ttyscribe_normalizers.signals import Stop
from ttyscribe_normalizers.sinks import JsonLines
from ttyscribe_normalizers.spool.root import Root
from ttyscribe_normalizers.watch.figures import Figures
from ttyscribe_normalizers.watch.watcher import Watcher
from ttyscribe_store.base import Sink
from ttyscribe_store.open import open_store

Ready = Callable[[], None]

_LOCAL = ("sqlite:", "memory:")
_ADVICE = "ttyscribe setup"
_SAYS_OMPROG = re.compile(rb"""protocol"?\s*=\s*["']omprog""")


def main(argv: list[str] | None = None) -> int:
    """Run the program; its exit status."""
    hangups = Hangups()
    hangups.ignore()
    report = logs.reporter()
    try:
        wanted = options.parse(argv, version())
    except SystemExit as usage:
        if usage.code and _is_omprog(argv):
            _decline()
        raise
    except ConfigError as error:
        report(str(error))
        if _is_omprog(argv):
            _decline()
        return 2
    try:
        if wanted.list_kinds or wanted.write_golden or wanted.explain:
            return _tool(wanted)
        report.check(wanted.log_file)
        report.path = wanted.log_file
        logging.getLogger("ttyscribe").addHandler(logs.Logs(report))
        heap.keep_small()
        return _work(wanted, report, _Life(argv, hangups))
    except ConfigError as error:
        report(str(error))
        if wanted.protocol == "omprog" and not wanted.check_config:
            _decline()
        return 2


class _Life(NamedTuple):
    """What changes a running program."""

    argv: list[str] | None
    hangups: Hangups

    def begin(
        self,
        wanted: options.Options,
        build: Callable[[options.Options], Pipeline],
        pipeline: Pipeline,
        report: logs.Reporter,
        *others: Change,
    ) -> None:
        """Read the configuration again at each SIGHUP from now on."""
        self.hangups.begin(Reload(wanted, lambda: options.again(self.argv), build, pipeline, report, *others))


def _work(wanted: options.Options, report: logs.Reporter, life: _Life) -> int:
    """Do what the options say. Raises ConfigError."""
    if wanted.protocol in table.FILTERS and not wanted.check_config:
        from ttyscribe_normalizers import fluentd

        pipeline = checked(build(wanted), wanted, report)
        life.begin(wanted, build, pipeline, report)
        return fluentd.serve(pipeline, table.FILTERS[wanted.protocol], report)
    if wanted.protocol == table.MMEXTERNAL and not wanted.check_config:
        return _filter(wanted, report, life)
    sink = open_sink(wanted.output)
    if wanted.replay is not None:
        return _replay(wanted, wanted.replay, sink, report)
    dead_letter = DeadLetter(wanted.dead_letter)
    ready = _ready(wanted.output, sink)
    if wanted.spool is not None:
        Root(wanted.spool).check()
    if wanted.check_config:
        checked(build(wanted), wanted, report)
        return _check(wanted, ready, dead_letter, report)
    _check_dead_letter(wanted.output, ready, dead_letter)
    if wanted.journal_cursor is not None:
        JournalCursor(wanted.journal_cursor, report).check()
    if wanted.chunk is not None:
        return _deliver_chunk(wanted, wanted.chunk, sink, ready, dead_letter, report)
    return _run(wanted, sink, ready, dead_letter, report, life)


def _tool(wanted: options.Options) -> int:
    """What needs neither lines nor a store."""
    if wanted.list_kinds:
        print(kinds.table(build(wanted).parts.kinds))
        return 0
    if wanted.explain:
        from ttyscribe_normalizers.explain import program

        return program.run(wanted, build)
    from ttyscribe_normalizers import golden

    others, report = plugins.Wanted(wanted.prefer_kind, wanted.without_kind), logs.reporter()
    folder = wanted.write_golden or Path()
    return int(golden.write(folder, lambda made: plugins.load(made, others, report), print, _ask) > 0)


def _ask(question: str) -> bool:
    """Whether a person says yes; where there is none, no."""
    try:
        return (
            sys.stdin.isatty() and sys.stdout.isatty() and input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        )
    except EOFError:
        return False


def _filter(wanted: options.Options, report: logs.Reporter, life: _Life) -> int:
    """`--protocol mmexternal`."""
    from ttyscribe_normalizers import mmexternal

    stamped = mmexternal.Stamped()

    def with_stamps(wanted: options.Options) -> Pipeline:
        return build(wanted, stamped.around)

    private = claim_all(wanted.log_file)
    try:
        pipeline = checked(with_stamps(wanted), wanted, report)
    except ConfigError:
        os.dup2(private.answers, 2)  # rsyslogd reports what it can't take for a reply
        raise
    served = mmexternal.Normalizer(pipeline, stamped, time.time_ns, report)
    life.begin(wanted, with_stamps, pipeline, report)
    _quiet_collector()
    return mmexternal.serve(served, private, report)


def _is_omprog(argv: list[str] | None) -> bool:
    """Tell whether it is rsyslog that runs the program, as far as options can tell that are wrong."""
    words = sys.argv[1:] if argv is None else argv
    if {"omprog", "--protocol=omprog"} & set(words):
        return True
    paths = [after for word, after in itertools.pairwise(words) if word == "--config"]
    paths += [word.partition("=")[2] for word in words if word.startswith("--config=")]
    try:
        return any(_SAYS_OMPROG.search(Path(path).read_bytes()) for path in paths)
    except OSError:
        return False


def _decline() -> None:
    """Old rsyslogds crash where a program ends without a word (OMP-1)."""
    if not os.isatty(1):
        decline()


def open_sink(output: str) -> Sink:
    """The sink that `--output` names. Raises ConfigError."""
    if output == "-":
        return JsonLines(os.dup(1))
    if output.startswith(("fluent:", "fluents:")):
        from ttyscribe_normalizers.forward import open_fluentd

        return open_fluentd(output)
    if output.startswith(("http://", "https://")):  # our batches are of one request mostly; a second costs memory
        return open_store(output, flights=1)
    return open_store(output)


def _ready(output: str, sink: Sink) -> Ready:
    """A function that raises Unavailable until documents can be stored.

    It makes what a store on this host needs; a store elsewhere is prepared by `ttyscribe setup`, once.
    """

    def ready() -> None:
        if output.startswith(_LOCAL):
            sink.setup()  # type: ignore[attr-defined]  # both are stores
        sink.check()

    return ready


def _check_dead_letter(output: str, ready: Ready, dead_letter: DeadLetter) -> None:
    """Raise ConfigError where the dead letter could never be written; one beside a store comes with the store."""
    if output.startswith(_LOCAL):
        try:
            ready()
        except Unavailable:
            return  # a full disk, perhaps: the input is held back until it is ready, and the dead letter with it
    dead_letter.check()


def _check(wanted: options.Options, ready: Ready, dead_letter: DeadLetter, report: logs.Report) -> int:
    """`--check-config`: say what is wrong, or that nothing is."""
    try:
        ready()
    except Unavailable as error:
        report(str(error))
        return 2 if _ADVICE in str(error) else 1
    dead_letter.check()
    if wanted.journal_cursor is not None:
        JournalCursor(wanted.journal_cursor, report).check()
    if wanted.metrics:
        from ttyscribe_normalizers.watch import endpoint

        endpoint.parse(wanted.metrics)
    print(f"in order: {wanted.protocol} to {wanted.output}, dead letter {dead_letter.path}")
    return 0


def _quiet_collector() -> None:
    """Let the garbage collector look seldom: documents have no cycles, and looking at each batch costs a tenth."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _deliver_chunk(
    wanted: options.Options, path: Path, sink: Sink, ready: Ready, dead_letter: DeadLetter, report: logs.Report
) -> int:
    """`--protocol fluentd-chunk`."""
    from ttyscribe_normalizers import fluentd

    stamped = fluentd.Stamped()
    pipeline = checked(build(wanted, stamped.around), wanted, report)
    delivery = Delivery(sink, dead_letter, time.time_ns)
    try:
        ready()
        return fluentd.deliver_chunk(path, stamped, pipeline, delivery, report)
    except Unavailable as error:
        report(f"{path}: {error}; Fluentd sends the chunk again")
        return 1
    finally:
        dead_letter.close()
        sink.close()


def _replay(wanted: options.Options, path: Path, sink: Sink, report: logs.Report) -> int:
    """`--replay`."""
    replay = Replay(path)
    pipeline = checked(build(wanted), wanted, report)
    delivery = Delivery(sink, replay.again, time.time_ns)
    try:
        _ready(wanted.output, sink)()
        done = replay.run(pipeline, delivery, _progress if sys.stderr.isatty() else _no_progress)
    except Unavailable as error:
        report(f"{error}; nothing is lost: give the same command again to go on")
        return 1
    finally:
        sink.close()
    report(summary.text(pipeline.counters, delivery.counters))
    if done.failed:
        report(f"{done.failed} of {done.entries} failed again: see {path}")
    return 1 if done.failed else 0


def _run(
    wanted: options.Options,
    sink: Sink,
    ready: Ready,
    dead_letter: DeadLetter,
    report: logs.Reporter,
    life: _Life,
) -> int:
    pipeline = checked(build(wanted), wanted, report)
    delivery = Delivery(sink, dead_letter, time.time_ns)
    figures = Figures(version(), wanted.protocol, pipeline, delivery)
    watcher = Watcher(figures.take, report, wanted.stats, wanted.status_file)
    if wanted.metrics:
        watcher.serve(wanted.metrics)
    watcher.start()
    _quiet_collector()
    try:
        if wanted.spool is not None:
            root = Root(wanted.spool, sync=wanted.spool_sync)
            handler = spooled.Spooled(root, wanted.spool_size, pipeline, delivery, ready, report)
            figures.spooled = lambda: handler.waiting_bytes
            life.begin(wanted, build, pipeline, report, handler.change)
            return spooled.serve(handler, report)
        life.begin(wanted, build, pipeline, report)
        if wanted.protocol == "omprog":
            return omprog.serve(omprog.Normalizer(pipeline, delivery, ready, time.time_ns, report), report)
        most = ndjson.FEW_DOCUMENTS if wanted.output == "-" else ndjson.MAX_DOCUMENTS
        cursor = None if wanted.journal_cursor is None else JournalCursor(wanted.journal_cursor, report)
        return _read(pipeline, delivery, ready, dead_letter, report, most, cursor)
    finally:
        watcher.stop()
        dead_letter.close()
        sink.close()


def _read(
    pipeline: Pipeline,
    delivery: Delivery,
    ready: Ready,
    dead_letter: DeadLetter,
    report: logs.Report,
    most: int,
    cursor: JournalCursor | None,
) -> int:
    """NDJSON from standard input, with a summary at the end."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    if terminal:
        _refuse_without_setup(ready)
    status = 0
    with Stop() as stop:
        progress = _progress if terminal else _no_progress
        reader = ndjson.Reader(pipeline, delivery, stop, time.time_ns, report, progress, most, cursor)
        try:
            reader.ready(ready)
            reader.read(0)
        except ndjson.Interrupted:
            report(f"interrupted: the first {reader.lines} lines are stored; feed the rest again, or all of it")
            status = 1
        except BrokenPipeError:
            report(f"standard output is closed: {reader.lines} lines were written")
            status = 1
        except OSError as error:
            report(f"can't go on after {reader.lines} lines: {error}")
            status = 1
    report(summary.text(pipeline.counters, delivery.counters))
    dead = summary.dead(pipeline.counters, delivery.counters)
    if dead:
        report(f"{dead} could not be stored: see {dead_letter.path}")
    return status or (1 if dead else 0)


def _refuse_without_setup(ready: Ready) -> None:
    """From a terminal a store without its templates is the operator's to mend, now."""
    try:
        ready()
    except Unavailable as error:
        if _ADVICE in str(error):
            raise ConfigError(str(error)) from error


def _no_progress(lines: int) -> None:
    """Show nothing."""


_shown = 0.0


def _progress(lines: int) -> None:
    """Show on a terminal how far it came, at most five times a second."""
    global _shown  # noqa: PLW0603 - the terminal is one
    now = time.monotonic()
    if now - _shown >= 0.2:
        _shown = now
        os.write(2, f"\r{lines} lines \r".encode())
