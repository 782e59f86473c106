# SPDX-License-Identifier: Apache-2.0
"""The one table of ttyscribe-play's options: parser, configuration file, --help and man page are made from it."""

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_player import goto, usage
from ttyscribe_player.names import PLAY, Name

STORE_VARIABLE = "TTYSCRIBE_STORE"


class Option(NamedTuple):
    """One option and its key. `kind`: str, float, bool; `list` (repeated), `time`, `int`, `flag` are options alone."""

    key: str
    kind: str
    default: Any
    flags: tuple[str, ...]
    metavar: str
    help: str
    use: str = "key"
    """`key`: also a key of the configuration file; `own`: the same, but not under tlog's name; `option`: no key."""
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = 2.0**31


READERS = ("file", "journal", "es")
OPTIONS = (
    Option("speed", "float", 1.0, ("-s", "--speed"), "N", "play N times as fast; 0 begins with a pause", "own",
           most=1e6),
    Option("goto", "time", None, ("-g", "--goto"), "TIME",
           "begin at start, end, [[H:]M:]SS[.fraction] or N%% of the whole", "option"),
    Option("paused", "bool", False, ("-p", "--paused"), "", "begin with a pause", "option"),
    Option("list", "flag", False, ("-l", "--list"), "", "list the recordings in the file and play nothing", "option"),
    Option("file.match", "str", "", ("-m", "--match", "--file-match"), "REC", "which of several recordings"),
    Option("follow", "bool", False, ("-f", "--follow"), "", "go on with what is still being recorded", "option"),
    Option("idle_limit", "float", 0.0, ("--idle-limit",), "S", "cut pauses in the recording to S seconds", "own",
           most=1e6),
    Option("resize", "bool", False, ("--resize",), "",
           "give the terminal's window the size of the recorded one, where it obeys", "own"),
    Option("raw", "bool", False, ("--raw",), "",
           "write the recorded bytes to the terminal as they are: trust the recording", "option"),
    Option("sender", "int", -1, ("--sender",), "PID", "play only what this process sent", "option", most=2.0**60),
    Option("persist", "bool", False, ("--persist",), "", "ignore q, and keys that make signals"),
    Option("lax", "bool", False, ("--lax",), "",
           "as tlog-play takes it: gaps never end playing here, with it or without"),
    Option("reader", "str", "file", ("-r", "--reader"), "", "where messages are", choices=READERS),
    Option("file.path", "str", "", ("-i", "--file-path"), "FILE", "the same as FILE"),
    Option("journal.since", "int", None, ("-S", "--journal-since"), "SECONDS",
           "journal entries from this time on (since 1970)", "option", most=2.0**40),
    Option("journal.until", "int", None, ("-U", "--journal-until"), "SECONDS", "journal entries up to this time",
           "option", most=2.0**40),
    Option("journal.match", "list", (), ("-M", "--journal-match"), "MATCH", "FIELD=value, OR, or AND between what "
           "OR joins; repeat it", "option"),
    Option("journal.namespace", "str", "", ("-N", "--journal-namespace"), "NAME", "the journal's namespace", "option"),
    Option("es.baseurl", "str", "", ("--es-baseurl",), "URL",
           "the _search of an index, as http://host:9200/tlog/_search"),
    Option("es.query", "str", "", ("--es-query",), "QUERY", "which documents: a query string"),
    Option("es.verbose", "bool", False, ("--es-verbose",), "", "say what the engine is asked"),
    Option("es.ca", "str", "", ("--es-ca",), "FILE", "certificates to trust in place of the system's", "own"),
    Option("es.api_key_file", "str", "", ("--es-api-key-file",), "FILE", "a file that holds an API key", "own"),
    Option("store", "str", None, ("--store",), "URL", f"play from this store (default: ${STORE_VARIABLE})", "own"),
    Option("configuration", "flag", False, ("--configuration",), "", "print the configuration that holds", "option"),
)  # fmt: skip


def keys(name: Name) -> list[Option]:
    """What the program's configuration file may hold."""
    wanted = ("key",) if name.tlog else ("key", "own")
    return [option for option in OPTIONS if option.use in wanted]


def attribute(option: Option) -> str:
    """Its name in what `parse` gives."""
    return option.key.replace(".", "_")


class _Parser(argparse.ArgumentParser):
    """Ends with the status that belongs to the program's name."""

    status = PLAY.usage_status

    def error(self, message: str) -> NoReturn:
        self.exit(self.status, f"{self.prog}: {message} (see --help)\n")


def parser(name: Name = PLAY) -> argparse.ArgumentParser:
    """The command line. What is not given is absent in its result."""
    made = _Parser(
        prog=name.program,
        description=usage.DESCRIPTION,
        epilog=usage.epilog(name, [option.key for option in keys(name)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    made.status = name.usage_status
    made.add_argument(
        "recording",
        metavar="FILE|RECORDING[@PLACE]",
        nargs="?",
        default="",
        help="a file (- is standard input), or a recording in the store or its beginning; PLACE is [[H:]M:]SS[.mmm]",
    )
    for option in OPTIONS:
        _add(made, option)
    made.add_argument("-v", "--version", action=_Version, nargs=0, help="print the version")
    return made


def _add(made: argparse.ArgumentParser, option: Option) -> None:
    more: dict[str, Any] = {"dest": attribute(option), "help": option.help}
    if option.kind in ("bool", "flag"):
        more["action"] = "store_true"
        if option.kind == "bool":
            made.add_argument(f"--no-{option.flags[-1][2:]}", dest=more["dest"], action="store_false", help=_HIDDEN)
    elif option.choices:
        more |= {"choices": option.choices}
        more["help"] += f" ({option.default})"
    else:
        more |= {"metavar": option.metavar, "type": _Taker(option)}
        more |= {"action": "append"} if option.kind == "list" else {}
    made.add_argument(*option.flags, **more)


_HIDDEN = argparse.SUPPRESS


class _Taker:
    """Makes an option's value of what argparse read."""

    def __init__(self, option: Option) -> None:
        self._option = option

    def __call__(self, text: str) -> Any:
        try:
            return convert(self._option, text, "")
        except ConfigError as error:
            raise argparse.ArgumentTypeError(str(error)) from None


def parse(arguments: Sequence[str], name: Name = PLAY) -> argparse.Namespace:
    """What the command line says. Exits where it is wrong."""
    return parser(name).parse_args(_plain(arguments, name))


_BOOLS = {flag: option for option in OPTIONS if option.kind == "bool" for flag in option.flags if flag[:2] == "--"}
_WORDS = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}


def _plain(arguments: Sequence[str], name: Name) -> list[str]:
    """With `--lax=yes`, as tlog takes it, written in argparse's way."""
    found = list(arguments)
    for at, word in enumerate(found):
        if word == "--":
            break
        flag, equals, value = word.partition("=")
        if equals and flag in _BOOLS:
            if value.lower() not in _WORDS:
                parser(name).error(f"argument {flag}: {value!r} is neither yes nor no")
            found[at] = flag if _WORDS[value.lower()] else f"--no-{_BOOLS[flag].flags[-1][2:]}"
    return found


class _Version(argparse.Action):
    """Looks for the version only when it is asked for: the look-up takes longer than all other options together."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(parser.prog, metadata.version("ttyscribe"))
        parser.exit()


def convert(option: Option, text: str, name: str) -> Any:
    """The value that a text stands for. Raises ConfigError; `name` is the key, where it was one."""
    head = f"{name}: " if name else ""
    if option.choices and text not in option.choices:
        raise ConfigError(f"{head}{text!r} is none of {', '.join(option.choices)}")
    if option.kind == "float":
        return _number(option, text, head)
    if option.kind == "int":
        if not (text.isascii() and text.isdecimal() and option.least <= int(text[:25]) <= option.most):
            raise ConfigError(f"{head}{text!r} is no whole number that fits here")
        return int(text)
    if option.kind == "time":
        try:
            return goto.parse(text)
        except MessageError as error:
            raise ConfigError(str(error)) from None
    return text


def _number(option: Option, text: str, head: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not option.least <= number <= option.most:
        raise ConfigError(f"{head}{text!r} is no number from {option.least:g} to {option.most:g}, as 2 or 0.5")
    return number
