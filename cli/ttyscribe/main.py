# SPDX-License-Identifier: Apache-2.0
"""The operator's command, `ttyscribe VERB`. A verb's module is imported only when that verb is called."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from ttyscribe import __version__
from ttyscribe.text import clean
from ttyscribe.verbs import Help, add_verbs
from ttyscribe_formats.errors import ConfigError, TtyscribeError

VERBS = {
    "recordings": "list recordings",
    "search": "find words in everything that is stored",
    "show": "show what stood at a place of a recording",
    "import": "bring recordings of other programs, files of messages or a journal into a store",
    "export": "write a recording as asciicast, typescript or text",
    "index": "derive lines, commands and rows of recordings from what is stored",
    "store": "look after a store: verify, rebuild, delete, retention, backup, upgrade",
    "setup": "prepare a store, and bring the dashboards into Kibana or OpenSearch Dashboards",
    "doctor": "find what is known to go wrong in rsyslog's, journald's and Fluentd's configuration",
    "install": "put the recorder onto this host, or bring it to this version",
    "uninstall": "take it off this host again",
    "demo": "record a scripted session, ship it, store it, find it and play it",
}
"""Each is a module of this package (`import` is `importing`, as Python has the word) with `DESCRIPTION`, `EPILOG`,
`add_arguments(parser)` and `run(options) -> int`."""

_DESCRIPTION = """Finds and shows recordings of terminal sessions, and prepares where they are kept.

The store is given by --store or by the variable TTYSCRIBE_STORE: sqlite:DIR, or
http(s)://host:port[,host:port...][/prefix] of Elasticsearch or OpenSearch. `ttyscribe VERB --help`
tells each verb's options, with examples."""

_EPILOG = """examples:
  ttyscribe setup --store http://localhost:9200 --kibana http://localhost:5601
  ttyscribe recordings --user alice --since 2d
  ttyscribe search "rm -rf"
  ttyscribe show 1f0c-1011-13dda@0:42.000
  ttyscribe-play 1f0c-1011-13dda@0:42.000

exit status: 0 done; 1 failed (a store that can't be reached, bad data); 2 usage or configuration has to be changed"""


def parser(*, whole: bool = False) -> argparse.ArgumentParser:
    """The command line. `whole`: with the options of all verbs at once, for the man page."""
    made = argparse.ArgumentParser(
        prog="ttyscribe",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=Help,
        allow_abbrev=False,
    )
    made.add_argument("-v", "--version", action="version", version=f"ttyscribe {__version__}", help="print the version")
    add_verbs(made, "verb", VERBS, _module, whole=whole)
    return made


def _module(verb: str) -> Any:
    return importlib.import_module(f"ttyscribe.{'importing' if verb == 'import' else verb}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run; answers the exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed; `print` would fall back on the other one
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 # for the rest of the process
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # whatever the locale is, a name in a table must not end us
    try:
        options = parser().parse_args(arguments)
        status: int = _module(options.verb).run(options)
        sys.stdout.flush()
    except TtyscribeError as error:
        # Far sides repeat what was recorded; only a list of ours goes on in further lines, each indented.
        print("ttyscribe:", "\n  ".join(map(clean, str(error).split("\n  "))), file=sys.stderr)
        return 2 if isinstance(error, ConfigError) else 1
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(("ttyscribe_", "pyrsyslog_")):
            raise
        print(f"ttyscribe: {error.name} is not on this host: install it with --role all", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return _die_of(signal.SIGPIPE)
    except KeyboardInterrupt:
        return _die_of(signal.SIGINT)
    except OSError as error:
        print(f"ttyscribe: cannot go on: {clean(str(error))}", file=sys.stderr)
        _drop_output()
        return 1
    return status


def _drop_output() -> None:
    """Let what could not be written go, without the interpreter's complaint at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _die_of(number: int) -> int:
    """End as any program does that a signal ends; without a complaint about what could not be written."""
    _drop_output()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number


if __name__ == "__main__":
    sys.exit(main())
