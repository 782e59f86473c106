# SPDX-License-Identifier: Apache-2.0
"""The program's options."""

import argparse
import os
from pathlib import Path
from typing import NamedTuple

SYSTEM_FOLDER = Path("/var/lib/ttyscribe")
NAME = "dead-letter.ndjson"
FILTERS = {"fluentd-json": "json", "fluentd-msgpack": "msgpack"}
"""Protocols that answer with documents, and their formats."""
CHUNK = "fluentd-chunk"
PROTOCOLS = ("omprog", "ndjson", *FILTERS, CHUNK)
SPOOL_SIZE = 1 << 30
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}

DESCRIPTION = """\
Turns log lines into documents and stores them: messages of terminal recordings (tlog's format) and any other log
message. It is what rsyslog's omprog or a pipe runs. What can't be stored is kept in the dead letter with its reason;
while the store is down the source is held back and nothing is lost."""

EPILOG = """\
examples:
  import a file that ttyscribe-rec wrote
      ttyscribe-normalize --protocol ndjson --output sqlite:/var/lib/ttyscribe < session.log
  store what the journal holds
      journalctl --all -o json | ttyscribe-normalize --protocol ndjson --output sqlite:/var/lib/ttyscribe
  send what a dead letter holds once more, after the cause was mended
      ttyscribe-normalize --replay /var/lib/ttyscribe/dead-letter.ndjson --output https://search:9200
  in Fluentd's configuration, where nothing may be lost
      @type exec
      command /usr/bin/ttyscribe-normalize --protocol fluentd-chunk --output https://search:9200
  see the documents
      ttyscribe-normalize --protocol ndjson --output - < session.log
  in rsyslog's configuration
      action(type="omprog" confirmMessages="on" template="ttyscribe-envelope"
             binary="/usr/bin/ttyscribe-normalize --protocol omprog --output https://search:9200")

exit status:
  0  the input ended and all of it is stored
  1  something could not be stored: some of it is in the dead letter, or the end came before the store was back
  2  the operator has to change something: options, files; from a terminal also a store without `ttyscribe setup`
     (elsewhere the lines are held back until that is done)"""


class Options(NamedTuple):
    """What the command line says."""

    protocol: str
    output: str
    dead_letter: Path
    trusted_uids: tuple[int, ...]
    log_file: str
    check_config: bool
    profile: str = "lossless"
    viaq_config: str = ""
    spool: Path | None = None
    spool_size: int = SPOOL_SIZE
    """Bytes."""
    spool_sync: bool = False
    replay: Path | None = None
    list_kinds: bool = False
    chunk: Path | None = None
    stats: float = 0.0
    """Seconds between two lines of figures; 0 for none."""
    status_file: Path | None = None
    metrics: str = ""


def parser(version: str = "") -> argparse.ArgumentParser:
    """The parser; the man page is made of it."""
    made = argparse.ArgumentParser(
        prog="ttyscribe-normalize",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_ways(made)
    _add_spool(made)
    _add_reports(made)
    _add_tools(made)
    made.add_argument("chunk", metavar="CHUNK", nargs="?", help=f"the file to deliver, with --protocol {CHUNK}")
    made.add_argument("--version", action="version", version=f"ttyscribe-normalize {version}")
    return made


def _add_ways(made: argparse.ArgumentParser) -> None:
    """Where lines come from and where documents go."""
    made.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        help="how lines come: from rsyslog's omprog, each confirmed; as JSON lines on standard input; as the child of "
        "Fluentd's exec_filter, with @type json or msgpack; or in CHUNK, as the command of Fluentd's out_exec",
    )
    made.add_argument(
        "--profile",
        default="lossless",
        choices=("lossless", "viaq"),
        help="what documents are: complete and exact (lossless, the default), or what ViaQ's filters make of records",
    )
    made.add_argument(
        "--viaq-config",
        metavar="FILE",
        default="",
        help="the filters of the profile viaq, as TOML (default: those that ViaQ's deployments ran)",
    )
    made.add_argument(
        "--output",
        metavar="URL",
        default="-",
        help="where documents go: sqlite:DIR, http(s)://host:port[/prefix] (Elasticsearch or OpenSearch), "
        "fluent(s)://host[:port] (Fluentd's forward protocol), memory:, or - for JSON lines on standard output (the "
        "default; not with omprog and fluentd-chunk, the only one with fluentd-json and fluentd-msgpack)",
    )
    made.add_argument(
        "--dead-letter",
        metavar="PATH",
        help=f"file for what can't be stored (default: DIR/{NAME} with sqlite:DIR, else {SYSTEM_FOLDER}/{NAME} "
        f"where that folder can be written, else ./{NAME})",
    )
    made.add_argument(
        "--trusted-uid",
        metavar="UID",
        type=_uid,
        action="append",
        help="messages from this user id, attested by the kernel, have trust `system`; may be given several times "
        "(default: 0)",
    )


def _add_spool(made: argparse.ArgumentParser) -> None:
    """Batching and durability behind the confirmation."""
    made.add_argument(
        "--spool",
        metavar="DIR",
        help="with omprog: keep each line in DIR, confirm it, and deliver behind it in batches; several processes may "
        "share DIR, and deliver what a dead one has left (default: deliver each line before it is confirmed)",
    )
    made.add_argument(
        "--spool-size",
        metavar="BYTES",
        type=_size,
        default=SPOOL_SIZE,
        help="most that one process keeps in the spool, with K, M or G behind the number; while it is full rsyslog is "
        "held back (default: 1G)",
    )
    made.add_argument(
        "--spool-sync",
        action="store_true",
        help="sync each line to the disk before it is confirmed: it survives a loss of power too, at the cost of speed",
    )


def _add_reports(made: argparse.ArgumentParser) -> None:
    """How the program is doing."""
    made.add_argument("--log-file", metavar="PATH", default="", help="file for reports (default: standard error)")
    made.add_argument(
        "--stats",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="report figures so often: lines, documents by outcome and kind, what waits, how late (default: never)",
    )
    made.add_argument(
        "--status-file",
        metavar="PATH",
        help="keep the same figures in PATH as JSON, a few seconds old at most; %%p stands for the process id",
    )
    made.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        default="",
        help="answer GET /metrics there with the same figures, for Prometheus; nothing in them is secret",
    )


def _add_tools(made: argparse.ArgumentParser) -> None:
    """What is done beside the hot run."""
    made.add_argument(
        "--replay",
        metavar="FILE",
        help="send what is in a dead letter through once more; what fails again is in FILE again",
    )
    made.add_argument("--list-kinds", action="store_true", help="print the kinds of messages that are known, and end")
    made.add_argument(
        "--check-config", action="store_true", help="check options, files and the store, say what is wrong, and end"
    )


def parse(arguments: list[str] | None, version: str) -> Options:
    """The options of a command line; SystemExit(2) with one clear line where they are wrong."""
    made = parser(version)
    found = made.parse_args(arguments)
    _check(made, found)
    return Options(
        protocol=found.protocol or "replay",
        output=found.output,
        dead_letter=Path(found.dead_letter) if found.dead_letter else default_dead_letter(found.output),
        spool=Path(found.spool) if found.spool else None,
        spool_size=found.spool_size,
        spool_sync=found.spool_sync,
        replay=Path(found.replay) if found.replay else None,
        list_kinds=found.list_kinds,
        chunk=Path(found.chunk) if found.chunk is not None else None,
        stats=found.stats,
        status_file=Path(found.status_file.replace("%p", str(os.getpid()))) if found.status_file else None,
        metrics=found.metrics,
        trusted_uids=tuple(found.trusted_uid) if found.trusted_uid else (0,),
        log_file=found.log_file,
        check_config=found.check_config,
        profile=found.profile,
        viaq_config=found.viaq_config,
    )


def _check(made: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    """Say what does not go together."""
    protocol, to_output = found.protocol, found.output == "-"
    if not (protocol or found.replay or found.list_kinds):
        made.error(f"say how lines come: --protocol {', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}")
    if found.replay and (found.protocol or found.spool):
        made.error("--replay FILE reads that file alone: leave --protocol and --spool out")
    if found.replay and found.output == "-":
        made.error("--replay needs --output: where the documents go")
    if found.spool and found.protocol != "omprog":
        made.error("--spool is for --protocol omprog: other inputs are read only as fast as they are stored")
    if found.viaq_config and found.profile != "viaq":
        made.error("--viaq-config is for --profile viaq")
    if to_output and protocol == "omprog":
        made.error("--protocol omprog needs --output: standard output belongs to rsyslog")
    if to_output and protocol == CHUNK:
        made.error(f"--protocol {CHUNK} needs --output: nobody reads standard output")
    if protocol in FILTERS and not to_output:
        made.error(f"--protocol {protocol} writes to Fluentd: leave --output out, or use {CHUNK}, which loses nothing")
    if (protocol == CHUNK) != (found.chunk is not None):
        made.error(
            f"--protocol {CHUNK} takes one CHUNK file behind the options"
            if protocol == CHUNK
            else f"unrecognized argument: {found.chunk}"
        )


def default_dead_letter(output: str, system_folder: Path = SYSTEM_FOLDER) -> Path:
    """Beside the store on SQLite; else in the system's folder, or here."""
    scheme, _, folder = output.partition(":")
    if scheme == "sqlite" and folder:
        return Path(folder, NAME)
    if system_folder.is_dir() and os.access(system_folder, os.W_OK):
        return system_folder / NAME
    return Path(NAME)


def _uid(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) >= 2**32 - 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no user id")
    return int(text)


def _size(text: str) -> int:
    unit = text[-1:].upper()
    digits, unit = (text[:-1], unit) if unit in _UNITS else (text, "")
    if not digits.isascii() or not digits.isdecimal() or not 0 < (size := int(digits[:18]) << _UNITS[unit]) < 1 << 50:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: say a number, with K, M or G behind it")
    return size


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (seconds == 0 or 0.1 <= seconds <= 86400):
        raise argparse.ArgumentTypeError(f"{text!r}: say 0.1 to 86400 seconds, or 0 for never")
    return seconds
