# SPDX-License-Identifier: Apache-2.0
"""Hits of a search, for people and for programs."""

import os
import re
import shutil
import sys
from collections.abc import Iterator

from ttyscribe import times
from ttyscribe.text import clean, counted, is_terminal, marked, print_json, width
from ttyscribe_formats.place import Place, format_place
from ttyscribe_store.base import Hit
from ttyscribe_store.derive.rules import lag
from ttyscribe_store.query import nodes

_LINES = 4
"""Lines that are shown of one hit."""
_BEFORE, _BEHIND = 60, 160
"""Characters of a line that are shown before and behind a match."""
_LEAST_MARKED = 3
"""Characters of what an expression needs; less stands anywhere."""
_INDENT = "    "
_NARROWEST = 40
_DERIVED = ("tlog", "line", "command", "recording")
"""Kinds of hits that are part of a recording: it is told where, and not what they are."""


class Printer:
    """Prints one hit after the other, and in the end how many there were."""

    def __init__(self, tree: nodes.Node, *, as_json: bool) -> None:
        self._as_json = as_json
        self._pattern = pattern_of(tree)
        self._count, self._zone = 0, ""
        self._columns = _columns()
        self._strong, self._faint, self._plain = _colours()

    def print(self, hit: Hit, place: Place | None) -> None:
        """One hit and its place."""
        self._count += 1
        lines = cut(hit, self._pattern)
        if self._as_json:
            print_json(as_json(hit, place, ["".join(line) for line in lines]))
            return
        self._zone = self._zone or times.zone(hit.time_ns)
        self._print_head(hit, place)
        on, off = marked()
        for before, match, behind in lines:
            parts = _narrowed(clean(before), clean(match), clean(behind), self._columns)
            print(_INDENT + (f"{parts[0]}{on}{parts[1]}{off}{parts[2]}" if match else parts[0]))

    def _print_head(self, hit: Hit, place: Place | None) -> None:
        who = f"{hit.user}@{hit.host}" if hit.user else hit.host
        where = clean(format_place(place) if place else hit.kind)
        kind = f"  {clean(hit.kind)}" if place and hit.kind not in _DERIVED else ""
        kind = "  from audit" if hit.source == "audit" else kind
        rest = f"{kind}  trust {clean(hit.trust)}"
        strong, faint, plain = self._strong, self._faint, self._plain
        print(f"{strong}{where}{plain}  {times.local(hit.time_ns)}  {clean(who)}{faint}{rest}{plain}")

    def end(self, url: str, limit: int, behind: int) -> None:
        """Say how many hits there were, whether that is all, and how many recordings the indexer has yet to look at."""
        more = self._count == limit
        if self._as_json:
            print_json({"end": {"hits": self._count, "more": more, "behind": behind}})
            return
        if text := lag(behind):
            print(f"ttyscribe: {text}", file=sys.stderr)
        if not self._count:
            print(f"ttyscribe: nothing in {url} fits", file=sys.stderr)
        else:
            hint = f" (there may be more: --limit {limit * 10})" if more else ""
            print(f"{counted(self._count, 'hit')}{hint}; times in {self._zone}")


def as_json(hit: Hit, place: Place | None, lines: list[str]) -> dict[str, object]:
    """A hit for programs; its keys are documented in docs/query.md and stay."""
    return {
        "document_id": hit.document_id,
        "kind": hit.kind,
        "time": times.utc(hit.time_ns),
        "host": hit.host,
        "user": hit.user,
        "recording": hit.recording,
        "first_ms": hit.first_ms,
        "last_ms": hit.last_ms,
        "message": hit.message,
        "typed": hit.typed,
        "trust": hit.trust,
        "session": None if hit.session < 0 else hit.session,
        "boot_id": hit.boot_id,
        "source": hit.source,
        "place": format_place(place) if place else "",
        "lines": lines,
    }


def cut(hit: Hit, pattern: re.Pattern[str] | None) -> list[tuple[str, str, str]]:
    """The lines with a match: what stands before it, the match, and what stands behind."""
    lines: dict[int, tuple[str, str, str]] = {}
    text = "\n".join(filter(None, (hit.message, hit.typed)))
    for match in pattern.finditer(text) if pattern else ():
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _BEFORE)
        end = text.find("\n", match.end())
        end = min(len(text) if end < 0 else end, match.end() + _BEHIND)
        lines.setdefault(start, (text[start : match.start()], match[0], text[match.end() : end]))
        if len(lines) == _LINES:
            break
    # Letters that fold into others are found by the store and not by the pattern: then the beginning is shown.
    return list(lines.values()) or [(text.strip().partition("\n")[0][:_BEHIND], "", "")]


def pattern_of(tree: nodes.Node) -> re.Pattern[str] | None:
    """What to mark in the text of hits; no alternative can run away on a text that was made for it."""
    found = list(dict.fromkeys(_patterns(tree)))
    return re.compile("|".join(found)) if found else None


def _patterns(node: nodes.Node) -> Iterator[str]:
    match node:
        case nodes.Phrase():
            words = r"\W+".join(map(re.escape, node.words))
            yield rf"(?i:(?<!\w){words}(?!\w))"
        case nodes.And() | nodes.Or():
            for inner in node.nodes:
                yield from _patterns(inner)
        case nodes.Wild() if node.field in ("line", "cmd"):
            yield re.escape(max(node.parts, key=len))
        case nodes.Pattern() if node.field in ("line", "cmd"):
            needed = max(node.regex.needed, key=len, default="")
            if len(needed) >= _LEAST_MARKED:
                yield re.escape(needed)


def _narrowed(before: str, match: str, behind: str, columns: int) -> tuple[str, str, str]:
    """The same in no more columns than there are; 0 = as many as it likes."""
    room = columns - len(_INDENT)
    if not columns or width(before) + width(match) + width(behind) <= room:
        return before, match, behind
    if not match:
        return _fitting(before, room), "", ""
    match = _fitting(match, room)
    room -= width(match)
    while before and width(before) > max(room // 3, room - width(behind)):
        before = before[1:]
    return before, match, _fitting(behind, room - width(before))


def _fitting(text: str, room: int) -> str:
    text = text[: max(room, 0)]
    while width(text) > room:
        text = text[:-1]
    return text


def _columns() -> int:
    """Columns of the terminal; 0 where there is none."""
    return max(shutil.get_terminal_size().columns, _NARROWEST) if sys.stdout.isatty() else 0


def _colours() -> tuple[str, str, str]:
    """What makes text strong, faint and plain again on a terminal that can."""
    if not is_terminal(sys.stdout) or os.environ.get("NO_COLOR"):
        return "", "", ""
    return "\x1b[1m", "\x1b[2m", "\x1b[0m"
