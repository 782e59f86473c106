# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store VERB`: looks after a store. Each verb is a module of `ttyscribe.care`."""

import argparse
import importlib
from typing import Any

DESCRIPTION = """Looks after a store: whether all is there, what takes place away, copies, upgrades.
`ttyscribe store VERB --help` tells each verb's options, with examples."""
EPILOG = """examples:
  ttyscribe store verify --store sqlite:/var/lib/ttyscribe
  ttyscribe store backup --store sqlite:/var/lib/ttyscribe /backup/ttyscribe
  ttyscribe store retention --store sqlite:/var/lib/ttyscribe --older-than 400d --larger-than 50G --dry-run"""
VERBS = {
    "verify": "look for gaps, conflicts, forged messages and damage",
    "rebuild": "make anew what is derived of the documents",
    "delete": "take recordings out",
    "retention": "take whole months out, by age and size",
    "backup": "copy a folder of SQLite files while it is written",
    "upgrade": "bring SQLite files of an older version to this one",
}


def parser() -> argparse.ArgumentParser:
    """The command line by itself, for its man page."""
    made = argparse.ArgumentParser(
        prog="ttyscribe store", description=DESCRIPTION, epilog=EPILOG, formatter_class=_FORMAT, allow_abbrev=False
    )
    add_arguments(made)
    return made


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs with their options."""
    verbs = parser.add_subparsers(metavar="VERB", dest="care", required=True)
    for name, text in VERBS.items():
        module = _module(name)
        verb = verbs.add_parser(
            name,
            help=text,
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=_FORMAT,
            allow_abbrev=False,
        )
        module.add_arguments(verb)


def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    status: int = _module(options.care).run(options)
    return status


_FORMAT = argparse.RawDescriptionHelpFormatter


def _module(verb: str) -> Any:
    return importlib.import_module(f"ttyscribe.care.{verb}")
