# SPDX-License-Identifier: Apache-2.0
"""What the reading verbs share: the store, bounds of time, and how a recording is told."""

import argparse
import atexit
import os
from typing import Any

from ttyscribe import times
from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.place import format_time
from ttyscribe_store.base import Recording, Store
from ttyscribe_store.open import open_store

VARIABLE = "TTYSCRIBE_STORE"


def add_store(parser: argparse.ArgumentParser) -> None:
    """--store."""
    parser.add_argument(
        "--store",
        metavar="URL",
        help=f"sqlite:DIR or http(s)://host:port[,host:port...][/prefix] (default: ${VARIABLE})",
    )


def add_bounds(parser: argparse.ArgumentParser, what: str) -> None:
    """--user, --host, --since, --until, --json."""
    parser.add_argument("--user", metavar="NAME", default="", help="of this user alone")
    parser.add_argument("--host", metavar="NAME", default="", help="of this host alone")
    parser.add_argument("--since", metavar="TIME", type=times.argument, default=0, help=f"{what}: {times.FORMS}")
    parser.add_argument("--until", metavar="TIME", type=times.argument, default=0, help="before this time")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, times in UTC")


def store_url(options: argparse.Namespace) -> str:
    """The store that is meant. ConfigError where none is named."""
    url: str = options.store or os.environ.get(VARIABLE, "")
    if not url:
        raise ConfigError(f"which store? Give --store URL or set {VARIABLE} (as sqlite:/var/lib/ttyscribe)")
    return url


def opened(options: argparse.Namespace) -> tuple[str, Store]:
    """The store and its URL."""
    url = store_url(options)
    store = open_store(url)
    atexit.register(store.close)  # files come to rest, whichever way the verb ends
    return url, store


def as_json(one: Recording) -> dict[str, Any]:
    """A recording for programs."""
    fields = one._asdict()
    fields["start"] = times.utc(fields.pop("start_ns"))
    return fields | {"missing": one.missing, "conflicts": one.conflicts}


def duration(ms: int) -> str:
    """`[H:]M:SS.mmm`."""
    return format_time(ms)


def state(one: Recording) -> str:
    """What is missing, in conflict or forged, in words."""
    found = [f"missing {_runs(one)}"] if one.gaps else ["no gaps"]
    if one.conflicts:
        found.append(f"{one.conflicts} in conflict")
    if one.below_first:
        found.append(f"{one.below_first} with an id below 1")
    claims = (("users", one.users), ("hosts", one.hosts))
    found += [f"{count} {name} claimed" for name, count in claims if count > 1]
    if found[0] == "no gaps" and len(found) > 1:
        del found[0]
    return ", ".join(found if one.ended else [*found, "no end"])


def _runs(one: Recording) -> str:
    """The first missing ids: a forged id beyond all others then hides no real gap, as a mere count would."""
    text = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in one.gaps)
    named = sum(last - first + 1 for first, last in one.gaps)
    return text + (" and more" if one.missing > named else "")
