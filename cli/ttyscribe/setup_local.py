# SPDX-License-Identifier: Apache-2.0
"""The part of `ttyscribe setup` for a folder of SQLite files, which needs no more than to be there."""

import argparse
import os
import sys
from contextlib import suppress

from ttyscribe.text import counted
from ttyscribe_formats.errors import ConfigError
from ttyscribe_store.care.lock import alone
from ttyscribe_store.open import open_store
from ttyscribe_store.partition import is_partition
from ttyscribe_store.sqlite_rows import APPLICATION_ID

_SUFFIX = ".sqlite"
_HEADER, _APPLICATION = 100, 68
"""Bytes of a header of SQLite's, and where in it the application's id is (sqlite.org/fileformat.html)."""
_BESIDE = ("-wal", "-shm", "-journal")


def run(url: str, options: argparse.Namespace) -> None:
    """Make the folder, or take our files away; say what."""
    named = (options.layout, options.retention, options.priority)
    if any(value is not None for value in named) or options.rollover or (options.overwrite and not options.kibana):
        raise ConfigError("--layout, --retention, --priority, --rollover and --overwrite are about engines")
    if options.remove:
        _remove(url, options)
        return
    if options.dry_run:
        print(f"{url}: a folder is made where it is missing; files come with what is stored, one a month")
        return
    for line in open_store(url).setup() or [f"{url}: nothing to change, all is in place"]:
        print(line)


def _remove(url: str, options: argparse.Namespace) -> None:
    folder = os.path.expanduser(url.partition(":")[2])
    if options.keep_data or not url.startswith("sqlite:") or not os.path.isdir(folder):
        print(f"{url}: nothing is there beside the data")
        return
    with alone(folder):
        named = sorted(name for name in os.listdir(folder) if _is_named_like_ours(name))
        others = {name for name in named if not _is_ours(os.path.join(folder, _main(name)))}
        ours = [name for name in named if name not in others]
        for name in sorted(others):
            print(f"left {os.path.join(folder, name)}: not a file of this store, or damaged; remove it by hand")
        if ours and not options.dry_run:
            months = sum(name.endswith(_SUFFIX) for name in ours)
            confirm(
                options, f"{counted(months, 'file')} of {url}, with everything in {'it' if months == 1 else 'them'},"
            )
        for name in ours:
            if not options.dry_run:
                os.unlink(os.path.join(folder, name))
            print(f"{'remove' if options.dry_run else 'removed'} {os.path.join(folder, name)}")
        if not options.dry_run:
            with suppress(OSError):  # what is not ours stays, and the folder with it
                os.rmdir(folder)
                print(f"removed {folder}")
    if not ours:
        print(f"{url}: nothing of ours is there")


def _is_named_like_ours(name: str) -> bool:
    """Tell whether it has the name of a partition's file, or of one that SQLite has beside it."""
    name = _main(name)
    return name.endswith(_SUFFIX) and is_partition(name.removesuffix(_SUFFIX))


def _main(name: str) -> str:
    """The file that one is, or is beside."""
    for end in _BESIDE:
        name = name.removesuffix(end)
    return name


def _is_ours(path: str) -> bool:
    """Tell whether a file says that this program made it; one that is empty, or has gone, says nothing else."""
    try:
        with open(path, "rb") as file:
            header = file.read(_HEADER)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    application = int.from_bytes(header[_APPLICATION : _APPLICATION + 4], "big")
    return not header or (header.startswith(b"SQLite format 3\0") and application == APPLICATION_ID)


def confirm(options: argparse.Namespace, what: str) -> None:
    """Have a person confirm that data goes. Raises ConfigError where nobody does."""
    if options.yes:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(f"{what} would be removed: give --yes, or --keep-data to leave them")
    print(f"{what} will be removed for good. Type 'remove' to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() != "remove":
        raise ConfigError("nothing was removed")
