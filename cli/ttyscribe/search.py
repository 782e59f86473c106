# SPDX-License-Identifier: Apache-2.0
"""`ttyscribe search`: which stored documents hold these words, as places that play and show accept."""

import argparse
import re
import sys
from collections.abc import Sequence

from ttyscribe import stores, times
from ttyscribe.text import clean, marked, print_json
from ttyscribe_formats.errors import ConfigError
from ttyscribe_formats.place import Place, format_place
from ttyscribe_formats.words import query_terms, words
from ttyscribe_store.base import Hit, Query

DESCRIPTION = """Finds recordings and log lines that hold all of the words, oldest first.

A word is a run of letters, digits and _, in any case. Several words in one argument, or joined by other signs as in
/etc/shadow, are found only next to each other. A hit in a recording is a place, RECORDING@M:SS.mmm, where its message
begins: `ttyscribe show` and `ttyscribe-play` take it."""
EPILOG = """examples:
  ttyscribe search shadow
  ttyscribe search "rm -rf" --user alice --since 3d
  ttyscribe search /etc/shadow --host web7 --kind tlog --json"""
_LINES = 4
"""Lines that are shown of one hit."""
_BEFORE, _WIDTH = 60, 160


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("words", metavar="WORDS", nargs="+", help="what must occur; one argument is one phrase")
    stores.add_store(parser)
    stores.add_bounds(parser, "at or after this time")
    parser.add_argument("--recording", metavar="REC", default="", help="of this recording alone")
    parser.add_argument("--kind", metavar="KIND", default="", help="tlog (recordings) or syslog (other lines) alone")
    parser.add_argument("--limit", metavar="N", type=_count, default=100, help="at most so many hits (%(default)s)")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hits")
    return int(text)


def terms_of(arguments: Sequence[str]) -> list[list[str]]:
    """One term of each argument; quotes inside an argument say what belongs together. ConfigError without a word."""
    terms = [term for text in arguments for term in (query_terms(text) if '"' in text else [words(text)]) if term]
    if not terms:
        raise ConfigError(f"there is no word in {' '.join(arguments)!r}: a word is made of letters, digits and _")
    return terms


def run(options: argparse.Namespace) -> int:
    """Search and print the hits as they come."""
    terms = terms_of(options.words)
    url, store = stores.opened(options)
    query = Query(
        terms,
        kind=options.kind,
        user=options.user,
        host=options.host,
        recording=options.recording,
        since_ns=options.since,
        until_ns=options.until,
        limit=options.limit,
    )
    found, zone = 0, ""
    for hit in store.search(query):
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
    for match in pattern.finditer(text):
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
