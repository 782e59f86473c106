# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe search`: which stored documents hold these words, as places that play and show accept."""

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from ttyscribe import deriving, found, stores, times
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_store.base import Hit, Query, Store
from ttyscribe_store.derive.hits import asks_for_kinds, everyday, folded
from ttyscribe_store.derive.places import Places
from ttyscribe_store.derive.rules import behind
from ttyscribe_store.query.lexer import QueryError
from ttyscribe_store.query.nodes import Node
from ttyscribe_store.query.parser import described, parse

DESCRIPTION = """Finds recordings and log lines, oldest first. All terms must hold.

A free word is looked for in all that was shown, typed and logged: a run of letters, digits and _, in any case. Words in
double quotes, or joined by other signs as in /etc/shadow, are found only next to each other; so are those of one
argument that holds nothing but words. OR finds either, ! or NOT what does not fit, parentheses group.

A hit is a place, RECORDING@M:SS.mmm, which `ttyscribe show` and `ttyscribe-play` take: where a line was first seen, a
message begins, or where the recording was when an audit event of its session happened. What no recording shows is told
by its kind instead. Hits come as they are found; the exit status does not tell whether there were any."""
EPILOG = f"""fields, as field:value; * stands for any characters, field~"..." takes a regular expression:
{"".join(f"  {line}{chr(10)}" for line in described())}
examples:
  ttyscribe search shadow
  ttyscribe search "rm -rf" --user alice --since 3d
  ttyscribe search 'user:alice (sudo OR su) !host:web* since:2026-11-01'
  ttyscribe search 'path:/etc/shadow since:2d'           who touched it, where an audit system tells
  ttyscribe search '*Permission den*' 'rec:1f0c*'        text within lines that stood on screens
  ttyscribe search 'cmd~"^(rm|dd) "'                     commands, by a regular expression
  ttyscribe search /etc/shadow --host web7 --kind tlog --json"""
_ENDLESS = 10**9
_QUERY = 200
"""Characters that an error shows of a query."""
_WORDS = re.compile(r'[^"()!:~*]*\s[^"()!:~*]*')
_WITHIN = re.compile(r'\*[^"]*\s[^"]*\*')
_OPERATOR = re.compile(r"(?<!\S)(?:AND|OR|NOT)(?!\S)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("query", metavar="QUERY", nargs="+", help="what to find")
    stores.add_store(parser)
    stores.add_bounds(parser, "at or after this time")
    parser.add_argument("--recording", metavar="REC", default="", help="of this recording alone")
    kinds = "of this kind alone: tlog (recordings), sudo, syslog; `ttyscribe-normalize --list-kinds` lists them"
    parser.add_argument("--kind", metavar="KIND", default="", help=kinds)
    parser.add_argument("--limit", metavar="N", type=_count, default=100, help="at most so many hits (%(default)s)")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hits")
    return int(text)


def query_of(arguments: Sequence[str]) -> str:
    """The query of the command line's arguments: one that holds nothing but words, or is `*text with blanks*`, is one
    term."""
    return " ".join(f'"{text}"' if _is_one(text) else text for text in arguments)


def _is_one(text: str) -> bool:
    return bool(_WITHIN.fullmatch(text) or (_WORDS.fullmatch(text) and not _OPERATOR.search(text)))


def tree_of(query: str, now_ns: int) -> Node:
    """A query's tree. ConfigError with the column of what is wrong."""

    def read_time(text: str) -> int:
        try:
            return times.parse(text, now_ns)
        except MessageError as error:
            raise ValueError(str(error)) from None

    try:
        return parse(query, read_time)
    except QueryError as error:
        raise ConfigError(f"in the query {query[:_QUERY]!r}, {error}") from None


def run(options: argparse.Namespace) -> int:
    """Search and print the hits as they come."""
    tree = tree_of(query_of(options.query), time.time_ns())
    url, store = stores.opened(options)
    deriving.derive_if_local(url, store)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)  # whoever reads us gets the first hits at once
    places, printer = Places(store), found.Printer(tree, as_json=options.json)
    for hit in _hits(store, tree, options):
        printer.print(hit, places.of(hit))
    printer.end(url, options.limit, len(behind(store)))
    return 0


def _hits(store: Store, tree: Node, options: argparse.Namespace) -> Iterator[Hit]:
    """The hits, no more than wanted."""
    by_kind = asks_for_kinds(tree) or bool(options.kind)
    query = Query(
        where=tree if by_kind else everyday(tree),
        kind=options.kind,
        user=options.user,
        host=options.host,
        recording=options.recording,
        since_ns=options.since,
        until_ns=options.until,
        limit=options.limit if by_kind else _ENDLESS,  # what is found is taken as it comes, until there is enough
    )
    hits = store.search(query)
    return hits if by_kind else islice(folded(hits), options.limit)
