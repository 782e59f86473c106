# SPDX-License-Identifier: Apache-2.0
"""The one table of options: parser, validation, configuration files, --help and man pages are made from it.

No argparse: it costs a third of the start-up. Options end at the first word that is none, so that the recorded
command's own options are left alone.
"""

from collections import namedtuple

from ttyscribe_formats.chunk import DEFAULT_PAYLOAD, MIN_PAYLOAD
from ttyscribe_formats.errors import ConfigError
from ttyscribe_recorder.names import REC
from ttyscribe_recorder.writers.datagram import PRIORITIES
from ttyscribe_recorder.writers.syslog import FACILITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NamedTuple

    from ttyscribe_recorder.names import Name

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
        use: str = "both"
        """Who has it: `both` (the login shell as a key only), `rec`, `key` (both, as a key only), `session` (as a key
        only), `session-flag`, `all` (a flag of both), `rec-option` (an option without a key)."""

    class Parsed(NamedTuple):
        """Values by key as far as they were given, and the command (empty: a shell)."""

        values: dict[str, Value]
        command: list[str]
else:
    Option = namedtuple(
        "Option", "key kind default long short metavar help minimum choices use", defaults=(0, (), "both")
    )
    Parsed = namedtuple("Parsed", "values command")

WRITERS = ("journal", "syslog", "file")
NOTICE = "\nATTENTION! Your session is being recorded!\n\n"

OPTIONS = (
    Option("shell", "str", "/bin/bash", "", "", "PATH", "the shell to run", use="session"),
    Option("notice", "str", NOTICE, "", "", "TEXT", "what the user is told before the shell starts", use="session"),
    Option("file.path", "str", "", "file-path", "o", "FILE", "append the recording to FILE"),
    Option("writer", "str", "file", "writer", "w", "WAY", "where the recording goes", choices=WRITERS),
    Option("latency", "int", 10, "latency", "", "SECONDS", "write what was recorded at most so much later", 1),
    Option(
        "payload", "int", DEFAULT_PAYLOAD, "payload", "", "BYTES", "most of recorded data in one message", MIN_PAYLOAD
    ),
    Option("log.input", "bool", False, "log-input", "", "BOOL", "record what is typed, but not at hidden prompts"),
    Option(
        "log.secrets", "bool", False, "", "", "BOOL", "record what is typed at hidden prompts, passwords, as well",
        use="key",
    ),
    Option(
        "log.prompts", "str", "", "", "", "TEXTS", "texts, separated by commas, that are prompts for secrets, besides "
        "those that are known", use="key",
    ),
    Option("log.output", "bool", True, "log-output", "", "BOOL", "record what the program writes"),
    Option("log.window", "bool", True, "log-window", "", "BOOL", "record the terminal's sizes"),
    Option(
        "log.bulk", "str", "elide", "log-bulk", "", "WHAT", "the middle of binary data on pipes",
        choices=("elide", "keep"),
    ),
    Option("limit.rate", "int", 16384, "limit-rate", "", "BYTES", "bytes of messages a second, under a limit"),
    Option("limit.burst", "int", 32768, "limit-burst", "", "BYTES", "bytes that may come at once above the rate"),
    Option(
        "limit.action", "str", "pass", "limit-action", "", "WHAT", "what happens above the limit",
        choices=("pass", "delay", "drop"),
    ),
    Option(
        "syslog.facility", "str", "authpriv", "syslog-facility", "", "NAME", "facility of the messages",
        choices=tuple(FACILITIES),
    ),
    Option(
        "syslog.priority", "str", "info", "syslog-priority", "", "NAME", "priority of the messages",
        choices=tuple(PRIORITIES),
    ),
    Option("syslog.socket", "str", "/dev/log", "syslog-socket", "", "PATH", "the socket of the syslog service"),
    Option(
        "journal.priority", "str", "info", "journal-priority", "", "NAME", "priority of the journal's entries",
        choices=tuple(PRIORITIES),
    ),
    Option(
        "journal.augment", "bool", True, "journal-augment", "", "BOOL", "who and which recording as fields of the entry"
    ),
    Option(
        "journal.socket", "str", "/run/systemd/journal/socket", "journal-socket", "", "PATH",
        "the socket of the journal",
    ),
    Option(
        "on_error", "str", "refuse", "", "", "WHAT", "where recording can't begin, or the log fails for good: "
        "refuse (end) the session, or let it continue unrecorded with an alarm to syslog",
        choices=("refuse", "continue"), use="key",
    ),
    Option(
        "trust_environment", "bool", False, "", "", "BOOL", "take configuration from the environment, which the "
        "recorded user may control; counts in the installed file alone", use="session",
    ),
    Option(
        "runtime_folder", "str", "/run/ttyscribe/recorders", "", "", "PATH",
        "where recorders leave word that they record", use="key",
    ),
    Option(
        "utmp", "bool", False, "", "", "", "enter the recorded terminal in utmp, so that who and logname work in it; "
        "by libutempter's helper, where that is installed", use="key",
    ),
    Option(
        "semaphore", "str", "", "semaphore", "", "FILE", "write READY into FILE once recording is set up",
        use="rec-option",
    ),
    Option("login", "flag", False, "login", "l", "", "make the shell a login shell", use="session-flag"),
    Option("interactive", "flag", False, "interactive", "i", "", "make the shell interactive", use="session-flag"),
    Option(
        "command", "flag", False, "command", "c", "", "the first argument is a command for the shell",
        use="session-flag",
    ),
    Option("help", "flag", False, "help", "h", "", "print this help", use="all"),
    Option("version", "flag", False, "version", "v", "", "print the version", use="all"),
    Option("configuration", "flag", False, "configuration", "", "", "print the configuration that holds", use="all"),
    Option("status", "flag", False, "status", "", "", "say whether this session is recorded, and by what", use="all"),
)  # fmt: skip

_MOST = (1 << 63) - 1
"""Numbers above it count as it, as in tlog."""
_TRUE = ("yes", "on", "true")
_FALSE = ("no", "off", "false")
_LONGEST = max(map(len, _TRUE + _FALSE)) + 1


def option_of(name: "Name", option: "Option") -> bool:
    """Whether the program has it as an option."""
    return option.use in (("all", "session-flag") if name.session else ("all", "both", "rec-option"))


def keys(name: "Name") -> "Iterator[Option]":
    """The keys of the program's configuration."""
    wanted = ("both", "key", "session") if name.session else ("both", "key")
    return (option for option in OPTIONS if option.use in wanted)


def defaults(name: "Name" = REC) -> "dict[str, Value]":
    """All keys and options with what holds where nothing is said."""
    return {option.key: name.defaults.get(option.key, option.default) for option in OPTIONS}


def parse(arguments: list[str], name: "Name" = REC) -> "Parsed":
    """What the command line says. Raises ConfigError with one line that says what is wrong."""
    table = [option for option in OPTIONS if option_of(name, option)]
    values: dict[str, Value] = {}
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
            at += _take_long(table, values, word, arguments[at : at + 1])
        else:
            at += _take_short(table, values, word, arguments[at : at + 1])
    return Parsed(values, arguments[at:])


def _take_long(table: "list[Option]", values: "dict[str, Value]", word: str, following: list[str]) -> int:
    """Set what `--name[=value]` says; how many following words it used."""
    name, equals, value = word[2:].partition("=")
    option = _find_long(table, name)
    if equals or option.kind in ("flag", "bool"):
        values[option.key] = convert(option, value if equals else "yes", f"--{name}")
        return 0
    return _take_following(values, option, f"--{name}", following)


def _find_long(table: "list[Option]", name: str) -> "Option":
    """The option of this name, or the only one whose name begins so, as getopt has it."""
    found = [option for option in table if name and option.long.startswith(name)]
    exact = next((option for option in found if option.long == name), None)
    if exact is not None:
        return exact
    if not found:
        raise ConfigError(f"unknown option --{_shown(name)}")
    if len(found) > 1:
        raise ConfigError(f"--{name} may be any of {', '.join('--' + option.long for option in found)}")
    return found[0]


def _take_short(table: "list[Option]", values: "dict[str, Value]", word: str, following: list[str]) -> int:
    """Set what `-x`, `-xVALUE` or several letters `-xyVALUE` say; how many following words they used.

    A flag may have yes or no joined to it, as tlog has it.
    """
    for at, letter in enumerate(word[1:], 1):
        option = next((option for option in table if option.short == letter), None)
        if option is None:
            raise ConfigError(f"unknown option -{_shown(letter)}")
        if option.kind == "flag":
            value = word[at + 1 : at + 1 + _LONGEST].lower()  # a whole copy for each letter would take quadratic time
            values[option.key] = value not in _FALSE
            if value in _TRUE + _FALSE:
                return 0
        elif word[at + 1 :]:
            values[option.key] = convert(option, word[at + 1 :], f"-{letter}")
            return 0
        else:
            return _take_following(values, option, f"-{letter}", following)
    return 0


def _shown(word: str) -> str:
    """A word as an error may show it."""
    return word if word.isprintable() else ascii(word)[1:-1]


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
        return _whole_number(option, text, name)
    if option.choices and text not in option.choices:
        raise ConfigError(f"{name}: {text!r} is none of {', '.join(option.choices)}")
    return text


def _whole_number(option: "Option", text: str, name: str) -> int:
    """Decimal, with a sign and blanks around it if need be."""
    bare = text.strip(" \t\n\v\f\r")
    digits = bare[1:] if bare[:1] in ("+", "-") else bare
    if not (digits.isascii() and digits.isdigit()):
        raise ConfigError(f"{name}: {text!r} is no whole number")
    # The interpreter refuses to read numbers of thousands of digits.
    number = int(digits) if len(digits) <= 20 else _MOST
    number = -number if bare[0] == "-" else min(number, _MOST)
    if number < option.minimum:
        raise ConfigError(f"{name}: {bare} is below the minimum of {option.minimum}")
    return number
