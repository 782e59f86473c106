# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store VERB`: looks after a store. Each verb is a module of `ttyscribe.care`."""

import argparse
import importlib
from typing import Any

from ttyscribe.verbs import add_verbs

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
    """The whole command line by itself, for its man page."""
    made = argparse.ArgumentParser(prog="ttyscribe store", description=DESCRIPTION, epilog=EPILOG)
    add_verbs(made, "care", VERBS, _module, whole=True)
    return made


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    add_verbs(parser, "care", VERBS, _module)


def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    status: int = _module(options.care).run(options)
    return status


def _module(verb: str) -> Any:
    return importlib.import_module(f"ttyscribe.care.{verb}")
