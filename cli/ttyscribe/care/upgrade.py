# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store upgrade`: brings SQLite files of an older version to this one."""

import argparse

from ttyscribe import stores
from ttyscribe.care.folders import folder_of, told
from ttyscribe.text import counted
from ttyscribe_store import sqlite_rows
from ttyscribe_store.care import upgrade

DESCRIPTION = """Brings the files of a folder of SQLite files to the schema of this version, in place, one month after
the other, the newest first. It can be ended at any time and goes on where it was. While a month is being upgraded, or
waits for it, nobody reads it, and what belongs into it is held back by those that write; other months are written."""
EPILOG = """examples:
  ttyscribe store upgrade --store sqlite:/var/lib/ttyscribe
  ttyscribe store upgrade --store sqlite:/var/lib/ttyscribe --dry-run

exit status: 0 done, or nothing to do; 1 failed (full disk, another process holds a file); 2 usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what is to be done")


def run(options: argparse.Namespace) -> int:
    """Upgrade, and say what."""
    url, store = stores.opened(options)
    folder = folder_of(url, store, "run ttyscribe setup, which upgrades its templates")
    if options.dry_run:
        found = upgrade.waiting(folder)
    else:
        with told("upgrading") as tell:
            found = upgrade.upgrade(folder, tell)
    for one in found:
        was = f"schema {one.version}" if one.version < upgrade.UPGRADING else "half upgraded"
        verb = "would be brought" if options.dry_run else "brought"
        print(f"{one.name}: {counted(one.documents, 'document')} {verb} from {was} to schema {sqlite_rows.VERSION}")
    if not found:
        print(f"{url}: nothing to do, all files have schema {sqlite_rows.VERSION}")
    return 0
