# SPDX-License-Identifier: Apache-2.0
"""What the reading verbs share: the store, bounds of time, and how a recording is told."""

import argparse
import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ttyscribe import times
from ttyscribe.progress import Advance, progress
from ttyscribe_formats.errors import ConfigError, TtyscribeError
from ttyscribe_formats.place import format_time
from ttyscribe_store.base import Recording, Store
from ttyscribe_store.open import open_store

if TYPE_CHECKING:
    from ttyscribe_store.derive.indexer import Done

VARIABLE = "TTYSCRIBE_STORE"


def add_store(parser: argparse.ArgumentParser) -> None:
    """--store."""
    parser.add_argument(
        "--store", metavar="URL", help=f"sqlite:DIR or http(s)://host:port[/prefix] (default: ${VARIABLE})"
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
    return url, open_store(url)


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


def derive(url: str, store: Store, *, again: bool = False) -> "Done":
    """Bring what is derived up to date, one process at a time; a bar shows how far it is. Raises Unavailable."""
    from ttyscribe_store.derive.indexer import Done, bring_up_to_date

    with alone(url) as alone_:
        if not alone_:
            return Done(0, 0)  # another one does it
        with contextlib.ExitStack() as stack:
            bars: list[Advance] = []

            def tell(done: int, total: int) -> None:
                if total and not bars:
                    bars.append(stack.enter_context(progress("deriving", total)))
                if bars:
                    bars[0](done)

            return bring_up_to_date(store, tell, again=again)


def derive_if_local(url: str, store: Store) -> None:
    """On SQLite, bring what is derived up to date before it is read; elsewhere an indexer does."""
    from ttyscribe_screen.screen import available

    if not url.startswith("sqlite:") or not available():
        return
    try:
        derive(url, store)
    except ConfigError:
        pass  # whoever reads says what is wrong with the store
    except (TtyscribeError, OSError) as error:
        print(f"ttyscribe: lines and commands may be behind: {error}", file=sys.stderr)


@contextlib.contextmanager
def alone(url: str) -> Iterator[bool]:
    """Hold the lock of a folder's indexer: False where another process holds it. Stores elsewhere have none."""
    folder = os.path.expanduser(url.removeprefix("sqlite:"))
    if not url.startswith("sqlite:") or not os.path.isdir(folder):
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
