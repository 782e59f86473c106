# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe search`: which stored documents hold these words, as places that play and show accept."""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from itertools import islice

from ttyscribe import deriving, stores, times
from ttyscribe.text import clean, marked, print_json
from ttyscribe_formats.errors import ConfigError, MessageError
from ttyscribe_formats.place import Place, format_place
from ttyscribe_store.base import Hit, Query
from ttyscribe_store.derive.hits import asks_for_kinds, everyday, folded
from ttyscribe_store.query.lexer import QueryError
from ttyscribe_store.query.nodes import Node, phrases
from ttyscribe_store.query.parser import described, parse

DESCRIPTION = """Finds recordings and log lines, oldest first. All terms must hold.

A free word is looked for in all that was shown, typed and logged: a run of letters, digits and _, in any case. Words in
double quotes, or joined by other signs as in /etc/shadow, are found only next to each other; so are those of one
argument that holds nothing but words. OR finds either, ! or NOT what does not fit, parentheses group.

A hit in a recording is a place, RECORDING@M:SS.mmm, where its message begins: `ttyscribe show` and `ttyscribe-play`
take it."""
EPILOG = f"""fields, as field:value; * stands for any characters, field~"..." takes a regular expression:
{"".join(f"  {line}{chr(10)}" for line in described())}
examples:
  ttyscribe search shadow
  ttyscribe search "rm -rf" --user alice --since 3d
  ttyscribe search 'user:alice (sudo OR su) !host:web* since:2026-11-01'
  ttyscribe search /etc/shadow --host web7 --kind tlog --json"""
_LINES = 4
"""Lines that are shown of one hit."""
_BEFORE, _WIDTH = 60, 160
_ENDLESS = 10**9
_QUERY = 200
"""Characters that an error shows of a query."""
_WORDS = re.compile(r'[^"()!:~*]*\s[^"()!:~*]*')
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
    """The query of the command line's arguments: one that holds nothing but words is a phrase."""
    return " ".join(
        f'"{text}"' if _WORDS.fullmatch(text) and not _OPERATOR.search(text) else text for text in arguments
    )


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
    terms = [found.words for found in phrases(tree)]
    url, store = stores.opened(options)
    deriving.derive_if_local(url, store)
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
    found, zone = 0, ""
    hits = store.search(query)
    for hit in hits if by_kind else islice(folded(hits), options.limit):
        found += 1
        zone = zone or times.zone(hit.time_ns)
        if options.json:
            print_json(_as_json(hit, terms))
        else:
            _print_hit(hit, terms)
    if not options.json:
        _print_end(found, options.limit, zone, url)
    return 0


def _print_end(found: int, limit: int, zone: str, url: str) -> None:
    if not found:
        print(f"ttyscribe: nothing in {url} fits", file=sys.stderr)
        return
    more = f" (there may be more: --limit {limit * 10})" if found == limit else ""
    print(f"{found} hit{'s' * (found != 1)}{more}; times in {zone}")


def place_of(hit: Hit) -> str:
    """`REC@M:SS.mmm`; empty where it is not part of a recording."""
    return format_place(Place(hit.recording, hit.first_ms)) if hit.recording else ""


def _as_json(hit: Hit, terms: Sequence[Sequence[str]]) -> dict[str, object]:
    fields: dict[str, object] = hit._asdict()
    fields["time"] = times.utc(hit.time_ns)
    del fields["time_ns"]
    return fields | {
        "place": place_of(hit),
        "lines": [before + match + behind for before, match, behind in _cut(hit, terms)],
    }


def _print_hit(hit: Hit, terms: Sequence[Sequence[str]]) -> None:
    who = f"{hit.user}@{hit.host}" if hit.user else hit.host
    print(f"{clean(place_of(hit) or hit.kind)}  {times.local(hit.time_ns)}  {clean(who)}  trust {clean(hit.trust)}")
    on, off = marked()
    for before, match, behind in _cut(hit, terms):
        print(f"    {clean(before)}{on}{clean(match)}{off}{clean(behind)}" if match else f"    {clean(before)}")


def _cut(hit: Hit, terms: Sequence[Sequence[str]]) -> list[tuple[str, str, str]]:
    """The lines with a match: what stands before it, the match, and what stands behind."""
    pattern = re.compile("|".join(rf"(?<!\w){_joined(term)}(?!\w)" for term in terms), re.IGNORECASE)
    lines: dict[int, tuple[str, str, str]] = {}
    text = "\n".join(filter(None, (hit.message, hit.typed)))
    for match in pattern.finditer(text) if terms else ():
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _BEFORE)
        end = text.find("\n", match.end())
        end = min(len(text) if end < 0 else end, match.end() + _WIDTH)
        lines.setdefault(start, (text[start : match.start()], match[0], text[match.end() : end]))
        if len(lines) == _LINES:
            break
    # Letters that fold into others are found by the store and not by the pattern: then the beginning is shown.
    return list(lines.values()) or [(text.strip().partition("\n")[0][:_WIDTH], "", "")]


def _joined(term: Sequence[str]) -> str:
    return r"[\W]+".join(map(re.escape, term))
