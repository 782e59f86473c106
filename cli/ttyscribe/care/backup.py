# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store backup`: copies a folder of SQLite files while it is written."""

import argparse
import os

from ttyscribe import stores
from ttyscribe.care.folders import folder_of, size, told
from ttyscribe.text import counted
from ttyscribe_store.care import backup

DESCRIPTION = """Copies a folder of SQLite files into another, while others write and read: each month as it is at one
moment, verified before it takes the place of the copy before. Months that have not changed are not copied again. The
copy is a store: `--store sqlite:DIR` reads it. A month that the store has no longer stays in the copy; take its file
away there if it is to go."""
EPILOG = """examples:
  ttyscribe store backup --store sqlite:/var/lib/ttyscribe /backup/ttyscribe
  ttyscribe recordings --store sqlite:/backup/ttyscribe
  ttyscribe store verify --store sqlite:/backup/ttyscribe

exit status: 0 done; 1 failed (full disk, a damaged file): the copy before is as it was; 2 usage"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("target", metavar="DIR", help="the folder to copy into; it is made if it is not there")
    stores.add_store(parser)


def run(options: argparse.Namespace) -> int:
    """Copy, and say what."""
    url, store = stores.opened(options)
    folder = folder_of(url, store, "use the engine's own snapshots")
    target = os.path.abspath(os.path.expanduser(options.target))
    found: list[backup.Copied] = []
    try:
        with told("copying") as tell:
            found.extend(backup.backup(folder, target, tell))
    finally:  # where one fails, the others are in place
        for one in found:
            print(f"{one.name}: {counted(one.documents, 'document')}, {size(one.size)}, {one.status}")
    print(f"{url}: {size(sum(one.size for one in found if one.status == 'copied'))} copied into {target}")
    return 0
