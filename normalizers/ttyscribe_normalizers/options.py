# SPDX-License-Identifier: Apache-2.0
"""The program's options: what the command line and the configuration file say together."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ttyscribe_formats.errors import ConfigError
from ttyscribe_normalizers import configuration
from ttyscribe_normalizers.pipeline import MAX_TEXT
from ttyscribe_normalizers.table import (
    CHUNK,
    DEFAULTS,
    FILTERS,
    KEYS,
    MMEXTERNAL,
    NAME,
    OPTIONS,
    PROTOCOLS,
    SPOOL_SIZE,
    SYSTEM_FOLDER,
    Option,
)

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
  see why they are what they are
      journalctl --all -o json -n 3 | ttyscribe-normalize --explain -
  in rsyslog's configuration
      action(type="omprog" confirmMessages="on" template="ttyscribe-envelope"
             binary="/usr/bin/ttyscribe-normalize --protocol omprog --output https://search:9200")

exit status:
  0  the input ended and all of it is stored
  1  something could not be stored: some of it is in the dead letter, or the end came before the store was back
  2  the operator has to change something: options, files; from a terminal also a store without `ttyscribe setup`
     (elsewhere the lines are held back until that is done)"""


class Options(NamedTuple):
    """What the command line and the configuration file say."""

    protocol: str
    output: str
    dead_letter: Path
    trusted_uid: tuple[int, ...]
    log_file: str
    check_config: bool
    profile: str = "lossless"
    viaq_config: str = ""
    spool: Path | None = None
    spool_size: int = SPOOL_SIZE
    """Bytes."""
    spool_sync: bool = False
    journal_cursor: Path | None = None
    replay: Path | None = None
    list_kinds: bool = False
    chunk: Path | None = None
    stats: float = 0.0
    """Seconds between two lines of figures; 0 for none."""
    status_file: Path | None = None
    metrics: str = ""
    max_message: int = MAX_TEXT
    """Bytes."""
    config: str = ""
    validate: bool = False
    prefer_kind: tuple[str, ...] = ()
    without_kind: tuple[str, ...] = ()
    write_golden: Path | None = None
    explain: str = ""
    json: bool = False


class _Raising(argparse.ArgumentParser):
    """Raises ConfigError where the other one ends the program."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


def parser(version: str = "", kind: type[argparse.ArgumentParser] = argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser; the man page is made of it."""
    made = kind(
        prog="ttyscribe-normalize",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for option in OPTIONS:
        _add(made, option)
    made.add_argument("chunk", metavar="CHUNK", nargs="?", help=f"the file to deliver, with --protocol {CHUNK}")
    made.add_argument("--version", action="version", version=f"ttyscribe-normalize {version}")
    return made


def _add(made: argparse.ArgumentParser, option: Option) -> None:
    """One option; what is not given is not in the result."""
    if option.is_switch:
        made.add_argument(option.flag, action="store_true", default=argparse.SUPPRESS, help=option.help)
        return
    made.add_argument(
        option.flag,
        metavar=option.metavar or None,
        type=option.convert,
        choices=option.choices or None,
        action="append" if option.many else "store",
        default=argparse.SUPPRESS,
        help=option.help,
    )


def parse(arguments: list[str] | None, version: str) -> Options:
    """The options of a command line, and of the file that it names.

    SystemExit(2) with one clear line where the command line is wrong, ConfigError where the file is.
    """
    return _parsed(parser(version), arguments)


def again(arguments: list[str] | None) -> Options:
    """The same for a running program. Raises ConfigError for whatever is wrong."""
    return _parsed(parser("", _Raising), arguments)


def fixed(old: Options, new: Options) -> list[str]:
    """The keys in which they differ and which a running program can't change."""
    return [key for key, option in KEYS.items() if not option.changes and getattr(old, key) != getattr(new, key)]


def changed(old: Options, new: Options) -> list[str]:
    """The keys in which they differ and which a running program can change."""
    return [key for key, option in KEYS.items() if option.changes and getattr(old, key) != getattr(new, key)]


def _parsed(made: argparse.ArgumentParser, arguments: list[str] | None) -> Options:
    given = vars(made.parse_args(arguments))
    file = configuration.read(given["config"]) if given.get("config") else configuration.File()
    said = file.values
    if given.get("replay"):  # the file of the program that wrote the dead letter
        said = {key: value for key, value in said.items() if key not in ("protocol", "spool", "journal_cursor")}
    values = DEFAULTS | said | given
    if problem := _problem(values):
        key, text = problem
        if key in said and key not in given:
            raise file.error(key, text)
        made.error(text)
    values["dead_letter"] = values["dead_letter"] or default_dead_letter(values["output"])
    values["protocol"] = values["protocol"] or ("ndjson" if values["explain"] else "replay")
    for option in OPTIONS:
        if option.many:
            values[option.key] = tuple(values[option.key])
    values["chunk"] = Path(values["chunk"]) if values["chunk"] is not None else None
    return Options(**values)


def _problem(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """What does not go together: the key of an option that is wrong then, and what to say; none where all does."""
    protocol, to_output, chunk = values["protocol"], values["output"] == "-", values["chunk"]
    needs = [
        (
            "protocol",
            not (protocol or any(values[tool] for tool in ("replay", "list_kinds", "write_golden", "explain"))),
            f"say how lines come: --protocol {', '.join(PROTOCOLS[:-1])} or {PROTOCOLS[-1]}",
        ),
        (
            "protocol",
            values["replay"] and (protocol or values["spool"]),
            "--replay FILE reads that file alone: leave --protocol and --spool out",
        ),
        ("json", values["json"] and not values["explain"], "--json is for --explain"),
        ("output", values["replay"] and to_output, "--replay needs --output: where the documents go"),
        (
            "spool",
            values["spool"] and protocol != "omprog",
            "--spool is for --protocol omprog: other inputs are read only as fast as they are stored",
        ),
        (
            "journal_cursor",
            values["journal_cursor"] and protocol != "ndjson",
            "--journal-cursor is for --protocol ndjson",
        ),
        (
            "viaq_config",
            values["viaq_config"] and values["profile"] != "viaq",
            "--viaq-config is for --profile viaq",
        ),
        (
            "protocol",
            to_output and protocol == "omprog",
            "--protocol omprog needs --output: standard output belongs to rsyslog",
        ),
        (
            "protocol",
            to_output and protocol == CHUNK,
            f"--protocol {CHUNK} needs --output: nobody reads standard output",
        ),
        (
            "output",
            protocol in FILTERS and not to_output,
            f"--protocol {protocol} writes to Fluentd: leave --output out, or use {CHUNK}, which loses nothing",
        ),
        (
            "output",
            protocol == MMEXTERNAL and not to_output,
            f"--protocol {MMEXTERNAL} writes to rsyslog: leave --output out, or use omprog, which loses nothing",
        ),
        (
            "protocol",
            protocol == CHUNK and chunk is None,
            f"--protocol {CHUNK} takes one CHUNK file behind the options",
        ),
        ("chunk", protocol != CHUNK and chunk is not None, f"unrecognized argument: {chunk}"),
    ]
    if values["explain"]:  # nothing is read from a peer, and nothing stored
        needs = [need for need in needs if need[0] in ("viaq_config", "json")]
    return next(((key, text) for key, wrong, text in needs if wrong), None)


def default_dead_letter(output: str, system_folder: Path = SYSTEM_FOLDER) -> Path:
    """Beside the store on SQLite; else in the system's folder, or here."""
    scheme, _, folder = output.partition(":")
    if scheme == "sqlite" and folder:
        return Path(folder, NAME)
    if system_folder.is_dir() and os.access(system_folder, os.W_OK):
        return system_folder / NAME
    return Path(NAME)
