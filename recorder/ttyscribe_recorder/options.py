# SPDX-License-Identifier: Apache-2.0
"""The one table of options: parser, validation, --help, and later the manual page, are made from it.

No argparse: it costs a third of the start-up. Options end at the first word that is none, so that the recorded
command's own options are left alone.
"""

from collections import namedtuple

from ttyscribe_formats.chunk import DEFAULT_PAYLOAD, MIN_PAYLOAD
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder.writers.syslog import FACILITIES, PRIORITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    Value = str | int | bool

    class Option(NamedTuple):
        """One key of the configuration and its option. `kind` is str, int, bool or flag (an option without a key)."""

        key: str
        kind: str
        default: Value
        long: str
        short: str
        metavar: str
        help: str
        minimum: int = 0
        choices: tuple[str, ...] = ()

    class Parsed(NamedTuple):
        """Values by key, and the command (empty: a shell)."""

        values: dict[str, Value]
        command: list[str]
else:
    Option = namedtuple("Option", "key kind default long short metavar help minimum choices", defaults=(0, ()))
    Parsed = namedtuple("Parsed", "values command")

OPTIONS = (
    Option("file.path", "str", "", "file-path", "o", "FILE", "append the recording to FILE"),
    Option("writer", "str", "file", "writer", "w", "WAY", "where the recording goes", choices=("file", "syslog")),
    Option("latency", "int", 10, "latency", "", "SECONDS", "write what was recorded at most so much later", 1),
    Option(
        "payload", "int", DEFAULT_PAYLOAD, "payload", "", "BYTES", "most of recorded data in one message", MIN_PAYLOAD
    ),
    Option("log.input", "bool", False, "log-input", "", "BOOL", "record what is typed, passwords among it"),
    Option("log.output", "bool", True, "log-output", "", "BOOL", "record what the program writes"),
    Option("log.window", "bool", True, "log-window", "", "BOOL", "record the terminal's sizes"),
    Option(
        "syslog.facility", "str", "authpriv", "syslog-facility", "", "NAME", "facility of the messages",
        choices=tuple(FACILITIES),
    ),
    Option(
        "syslog.priority", "str", "info", "syslog-priority", "", "NAME", "priority of the messages",
        choices=tuple(PRIORITIES),
    ),
    Option("syslog.socket", "str", "/dev/log", "syslog-socket", "", "PATH", "the socket of the syslog service"),
    Option("help", "flag", False, "help", "h", "", "print this help"),
    Option("version", "flag", False, "version", "v", "", "print the version"),
)  # fmt: skip

_TRUE = ("yes", "on", "true")
_FALSE = ("no", "off", "false")

USAGE = "usage: ttyscribe-rec [option…] [--] [command [argument…]]"
_INTRO = """\
Records a command, or your shell, as it runs: on a terminal everything looks and works as without a recorder, and on
pipes every byte passes unchanged. The command's exit status is passed on (128 + n where signal n ended it).
"""
_EXAMPLES = """\
examples:
  ttyscribe-rec -o session.log               record your shell; leave it with exit
  ttyscribe-rec -o build.log -- make -j4     record one command
  ttyscribe-rec --writer=syslog -- bash      send the recording to syslog
  ttyscribe-play session.log                 play a recording

exit status:
  the command's; 128 + n where signal n ended it, 127 where it can't be run; 1 where recording can't begin, 2 for wrong
  usage. What the log can't take later is told on standard error and changes nothing here.
"""


def defaults() -> "dict[str, Value]":
    """All keys with what holds where nothing is said."""
    return {option.key: option.default for option in OPTIONS}


def parse(arguments: list[str]) -> "Parsed":
    """Values and command from the command line. Raises ConfigError with one line that says what is wrong."""
    values = defaults()
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word == "--":
            at += 1
            break
        if not word.startswith("-") or word == "-":
            break
        at += 1
        if word.startswith("--"):
            at += _take_long(values, word, arguments[at:])
        else:
            at += _take_short(values, word, arguments[at:])
    return Parsed(values, arguments[at:])


def _take_long(values: "dict[str, Value]", word: str, following: list[str]) -> int:
    """Set what `--name[=value]` says; how many following words it used."""
    name, equals, value = word[2:].partition("=")
    option = next((option for option in OPTIONS if option.long == name), None)
    if option is None:
        raise ConfigError(f"unknown option --{name}")
    if option.kind == "flag" and equals:
        raise ConfigError(f"--{name} takes no value")
    if equals or option.kind in ("flag", "bool"):
        values[option.key] = convert(option, value if equals else "yes", f"--{name}")
        return 0
    return _take_following(values, option, f"--{name}", following)


def _take_short(values: "dict[str, Value]", word: str, following: list[str]) -> int:
    """Set what `-x`, `-xVALUE` or several letters `-xyVALUE` say; how many following words they used."""
    for at, letter in enumerate(word[1:], 1):
        option = next((option for option in OPTIONS if option.short == letter), None)
        if option is None:
            raise ConfigError(f"unknown option -{letter}")
        if option.kind == "flag":
            values[option.key] = True
        elif word[at + 1 :]:
            values[option.key] = convert(option, word[at + 1 :], f"-{letter}")
            return 0
        else:
            return _take_following(values, option, f"-{letter}", following)
    return 0


def _take_following(values: "dict[str, Value]", option: "Option", name: str, following: list[str]) -> int:
    if not following:
        raise ConfigError(f"{name} needs a value ({option.metavar})")
    values[option.key] = convert(option, following[0], name)
    return 1


def convert(option: "Option", text: str, name: str) -> "Value":
    """The value that a text stands for. Raises ConfigError; `name` is what the user wrote."""
    if option.kind in ("bool", "flag"):
        word = text.lower()
        if word not in _TRUE + _FALSE:
            raise ConfigError(f"{name}: {text!r} is neither yes nor no")
        return word in _TRUE
    if option.kind == "int":
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ConfigError(f"{name}: {text!r} is no whole number")
        if int(text) < option.minimum:
            raise ConfigError(f"{name}: {text} is below the minimum of {option.minimum}")
        return int(text)
    if option.choices and text not in option.choices:
        raise ConfigError(f"{name}: {text!r} is none of {', '.join(option.choices)}")
    return text


def help_text() -> str:
    """What --help prints."""
    lines = [USAGE, "", _INTRO, "options:"]
    for option in OPTIONS:
        short = f"-{option.short}, " if option.short else "    "
        value = {"flag": "", "bool": f"[={option.metavar}]"}.get(option.kind, f"={option.metavar}")
        left = f"  {short}--{option.long}{value}"
        default = "" if option.default in ("", False) else f" ({_show(option.default)})"
        gap = " " * (34 - len(left)) if len(left) < 34 else "\n" + " " * 34
        lines.append(f"{left}{gap}{option.help}{default}")
        if 0 < len(option.choices) < 4:
            lines[-1] += f": {' or '.join(option.choices)}"
    return "\n".join([*lines, "", _EXAMPLES])


def _show(value: "Value") -> str:
    return "yes" if value is True else str(value)
