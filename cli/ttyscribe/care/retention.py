# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe store retention`: takes whole months out of a store, by age and by size."""

import argparse
import contextlib
import os
import re
import shutil
from datetime import UTC, datetime
from typing import Any

from ttyscribe import stores
from ttyscribe.care import trail
from ttyscribe.care.folders import confirmed, size
from ttyscribe.text import counted
from ttyscribe_formats.errors import ConfigError, Unavailable
from ttyscribe_store.care.lock import alone
from ttyscribe_store.partitions import Taken, expired
from ttyscribe_store.sqlite import SqliteStore

DESCRIPTION = """Takes whole months out of a store, the oldest first: those that are older, to their last moment, than
--older-than, and then as many as must go until the store is no larger than --larger-than. The current month never goes,
nor does `implausible-time`, where documents with times are kept that can't be true; both count for the size. On
SQLite a month is a file; on Elasticsearch or OpenSearch it is our indices of that month (or day). Data streams have a
lifecycle of their own, which `ttyscribe setup` brings. Recordings that began in a month that went show a gap.

What is to go is told first, and asked about unless --yes is given. Who took what away is said in syslog."""
EPILOG = """examples:
  ttyscribe store retention --store sqlite:/var/lib/ttyscribe --older-than 400d --dry-run
  ttyscribe store retention --store sqlite:/var/lib/ttyscribe --older-than 400d --larger-than 50G --yes

exit status: 0 done, or nothing to do; 1 failed (a month is in use, the store can't be reached, the answer was no), or
the store is still larger; 2 usage"""
_UNITS = {"d": 86_400, "w": 604_800}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    stores.add_store(parser)
    parser.add_argument("--older-than", metavar="AGE", type=_age, default=0, help="so old: 400d, 60w")
    parser.add_argument("--larger-than", metavar="SIZE", type=_size, default=0, help="so large: 500M, 50G, 1T")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _age(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([dw])", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no age: write it as 400d or 60w")
    return int(found[1]) * _UNITS[found[2]]


def _size(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,9})([KMGT]?)(?:i?B)?", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write it as 500M, 50G or 1T")
    return int(found[1]) * _SIZES[found[2]]


def run(options: argparse.Namespace) -> int:
    """Tell, ask, remove."""
    if not options.older_than and not options.larger_than:
        raise ConfigError("by what? Give --older-than AGE, --larger-than SIZE, or both")
    url, store = stores.opened(options)
    if not hasattr(store, "partitions"):
        raise ConfigError(f"{url} keeps nothing by month")
    keeper: Any = store
    there = keeper.partitions()
    taken = expired(there, datetime.now(UTC), older_seconds=options.older_than, larger_bytes=options.larger_than)
    whole, going = sum(one.size for one in there), sum(one.partition.size for one in taken)
    for one in taken:
        print(f"{one.partition.name}: {', '.join(one.partition.parts)}: {size(one.partition.size)}, {one.why}")
    if not taken:
        print(f"{url}: nothing has to go ({size(whole)} are there)")
    elif options.dry_run:
        print(f"{size(going)} of {size(whole)} would be freed (--dry-run)")
    elif not options.yes and not confirmed(f"Take {counted(len(taken), 'month')} away, {size(going)}?"):
        print("nothing was taken away")
        return 1
    else:
        with alone(store.folder) if isinstance(store, SqliteStore) else contextlib.nullcontext():
            _remove(url, keeper, taken)
        print(f"{size(going)} of {size(whole)} freed")
    if options.larger_than and whole - going > options.larger_than:
        print(f"still {size(whole - going)}: the current month and implausible-time are never taken away")
        return 1
    return 0


def _remove(url: str, store: Any, taken: list[Taken]) -> None:
    for number, one in enumerate(taken):
        trail.record("retention", url, partition=one.partition.name, bytes=one.partition.size, why=one.why)
        try:
            store.drop(one.partition)
        except Unavailable as error:
            gone = f"; {counted(number, 'month')} gone before that" if number else ""
            raise Unavailable(f"{error}{gone}{_by_hand(store, one, str(error))}") from None


def _by_hand(store: Any, one: Taken, error: str) -> str:
    """What to do where the disk is too full for SQLite to take a file away."""
    if not isinstance(store, SqliteStore) or "disk" not in error:
        return ""
    if shutil.disk_usage(store.folder).free >= one.partition.size:
        return ""
    path = os.path.join(store.folder, one.partition.name)
    return f"; make some room, or end what writes, remove {path}.sqlite* by hand and run ttyscribe index --again"
