# SPDX-License-Identifier: Apache-2.0
"""The program's options, declared once: command line, configuration file, help and man page are made of this."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ttyscribe_normalizers.pipeline import MAX_LINE, MAX_TEXT

SYSTEM_FOLDER = Path("/var/lib/ttyscribe")
NAME = "dead-letter.ndjson"
FILTERS = {"fluentd-json": "json", "fluentd-msgpack": "msgpack"}
"""Protocols that answer with documents, and their formats."""
CHUNK = "fluentd-chunk"
MMEXTERNAL = "mmexternal"
PROTOCOLS = ("omprog", MMEXTERNAL, "ndjson", *FILTERS, CHUNK)
PROFILES = ("lossless", "viaq")
SPOOL_SIZE = 1 << 30
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30}


class Option(NamedTuple):
    """One option; what it is on the command line, and as a key of the configuration file."""

    flag: str
    help: str
    metavar: str = ""
    """What its value is called; empty for a switch."""
    convert: Callable[[str], Any] = str
    """Raises ArgumentTypeError with what is wrong."""
    default: Any = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    """Whether it may be given several times, and is a list in the file."""
    changes: bool = False
    """Whether a running program can change it (SIGHUP)."""
    is_key: bool = True
    """Whether it may stand in the file."""

    @property
    def key(self) -> str:
        """Its name in the file, and as a field of the options."""
        return self.flag[2:].replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it has no value."""
        return not self.metavar and not self.choices


def uid(text: str) -> int:
    """A user id."""
    if not text.isascii() or not text.isdecimal() or int(text) >= 2**32 - 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no user id")
    return int(text)


def size(text: str) -> int:
    """A number of bytes, with K, M or G behind it."""
    unit = text[-1:].upper()
    digits, unit = (text[:-1], unit) if unit in _UNITS else (text, "")
    if not digits.isascii() or not digits.isdecimal() or not 0 < (found := int(digits[:18]) << _UNITS[unit]) < 1 << 50:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: say a number, with K, M or G behind it")
    return found


def message_size(text: str) -> int:
    """The same, within what a line can hold."""
    found = size(text)
    if found > MAX_LINE:
        raise argparse.ArgumentTypeError(f"{text!r} is more than a line may have: say at most {MAX_LINE >> 20}M")
    return found


def seconds(text: str) -> float:
    """A pause, or 0 for never."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not (found == 0 or 0.1 <= found <= 86400):
        raise argparse.ArgumentTypeError(f"{text!r}: say 0.1 to 86400 seconds, or 0 for never")
    return found


def path(text: str) -> Path | None:
    """A path; none for an empty text."""
    return Path(text) if text else None


def own_path(text: str) -> Path | None:
    """A path in which `%p` stands for the process's id."""
    return path(text.replace("%p", str(os.getpid())))


_WAYS = (
    Option(
        "--protocol",
        "how lines come: from rsyslog's omprog, each confirmed; from its mmexternal, which gets the documents back; as "
        "JSON lines on standard input; as the child of Fluentd's exec_filter, with @type json or msgpack; or in CHUNK, "
        "as the command of Fluentd's out_exec",
        choices=PROTOCOLS,
    ),
    Option(
        "--profile",
        "what documents are: complete and exact (lossless, the default), or what ViaQ's filters make of records",
        choices=PROFILES,
        default="lossless",
        changes=True,
    ),
    Option(
        "--viaq-config",
        "the filters of the profile viaq, as TOML (default: those that ViaQ's deployments ran)",
        "FILE",
        changes=True,
    ),
    Option(
        "--output",
        "where documents go: sqlite:DIR, http(s)://host:port[,host:port...][/prefix] (Elasticsearch or "
        "OpenSearch), fluent(s)://host[:port] (Fluentd's forward protocol), memory:, or - for JSON lines on "
        "standard output (the default; not with omprog and fluentd-chunk, the only one with mmexternal, "
        "fluentd-json and fluentd-msgpack)",
        "URL",
        default="-",
    ),
    Option(
        "--dead-letter",
        f"file for what can't be stored (default: DIR/{NAME} with sqlite:DIR, else {SYSTEM_FOLDER}/{NAME} where that "
        f"folder can be written, else ./{NAME})",
        "PATH",
        path,
        None,
    ),
    Option(
        "--trusted-uid",
        "messages from this user id, attested by the kernel, have trust `system`; may be given several times "
        "(default: 0)",
        "UID",
        uid,
        (0,),
        many=True,
        changes=True,
    ),
    Option(
        "--prefer-kind",
        "ask this kind of another package before all others, ttyscribe's own too; may be given several times "
        "(--list-kinds shows the order)",
        "NAME",
        default=(),
        many=True,
        changes=True,
    ),
    Option(
        "--without-kind",
        "do not use this kind of another package; may be given several times (default: all that are installed are "
        "used)",
        "NAME",
        default=(),
        many=True,
        changes=True,
    ),
    Option(
        "--max-message",
        "most bytes of a message's text, with K or M behind the number; longer ones go to the dead letter (default: "
        "256K)",
        "BYTES",
        message_size,
        MAX_TEXT,
        changes=True,
    ),
)
"""Where lines come from and where documents go."""

_SPOOL = (
    Option(
        "--spool",
        "with omprog: keep each line in DIR, confirm it, and deliver behind it in batches; several processes may share "
        "DIR, and deliver what a dead one has left (default: deliver each line before it is confirmed)",
        "DIR",
        path,
        None,
    ),
    Option(
        "--spool-size",
        "most that one process keeps in the spool, with K, M or G behind the number; while it is full rsyslog is held "
        "back (default: 1G)",
        "BYTES",
        size,
        SPOOL_SIZE,
        changes=True,
    ),
    Option(
        "--spool-sync",
        "sync each line to the disk before it is confirmed: it survives a loss of power too, at the cost of speed",
        default=False,
    ),
)
"""Batching and durability behind the confirmation."""

_JOURNAL = (
    Option(
        "--journal-cursor",
        "with ndjson: keep in PATH the cursor of the last journal entry that is delivered, for `journalctl "
        "--after-cursor`",
        "PATH",
        path,
        None,
    ),
)
"""Going on where it ended."""

_REPORTS = (
    Option("--log-file", "file for reports (default: standard error)", "PATH", changes=True),
    Option(
        "--stats",
        "report figures so often: lines, documents by outcome and kind, what waits, how late (default: never)",
        "SECONDS",
        seconds,
        0.0,
    ),
    Option(
        "--status-file",
        "keep the same figures in PATH as JSON, a few seconds old at most; %%p stands for the process id",
        "PATH",
        own_path,
        None,
    ),
    Option(
        "--metrics",
        "answer GET /metrics there with the same figures, for Prometheus; nothing in them is secret",
        "HOST:PORT",
    ),
    Option(
        "--validate",
        "check each document against its JSON Schema; what does not fit is counted, told now and then, and stored "
        "(needs jsonschema; slow)",
        default=False,
    ),
)
"""How the program is doing."""

_TOOLS = (
    Option(
        "--replay",
        "send what is in a dead letter through once more; what fails again is in FILE again",
        "FILE",
        path,
        None,
        is_key=False,
    ),
    Option(
        "--explain",
        "say of each line in FILE (- for standard input) what becomes of it and why: how it is read, which kind takes "
        "it and which do not, what each rule does, where each field of the document comes from; nothing is stored",
        "FILE",
        is_key=False,
    ),
    Option("--json", "with --explain: one JSON object for each line", default=False, is_key=False),
    Option(
        "--write-golden",
        "for makers of kinds: write what the golden cases in FOLDER become (*.in.json to *.out.json), show what "
        "differs from what is there, and ask before that is replaced",
        "FOLDER",
        path,
        None,
        is_key=False,
    ),
    Option("--list-kinds", "print the kinds of messages that are known, and end", default=False, is_key=False),
    Option(
        "--check-config",
        "check options, files and the store, say what is wrong, and end",
        default=False,
        is_key=False,
    ),
    Option(
        "--config",
        'read options from a TOML file: `max_message = "64K"` is --max-message=64K; the command line wins. On SIGHUP '
        "it is read again, and what a running program can change is changed",
        "FILE",
        is_key=False,
    ),
)
"""What is done beside the hot run."""

OPTIONS: tuple[Option, ...] = (*_WAYS, *_SPOOL, *_JOURNAL, *_REPORTS, *_TOOLS)
KEYS = {option.key: option for option in OPTIONS if option.is_key}
"""What may stand in the configuration file."""
DEFAULTS = {option.key: option.default for option in OPTIONS}
